/* Intervals against scipy with the very same resamples (tests/reference/stats/bootstrap.json), their coverage by
 * simulation, and that threads change nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "eval/bootstrap.h"

#define TOLERANCE 1e-9

struct sample {
    const double *values; /* [count] one figure: their mean */
    size_t count;
};

static int weighted_mean(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct sample *s = arg;
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        double total = 0;
        for (size_t c = 0; c < s->count; c++) {
            double w = weights[i * s->count + c];
            sum += w * s->values[c];
            total += w;
        }
        out[i] = sum / total;
    }
    return 0;
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
    }
    return sum / (double)count;
}

static void resample(struct bootstrap *b, const struct bootstrap_options *options, const double *values, size_t count,
                     int threads)
{
    struct pool *pool = NULL;
    struct sample s = {values, count};
    assert_int_equal(pool_new(&pool, threads), 0);
    assert_int_equal(bootstrap_run(b, options, count, 1, weighted_mean, &s, pool), 0);
    pool_free(pool);
}

static void agrees_with_scipy(void **state)
{
    (void)state;
    json_t *json = json_load_file(RECO_SOURCE_DIR "/tests/reference/stats/bootstrap.json", 0, NULL);
    json_t *item;
    json_t *expected;
    size_t i;
    size_t j;
    assert_true(json_array_size(json_object_get(json, "cases")) >= 5);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        json_t *array = json_object_get(item, "values");
        size_t count = json_array_size(array);
        double *values = mem_calloc(count, sizeof *values);
        for (size_t k = 0; k < count; k++) {
            values[k] = json_number_value(json_array_get(array, k));
        }
        json_array_foreach(json_object_get(item, "intervals"), j, expected)
        {
            struct bootstrap b;
            struct interval interval;
            struct bootstrap_options options;
            bootstrap_options_init(&options);
            options.seed = strtoull(json_string_value(json_object_get(item, "seed")), NULL, 10);
            options.resamples = (size_t)json_integer_value(json_object_get(item, "resamples"));
            options.groups = count; /* as scipy: each left out */
            options.level = json_number_value(json_object_get(expected, "level"));
            options.method = strcmp(json_string_value(json_object_get(expected, "method")), "bca")
                                 ? BOOTSTRAP_PERCENTILE
                                 : BOOTSTRAP_BCA;
            resample(&b, &options, values, count, 2);
            assert_int_equal(bootstrap_interval(&interval, &b, &options, 0, mean_of(values, count)), 0);
            assert_null(interval.reason);
            assert_int_equal(interval.undefined, 0);
            const double ours[] = {interval.low, interval.high, interval.se};
            static const char *const names[] = {"low", "high", "se"};
            for (int k = 0; k < 3; k++) {
                double theirs = json_number_value(json_object_get(expected, names[k]));
                if (!(fabs(ours[k] - theirs) <= TOLERANCE)) {
                    fail_msg("%s %s: %s %.17g, scipy %.17g", json_string_value(json_object_get(item, "name")),
                             json_string_value(json_object_get(expected, "method")), names[k], ours[k], theirs);
                }
            }
            bootstrap_release(&b);
        }
        mem_free(values);
    }
    json_decref(json);
}

static void is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    double values[700];
    for (size_t i = 0; i < 700; i++) {
        values[i] = sin((double)i);
    }
    struct bootstrap_options options;
    bootstrap_options_init(&options);
    options.resamples = 203;
    struct bootstrap one;
    struct bootstrap three;
    resample(&one, &options, values, 700, 1);
    resample(&three, &options, values, 700, 3);
    assert_int_equal(one.groups, 200);
    assert_memory_equal(one.replicates, three.replicates, 203 * sizeof(double));
    assert_memory_equal(one.jackknife, three.jackknife, 200 * sizeof(double));
    bootstrap_release(&one);
    bootstrap_release(&three);
}

