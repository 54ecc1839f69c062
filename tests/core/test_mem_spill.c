/* Blocks beyond the limit lie in files, and are blocks like any other. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

enum { MIB = 1024 * 1024 };

/* Does the block lie in a file? By the kernel's own list. */
static bool is_in_file(const void *block)
{
    char line[1024];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long long begin;
        unsigned long long end;
        if (sscanf(line, "%llx-%llx", &begin, &end) == 2 && begin <= (uintptr_t)block && (uintptr_t)block < end) {
            found = strstr(line, "(deleted)") != NULL;
        }
    }
    fclose(maps);
    return found;
}

static void fill(unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        block[i] = (unsigned char)((i * 2654435761u + seed) >> 8);
    }
}

static bool is_filled(const unsigned char *block, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++) {
        if (block[i] != (unsigned char)((i * 2654435761u + seed) >> 8)) {
            return false;
        }
    }
    return true;
}

static void blocks_go_where_there_is_room(void **state)
{
    (void)state;
    assert_int_equal(mem_spill_beyond(4 * MIB, NULL), 0);
    unsigned char *small = mem_alloc(1000);
    unsigned char *first = mem_alloc(3 * MIB);
    unsigned char *second = mem_alloc(3 * MIB);
    assert_non_null(small);
    assert_non_null(first);
    assert_non_null(second);
    assert_false(is_in_file(small) || is_in_file(first));
    assert_true(is_in_file(second));
    fill(first, 3 * MIB, 1);
    fill(second, 3 * MIB, 2);
    first = mem_realloc(first, 7 * MIB); /* moves into a file */
    second = mem_realloc(second, 9 * MIB);
    assert_true(is_in_file(first) && is_in_file(second));
    assert_true(is_filled(first, 3 * MIB, 1) && is_filled(second, 3 * MIB, 2));
    fill(second, 9 * MIB, 3);
    second = mem_realloc(second, 2 * MIB);
    assert_true(is_filled(second, 2 * MIB, 3));
    second = mem_realloc(second, 100);
    assert_true(is_filled(second, 100, 3));
    unsigned char *third = mem_alloc(3 * MIB); /* there is room again */
    unsigned char *zeros = mem_calloc(3, MIB);
    assert_false(is_in_file(third));
    assert_true(is_in_file(zeros));
    for (size_t i = 0; i < 3 * MIB; i++) {
        assert_int_equal(zeros[i], 0);
    }
    assert_true(mem_spilled_bytes() >= 16 * MIB && !mem_spill_failed());
    mem_free(small);
    mem_free(first);
    mem_free(second);
    mem_free(third);
    mem_free(zeros);
    mem_spill_end();
}

/* Blocks that are given back while there is no limit do not count for the next one. */
static void a_second_limit_begins_anew(void **state)
{
    (void)state;
    assert_int_equal(mem_spill_beyond(4 * MIB, NULL), 0);
    void *block = mem_alloc(3 * MIB);
    assert_false(is_in_file(block));
    mem_spill_end();
    mem_free(block);
    assert_int_equal(mem_spill_beyond(4 * MIB, NULL), 0);
    block = mem_alloc(3 * MIB);
    assert_false(is_in_file(block));
    mem_free(block);
    mem_spill_end();
}

/* More of them than files are held open; each grows and keeps what it holds. */
static void many_blocks_grow(void **state)
{
    (void)state;
    enum { BLOCKS = 150 };
    unsigned char *blocks[BLOCKS];
    assert_int_equal(mem_spill_beyond(0, NULL), 0);
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_alloc(MIB);
        assert_non_null(blocks[i]);
        fill(blocks[i], 5000, i);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = mem_realloc(blocks[i], MIB + 8192 * i);
        assert_non_null(blocks[i]);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        assert_true(is_filled(blocks[i], 5000, i));
        mem_free(blocks[i]);
    }
    mem_spill_end();
}

static void *use_blocks(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < 40; i++) {
        size_t size = (size_t)MIB / 2 + MIB / 8 * ((seed + i) % 9);
        unsigned char *block = mem_alloc(size);
        if (!block) {
            return arg;
        }
        fill(block, 5000, seed + i);
        block = mem_realloc(block, 2 * size);
        if (!block || !is_filled(block, 5000, seed + i)) {
            return arg;
        }
        mem_free(block);
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[4];
    assert_int_equal(mem_spill_beyond(2 * MIB, NULL), 0);
    for (uintptr_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, use_blocks, (void *)(i + 1)), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    mem_spill_end();
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    assert_int_equal(mem_spill_beyond(0, "/tmp"), 0);
    unsigned char *block = mem_alloc(MIB);
    assert_non_null(block);
    fill(block, MIB, 5);
    file_fail_after(1);
    assert_null(mem_realloc(block, 2 * MIB));
    assert_non_null(strstr(err_message(), "in '/tmp': No space left on device"));
    assert_true(mem_spill_failed());
    file_fail_after(1);
    assert_null(mem_alloc(MIB));
    file_fail_after(2);
    assert_null(mem_calloc(1, MIB));
    file_fail_after(0);
    assert_true(is_filled(block, MIB, 5));
    mem_free(block);
    assert_int_equal(mem_spill_beyond(0, "/nonexistent"), 0);
    assert_null(mem_alloc(MIB));
    assert_non_null(strstr(err_message(), "'/nonexistent': No such file"));
    mem_spill_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_go_where_there_is_room),
        cmocka_unit_test(a_second_limit_begins_anew),
        cmocka_unit_test(many_blocks_grow),
        cmocka_unit_test(threads_do_not_disturb_each_other),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
