#include "eval/rank.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "eval/sort.h"
#include "eval/tally.h"

#define BLOCK_QUERIES 256
#define NUMBER_ARRAYS 5 /* grade, gain, relevance, score, judged */

struct rank_order {
    uint64_t key; /* descending scores ascend */
    uint32_t index;
};

/* ---- one query at a time ---- */

static void work_release(struct rank_work *work)
{
    mem_free(work->items);
    mem_free(work->ideal);
    mem_free(work->events);
    mem_free(work->positions);
    mem_free(work->order);
    mem_free(work->spare_order);
    mem_free(work->numbers);
    mem_free(work->tie_end);
    mem_free(work->discount);
}

static int grow(void **array, size_t capacity, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, capacity, size_bytes);
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(array, factor) (rc = rc ? rc : grow((void **)&(array), capacity, (factor) * sizeof *(array)))

int rank_reserve(struct rank_work *work, size_t items, size_t judged, size_t events)
{
    int rc = 0;
    if (items > work->item_capacity || !work->numbers) { /* a list without items has room, too */
        size_t capacity = items + items / 2 + 16;
        GROW(work->items, 1);
        GROW(work->order, 1);
        GROW(work->spare_order, 1);
        GROW(work->numbers, NUMBER_ARRAYS);
        GROW(work->tie_end, 1);
        work->item_capacity = rc ? work->item_capacity : capacity;
    }
    if (!rc && judged > work->ideal_capacity) {
        size_t capacity = judged + judged / 2 + 16;
        GROW(work->ideal, 1);
        work->ideal_capacity = rc ? work->ideal_capacity : capacity;
    }
    if (!rc && events > work->event_capacity) {
        size_t capacity = events + events / 2 + 16;
        GROW(work->events, 1);
        GROW(work->positions, 1);
        work->event_capacity = rc ? work->event_capacity : capacity;
    }
    size_t deep = items > judged ? items : judged;
    if (!rc && deep > work->discount_count) {
        size_t capacity = deep + deep / 2 + 16;
        GROW(work->discount, 1);
        for (size_t i = work->discount_count; !rc && i < capacity; i++) {
            work->discount[i] = 1 / log2((double)i + 2);
        }
        work->discount_count = rc ? work->discount_count : capacity;
    }
    return rc;
}

/* Ascending and stable: short runs by insertion, then merged. */
static void sort_order(struct rank_order *order, struct rank_order *spare, size_t count)
{
    enum { RUN = 12 };
    for (size_t begin = 0; begin < count; begin += RUN) {
        size_t end = begin + RUN < count ? begin + RUN : count;
        for (size_t i = begin + 1; i < end; i++) {
            struct rank_order one = order[i];
            size_t j = i;
            for (; j > begin && order[j - 1].key > one.key; j--) {
                order[j] = order[j - 1];
            }
            order[j] = one;
        }
    }
    struct rank_order *from = order;
    struct rank_order *to = spare;
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            for (size_t i = begin, j = middle, k = begin; k < end; k++) {
                to[k] = i < middle && (j == end || from[i].key <= from[j].key) ? from[i++] : from[j++];
            }
        }
        struct rank_order *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != order) {
        memcpy(order, from, count * sizeof *order);
    }
}

/* Greater ids first; the same item twice: unjudged, then the worse grade first. The order of rows decides nothing. */
static bool stands_before(const struct rank_item *a, const struct rank_item *b, enum eval_ties ties)
{
    if (ties == EVAL_TIES_FILE) {
        return a->order < b->order;
    }
    int order = strcmp(a->id, b->id);
    return order ? order > 0 : a->grade < b->grade || (isnan(a->grade) && !isnan(b->grade));
}

/* Orders a run of equal scores; most are short. */
static void order_tie(struct rank_work *work, size_t begin, size_t end, enum eval_ties ties)
{
    const struct rank_item *items = work->items;
    struct rank_order *order = work->order;
    if (end - begin > 64) { /* half each, then merged */
        size_t middle = begin + (end - begin) / 2;
        order_tie(work, begin, middle, ties);
        order_tie(work, middle, end, ties);
        memcpy(work->spare_order + begin, order + begin, (end - begin) * sizeof *order);
        const struct rank_order *from = work->spare_order;
        for (size_t i = begin, j = middle, k = begin; k < end; k++) {
            bool second = i == middle || (j < end && stands_before(&items[from[j].index], &items[from[i].index], ties));
            order[k] = second ? from[j++] : from[i++];
        }
        return;
    }
    for (size_t i = begin + 1; i < end; i++) {
        struct rank_order one = order[i];
        size_t j = i;
        for (; j > begin && stands_before(&items[one.index], &items[order[j - 1].index], ties); j--) {
            order[j] = order[j - 1];
        }
        order[j] = one;
    }
}

