#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "eval/rank.h"

/* Best score first; equal scores by item id, the greater first, as trec_eval breaks ties. */
static int compare_items(const void *left, const void *right)
{
    const struct rank_item *a = left;
    const struct rank_item *b = right;
    if (a->score != b->score) {
        return a->score > b->score ? -1 : 1;
    }
    return strcmp(b->id, a->id);
}

static int compare_descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a > b ? -1 : a < b;
}

void rank_release(struct rank *rank)
{
    mem_free(rank->items);
    mem_free(rank->ideal);
    mem_free(rank->grade);
    mem_free(rank->gain);
    mem_free(rank->discount);
    mem_free(rank->sums);
    *rank = (struct rank){0};
}

int rank_reserve(struct rank *rank, size_t items, size_t judged)
{
    size_t deep = items > judged ? items : judged;
    if (deep <= rank->capacity) {
        return 0;
    }
    size_t capacity = deep + deep / 2 + 16;
    struct {
        void **array;
        size_t size_bytes;
    } const arrays[] = {{(void **)&rank->items, sizeof *rank->items},
                        {(void **)&rank->ideal, sizeof *rank->ideal},
                        {(void **)&rank->grade, sizeof *rank->grade},
                        {(void **)&rank->gain, sizeof *rank->gain},
                        {(void **)&rank->discount, sizeof *rank->discount}};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        void *grown = mem_realloc_array(*arrays[i].array, capacity, arrays[i].size_bytes);
        if (!grown) {
            return RECO_E_NOMEM;
        }
        *arrays[i].array = grown;
    }
    for (size_t i = rank->capacity; i < capacity; i++) {
        rank->discount[i] = 1 / log2((double)i + 2);
    }
    rank->capacity = capacity;
    return 0;
}

int rank_begin(struct rank *rank, struct eval_report *report, const struct eval_options *options, size_t query_count,
               double lowest_grade)
{
    struct eval_ranking *ranking = &report->ranking;
    ranking->done = true;
    ranking->level_known = !isnan(options->relevance_level) || lowest_grade <= 0;
    ranking->relevance_level = isnan(options->relevance_level) ? 1 : options->relevance_level;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (options->need_relevance && !ranking->level_known && v->metric->needs & METRIC_NEEDS_RELEVANCE) {
            return err_set(
                RECO_E_USAGE,
                "'%s' needs --relevance_level, the grade from which an item is relevant: the lowest grade is %g",
                v->name, lowest_grade);
        }
    }
    rank->report = report;
    rank->sums = mem_calloc(report->value_count + 1, sizeof *rank->sums);
    if (!rank->sums) {
        return RECO_E_NOMEM;
    }
    report->query_count = query_count;
    if (options->by_query) {
        report->queries = mem_calloc(query_count + 1, sizeof *report->queries);
        report->by_query = mem_alloc((query_count * report->value_count + 1) * sizeof *report->by_query);
        if (!report->queries || !report->by_query) {
            return RECO_E_NOMEM;
        }
        for (size_t i = 0; i < query_count * report->value_count; i++) {
            report->by_query[i] = NAN;
        }
    }
    return 0;
}

/* Source of the summation: Neumaier 1974; the order of the queries then changes nothing that is printed. */
static void add_compensated(struct rank_sum *s, double value)
{
    double sum = s->sum + value;
    s->lost += fabs(s->sum) >= fabs(value) ? (s->sum - sum) + value : (value - sum) + s->sum;
    s->sum = sum;
}

void rank_query(struct rank *rank, size_t query, const char *id, size_t count, size_t judged)
{
    struct eval_report *report = rank->report;
    struct eval_ranking *ranking = &report->ranking;
    qsort(rank->items, count, sizeof *rank->items, compare_items);
    qsort(rank->ideal, judged, sizeof *rank->ideal, compare_descending);
    size_t tied = 0;
    for (size_t i = 0; i < count; i++) {
        rank->grade[i] = rank->items[i].grade;
        rank->gain[i] = rank->items[i].gain;
        tied += (i > 0 && rank->items[i - 1].score == rank->items[i].score) ||
                (i + 1 < count && rank->items[i + 1].score == rank->items[i].score);
    }
    struct metric_list list = {.count = count,
                               .grade = rank->grade,
                               .gain = rank->gain,
                               .ideal = rank->ideal,
                               .ideal_count = judged,
                               .relevant = rank->relevant,
                               .relevance_level = ranking->relevance_level,
                               .discount = rank->discount};
    ranking->queries++;
    ranking->items += count;
    ranking->tied += tied;
    ranking->irrelevant += ranking->level_known && !list.relevant;
    if (report->queries) {
        report->queries[query] = (struct eval_query){id, count, list.relevant, tied};
    }
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (!v->metric->query || (v->metric->needs & METRIC_NEEDS_RELEVANCE && !ranking->level_known)) {
            continue;
        }
        double value = v->metric->query(&list, v->variant.k);
        if (isnan(value)) {
            v->left_out++;
            continue;
        }
        v->queries++;
        add_compensated(&rank->sums[i], value);
        if (report->by_query) {
            report->by_query[query * report->value_count + i] = value;
        }
    }
}

