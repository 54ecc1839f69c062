#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/compare_internal.h"
#include "eval/paired.h"

/* The figures by query as columns: values of pair i and column c at i * columns + c, NaN where a run has none. */
struct table {
    size_t pairs, columns;
    double *a, *b, *difference;
    const char **text_a, **text_b; /* by query of the run; NULL: unknown */
};

static void table_release(struct table *t)
{
    mem_free(t->a);
    mem_free(t->b);
    mem_free(t->difference);
    mem_free(t->text_a);
    mem_free(t->text_b);
}

static int weighted_differences(void *arg, size_t count, const uint32_t *weights, double *out)
{
    const struct table *t = arg;
    for (size_t i = 0; i < count; i++) {
        const uint32_t *w = weights + i * t->pairs;
        for (size_t c = 0; c < t->columns; c++) {
            double sum = 0;
            double total = 0;
            for (size_t pair = 0; pair < t->pairs; pair++) {
                double d = t->difference[pair * t->columns + c];
                if (w[pair] && !isnan(d)) {
                    sum += w[pair] * d;
                    total += w[pair];
                }
            }
            out[i * t->columns + c] = sum / total;
        }
    }
    return 0;
}

/* ---- the queries to look at ---- */

struct ranked {
    double gained; /* b better: positive */
    size_t pair;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    return a->gained > b->gained ? -1 : a->gained < b->gained ? 1 : a->pair < b->pair ? -1 : a->pair > b->pair;
}

/* The first text of each query of a run, *out [query_count] allocated; NULL: it carries none. */
static int texts_of(const char ***out, const struct compare_run *run)
{
    const struct predictions *p = run->p;
    const char *const *texts = p && run->text_column ? predictions_extra_find(p, run->text_column) : NULL;
    *out = NULL;
    if (!texts || !p->query) {
        return 0;
    }
    *out = mem_calloc(p->query_count + 1, sizeof **out);
    for (size_t row = 0; *out && row < p->rows; row++) {
        const char **text = &(*out)[p->query[row]];
        *text = *text || !*texts[row] ? *text : texts[row];
    }
    return *out ? 0 : RECO_E_NOMEM;
}

static struct compare_query query_of(const struct table *t, const struct compare_matches *matches, size_t pair,
                                     size_t column)
{
    const struct compare_match *match = &matches->items[pair];
    const char *text = t->text_a ? t->text_a[match->a] : NULL;
    text = !text && t->text_b ? t->text_b[match->b] : text;
    return (struct compare_query){match->id, text && strcmp(text, match->id) ? text : NULL,
                                  t->a[pair * t->columns + column], t->b[pair * t->columns + column]};
}

static int list_queries(struct compare_task *task, struct compare_figure *f, const struct table *t,
                        const struct compare_matches *matches, size_t column)
{
    size_t listed = task->options->listed;
    size_t count = 0;
    struct ranked *order = mem_realloc_array(NULL, t->pairs + 1, sizeof *order);
    f->best = mem_calloc(listed + 1, sizeof *f->best);
    f->worst = mem_calloc(listed + 1, sizeof *f->worst);
    if (!order || !f->best || !f->worst) {
        mem_free(order);
        return RECO_E_NOMEM;
    }
    for (size_t pair = 0; pair < t->pairs; pair++) {
        double d = t->difference[pair * t->columns + column];
        if (!isnan(d)) {
            order[count++] = (struct ranked){f->direction < 0 ? -d : d, pair};
        }
    }
    qsort(order, count, sizeof *order, compare_ranked);
    for (size_t i = 0; i < count && i < listed && order[i].gained > 0; i++) {
        f->best[f->best_count++] = query_of(t, matches, order[i].pair, column);
    }
    for (size_t i = 0; i < count && i < listed && order[count - 1 - i].gained < 0; i++) {
        f->worst[f->worst_count++] = query_of(t, matches, order[count - 1 - i].pair, column);
    }
    mem_free(order);
    return 0;
}

/* ---- one figure ---- */

static int test_differences(struct compare_task *task, struct compare_figure *f, const double *d, size_t count)
{
    struct paired_test test = {0};
    int rc = 0;
    if (task->options->test == COMPARE_RANDOMISATION) {
        rc = paired_randomisation(&test, d, count, task->options->samples, task->options->bootstrap.seed, task->pool);
    } else if (task->options->test == COMPARE_T) {
        paired_t(&test, d, count);
    } else {
        rc = paired_wilcoxon(&test, d, count);
    }
    f->p = test.p;
    f->p_least =
        test.exact || task->options->test != COMPARE_RANDOMISATION ? 0 : 1 / (1 + (double)task->options->samples);
    f->exact = test.exact;
    f->no_test = test.reason;
    return rc;
}