/* Sorts the items; returns how many of the ranked ones share their score. */
static size_t sort_query(struct rank_work *work, enum eval_ties ties)
{
    size_t tied = 0;
    for (size_t i = 0; i < work->item_count; i++) {
        work->order[i] = (struct rank_order){~sort_key(work->items[i].score), (uint32_t)i};
    }
    sort_order(work->order, work->spare_order, work->item_count);
    for (size_t begin = 0, end; begin < work->item_count; begin = end) {
        for (end = begin + 1; end < work->item_count && work->order[end].key == work->order[begin].key; end++) {
        }
        if (end - begin > 1) {
            order_tie(work, begin, end, ties);
            tied += end - begin;
        }
    }
    return tied;
}

static int compare_descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a > b ? -1 : a < b;
}

static void sort_ideal(struct rank_work *work)
{
    double *ideal = work->ideal;
    if (work->ideal_count > 64) {
        qsort(ideal, work->ideal_count, sizeof *ideal, compare_descending);
        return;
    }
    for (size_t i = 1; i < work->ideal_count; i++) {
        double one = ideal[i];
        size_t j = i;
        for (; j > 0 && ideal[j - 1] < one; j--) {
            ideal[j] = ideal[j - 1];
        }
        ideal[j] = one;
    }
}

/* Mean of numbers [begin, end) in each of them. */
static void level(double *numbers, size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin; i < end; i++) {
        sum += numbers[i];
    }
    for (size_t i = begin; i < end; i++) {
        numbers[i] = sum / (double)(end - begin);
    }
}

/* The list that the metrics see. Returns the tied items in it. */
static size_t make_list(struct rank_work *work, const struct eval_ranking *ranking, bool unjudged_left_out,
                        struct metric_list *list)
{
    size_t capacity = work->item_capacity;
    double *grade = work->numbers;
    double *gain = grade + capacity;
    double *relevance = gain + capacity;
    double *score = relevance + capacity;
    double *judged = score + capacity;
    bool expected = ranking->ties == EVAL_TIES_EXPECTED;
    size_t count = 0;
    size_t all_tied = sort_query(work, ranking->ties);
    size_t tied = 0;
    sort_ideal(work);
    for (size_t i = 0; i < work->item_count; i++) {
        const struct rank_item *item = &work->items[work->order[i].index];
        judged[i] = isfinite(item->grade);
        if (unjudged_left_out && !isfinite(item->grade)) {
            continue;
        }
        grade[count] = item->grade;
        gain[count] = item->gain;
        relevance[count] = item->grade >= ranking->relevance_level;
        score[count++] = item->score;
    }
    for (size_t begin = 0, end; all_tied && begin < count; begin = end) {
        for (end = begin + 1; end < count && score[end] == score[begin]; end++) {
        }
        tied += end - begin > 1 ? end - begin : 0;
        for (size_t i = begin; expected && i < end; i++) {
            work->tie_end[i] = end;
        }
        if (expected && end - begin > 1) {
            level(gain, begin, end);
            level(relevance, begin, end);
        }
    }
    for (size_t begin = 0, end; expected && all_tied && begin < work->item_count; begin = end) {
        for (end = begin + 1; end < work->item_count && work->order[end].key == work->order[begin].key; end++) {
        }
        level(judged, begin, end);
    }
    for (size_t i = 0; expected && !all_tied && i < count; i++) {
        work->tie_end[i] = i + 1;
    }
    *list = (struct metric_list){.count = count,
                                 .grade = grade,
                                 .gain = gain,
                                 .relevance = relevance,
                                 .score = score,
                                 .tie_end = expected ? work->tie_end : NULL,
                                 .ideal = work->ideal,
                                 .ideal_count = work->ideal_count,
                                 .relevant = work->relevant,
                                 .irrelevant = work->irrelevant,
                                 .relevance_level = ranking->relevance_level,
                                 .highest_grade = ranking->highest_grade,
                                 .discount = work->discount,
                                 .ranked = work->item_count,
                                 .judged = judged};
    return tied;
}

