#include "eval/evaluate.h"

#include <string.h>

#include "core/mem.h"
#include "eval/curve.h"
#include "eval/interval.h"
#include "eval/rank.h"
#include "eval/report.h"
#include "eval/slice.h"
#include "eval/tally.h"

void eval_options_init(struct eval_options *options)
{
    *options = (struct eval_options){.relevance_level = NAN};
}

static double count_labels(const struct predictions *p, const struct metric_filter *filter)
{
    size_t rows = 0;
    for (size_t row = 0; row < p->rows; row++) {
        rows += metric_keeps(filter, row) && rank_is_judged(p, row);
    }
    return (double)rows;
}

static void prepare(struct eval_report *report, const struct predictions *p)
{
    struct metric_data *data = &report->data;
    report->p = p;
    data->p = p;
    data->classes = p->label ? p->labels.count : 0;
    data->positive = p->labels.positive;
    data->adaptive = &report->adaptive;
    data->rows = count_labels(p, &data->filter);
    for (size_t row = 0; p->truncated && row < p->rows; row++) {
        report->rows_truncated += p->truncated[row];
    }
}

/* The sums over all rows, and the curves' places. */
static int sum_up(struct eval_report *report, struct tally *tally, struct pool *pool)
{
    struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    report->sums = mem_calloc(tally->length, sizeof *report->sums);
    report->predicted = mem_calloc(n + 1, sizeof *report->predicted);
    data->curves = mem_calloc(n + 1, sizeof *data->curves);
    int rc = report->sums && report->predicted && data->curves ? tally_run(tally, report->sums, pool) : RECO_E_NOMEM;
    if (!rc) {
        tally_bind(tally, report->sums, report->predicted, data);
    }
    return rc;
}

static int run_curve(void *arg, size_t label)
{
    return curve_prepare(arg, (int)label);
}

/* Keys that are sorted at one time: 2 bytes a row, or 32 MiB. */
static size_t keys_max(const struct eval_report *report)
{
    const size_t least = (size_t)4 << 20;
    size_t share = (size_t)report->data.rows / 4;
    return share > least ? share : least;
}

/* The curves of all classes side by side, where they are asked for. */
static int compute_curves(struct eval_report *report, struct pool *pool)
{
    struct metric_data *data = &report->data;
    struct metric_orders orders = {0}; /* without the pool, since a task of it may not run another */
    size_t classes = 0;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        bool all = v->variant.form != METRIC_FORM_LABEL && (v->variant.form != METRIC_FORM_PLAIN || data->classes > 2);
        if (v->metric->needs & METRIC_NEEDS_SCORE && all && report_applies(report, v, &reason)) {
            classes = (size_t)data->classes;
        }
    }
    if (!pool || !classes) {
        return 0;
    }
    size_t threads = (size_t)pool_threads(pool);
    orders.keys_max = keys_max(report) / (threads < classes ? threads : classes) + 1;
    data->orders = &orders;
    int rc = pool_run(pool, classes, run_curve, data);
    data->orders = NULL;
    return rc;
}

static const char *why_no_rate(const struct eval_report *report, const struct eval_value *v)
{
    if (v->variant.form & (METRIC_FORM_IPS | METRIC_FORM_SNIPS) && !(report->behaviour.weighted > 0)) {
        return "no row has a propensity";
    }
    return v->variant.k != SIZE_MAX ? "no row within the depth counts" : v->metric->query_reason;
}

static int compute(struct eval_report *report, const struct tally *tally)
{
    int rc = 0;
    for (size_t i = 0, rate = 0; !rc && i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (report_is_by_query(v) || v->metric->catalogue) {
            continue;
        }
        v->value = NAN;
        if (report_applies(report, v, &v->reason)) {
            if (v->metric->value) {
                rc = v->metric->value(&report->data, &v->variant, &v->value, &v->reason);
            } else {
                v->value = tally_rate(tally, report->sums, rate++);
                v->reason = isnan(v->value) ? why_no_rate(report, v) : NULL;
            }
        }
        if (!v->reason && !isfinite(v->value)) {
            v->value = NAN;
            v->reason = "the value is not finite";
        }
    }
    return rc;
}

/* The figures of the catalogue into the report. */
static int compute_catalogue(struct eval_report *report)
{
    double *values = mem_alloc((report->value_count + 1) * sizeof *values);
    int rc = values ? catalogue_values(report, NULL, values) : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (v->metric->catalogue && report_applies(report, v, &v->reason)) {
            v->value = values[i];
            v->reason = isnan(v->value) ? v->metric->query_reason : NULL;
        }
    }
    mem_free(values);
    return rc;
}

int report_compute(struct eval_report *report, const struct tally *tally)
{
    int rc = report->lists.depth ? compute_catalogue(report) : 0;
    return rc ? rc : compute(report, tally);
}

static int run(struct eval_report *report, const struct predictions *p, const struct eval_options *options,
               struct pool *pool);

