#include "core/sorter.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/temp_file.h"

/*
 * A record, in memory and in a run, is its two lengths (uint32 each), the key, the value. In memory an entry of 16
 * bytes points at it: the first 8 bytes of the key as a number, so that most comparisons do not touch the record, and
 * its place, which is also the order of adding. Entries are sorted by radix over that number, which keeps the order of
 * equal ones; stretches of equal numbers with more of a key behind it are sorted by the whole key.
 */

enum {
    LEAST_BYTES = 1024 * 1024,
    HEADER_BYTES = 8,
    LEAST_WINDOW_BYTES = 16 * 1024,
    MOST_WINDOW_BYTES = 1024 * 1024,
    LEAST_RUNS_AT_ONCE = 16,
    MOST_RUNS_AT_ONCE = 1024
};

struct entry {
    uint64_t prefix; /* first 8 bytes of the key, big-endian, zeros behind a shorter one */
    uint64_t place;  /* of the record in bytes */
};

enum { ENTRY_ROOM = 2 * sizeof(struct entry) }; /* sorting takes a second array of entries */

struct run { /* a sorted stretch of the temporary file */
    uint64_t start, end;
};

struct merge_source {
    struct temp_reader reader;
    struct sorter_record record;
    uint64_t prefix;
};

struct merge { /* of runs [count] in their order, by a heap whose top is the least record */
    struct merge_source *sources;
    uint32_t *heap;
    size_t count, heap_count;
    bool started; /* the top record has been given out */
};

struct sorter {
    char *tmp_dir;
    size_t max_bytes;
    uint64_t count, spilled_bytes;

    unsigned char *bytes; /* records in memory */
    size_t bytes_used, bytes_capacity;
    struct entry *entries;
    size_t entry_count, entry_capacity, next;

    struct temp_file *file;
    struct run *runs;
    size_t run_count, run_capacity;
    struct merge merge;
    struct sorter_record record;
};

int sorter_new(struct sorter **out, const char *tmp_dir, size_t max_bytes)
{
    struct sorter *s = mem_calloc(1, sizeof *s);

    if (s == NULL)
        return RECO_E_NOMEM;
    s->max_bytes = max_bytes < LEAST_BYTES ? LEAST_BYTES : max_bytes;
    if (tmp_dir != NULL && (s->tmp_dir = mem_strdup(tmp_dir)) == NULL) {
        mem_free(s);
        return RECO_E_NOMEM;
    }
    *out = s;
    return 0;
}

static void merge_release(struct merge *m)
{
    for (size_t i = 0; m->sources != NULL && i < m->count; i++)
        temp_reader_release(&m->sources[i].reader);
    mem_free(m->sources);
    mem_free(m->heap);
    *m = (struct merge){0};
}

static void free_memory(struct sorter *s)
{
    mem_free(s->bytes);
    mem_free(s->entries);
    s->bytes = NULL;
    s->entries = NULL;
    s->bytes_used = s->bytes_capacity = s->entry_count = s->entry_capacity = 0;
}

void sorter_free(struct sorter *s)
{
    if (s == NULL)
        return;
    merge_release(&s->merge);
    free_memory(s);
    temp_file_close(s->file);
    mem_free(s->runs);
    mem_free(s->tmp_dir);
    mem_free(s);
}

uint64_t sorter_count(const struct sorter *s)
{
    return s->count;
}

uint64_t sorter_spilled_bytes(const struct sorter *s)
{
    return s->spilled_bytes;
}

static uint64_t prefix_of(const unsigned char *key, size_t length)
{
    unsigned char first[8] = {0};

    memcpy(first, key, length < sizeof first ? length : sizeof first);
    return sorter_get_u64(first);
}

static void record_at(const unsigned char *at, struct sorter_record *record)
{
    uint32_t lengths[2];

    memcpy(lengths, at, sizeof lengths);
    record->key = at + HEADER_BYTES;
    record->key_length = lengths[0];
    record->value = record->key + lengths[0];
    record->value_length = lengths[1];
}

