/* The entries of a topic in order of docno. */

#include <string.h>

#include "core/mem.h"
#include "eval/trec_internal.h"

struct doc_order {
    uint64_t prefix; /* the first bytes behind what all have in common, as a number */
    uint32_t index;
};

static bool stands_before(const struct trec_entry *entries, const struct doc_order *a, const struct doc_order *b)
{
    return a->prefix != b->prefix ? a->prefix < b->prefix : strcmp(entries[a->index].doc, entries[b->index].doc) < 0;
}

static struct doc_order *sort_order(const struct trec_entry *entries, struct doc_order *order, struct doc_order *spare,
                                    size_t count)
{
    enum { RUN = 12 };
    for (size_t begin = 0; begin < count; begin += RUN) {
        size_t end = begin + RUN < count ? begin + RUN : count;
        for (size_t i = begin + 1; i < end; i++) {
            struct doc_order one = order[i];
            size_t j = i;
            for (; j > begin && stands_before(entries, &one, &order[j - 1]); j--) {
                order[j] = order[j - 1];
            }
            order[j] = one;
        }
    }
    for (size_t width = RUN; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count;
            for (size_t i = begin, j = middle, k = begin; k < end; k++) {
                bool second = i == middle || (j < end && stands_before(entries, &order[j], &order[i]));
                spare[k] = second ? order[j++] : order[i++];
            }
        }
        struct doc_order *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

static size_t common_prefix(const struct trec_entry *entries, size_t count)
{
    size_t common = strlen(entries[0].doc);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (same < common && entries[i].doc[same] == entries[0].doc[same]) {
            same++;
        }
        common = same;
    }
    return common;
}

static uint64_t prefix_of(const char *text)
{
    uint64_t prefix = 0;
    for (int i = 0; i < 8; i++) {
        prefix = prefix << 8 | (unsigned char)*text;
        text += *text != '\0';
    }
    return prefix;
}

/* Two of the same document stand side by side. */
static void find_twice(const struct trec_entry *entries, const struct doc_order *order, size_t count,
                       const struct trec_entry *twice[2])
{
    for (size_t i = 1; i < count; i++) {
        if (order[i].prefix == order[i - 1].prefix && !strcmp(entries[i].doc, entries[i - 1].doc)) {
            twice[0] = &entries[i - 1];
            twice[1] = &entries[i];
            return;
        }
    }
}

int trec_sort_docs(struct trec_entry *entries, size_t count, const struct trec_entry *twice[2])
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
        size_t common = common_prefix(entries, count);
        memcpy(copy, entries, count * sizeof *copy);
        for (size_t i = 0; i < count; i++) {
            order[i] = (struct doc_order){prefix_of(copy[i].doc + common), (uint32_t)i};
        }
        const struct doc_order *result = sort_order(copy, order, order + count, count);
        for (size_t i = 0; i < count; i++) {
            entries[i] = copy[result[i].index];
        }
        find_twice(entries, result, count, twice);
    }
    int rc = order && copy ? 0 : RECO_E_NOMEM;
    mem_free(order);
    mem_free(copy);
    return rc;
}
