#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/rng.h"

/* Source: kat_vectors of Random123 1.14, lines "philox4x32 10". */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], out[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        rng_philox4x32(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].out, sizeof out);
    }
}

static void a_position_is_all_the_state(void **state)
{
    (void)state;
    struct rng all;
    uint32_t drawn[64];
    rng_init(&all, 42, RNG_STREAM_SHUFFLE, 3);
    for (int i = 0; i < 64; i++)
        drawn[i] = rng_next_u32(&all);
    for (uint64_t start = 0; start < 64; start++) {
        struct rng resumed;
        rng_init(&resumed, 42, RNG_STREAM_SHUFFLE, 3);
        resumed.position = start;
        for (uint64_t i = start; i < 64; i++)
            assert_int_equal(rng_next_u32(&resumed), drawn[i]);
    }
}

static void streams_differ(void **state)
{
    (void)state;
    struct rng a, b, c, d;
    rng_init(&a, 42, RNG_STREAM_SHUFFLE, 0);
    rng_init(&b, 42, RNG_STREAM_INIT, 0);
    rng_init(&c, 42, RNG_STREAM_SHUFFLE, 1);
    rng_init(&d, (uint64_t)42 << 32, RNG_STREAM_SHUFFLE, 0);
    uint32_t first = rng_next_u32(&a);
    assert_int_not_equal(first, rng_next_u32(&b));
    assert_int_not_equal(first, rng_next_u32(&c));
    assert_int_not_equal(first, rng_next_u32(&d));
}

/* Chi-square over the cells stays below the 0.999 quantile (fixed seed: it cannot flicker). */
static void below_is_uniform(void **state)
{
    (void)state;
    enum { CELLS = 11, DRAWS = 110000 };
    struct rng r;
    int counts[CELLS] = {0};
    rng_init(&r, 7, RNG_STREAM_SAMPLE, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint64_t value = rng_below(&r, CELLS);
        assert_true(value < CELLS);
        counts[value]++;
    }
    double chi2 = 0, expected = (double)DRAWS / CELLS;
    for (int i = 0; i < CELLS; i++)
        chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
    assert_true(chi2 < 29.59); /* 10 degrees of freedom */
    assert_int_equal(rng_below(&r, 1), 0);
    assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void moments(void **state)
{
    (void)state;
    enum { DRAWS = 200000 };
    struct rng r;
    double sum_u = 0, sum_n = 0, sum_n2 = 0, sum_n4 = 0;
    rng_init(&r, 1, RNG_STREAM_INIT, 0);
    for (int i = 0; i < DRAWS; i++) {
        double u = rng_uniform(&r), n = rng_normal(&r);
        assert_true(u >= 0 && u < 1 && isfinite(n));
        sum_u += u;
        sum_n += n;
        sum_n2 += n * n;
        sum_n4 += n * n * n * n;
    }
    assert_true(fabs(sum_u / DRAWS - 0.5) < 4 * sqrt(1.0 / 12 / DRAWS));
    assert_true(fabs(sum_n / DRAWS) < 4 * sqrt(1.0 / DRAWS));
    assert_true(fabs(sum_n2 / DRAWS - 1) < 4 * sqrt(2.0 / DRAWS));
    assert_true(fabs(sum_n4 / DRAWS - 3) < 4 * sqrt(96.0 / DRAWS));
}

static void shuffling(void **state)
{
    (void)state;
    enum { COUNT = 5, ROUNDS = 120000 };
    int seen[COUNT][COUNT] = {{0}};
    struct rng r;
    rng_init(&r, 5, RNG_STREAM_SHUFFLE, 0);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t values[COUNT] = {0, 1, 2, 3, 4}, mask = 0;
        rng_shuffle_u32(&r, values, COUNT);
        for (int i = 0; i < COUNT; i++) {
            mask |= 1u << values[i];
            seen[i][values[i]]++;
        }
        assert_int_equal(mask, 31);
    }
    double expected = (double)ROUNDS / COUNT;
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            assert_true(fabs(seen[i][j] - expected) < 4 * sqrt(expected));
    rng_shuffle_u32(&r, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),  cmocka_unit_test(a_position_is_all_the_state),
        cmocka_unit_test(streams_differ), cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(moments),        cmocka_unit_test(shuffling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