static int fill_figure(struct compare_task *task, struct compare_figure *f, const struct table *t, size_t column,
                       double *d)
{
    struct paired_summary s;
    double sum_a = 0;
    double sum_b = 0;
    size_t count = 0;
    for (size_t pair = 0; pair < t->pairs; pair++) {
        double difference = t->difference[pair * t->columns + column];
        if (!isnan(difference)) {
            sum_a += t->a[pair * t->columns + column];
            sum_b += t->b[pair * t->columns + column];
            d[count++] = difference;
        }
    }
    f->pairs = count;
    f->left_out = t->pairs - count;
    if (!count) {
        f->reason = t->pairs ? "it is defined for no query in both" : "no query is in both";
        f->no_test = f->reason;
        return 0;
    }
    paired_summarise(&s, d, count, f->direction);
    f->a = sum_a / (double)count;
    f->b = sum_b / (double)count;
    f->difference = s.mean;
    f->sd = s.sd;
    f->effect = s.effect;
    f->wins = s.wins;
    f->losses = s.losses;
    f->ties = s.ties;
    if (!s.wins && !s.losses) { /* which t and Wilcoxon's ranks know nothing of */
        f->p = 1;
        f->exact = true;
        return 0;
    }
    return task->options->test == COMPARE_BOOTSTRAP ? 0 : test_differences(task, f, d, count);
}

static int fill_intervals(struct compare_task *task, struct compare_figure **figures, struct table *t)
{
    struct bootstrap b = {0};
    const struct bootstrap_options *options = &task->options->bootstrap;
    int rc = bootstrap_run(&b, options, t->pairs, t->columns, weighted_differences, t, task->pool);
    for (size_t c = 0; !rc && c < t->columns && t->pairs; c++) {
        if (compare_too_few(task, figures[c])) {
            continue;
        }
        rc = bootstrap_interval(&figures[c]->interval, &b, options, c, figures[c]->difference);
        if (!rc && task->options->test == COMPARE_BOOTSTRAP && !figures[c]->reason) {
            compare_test_by_bootstrap(figures[c], b.replicates + c * b.resamples, b.resamples);
        }
    }
    bootstrap_release(&b);
    return rc;
}

/* ---- all ---- */

const char **compare_query_ids(const struct eval_report *report)
{
    const char **ids = mem_calloc(report->query_count + 1, sizeof *ids);
    for (size_t q = 0; ids && report->queries && q < report->query_count; q++) {
        ids[q] = report->queries[q].id;
    }
    return ids;
}

/* The first value of a metric by query; the next query's is value_count further. NULL: the report has none. */
static const double *by_query(const struct eval_report *report, const char *metric)
{
    const struct eval_value *v = compare_value(report, metric);
    return v && report->by_query ? report->by_query + (v - report->values) : NULL;
}

static int fill_table(struct table *t, const struct compare_task *task, struct compare_figure *const *figures,
                      const struct compare_matches *matches)
{
    size_t cells = t->pairs * t->columns + 1;
    t->a = mem_realloc_array(NULL, cells, sizeof *t->a);
    t->b = mem_realloc_array(NULL, cells, sizeof *t->b);
    t->difference = mem_realloc_array(NULL, cells, sizeof *t->difference);
    if (!t->a || !t->b || !t->difference) {
        return RECO_E_NOMEM;
    }
    for (size_t c = 0; c < t->columns; c++) {
        const double *a = by_query(task->a->report, figures[c]->metric);
        const double *b = by_query(task->b->report, figures[c]->metric);
        for (size_t pair = 0; pair < t->pairs; pair++) {
            size_t cell = pair * t->columns + c;
            t->a[cell] = a ? a[matches->items[pair].a * task->a->report->value_count] : NAN;
            t->b[cell] = b ? b[matches->items[pair].b * task->b->report->value_count] : NAN;
            t->difference[cell] = t->b[cell] - t->a[cell];
        }
    }
    return 0;
}

int compare_queries(struct compare_task *task)
{
    const struct eval_report *a = task->a->report;
    const struct eval_report *b = task->b->report;
    struct compare_matches matches = {0};
    struct table t = {0};
    const char **ids_a = compare_query_ids(a);
    const char **ids_b = compare_query_ids(b);
    struct compare_figure **figures = mem_calloc(task->figure_count + 1, sizeof *figures);
    double *d = NULL;
    int rc = ids_a && ids_b && figures ? 0 : RECO_E_NOMEM;
    for (size_t f = 0; !rc && f < task->figure_count; f++) {
        if (task->figures[f].by_query) {
            figures[t.columns++] = &task->figures[f];
        }
    }
    if (!rc && t.columns) {
        rc = compare_match_ids(&matches, ids_a, a->query_count, ids_b, b->query_count);
    }
    if (!rc && t.columns) {
        task->pair->both = t.pairs = matches.count;
        task->pair->only_a = matches.only_a;
        task->pair->only_b = matches.only_b;
        if (!matches.count && a->query_count && b->query_count) {
            rc =
                err_set(RECO_E_DATA, "cannot compare '%s' and '%s': no query is in both", task->a->path, task->b->path);
        }
    }
    if (!rc && t.columns) {
        rc = fill_table(&t, task, figures, &matches);
        rc = rc ? rc : texts_of(&t.text_a, task->a);
        rc = rc ? rc : texts_of(&t.text_b, task->b);
        d = mem_realloc_array(NULL, t.pairs + 1, sizeof *d);
        rc = rc || d ? rc : RECO_E_NOMEM;
    }
    for (size_t c = 0; !rc && c < t.columns; c++) {
        rc = fill_figure(task, figures[c], &t, c, d);
        rc = rc ? rc : list_queries(task, figures[c], &t, &matches, c);
    }
    if (!rc && t.columns) {
        rc = fill_intervals(task, figures, &t);
    }
    table_release(&t);
    mem_free(matches.items);
    mem_free(d);
    mem_free(figures);
    mem_free(ids_a);
    mem_free(ids_b);
    return rc;
}
