#include <string.h>

#include "data/wordpiece_internal.h"

#define MAX_NODES ((size_t)1 << 23)
#define MAX_UNITS ((size_t)1 << 24) /* a base has 24 bits */
#define TRIES 16                    /* units tried before a search starts further on the next time */
#define BLOCK 256                   /* a node's children lie in one block of units */

/* The trie while it grows: nodes in the order they come, 0 the root. */
struct draft {
    uint64_t *edges; /* open addressing: (parent << 8 | byte) + 1 in the high half, child in the low; 0: free */
    uint32_t edge_mask;
    uint32_t count;
    uint32_t *parents;
    unsigned char *labels;  /* byte that leads to a node */
    int32_t *ids;           /* token that ends at a node, or -1 */
    uint32_t *first_child;  /* [count + 1] index into children */
    uint32_t *children;     /* [count - 1] by parent */
    uint32_t *bases;        /* [count] */
    uint32_t *order;        /* [count] nodes by falling number of children */
    unsigned char *is_base; /* [unit_capacity] */
    uint32_t *next_free; /* [unit_capacity + 1] a unit's own number while it is free, else one closer to a free one */
    size_t unit_capacity;
};

static void draft_release(struct draft *d)
{
    mem_free(d->edges);
    mem_free(d->parents);
    mem_free(d->labels);
    mem_free(d->ids);
    mem_free(d->first_child);
    mem_free(d->children);
    mem_free(d->bases);
    mem_free(d->order);
    mem_free(d->is_base);
    mem_free(d->next_free);
}

static int draft_reserve(struct draft *d, size_t nodes)
{
    size_t slots = 64;
    while (slots < nodes * 2)
        slots *= 2;
    d->edges = mem_calloc(slots, sizeof *d->edges);
    d->parents = mem_alloc(nodes * sizeof *d->parents);
    d->labels = mem_alloc(nodes);
    d->ids = mem_alloc(nodes * sizeof *d->ids);
    if (d->edges == NULL || d->parents == NULL || d->labels == NULL || d->ids == NULL)
        return RECO_E_NOMEM;
    d->edge_mask = (uint32_t)(slots - 1);
    d->ids[0] = -1;
    d->count = 1;
    return 0;
}

static uint32_t draft_step(struct draft *d, uint32_t node, unsigned char byte)
{
    uint32_t key = (node << 8 | byte) + 1, slot = key * 0x9E3779B1u;
    for (slot ^= slot >> 15;; slot++) {
        uint64_t *edge = &d->edges[slot & d->edge_mask];
        if (*edge == 0) {
            *edge = (uint64_t)key << 32 | d->count;
            d->parents[d->count] = node;
            d->labels[d->count] = byte;
            d->ids[d->count] = -1;
            return d->count++;
        }
        if ((uint32_t)(*edge >> 32) == key)
            return (uint32_t)*edge;
    }
}

/* Children of each node next to each other, and the nodes sorted by how many they have. */
static int draft_sort(struct draft *d)
{
    size_t nodes = d->count;
    d->first_child = mem_calloc(nodes + 2, sizeof *d->first_child);
    d->children = mem_alloc(nodes * sizeof *d->children);
    d->bases = mem_calloc(nodes, sizeof *d->bases);
    d->order = mem_alloc(nodes * sizeof *d->order);
    if (d->first_child == NULL || d->children == NULL || d->bases == NULL || d->order == NULL)
        return RECO_E_NOMEM;
    uint32_t *starts = d->first_child + 1; /* counted one ahead, so that filling leaves first_child right */
    for (size_t i = 1; i < nodes; i++)
        starts[d->parents[i] + 1]++;
    size_t sizes[BLOCK + 1] = {0};
    for (size_t i = 0; i < nodes; i++) {
        sizes[starts[i + 1]]++;
        starts[i + 1] += starts[i];
    }
    for (uint32_t i = 1; i < nodes; i++)
        d->children[starts[d->parents[i]]++] = i;
    size_t at = 0;
    for (size_t size = BLOCK + 1; size-- > 0;) {
        size_t next = at + sizes[size];
        sizes[size] = at;
        at = next;
    }
    for (uint32_t i = 0; i < nodes; i++)
        d->order[sizes[d->first_child[i + 1] - d->first_child[i]]++] = i;
    return 0;
}

/* One more block of free units. */
static int add_block(struct wordpiece_trie *trie, struct draft *d)
{
    if (trie->unit_count + BLOCK > MAX_UNITS)
        return err_set(RECO_E_MODEL, "its tokens make too large a table");
    if (trie->unit_count + BLOCK > d->unit_capacity) {
        size_t capacity = d->unit_capacity * 2 + 64 * BLOCK;
        struct wordpiece_unit *units = mem_realloc_array(trie->units, capacity, sizeof *units);
        if (units == NULL)
            return RECO_E_NOMEM;
        trie->units = units;
        unsigned char *is_base = mem_realloc(d->is_base, capacity);
        if (is_base == NULL)
            return RECO_E_NOMEM;
        d->is_base = is_base;
        uint32_t *next_free = mem_realloc_array(d->next_free, capacity + 1, sizeof *next_free);
        if (next_free == NULL)
            return RECO_E_NOMEM;
        d->next_free = next_free;
        d->unit_capacity = capacity;
    }
    for (size_t i = trie->unit_count; i < trie->unit_count + BLOCK; i++) {
        trie->units[i] = (struct wordpiece_unit){.link = 0, .id = -1};
        d->next_free[i] = (uint32_t)i;
    }
    d->next_free[trie->unit_count + BLOCK] = (uint32_t)trie->unit_count + BLOCK;
    memset(d->is_base + trie->unit_count, 0, BLOCK);
    if (trie->unit_count == 0)
        d->is_base[0] = 1; /* base 0 is that of nodes without children */
    trie->unit_count += BLOCK;
    return 0;
}