/* A behaviour figure of one list: its numerator by its denominator, within the depth. */
static double rate_of_list(const struct rank_work *work, const struct eval_value *v)
{
    double numerator = 0;
    double denominator = 0;
    for (size_t i = 0; i < work->event_count; i++) {
        if (v->variant.k == SIZE_MAX || (work->positions[i] >= 1 && work->positions[i] <= (double)v->variant.k)) {
            double n = 0;
            double d = 0;
            v->metric->event(&work->events[i], &n, &d);
            numerator += n;
            denominator += d;
        }
    }
    return denominator > 0 ? numerator / denominator : NAN;
}

/* ---- all queries, in blocks that do not depend on the threads ---- */

struct rank_sum {
    struct tally_sum sum;
    double weight;
    size_t queries, left_out;
};

struct rank_blocks {
    struct eval_report *report;
    const struct rank_source *source;
    struct rank_sum *sums;       /* [blocks, value_count] */
    struct eval_ranking *counts; /* [blocks] */
    bool *skipped;               /* [value_count] */
};

/* Has the query a value? */
static bool add_values(const struct rank_blocks *run, struct rank_sum *sums, const struct rank_work *work,
                       const struct metric_list *list, bool has_list, size_t query)
{
    struct eval_report *report = run->report;
    bool has_value = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (run->skipped[i]) {
            continue;
        }
        if (v->metric->query && !has_list && !(v->metric->of_unjudged && list->ranked)) {
            continue;
        }
        double value = v->metric->query ? v->metric->query(list, &v->variant) : rate_of_list(work, v);
        if (isnan(value)) {
            sums[i].left_out++;
            continue;
        }
        double weight = v->metric->by_items ? (double)list->count : 1;
        has_value = true;
        sums[i].queries++;
        sums[i].weight += weight;
        tally_add(&sums[i].sum, weight * value);
        if (report->by_query) {
            report->by_query[query * report->value_count + i] = value;
        }
    }
    return has_value;
}

static void keep_first(struct eval_lists *lists, const struct rank_work *work, size_t query)
{
    for (size_t i = lists->start[query]; i < lists->start[query + 1]; i++) {
        size_t rank = i - lists->start[query];
        lists->items[i] = rank < work->item_count ? work->items[work->order[rank].index].item : UINT32_MAX;
    }
}

static void run_query(const struct rank_blocks *run, size_t block, struct rank_work *work, size_t query)
{
    struct eval_report *report = run->report;
    struct eval_ranking *counts = &run->counts[block];
    struct metric_list list;
    size_t tied = make_list(work, &report->ranking, run->source->unjudged_left_out, &list);
    bool has_list = work->ideal_count || (list.count && !run->source->unjudged_left_out);
    if (has_list) {
        counts->queries++;
        counts->items += list.count;
        counts->tied += tied;
        counts->irrelevant += report->ranking.level_known && !list.relevant;
        if (report->queries) {
            report->queries[query] = (struct eval_query){work->id, list.count, list.relevant, tied};
        }
    }
    bool has_value = add_values(run, run->sums + block * report->value_count, work, &list, has_list, query);
    if (!has_list && report->queries && (has_value || work->event_count)) { /* of behaviour, or judged@k of nothing */
        report->queries[query] = (struct eval_query){work->id, work->event_count, 0, 0};
    }
    if (report->lists.depth) {
        keep_first(&report->lists, work, query);
    }
}

static int run_block(void *arg, size_t block)
{
    const struct rank_blocks *run = arg;
    const struct rank_source *source = run->source;
    struct rank_work work = {0};
    int rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while ranking") : 0;
    size_t end = (block + 1) * BLOCK_QUERIES < source->query_count ? (block + 1) * BLOCK_QUERIES : source->query_count;
    for (size_t query = block * BLOCK_QUERIES; !rc && query < end; query++) {
        work.item_count = work.ideal_count = work.event_count = work.relevant = work.irrelevant = 0;
        rc = source->load(source->arg, &work, query);
        if (!rc) {
            run_query(run, block, &work, query);
        }
    }
    work_release(&work);
    return rc;
}

