/* Figures of what all lists together show. */

#include <string.h>

#include "core/mem.h"
#include "core/sort_keys.h"
#include "data/text_index.h"
#include "eval/rank.h"
#include "eval/sort.h"

#define TAIL 0.8 /* of the items */

void catalogue_release(struct eval_lists *lists)
{
    mem_free(lists->start);
    mem_free(lists->items);
    mem_free(lists->popularity);
    *lists = (struct eval_lists){0};
}

/* The catalogue: the items of the predictions, then those that only the popularity names. */
static int read_popularity(struct eval_lists *lists, const struct predictions *p, const struct metric_filter *filter,
                           const double *item_rows, const struct eval_popularity *known)
{
    size_t more = known ? known->count : 0;
    lists->popularity = mem_calloc(p->item_count + more + 1, sizeof *lists->popularity);
    if (!lists->popularity) {
        return RECO_E_NOMEM;
    }
    lists->item_count = p->item_count;
    for (size_t i = 0; !known && item_rows && i < p->item_count; i++) {
        lists->popularity[i] = item_rows[i];
    }
    for (size_t row = 0; !known && !item_rows && row < p->rows; row++) {
        lists->popularity[p->item[row]] += metric_keeps(filter, row);
    }
    struct text_index index = {0};
    int rc = 0;
    uint32_t number;
    for (size_t i = 0; !rc && more && i < p->item_count; i++) {
        rc = text_index_enter(&index, p->item_ids, (uint32_t)i, p->item_ids[i], strlen(p->item_ids[i]), &number);
    }
    for (size_t i = 0; !rc && i < more; i++) {
        /* an id that is not there is entered under a number of p's own, which is never looked up: ids are distinct */
        rc = text_index_enter(&index, p->item_ids, 0, known->ids[i], strlen(known->ids[i]), &number);
        if (!rc) {
            lists->popularity[number == TEXT_INDEX_NONE ? lists->item_count++ : number] = known->counts[i];
        }
    }
    text_index_release(&index);
    return rc;
}

/* The border of the tail: equally popular items there are shared out, so that no order decides. */
static int find_tail(struct eval_lists *lists, struct pool *pool)
{
    size_t count = lists->item_count;
    size_t tail = (size_t)(TAIL * (double)count);
    uint64_t *keys = mem_alloc((count + 1) * sizeof *keys);
    if (!keys) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = sort_key(lists->popularity[i]);
        lists->popularity_sum += lists->popularity[i];
    }
    int rc = sort_keys(keys, count, pool);
    size_t below = tail;
    size_t end = tail;
    while (below > 0 && keys[below - 1] == keys[tail]) {
        below--;
    }
    while (end < count && keys[end] == keys[tail]) {
        end++;
    }
    lists->tail_below = count ? sort_number(keys[tail]) : 0;
    lists->tail_share = end > below ? (double)(tail - below) / (double)(end - below) : 0;
    mem_free(keys);
    return rc;
}

int catalogue_begin(struct eval_report *report, const struct eval_options *options, size_t query_count)
{
    struct eval_lists *lists = &report->lists;
    const struct predictions *p = report->p;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        if (v->metric->catalogue && v->variant.k > lists->depth && report_applies(report, v, &reason)) {
            lists->depth = v->variant.k;
        }
    }
    if (!lists->depth) {
        return 0;
    }
    lists->start = mem_calloc(query_count + 1, sizeof *lists->start);
    lists->items = mem_alloc((p->rows + 1) * sizeof *lists->items);
    int rc = lists->start && lists->items
                 ? read_popularity(lists, p, &report->data.filter, report->item_rows, options->popularity)
                 : RECO_E_NOMEM;
    return rc ? rc : find_tail(lists, NULL);
}

/* How many lists have each item among their first k. reach [longest list]: lists that show more items than that. */
static void count_shown(const struct eval_report *report, const uint32_t *weight, struct metric_catalogue *c,
                        double *counts, double *reach)
{
    const struct eval_lists *lists = &report->lists;
    uint64_t *shown_by = c->spare; /* query, so that an item that a list has twice is shown once */
    size_t deepest = 0;
    memset(counts, 0, lists->item_count * sizeof *counts);
    memset(shown_by, 0xff, lists->item_count * sizeof *shown_by);
    c->lists = c->shown = c->common_most = 0;
    for (size_t q = 0; q < report->query_count; q++) {
        double times = weight ? (double)weight[q] : 1;
        size_t begin = lists->start[q];
        size_t end = lists->start[q + 1] - begin < c->k ? lists->start[q + 1] : begin + c->k;
        size_t shown = 0;
        for (size_t i = begin; i < end && lists->items[i] != UINT32_MAX; i++) {
            uint32_t item = lists->items[i];
            if (shown_by[item] == q) {
                continue;
            }
            shown_by[item] = q;
            counts[item] += times;
            if (shown == deepest) {
                reach[deepest++] = 0;
            }
            reach[shown++] += times;
        }
        c->shown += times * (double)shown;
        c->lists += shown ? times : 0;
    }
    for (size_t i = 0; i < deepest; i++) {
        c->common_most += reach[i] * (reach[i] - 1);
    }
}

static size_t longest_list(const struct eval_report *report)
{
    size_t longest = 0;
    for (size_t q = 0; q < report->query_count; q++) {
        size_t length = report->lists.start[q + 1] - report->lists.start[q];
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* The next depth after k that a figure asks for; 0: none. */
static size_t next_depth(const struct eval_report *report, size_t k)
{
    size_t next = 0;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->metric->catalogue && v->variant.k > k && (!next || v->variant.k < next)) {
            next = v->variant.k;
        }
    }
    return next;
}

int catalogue_values(const struct eval_report *report, const uint32_t *weight, double *values)
{
    const struct eval_lists *lists = &report->lists;
    struct metric_catalogue c = {.item_count = lists->item_count,
                                 .popularity = lists->popularity,
                                 .popularity_sum = lists->popularity_sum,
                                 .tail_below = lists->tail_below,
                                 .tail_share = lists->tail_share};
    if (!lists->depth) {
        return 0;
    }
    double *counts = mem_alloc((lists->item_count + 1) * sizeof *counts);
    double *reach = mem_alloc((longest_list(report) + 1) * sizeof *reach);
    c.spare = mem_alloc((lists->item_count + 1) * sizeof *c.spare);
    int rc = counts && reach && c.spare ? 0 : RECO_E_NOMEM;
    c.counts = counts;
    while (!rc && (c.k = next_depth(report, c.k))) {
        count_shown(report, weight, &c, counts, reach);
        for (size_t i = 0; i < report->value_count; i++) {
            const struct eval_value *v = &report->values[i];
            if (v->metric->catalogue && v->variant.k == c.k) {
                values[i] = v->metric->catalogue(&c);
            }
        }
    }
    mem_free(counts);
    mem_free(reach);
    mem_free(c.spare);
    return rc;
}