void rank_end(struct rank *rank)
{
    struct eval_report *report = rank->report;
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (!v->metric->query) {
            continue;
        }
        if (!report_applies(report, v->metric, &v->reason)) {
            continue;
        }
        if (v->metric->needs & METRIC_NEEDS_RELEVANCE && !report->ranking.level_known) {
            v->reason = "the lowest grade is above 0 and no relevance level is given";
        } else if (!v->queries) {
            v->reason = v->left_out ? v->metric->query_reason : "there is no query";
        } else {
            v->value = (rank->sums[i].sum + rank->sums[i].lost) / (double)v->queries;
            v->reason = isfinite(v->value) ? NULL : "the value is not finite";
        }
    }
}

/* ---- of a predictions file ---- */

double rank_grade(const struct predictions *p, size_t row)
{
    if (p->target) {
        return p->target[row];
    }
    int label = p->label[row];
    return p->labels.graded ? p->labels.grades[label] : label == p->labels.positive;
}

static double lowest_grade(const struct predictions *p)
{
    double lowest = p->target || p->labels.graded ? INFINITY : 0;
    for (size_t row = 0; p->target && row < p->rows; row++) {
        lowest = p->target[row] < lowest ? p->target[row] : lowest;
    }
    for (int c = 0; !p->target && p->labels.graded && c < p->labels.count; c++) {
        lowest = p->labels.grades[c] < lowest ? p->labels.grades[c] : lowest;
    }
    return lowest;
}

bool rank_is_judged(const struct predictions *p, size_t row)
{
    return p->target ? !isnan(p->target[row]) : p->label[row] >= 0;
}

/* rows[start[q]..start[q + 1]) are the judged rows of query q. */
static int group_rows(const struct predictions *p, uint32_t **rows_out, size_t **start_out)
{
    size_t *start = mem_calloc(p->query_count + 2, sizeof *start);
    uint32_t *rows = mem_alloc((p->rows + 1) * sizeof *rows);
    *start_out = start;
    *rows_out = rows;
    if (!start || !rows) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        start[p->query[row] + 2] += rank_is_judged(p, row);
    }
    for (size_t q = 2; q < p->query_count + 2; q++) {
        start[q] += start[q - 1];
    }
    for (size_t row = 0; row < p->rows; row++) {
        if (rank_is_judged(p, row)) {
            rows[start[p->query[row] + 1]++] = (uint32_t)row;
        }
    }
    return 0;
}

int rank_predictions(struct eval_report *report, const struct eval_options *options)
{
    const struct predictions *p = report->p;
    struct rank rank = {0};
    uint32_t *rows = NULL;
    size_t *start = NULL;
    bool able = p->query && p->score && (p->label || p->target);
    int rc = rank_begin(&rank, report, options, able ? p->query_count : 0, able ? lowest_grade(p) : 0);
    if (!rc && able) {
        rc = group_rows(p, &rows, &start);
    }
    for (size_t q = 0; !rc && able && q < p->query_count; q++) {
        size_t count = start[q + 1] - start[q];
        rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while ranking") : rank_reserve(&rank, count, count);
        rank.relevant = 0;
        for (size_t i = 0; !rc && i < count; i++) {
            size_t row = rows[start[q] + i];
            double grade = rank_grade(p, row);
            double gain = options->gains && p->label ? options->gains[p->label[row]] : exp2(grade) - 1;
            const char *id = p->item_ids ? p->item_ids[row] : p->row_ids ? p->row_ids[row] : "";
            rank.items[i] = (struct rank_item){p->score[row], id, grade, gain};
            rank.ideal[i] = gain;
            rank.relevant += grade >= report->ranking.relevance_level;
        }
        if (!rc && count) {
            rank_query(&rank, q, p->query_ids ? p->query_ids[q] : "", count, count);
        }
    }
    if (!rc) {
        rank_end(&rank);
    }
    mem_free(rows);
    mem_free(start);
    rank_release(&rank);
    return rc;
}
