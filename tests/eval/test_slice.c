/* Slices, gaps, intervals of a report and the names of figures: against counts by hand, and fairness against the
 * formulas of the cited papers on small examples. */

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
#include "eval/evaluate.h"
#include "eval/interval.h"
#include "eval/slice.h"
#include "eval/weighted.h"

enum { ROWS = 240, QUERIES = 30 };

/* Groups a and b, of which b is predicted worse; c has 3 rows; numbers and a missing one. */
struct sample {
    struct predictions p;
    int16_t label[ROWS], predicted[ROWS];
    double p_of[2 * ROWS], score[ROWS];
    uint32_t query[ROWS];
    const char *query_ids[QUERIES], *group[ROWS], *number[ROWS], *text[ROWS];
    char query_text[QUERIES][24], number_text[ROWS][24];
    bool truncated[ROWS];
    struct predictions_extra extra[3];
};

static void sample_new(struct sample *s)
{
    static const char *const names[] = {"no", "yes"};
    static const char *const words[] = {"one", "two words",    "now three words", "a query of five words",
                                        "",    "it  has three"};
    struct rng r;
    memset(s, 0, sizeof *s);
    assert_int_equal(label_map_from_list(&s->p.labels, names, 2), 0);
    rng_init(&r, 17, RNG_STREAM_SAMPLE, 0);
    for (size_t q = 0; q < QUERIES; q++) {
        snprintf(s->query_text[q], 24, "q%zu", q);
        s->query_ids[q] = s->query_text[q];
    }
    for (size_t i = 0; i < ROWS; i++) {
        bool b = i % 3 == 0;
        s->query[i] = (uint32_t)(i * i % QUERIES);
        s->label[i] = rng_uniform(&r) < 0.45;
        double z = (s->label[i] ? 1 : -1) * (b ? 0.4 : 1.5) + rng_normal(&r);
        s->score[i] = 1 / (1 + exp(-z));
        s->p_of[2 * i + 1] = s->score[i];
        s->p_of[2 * i] = 1 - s->score[i];
        s->predicted[i] = s->score[i] > 0.5;
        s->group[i] = i < 3 ? "c" : b ? "b" : "a";
        snprintf(s->number_text[i], 24, "%zu", i % 100);
        s->number[i] = i == 5 ? "" : s->number_text[i];
        s->text[i] = words[i % 6];
        s->truncated[i] = i % 7 == 0;
    }
    s->extra[0] = (struct predictions_extra){"group", s->group};
    s->extra[1] = (struct predictions_extra){"number", s->number};
    s->extra[2] = (struct predictions_extra){"query", s->text};
    s->p.rows = ROWS;
    s->p.label = s->label;
    s->p.predicted = s->predicted;
    s->p.p = s->p_of;
    s->p.score = s->score;
    s->p.query = s->query;
    s->p.query_count = QUERIES;
    s->p.query_ids = s->query_ids;
    s->p.truncated = s->truncated;
    s->p.extra = s->extra;
    s->p.extra_count = 3;
}

static size_t rows_in(const struct slice_groups *g, const char *name)
{
    size_t rows = 0;
    for (size_t i = 0; i < ROWS; i++) {
        rows += g->of_row[i] != UINT32_MAX && !strcmp(g->names[g->of_row[i]], name);
    }
    return rows;
}

