#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "eval/interval.h"
#include "eval/report.h"
#include "eval/slice_internal.h"

/* What a slice shows where no metrics are named, as far as it applies. */
static const char *const usual_metrics[] = {"f1", "accuracy", "auc", "log_loss", "ndcg@10", "rmse", "ctr", "cvr", NULL};

static void group_release(struct slice_group *g)
{
    mem_free(g->values);
    mem_free(g->reasons);
    mem_free(g->intervals);
}

void eval_slices_free(struct eval_slices *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; s->slices && i < s->count; i++) {
        struct slice_result *r = &s->slices[i];
        for (size_t g = 0; r->items && g < r->groups.count; g++) {
            group_release(&r->items[g]);
        }
        if (r->missing) {
            group_release(r->missing);
        }
        mem_free(r->missing);
        mem_free(r->items);
        mem_free(r->gap_intervals);
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

static void count_queries(size_t *queries, const struct predictions *rows)
{
    for (size_t q = 0, row = 0; rows->query && row < rows->rows; row++) {
        if (rows->query[row] >= q) { /* numbered in the order of first sight */
            q = rows->query[row] + 1;
            *queries = q;
        }
    }
}

static int group_new(struct slice_group *out, const struct eval_slices *s, const struct predictions *p,
                     const uint32_t *row_numbers, size_t count, const struct eval_options *eval)
{
    struct predictions *rows = NULL;
    struct eval_report *report = NULL;
    out->rows = count;
    out->small = count < s->min_rows;
    out->values = mem_calloc(s->metric_count + 1, sizeof *out->values);
    out->reasons = mem_calloc(s->metric_count + 1, sizeof *out->reasons);
    int rc = out->values && out->reasons ? predictions_take_rows(&rows, p, row_numbers, count) : RECO_E_NOMEM;
    if (!rc && eval->intervals) {
        out->intervals = mem_calloc(s->metric_count + 1, sizeof *out->intervals);
        rc = out->intervals ? 0 : RECO_E_NOMEM;
    }
    if (!rc) {
        rc = eval_run(&report, rows, eval);
    }
    for (size_t m = 0; !rc && m < s->metric_count; m++) { /* the report has these and no others */
        out->values[m] = report->values[m].value;
        out->reasons[m] = report->values[m].reason;
        if (out->intervals) {
            out->intervals[m] = report->intervals->of[m];
        }
    }
    if (!rc) {
        count_queries(&out->queries, rows);
    }
    eval_report_free(report);
    predictions_free(rows);
    return rc;
}

/* ---- the groups of a slice ---- */

/* Rows of one group stand together: rows[start[g]..start[g + 1]) are those of group g, behind all those of none. */
struct placed {
    uint32_t *rows;
    size_t *start; /* [groups + 2] */
};

static int place_rows(struct placed *placed, const struct slice_groups *groups, size_t count)
{
    placed->start = mem_calloc(groups->count + 3, sizeof *placed->start);
    placed->rows = mem_realloc_array(NULL, count + 1, sizeof *placed->rows);
    if (!placed->start || !placed->rows) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < count; row++) {
        uint32_t g = groups->of_row[row];
        placed->start[(g == SLICE_NO_GROUP ? groups->count : g) + 2]++;
    }
    for (size_t g = 2; g < groups->count + 3; g++) {
        placed->start[g] += placed->start[g - 1];
    }
    for (size_t row = 0; row < count; row++) {
        uint32_t g = groups->of_row[row];
        placed->rows[placed->start[(g == SLICE_NO_GROUP ? groups->count : g) + 1]++] = (uint32_t)row;
    }
    return 0;
}

struct work {
    struct slice_result *r;
    const struct eval_slices *s;
    const struct predictions *p;
    const struct eval_options *eval;
    const struct placed *placed;
    bool large; /* groups of many rows, one after the other, each by all threads; else the others */
};
/* Fewer rows are not worth threads of their own. */
enum { GROUP_LARGE = 1 << 17 };

static int run_group(void *arg, size_t g)
{
    const struct work *w = arg;
    size_t begin = w->placed->start[g];
    size_t count = w->placed->start[g + 1] - begin;
    bool is_missing = g == w->r->groups.count;
    if ((count >= GROUP_LARGE) != w->large || (is_missing && !count)) {
        return 0;
    }
    if (stop_requested()) {
        return err_set(RECO_E_STOPPED, "stopped in the slices");
    }
    struct eval_options eval = *w->eval;
    eval.threads = w->large ? eval.threads : 1;
    struct slice_group *to = is_missing ? w->r->missing : &w->r->items[g];
    to->name = is_missing ? "(no value)" : w->r->groups.names[g];
    return group_new(to, w->s, w->p, w->placed->rows + begin, count, &eval);
}