/* A skewed variable of known mean: the share of intervals that hold it is near the level, and BCa is no worse. */
static void covers_the_truth(void **state)
{
    (void)state;
    enum { TRIALS = 400, ROWS = 60 };
    size_t held[2] = {0};
    struct rng r;
    rng_init(&r, 11, RNG_STREAM_SAMPLE, 0);
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double values[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            values[i] = -log(1 - rng_uniform(&r)); /* exponential, mean 1 */
        }
        for (int method = 0; method < 2; method++) {
            struct bootstrap_options options;
            bootstrap_options_init(&options);
            options.level = 0.9;
            options.resamples = 400;
            options.seed = trial;
            options.method = method ? BOOTSTRAP_BCA : BOOTSTRAP_PERCENTILE;
            struct bootstrap b;
            struct interval interval;
            resample(&b, &options, values, ROWS, 1);
            assert_int_equal(bootstrap_interval(&interval, &b, &options, 0, mean_of(values, ROWS)), 0);
            held[method] += interval.low <= 1 && interval.high >= 1;
            bootstrap_release(&b);
        }
    }
    assert_in_range(held[0], (size_t)(0.85 * TRIALS), (size_t)(0.94 * TRIALS));
    assert_in_range(held[1], (size_t)(0.86 * TRIALS), (size_t)(0.94 * TRIALS));
}

/* The acceleration from groups is that from single clusters, up to noise. */
static void grouped_jackknife_is_near_the_whole_one(void **state)
{
    (void)state;
    enum { ROWS = 4000 };
    static double values[ROWS];
    struct rng r;
    rng_init(&r, 3, RNG_STREAM_SAMPLE, 1);
    for (size_t i = 0; i < ROWS; i++) {
        values[i] = rng_uniform(&r) < 0.02 ? 1 : 0;
    }
    struct interval intervals[2];
    for (int whole = 0; whole < 2; whole++) {
        struct bootstrap_options options;
        struct bootstrap b;
        bootstrap_options_init(&options);
        options.groups = whole ? ROWS : options.groups;
        resample(&b, &options, values, ROWS, 2);
        assert_int_equal(bootstrap_interval(&intervals[whole], &b, &options, 0, mean_of(values, ROWS)), 0);
        bootstrap_release(&b);
    }
    assert_true(fabs(intervals[0].low - intervals[1].low) < 0.1 * intervals[1].se);
    assert_true(fabs(intervals[0].high - intervals[1].high) < 0.1 * intervals[1].se);
}

/* The interval of a mean that Student gives, s / sqrt(n) around it; and why there is none. */
static void jackknife_of_a_mean_is_that_of_student(void **state)
{
    (void)state;
    enum { ROWS = 40 };
    double values[ROWS];
    double squares = 0;
    struct bootstrap_options options;
    struct bootstrap b;
    struct interval interval;
    bootstrap_options_init(&options);
    options.resamples = 0;
    for (size_t i = 0; i < ROWS; i++) {
        values[i] = sin((double)(i * i));
    }
    double mean = mean_of(values, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    double se = sqrt(squares / (ROWS - 1) / ROWS);
    resample(&b, &options, values, ROWS, 2);
    jackknife_interval(&interval, &b, &options, SIZE_MAX, 0, mean);
    assert_true(interval.jackknife && !interval.reason);
    assert_true(fabs(interval.se - se) < TOLERANCE);
    assert_true(fabs(interval.high - mean - 2.0226909200 * se) < TOLERANCE); /* t of 39 degrees of freedom */
    assert_true(fabs(interval.low - mean + 2.0226909200 * se) < TOLERANCE);
    jackknife_interval(&interval, &b, &options, 0, 0, 0);
    assert_true(interval.low == 0 && interval.high == 0);
    jackknife_interval(&interval, &b, &options, SIZE_MAX, 0, NAN);
    assert_string_equal(interval.reason, "the value is undefined");
    b.jackknife[3] = NAN;
    jackknife_interval(&interval, &b, &options, SIZE_MAX, 0, mean);
    assert_string_equal(interval.reason, "it is undefined without some of the units");
    bootstrap_release(&b);
}

enum { LISTS = 60, SHOWN = 5, ITEMS = 200 };

/* The share of the items that some list shows. */
static int weighted_coverage(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const size_t *items = arg; /* [LISTS, SHOWN] */
    for (size_t i = 0; i < count; i++) {
        bool shown[ITEMS] = {false};
        size_t different = 0;
        for (size_t at = 0; at < LISTS * SHOWN; at++) {
            if (weights[i * LISTS + at / SHOWN] && !shown[items[at]]) {
                shown[items[at]] = true;
                different++;
            }
        }
        out[i] = (double)different / ITEMS;
    }
    return 0;
}

/* What is counted once whatever its lists: the quantiles of resamples miss the truth, the jackknife holds it. */
static void jackknife_covers_what_is_counted_once(void **state)
{
    (void)state;
    enum { TRIALS = 300 };
    size_t held[2] = {0};
    double truth = 0;
    struct rng r;
    struct pool *pool = NULL;
    rng_init(&r, 17, RNG_STREAM_SAMPLE, 0);
    assert_int_equal(pool_new(&pool, 1), 0);
    for (size_t item = 0; item < ITEMS; item++) { /* item i is drawn with a chance of (2 i + 1) / ITEMS^2 */
        truth += 1 - pow(1 - (2 * (double)item + 1) / ITEMS / ITEMS, LISTS * SHOWN);
    }
    truth /= ITEMS;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        size_t items[LISTS * SHOWN];
        uint32_t ones[LISTS];
        double estimate;
        for (size_t i = 0; i < LISTS * SHOWN; i++) {
            items[i] = (size_t)(sqrt(rng_uniform(&r)) * ITEMS);
        }
        for (size_t i = 0; i < LISTS; i++) {
            ones[i] = 1;
        }
        struct bootstrap_options options;
        struct bootstrap b;
        struct interval intervals[2];
        bootstrap_options_init(&options);
        options.resamples = 300;
        options.seed = trial;
        assert_int_equal(weighted_coverage(items, 1, ones, &estimate), 0);
        assert_int_equal(bootstrap_run(&b, &options, LISTS, 1, weighted_coverage, items, pool), 0);
        assert_int_equal(bootstrap_interval(&intervals[0], &b, &options, 0, estimate), 0);
        jackknife_interval(&intervals[1], &b, &options, SIZE_MAX, 0, estimate);
        for (int method = 0; method < 2; method++) {
            held[method] += intervals[method].low <= truth && truth <= intervals[method].high;
        }
        bootstrap_release(&b);
    }
    pool_free(pool);
    assert_in_range(held[0], 0, TRIALS / 5);
    assert_in_range(held[1], (size_t)(0.93 * TRIALS), TRIALS);
}