static void puts_rows_in_groups(void **state)
{
    (void)state;
    static struct sample s;
    struct slice_options o;
    struct slice_groups g;
    sample_new(&s);
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(g.count, 3);
    assert_string_equal(g.names[0], "a"); /* the most rows first */
    assert_int_equal(rows_in(&g, "a"), 158);
    assert_int_equal(rows_in(&g, "b"), 79);
    assert_int_equal(rows_in(&g, "c"), 3);
    slice_groups_release(&g);
    o.max_groups = 2; /* b has enough rows to stay, only c has not */
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(g.pooled, 1);
    assert_int_equal(rows_in(&g, "(other)"), 3);
    slice_groups_release(&g);
    o.min_rows = 80;
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(g.pooled, 2);
    assert_int_equal(rows_in(&g, "(other)"), 82);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "number:quartile", &s.p, &o), 0);
    assert_int_equal(g.count, 4);
    assert_int_equal(g.missing, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_in_range(rows_in(&g, g.names[i]), 55, 65);
    }
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "number:10|50", &s.p, &o), 0);
    assert_string_equal(g.names[1], "10 to below 50");
    assert_int_equal(rows_in(&g, "below 10"), 29);
    assert_int_equal(rows_in(&g, "from 50"), 100);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "query_length", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "1 word"), 40);
    assert_int_equal(rows_in(&g, "3 to 4 words"), 80);
    assert_int_equal(g.missing, 40);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "truncated", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "truncated"), 35);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "label", &s.p, &o), 0);
    assert_int_equal(g.count, 2);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "colour", &s.p, &o), RECO_E_USAGE);
    assert_int_equal(slice_groups_new(&g, "group:decile", &s.p, &o), RECO_E_DATA);
    assert_int_equal(slice_groups_new(&g, "seen_query", &s.p, &o), RECO_E_USAGE);
    label_map_release(&s.p.labels);
}

static void several_are_put_together(void **state)
{
    (void)state;
    static struct sample s;
    struct slice_options o;
    struct slice_groups g;
    sample_new(&s);
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, "group+truncated+number:10|50", &s.p, &o), 0);
    for (size_t i = 0; i < ROWS; i++) {
        if (i == 5) { /* no number */
            assert_int_equal(g.of_row[i], UINT32_MAX);
            continue;
        }
        char name[96];
        snprintf(name, sizeof name, "%s + %s + %s", s.group[i], s.truncated[i] ? "truncated" : "whole",
                 i % 100 < 10   ? "below 10"
                 : i % 100 < 50 ? "10 to below 50"
                                : "from 50");
        assert_string_equal(g.names[g.of_row[i]], name);
    }
    assert_int_equal(g.missing, 1);
    slice_groups_release(&g);
    o.max_groups = 3;
    assert_int_equal(slice_groups_new(&g, "group+truncated", &s.p, &o), 0);
    assert_int_equal(g.count, 3); /* a and b, whole, and the others */
    assert_int_equal(rows_in(&g, "(other)"), 37);
    slice_groups_release(&g);
    s.extra[0].name = "a+b"; /* a column of that very name is meant */
    assert_int_equal(slice_groups_new(&g, "a+b", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "b"), 79);
    slice_groups_release(&g);
    label_map_release(&s.p.labels);
}

/* Ids, predictions and scores; numbers that other programs write as "nan"; edges that few digits do not tell apart. */
static void every_column_can_be_sliced(void **state)
{
    (void)state;
    static struct sample s;
    static uint32_t tokens[ROWS];
    struct slice_options o;
    struct slice_groups g;
    sample_new(&s);
    slice_options_init(&o);
    for (size_t i = 0; i < ROWS; i++) {
        tokens[i] = (uint32_t)i % 12;
        s.number[i] = i % 4 ? i % 4 == 1 ? "1234567.1" : i % 4 == 2 ? "1234567.2" : "1234567.3" : "nan";
    }
    s.p.tokens = tokens;
    assert_int_equal(slice_groups_new(&g, "query_id", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "q1"), 32); /* i * i % 30 is 1 for 4 of 30 */
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "predicted", &s.p, &o), 0);
    assert_int_equal(g.count, 2);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "score:quartile", &s.p, &o), 0);
    assert_int_equal(g.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rows_in(&g, g.names[i]), ROWS / 4);
    }
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "tokens:2", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "from 6"), ROWS / 2);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "number:3", &s.p, &o), 0);
    assert_int_equal(g.missing, ROWS / 4);
    assert_int_equal(g.count, 3);
    assert_int_equal(rows_in(&g, "1234567.2 to below 1234567.3"), ROWS / 4);
    slice_groups_release(&g);
    s.group[0] = "a\xff"; /* no UTF-8 */
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(rows_in(&g, "a\xEF\xBF\xBD"), 1);
    slice_groups_release(&g);
    assert_int_equal(slice_groups_new(&g, "gruop", &s.p, &o), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "did you mean 'group'?"));
    label_map_release(&s.p.labels);
}

