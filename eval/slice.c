#include "eval/slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "eval/interval.h"
#include "eval/report.h"

/* What a slice shows where no metrics are named, as far as it applies. */
static const char *const usual_metrics[] = {"f1", "accuracy", "auc", "log_loss", "ndcg@10", "rmse", "ctr", "cvr", NULL};

void eval_slices_free(struct eval_slices *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; s->slices && i < s->count; i++) {
        struct slice_result *r = &s->slices[i];
        for (size_t g = 0; r->items && g < r->groups.count; g++) {
            mem_free(r->items[g].values);
            mem_free(r->items[g].reasons);
            mem_free(r->items[g].intervals);
        }
        mem_free(r->items);
        slice_groups_release(&r->groups);
    }
    for (size_t i = 0; s->metrics && i < s->metric_count; i++) {
        mem_free(s->metrics[i]);
    }
    mem_free(s->metrics);
    mem_free(s->directions);
    mem_free(s->slices);
    mem_free(s);
}

/* ---- one group ---- */

static int count_queries(size_t *queries, const struct predictions *rows)
{
    bool *there = mem_calloc(rows->query_count + 1, sizeof *there);
    if (!there) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; rows->query && row < rows->rows; row++) {
        *queries += !there[rows->query[row]];
        there[rows->query[row]] = true;
    }
    mem_free(there);
    return 0;
}

static int group_new(struct slice_group *out, const struct eval_slices *s, const struct predictions *p,
                     const bool *keep, const struct eval_options *eval)
{
    struct predictions *rows = NULL;
    struct eval_report *report = NULL;
    size_t count = s->metric_count;
    out->values = mem_calloc(count + 1, sizeof *out->values);
    out->reasons = mem_calloc(count + 1, sizeof *out->reasons);
    int rc = out->values && out->reasons ? predictions_select(&rows, p, keep) : RECO_E_NOMEM;
    if (!rc && eval->intervals) {
        out->intervals = mem_calloc(count + 1, sizeof *out->intervals);
        rc = out->intervals ? 0 : RECO_E_NOMEM;
    }
    if (!rc) {
        rc = eval_run(&report, rows, eval);
    }
    for (size_t m = 0; !rc && m < count; m++) {
        for (size_t i = 0; i < report->value_count; i++) {
            if (!strcmp(report->values[i].name, s->metrics[m])) {
                out->values[m] = report->values[i].value;
                out->reasons[m] = report->values[i].reason;
                if (out->intervals) {
                    out->intervals[m] = report->intervals->of[i];
                }
            }
        }
    }
    if (!rc) {
        out->rows = rows->rows;
        out->small = rows->rows < s->min_rows;
        rc = count_queries(&out->queries, rows);
    }
    eval_report_free(report);
    predictions_free(rows);
    return rc;
}

/* ---- the worst first ---- */

static double badness(const struct slice_group *g, int direction)
{
    return direction < 0 ? g->values[0] : -g->values[0];
}

/* Small groups and those without a value last, empty ones behind all; equals by name. qsort has no context: directions
 * come with the item. */
struct sorted {
    struct slice_group group;
    int direction;
};

static int compare_groups(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    if (!a->group.rows != !b->group.rows) {
        return a->group.rows ? -1 : 1;
    }
    bool last_a = a->group.small || isnan(a->group.values[0]);
    bool last_b = b->group.small || isnan(b->group.values[0]);
    if (last_a != last_b) {
        return last_a - last_b;
    }
    double bad_a = badness(&a->group, a->direction);
    double bad_b = badness(&b->group, b->direction);
    return bad_a > bad_b ? -1 : bad_a < bad_b ? 1 : strcmp(a->group.name, b->group.name);
}

static int sort_groups(struct slice_result *r, int direction)
{
    struct sorted *order = mem_calloc(r->groups.count + 1, sizeof *order);
    if (!order) {
        return RECO_E_NOMEM;
    }
    for (size_t g = 0; g < r->groups.count; g++) {
        order[g] = (struct sorted){r->items[g], direction};
    }
    qsort(order, r->groups.count, sizeof *order, compare_groups);
    for (size_t g = 0; g < r->groups.count; g++) {
        r->items[g] = order[g].group;
    }
    mem_free(order);
    return 0;
}

/* ---- one slice ---- */

static int fill_gaps(struct slice_result *r, const struct predictions *p)
{
    size_t count = r->groups.count;
    struct slice_rates *rates = mem_calloc(count + 1, sizeof *rates);
    bool *use = mem_calloc(count + 1, sizeof *use);
    int rc = rates && use ? slice_rates_of(rates, &r->groups, p) : RECO_E_NOMEM;
    for (size_t g = 0; !rc && g < count; g++) {
        r->items[g].rates = rates[g];
        use[g] = !r->items[g].small;
    }
    if (!rc) {
        slice_gaps_of(r->gaps, rates, use, count);
    }
    mem_free(rates);
    mem_free(use);
    return rc;
}

static int slice_new(struct slice_result *out, const struct eval_slices *s, const char *name,
                     const struct predictions *p, const struct eval_options *eval, const struct slice_options *options)
{
    out->name = name;
    int rc = slice_groups_new(&out->groups, name, p, options);
    bool *keep = rc ? NULL : mem_calloc(p->rows + 1, sizeof *keep);
    out->items = rc ? NULL : mem_calloc(out->groups.count + 1, sizeof *out->items);
    if (!rc && (!keep || !out->items)) {
        rc = RECO_E_NOMEM;
    }
    for (size_t g = 0; !rc && g < out->groups.count; g++) {
        if (stop_requested()) {
            rc = err_set(RECO_E_STOPPED, "stopped in the slices");
            break;
        }
        for (size_t row = 0; row < p->rows; row++) {
            keep[row] = out->groups.of_row[row] == g;
        }
        out->items[g].name = out->groups.names[g];
        rc = group_new(&out->items[g], s, p, keep, eval);
    }
    if (!rc) {
        rc = fill_gaps(out, p);
    }
    if (!rc && s->metric_count) {
        rc = sort_groups(out, s->directions[0]);
    }
    mem_free(keep);
    return rc;
}

