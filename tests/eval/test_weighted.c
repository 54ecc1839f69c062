/* Figures under weights: those of the same data with rows left out or repeated. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "eval/evaluate.h"
#include "eval/weighted.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/metrics/"
#define TOLERANCE 1e-9

static const char *const cases[] = {"binary", "graded", "missing", "one_class", "utf8", "regression", "behaviour"};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

static struct eval_report *evaluate(const struct predictions *p)
{
    struct eval_options options;
    struct eval_report *report = NULL;
    eval_options_init(&options);
    options.by_query = true;
    options.relevance_level = 1;
    if (eval_run(&report, p, &options)) {
        fail_msg("%s", err_message());
    }
    return report;
}

static struct predictions *read_case(const char *name)
{
    char path[512];
    struct predictions *p = NULL;
    snprintf(path, sizeof path, FOLDER "%s.tsv", name);
    if (predictions_read(&p, path)) {
        fail_msg("%s", err_message());
    }
    return p;
}

static void compare(const struct eval_weighted *weighted, const uint32_t *weight, const struct eval_report *report,
                    const char *name)
{
    struct eval_scratch *scratch = NULL;
    size_t count = eval_weighted_count(weighted);
    double *values = mem_calloc(count, sizeof *values);
    assert_non_null(values);
    assert_int_equal(eval_scratch_new(&scratch, weighted), 0);
    for (int round = 0; round < 2; round++) { /* a scratch may be used again */
        assert_int_equal(eval_weighted_values(weighted, scratch, weight, values), 0);
        for (size_t i = 0; i < count; i++) {
            double expected;
            const char *figure = eval_report_value(report, i, &expected, NULL);
            assert_string_equal(eval_weighted_name(weighted, i), figure);
            if (isnan(expected) != isnan(values[i]) ||
                fabs(expected - values[i]) > TOLERANCE * fmax(1, fabs(expected))) {
                fail_msg("%s %s: %.17g, report %.17g", name, figure, values[i], expected);
            }
        }
    }
    eval_scratch_free(scratch);
    mem_free(values);
}

static void weight_1_gives_the_report(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct predictions *p = read_case(cases[i]);
        struct eval_report *report = evaluate(p);
        struct eval_weighted *weighted = NULL;
        assert_int_equal(eval_weighted_new(&weighted, report, NULL, 0), 0);
        size_t units = eval_weighted_units(weighted);
        assert_int_equal(units, p->query ? p->query_count : p->rows);
        uint32_t *weight = mem_calloc(units, sizeof *weight);
        for (size_t u = 0; u < units; u++) {
            weight[u] = 1;
        }
        compare(weighted, weight, report, cases[i]);
        mem_free(weight);
        eval_weighted_free(weighted);
        eval_report_free(report);
        predictions_free(p);
    }
}