static void finish_value(const struct eval_report *report, struct eval_value *v, const struct rank_sum *sum,
                         bool skipped)
{
    if (!report_applies(report, v, &v->reason)) {
        return;
    }
    if (v->metric->needs & METRIC_NEEDS_RELEVANCE && !report->ranking.level_known) {
        v->reason = "the lowest grade is above 0 and no relevance level is given";
    } else if (skipped) {
        v->reason = "there is no closed form of its expected value under ties";
    } else if (!v->queries) {
        v->reason = v->left_out ? v->metric->query_reason : "there is no query";
    } else {
        v->value = tally_total(&sum->sum) / sum->weight;
        v->reason = isfinite(v->value) ? NULL : "the value is not finite";
    }
}

/* Adds the blocks up in their order. */
static void finish(struct rank_blocks *run, size_t blocks)
{
    struct eval_report *report = run->report;
    struct eval_ranking *ranking = &report->ranking;
    for (size_t b = 0; b < blocks; b++) {
        ranking->queries += run->counts[b].queries;
        ranking->items += run->counts[b].items;
        ranking->tied += run->counts[b].tied;
        ranking->irrelevant += run->counts[b].irrelevant;
    }
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        struct rank_sum total = {{0, 0}, 0, 0, 0};
        if (!report_is_by_query(v)) {
            continue;
        }
        for (size_t b = 0; b < blocks; b++) {
            const struct rank_sum *part = &run->sums[b * report->value_count + i];
            tally_add(&total.sum, part->sum.sum);
            tally_add(&total.sum, part->sum.lost);
            total.weight += part->weight;
            v->queries += part->queries;
            v->left_out += part->left_out;
        }
        finish_value(report, v, &total, run->skipped[i]);
    }
}

int rank_run(struct eval_report *report, const struct rank_source *source, struct pool *pool)
{
    struct rank_blocks run = {.report = report, .source = source};
    size_t blocks = (source->query_count + BLOCK_QUERIES - 1) / BLOCK_QUERIES;
    run.sums = mem_calloc(blocks * report->value_count + 1, sizeof *run.sums);
    run.counts = mem_calloc(blocks + 1, sizeof *run.counts);
    run.skipped = mem_calloc(report->value_count + 1, sizeof *run.skipped);
    int rc = run.sums && run.counts && run.skipped ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        run.skipped[i] = !report_is_by_query(v) || !report_applies(report, v, &reason) ||
                         (v->metric->needs & METRIC_NEEDS_RELEVANCE && !report->ranking.level_known) ||
                         (v->metric->no_expected_ties && report->ranking.ties == EVAL_TIES_EXPECTED);
    }
    if (!rc && pool) {
        rc = pool_run(pool, blocks, run_block, &run);
    }
    for (size_t b = 0; !rc && !pool && b < blocks; b++) {
        rc = run_block(&run, b);
    }
    if (!rc) {
        finish(&run, blocks);
    }
    mem_free(run.sums);
    mem_free(run.counts);
    mem_free(run.skipped);
    return rc;
}

int rank_begin(struct eval_report *report, const struct eval_options *options, const struct rank_source *source)
{
    struct eval_ranking *ranking = &report->ranking;
    ranking->done = true;
    ranking->ties = options->ties;
    ranking->highest_grade = source->highest_grade;
    ranking->level_known = !isnan(options->relevance_level) || source->lowest_grade <= 0;
    ranking->relevance_level = isnan(options->relevance_level) ? 1 : options->relevance_level;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (options->need_relevance && !ranking->level_known && v->metric->needs & METRIC_NEEDS_RELEVANCE) {
            return err_set(
                RECO_E_USAGE,
                "'%s' needs --relevance_level, the grade from which an item is relevant: the lowest grade is %g",
                v->name, source->lowest_grade);
        }
    }
    report->query_count = source->query_count;
    if (options->by_query) {
        size_t count = source->query_count * report->value_count;
        report->queries = mem_calloc(source->query_count + 1, sizeof *report->queries);
        report->by_query = mem_alloc((count + 1) * sizeof *report->by_query);
        if (!report->queries || !report->by_query) {
            return RECO_E_NOMEM;
        }
        for (size_t i = 0; i < count; i++) {
            report->by_query[i] = NAN;
        }
    }
    return catalogue_begin(report, options, source->query_count);
}