/* Chinese and Japanese put no blanks: each character is a word; other blanks than ASCII's part words too. */
static void words_of_every_script_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *group;
    } cases[] = {{"\u82f9\u679c", "2 words"},
                 {"\u82f9\u679c \u624b\u673a\u58f3", "5 to 8 words"},
                 {"iphone\u624b\u673a\u58f3", "3 to 4 words"},
                 {"\u30b9\u30de\u30db", "3 to 4 words"},
                 {"a\u00a0b\u3000c", "3 to 4 words"},
                 {"caf\u00e9 cr\u00e8me", "2 words"},
                 {"\u0442\u0435\u043b\u0435\u0444\u043e\u043d", "1 word"},
                 {" \u3000\t", NULL}};
    static struct sample s;
    struct slice_options o;
    struct slice_groups g;
    sample_new(&s);
    slice_options_init(&o);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        s.text[i] = cases[i].text;
    }
    assert_int_equal(slice_groups_new(&g, "query_length", &s.p, &o), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true((g.of_row[i] == UINT32_MAX) == !cases[i].group);
        if (cases[i].group) {
            assert_string_equal(g.names[g.of_row[i]], cases[i].group);
        }
    }
    slice_groups_release(&g);
    label_map_release(&s.p.labels);
}

/* Head: queries that make up the first third of the rows; all queries of one frequency together. */
static void frequent_queries_are_the_head(void **state)
{
    (void)state;
    static struct sample s;
    struct slice_options o;
    struct slice_groups g;
    uint32_t rows[QUERIES] = {0};
    sample_new(&s);
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, "query_frequency", &s.p, &o), 0);
    for (size_t i = 0; i < ROWS; i++) {
        rows[s.query[i]]++;
    }
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < ROWS; j++) {
            uint32_t a = rows[s.query[i]];
            uint32_t b = rows[s.query[j]];
            assert_true(a != b || g.of_row[i] == g.of_row[j]);
            assert_true(a <= b || g.of_row[i] <= g.of_row[j]);
        }
    }
    slice_groups_release(&g);
    label_map_release(&s.p.labels);
}

static struct eval_report *evaluate(const struct sample *s, const struct slice_options *slices, size_t resamples)
{
    struct eval_options options;
    struct eval_report *report = NULL;
    struct interval_options intervals = {0};
    bootstrap_options_init(&intervals.bootstrap);
    intervals.bootstrap.resamples = resamples;
    eval_options_init(&options);
    static const char *const metrics[] = {"accuracy", "f1", "log_loss", "ndcg@10"};
    options.metrics = metrics;
    options.metric_count = 4;
    options.intervals = resamples ? &intervals : NULL;
    options.slices = slices;
    if (eval_run(&report, &s->p, &options)) {
        fail_msg("%s", err_message());
    }
    return report;
}

static double get(const struct eval_report *report, const char *name)
{
    double value = NAN;
    const char *reason = NULL;
    if (!eval_report_get(report, name, &value, &reason)) {
        fail_msg("%s: %s", name, reason);
    }
    return value;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9)) {
        fail_msg("%.17g is not %.17g", a, b);
    }
}

/* What is true of a figure of some rows, counted by hand. */
static double accuracy_of(const struct sample *s, const char *group, double *selected, double *hits)
{
    double rows = 0;
    double right = 0;
    double positives = 0;
    *selected = *hits = 0;
    for (size_t i = 0; i < ROWS; i++) {
        if (!strcmp(s->group[i], group)) {
            rows++;
            right += s->label[i] == s->predicted[i];
            positives += s->label[i];
            *selected += s->predicted[i];
            *hits += s->label[i] && s->predicted[i];
        }
    }
    *selected /= rows;
    *hits /= positives;
    return right / rows;
}

