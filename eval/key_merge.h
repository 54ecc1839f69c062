#ifndef RECO_EVAL_KEY_MERGE_H
#define RECO_EVAL_KEY_MERGE_H

/* Private to eval/: several lists of keys, each sorted for itself, read as one in ascending order. 8 bytes a key. */

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

#endif
