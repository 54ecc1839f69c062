#ifndef RECO_DATA_NEGATIVES_H
#define RECO_DATA_NEGATIVES_H

/*
 * Negatives for data that holds only positives: for each positive row of a query, items that are no known positive of
 * that query, and of a query no item twice. Drawn by hash of seed, query, place of the positive among those of its
 * query, and ordinal, so that the draw depends on nothing but those, the query's positives and the pool of items.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"
#include "core/pool.h"

enum negative_method {
    NEGATIVE_NONE,
    NEGATIVE_UNIFORM,    /* every item alike */
    NEGATIVE_POPULARITY, /* by the number of rows of the item, to the power negative_power (Mikolov et al. 2013: 0.75)
                          */
    NEGATIVE_CATEGORY,   /* uniform in the category of the positive; too few there: uniform, counted */
    NEGATIVE_BM25        /* lexical hard negatives: uniform among ranks of a BM25 index (bm25.h) for the query; too few
                            there: uniform among the items below these ranks, counted */
};
extern const char *const negative_method_choices[]; /* "none", "uniform", "popularity", "category", "bm25", NULL */

struct negative_options {
    int negatives; /* enum negative_method */
    int64_t negatives_per_positive;
    double negative_power;
    char *negative_label;  /* label text of the new rows, after --label_map; "0" */
    char *category_column; /* of the items */
    int64_t
        negative_rank_from; /* BM25, from 1, known positives not counted: the very best are often unjudged positives */
    int64_t negative_rank_to;
    int64_t negative_seed;
};
int negative_options_check(const struct negative_options *options) RECO_MUST_CHECK;

#define NEGATIVE_NO_CATEGORY UINT32_MAX

struct negatives_input { /* all borrowed; items [0, item_count), queries [0, query_count) */
    size_t item_count, query_count;
    const uint64_t *item_rows;      /* [item_count] rows of each item in training data; popularity only */
    const uint32_t *item_category;  /* [item_count] below item_count, or NEGATIVE_NO_CATEGORY; category only */
    const uint64_t *query_key;      /* [query_count] hash of the query, independent of its number */
    const uint64_t *positive_start; /* [query_count + 1] into positive_item */
    const uint32_t *positive_item;  /* one a positive row, in row order */
    bool (*is_known)(void *arg, uint32_t query, uint32_t item); /* pairs that are known besides; NULL: none */
    /* BM25 only, from the caller's thread: text of an item, each once in their order; of a query; appended. */
    int (*item_text)(void *arg, uint32_t item, struct buf *out);
    int (*query_text)(void *arg, uint32_t query, struct buf *out);
    void *arg;
    struct pool *pool; /* searches of BM25; NULL: one thread. The result does not depend on it */
    const char *tmp_dir;
};
struct negatives_counts {
    uint64_t drawn, missing; /* missing: wanted, but the pool had no more */
    uint64_t fallbacks;      /* category, BM25: drawn from all items */
};
/* emit: once a negative, by query, then positive (its place in positive_item), then ordinal. */
typedef int negatives_emit_fn(void *arg, uint32_t query, uint64_t positive, uint32_t ordinal, uint32_t item);
/* RECO_E_STOPPED on a signal; an error of a callback ends the draw and is returned. */
int negatives_draw(const struct negative_options *options, const struct negatives_input *input, negatives_emit_fn *emit,
                   void *emit_arg, struct negatives_counts *counts) RECO_MUST_CHECK;

#endif