static void finds_the_worst_and_the_gaps(void **state)
{
    (void)state;
    static struct sample s;
    static const char *const slices[] = {"group", "truncated"};
    static const char *const metrics[] = {"accuracy", "log_loss"};
    struct slice_options o;
    double selected[2];
    double hits[2];
    sample_new(&s);
    slice_options_init(&o);
    o.slices = slices;
    o.count = 2;
    o.metrics = metrics;
    o.metric_count = 2;
    struct eval_report *report = evaluate(&s, &o, 0);
    double a = accuracy_of(&s, "a", &selected[0], &hits[0]);
    double b = accuracy_of(&s, "b", &selected[1], &hits[1]);
    assert_true(b < a);
    near(get(report, "worst(group).accuracy"), b);
    near(get(report, "gap(group).demographic_parity"), fabs(selected[0] - selected[1]));
    near(get(report, "gap(group).equal_opportunity"), fabs(hits[0] - hits[1]));
    assert_true(get(report, "worst(group).log_loss") > get(report, "log_loss"));
    double value;
    const char *reason;
    assert_false(eval_report_get(report, "worst(group).f1", &value, &reason));
    assert_string_equal(reason, "it is no figure of the slices");
    assert_false(eval_report_get(report, "worst(brand).f1", &value, &reason));
    assert_false(eval_report_get(report, "low(f1)", &value, &reason));
    assert_string_equal(reason, "there are no intervals");
    struct buf text = {0};
    assert_int_equal(eval_gate(report, "worst(group).accuracy>=0.99", &text), RECO_E_GATE);
    assert_int_equal(eval_gate(report, "gap(group).exposure<=1", &text), 0);
    buf_clear(&text);
    assert_int_equal(eval_report_text(report, &text), 0);
    const char *worse = strstr(buf_str(&text), "\n  b ");
    const char *well = strstr(buf_str(&text), "\n  a ");
    const char *small = strstr(buf_str(&text), "\n  c ");
    assert_true(worse && well && small && worse < well && well < small);
    buf_release(&text);
    json_t *json = eval_report_json(report);
    assert_int_equal(json_array_size(json_object_get(json, "slices")), 2);
    json_decref(json);
    eval_report_free(report);
    label_map_release(&s.p.labels);
}

/* Singh and Joachims 2018, figure 1: six items of nearly equal merit, those of one group ranked first. */
static void exposure_is_that_of_the_paper(void **state)
{
    (void)state;
    static struct sample s;
    struct slice_options o;
    struct slice_groups g;
    struct slice_rates rates[4];
    sample_new(&s);
    s.p.rows = 6;
    for (size_t i = 0; i < 6; i++) {
        s.query[i] = 0;
        s.score[i] = 0.82 - 0.01 * (double)i;
        s.group[i] = i < 3 ? "men" : "women";
        s.label[i] = 1;
    }
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(slice_rates_of(rates, &g, &s.p, EVAL_TIES_DOCNO), 0);
    size_t men = strcmp(g.names[0], "men") != 0;
    near(rates[men].exposure, (1 + 1 / log2(3) + 0.5) / 3);
    near(rates[!men].exposure, (1 / log2(5) + 1 / log2(6) + 1 / log2(7)) / 3);
    assert_true(fabs(rates[men].exposure - 0.71) < 0.005 && fabs(rates[!men].exposure - 0.39) < 0.005);
    bool use[] = {true, true};
    double gaps[SLICE_GAP_COUNT];
    struct slice_gap_ends ends[SLICE_GAP_COUNT];
    slice_gaps_of(gaps, ends, rates, use, 2);
    near(gaps[SLICE_GAP_EXPOSURE], rates[men].exposure - rates[!men].exposure);
    near(gaps[SLICE_GAP_EXPOSURE_MERIT], rates[!men].exposure / rates[men].exposure);
    use[0] = false;
    slice_gaps_of(gaps, ends, rates, use, 2);
    assert_true(isnan(gaps[SLICE_GAP_EXPOSURE]));
    slice_groups_release(&g);
    label_map_release(&s.p.labels);
}

