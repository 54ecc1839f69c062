#include "data/text_index.h"

#include <string.h>

#include "core/hash.h"

#define STORE_BLOCK_BYTES ((size_t)1 << 18)
#define STORE_BLOCK_MOST_BYTES ((size_t)4 << 20) /* large blocks may lie in files: mem_spill_beyond */

const char *text_store_add(struct text_store *store, const char *text, size_t length)
{
    if (length >= store->left) {
        size_t block_bytes = STORE_BLOCK_BYTES;
        while (block_bytes < STORE_BLOCK_MOST_BYTES && block_bytes < store->arena.used_bytes / 8) {
            block_bytes *= 2;
        }
        block_bytes = length + 1 > block_bytes ? length + 1 : block_bytes;
        char *block = mem_arena_alloc(&store->arena, block_bytes);
        if (!block) {
            return NULL;
        }
        store->block = block;
        store->left = block_bytes;
    }
    char *copy = store->block;
    memcpy(copy, text, length);
    copy[length] = '\0';
    store->block += length + 1;
    store->left -= length + 1;
    return copy;
}

void text_store_release(struct text_store *store)
{
    mem_arena_release(&store->arena);
    *store = (struct text_store){0};
}

static int index_grow(struct text_index *index)
{
    size_t slot_count = index->slot_count ? 2 * index->slot_count : 64;
    uint64_t *slots = mem_calloc(slot_count, sizeof *slots);
    if (!slots) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < index->slot_count; i++) {
        uint64_t slot = index->slots[i];
        if (slot) {
            size_t at = (size_t)(slot >> 32) & (slot_count - 1);
            while (slots[at]) {
                at = (at + 1) & (slot_count - 1);
            }
            slots[at] = slot;
        }
    }
    mem_free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    return 0;
}

int text_index_enter(struct text_index *index, const char *const *keys, uint32_t next, const char *text, size_t length,
                     uint32_t *number)
{
    if (index->used >= index->slot_count / 4 * 3) {
        int rc = index_grow(index);
        if (rc) {
            return rc;
        }
    }
    uint64_t hash = hash_u64(text, length, 0) >> 32;
    size_t at = (size_t)hash & (index->slot_count - 1);
    for (; index->slots[at]; at = (at + 1) & (index->slot_count - 1)) {
        if (index->slots[at] >> 32 != hash) {
            continue;
        }
        uint32_t found = (uint32_t)index->slots[at] - 1;
        if (!strncmp(keys[found], text, length) && keys[found][length] == '\0') {
            *number = found;
            return 0;
        }
    }
    index->slots[at] = hash << 32 | (uint64_t)(next + 1);
    index->used++;
    *number = TEXT_INDEX_NONE;
    return 0;
}

void text_index_release(struct text_index *index)
{
    mem_free(index->slots);
    *index = (struct text_index){0};
}
