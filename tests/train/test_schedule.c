/* Schedules against transformers.get_scheduler (5.23.0, base rate 1.0). */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "train/schedule.h"

static const struct {
    const char *name;
    int64_t step, warmup, total;
    double factor;
} reference[] = {
    {"linear", 0, 0, 7, 1},
    {"linear", 1, 0, 7, 0.8571428571428571},
    {"linear", 2, 0, 7, 0.7142857142857143},
    {"linear", 3, 0, 7, 0.5714285714285714},
    {"linear", 5, 0, 7, 0.2857142857142857},
    {"linear", 6, 0, 7, 0.14285714285714285},
    {"linear", 0, 3, 10, 0},
    {"linear", 1, 3, 10, 0.33333333333333331},
    {"linear", 2, 3, 10, 0.66666666666666663},
    {"linear", 3, 3, 10, 1},
    {"linear", 5, 3, 10, 0.7142857142857143},
    {"linear", 8, 3, 10, 0.2857142857142857},
    {"linear", 9, 3, 10, 0.14285714285714285},
    {"linear", 0, 10, 10, 0},
    {"linear", 1, 10, 10, 0.10000000000000001},
    {"linear", 2, 10, 10, 0.20000000000000001},
    {"linear", 3, 10, 10, 0.29999999999999999},
    {"linear", 5, 10, 10, 0.5},
    {"linear", 8, 10, 10, 0.80000000000000004},
    {"linear", 9, 10, 10, 0.90000000000000002},
    {"linear", 0, 83, 1374, 0},
    {"linear", 1, 83, 1374, 0.012048192771084338},
    {"linear", 2, 83, 1374, 0.024096385542168676},
    {"linear", 3, 83, 1374, 0.03614457831325301},
    {"linear", 5, 83, 1374, 0.060240963855421686},
    {"linear", 687, 83, 1374, 0.5321456235476375},
    {"linear", 1372, 83, 1374, 0.0015491866769945779},
    {"linear", 1373, 83, 1374, 0.00077459333849728897},
    {"cosine", 0, 0, 7, 1},
    {"cosine", 1, 0, 7, 0.95048443395120952},
    {"cosine", 2, 0, 7, 0.8117449009293668},
    {"cosine", 3, 0, 7, 0.61126046697815717},
    {"cosine", 5, 0, 7, 0.18825509907063326},
    {"cosine", 6, 0, 7, 0.049515566048790483},
    {"cosine", 0, 3, 10, 0},
    {"cosine", 1, 3, 10, 0.33333333333333331},
    {"cosine", 2, 3, 10, 0.66666666666666663},
    {"cosine", 3, 3, 10, 1},
    {"cosine", 5, 3, 10, 0.8117449009293668},
    {"cosine", 8, 3, 10, 0.18825509907063326},
    {"cosine", 9, 3, 10, 0.049515566048790483},
    {"cosine", 0, 10, 10, 0},
    {"cosine", 1, 10, 10, 0.10000000000000001},
    {"cosine", 2, 10, 10, 0.20000000000000001},
    {"cosine", 3, 10, 10, 0.29999999999999999},
    {"cosine", 5, 10, 10, 0.5},
    {"cosine", 8, 10, 10, 0.80000000000000004},
    {"cosine", 9, 10, 10, 0.90000000000000002},
    {"cosine", 0, 83, 1374, 0},
    {"cosine", 1, 83, 1374, 0.012048192771084338},
    {"cosine", 2, 83, 1374, 0.024096385542168676},
    {"cosine", 3, 83, 1374, 0.03614457831325301},
    {"cosine", 5, 83, 1374, 0.060240963855421686},
    {"cosine", 687, 83, 1374, 0.55040844217075546},
    {"cosine", 1372, 83, 1374, 5.9217000250577634e-06},
    {"cosine", 1373, 83, 1374, 1.480427197941836e-06},
    {"constant", 0, 0, 7, 1},
    {"constant", 1, 0, 7, 1},
    {"constant", 2, 0, 7, 1},
    {"constant", 3, 0, 7, 1},
    {"constant", 5, 0, 7, 1},
    {"constant", 6, 0, 7, 1},
    {"constant", 0, 3, 10, 1},
    {"constant", 1, 3, 10, 1},
    {"constant", 2, 3, 10, 1},
    {"constant", 3, 3, 10, 1},
    {"constant", 5, 3, 10, 1},
    {"constant", 8, 3, 10, 1},
    {"constant", 9, 3, 10, 1},
    {"constant", 0, 10, 10, 1},
    {"constant", 1, 10, 10, 1},
    {"constant", 2, 10, 10, 1},
    {"constant", 3, 10, 10, 1},
    {"constant", 5, 10, 10, 1},
    {"constant", 8, 10, 10, 1},
    {"constant", 9, 10, 10, 1},
    {"constant", 0, 83, 1374, 1},
    {"constant", 1, 83, 1374, 1},
    {"constant", 2, 83, 1374, 1},
    {"constant", 3, 83, 1374, 1},
    {"constant", 5, 83, 1374, 1},
    {"constant", 687, 83, 1374, 1},
    {"constant", 1372, 83, 1374, 1},
    {"constant", 1373, 83, 1374, 1},
    {"constant_with_warmup", 0, 0, 7, 1},
    {"constant_with_warmup", 1, 0, 7, 1},
    {"constant_with_warmup", 2, 0, 7, 1},
    {"constant_with_warmup", 3, 0, 7, 1},
    {"constant_with_warmup", 5, 0, 7, 1},
    {"constant_with_warmup", 6, 0, 7, 1},
    {"constant_with_warmup", 0, 3, 10, 0},
    {"constant_with_warmup", 1, 3, 10, 0.33333333333333331},
    {"constant_with_warmup", 2, 3, 10, 0.66666666666666663},
    {"constant_with_warmup", 3, 3, 10, 1},
    {"constant_with_warmup", 5, 3, 10, 1},
    {"constant_with_warmup", 8, 3, 10, 1},
    {"constant_with_warmup", 9, 3, 10, 1},
    {"constant_with_warmup", 0, 10, 10, 0},
    {"constant_with_warmup", 1, 10, 10, 0.10000000000000001},
    {"constant_with_warmup", 2, 10, 10, 0.20000000000000001},
    {"constant_with_warmup", 3, 10, 10, 0.29999999999999999},
    {"constant_with_warmup", 5, 10, 10, 0.5},
    {"constant_with_warmup", 8, 10, 10, 0.80000000000000004},
    {"constant_with_warmup", 9, 10, 10, 0.90000000000000002},
    {"constant_with_warmup", 0, 83, 1374, 0},
    {"constant_with_warmup", 1, 83, 1374, 0.012048192771084338},
    {"constant_with_warmup", 2, 83, 1374, 0.024096385542168676},
    {"constant_with_warmup", 3, 83, 1374, 0.03614457831325301},
    {"constant_with_warmup", 5, 83, 1374, 0.060240963855421686},
    {"constant_with_warmup", 687, 83, 1374, 1},
    {"constant_with_warmup", 1372, 83, 1374, 1},
    {"constant_with_warmup", 1373, 83, 1374, 1},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof reference / sizeof reference[0]; i++) {
        const struct schedule *s = schedule_find(reference[i].name);
        assert_non_null(s);
        double factor = s->factor(reference[i].step, reference[i].warmup, reference[i].total);
        if (fabs(factor - reference[i].factor) > 1e-12)
            fail_msg("%s at %d: %.17g, expected %.17g", s->name, (int)reference[i].step, factor, reference[i].factor);
    }
}

/* Every row of the table has its reference values. */
static void test_table(void **state)
{
    (void)state;
    for (int i = 0; i < schedule_count; i++) {
        size_t values = 0;
        for (size_t j = 0; j < sizeof reference / sizeof reference[0]; j++)
            values += strcmp(reference[j].name, schedule_table[i].name) == 0;
        assert_true(values > 0);
    }
    assert_null(schedule_find("none"));
}

/* transformers' get_warmup_steps: a share below 1 is rounded up. */
static void test_warmup(void **state)
{
    (void)state;
    assert_int_equal(schedule_warmup(0, 100), 0);
    assert_int_equal(schedule_warmup(0.06, 1374), 83);
    assert_int_equal(schedule_warmup(1, 100), 1);
    assert_int_equal(schedule_warmup(500, 100), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_warmup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