static double exposure_of_first(const struct predictions *p, enum eval_ties ties, const char *slice)
{
    struct slice_options o;
    struct slice_groups g;
    struct slice_rates rates[4];
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, slice, p, &o), 0);
    assert_int_equal(slice_rates_of(rates, &g, p, ties), 0);
    slice_groups_release(&g);
    return rates[0].exposure;
}

static void equal_scores_share_exposure(void **state)
{
    (void)state;
    static struct sample s;
    static double position[ROWS];
    sample_new(&s);
    s.p.rows = 4;
    for (size_t i = 0; i < 4; i++) {
        s.query[i] = 0;
        s.score[i] = i < 3 ? 0.5 : 0.9; /* one above three equal ones */
        s.group[i] = i < 2 ? "a" : i == 2 ? "b" : "c";
        position[i] = i ? (double)i + 1 : NAN;
    }
    near(exposure_of_first(&s.p, EVAL_TIES_FILE, "group"), (1 / log2(3) + 0.5) / 2);
    near(exposure_of_first(&s.p, EVAL_TIES_EXPECTED, "group"), (1 / log2(3) + 0.5 + 1 / log2(5)) / 3);
    s.p.score = NULL; /* what was shown: at positions nothing, 2, 3, 4 */
    s.p.position = position;
    near(exposure_of_first(&s.p, EVAL_TIES_DOCNO, "group"), 1 / log2(3));
    label_map_release(&s.p.labels);
}

/* A target that is missing is none of 0. */
static void missing_targets_are_no_merit(void **state)
{
    (void)state;
    static struct sample s;
    double target[] = {2, NAN, -1, 4};
    struct slice_options o;
    struct slice_groups g;
    struct slice_rates rates[4];
    sample_new(&s);
    s.p.rows = 4;
    s.p.label = NULL;
    s.p.predicted = NULL;
    s.p.p = NULL;
    s.p.target = target;
    for (size_t i = 0; i < 4; i++) {
        s.group[i] = i < 2 ? "a" : "b";
    }
    slice_options_init(&o);
    assert_int_equal(slice_groups_new(&g, "group", &s.p, &o), 0);
    assert_int_equal(slice_rates_of(rates, &g, &s.p, EVAL_TIES_DOCNO), 0);
    near(rates[0].merit, 2);
    near(rates[1].merit, 2); /* of -1, which counts as 0, and 4 */
    slice_groups_release(&g);
    label_map_release(&s.p.labels);
}

/* The interval of a gap is that of the difference between its two groups, by a bootstrap done here. */
static void gaps_have_intervals(void **state)
{
    (void)state;
    enum { RESAMPLES = 400 };
    static struct sample s;
    static const char *const slices[] = {"group"};
    static const char *const metrics[] = {"accuracy"};
    static uint32_t draws[QUERIES];
    struct slice_options o;
    struct eval_options options;
    struct interval_options intervals = {0};
    struct eval_report *report = NULL;
    sample_new(&s);
    slice_options_init(&o);
    o.slices = slices;
    o.metrics = metrics;
    o.count = o.metric_count = 1;
    bootstrap_options_init(&intervals.bootstrap);
    intervals.bootstrap.resamples = RESAMPLES;
    intervals.bootstrap.method = BOOTSTRAP_PERCENTILE;
    eval_options_init(&options);
    options.metrics = metrics;
    options.metric_count = 1;
    options.intervals = &intervals;
    options.slices = &o;
    assert_int_equal(eval_run(&report, &s.p, &options), 0);
    double gap = get(report, "gap(group).equal_opportunity");
    double low = get(report, "low(gap(group).equal_opportunity)");
    double high = get(report, "high(gap(group).equal_opportunity)");
    double below = 0;
    double above = 0;
    for (size_t b = 0; b < RESAMPLES; b++) { /* other draws than the library's: only the shares must agree */
        double positives[2] = {0};
        double hits[2] = {0};
        memset(draws, 0, sizeof draws);
        bootstrap_draw(draws, QUERIES, 99, b);
        for (size_t i = 0; i < ROWS; i++) {
            bool a = !strcmp(s.group[i], "a");
            if (s.label[i] && strcmp(s.group[i], "c") != 0) {
                positives[a] += draws[s.query[i]];
                hits[a] += draws[s.query[i]] * (double)s.predicted[i];
            }
        }
        double difference = hits[1] / positives[1] - hits[0] / positives[0];
        below += difference < low;
        above += difference > high;
    }
    assert_true(low < gap && gap < high);
    assert_true(below / RESAMPLES < 0.06 && above / RESAMPLES < 0.06 && below + above > 0);
    eval_report_free(report);
    label_map_release(&s.p.labels);
}