/* ---- all ---- */

static int add_metric(struct eval_slices *s, const char *name)
{
    s->metrics[s->metric_count] = mem_strdup(name);
    s->directions[s->metric_count] = eval_metric_direction(name);
    return s->metrics[s->metric_count] ? (s->metric_count++, 0) : RECO_E_NOMEM;
}

/* What gates need besides. */
static int add_also(struct eval_slices *s, const struct slice_options *options)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < options->also_count; i++) {
        size_t m = 0;
        while (m < s->metric_count && strcmp(s->metrics[m], options->also[i]) != 0) {
            m++;
        }
        rc = m == s->metric_count ? add_metric(s, options->also[i]) : 0;
    }
    return rc;
}

/* The metrics named, or the usual ones that all rows together have. */
static int choose_metrics(struct eval_slices *s, const struct predictions *p, const struct eval_options *eval,
                          const struct slice_options *options)
{
    size_t room = options->metric_count + options->also_count + sizeof usual_metrics / sizeof usual_metrics[0];
    struct eval_options asked = *eval;
    struct eval_report *report = NULL;
    s->metrics = mem_calloc(room + 1, sizeof *s->metrics);
    s->directions = mem_calloc(room + 1, sizeof *s->directions);
    int rc = s->metrics && s->directions ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < options->metric_count; i++) {
        rc = add_metric(s, options->metrics[i]);
    }
    if (rc || options->metric_count) {
        return rc ? rc : add_also(s, options);
    }
    asked.metrics = usual_metrics;
    asked.metric_count = sizeof usual_metrics / sizeof usual_metrics[0] - 1;
    asked.intervals = NULL;
    asked.need_relevance = false;
    rc = eval_run(&report, p, &asked);
    for (size_t i = 0; !rc && usual_metrics[i]; i++) {
        double value;
        if (eval_report_get(report, usual_metrics[i], &value, NULL)) {
            rc = add_metric(s, usual_metrics[i]);
        }
    }
    eval_report_free(report);
    return rc ? rc : add_also(s, options);
}

int eval_slices_new(struct eval_slices **out, const struct predictions *p, const struct eval_options *eval,
                    const struct slice_options *options)
{
    *out = NULL;
    struct eval_options of_group = *eval;
    struct eval_slices *s = mem_calloc(1, sizeof *s);
    int rc = s ? 0 : RECO_E_NOMEM;
    of_group.slices = NULL;
    of_group.by_query = of_group.by_truncation = false;
    of_group.also_count = 0;
    if (!rc) {
        s->min_rows = options->min_rows;
        s->with_intervals = eval->intervals != NULL;
        s->slices = mem_calloc(options->count + 1, sizeof *s->slices);
        rc = s->slices ? choose_metrics(s, p, &of_group, options) : RECO_E_NOMEM;
    }
    if (!rc && !s->metric_count) {
        rc = err_set(RECO_E_USAGE, "cannot slice: none of the usual figures applies; name some with --slice_metrics");
    }
    if (!rc) {
        of_group.metrics = (const char *const *)s->metrics;
        of_group.metric_count = s->metric_count;
    }
    for (size_t i = 0; !rc && i < options->count; i++) {
        rc = slice_new(&s->slices[s->count++], s, options->slices[i], p, &of_group, options);
    }
    if (rc) {
        eval_slices_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

/* ---- single figures ---- */

static const struct slice_result *find(const struct eval_slices *s, const char *slice)
{
    for (size_t i = 0; s && i < s->count; i++) {
        if (!strcmp(s->slices[i].name, slice)) {
            return &s->slices[i];
        }
    }
    return NULL;
}

double eval_slices_worst(const struct eval_slices *s, const char *slice, const char *metric, const char **reason)
{
    const struct slice_result *r = find(s, slice);
    double worst = NAN;
    size_t m = 0;
    *reason = "there is no such slice";
    while (r && m < s->metric_count && strcmp(s->metrics[m], metric) != 0) {
        m++;
    }
    if (!r || m == s->metric_count) {
        *reason = r ? "it is no figure of the slices" : *reason;
        return NAN;
    }
    for (size_t g = 0; g < r->groups.count; g++) {
        double value = r->items[g].values[m];
        if (!r->items[g].small && !isnan(value)) {
            bool worse = s->directions[m] < 0 ? value > worst : value < worst;
            worst = isnan(worst) || worse ? value : worst;
        }
    }
    *reason = isnan(worst) ? "no group of enough rows has a value" : NULL;
    return worst;
}

double eval_slices_gap(const struct eval_slices *s, const char *slice, const char *gap, const char **reason)
{
    const struct slice_result *r = find(s, slice);
    for (size_t i = 0; r && slice_gap_names[i]; i++) {
        if (!strcmp(slice_gap_names[i], gap)) {
            *reason = isnan(r->gaps[i]) ? "fewer than two groups of enough rows have a rate" : NULL;
            return r->gaps[i];
        }
    }
    *reason = "there is no such slice";
    return NAN;
}
