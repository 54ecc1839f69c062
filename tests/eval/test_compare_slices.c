/* The differences between two runs by slice: against the comparison of the rows of a group alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "eval/compare_slices.h"
#include "eval/evaluate.h"

enum { ROWS = 360, QUERIES = 30 };
static const char *const metrics[] = {"ndcg@10", "accuracy", "log_loss"};
enum { METRICS = 3 };

/* Run 1 is better in group a and worse in b; c has rows in run 0 alone. */
struct sample {
    struct predictions p;
    struct predictions_extra extra;
    int16_t label[ROWS], predicted[ROWS];
    double p_of[2 * ROWS], score[ROWS];
    uint32_t query[ROWS], item[ROWS];
    const char *query_ids[QUERIES], *item_ids[ROWS], *group[ROWS];
    char texts[ROWS][8];
    bool keep[ROWS];
    struct eval_report *report;
};

static void sample_new(struct sample *s, int run, const struct eval_options *eval)
{
    static const char *const names[] = {"no", "yes"};
    struct rng labels;
    struct rng noise;
    memset(s, 0, sizeof *s);
    assert_int_equal(label_map_from_list(&s->p.labels, names, 2), 0);
    rng_init(&labels, 5, RNG_STREAM_SAMPLE, 0);
    rng_init(&noise, 6, RNG_STREAM_SAMPLE, (uint32_t)run);
    for (size_t i = 0; i < ROWS; i++) {
        bool b = i % 2;
        snprintf(s->texts[i], sizeof s->texts[i], "%zu", i);
        s->query[i] = (uint32_t)(i / 12);
        s->query_ids[i / 12] = s->texts[i - i % 12];
        s->item[i] = (uint32_t)i;
        s->item_ids[i] = s->texts[i];
        s->label[i] = rng_uniform(&labels) < 0.4;
        double skill = run == 0 ? 1 : b ? 0.2 : 3;
        double z = (s->label[i] ? skill : -skill) + rng_normal(&noise);
        s->score[i] = 1 / (1 + exp(-z));
        s->p_of[2 * i + 1] = s->score[i];
        s->p_of[2 * i] = 1 - s->score[i];
        s->predicted[i] = s->score[i] > 0.5;
        s->group[i] = i % 12 == 11 && run == 0 ? "c" : b ? "b" : "a";
    }
    s->extra = (struct predictions_extra){"group", s->group};
    s->p.rows = ROWS;
    s->p.label = s->label;
    s->p.predicted = s->predicted;
    s->p.p = s->p_of;
    s->p.score = s->score;
    s->p.query = s->query;
    s->p.query_count = QUERIES;
    s->p.query_ids = s->query_ids;
    s->p.item = s->item;
    s->p.item_count = ROWS;
    s->p.item_ids = s->item_ids;
    s->p.row_ids = s->item_ids;
    s->p.extra = &s->extra;
    s->p.extra_count = 1;
    assert_int_equal(eval_run(&s->report, &s->p, eval), 0);
}

static void sample_release(struct sample *s)
{
    eval_report_free(s->report);
    label_map_release(&s->p.labels);
}

static struct sample samples[2];
static struct compare_run runs[2];
static struct eval_options eval;
static struct compare_options how;
static struct slice_options slices;
static const char *const names[] = {"group"};

static void set_up(struct compare *c, struct pool **pool)
{
    eval_options_init(&eval);
    eval.metrics = metrics;
    eval.metric_count = METRICS;
    eval.by_query = true;
    for (int i = 0; i < 2; i++) {
        sample_new(&samples[i], i, &eval);
        runs[i] = (struct compare_run){.path = i ? "b.tsv" : "a.tsv", .report = samples[i].report, .p = &samples[i].p};
    }
    compare_options_init(&how);
    how.eval = &eval;
    how.bootstrap.resamples = 100;
    how.samples = 100;
    slice_options_init(&slices);
    slices.slices = names;
    slices.count = 1;
    assert_int_equal(pool_new(pool, 2), 0);
    assert_int_equal(compare_runs(c, runs, 2, false, &how, *pool), 0);
}

static void tear_down(struct compare *c, struct pool *pool)
{
    compare_release(c);
    pool_free(pool);
    sample_release(&samples[0]);
    sample_release(&samples[1]);
}

/* The value of a metric over the rows of a group. */
static double value_of(struct sample *s, const char *group, const char *metric)
{
    struct predictions *rows = NULL;
    struct eval_report *report = NULL;
    double value = NAN;
    for (size_t i = 0; i < ROWS; i++) {
        s->keep[i] = !strcmp(s->group[i], group);
    }
    assert_int_equal(predictions_select(&rows, &s->p, s->keep), 0);
    assert_int_equal(eval_run(&report, rows, &eval), 0);
    assert_true(eval_report_get(report, metric, &value, NULL));
    eval_report_free(report);
    predictions_free(rows);
    return value;
}

static void tells_where_a_run_wins(void **state)
{
    (void)state;
    struct compare c;
    struct pool *pool = NULL;
    struct compare_slices *found = NULL;
    set_up(&c, &pool);
    assert_int_equal(compare_slices_new(&found, &c, &slices, pool), 0);
    assert_int_equal(found->count, 1);
    const struct compare_slice *slice = &found->slices[0];
    assert_int_equal(slice->count, 3);
    assert_string_equal(slice->groups[0].name, "b"); /* where it loses first */
    assert_string_equal(slice->groups[1].name, "a");
    assert_string_equal(slice->groups[2].name, "c"); /* in one run only */
    assert_true(isnan(slice->groups[2].figures[0].difference));
    const struct compare_slice_figure *a = slice->groups[1].figures;
    for (size_t f = 0; f < METRICS; f++) { /* the rows of a are the same in both */
        double of_a = value_of(&samples[0], "a", metrics[f]);
        double of_b = value_of(&samples[1], "a", metrics[f]);
        assert_true(fabs(a[f].a - of_a) < 1e-9 && fabs(a[f].b - of_b) < 1e-9);
        assert_true(fabs(a[f].difference - (of_b - of_a)) < 1e-9);
        assert_null(a[f].interval.reason);
        assert_true(a[f].interval.low <= a[f].difference && a[f].difference <= a[f].interval.high);
    }
    assert_true(a[0].interval.low > 0 && slice->groups[0].figures[1].difference < 0);
    struct buf b = {0};
    assert_int_equal(compare_slices_text(found, &b), 0);
    assert_int_equal(compare_slices_markdown(found, &b), 0);
    assert_non_null(strstr(buf_str(&b), "slice group, B against A"));
    buf_release(&b);
    json_t *json = compare_slices_json(found);
    assert_int_equal(json_array_size(json_object_get(json_array_get(json, 0), "groups")), 3);
    json_decref(json);
    compare_slices_free(found);
    static const char *const wrong[] = {"gruop"};
    slices.slices = wrong;
    assert_int_equal(compare_slices_new(&found, &c, &slices, pool), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "a.tsv: cannot slice by 'gruop'"));
    assert_null(found);
    tear_down(&c, pool);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    struct compare c;
    struct pool *pool = NULL;
    set_up(&c, &pool);
    for (long n = 1;; n += 1 + n / 40) {
        struct compare_slices *found = NULL;
        mem_fail_after(n);
        int rc = compare_slices_new(&found, &c, &slices, pool);
        mem_fail_after(0);
        compare_slices_free(found);
        if (!rc) {
            assert_true(n > 50);
            break;
        }
        assert_int_equal(rc, RECO_E_NOMEM);
    }
    tear_down(&c, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_where_a_run_wins),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