/* The first free unit from unit on; unit_count when there is none. */
static uint32_t first_free(struct draft *d, uint32_t unit)
{
    while (d->next_free[unit] != unit) {
        d->next_free[unit] = d->next_free[d->next_free[unit]];
        unit = d->next_free[unit];
    }
    return unit;
}

/* A base from the unit *start on whose units for all children are free, or 0. A long search moves *start on. */
static uint32_t find_base(const struct wordpiece_trie *trie, struct draft *d, const uint32_t *children, size_t count,
                          uint32_t *start)
{
    unsigned char first = d->labels[children[0]];
    int tries = 0;
    for (uint32_t unit = first_free(d, *start); unit < trie->unit_count; unit = first_free(d, unit + 1)) {
        if (++tries % TRIES == 0)
            *start = unit;
        uint32_t base = unit ^ first;
        if (d->is_base[base])
            continue;
        size_t i = 1;
        while (i < count && trie->units[base ^ d->labels[children[i]]].link == 0)
            i++;
        if (i == count)
            return base;
    }
    return 0;
}

/* Large families first, while there is room; those of one child then fill the holes. */
static int place_nodes(struct wordpiece_trie *trie, struct draft *d)
{
    uint32_t start = 0;
    size_t family = 0;
    int rc = add_block(trie, d);
    for (uint32_t i = 0; rc == 0 && i < d->count; i++) {
        uint32_t node = d->order[i], base;
        const uint32_t *children = d->children + d->first_child[node];
        size_t count = d->first_child[node + 1] - d->first_child[node];
        if (count == 0)
            break;
        if (count != family)
            start = 0;
        family = count;
        while ((base = find_base(trie, d, children, count, &start)) == 0 && rc == 0)
            rc = add_block(trie, d);
        if (rc != 0)
            break;
        d->bases[node] = base;
        d->is_base[base] = 1;
        for (size_t c = 0; c < count; c++) {
            uint32_t unit = base ^ d->labels[children[c]];
            trie->units[unit].link = d->labels[children[c]];
            d->next_free[unit] = unit + 1;
        }
    }
    return rc;
}

int wordpiece_trie_build(struct wordpiece_trie *trie, const char *const *tokens, int count)
{
    *trie = (struct wordpiece_trie){0};
    struct draft d = {0};
    size_t bytes = 0;
    for (int id = 0; id < count; id++)
        bytes += tokens[id] != NULL ? strlen(tokens[id]) : 0;
    if (bytes >= MAX_NODES)
        return err_set(RECO_E_MODEL, "it holds too much text, %zu bytes", bytes);
    int rc = draft_reserve(&d, bytes + 1);
    for (int id = 0; rc == 0 && id < count; id++) {
        uint32_t node = 0;
        for (const char *p = tokens[id]; p != NULL && *p != '\0'; p++)
            node = draft_step(&d, node, (unsigned char)*p);
        if (node != 0)
            d.ids[node] = id;
    }
    if (rc == 0)
        rc = draft_sort(&d);
    if (rc == 0)
        rc = place_nodes(trie, &d);
    for (uint32_t node = 1; rc == 0 && node < d.count; node++) {
        struct wordpiece_unit *unit = &trie->units[d.bases[d.parents[node]] ^ d.labels[node]];
        unit->link |= d.bases[node] << 8;
        unit->id = d.ids[node];
    }
    if (rc == 0) {
        trie->root = d.bases[0] << 8;
        const struct wordpiece_unit *unit = wordpiece_trie_step(trie, trie->root, '#');
        unit = unit != NULL ? wordpiece_trie_step(trie, unit->link, '#') : NULL;
        trie->continuation = unit != NULL ? unit->link : 0;
    } else {
        wordpiece_trie_release(trie);
    }
    draft_release(&d);
    return rc;
}

void wordpiece_trie_release(struct wordpiece_trie *trie)
{
    mem_free(trie->units);
    *trie = (struct wordpiece_trie){0};
}

int32_t wordpiece_trie_find(const struct wordpiece_trie *trie, const char *token, size_t length)
{
    const struct wordpiece_unit *unit = NULL;
    uint32_t link = trie->root;
    for (size_t i = 0; i < length; i++) {
        unit = wordpiece_trie_step(trie, link, (unsigned char)token[i]);
        if (unit == NULL)
            return -1;
        link = unit->link;
    }
    return unit != NULL ? unit->id : -1;
}

size_t wordpiece_match(const struct wordpiece *wp, const unsigned char *word, size_t length, int32_t *out)
{
    const struct wordpiece_trie *trie = &wp->trie;
    uint32_t link = trie->root; /* then the continuation, for the pieces after the first */
    size_t count = 0, start = 0;
    while (start < length) {
        int32_t best = -1;
        size_t best_end = start;
        for (size_t i = start; i < length; i++) {
            const struct wordpiece_unit *unit = wordpiece_trie_step(trie, link, word[i]);
            if (unit == NULL)
                break;
            link = unit->link;
            if (unit->id >= 0) {
                best = unit->id;
                best_end = i + 1;
            }
        }
        if (best < 0) {
            out[0] = wp->special.unk;
            return 1;
        }
        out[count++] = best;
        start = best_end;
        link = trie->continuation;
    }
    return count;
}
