#include "eval/mistakes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/report.h"

/* ---- how wrong is a row? ---- */

struct judge {
    const struct predictions *p;
    enum mistake_kind kind;
    double middle; /* MISTAKE_SCORE */
};

static enum mistake_kind kind_of(const struct predictions *p)
{
    if (p->target) {
        return p->value ? MISTAKE_VALUE : MISTAKE_NONE;
    }
    if (!p->label) {
        return MISTAKE_NONE;
    }
    if (p->predicted) {
        return predictions_has_p(p) ? MISTAKE_PROBABILITY : MISTAKE_CLASS;
    }
    return p->labels.count == 2 && predictions_has_score(p) ? MISTAKE_SCORE : MISTAKE_NONE;
}

/* Between the mean scores of the two classes; NaN: a class has no row. */
static double middle_of(const struct predictions *p)
{
    double sums[2] = {0, 0};
    double rows[2] = {0, 0};
    for (size_t row = 0; row < p->rows; row++) {
        double score = predictions_score(p, row);
        if (predictions_label(p, row) >= 0 && isfinite(score)) {
            bool positive = predictions_label(p, row) == p->labels.positive;
            sums[positive] += score;
            rows[positive]++;
        }
    }
    return (sums[0] / rows[0] + sums[1] / rows[1]) / 2;
}

/* False: no mistake. */
static bool judge(const struct judge *j, size_t row, double *size)
{
    const struct predictions *p = j->p;
    if (j->kind == MISTAKE_VALUE) {
        *size = fabs(p->value[row] - p->target[row]);
        return !isnan(*size);
    }
    int label = predictions_label(p, row);
    if (label < 0) {
        return false;
    }
    if (j->kind == MISTAKE_SCORE) {
        double above = predictions_score(p, row) - j->middle;
        *size = label == p->labels.positive ? -above : above;
        return *size > 0;
    }
    int predicted = predictions_predicted(p, row);
    if (predicted < 0 || predicted == label) {
        return false;
    }
    *size = j->kind == MISTAKE_PROBABILITY ? -predictions_p(p, row, label)
            : p->labels.graded             ? fabs(p->labels.grades[predicted] - p->labels.grades[label])
                                           : 1;
    return true;
}

/* ---- the worst of them: a heap whose root is the mildest that is kept ---- */

static bool is_milder(const struct mistake *a, const struct mistake *b)
{
    return a->size != b->size ? a->size < b->size : a->row > b->row;
}

static void sift_down(struct mistake *heap, size_t count, size_t at)
{
    for (;;) {
        size_t mildest = at;
        for (size_t child = 2 * at + 1; child < 2 * at + 3 && child < count; child++) {
            mildest = is_milder(&heap[child], &heap[mildest]) ? child : mildest;
        }
        if (mildest == at) {
            return;
        }
        struct mistake moved = heap[at];
        heap[at] = heap[mildest];
        heap[mildest] = moved;
        at = mildest;
    }
}

static void sift_up(struct mistake *heap, size_t at)
{
    while (at && is_milder(&heap[at], &heap[(at - 1) / 2])) {
        struct mistake moved = heap[at];
        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = moved;
        at = (at - 1) / 2;
    }
}

static int compare_mistakes(const void *left, const void *right)
{
    return is_milder(left, right) ? 1 : -1;
}

static int find_rows(struct mistakes *out, const struct predictions *p, size_t limit)
{
    struct judge j = {p, kind_of(p), 0};
    if (j.kind == MISTAKE_SCORE) {
        j.middle = middle_of(p);
        j.kind = isfinite(j.middle) ? j.kind : MISTAKE_NONE;
    }
    out->kind = j.kind;
    out->items = mem_alloc((limit + 1) * sizeof *out->items);
    if (!out->items) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; j.kind != MISTAKE_NONE && row < p->rows; row++) {
        struct mistake m = {.row = row};
        if (!judge(&j, row, &m.size)) {
            continue;
        }
        out->all++;
        if (out->count < limit) {
            out->items[out->count] = m;
            sift_up(out->items, out->count++);
        } else if (limit && is_milder(&out->items[0], &m)) {
            out->items[0] = m;
            sift_down(out->items, out->count, 0);
        }
    }
    qsort(out->items, out->count, sizeof *out->items, compare_mistakes);
    return 0;
}

/* ---- queries ---- */

size_t report_query_figure(const struct eval_report *report)
{
    size_t chosen = report->value_count;
    for (size_t i = 0; report->by_query && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool better = v->variant.form == METRIC_FORM_AT && !strncmp(v->metric->name, "ndcg", 4);
        bool fits = better || (v->metric->query && v->metric->needs & METRIC_NEEDS_RELEVANCE);
        if (fits && !v->reason && (chosen == report->value_count || better)) {
            chosen = i;
        }
    }
    return chosen;
}

static bool is_worse_query(const struct eval_report *report, const struct mistake_query *a,
                           const struct mistake_query *b)
{
    return a->value != b->value ? a->value < b->value
                                : strcmp(report->queries[a->query].id, report->queries[b->query].id) < 0;
}

/* Sorted by insertion: there are few. */
static void keep_query(struct mistakes *out, const struct eval_report *report, struct mistake_query found, size_t limit)
{
    size_t at = out->query_count;
    if (at == limit && !is_worse_query(report, &found, &out->queries[at - 1])) {
        return;
    }
    at = at == limit ? at - 1 : out->query_count++;
    for (; at && is_worse_query(report, &found, &out->queries[at - 1]); at--) {
        out->queries[at] = out->queries[at - 1];
    }
    out->queries[at] = found;
}

static int find_queries(struct mistakes *out, const struct eval_report *report, size_t limit)
{
    out->value = report_query_figure(report);
    if (out->value == report->value_count || !limit) {
        return 0;
    }
    out->queries = mem_alloc(limit * sizeof *out->queries);
    if (!out->queries) {
        return RECO_E_NOMEM;
    }
    for (size_t q = 0; q < report->query_count; q++) {
        double value = report->by_query[q * report->value_count + out->value];
        if (!isnan(value)) {
            keep_query(out, report, (struct mistake_query){q, SIZE_MAX, value}, limit);
        }
    }
    size_t missing = report->p && report->p->query ? out->query_count : 0;
    for (size_t row = 0; missing && row < report->p->rows; row++) {
        for (size_t i = 0; i < out->query_count; i++) {
            if (out->queries[i].row == SIZE_MAX && out->queries[i].query == report->p->query[row]) {
                out->queries[i].row = row;
                missing--;
            }
        }
    }
    return 0;
}

int mistakes_find(struct mistakes *out, const struct eval_report *report, size_t rows, size_t queries)
{
    int rc = report->p ? find_rows(out, report->p, rows) : 0;
    return rc ? rc : find_queries(out, report, queries);
}

void mistakes_release(struct mistakes *m)
{
    mem_free(m->items);
    mem_free(m->queries);
    *m = (struct mistakes){0};
}
