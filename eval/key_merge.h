#ifndef RECO_EVAL_KEY_MERGE_H
#define RECO_EVAL_KEY_MERGE_H

/* Private to eval/: several lists of keys, each sorted for itself, read as one in ascending order: 8 bytes a key; or,
 * where that is too much, a part of their range after the other. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/pool.h"

enum { KEY_MERGE_FEW = 8 }; /* as many lists are looked through one by one, without a heap */

struct key_merge {
    uint64_t *keys;      /* [rows] */
    size_t *begin, *end; /* [lists] unread keys of each list */
    size_t *heap;        /* [heap_count] lists by their first key */
    size_t lists, heap_count;
    uint64_t first[KEY_MERGE_FEW]; /* [heap_count] first key of each list, where lists are few */
};

/* Room for sizes [lists] keys; end stands at the start of each list, for filling. Release it also after failure. */
int key_merge_init(struct key_merge *m, const double *sizes, size_t lists) RECO_MUST_CHECK;
int key_merge_sort(struct key_merge *m, struct pool *pool) RECO_MUST_CHECK;
/* The least key, and how often the list that holds it does; the same key may come again from another list. */
bool key_merge_next(struct key_merge *m, uint64_t *key, size_t *list, size_t *count);
void key_merge_release(struct key_merge *m);

/* The keys of all lists cut by their range, so that not all of them are held at one time. */
enum { KEY_PIECES_MAX = 15 };
struct key_pieces {
    size_t count, lists;
    uint64_t *first; /* [count] the least key that a piece may have, ascending, 0 first */
    double *sizes;   /* [count, lists] keys in each */
    uint8_t *of_row; /* where there are several: the piece that each row's key is in, 4 bits a row */
};

/*
 * Pieces of about keys_max (0: any number) of the total keys in rows: their borders by a sample [sample_count], which
 * is sorted here. Several pieces have sizes of 0 and rows in none, to be filled; one has the sizes of list_sizes
 * [lists]. Release it also after failure.
 */
int key_pieces_init(struct key_pieces *pieces, uint64_t *sample, size_t sample_count, size_t keys_max, double total,
                    size_t rows, const double *list_sizes, size_t lists) RECO_MUST_CHECK;
void key_pieces_release(struct key_pieces *pieces);
/* Once a row; KEY_PIECES_MAX: it has no key. */
static inline void key_pieces_put(struct key_pieces *pieces, size_t row, size_t piece)
{
    pieces->of_row[row / 2] |= (uint8_t)(piece << 4 * (row & 1));
}
static inline size_t key_pieces_get(const struct key_pieces *pieces, size_t row)
{
    return pieces->of_row[row / 2] >> 4 * (row & 1) & 15;
}
static inline size_t key_pieces_find(const struct key_pieces *pieces, uint64_t key)
{
    size_t low = 0;
    for (size_t count = pieces->count; count > 1;) { /* first[low] <= key, which stands in the count from low on */
        size_t half = count / 2;
        low += pieces->first[low + half] <= key ? half : 0;
        count -= half;
    }
    return low;
}

#endif