/* A group without a value stands behind those that have one, small ones behind all; what has no value apart. */
static void groups_are_in_order(void **state)
{
    (void)state;
    static struct sample s;
    static const char *const slices[] = {"group"};
    static const char *const metrics[] = {"recall", "loss"};
    struct slice_options o;
    sample_new(&s);
    for (size_t i = 0; i < ROWS; i++) {
        if (i % 6 == 1) {
            s.group[i] = "n"; /* no positive: no recall */
            s.label[i] = 0;
        } else if (i % 6 == 2) {
            s.group[i] = "";
        }
    }
    slice_options_init(&o);
    o.slices = slices;
    o.count = 1;
    o.metrics = metrics;
    o.metric_count = 2;
    struct eval_report *report = evaluate(&s, &o, 0);
    json_t *json = eval_report_json(report);
    json_t *slice = json_array_get(json_object_get(json, "slices"), 0);
    json_t *groups = json_object_get(slice, "groups");
    static const char *const names[] = {"b", "a", "n", "c"};
    assert_int_equal(json_array_size(groups), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(groups, i), "group")), names[i]);
    }
    assert_int_equal(json_integer_value(json_object_get(json_object_get(slice, "without_value"), "rows")), ROWS / 6);
    json_decref(json);
    assert_true(get(report, "worst(group).loss") > 0.1); /* by the alias, too */
    near(get(report, "worst(group).loss"), get(report, "worst(group).log_loss"));
    struct buf line = {0};
    assert_int_equal(eval_gate(report, "worst(group).recall<=1", &line), 0);
    assert_non_null(strstr(buf_str(&line), "undefined in 1 of 3 groups)"));
    buf_release(&line);
    eval_report_free(report);
    label_map_release(&s.p.labels);
}

static void intervals_hold_the_values(void **state)
{
    (void)state;
    static struct sample s;
    static const char *const names[] = {"accuracy", "f1", "log_loss", "ndcg@10"};
    sample_new(&s);
    struct eval_report *report = evaluate(&s, NULL, 200);
    for (size_t i = 0; i < 4; i++) {
        char low[32];
        char high[32];
        snprintf(low, sizeof low, "low(%s)", names[i]);
        snprintf(high, sizeof high, "high(%s)", names[i]);
        assert_true(get(report, low) < get(report, names[i]) && get(report, names[i]) < get(report, high));
    }
    eval_report_free(report);
    s.p.query_count = 1; /* one query: nothing to resample */
    memset(s.query, 0, sizeof s.query);
    report = evaluate(&s, NULL, 100);
    double value;
    const char *reason;
    assert_false(eval_report_get(report, "low(f1)", &value, &reason));
    assert_string_equal(reason, "there are too few to resample");
    eval_report_free(report);
    label_map_release(&s.p.labels);
}

/* Queries are taken by their ids, wherever their rows stand. */
static void order_of_rows_changes_no_interval(void **state)
{
    (void)state;
    static struct sample s;
    static struct sample turned;
    sample_new(&s);
    sample_new(&turned);
    for (size_t i = 0; i < ROWS; i++) {
        size_t j = ROWS - 1 - i;
        turned.label[i] = s.label[j];
        turned.predicted[i] = s.predicted[j];
        turned.score[i] = s.score[j];
        turned.p_of[2 * i] = s.p_of[2 * j];
        turned.p_of[2 * i + 1] = s.p_of[2 * j + 1];
        turned.query[i] = QUERIES - 1 - s.query[j];
    }
    for (size_t q = 0; q < QUERIES; q++) {
        turned.query_ids[q] = s.query_ids[QUERIES - 1 - q];
    }
    struct eval_report *one = evaluate(&s, NULL, 100);
    struct eval_report *two = evaluate(&turned, NULL, 100);
    near(get(one, "low(f1)"), get(two, "low(f1)"));
    near(get(one, "high(log_loss)"), get(two, "high(log_loss)"));
    near(get(one, "high(ndcg@10)"), get(two, "high(ndcg@10)"));
    eval_report_free(one);
    eval_report_free(two);
    label_map_release(&s.p.labels);
    label_map_release(&turned.p.labels);
}

