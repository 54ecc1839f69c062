/* Comparisons of predictions: what the figures must be, that order and threads change nothing, and what is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "eval/compare.h"
#include "eval/paired.h"

enum { QUERIES = 24, ITEMS = 6, ROWS = QUERIES * ITEMS, CATALOGUE = 40 };

/* Binary predictions: scores follow the labels, with noise. order[i]: which row stands at i. */
struct sample {
    struct predictions p;
    int16_t label[ROWS], predicted[ROWS];
    double p_of[2 * ROWS], score[ROWS];
    uint32_t query[ROWS], item[ROWS];
    const char *query_ids[QUERIES], *row_ids[ROWS];
    char query_text[QUERIES][24], row_text[ROWS][24], item_text[CATALOGUE][24];
    const char *item_ids[CATALOGUE];
};

static void sample_new(struct sample *s, double noise, uint32_t stream, const uint32_t *order)
{
    static const char *const names[] = {"no", "yes"};
    struct rng labels;
    struct rng r;
    uint32_t number[QUERIES];
    memset(s, 0, sizeof *s);
    memset(number, 0xff, sizeof number);
    assert_int_equal(label_map_from_list(&s->p.labels, names, 2), 0);
    rng_init(&labels, 5, RNG_STREAM_SAMPLE, 0);
    rng_init(&r, 5, RNG_STREAM_SAMPLE, stream);
    int16_t label[ROWS];
    double p[ROWS];
    for (size_t row = 0; row < ROWS; row++) {
        label[row] = rng_uniform(&labels) < 0.35;
        p[row] = 1 / (1 + exp(-(label[row] ? 1.0 : -1.0) - noise * rng_normal(&r)));
    }
    for (size_t i = 0; i < ROWS; i++) {
        size_t row = order ? order[i] : i;
        size_t q = row / ITEMS;
        if (number[q] == UINT32_MAX) {
            number[q] = (uint32_t)s->p.query_count;
            snprintf(s->query_text[s->p.query_count], 24, "q%zu", q);
            s->query_ids[s->p.query_count] = s->query_text[s->p.query_count];
            s->p.query_count++;
        }
        s->query[i] = number[q];
        snprintf(s->row_text[i], 24, "%zu", row);
        s->row_ids[i] = s->row_text[i];
        s->item[i] = (uint32_t)(row * 7 % CATALOGUE);
        s->label[i] = label[row];
        s->p_of[2 * i] = 1 - p[row];
        s->p_of[2 * i + 1] = s->score[i] = p[row];
        s->predicted[i] = p[row] > 0.5;
    }
    s->p.rows = ROWS;
    s->p.label = s->label;
    s->p.predicted = s->predicted;
    s->p.p = s->p_of;
    s->p.score = s->score;
    s->p.query = s->query;
    s->p.query_ids = s->query_ids;
    s->p.row_ids = s->row_ids;
    for (size_t i = 0; i < CATALOGUE; i++) {
        snprintf(s->item_text[i], 24, "i%zu", i);
        s->item_ids[i] = s->item_text[i];
    }
    s->p.item = s->item;
    s->p.item_ids = s->item_ids;
    s->p.item_count = CATALOGUE;
}

static const char *const metrics[] = {"ndcg@3", "mrr", "f1", "auc", "log_loss"};
enum { METRICS = 5 };

struct compared {
    struct eval_report *reports[3];
    struct compare_run runs[3];
    struct compare c;
};

static int compare_by(struct compared *out, struct sample **samples, size_t count, enum compare_test test, int threads,
                      const char *const *names, size_t name_count)
{
    struct eval_options eval;
    struct compare_options options;
    struct pool *pool = NULL;
    memset(out, 0, sizeof *out);
    eval_options_init(&eval);
    eval.metrics = names;
    eval.metric_count = name_count;
    eval.by_query = true;
    compare_options_init(&options);
    options.test = test;
    options.samples = 500;
    options.bootstrap.resamples = 400;
    options.eval = &eval;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(eval_run(&out->reports[i], &samples[i]->p, &eval), 0);
        out->runs[i] = (struct compare_run){"p.tsv", out->reports[i], &samples[i]->p, NULL};
    }
    assert_int_equal(pool_new(&pool, threads), 0);
    int rc = compare_runs(&out->c, out->runs, count, true, &options, pool);
    pool_free(pool);
    return rc;
}