/* The same figures on the rows that were truncated, or on the others. */
static int run_part(struct eval_report **out, const struct predictions *p, bool truncated, size_t rows,
                    const struct eval_options *options, struct pool *pool)
{
    struct eval_options part = *options;
    part.by_truncation = part.by_query = false;
    part.intervals = NULL;
    part.slices = NULL;
    struct eval_report *report = mem_calloc(1, sizeof *report);
    *out = report;
    if (!report) {
        return RECO_E_NOMEM;
    }
    report->data.filter = (struct metric_filter){p->truncated, truncated};
    report->rows = rows;
    return run(report, p, &part, pool);
}

static int run(struct eval_report *report, const struct predictions *p, const struct eval_options *options,
               struct pool *pool)
{
    struct tally tally = {0};
    struct metric_orders orders = {.pool = pool};
    prepare(report, p);
    int rc = report_plan(report, options);
    if (!rc) {
        rc = tally_init(&tally, report);
    }
    if (!rc) {
        rc = sum_up(report, &tally, pool);
    }
    if (!rc) {
        rc = report_sum_rows(report);
    }
    if (!rc && report_has_ranking(report)) {
        rc = rank_predictions(report, options, pool);
    }
    if (!rc && report->lists.depth) {
        rc = compute_catalogue(report);
    }
    if (!rc) {
        rc = compute_curves(report, pool);
    }
    orders.keys_max = keys_max(report);
    report->data.orders = &orders;
    if (!rc) {
        rc = compute(report, &tally);
    }
    report->data.orders = NULL;
    tally_release(&tally);
    if (!rc && options->by_truncation && report->rows_truncated && report->rows_truncated < p->rows) {
        rc = run_part(&report->truncated, p, true, report->rows_truncated, options, pool);
        if (!rc) {
            rc = run_part(&report->whole, p, false, p->rows - report->rows_truncated, options, pool);
        }
    }
    if (!rc && options->intervals) {
        rc = eval_intervals_new(&report->intervals, report, options->intervals, pool ? pool_threads(pool) : 1);
    }
    if (!rc && options->slices) {
        rc = eval_slices_new(&report->slices, p, options, options->slices);
    }
    return rc;
}

int eval_run(struct eval_report **out, const struct predictions *p, const struct eval_options *options)
{
    *out = NULL;
    struct pool *pool = NULL;
    struct eval_report *report = mem_calloc(1, sizeof *report);
    int rc = report ? 0 : RECO_E_NOMEM;
    if (!rc && options->threads > 1) {
        rc = pool_new(&pool, options->threads);
    }
    if (!rc) {
        struct eval_options asked = *options;
        asked.by_query = options->by_query || options->intervals; /* they are made of the values by query */
        rc = run(report, p, &asked, pool);
    }
    pool_free(pool);
    if (rc) {
        eval_report_free(report);
        return rc;
    }
    *out = report;
    return 0;
}

void eval_report_free(struct eval_report *report)
{
    if (!report) {
        return;
    }
    for (int c = 0; report->data.curves && c < report->data.classes; c++) {
        curve_release(&report->data.curves[c]);
    }
    mem_free(report->data.curves);
    mem_free(report->sums);
    mem_free(report->predicted);
    catalogue_release(&report->lists);
    eval_arms_free(report->arms);
    mem_free(report->by_position);
    eval_report_free(report->truncated);
    eval_report_free(report->whole);
    for (size_t i = 0; i < report->value_count; i++) {
        mem_free(report->values[i].name);
    }
    mem_free(report->values);
    mem_free(report->queries);
    mem_free(report->by_query);
    eval_intervals_free(report->intervals);
    eval_slices_free(report->slices);
    json_decref(report->provenance);
    mem_free(report);
}

void eval_report_set_attributed(struct eval_report *report, const struct eval_attributed *attributed)
{
    report->attributed = *attributed;
}

int eval_report_add_arms(struct eval_report *report, const struct eval_arms_options *options)
{
    struct eval_arms *arms;
    int rc = eval_arms_new(&arms, report, options);
    if (!rc) {
        eval_arms_free(report->arms);
        report->arms = arms;
    }
    return rc;
}

size_t eval_report_count(const struct eval_report *report)
{
    return report->value_count;
}

const char *eval_report_value(const struct eval_report *report, size_t i, double *value, const char **reason)
{
    *value = report->values[i].value;
    if (reason) {
        *reason = report->values[i].reason;
    }
    return report->values[i].name;
}

int eval_metric_check(const char *name)
{
    struct metric_variant variant;
    const char *label;
    if (metric_find(name, &variant, &label)) {
        return 0;
    }
    const char *near = metric_nearest(name);
    return near ? err_set(RECO_E_USAGE, "unknown metric '%s'; did you mean '%s'?", name, near)
                : err_set(RECO_E_USAGE, "unknown metric '%s'; 'reco metric' lists them", name);
}

bool eval_metric_needs_lists(const char *name)
{
    struct metric_variant variant;
    const char *label;
    const struct metric *row = metric_find(name, &variant, &label);
    return row && (row->query || row->catalogue || variant.form == METRIC_FORM_LISTS);
}

int eval_metric_direction(const char *name)
{
    struct metric_variant variant;
    const char *label;
    const struct metric *row = metric_find(name, &variant, &label);
    return row ? row->direction : 0;
}