/* Weights 0 and 1 give the figures of the rows that are left. */
static void weight_0_leaves_a_query_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct predictions *p = read_case(cases[i]);
        struct predictions *some = NULL;
        struct eval_report *report = evaluate(p);
        struct eval_weighted *weighted = NULL;
        struct rng rng;
        rng_init(&rng, 3, RNG_STREAM_SAMPLE, (uint32_t)i);
        uint32_t *weight = mem_calloc(p->query_count, sizeof *weight);
        bool *keep = mem_calloc(p->rows, sizeof *keep);
        for (size_t q = 0; q < p->query_count; q++) {
            weight[q] = (uint32_t)rng_below(&rng, 2);
        }
        for (size_t row = 0; row < p->rows; row++) {
            keep[row] = weight[p->query[row]];
        }
        assert_int_equal(predictions_select(&some, p, keep), 0);
        struct eval_report *expected = evaluate(some);
        assert_int_equal(eval_weighted_new(&weighted, report, NULL, 0), 0);
        /* the catalogue stays what it is, and so does the popularity in it */
        struct eval_scratch *scratch = NULL;
        double *values = mem_calloc(eval_weighted_count(weighted), sizeof *values);
        assert_int_equal(eval_scratch_new(&scratch, weighted), 0);
        assert_int_equal(eval_weighted_values(weighted, scratch, weight, values), 0);
        for (size_t v = 0; v < eval_weighted_count(weighted); v++) {
            double wanted;
            const char *name = eval_report_value(expected, v, &wanted, NULL);
            if (!strncmp(name, "popularity", 10) || !strncmp(name, "novelty", 7) || !strncmp(name, "tail_share", 10)) {
                continue;
            }
            if (isnan(wanted) != isnan(values[v]) || fabs(wanted - values[v]) > TOLERANCE * fmax(1, fabs(wanted))) {
                fail_msg("%s %s: %.17g, report %.17g", cases[i], name, values[v], wanted);
            }
        }
        eval_scratch_free(scratch);
        mem_free(values);
        mem_free(weight);
        mem_free(keep);
        eval_weighted_free(weighted);
        eval_report_free(expected);
        eval_report_free(report);
        predictions_free(some);
        predictions_free(p);
    }
}

/* Rows that stand there twice, as a file of its own: no queries, so a row is a unit. */
static void weight_2_repeats_a_row(void **state)
{
    (void)state;
    static const char *const names[] = {"binary", "graded", "regression"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct predictions *p = read_case(names[i]);
        struct eval_weighted *weighted = NULL;
        struct rng rng;
        uint32_t *weight = mem_calloc(p->rows, sizeof *weight);
        mem_free(p->query);
        p->query = NULL;
        rng_init(&rng, 5, RNG_STREAM_SAMPLE, (uint32_t)i);
        struct predictions twice = *p;
        size_t rows = 0;
        for (size_t row = 0; row < p->rows; row++) {
            weight[row] = (uint32_t)rng_below(&rng, 3);
            rows += weight[row];
        }
        struct eval_report *report = evaluate(p);
        assert_int_equal(eval_weighted_new(&weighted, report, NULL, 0), 0);
        assert_int_equal(eval_weighted_units(weighted), p->rows);
        /* columns with repeated rows */
        size_t classes = (size_t)p->labels.count;
        twice.rows = rows;
        twice.label = p->label ? mem_calloc(rows, sizeof *twice.label) : NULL;
        twice.predicted = p->predicted ? mem_calloc(rows, sizeof *twice.predicted) : NULL;
        twice.p = p->p ? mem_calloc(rows * classes, sizeof *twice.p) : NULL;
        twice.score = p->score ? mem_calloc(rows, sizeof *twice.score) : NULL;
        twice.target = p->target ? mem_calloc(rows, sizeof *twice.target) : NULL;
        twice.value = p->value ? mem_calloc(rows, sizeof *twice.value) : NULL;
        twice.truncated = NULL;
        twice.clicked = twice.converted = twice.dwell_s = twice.depth = NULL;
        size_t at = 0;
        for (size_t row = 0; row < p->rows; row++) {
            for (uint32_t k = 0; k < weight[row]; k++, at++) {
                if (p->label) {
                    twice.label[at] = p->label[row];
                    twice.predicted[at] = p->predicted[row];
                    memcpy(twice.p + at * classes, p->p + row * classes, classes * sizeof *p->p);
                } else {
                    twice.target[at] = p->target[row];
                    twice.value[at] = p->value[row];
                }
                twice.score[at] = p->score[row];
            }
        }
        struct eval_report *expected = evaluate(&twice);
        struct eval_scratch *scratch = NULL;
        double *values = mem_calloc(eval_weighted_count(weighted), sizeof *values);
        assert_int_equal(eval_scratch_new(&scratch, weighted), 0);
        assert_int_equal(eval_weighted_values(weighted, scratch, weight, values), 0);
        for (size_t v = 0; v < eval_weighted_count(weighted); v++) {
            double wanted;
            if (eval_report_get(expected, eval_weighted_name(weighted, v), &wanted, NULL) &&
                !(fabs(wanted - values[v]) <= TOLERANCE * fmax(1, fabs(wanted)))) {
                fail_msg("%s %s: %.17g, report %.17g", names[i], eval_weighted_name(weighted, v), values[v], wanted);
            }
        }
        eval_scratch_free(scratch);
        mem_free(values);
        mem_free(twice.label);
        mem_free(twice.predicted);
        mem_free(twice.p);
        mem_free(twice.score);
        mem_free(twice.target);
        mem_free(twice.value);
        mem_free(weight);
        eval_weighted_free(weighted);
        eval_report_free(expected);
        eval_report_free(report);
        predictions_free(p);
    }
}

