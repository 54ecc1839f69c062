#include "core/mem.h"
#include "data/text_set.h"

/* Which texts are known: a table with open addressing over the keys in their order. */

enum { FIRST_SLOTS = 1024 };

void text_keys_release(struct text_keys *k)
{
    mem_free(k->keys);
    mem_free(k->slots);
    *k = (struct text_keys){0};
}

static size_t find_slot(const struct text_keys *k, struct text_key key)
{
    size_t slot = (size_t)key.low & (k->slot_count - 1);

    while (k->slots[slot] != 0) {
        struct text_key other = k->keys[k->slots[slot] - 1];
        if (other.low == key.low && other.high == key.high)
            break;
        slot = (slot + 1) & (k->slot_count - 1);
    }
    return slot;
}

/* Keeps a quarter of the slots free. */
static int grow_slots(struct text_keys *k)
{
    if ((k->count + 1) * 4 <= k->slot_count * 3)
        return 0;
    size_t slot_count = k->slot_count == 0 ? FIRST_SLOTS : k->slot_count * 2;
    uint32_t *slots = mem_calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return RECO_E_NOMEM;
    mem_free(k->slots);
    k->slots = slots;
    k->slot_count = slot_count;
    for (size_t i = 0; i < k->count; i++)
        k->slots[find_slot(k, k->keys[i])] = (uint32_t)i + 1;
    return 0;
}

int text_keys_enter(struct text_keys *k, struct text_key key, uint32_t *number, bool *is_new)
{
    int rc = grow_slots(k);

    if (rc < 0)
        return rc;
    size_t slot = find_slot(k, key);
    *is_new = k->slots[slot] == 0;
    if (!*is_new) {
        *number = k->slots[slot] - 1;
        return 0;
    }
    if (k->count >= TEXT_SET_NONE - 1)
        return err_set(RECO_E_DATA, "more than %u distinct texts", TEXT_SET_NONE - 1);
    rc = mem_grow((void **)&k->keys, &k->capacity, k->count + 1, sizeof *k->keys);
    if (rc < 0)
        return rc;
    k->keys[k->count] = key;
    *number = (uint32_t)k->count++;
    k->slots[slot] = *number + 1;
    return 0;
}

bool text_keys_have(const struct text_keys *k, struct text_key key)
{
    return k->count > 0 && k->slots[find_slot(k, key)] != 0;
}
