/* The queries of a predictions file, for rank.h. */

#include <string.h>

#include "core/mem.h"
#include "eval/rank.h"
#include "eval/tally.h"

double rank_grade(const struct predictions *p, size_t row)
{
    if (p->target) {
        return p->target[row];
    }
    int label = predictions_label(p, row);
    return p->labels.graded ? p->labels.grades[label] : label == p->labels.positive;
}

bool rank_is_judged(const struct predictions *p, size_t row)
{
    return p->target ? !isnan(p->target[row]) : p->label && p->label[row] >= 0;
}

void rank_grades(const struct predictions *p, double lowest, double highest, struct rank_source *source)
{
    for (int c = 0; p->label && p->labels.graded && c < p->labels.count; c++) {
        lowest = p->labels.grades[c] < lowest ? p->labels.grades[c] : lowest;
        highest = p->labels.grades[c] > highest ? p->labels.grades[c] : highest;
    }
    bool graded = p->target || (p->label && p->labels.graded);
    source->lowest_grade = graded ? lowest : 0;
    source->highest_grade = graded ? highest : 1;
}

struct groups {
    const struct predictions *p;
    const struct eval_report *report;
    const double *gains;
    bool ranks, has_events;
    /* rows[start[q]..start[q + 1]) are those of query q, in the order of the file; NULL: start counts the rows
     * themselves, since each query's stand together */
    uint32_t *rows;
    size_t *start; /* [query_count + 1] */
};

static bool stand_together(const struct predictions *p)
{
    for (size_t row = 0; row < p->rows; row++) {
        if (p->query[row] < (row ? p->query[row - 1] : 0)) {
            return false;
        }
    }
    return true;
}

static int group_rows(struct groups *groups, const struct predictions *p)
{
    const struct metric_filter *filter = &groups->report->data.filter;
    size_t *start = mem_calloc(p->query_count + 2, sizeof *start);
    bool together = !filter->flags && stand_together(p);
    uint32_t *rows = together ? NULL : mem_alloc((p->rows + 1) * sizeof *rows);
    groups->start = start;
    groups->rows = rows;
    if (!start || (!rows && !together)) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        start[p->query[row] + 2 - together] += metric_keeps(filter, row);
    }
    for (size_t q = 1; q < p->query_count + 2; q++) {
        start[q] += start[q - 1];
    }
    for (size_t row = 0; rows && row < p->rows; row++) {
        if (metric_keeps(filter, row)) {
            rows[start[p->query[row] + 1]++] = (uint32_t)row;
        }
    }
    return 0;
}

static void load_item(const struct groups *groups, struct rank_work *work, size_t row)
{
    const struct predictions *p = groups->p;
    struct rank_item *item = &work->items[work->item_count++];
    item->score = predictions_score(p, row);
    item->id = predictions_item_id(p, row);
    item->item = p->item ? p->item[row] : 0;
    item->order = row;
    item->grade = NAN;
    item->gain = 0;
    if (!rank_is_judged(p, row)) {
        return;
    }
    double level = groups->report->ranking.relevance_level;
    item->grade = rank_grade(p, row);
    item->gain = groups->gains && p->label ? groups->gains[predictions_label(p, row)] : exp2(item->grade) - 1;
    work->ideal[work->ideal_count++] = item->gain;
    work->relevant += item->grade >= level;
    work->irrelevant += item->grade < level;
}

static int load(const void *arg, struct rank_work *work, size_t query)
{
    const struct groups *groups = arg;
    const struct predictions *p = groups->p;
    size_t count = groups->start[query + 1] - groups->start[query];
    int rc = rank_reserve(work, groups->ranks ? count : 0, groups->ranks ? count : 0, groups->has_events ? count : 0);
    work->id = p->query_ids ? p->query_ids[query] : "";
    for (size_t i = 0; !rc && i < count; i++) {
        size_t row = groups->rows ? groups->rows[groups->start[query] + i] : groups->start[query] + i;
        if (groups->ranks) {
            load_item(groups, work, row);
        }
        if (groups->has_events) {
            event_of_row(&work->events[work->event_count], p, row);
            work->positions[work->event_count++] = p->position ? p->position[row] : NAN;
        }
    }
    return rc;
}

/* The places that the first items of each list take. */
static void place_lists(struct eval_lists *lists, const struct groups *groups, size_t query_count)
{
    for (size_t q = 0; lists->depth && q < query_count; q++) {
        size_t count = groups->start[q + 1] - groups->start[q];
        lists->start[q + 1] = lists->start[q] + (count < lists->depth ? count : lists->depth);
    }
}

int rank_predictions(struct eval_report *report, const struct eval_options *options, struct pool *pool)
{
    const struct predictions *p = report->p;
    struct groups groups = {.p = p, .report = report, .gains = options->gains};
    struct rank_source source = {.unjudged_left_out = true, .load = load, .arg = &groups};
    groups.ranks = p->query && predictions_has_score(p);
    for (size_t i = 0; i < report->value_count; i++) {
        groups.has_events = groups.has_events || report->values[i].metric->event;
    }
    source.query_count = p->query ? p->query_count : 0;
    double lowest = INFINITY;
    double highest = -INFINITY;
    for (size_t row = 0; p->target && row < p->rows; row++) {
        lowest = p->target[row] < lowest ? p->target[row] : lowest;
        highest = p->target[row] > highest ? p->target[row] : highest;
    }
    rank_grades(p, lowest, highest, &source);
    int rc = rank_begin(report, options, &source);
    if (!rc && p->query) {
        rc = group_rows(&groups, p);
    }
    if (!rc && p->query) {
        place_lists(&report->lists, &groups, source.query_count);
        rc = rank_run(report, &source, pool);
    } else if (!rc) {
        rc = rank_run(report, &source, NULL);
    }
    mem_free(groups.rows);
    mem_free(groups.start);
    return rc;
}