static int compare_try(struct compared *out, struct sample **samples, size_t count, enum compare_test test, int threads)
{
    return compare_by(out, samples, count, test, threads, metrics, METRICS);
}

static void compared_release(struct compared *c)
{
    compare_release(&c->c);
    for (size_t i = 0; i < 3; i++) {
        eval_report_free(c->reports[i]);
    }
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 || (isnan(a) && isnan(b)))) {
        fail_msg("%.17g is not %.17g", a, b);
    }
}

/* Values are those of the reports; the better run is found by every figure; turned round all signs turn. */
static void finds_the_better_run(void **state)
{
    (void)state;
    static struct sample noisy;
    static struct sample good;
    sample_new(&noisy, 3, 1, NULL);
    sample_new(&good, 0.3, 2, NULL);
    for (int test = 0; compare_test_names[test]; test++) {
        struct compared straight;
        struct compared turned;
        assert_int_equal(compare_try(&straight, (struct sample *[]){&noisy, &good}, 2, (enum compare_test)test, 2), 0);
        assert_int_equal(compare_try(&turned, (struct sample *[]){&good, &noisy}, 2, (enum compare_test)test, 2), 0);
        assert_int_equal(straight.c.pair_count, 1);
        assert_int_equal(straight.c.pairs[0].both, QUERIES);
        for (size_t f = 0; f < METRICS; f++) {
            const struct compare_figure *s = &straight.c.pairs[0].figures[f];
            const struct compare_figure *t = &turned.c.pairs[0].figures[f];
            double value;
            near(s->difference, -t->difference);
            near(s->effect, -t->effect);
            near(s->p, t->p);
            assert_int_equal(s->wins, t->losses);
            assert_true(s->interval.low <= s->difference && s->difference <= s->interval.high);
            assert_int_equal(s->by_query, f < 2);
            if (f >= 2) {
                assert_true(eval_report_get(straight.reports[0], metrics[f], &value, NULL));
                near(s->a, value);
                assert_true(eval_report_get(straight.reports[1], metrics[f], &value, NULL));
                near(s->b, value);
            }
            bool known = f < 2 || test == COMPARE_RANDOMISATION || test == COMPARE_BOOTSTRAP;
            assert_true(known == (s->no_test == NULL));
            assert_int_equal(compare_verdict(&straight.c, s), known ? 1 : 0);
            assert_int_equal(compare_verdict(&turned.c, t), known ? -1 : 0);
            assert_true(!known || s->p_holm >= s->p);
        }
        compared_release(&straight);
        compared_release(&turned);
    }
    label_map_release(&noisy.p.labels);
    label_map_release(&good.p.labels);
}

static void sees_nothing_between_equal_runs(void **state)
{
    (void)state;
    static struct sample one;
    static struct sample two;
    struct compared c;
    sample_new(&one, 1, 1, NULL);
    sample_new(&two, 1, 1, NULL);
    for (int test = 0; compare_test_names[test]; test++) {
        assert_int_equal(compare_try(&c, (struct sample *[]){&one, &two}, 2, (enum compare_test)test, 2), 0);
        for (size_t f = 0; f < METRICS; f++) {
            const struct compare_figure *figure = &c.c.pairs[0].figures[f];
            assert_true(figure->difference == 0);
            assert_true(figure->no_test || figure->p == 1);
            assert_true(f >= 2 || !figure->no_test); /* of means over queries there is one whatever the test */
            assert_int_equal(compare_verdict(&c.c, figure), 0);
        }
        compared_release(&c);
    }
    label_map_release(&one.p.labels);
    label_map_release(&two.p.labels);
}

