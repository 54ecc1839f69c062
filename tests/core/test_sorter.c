/* The external sorter: order, stability, spilling and merging in levels give the same as sorting in memory; failures.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/sorter.h"
#include "core/temp_file.h"
#include "scratch.h"

enum { MIB = 1024 * 1024 };

struct made { /* a record as it was added */
    unsigned char key[40];
    size_t key_length;
    uint32_t number;
};

static int compare_made(const void *left, const void *right)
{
    const struct made *a = left, *b = right;
    size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = memcmp(a->key, b->key, shorter);

    if (order != 0)
        return order;
    if (a->key_length != b->key_length)
        return a->key_length < b->key_length ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

/* Few letters and many lengths: many equal keys, prefixes of each other, zeros at ends. */
static void make(struct made *m, size_t count, uint64_t seed)
{
    struct rng rng;

    rng_init(&rng, seed, RNG_STREAM_SAMPLE, 0);
    for (size_t i = 0; i < count; i++) {
        m[i].number = (uint32_t)i;
        m[i].key_length = (size_t)rng_below(&rng, rng_below(&rng, 4) == 0 ? 20 : 10);
        for (size_t k = 0; k < m[i].key_length; k++)
            m[i].key[k] = (unsigned char)(k < 6 && rng_below(&rng, 2) == 0 ? 'a' : rng_below(&rng, 3) * 127);
    }
}

static size_t value_bytes(uint32_t number, size_t most)
{
    return number % 100 == 7 ? most : number % 9;
}

/* Every record comes back whole and in order, twice. */
static void check(struct sorter *s, const struct made *expected, size_t count, size_t most)
{
    const struct sorter_record *record;

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            uint32_t number;
            assert_int_equal(sorter_next(s, &record), 0);
            assert_non_null(record);
            assert_int_equal(record->key_length, expected[i].key_length);
            assert_memory_equal(record->key, expected[i].key, expected[i].key_length);
            assert_int_equal(record->value_length, sizeof number + value_bytes(expected[i].number, most));
            memcpy(&number, record->value, sizeof number);
            assert_int_equal(number, expected[i].number);
            for (size_t k = sizeof number; k < record->value_length; k += 97)
                assert_int_equal(record->value[k], (unsigned char)number);
        }
        assert_int_equal(sorter_next(s, &record), 0);
        assert_null(record);
        assert_int_equal(sorter_next(s, &record), 0);
        assert_null(record);
        assert_int_equal(sorter_rewind(s), 0);
    }
}

static void compare(size_t count, size_t max_bytes, size_t most, bool spills)
{
    struct made *m = mem_calloc(count, sizeof *m);
    unsigned char *value = mem_alloc(sizeof(uint32_t) + most + 16);
    struct sorter *s = NULL;

    assert_non_null(m);
    assert_non_null(value);
    make(m, count, count);
    assert_int_equal(sorter_new(&s, ".", max_bytes), 0);
    for (size_t i = 0; i < count; i++) {
        size_t extra = value_bytes(m[i].number, most);
        memcpy(value, &m[i].number, sizeof m[i].number);
        memset(value + sizeof m[i].number, (int)(m[i].number & 255), extra);
        assert_int_equal(sorter_add(s, m[i].key, m[i].key_length, value, sizeof m[i].number + extra), 0);
    }
    assert_int_equal(sorter_count(s), count);
    assert_int_equal(sorter_sort(s), 0);
    assert_int_equal(sorter_spilled_bytes(s) > 0, spills);
    qsort(m, count, sizeof *m, compare_made);
    check(s, m, count, most);
    sorter_free(s);
    assert_int_equal(scratch_count("."), 0);
    mem_free(value);
    mem_free(m);
}

static void test_in_memory(void **state)
{
    (void)state;
    compare(0, MIB, 0, false);
    compare(1, MIB, 0, false);
    compare(2, MIB, 5, false);
    compare(20000, 64 * MIB, 300, false);
}

static void test_spilled(void **state)
{
    (void)state;
    compare(100000, MIB, 300, true);
    compare(100000, 3 * MIB, 0, true);
}

/* 80 MiB in runs of less than 1 MiB: more runs than are merged at once. */
static void test_levels(void **state)
{
    (void)state;
    compare(40000, MIB, 200 * 1024, true);
}

/* A record larger than all the memory is taken all the same. */
static void test_huge_record(void **state)
{
    (void)state;
    compare(1000, MIB, 5 * MIB, true);
}

