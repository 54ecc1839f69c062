#include <string.h>

#include "core/mem.h"
#include "data/prepare_internal.h"

int prepare_texts_one(struct prepare_texts *t, struct text_set *set)
{
    *t = (struct prepare_texts){.set_count = 1, .count = text_set_count(set)};
    t->sets = mem_calloc(1, sizeof *t->sets);
    t->numbers = mem_calloc(1, sizeof *t->numbers);
    if (t->sets == NULL || t->numbers == NULL) {
        text_set_close(set);
        t->set_count = 0;
        return RECO_E_NOMEM;
    }
    t->sets[0] = set;
    return 0;
}

static uint32_t number_of(const struct prepare_texts *t, size_t set, size_t text)
{
    return t->numbers[set] != NULL ? t->numbers[set][text] : (uint32_t)text;
}

int prepare_texts_count_tokens(struct prepare_texts *t)
{
    t->tokens = mem_calloc(t->count, sizeof *t->tokens);
    if (t->tokens == NULL)
        return RECO_E_NOMEM;
    for (size_t s = 0; s < t->set_count; s++)
        for (size_t i = 0; i < text_set_count(t->sets[s]); i++) {
            uint32_t number = number_of(t, s, i);
            if (number != TEXT_SET_NONE)
                t->tokens[number] = (uint32_t)text_set_tokens(t->sets[s], (uint32_t)i);
        }
    return 0;
}

void prepare_texts_release(struct prepare_texts *t)
{
    for (size_t i = 0; i < t->set_count; i++) {
        text_set_close(t->sets[i]);
        mem_free(t->numbers[i]);
    }
    mem_free(t->sets);
    mem_free(t->numbers);
    mem_free(t->tokens);
    *t = (struct prepare_texts){0};
}

static uint32_t place_of(const struct prepare_texts *t, const uint32_t *places, size_t set, size_t text)
{
    uint32_t number = number_of(t, set, text);

    if (number == TEXT_SET_NONE)
        return TEXT_SET_NONE;
    return places != NULL ? places[number] : number;
}

/* True when the sets, read one after the other, give every place once and in order. */
static bool in_order(const struct prepare_texts *t, const uint32_t *places)
{
    uint64_t next = 0;

    for (size_t s = 0; s < t->set_count; s++)
        for (size_t i = 0; i < text_set_count(t->sets[s]); i++) {
            uint32_t place = place_of(t, places, s, i);
            if (place == TEXT_SET_NONE)
                continue;
            if (place < next)
                return false;
            next = (uint64_t)place + 1;
        }
    return true;
}

static int walk_in_order(struct prepare_texts *t, const uint32_t *places, bool with_ids, prepare_text_fn *fn, void *arg)
{
    struct text_set_text text;
    bool found = true;
    int rc = 0;

    for (size_t s = 0; rc == 0 && s < t->set_count; s++) {
        text_set_rewind(t->sets[s]);
        for (size_t i = 0; rc == 0; i++) {
            rc = text_set_next(t->sets[s], with_ids, &text, &found);
            if (rc < 0 || !found)
                break;
            uint32_t place = place_of(t, places, s, i);
            if (place != TEXT_SET_NONE)
                rc = fn(arg, place, &text);
        }
    }
    return rc;
}

/* Key: the place. Value: uint32 bytes of the text, the text, then its ids. */
static int sort_texts(struct prepare_texts *t, const uint32_t *places, bool with_ids, struct sorter *sorter)
{
    struct text_set_text text;
    struct buf value = {0};
    bool found = true;
    int rc = 0;

    for (size_t s = 0; rc == 0 && s < t->set_count; s++) {
        text_set_rewind(t->sets[s]);
        for (size_t i = 0; rc == 0; i++) {
            unsigned char key[8];
            rc = text_set_next(t->sets[s], with_ids, &text, &found);
            if (rc < 0 || !found)
                break;
            uint32_t place = place_of(t, places, s, i), length = (uint32_t)text.length;
            if (place == TEXT_SET_NONE)
                continue;
            sorter_u64(key, place);
            buf_clear(&value);
            rc = buf_add(&value, &length, sizeof length);
            if (rc == 0)
                rc = buf_add(&value, text.text, text.length);
            if (rc == 0 && with_ids)
                rc = buf_add(&value, text.ids, text.id_count * text_set_width(t->sets[s]));
            if (rc == 0)
                rc = sorter_add(sorter, key, sizeof key, value.data, value.length);
        }
    }
    buf_release(&value);
    return rc;
}

static int walk_sorted(struct prepare_texts *t, const uint32_t *places, bool with_ids, const char *tmp_dir,
                       size_t max_bytes, prepare_text_fn *fn, void *arg)
{
    const struct sorter_record *record;
    struct sorter *sorter = NULL;
    uint64_t last = UINT64_MAX;
    int rc = sorter_new(&sorter, tmp_dir, max_bytes);

    if (rc == 0)
        rc = sort_texts(t, places, with_ids, sorter);
    if (rc == 0)
        rc = sorter_sort(sorter);
    while (rc == 0 && (rc = sorter_next(sorter, &record)) == 0 && record != NULL) {
        uint64_t place = sorter_get_u64(record->key);
        uint32_t length;
        if (place == last)
            continue; /* several sets have it */
        last = place;
        memcpy(&length, record->value, sizeof length);
        const unsigned char *bytes = record->value + sizeof length;
        const struct text_set_text text = {.text = (const char *)bytes,
                                           .length = length,
                                           .ids = bytes + length,
                                           .id_count = (record->value_length - sizeof length - length) /
                                                       text_set_width(t->sets[0])};
        rc = fn(arg, (uint32_t)place, &text);
    }
    sorter_free(sorter);
    return rc;
}

int prepare_texts_walk(struct prepare_texts *t, const uint32_t *places, bool with_ids, const char *tmp_dir,
                       size_t max_bytes, prepare_text_fn *fn, void *arg)
{
    return in_order(t, places) ? walk_in_order(t, places, with_ids, fn, arg)
                               : walk_sorted(t, places, with_ids, tmp_dir, max_bytes, fn, arg);
}