static void names_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum slice_name_kind kind;
        enum slice_name_bound bound;
        const char *slice, *metric;
    } good[] = {{"f1", SLICE_NAME_METRIC, SLICE_NAME_VALUE, NULL, "f1"},
                {"low(ndcg@10)", SLICE_NAME_METRIC, SLICE_NAME_LOW, NULL, "ndcg@10"},
                {"high(f1_a(b))", SLICE_NAME_METRIC, SLICE_NAME_HIGH, NULL, "f1_a(b)"},
                {"worst(lang).f1", SLICE_NAME_WORST, SLICE_NAME_VALUE, "lang", "f1"},
                {"worst(price:quartile).auc", SLICE_NAME_WORST, SLICE_NAME_VALUE, "price:quartile", "auc"},
                {"worst(price (EUR)).f1_a(b)", SLICE_NAME_WORST, SLICE_NAME_VALUE, "price (EUR)", "f1_a(b)"},
                {"worst(a).b).f1", SLICE_NAME_WORST, SLICE_NAME_VALUE, "a).b", "f1"},
                {"worst(lang+price:10|50).f1", SLICE_NAME_WORST, SLICE_NAME_VALUE, "lang+price:10|50", "f1"},
                {"low(worst(lang).f1)", SLICE_NAME_WORST, SLICE_NAME_LOW, "lang", "f1"},
                {"worst(lang).high(log_loss)", SLICE_NAME_WORST, SLICE_NAME_HIGH, "lang", "log_loss"},
                {"high(gap(lang).exposure)", SLICE_NAME_GAP, SLICE_NAME_HIGH, "lang", "exposure"},
                {"gap(lang).equalized_odds", SLICE_NAME_GAP, SLICE_NAME_VALUE, "lang", "equalized_odds"}};
    static const char *const bad[] = {
        "low(f1",    "low()",        "worst(lang)",  "worst(lang).nope",    "gap(lang).f1", "worst(price:many).f1",
        "low(nope)", "worst().f1",   "worst(a+).f1", "worst(a+b+c+d+e).f1", "low(low(f1))", "gap(lang).",
        "worst(",    "worst(lang)f1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct slice_name name;
        if (slice_name_parse(&name, good[i].text)) {
            fail_msg("%s: %s", good[i].text, err_message());
        }
        assert_int_equal(name.kind, good[i].kind);
        assert_int_equal(name.bound, good[i].bound);
        assert_string_equal(name.metric, good[i].metric);
        assert_true(!name.slice == !good[i].slice);
        if (name.slice) {
            assert_string_equal(name.slice, good[i].slice);
        }
        slice_name_release(&name);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct slice_name name;
        if (slice_name_parse(&name, bad[i]) != RECO_E_USAGE) {
            fail_msg("%s is taken", bad[i]);
        }
    }
}

