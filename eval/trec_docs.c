/* The entries of a topic in order of docno. */

#include <string.h>

#include "core/mem.h"
#include "eval/trec_internal.h"

struct doc_order {
    uint64_t key; /* of the bytes behind what all of a group have in common: see trec_bytes_key */
    uint32_t index;
};

struct sorting {
    const struct trec_entry *entries;
    struct doc_order *order, *spare; /* [count] */
    bool has_twice;
    uint32_t twice[2]; /* entries of the same document */
};

/* Stable; short runs by insertion, then merged. Leaves the result in order. */
static void sort_keys_of(struct doc_order *order, struct doc_order *spare, size_t count)
{
    enum { RUN = 8 };
    for (size_t begin = 0; begin < count; begin += RUN) {
        size_t end = begin + RUN < count ? begin + RUN : count;
        for (size_t i = begin + 1; i < end; i++) {
            struct doc_order one = order[i];
            size_t j = i;
            for (; j > begin && one.key < order[j - 1].key; j--) {
                order[j] = order[j - 1];
            }
            order[j] = one;
        }
    }
    struct doc_order *from = order;
    struct doc_order *to = spare;
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            size_t i = begin;
            size_t j = middle;
            size_t k = begin;
            while (i < middle && j < end) {
                bool second = from[j].key < from[i].key;
                const struct doc_order *next = second ? &from[j] : &from[i]; /* without a branch */
                to[k++] = *next;
                i += !second;
                j += second;
            }
            memcpy(to + k, from + i, (middle - i) * sizeof *to);
            memcpy(to + k + (middle - i), from + j, (end - j) * sizeof *to);
        }
        struct doc_order *sorted = to;
        to = from;
        from = sorted;
    }
    if (from != order) {
        memcpy(order, from, count * sizeof *order);
    }
}

static size_t common_prefix(const struct sorting *s, size_t begin, size_t end)
{
    const char *first = s->entries[s->order[begin].index].doc;
    size_t common = strlen(first);
    for (size_t i = begin + 1; i < end; i++) {
        const char *doc = s->entries[s->order[i].index].doc;
        size_t same = 0;
        while (same < common && doc[same] == first[same]) {
            same++;
        }
        common = same;
    }
    return common;
}

/* Orders [begin, end), whose documents are alike so far; those that stay alike are looked at further behind. */
static void sort_group(struct sorting *s, size_t begin, size_t end)
{
    size_t common = common_prefix(s, begin, end);
    for (size_t i = begin; i < end; i++) {
        s->order[i].key = trec_bytes_key(s->entries[s->order[i].index].doc + common);
    }
    sort_keys_of(s->order + begin, s->spare + begin, end - begin);
    for (size_t i = begin, next; i < end; i = next) {
        for (next = i + 1; next < end && s->order[next].key == s->order[i].key; next++) {
        }
        if (next - i > 1 && !(s->order[i].key & 0xff)) { /* their last byte is in the key */
            s->has_twice = true;
            s->twice[0] = s->order[i].index;
            s->twice[1] = s->order[i + 1].index;
        } else if (next - i > 1) {
            sort_group(s, i, next);
        }
    }
}

int trec_sort_docs(struct trec_entry *entries, size_t count, const char *twice[2])
{
    bool sorted = true;
    twice[0] = twice[1] = NULL;
    for (size_t i = 1; sorted && i < count; i++) {
        sorted = strcmp(entries[i - 1].doc, entries[i].doc) < 0;
    }
    if (sorted) {
        return 0;
    }
    struct doc_order *order = mem_alloc(2 * count * sizeof *order);
    struct trec_entry *copy = mem_alloc(count * sizeof *copy);
    if (order && copy) {
        struct sorting s = {.entries = copy, .order = order, .spare = order + count};
        memcpy(copy, entries, count * sizeof *copy);
        for (size_t i = 0; i < count; i++) {
            order[i].index = (uint32_t)i;
        }
        sort_group(&s, 0, count);
        for (size_t i = 0; i < count; i++) {
            entries[i] = copy[order[i].index];
        }
        for (size_t i = 0; s.has_twice && i < 2; i++) {
            twice[i] = copy[s.twice[i]].doc;
        }
    }
    int rc = order && copy ? 0 : RECO_E_NOMEM;
    mem_free(order);
    mem_free(copy);
    return rc;
}