static int run_groups(struct work *w)
{
    struct pool *pool = NULL;
    size_t count = w->r->groups.count + 1;
    int rc = 0;
    w->large = true;
    for (size_t g = 0; !rc && g < count; g++) {
        rc = run_group(w, g);
    }
    w->large = false;
    if (!rc) {
        rc = pool_new(&pool, w->eval->threads > 1 ? w->eval->threads : 1);
    }
    if (!rc) {
        rc = pool_run(pool, count, run_group, w);
    }
    pool_free(pool);
    return rc;
}

/* Queries with rows in several groups. */
static int count_split(struct slice_result *r, const struct predictions *p)
{
    uint32_t *group = mem_realloc_array(NULL, p->query_count + 1, sizeof *group);
    bool *split = mem_calloc(p->query_count + 1, sizeof *split);
    int rc = group && split ? 0 : RECO_E_NOMEM;
    for (size_t q = 0; !rc && q < p->query_count; q++) {
        group[q] = SLICE_NO_GROUP;
    }
    for (size_t row = 0; !rc && p->query && row < p->rows; row++) {
        uint32_t q = p->query[row];
        uint32_t of_row = r->groups.of_row[row];
        if (of_row != SLICE_NO_GROUP && group[q] != SLICE_NO_GROUP && of_row != group[q] && !split[q]) {
            split[q] = true;
            r->split++;
        }
        group[q] = of_row == SLICE_NO_GROUP ? group[q] : of_row;
    }
    mem_free(group);
    mem_free(split);
    return rc;
}

/* ---- the worst first ---- */

/* qsort has no context: directions come with the item. */
struct sorted {
    struct slice_group group;
    int direction;
};

static int class_of(const struct slice_group *g)
{
    return !g->rows ? 3 : g->small ? 2 : isnan(g->values[0]) ? 1 : 0;
}

/* The worse first, those without a value last; equals by name. */
static int compare_groups(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    int order = class_of(&a->group) - class_of(&b->group);
    double bad_a = a->direction < 0 ? a->group.values[0] : -a->group.values[0];
    double bad_b = b->direction < 0 ? b->group.values[0] : -b->group.values[0];
    order = order ? order : isnan(bad_a) - isnan(bad_b);
    return order ? order : bad_a > bad_b ? -1 : bad_a < bad_b ? 1 : strcmp(a->group.name, b->group.name);
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

/* While the items stand in the order of the groups. */
static int fill_gaps(struct slice_result *r, const struct predictions *p, const struct eval_options *eval)
{
    size_t count = r->groups.count;
    struct slice_rates *rates = mem_calloc(count + 1, sizeof *rates);
    bool *use = mem_calloc(count + 1, sizeof *use);
    int rc = rates && use ? slice_rates_of(rates, &r->groups, p, eval->ties) : RECO_E_NOMEM;
    for (size_t g = 0; !rc && g < count; g++) {
        r->items[g].rates = rates[g];
        use[g] = !r->items[g].small;
    }
    if (!rc) {
        slice_gaps_of(r->gaps, r->gap_ends, rates, use, count);
    }
    if (!rc && eval->intervals) {
        rc = slice_gap_intervals(r, p, eval);
    }
    mem_free(rates);
    mem_free(use);
    return rc;
}

static int slice_new(struct slice_result *out, const struct eval_slices *s, const char *name,
                     const struct predictions *p, const struct eval_options *eval, const struct slice_options *options)
{
    struct placed placed = {0};
    struct work work = {out, s, p, eval, &placed, false};
    out->name = name;
    int rc = slice_groups_new(&out->groups, name, p, options);
    out->items = rc ? NULL : mem_calloc(out->groups.count + 1, sizeof *out->items);
    if (!rc && !out->items) {
        rc = RECO_E_NOMEM;
    }
    if (!rc && out->groups.missing) {
        out->missing = mem_calloc(1, sizeof *out->missing);
        rc = out->missing ? 0 : RECO_E_NOMEM;
    }
    if (!rc) {
        rc = place_rows(&placed, &out->groups, p->rows);
    }
    if (!rc) {
        rc = run_groups(&work);
    }
    if (!rc) {
        rc = count_split(out, p);
    }
    if (!rc) {
        rc = fill_gaps(out, p, eval);
    }
    if (!rc && s->metric_count) {
        rc = sort_groups(out, s->directions[0]);
    }
    mem_free(placed.rows);
    mem_free(placed.start);
    return rc;
}

/* ---- all ---- */

static int add_metric(struct eval_slices *s, const char *name)
{
    for (size_t m = 0; m < s->metric_count; m++) {
        if (!strcmp(s->metrics[m], slice_metric_name(name))) {
            return 0;
        }
    }
    s->metrics[s->metric_count] = mem_strdup(slice_metric_name(name));
    s->directions[s->metric_count] = eval_metric_direction(name);
    return s->metrics[s->metric_count] ? (s->metric_count++, 0) : RECO_E_NOMEM;
}

/* What gates need besides. */
static int add_also(struct eval_slices *s, const struct slice_options *options)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < options->also_count; i++) {
        rc = add_metric(s, options->also[i]);
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