static void test_numbers(void **state)
{
    static const uint64_t numbers[] = {1, 256, 0, UINT64_MAX, 255, 1ull << 63, 65536};
    static const uint64_t sorted[] = {0, 1, 255, 256, 65536, 1ull << 63, UINT64_MAX};
    const struct sorter_record *record;
    struct sorter *s = NULL;
    unsigned char key[8];

    (void)state;
    assert_int_equal(sorter_new(&s, NULL, 0), 0);
    for (size_t i = 0; i < 7; i++) {
        sorter_u64(key, numbers[i]);
        assert_int_equal(sorter_add(s, key, sizeof key, NULL, 0), 0);
    }
    assert_int_equal(sorter_sort(s), 0);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(sorter_next(s, &record), 0);
        assert_int_equal(sorter_get_u64(record->key), sorted[i]);
        assert_int_equal(record->value_length, 0);
    }
    sorter_free(s);
    sorter_free(NULL);
}

static int small_sort(void)
{
    struct sorter *s = NULL;
    const struct sorter_record *record;
    unsigned char value[20 * 1024] = {0}, key[8];
    int rc = sorter_new(&s, ".", MIB);

    for (uint64_t i = 0; rc == 0 && i < 120; i++) {
        sorter_u64(key, hash_u64(&i, sizeof i, 0));
        rc = sorter_add(s, key, sizeof key, value, sizeof value);
    }
    if (rc == 0)
        rc = sorter_sort(s);
    while (rc == 0 && (rc = sorter_next(s, &record)) == 0 && record != NULL)
        ;
    sorter_free(s);
    return rc;
}

static void torture(void (*fail_after)(long), int code)
{
    bool finished = false;

    for (long n = 1; !finished; n++) {
        err_clear();
        fail_after(n);
        int rc = small_sort();
        fail_after(0);
        assert_true(rc == 0 || rc == code);
        assert_true(rc == 0 || strlen(err_message()) > 0);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

static void test_torture(void **state)
{
    (void)state;
    torture(mem_fail_after, RECO_E_NOMEM);
    torture(file_fail_after, RECO_E_IO);
}

static void test_no_directory(void **state)
{
    struct temp_file *t = NULL;

    (void)state;
    assert_int_equal(temp_file_open(&t, "/nonexistent"), RECO_E_IO);
    assert_string_equal(err_message(), "cannot make a temporary file in '/nonexistent': No such file or directory");
}

static void test_temp_file(void **state)
{
    struct temp_file *t = NULL;
    struct temp_reader r = {.window_bytes = 100};
    const unsigned char *bytes;
    unsigned char block[1000];

    (void)state;
    assert_int_equal(temp_file_open(&t, "."), 0);
    for (int i = 0; i < 1000; i++) {
        memset(block, i & 255, sizeof block);
        assert_int_equal(temp_file_write(t, block, sizeof block), 0);
    }
    assert_int_equal(temp_file_bytes(t), 1000000);
    assert_int_equal(temp_file_flush(t), 0);
    assert_int_equal(temp_file_read(t, 500 * 1000 - 1, block, 2), 0);
    assert_int_equal(block[0], 499 & 255);
    assert_int_equal(block[1], 500 & 255);
    r.file = t;
    r.end = temp_file_bytes(t);
    for (size_t at = 0, step = 1; at < 1000000; step = step * 3 % 1009 + 1) {
        size_t length = 1000000 - at < step ? 1000000 - at : step;
        assert_false(temp_reader_at_end(&r));
        assert_int_equal(temp_reader_get(&r, length, &bytes), 0);
        assert_int_equal(bytes[0], (at / 1000) & 255);
        assert_int_equal(bytes[length - 1], ((at + length - 1) / 1000) & 255);
        at += length;
    }
    assert_true(temp_reader_at_end(&r));
    assert_int_equal(temp_reader_get(&r, 1, &bytes), RECO_E_INTERNAL);
    temp_reader_release(&r);
    temp_file_close(t);
    temp_file_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory),    cmocka_unit_test(test_spilled),   cmocka_unit_test(test_levels),
        cmocka_unit_test(test_huge_record),  cmocka_unit_test(test_numbers),   cmocka_unit_test(test_torture),
        cmocka_unit_test(test_no_directory), cmocka_unit_test(test_temp_file),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
