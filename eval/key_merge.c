#include "eval/key_merge.h"

#include <string.h>

#include "core/mem.h"
#include "core/sort_keys.h"

static uint64_t first_key(const struct key_merge *m, size_t at)
{
    return m->keys[m->begin[m->heap[at]]];
}

static void sift_down(struct key_merge *m, size_t at)
{
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child < 2 * at + 3 && child < m->heap_count; child++) {
            least = first_key(m, child) < first_key(m, least) ? child : least;
        }
        if (least == at) {
            return;
        }
        size_t list = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = list;
        at = least;
    }
}

void key_merge_release(struct key_merge *m)
{
    mem_free(m->keys);
    mem_free(m->begin);
    mem_free(m->end);
    mem_free(m->heap);
}

int key_merge_init(struct key_merge *m, const double *sizes, size_t lists)
{
    size_t total = 0;
    *m = (struct key_merge){.lists = lists};
    m->begin = mem_calloc(lists, sizeof *m->begin);
    m->end = mem_calloc(lists, sizeof *m->end);
    m->heap = mem_calloc(lists, sizeof *m->heap);
    if (!m->begin || !m->end || !m->heap) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < lists; i++) {
        m->begin[i] = m->end[i] = total;
        total += (size_t)sizes[i];
    }
    m->keys = mem_alloc((total + 1) * sizeof *m->keys);
    return m->keys ? 0 : RECO_E_NOMEM;
}

int key_merge_sort(struct key_merge *m, struct pool *pool)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < m->lists; i++) {
        rc = sort_keys(m->keys + m->begin[i], m->end[i] - m->begin[i], pool);
        if (m->begin[i] < m->end[i]) {
            m->heap[m->heap_count++] = i;
        }
    }
    bool few = m->lists <= KEY_MERGE_FEW;
    for (size_t i = 0; i < m->heap_count && few; i++) {
        m->first[i] = first_key(m, i);
    }
    for (size_t i = m->heap_count; i > 0 && !few; i--) {
        sift_down(m, i - 1);
    }
    return rc;
}

bool key_merge_next(struct key_merge *m, uint64_t *key, size_t *list, size_t *count)
{
    if (!m->heap_count) {
        return false;
    }
    bool few = m->lists <= KEY_MERGE_FEW;
    size_t top = 0;
    if (few) {
        uint64_t least = m->first[0];
        for (size_t i = 1; i < m->heap_count; i++) {
            bool less = m->first[i] < least;
            top = less ? i : top;
            least = less ? m->first[i] : least;
        }
    }
    size_t at = m->heap[top];
    size_t begin = m->begin[at];
    size_t end = m->end[at];
    size_t next = begin + 1;
    uint64_t least = m->keys[begin];
    while (next < end && m->keys[next] == least) {
        next++;
    }
    m->begin[at] = next;
    *list = at;
    *key = least;
    *count = next - begin;
    if (next == end) {
        m->heap[top] = m->heap[--m->heap_count];
        m->first[top] = few ? m->first[m->heap_count] : 0;
    } else if (few) {
        m->first[top] = m->keys[next];
    }
    if (!few && m->heap_count > 1) {
        sift_down(m, 0);
    }
    return true;
}

/* ---- pieces ---- */

int key_pieces_init(struct key_pieces *pieces, uint64_t *sample, size_t sample_count, size_t keys_max, double total,
                    size_t rows, const double *list_sizes, size_t lists)
{
    size_t wanted = keys_max && total > (double)keys_max ? (size_t)(total / (double)keys_max) + 1 : 1;
    wanted = wanted > KEY_PIECES_MAX ? KEY_PIECES_MAX : wanted;
    *pieces = (struct key_pieces){.count = 1, .lists = lists};
    pieces->first = mem_calloc(wanted, sizeof *pieces->first);
    pieces->sizes = mem_calloc(wanted * lists, sizeof *pieces->sizes);
    if (!pieces->first || !pieces->sizes) {
        return RECO_E_NOMEM;
    }
    int rc = sort_keys(sample, sample_count, NULL);
    for (size_t i = 1; !rc && i < wanted && sample_count; i++) {
        uint64_t border = sample[i * sample_count / wanted];
        if (border > pieces->first[pieces->count - 1]) {
            pieces->first[pieces->count++] = border;
        }
    }
    if (!rc && pieces->count == 1) {
        memcpy(pieces->sizes, list_sizes, lists * sizeof *list_sizes);
    } else if (!rc) {
        pieces->of_row = mem_calloc(rows / 2 + 1, 1);
        rc = pieces->of_row ? 0 : RECO_E_NOMEM;
    }
    return rc;
}

void key_pieces_release(struct key_pieces *pieces)
{
    mem_free(pieces->first);
    mem_free(pieces->sizes);
    mem_free(pieces->of_row);
}