static void order_and_threads_change_nothing(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    static struct sample shuffled;
    uint32_t order[ROWS];
    struct rng r;
    struct compared straight;
    struct compared other;
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = i;
    }
    rng_init(&r, 9, RNG_STREAM_SHUFFLE, 0);
    rng_shuffle_u32(&r, order, ROWS);
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    sample_new(&shuffled, 1, 2, order);
    assert_int_equal(compare_try(&straight, (struct sample *[]){&a, &b}, 2, COMPARE_RANDOMISATION, 1), 0);
    assert_int_equal(compare_try(&other, (struct sample *[]){&a, &shuffled}, 2, COMPARE_RANDOMISATION, 3), 0);
    for (size_t f = 0; f < METRICS; f++) {
        const struct compare_figure *s = &straight.c.pairs[0].figures[f];
        const struct compare_figure *o = &other.c.pairs[0].figures[f];
        near(s->difference, o->difference);
        near(s->p, o->p);
        near(s->interval.low, o->interval.low);
        near(s->interval.high, o->interval.high);
        assert_int_equal(s->best_count, o->best_count);
        for (size_t i = 0; i < s->best_count; i++) {
            assert_string_equal(s->best[i].id, o->best[i].id);
        }
    }
    compared_release(&straight);
    compared_release(&other);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
    label_map_release(&shuffled.p.labels);
}

static void counts_what_only_one_has(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct compared c;
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    b.p.rows = ROWS - 3 * ITEMS - 1; /* three queries and one row less */
    b.p.query_count = QUERIES - 3;
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_RANDOMISATION, 1), 0);
    assert_int_equal(c.c.pairs[0].both, QUERIES - 3);
    assert_int_equal(c.c.pairs[0].only_a, 3);
    assert_int_equal(c.c.pairs[0].only_b, 0);
    assert_int_equal(c.c.pairs[0].rows_only_a, 3 * ITEMS + 1);
    compared_release(&c);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

/* An id that is no UTF-8 goes into JSON all the same. */
static void ids_of_any_bytes(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct compared c;
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    for (size_t q = 0; q < QUERIES; q++) {
        a.query_text[q][0] = b.query_text[q][0] = '\xe9';
    }
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), 0);
    const struct compare_figure *f = &c.c.pairs[0].figures[0];
    json_t *json = compare_json(&c.c);
    assert_true(f->by_query && f->best_count);
    assert_non_null(json);
    const json_t *pair = json_array_get(json_object_get(json, "pairs"), 0);
    const json_t *of = json_object_get(json_object_get(json_object_get(pair, "metrics"), f->metric), "b_wins_most");
    const char *id = json_string_value(json_object_get(json_array_get(of, 0), "query_id"));
    assert_string_equal(id + 3, f->best[0].id + 1);
    assert_memory_equal(id, "\xef\xbf\xbd", 3);
    json_decref(json);
    compared_release(&c);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

/* What an id holds breaks neither a line nor a cell, and is no markup. */
static void ids_stay_in_their_place(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct compared c;
    struct buf text = {0};
    struct buf markdown = {0};
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    for (size_t q = 0; q < QUERIES; q++) {
        snprintf(a.query_text[q], 24, "<b>|\n%zu", q);
        snprintf(b.query_text[q], 24, "<b>|\n%zu", q);
    }
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), 0);
    assert_int_equal(compare_text(&c.c, &text), 0);
    assert_non_null(strstr(buf_str(&text), "<b>| "));
    assert_null(strstr(buf_str(&text), "<b>|\n"));
    assert_int_equal(compare_markdown(&c.c, &markdown), 0);
    assert_non_null(strstr(buf_str(&markdown), "| \\<b>\\| "));
    assert_null(strstr(buf_str(&markdown), "|\n0"));
    buf_release(&text);
    buf_release(&markdown);
    compared_release(&c);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

