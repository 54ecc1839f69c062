#ifndef RECO_DATA_TEXT_INDEX_H
#define RECO_DATA_TEXT_INDEX_H

/*
 * For readers of id columns: packed strings with one lifetime, and an index over an array of
 * strings that costs 8 bytes a slot and finds the number of an equal string.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/mem.h"

struct text_store { /* zero-initialised is empty */
    struct mem_arena arena;
    char *block;
    size_t left;
};
const char *text_store_add(struct text_store *store, const char *text,
                           size_t length) RECO_MUST_CHECK; /* NULL: no memory */
void text_store_release(struct text_store *store);

struct text_index {    /* zero-initialised is empty */
    uint64_t *slots;   /* high half: hash, low half: number + 1; 0: free */
    size_t slot_count; /* a power of two, or 0 */
    size_t used;
};
#define TEXT_INDEX_NONE UINT32_MAX

/*
 * Looks text up among keys. Found: *number is its place. Else *number is TEXT_INDEX_NONE and the text is entered as
 * number next, which the caller then stores in keys[next]. 0 or RECO_E_NOMEM.
 */
int text_index_enter(struct text_index *index, const char *const *keys, uint32_t next, const char *text, size_t length,
                     uint32_t *number) RECO_MUST_CHECK;
void text_index_release(struct text_index *index);

#endif
