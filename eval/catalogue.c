/* Figures of what all lists together show. */

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/text_index.h"
#include "eval/rank.h"
#include "eval/sort.h"

void catalogue_release(struct eval_lists *lists)
{
    mem_free(lists->start);
    mem_free(lists->items);
    mem_free(lists->popularity);
    mem_free(lists->by_popularity);
    *lists = (struct eval_lists){0};
}

/* The catalogue: the items of the predictions, then those that only the popularity names. */
static int read_popularity(struct eval_lists *lists, const struct predictions *p, const struct eval_popularity *known)
{
    size_t more = known ? known->count : 0;
    lists->popularity = mem_calloc(p->item_count + more + 1, sizeof *lists->popularity);
    if (!lists->popularity) {
        return RECO_E_NOMEM;
    }
    lists->item_count = p->item_count;
    for (size_t row = 0; !known && row < p->rows; row++) {
        lists->popularity[p->item[row]]++;
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

struct by_id {
    double popularity;
    const char *id;
    uint32_t item;
};

static int compare_popularity(const void *left, const void *right)
{
    const struct by_id *a = left;
    const struct by_id *b = right;
    if (a->popularity != b->popularity) {
        return a->popularity < b->popularity ? -1 : 1;
    }
    return strcmp(a->id, b->id);
}

/* Ties by id, so that the order of rows changes nothing; items that the predictions lack come first of a tie. */
static int sort_popularity(struct eval_lists *lists, const struct predictions *p)
{
    struct by_id *items = mem_alloc((lists->item_count + 1) * sizeof *items);
    lists->by_popularity = mem_alloc((lists->item_count + 1) * sizeof *lists->by_popularity);
    if (!items || !lists->by_popularity) {
        mem_free(items);
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < lists->item_count; i++) {
        items[i] = (struct by_id){lists->popularity[i], i < p->item_count ? p->item_ids[i] : "", (uint32_t)i};
        lists->popularity_sum += lists->popularity[i];
    }
    qsort(items, lists->item_count, sizeof *items, compare_popularity);
    for (size_t i = 0; i < lists->item_count; i++) {
        lists->by_popularity[i] = items[i].item;
    }
    mem_free(items);
    return 0;
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
    int rc = lists->start && lists->items ? read_popularity(lists, p, options->popularity) : RECO_E_NOMEM;
    return rc ? rc : sort_popularity(lists, p);
}

/* How often each item is among the first k of a list. */
static void count_shown(const struct eval_report *report, const uint32_t *weight, struct metric_catalogue *c,
                        double *counts)
{
    const struct eval_lists *lists = &report->lists;
    memset(counts, 0, lists->item_count * sizeof *counts);
    c->lists = c->shown = 0;
    for (size_t q = 0; q < report->query_count; q++) {
        double times = weight ? (double)weight[q] : 1;
        size_t begin = lists->start[q];
        size_t end = lists->start[q + 1] - begin < c->k ? lists->start[q + 1] : begin + c->k;
        double shown = 0;
        for (size_t i = begin; i < end && lists->items[i] != UINT32_MAX; i++) {
            counts[lists->items[i]] += times;
            shown += times;
        }
        c->shown += shown;
        c->lists += shown > 0 ? times : 0;
    }
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
                                 .by_popularity = lists->by_popularity};
    if (!lists->depth) {
        return 0;
    }
    double *counts = mem_alloc((2 * lists->item_count + 1) * sizeof *counts);
    if (!counts) {
        return RECO_E_NOMEM;
    }
    c.counts = counts;
    c.spare = counts + lists->item_count;
    while ((c.k = next_depth(report, c.k))) {
        count_shown(report, weight, &c, counts);
        for (size_t i = 0; i < report->value_count; i++) {
            const struct eval_value *v = &report->values[i];
            if (v->metric->catalogue && v->variant.k == c.k) {
                values[i] = v->metric->catalogue(&c);
            }
        }
    }
    mem_free(counts);
    return 0;
}