static void says_why_there_is_no_interval(void **state)
{
    (void)state;
    struct bootstrap_options options;
    struct interval interval;
    double few[] = {0.5, NAN, 0.25, NAN};
    double none[] = {NAN, NAN};
    double same[] = {1, 1, 1};
    double jackknife[] = {1, 1};
    bootstrap_options_init(&options);
    bootstrap_interval_of(&interval, few, 4, jackknife, 2, &options, 0.4);
    assert_string_equal(interval.reason, "undefined in more than one resample in twenty");
    assert_int_equal(interval.undefined, 2);
    bootstrap_interval_of(&interval, none, 2, jackknife, 2, &options, 0.4);
    assert_string_equal(interval.reason, "no resample has a value");
    bootstrap_interval_of(&interval, same, 3, jackknife, 2, &options, NAN);
    assert_string_equal(interval.reason, "the value is undefined");
    bootstrap_interval_of(&interval, same, 3, jackknife, 2, &options, 1);
    assert_null(interval.reason);
    assert_true(interval.low == 1 && interval.high == 1);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    const double values[] = {1, 2, 3, 4, 5};
    struct sample s = {values, 5};
    struct bootstrap_options options;
    struct pool *pool = NULL;
    bootstrap_options_init(&options);
    options.resamples = 20;
    assert_int_equal(pool_new(&pool, 1), 0);
    for (long n = 1;; n++) {
        struct bootstrap b = {0};
        struct interval interval;
        mem_fail_after(n);
        int rc = bootstrap_run(&b, &options, 5, 1, weighted_mean, &s, pool);
        if (!rc) {
            rc = bootstrap_interval(&interval, &b, &options, 0, 3);
        }
        mem_fail_after(0);
        bootstrap_release(&b);
        if (!rc) {
            assert_true(n > 4);
            break;
        }
        assert_int_equal(rc, RECO_E_NOMEM);
    }
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scipy),
        cmocka_unit_test(is_the_same_for_any_number_of_threads),
        cmocka_unit_test(covers_the_truth),
        cmocka_unit_test(grouped_jackknife_is_near_the_whole_one),
        cmocka_unit_test(jackknife_of_a_mean_is_that_of_student),
        cmocka_unit_test(jackknife_covers_what_is_counted_once),
        cmocka_unit_test(says_why_there_is_no_interval),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
