#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"

static void allocations(void **state)
{
    (void)state;
    void *nothing = mem_alloc(0);
    assert_non_null(nothing);
    mem_free(nothing);
    mem_free(NULL);
    unsigned char *zeros = mem_calloc(10, 3);
    for (int i = 0; i < 30; i++)
        assert_int_equal(zeros[i], 0);
    mem_free(zeros);
    assert_null(mem_realloc_array(NULL, SIZE_MAX / 2, 3));
    assert_string_equal(err_message(), "out of memory");
    char *text = mem_strndup("abcdef", 3), *shorter = mem_strndup("ab", 100), *made = mem_printf("%d-%s", 7, "x");
    assert_string_equal(text, "abc");
    assert_string_equal(shorter, "ab");
    assert_string_equal(made, "7-x");
    mem_free(text);
    mem_free(shorter);
    mem_free(made);
}

static void the_nth_allocation_fails_once(void **state)
{
    (void)state;
    long before = mem_allocation_count();
    mem_fail_after(3);
    void *kept[4];
    for (int i = 0; i < 4; i++) {
        kept[i] = mem_alloc(8);
        assert_true((kept[i] == NULL) == (i == 2));
    }
    assert_int_equal(mem_allocation_count() - before, 4);
    mem_fail_after(1);
    mem_fail_after(0);
    void *works = mem_alloc(8);
    assert_non_null(works);
    mem_free(works);
    for (int i = 0; i < 4; i++)
        mem_free(kept[i]);
}

static void realloc_failure_keeps_the_block(void **state)
{
    (void)state;
    char *text = mem_strdup("keep");
    mem_fail_after(1);
    assert_null(mem_realloc(text, 1000));
    assert_string_equal(text, "keep");
    mem_free(text);
}

static void growing(void **state)
{
    (void)state;
    void *array = NULL;
    size_t capacity = 0;
    assert_int_equal(mem_grow(&array, &capacity, 100, sizeof(int)), 0);
    assert_true(capacity >= 100);
    void *same = array;
    assert_int_equal(mem_grow(&array, &capacity, 100, sizeof(int)), 0);
    assert_ptr_equal(array, same);
    size_t kept = capacity;
    assert_int_equal(mem_grow(&array, &capacity, SIZE_MAX / 2 + 2, sizeof(int)), RECO_E_NOMEM);
    assert_ptr_equal(array, same);
    assert_int_equal(capacity, kept);
    mem_free(array);
}

static void arena(void **state)
{
    (void)state;
    struct mem_arena arena = {0};
    char *first = mem_arena_strndup(&arena, "first!", 5);
    for (size_t size = 0; size < 5000; size += 7) {
        unsigned char *p = mem_arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        memset(p, 0xee, size);
    }
    void *large = mem_arena_alloc(&arena, 1 << 20);
    assert_non_null(large);
    char *behind = mem_arena_strndup(&arena, "behind", 6);
    assert_string_equal(first, "first");
    assert_string_equal(behind, "behind");
    assert_null(mem_arena_alloc(&arena, SIZE_MAX - 3));
    mem_fail_after(1);
    assert_null(mem_arena_alloc(&arena, 1 << 20));
    mem_fail_after(0);
    mem_arena_release(&arena);
    assert_int_equal(arena.used_bytes, 0);
    mem_arena_release(&arena);
}

static void buffers(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_add(&b, NULL, 0), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_printf(&b, "%d,", i), 0);
    assert_memory_equal(buf_str(&b), "0,1,2,3,", 8);
    assert_int_equal(strlen(buf_str(&b)), b.length);
    size_t length = b.length;
    mem_fail_after(1);
    assert_int_equal(buf_reserve(&b, 1 << 20), RECO_E_NOMEM);
    assert_int_equal(b.length, length);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 2), RECO_E_NOMEM);
    buf_clear(&b);
    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_add_char(&b, 'x'), 0);
    char *taken = buf_take(&b);
    assert_string_equal(taken, "x");
    mem_free(taken);
    taken = buf_take(&b);
    assert_string_equal(taken, "");
    mem_free(taken);
    buf_release(&b);
}

static void wrapping(void **state)
{
    (void)state;
    struct buf b = {0};
    assert_int_equal(buf_add_wrapped(&b, "one two three four", 2, 10), 0);
    assert_string_equal(buf_str(&b), "one two\n  three\n  four\n");
    buf_clear(&b);
    assert_int_equal(buf_add_wrapped(&b, "a paragraph\n\nanother one\nand a line", 0, 100), 0);
    assert_string_equal(buf_str(&b), "a paragraph\n\nanother one\nand a line\n");
    buf_clear(&b);
    assert_int_equal(buf_add_wrapped(&b, "longerthanthewidth x", 0, 4), 0);
    assert_string_equal(buf_str(&b), "longerthanthewidth\nx\n");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations),
        cmocka_unit_test(the_nth_allocation_fails_once),
        cmocka_unit_test(realloc_failure_keeps_the_block),
        cmocka_unit_test(growing),
        cmocka_unit_test(arena),
        cmocka_unit_test(buffers),
        cmocka_unit_test(wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
