/* Paired tests and distribution functions against scipy (tests/reference/stats/paired.json). */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "eval/paired.h"
#include "eval/paired_distribution.h"

#define TOLERANCE 1e-9

static json_t *reference(void)
{
    json_t *json = json_load_file(RECO_SOURCE_DIR "/tests/reference/stats/paired.json", 0, NULL);
    assert_non_null(json);
    return json;
}

static void check(const char *name, const char *what, double ours, const json_t *theirs)
{
    if (!theirs || json_is_null(theirs)) {
        if (!isnan(ours)) {
            fail_msg("%s: %s is %.17g, should be undefined", name, what, ours);
        }
        return;
    }
    double reference_value = json_number_value(theirs);
    if (!(fabs(ours - reference_value) <= TOLERANCE * fmax(1, fabs(reference_value)))) {
        fail_msg("%s: %s %.17g, reference %.17g", name, what, ours, reference_value);
    }
}

static void agrees_with_scipy(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *item;
    size_t i;
    struct pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 2), 0);
    assert_true(json_array_size(json_object_get(json, "cases")) >= 12);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        json_t *array = json_object_get(item, "differences");
        size_t count = json_array_size(array);
        double *d = mem_calloc(count, sizeof *d);
        for (size_t k = 0; k < count; k++) {
            d[k] = json_number_value(json_array_get(array, k));
        }
        uint64_t seed = strtoull(json_string_value(json_object_get(item, "seed")), NULL, 10);
        size_t samples = (size_t)json_integer_value(json_object_get(item, "samples"));
        struct paired_test test;
        struct paired_summary summary;
        assert_int_equal(paired_randomisation(&test, d, count, samples, seed, pool), 0);
        check(name, "randomisation", test.p, json_object_get(item, "randomisation"));
        paired_t(&test, d, count);
        check(name, "t", test.p, json_object_get(item, "t"));
        assert_true(isnan(test.p) == (test.reason != NULL));
        assert_int_equal(paired_wilcoxon(&test, d, count), 0);
        check(name, "wilcoxon", test.p, json_object_get(item, "wilcoxon"));
        paired_summarise(&summary, d, count, 1);
        check(name, "mean", summary.mean, json_object_get(item, "mean"));
        check(name, "sd", summary.sd, json_object_get(item, "sd"));
        check(name, "effect", summary.effect, json_object_get(item, "effect"));
        assert_int_equal(summary.wins + summary.losses + summary.ties, count);
        if (json_object_get(item, "needed")) {
            double exact = json_number_value(json_object_get(item, "needed"));
            assert_true(fabs(paired_queries_needed(summary.mean, summary.sd, 0.05, 0.8) - exact) < 0.3);
        }
        mem_free(d);
    }
    pool_free(pool);
    json_decref(json);
}

static void distributions_agree_with_scipy(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *distributions = json_object_get(json, "distributions");
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(distributions, "normal_quantile"), i, row)
    {
        check("normal_quantile", "z", normal_quantile(json_number_value(json_array_get(row, 0))),
              json_array_get(row, 1));
    }
    json_array_foreach(json_object_get(distributions, "normal_cdf"), i, row)
    {
        check("normal_cdf", "p", normal_cdf(json_number_value(json_array_get(row, 0))), json_array_get(row, 1));
    }
    json_array_foreach(json_object_get(distributions, "student"), i, row)
    {
        check("student", "p",
              student_two_sided(json_number_value(json_array_get(row, 0)), json_number_value(json_array_get(row, 1))),
              json_array_get(row, 2));
    }
    json_array_foreach(json_object_get(distributions, "student_quantile"), i, row)
    {
        check("student_quantile", "t",
              student_quantile_two_sided(json_number_value(json_array_get(row, 0)),
                                         json_number_value(json_array_get(row, 1))),
              json_array_get(row, 2));
    }
    assert_true(normal_quantile(0) == -INFINITY && normal_quantile(1) == INFINITY);
    assert_true(student_two_sided(INFINITY, 5) == 0);
    json_decref(json);
}

static void holm_agrees(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *holm = json_object_get(json, "holm");
    double p[9] = {NAN};
    double share[9];
    size_t count = json_array_size(json_object_get(holm, "p"));
    assert_true(count + 2 <= 9);
    for (size_t i = 0; i < count; i++) {
        p[i + 1] = json_number_value(json_array_get(json_object_get(holm, "p"), i));
    }
    p[count + 1] = NAN;
    assert_int_equal(paired_holm(p, share, count + 2), 0);
    assert_true(isnan(p[0]) && isnan(p[count + 1]) && isnan(share[0]));
    for (size_t i = 0; i < count; i++) {
        check("holm", "p", p[i + 1], json_array_get(json_object_get(holm, "adjusted"), i));
        check("holm", "share", share[i + 1], json_array_get(json_object_get(holm, "share"), i));
    }
    json_decref(json);
}

static void sampling_does_not_depend_on_threads(void **state)
{
    (void)state;
    double d[300];
    double p[2];
    for (size_t i = 0; i < 300; i++) {
        d[i] = sin((double)i) + 0.05;
    }
    for (int threads = 1; threads <= 2; threads++) {
        struct pool *pool = NULL;
        struct paired_test test;
        assert_int_equal(pool_new(&pool, threads), 0);
        assert_int_equal(paired_randomisation(&test, d, 300, 1000, 9, pool), 0);
        assert_false(test.exact);
        p[threads - 1] = test.p;
        pool_free(pool);
    }
    assert_true(p[0] == p[1]);
}

static void bootstrap_counts_what_is_as_far(void **state)
{
    (void)state;
    const double replicates[] = {0.1, 0.2, 0.3, NAN, 0.41, -0.01};
    struct paired_test test;
    paired_bootstrap(&test, replicates, 6, 0.2);
    assert_true(fabs(test.p - (1 + 2) / (1 + 5.0)) < 1e-15); /* 0.41 and -0.01 are 0.2 or more away */
    paired_bootstrap(&test, replicates + 3, 1, 0.2);
    assert_true(isnan(test.p) && test.reason);
}

static void lower_is_better_turns_wins(void **state)
{
    (void)state;
    const double d[] = {-1, -2, 3, 0};
    struct paired_summary s;
    paired_summarise(&s, d, 4, -1);
    assert_int_equal(s.wins, 2);
    assert_int_equal(s.losses, 1);
    assert_int_equal(s.ties, 1);
    assert_true(isinf(paired_queries_needed(0, 1, 0.05, 0.8)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scipy),
        cmocka_unit_test(distributions_agree_with_scipy),
        cmocka_unit_test(holm_agrees),
        cmocka_unit_test(sampling_does_not_depend_on_threads),
        cmocka_unit_test(bootstrap_counts_what_is_as_far),
        cmocka_unit_test(lower_is_better_turns_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
