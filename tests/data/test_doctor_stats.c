/* Figures of the doctor: lengths, distinct values, drift, folded texts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/rng.h"
#include "data/doctor_internal.h"

static int compare_lengths(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return a < b ? -1 : a > b;
}

/* Against sorting: exact below 2048, within one bucket (1/64) above. */
static void quantiles(void **state)
{
    enum { COUNT = 20000 };
    static uint64_t lengths[COUNT];
    struct doctor_lengths *all = calloc(1, sizeof *all), *half = calloc(1, sizeof *half);
    struct rng rng;

    (void)state;
    assert_non_null(all);
    assert_non_null(half);
    rng_init(&rng, 3, RNG_STREAM_SAMPLE, 0);
    for (size_t i = 0; i < COUNT; i++) {
        lengths[i] = (uint64_t)exp(12.0 * rng_uniform(&rng));
        doctor_lengths_add(i % 2 ? all : half, lengths[i]);
    }
    doctor_lengths_merge(all, half);
    qsort(lengths, COUNT, sizeof *lengths, compare_lengths);
    assert_int_equal(all->count, COUNT);
    assert_int_equal(all->longest, lengths[COUNT - 1]);
    for (int percent = 1; percent < 100; percent++) {
        uint64_t want = lengths[(size_t)ceil(COUNT * percent / 100.0) - 1];
        uint64_t got = doctor_lengths_quantile(all, percent / 100.0);
        if (want < DOCTOR_EXACT_LENGTHS)
            assert_int_equal(got, want);
        else
            assert_in_range(got, want - want / 64, want);
    }
    assert_int_equal(doctor_lengths_quantile(all, 1.0), lengths[COUNT - 1]);
    for (size_t i = 1; i < DOCTOR_LENGTH_BUCKETS; i++)
        assert_true(doctor_lengths_bucket_start(i) > doctor_lengths_bucket_start(i - 1));
    free(all);
    free(half);
}

static void no_lengths(void **state)
{
    struct doctor_lengths *none = calloc(1, sizeof *none);

    (void)state;
    assert_non_null(none);
    assert_int_equal(doctor_lengths_quantile(none, 0.5), 0);
    free(none);
}

/* Three standard errors of 1.6 %. */
static void distinct_values(void **state)
{
    static const size_t counts[] = {0, 1, 10, 1000, 5000, 20000, 1000000};

    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        static _Atomic uint8_t registers[DOCTOR_REGISTERS];
        memset((void *)registers, 0, sizeof registers);
        for (int twice = 0; twice < 2; twice++) {
            for (uint64_t i = 0; i < counts[c]; i++)
                doctor_distinct_add(registers, hash_u64(&i, sizeof i, 0));
        }
        assert_true(fabs(doctor_distinct_estimate(registers) - (double)counts[c]) <= 0.05 * (double)counts[c]);
    }
}

/* Reference: scipy.stats.chi2.sf. */
static void chi_square(void **state)
{
    static const double cases[][3] = {{0.5, 1, 0.47950012218695337},    {3.84, 1, 0.05004352124870519},
                                      {10, 3, 0.01856613546304325},     {40, 3, 1.065509033425585e-08},
                                      {200, 50, 7.857610724654791e-20}, {0.001, 2, 0.9995001249791693},
                                      {30.1, 20, 0.06824942499560992},  {0, 3, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got = doctor_chi_square_tail(cases[i][0], cases[i][1]);
        assert_true(fabs(got - cases[i][2]) <= 1e-9 * cases[i][2]);
    }
}

/* Reference: scipy.stats.chi2_contingency without correction. */
static void drift(void **state)
{
    const uint64_t left[] = {100, 200, 50}, right[] = {80, 260, 90}, none[] = {0, 0, 0}, twice[] = {200, 400, 100};
    struct doctor_drift d;

    (void)state;
    doctor_drift(&d, left, right, 3);
    assert_true(fabs(d.chi_square - 13.412847444336677) < 1e-9);
    assert_true(fabs(d.p - 0.0012230302086060942) < 1e-12);
    assert_int_equal(d.degrees, 2);
    assert_true(fabs(d.total_variation - (100.0 / 350 - 80.0 / 430)) < 1e-12);
    doctor_drift(&d, left, twice, 3);
    assert_true(d.total_variation < 1e-12 && d.p > 0.999999);
    doctor_drift(&d, left, none, 3);
    assert_true(d.total_variation == 0.0 && d.p == 1.0);
}

static void folding(void **state)
{
    static const char *const cases[][2] = {{"  Red\t\nSHOES  ", "red shoes"},
                                           {"", ""},
                                           {"   ", ""},
                                           {"ÉTÉ\xC2\xA0 Ж", "été ж"},
                                           {"a\xFFz", "a\xEF\xBF\xBDz"},
                                           {"A", "a"},
                                           {"İstanbul", "istanbul"}};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&b);
        assert_int_equal(doctor_fold(&b, cases[i][0], strlen(cases[i][0])), 0);
        assert_string_equal(buf_str(&b), cases[i][1]);
    }
    buf_release(&b);
}

static void excerpts(void **state)
{
    struct buf b = {0};
    char longer[400];

    (void)state;
    assert_int_equal(doctor_excerpt(&b, " a \n b\x01\xC2\xAD ", 9, 0, 20), 0);
    assert_string_equal(buf_str(&b), "a b<U+0001><U+00AD>");
    memset(longer, 'x', sizeof longer);
    memcpy(longer + 200, "NEEDLE", 6);
    buf_clear(&b);
    assert_int_equal(doctor_excerpt(&b, longer, sizeof longer, 200, 30), 0);
    assert_non_null(strstr(buf_str(&b), "NEEDLE"));
    assert_int_equal(b.length, 36); /* 30 and twice three dots */
    buf_release(&b);
}

static void blanks_are_shown(void **state)
{
    struct buf b = {0};
    size_t at;

    (void)state;
    assert_int_equal(doctor_show_blanks(&b, "a b  c\n\xE3\x80\x80 d ", 13, &at), 0);
    assert_string_equal(buf_str(&b), "a b \xE2\x90\xA3"
                                     "c\\n<U+3000>\xE2\x90\xA3"
                                     "d\xE2\x90\xA3");
    assert_int_equal(at, 4);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles),       cmocka_unit_test(no_lengths),
        cmocka_unit_test(distinct_values), cmocka_unit_test(chi_square),
        cmocka_unit_test(drift),           cmocka_unit_test(folding),
        cmocka_unit_test(excerpts),        cmocka_unit_test(blanks_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