/* Keys of equal prefix. */
static int compare_keys(const struct sorter_record *a, const struct sorter_record *b)
{
    size_t shorter = a->key_length < b->key_length ? a->key_length : b->key_length;
    int order = shorter > 8 ? memcmp(a->key + 8, b->key + 8, shorter - 8) : 0;

    return order != 0 ? order : (a->key_length > b->key_length) - (a->key_length < b->key_length);
}

/* ---- sorting in memory
 * -------------------------------------------------------------------------------------------------- */

static int compare_entries(const void *left, const void *right, void *bytes)
{
    const struct entry *a = left, *b = right;
    struct sorter_record x, y;

    record_at((unsigned char *)bytes + a->place, &x);
    record_at((unsigned char *)bytes + b->place, &y);
    int order = compare_keys(&x, &y);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* Stretches of one prefix: the rest of their keys, where they have one. */
static void sort_equal_prefixes(struct sorter *s)
{
    struct sorter_record record;

    for (size_t first = 0, end; first < s->entry_count; first = end) {
        bool rest = false;
        size_t length = 0;
        for (end = first; end < s->entry_count && s->entries[end].prefix == s->entries[first].prefix; end++) {
            if (end == first && (end + 1 == s->entry_count || s->entries[end + 1].prefix != s->entries[end].prefix))
                continue; /* alone: the record need not be touched */
            record_at(s->bytes + s->entries[end].place, &record);
            rest = rest || record.key_length > 8 || (end > first && record.key_length != length);
            length = record.key_length;
        }
        if (rest)
            qsort_r(s->entries + first, end - first, sizeof *s->entries, compare_entries, s->bytes);
    }
}

static int sort_entries(struct sorter *s)
{
    enum { DIGITS = 8, VALUES = 256 };
    size_t counts[DIGITS][VALUES] = {{0}};
    size_t n = s->entry_count;
    struct entry *other = mem_realloc_array(NULL, n, sizeof *other);

    if (other == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        for (int d = 0; d < DIGITS; d++)
            counts[d][s->entries[i].prefix >> 8 * d & 255]++;
    for (int d = 0; d < DIGITS; d++) {
        size_t place = 0;
        if (n == 0 || counts[d][s->entries[0].prefix >> 8 * d & 255] == n)
            continue; /* one value throughout */
        for (int v = 0; v < VALUES; v++) {
            size_t count = counts[d][v];
            counts[d][v] = place;
            place += count;
        }
        for (size_t i = 0; i < n; i++)
            other[counts[d][s->entries[i].prefix >> 8 * d & 255]++] = s->entries[i];
        struct entry *swap = s->entries;
        s->entries = other;
        other = swap;
        s->entry_capacity = n;
    }
    /* The smaller of the two may be the one in use now: entry_capacity says what it holds. */
    mem_free(other);
    sort_equal_prefixes(s);
    return 0;
}

/* ---- runs
 * --------------------------------------------------------------------------------------------------------------- */

static int add_run(struct run **runs, size_t *count, size_t *capacity, uint64_t start, uint64_t end)
{
    int rc = mem_grow((void **)runs, capacity, *count + 1, sizeof **runs);

    if (rc == 0)
        (*runs)[(*count)++] = (struct run){start, end};
    return rc;
}

static size_t record_bytes(const struct sorter_record *record)
{
    return HEADER_BYTES + record->key_length + record->value_length;
}

static int spill(struct sorter *s)
{
    struct sorter_record record;
    int rc = s->file == NULL ? temp_file_open(&s->file, s->tmp_dir) : 0;

    if (rc == 0)
        rc = sort_entries(s);
    if (rc < 0)
        return rc;
    uint64_t start = temp_file_bytes(s->file);
    for (size_t i = 0; rc == 0 && i < s->entry_count; i++) {
        const unsigned char *at = s->bytes + s->entries[i].place;
        record_at(at, &record);
        rc = temp_file_write(s->file, at, record_bytes(&record));
    }
    if (rc == 0)
        rc = add_run(&s->runs, &s->run_count, &s->run_capacity, start, temp_file_bytes(s->file));
    s->spilled_bytes += s->bytes_used;
    s->bytes_used = s->entry_count = 0;
    return rc;
}

/* Doubled, but hardly beyond most. */
static int grow(void **array, size_t *capacity, size_t need, size_t most, size_t size_bytes)
{
    size_t wanted = 2 * *capacity < 1024 ? 1024 : 2 * *capacity;

    if (need <= *capacity)
        return 0;
    wanted = wanted > most ? most : wanted;
    wanted = wanted < need ? need + need / 16 : wanted;
    void *grown = mem_realloc_array(*array, wanted, size_bytes);
    if (grown == NULL)
        return RECO_E_NOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

/* Room for one record more; the arrays share max_bytes as the records so far do. */
static int reserve(struct sorter *s, size_t need)
{
    size_t record = s->entry_count > 0 ? s->bytes_used / s->entry_count : need;
    size_t most = s->max_bytes / (record + ENTRY_ROOM) + 1;
    int rc = grow((void **)&s->bytes, &s->bytes_capacity, s->bytes_used + need, most * record + need, 1);

    return rc < 0 ? rc : grow((void **)&s->entries, &s->entry_capacity, s->entry_count + 1, most, sizeof *s->entries);
}

int sorter_add(struct sorter *s, const void *key, size_t key_length, const void *value, size_t value_length)
{
    if (key_length > UINT32_MAX || value_length > UINT32_MAX)
        return err_set(RECO_E_INTERNAL, "cannot sort a record of more than 4 GiB");
    uint32_t lengths[2] = {(uint32_t)key_length, (uint32_t)value_length};
    size_t need = HEADER_BYTES + key_length + value_length;
    int rc = 0;

    if (s->entry_count > 0 && s->bytes_used + need + (s->entry_count + 1) * ENTRY_ROOM > s->max_bytes)
        rc = spill(s);
    if (rc == 0)
        rc = reserve(s, need);
    if (rc < 0)
        return rc;
    unsigned char *at = s->bytes + s->bytes_used;
    s->entries[s->entry_count++] = (struct entry){prefix_of(key, key_length), s->bytes_used};
    memcpy(at, lengths, sizeof lengths);
    if (key_length > 0)
        memcpy(at + HEADER_BYTES, key, key_length);
    if (value_length > 0)
        memcpy(at + HEADER_BYTES + key_length, value, value_length);
    s->bytes_used += need;
    s->count++;
    return 0;
}

/* ---- merging
 * ------------------------------------------------------------------------------------------------------------ */

static bool is_before(const struct merge *m, uint32_t a, uint32_t b)
{
    const struct merge_source *x = &m->sources[a], *y = &m->sources[b];

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix;
    int order = compare_keys(&x->record, &y->record);
    return order != 0 ? order < 0 : a < b;
}

static void sift_down(struct merge *m, size_t at)
{
    for (;;) {
        size_t least = 2 * at + 1;
        if (least >= m->heap_count)
            return;
        if (least + 1 < m->heap_count && is_before(m, m->heap[least + 1], m->heap[least]))
            least++;
        if (!is_before(m, m->heap[least], m->heap[at]))
            return;
        uint32_t swap = m->heap[at];
        m->heap[at] = m->heap[least];
        m->heap[least] = swap;
        at = least;
    }
}

static int read_source(struct merge_source *source)
{
    const unsigned char *at;
    uint32_t lengths[2];
    int rc = temp_reader_get(&source->reader, HEADER_BYTES, &at);

    if (rc < 0)
        return rc;
    memcpy(lengths, at, sizeof lengths);
    rc = temp_reader_get(&source->reader, (size_t)lengths[0] + lengths[1], &at);
    if (rc < 0)
        return rc;
    source->record = (struct sorter_record){
        .key = at, .value = at + lengths[0], .key_length = lengths[0], .value_length = lengths[1]};
    source->prefix = prefix_of(at, lengths[0]);
    return 0;
}

static int merge_start(struct sorter *s, struct merge *m, const struct run *runs, size_t count)
{
    size_t window = s->max_bytes / (count > 0 ? count : 1);
    int rc = 0;

    merge_release(m);
    window = window < LEAST_WINDOW_BYTES ? LEAST_WINDOW_BYTES : window > MOST_WINDOW_BYTES ? MOST_WINDOW_BYTES : window;
    m->sources = mem_calloc(count, sizeof *m->sources);
    m->heap = mem_realloc_array(NULL, count, sizeof *m->heap);
    if (m->sources == NULL || m->heap == NULL)
        return RECO_E_NOMEM;
    m->count = count;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        m->sources[i].reader =
            (struct temp_reader){.file = s->file, .at = runs[i].start, .end = runs[i].end, .window_bytes = window};
        rc = read_source(&m->sources[i]); /* no run is empty */
        m->heap[m->heap_count++] = (uint32_t)i;
    }
    for (size_t i = m->heap_count / 2; rc == 0 && i-- > 0;)
        sift_down(m, i);
    return rc;
}

/* *record is borrowed until the next call. */
static int merge_next(struct merge *m, const struct sorter_record **record)
{
    *record = NULL;
    if (m->started && m->heap_count > 0) {
        struct merge_source *top = &m->sources[m->heap[0]];
        if (temp_reader_at_end(&top->reader)) {
            m->heap[0] = m->heap[--m->heap_count];
        } else {
            int rc = read_source(top);
            if (rc < 0)
                return rc;
        }
        sift_down(m, 0);
    }
    m->started = true;
    if (m->heap_count > 0)
        *record = &m->sources[m->heap[0]].record;
    return 0;
}

/* Runs next to each other become one, so that equal keys stay in their order. */
static int merge_group(struct sorter *s, const struct run *runs, size_t count, struct temp_file *to)
{
    const struct sorter_record *record;
    int rc = merge_start(s, &s->merge, runs, count);

    while (rc == 0 && (rc = merge_next(&s->merge, &record)) == 0 && record != NULL) {
        uint32_t lengths[2] = {(uint32_t)record->key_length, (uint32_t)record->value_length};
        rc = temp_file_write(to, lengths, sizeof lengths);
        if (rc == 0)
            rc = temp_file_write(to, record->key, record->key_length + record->value_length);
    }
    merge_release(&s->merge);
    return rc;
}

static int merge_level(struct sorter *s, size_t at_once)
{
    struct temp_file *to = NULL;
    struct run *merged = NULL;
    size_t merged_count = 0, merged_capacity = 0;
    int rc = temp_file_open(&to, s->tmp_dir);

    for (size_t first = 0; rc == 0 && first < s->run_count; first += at_once) {
        size_t count = s->run_count - first < at_once ? s->run_count - first : at_once;
        uint64_t start = temp_file_bytes(to);
        rc = merge_group(s, s->runs + first, count, to);
        if (rc == 0)
            rc = add_run(&merged, &merged_count, &merged_capacity, start, temp_file_bytes(to));
    }
    if (rc == 0)
        rc = temp_file_flush(to);
    if (rc < 0) {
        temp_file_close(to);
        mem_free(merged);
        return rc;
    }
    temp_file_close(s->file);
    mem_free(s->runs);
    s->file = to;
    s->runs = merged;
    s->run_count = merged_count;
    s->run_capacity = merged_capacity;
    return 0;
}

int sorter_sort(struct sorter *s)
{
    if (s->run_count == 0)
        return sort_entries(s);
    size_t at_once = s->max_bytes / LEAST_WINDOW_BYTES;
    int rc = s->entry_count > 0 ? spill(s) : 0;

    free_memory(s);
    if (rc == 0)
        rc = temp_file_flush(s->file);
    at_once = at_once < LEAST_RUNS_AT_ONCE  ? LEAST_RUNS_AT_ONCE
              : at_once > MOST_RUNS_AT_ONCE ? MOST_RUNS_AT_ONCE
                                            : at_once;
    while (rc == 0 && s->run_count > at_once)
        rc = merge_level(s, at_once);
    return rc == 0 ? merge_start(s, &s->merge, s->runs, s->run_count) : rc;
}

int sorter_next(struct sorter *s, const struct sorter_record **record)
{
    if (s->run_count > 0)
        return merge_next(&s->merge, record);
    *record = NULL;
    if (s->next < s->entry_count) {
        record_at(s->bytes + s->entries[s->next++].place, &s->record);
        *record = &s->record;
    }
    return 0;
}

int sorter_rewind(struct sorter *s)
{
    s->next = 0;
    return s->run_count > 0 ? merge_start(s, &s->merge, s->runs, s->run_count) : 0;
}
