/* The rows of two runs as one set. */

#include <string.h>

#include "core/mem.h"
#include "data/text_index.h"
#include "eval/compare_internal.h"

static int join(void **to, const void *a, const void *b, size_t size_bytes, const struct compare_chosen *rows)
{
    if (!a || !b) {
        return 0;
    }
    char *column = mem_realloc_array(NULL, rows->count_a + rows->count_b + 1, size_bytes);
    *to = column;
    if (!column) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < rows->count_a; i++) {
        memcpy(column + i * size_bytes, (const char *)a + rows->a[i] * size_bytes, size_bytes);
    }
    for (size_t i = 0; i < rows->count_b; i++) {
        memcpy(column + (rows->count_a + i) * size_bytes, (const char *)b + rows->b[i] * size_bytes, size_bytes);
    }
    return 0;
}

#define JOIN(member, factor)                                                                                           \
    (rc = rc ? rc : join((void **)&to->member, a->member, b->member, (size_t)(factor) * sizeof *a->member, rows))

/* The same query is one of each run's own: numbers of B go behind those of A. */
static int join_queries(struct predictions *to, const struct predictions *a, const struct predictions *b,
                        const struct compare_chosen *rows)
{
    to->query_count = a->query_count + b->query_count;
    to->query_ids = mem_calloc(to->query_count + 1, sizeof *to->query_ids);
    if (!to->query_ids) {
        return RECO_E_NOMEM;
    }
    memcpy(to->query_ids, a->query_ids, a->query_count * sizeof *to->query_ids);
    memcpy(to->query_ids + a->query_count, b->query_ids, b->query_count * sizeof *to->query_ids);
    for (size_t i = rows->count_a; i < to->rows; i++) {
        to->query[i] += (uint32_t)a->query_count;
    }
    return 0;
}

/* The same item is one: the catalogue is that of both runs. */
static int join_items(struct predictions *to, const struct predictions *a, const struct predictions *b,
                      const struct compare_chosen *rows)
{
    struct text_index index = {0};
    uint32_t *number = mem_realloc_array(NULL, b->item_count + 1, sizeof *number);
    to->item_ids = mem_calloc(a->item_count + b->item_count + 1, sizeof *to->item_ids);
    int rc = number && to->item_ids ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < a->item_count + b->item_count; i++) {
        const char *id = i < a->item_count ? a->item_ids[i] : b->item_ids[i - a->item_count];
        uint32_t found;
        rc = text_index_enter(&index, to->item_ids, (uint32_t)to->item_count, id, strlen(id), &found);
        if (!rc && found == TEXT_INDEX_NONE) {
            found = (uint32_t)to->item_count;
            to->item_ids[to->item_count++] = id;
        }
        if (!rc && i >= a->item_count) {
            number[i - a->item_count] = found;
        }
    }
    for (size_t i = rows->count_a; !rc && i < to->rows; i++) {
        to->item[i] = number[to->item[i]];
    }
    text_index_release(&index);
    mem_free(number);
    return rc;
}

int compare_join(struct predictions *to, const struct predictions *a, const struct predictions *b,
                 const struct compare_chosen *rows)
{
    int rc = label_map_copy(&to->labels, &a->labels);
    to->rows = rows->count_a + rows->count_b;
    JOIN(label, 1);
    JOIN(predicted, 1);
    JOIN(target, 1);
    JOIN(value, 1);
    JOIN(p, a->labels.count);
    JOIN(score, 1);
    JOIN(row_ids, 1);
    JOIN(item, 1);
    JOIN(position, 1);
    JOIN(clicked, 1);
    JOIN(converted, 1);
    JOIN(dwell_s, 1);
    JOIN(depth, 1);
    JOIN(propensity, 1);
    JOIN(carted, 1);
    JOIN(ordered, 1);
    JOIN(revenue, 1);
    JOIN(query, 1);
    to->derives_score = !to->score && a->derives_score && b->derives_score;
    if (!rc && to->query) {
        rc = join_queries(to, a, b, rows);
    }
    if (!rc && to->item) {
        rc = join_items(to, a, b, rows);
    }
    return rc;
}

void compare_join_release(struct predictions *p)
{
    label_map_release(&p->labels);
    mem_free(p->label);
    mem_free(p->predicted);
    mem_free(p->target);
    mem_free(p->value);
    mem_free(p->p);
    mem_free(p->score);
    mem_free(p->row_ids);
    mem_free(p->item);
    mem_free(p->item_ids);
    mem_free(p->carted);
    mem_free(p->ordered);
    mem_free(p->revenue);
    mem_free(p->position);
    mem_free(p->clicked);
    mem_free(p->converted);
    mem_free(p->dwell_s);
    mem_free(p->depth);
    mem_free(p->propensity);
    mem_free(p->query);
    mem_free(p->query_ids);
}