static void refuses_other_data(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct compared c;
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    a.p.sidecar = json_pack("{s:{s:s}}", "hashes", "data", "one");
    b.p.sidecar = json_pack("{s:{s:s}}", "hashes", "data", "two");
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), RECO_E_DATA);
    compared_release(&c);
    json_decref(b.p.sidecar);
    b.p.sidecar = NULL;
    b.label[7] = 1 - b.label[7];
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "row '7' has another label in each"));
    compared_release(&c);
    b.label[7] = 1 - b.label[7];
    b.query[7] = 2;
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "row '7' has another query in each"));
    compared_release(&c);
    for (size_t q = 0; q < QUERIES; q++) {
        b.query_text[q][0] = 'x';
    }
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_T, 1), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "no query is in both"));
    compared_release(&c);
    json_decref(a.p.sidecar);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

static const char *const of_catalogue[] = {"coverage@3", "popularity@3", "gini@2", "diversity@3", "entropy@3"};
enum { OF_CATALOGUE = 5 };

/* The catalogue of both runs is one: values are those of each report, the test swaps lists, the order is nothing. */
static void compares_what_lists_show(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    static struct sample shuffled;
    uint32_t order[ROWS];
    struct compared straight;
    struct compared other;
    for (uint32_t i = 0; i < ROWS; i++) {
        order[i] = ROWS - 1 - i;
    }
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    sample_new(&shuffled, 1, 2, order);
    for (int test = 0; compare_test_names[test]; test++) {
        assert_int_equal(compare_by(&straight, (struct sample *[]){&a, &b}, 2, (enum compare_test)test, 1, of_catalogue,
                                    OF_CATALOGUE),
                         0);
        assert_int_equal(compare_by(&other, (struct sample *[]){&a, &shuffled}, 2, (enum compare_test)test, 3,
                                    of_catalogue, OF_CATALOGUE),
                         0);
        for (size_t f = 0; f < OF_CATALOGUE; f++) {
            const struct compare_figure *s = &straight.c.pairs[0].figures[f];
            const struct compare_figure *o = &other.c.pairs[0].figures[f];
            double value;
            assert_true(eval_report_get(straight.reports[0], of_catalogue[f], &value, NULL));
            near(s->a, value);
            assert_true(eval_report_get(straight.reports[1], of_catalogue[f], &value, NULL));
            near(s->b, value);
            assert_true(s->interval.jackknife && s->interval.low <= s->difference && s->difference <= s->interval.high);
            assert_true(isnan(s->p) == (test != COMPARE_RANDOMISATION) && isnan(s->p) == (s->no_test != NULL));
            near(s->p, o->p);
            near(s->interval.low, o->interval.low);
            assert_false(isfinite(s->needed));
        }
        compared_release(&straight);
        compared_release(&other);
    }
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
    label_map_release(&shuffled.p.labels);
}

/* Resamples of three queries are too much alike: no interval, and the bootstrap does not find its test sure. */
static void few_queries_make_nothing_sure(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    sample_new(&a, 3, 1, NULL);
    sample_new(&b, 0.3, 2, NULL);
    a.p.rows = b.p.rows = 3 * ITEMS;
    a.p.query_count = b.p.query_count = 3;
    for (int test = 0; compare_test_names[test]; test++) {
        struct compared c;
        assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, (enum compare_test)test, 2), 0);
        for (size_t f = 0; f < METRICS; f++) {
            const struct compare_figure *figure = &c.c.pairs[0].figures[f];
            assert_true(isnan(figure->interval.low) && figure->interval.reason);
            assert_true(test == COMPARE_T || compare_verdict(&c.c, figure) == 0);
            assert_true(test != COMPARE_BOOTSTRAP || (isnan(figure->p) && figure->no_test));
            assert_true(f < 2 || isnan(figure->needed));
        }
        compared_release(&c);
    }
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