/* For lists drawn again the figures of the catalogue are those of all figures, and the others are left alone. */
static void catalogue_alone_is_that_of_all(void **state)
{
    (void)state;
    struct predictions *p = read_case("graded");
    struct eval_report *report = evaluate(p);
    struct eval_weighted *weighted = NULL;
    struct eval_scratch *scratch = NULL;
    struct rng rng;
    size_t units = p->query_count;
    size_t defined = 0;
    assert_int_equal(eval_weighted_new(&weighted, report, NULL, 0), 0);
    assert_int_equal(eval_scratch_new(&scratch, weighted), 0);
    size_t count = eval_weighted_count(weighted);
    uint32_t *weights = mem_calloc(2 * units, sizeof *weights);
    double *alone = mem_calloc(2 * count, sizeof *alone);
    double *all = mem_calloc(count, sizeof *all);
    rng_init(&rng, 8, RNG_STREAM_SAMPLE, 0);
    for (size_t u = 0; u < 2 * units; u++) {
        weights[u] = (uint32_t)rng_below(&rng, 4);
    }
    assert_int_equal(eval_weighted_catalogue(weighted, scratch, 2, weights, alone), 0);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(eval_weighted_values(weighted, scratch, weights + i * units, all), 0);
        for (size_t v = 0; v < count; v++) {
            double found = alone[i * count + v];
            assert_true(isnan(found) || found == all[v]);
            defined += !isnan(found);
        }
    }
    assert_int_equal(defined, 2 * 7 * 4); /* seven figures at 1, 3, 5, 10 */
    mem_free(weights);
    mem_free(alone);
    mem_free(all);
    eval_scratch_free(scratch);
    eval_weighted_free(weighted);
    eval_report_free(report);
    predictions_free(p);
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    static const char *const torture[] = {"utf8", "regression"};
    for (size_t i = 0; i < sizeof torture / sizeof torture[0]; i++) {
        struct predictions *p = read_case(torture[i]);
        struct eval_report *report = evaluate(p);
        uint32_t *weight = mem_calloc(p->query_count, sizeof *weight);
        weight[0] = 2;
        int rc = -1;
        long n = 0;
        while (rc && n < 10000) {
            struct eval_weighted *weighted = NULL;
            struct eval_scratch *scratch = NULL;
            double values[256];
            mem_fail_after(++n);
            rc = eval_weighted_new(&weighted, report, NULL, 0);
            if (!rc) {
                rc = eval_scratch_new(&scratch, weighted);
            }
            if (!rc) {
                rc = eval_weighted_values(weighted, scratch, weight, values);
            }
            mem_fail_after(0);
            assert_true(rc == 0 || rc == RECO_E_NOMEM);
            eval_scratch_free(scratch);
            eval_weighted_free(weighted);
        }
        assert_true(n > 10);
        mem_free(weight);
        eval_report_free(report);
        predictions_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weight_1_gives_the_report),    cmocka_unit_test(weight_0_leaves_a_query_out),
        cmocka_unit_test(weight_2_repeats_a_row),       cmocka_unit_test(catalogue_alone_is_that_of_all),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