/* Several weights at once give what each gives alone, for every figure but those of the catalogue. */
static void many_weights_are_each_one(void **state)
{
    (void)state;
    static const char *const cases[] = {"binary", "graded", "missing", "one_class", "regression"};
    enum { COUNT = 11 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char path[512];
        struct predictions *p = NULL;
        struct eval_options options;
        struct eval_report *report = NULL;
        struct eval_weighted *weighted = NULL;
        struct eval_scratch *scratch = NULL;
        struct rng r;
        snprintf(path, sizeof path, RECO_SOURCE_DIR "/tests/reference/metrics/%s.tsv", cases[i]);
        assert_int_equal(predictions_read(&p, path), 0);
        eval_options_init(&options);
        options.by_query = true;
        options.relevance_level = 1;
        assert_int_equal(eval_run(&report, p, &options), 0);
        assert_int_equal(eval_weighted_new(&weighted, report, NULL, 0), 0);
        size_t units = eval_weighted_units(weighted);
        size_t figures = eval_weighted_count(weighted);
        uint32_t *weights = mem_calloc(COUNT * units, sizeof *weights);
        double *many = mem_calloc(COUNT * figures, sizeof *many);
        double *one = mem_calloc(figures, sizeof *one);
        rng_init(&r, 23, RNG_STREAM_SAMPLE, (uint32_t)i);
        for (size_t u = 0; u < (COUNT - 1) * units; u++) { /* the last weighs nothing */
            weights[u] = (uint32_t)rng_below(&r, 4);
        }
        assert_int_equal(eval_scratch_new(&scratch, weighted), 0);
        assert_int_equal(eval_weighted_many(weighted, scratch, COUNT, weights, many), 0);
        for (size_t k = 0; k < COUNT; k++) {
            assert_int_equal(eval_weighted_values(weighted, scratch, weights + k * units, one), 0);
            for (size_t f = 0; f < figures; f++) {
                double other = many[k * figures + f];
                bool catalogue = strchr("cpndegt", eval_weighted_name(weighted, f)[0]) && isnan(other);
                if (!catalogue && !(fabs(other - one[f]) <= 1e-9 * fmax(1, fabs(one[f]))) &&
                    !(isnan(other) && isnan(one[f]))) {
                    fail_msg("%s %s: %.17g, alone %.17g", cases[i], eval_weighted_name(weighted, f), other, one[f]);
                }
            }
        }
        mem_free(weights);
        mem_free(many);
        mem_free(one);
        eval_scratch_free(scratch);
        eval_weighted_free(weighted);
        eval_report_free(report);
        predictions_free(p);
    }
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    static struct sample s;
    static const char *const slices[] = {"group+truncated", "number:quartile", "query_length", "query_frequency"};
    struct slice_options o;
    struct eval_options options;
    struct interval_options intervals = {0};
    static const char *const metrics[] = {"accuracy", "ndcg@10"};
    sample_new(&s);
    slice_options_init(&o);
    o.slices = slices;
    o.count = 4;
    o.max_groups = 2;
    o.metrics = metrics;
    o.metric_count = 2;
    bootstrap_options_init(&intervals.bootstrap);
    intervals.bootstrap.resamples = 4;
    intervals.bootstrap.groups = 4;
    eval_options_init(&options);
    options.metrics = metrics;
    options.metric_count = 2;
    options.intervals = &intervals;
    options.slices = &o;
    for (long n = 1;; n++) {
        struct eval_report *report = NULL;
        mem_fail_after(n);
        int rc = eval_run(&report, &s.p, &options);
        mem_fail_after(0);
        eval_report_free(report);
        if (!rc) {
            assert_true(n > 50);
            break;
        }
        assert_int_equal(rc, RECO_E_NOMEM);
    }
    label_map_release(&s.p.labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_rows_in_groups),
        cmocka_unit_test(several_are_put_together),
        cmocka_unit_test(every_column_can_be_sliced),
        cmocka_unit_test(words_of_every_script_are_counted),
        cmocka_unit_test(frequent_queries_are_the_head),
        cmocka_unit_test(finds_the_worst_and_the_gaps),
        cmocka_unit_test(exposure_is_that_of_the_paper),
        cmocka_unit_test(equal_scores_share_exposure),
        cmocka_unit_test(missing_targets_are_no_merit),
        cmocka_unit_test(gaps_have_intervals),
        cmocka_unit_test(groups_are_in_order),
        cmocka_unit_test(intervals_hold_the_values),
        cmocka_unit_test(order_of_rows_changes_no_interval),
        cmocka_unit_test(names_are_parsed),
        cmocka_unit_test(many_weights_are_each_one),
        cmocka_unit_test(survives_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