/* How many queries would settle it: at the level that Holm leaves the figure, and with signs enough for such a p. */
static void asks_for_queries_at_the_level_of_holm(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct compared c;
    double p[METRICS];
    double share[METRICS];
    sample_new(&a, 1.2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    assert_int_equal(compare_try(&c, (struct sample *[]){&a, &b}, 2, COMPARE_RANDOMISATION, 2), 0);
    for (size_t f = 0; f < METRICS; f++) {
        p[f] = c.c.pairs[0].figures[f].p;
    }
    assert_int_equal(paired_holm(p, share, METRICS), 0);
    for (size_t f = 0; f < METRICS; f++) {
        const struct compare_figure *figure = &c.c.pairs[0].figures[f];
        double needed = paired_queries_needed(figure->difference, figure->sd, 0.05 * share[f], 0.8);
        near(figure->needed, fmax(needed, floor(1 - log2(0.05 * share[f])) + 1));
        assert_true(figure->sd > 0 && figure->needed > needed - 1);
    }
    compared_release(&c);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

static void gates_name_runs(void **state)
{
    (void)state;
    static struct sample samples[3];
    struct compared c;
    sample_new(&samples[0], 3, 1, NULL);
    sample_new(&samples[1], 0.3, 2, NULL);
    sample_new(&samples[2], 3, 1, NULL);
    static const struct {
        const char *gate;
        int code;
    } gates[] = {{"auc: B>A", 0},
                 {"auc:A>B", RECO_E_GATE},
                 {"auc: C > A", RECO_E_GATE},
                 {"auc: C>=A", 0},
                 {"log_loss: B > C", 0},
                 {"auc: 2>1", 0},
                 {"auc: B>B", RECO_E_USAGE},
                 {"auc: B<A", RECO_E_USAGE},
                 {"mcc: B>A", RECO_E_USAGE},
                 {"auc: D>A", RECO_E_USAGE},
                 {"auc", RECO_E_USAGE}};
    struct sample *three[] = {&samples[0], &samples[1], &samples[2]};
    assert_int_equal(compare_try(&c, three, 3, COMPARE_RANDOMISATION, 2), 0);
    assert_int_equal(c.c.pair_count, 3);
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        struct buf b = {0};
        if (compare_gate(&c.c, gates[i].gate, &b) != gates[i].code) {
            fail_msg("%s: %s", gates[i].gate, buf_str(&b));
        }
        buf_release(&b);
    }
    compared_release(&c);
    for (size_t i = 0; i < 3; i++) {
        label_map_release(&samples[i].p.labels);
    }
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    static struct sample a;
    static struct sample b;
    struct eval_options eval;
    struct compare_options options;
    struct pool *pool = NULL;
    struct eval_report *reports[2] = {0};
    sample_new(&a, 2, 1, NULL);
    sample_new(&b, 1, 2, NULL);
    eval_options_init(&eval);
    eval.metrics = metrics;
    eval.metric_count = METRICS;
    eval.by_query = true;
    compare_options_init(&options);
    options.bootstrap.resamples = 8;
    options.samples = 8;
    options.eval = &eval;
    assert_int_equal(pool_new(&pool, 1), 0);
    assert_int_equal(eval_run(&reports[0], &a.p, &eval), 0);
    assert_int_equal(eval_run(&reports[1], &b.p, &eval), 0);
    const struct compare_run runs[] = {{"a", reports[0], &a.p, NULL}, {"b", reports[1], &b.p, NULL}};
    for (long n = 1;; n++) {
        struct compare c = {0};
        mem_fail_after(n);
        int rc = compare_runs(&c, runs, 2, false, &options, pool);
        mem_fail_after(0);
        compare_release(&c);
        if (!rc) {
            break;
        }
        assert_int_equal(rc, RECO_E_NOMEM);
    }
    pool_free(pool);
    eval_report_free(reports[0]);
    eval_report_free(reports[1]);
    label_map_release(&a.p.labels);
    label_map_release(&b.p.labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_better_run),
        cmocka_unit_test(sees_nothing_between_equal_runs),
        cmocka_unit_test(order_and_threads_change_nothing),
        cmocka_unit_test(counts_what_only_one_has),
        cmocka_unit_test(ids_of_any_bytes),
        cmocka_unit_test(ids_stay_in_their_place),
        cmocka_unit_test(refuses_other_data),
        cmocka_unit_test(compares_what_lists_show),
        cmocka_unit_test(few_queries_make_nothing_sure),
        cmocka_unit_test(asks_for_queries_at_the_level_of_holm),
        cmocka_unit_test(gates_name_runs),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
