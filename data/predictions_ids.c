/* Row ids: kept as far as they are needed to know one that stands there twice. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/sort_keys.h"
#include "data/predictions_feed.h"
#include "data/predictions_reader.h"

/* ---- runs, and hashes where they do not do ---- */

static int hash_into_block(void *arg, uint64_t row, const char *id, size_t length)
{
    struct block *block = arg;
    block->row_hash[row] = hash_u64(id, length, 0);
    if (block->row_hash_2) {
        block->row_hash_2[row] = hash_u64(id, length, 1);
    }
    return 0;
}

int predictions_note_id(struct block *block, size_t row, const char *id, size_t length)
{
    if (block->in_runs) {
        int rc = row_runs_add(&block->id_runs, id, length, &block->in_runs);
        if (rc || block->in_runs) {
            return rc;
        }
        rc = row_runs_each(&block->id_runs, hash_into_block, block);
        if (rc) {
            return rc;
        }
    }
    return hash_into_block(block, row, id, length);
}

static int add_hash(struct predictions_reader *r, uint64_t hash, uint64_t hash_2, uint64_t row)
{
    unsigned char key[16];
    unsigned char value[8];
    int rc = r->row_hashes ? 0 : sorter_new(&r->row_hashes, r->options->tmp_dir, r->options->max_memory / 8);
    sorter_u64(key, hash);
    sorter_u64(key + 8, hash_2);
    sorter_u64(value, row);
    return rc ? rc : sorter_add(r->row_hashes, key, r->is_stream ? 16 : 8, value, sizeof value);
}

static int hash_into_reader(void *arg, uint64_t row, const char *id, size_t length)
{
    struct predictions_reader *r = arg;
    uint64_t hash = hash_u64(id, length, 0);
    uint64_t hash_2 = r->is_stream ? hash_u64(id, length, 1) : 0;
    if (row < r->taken) {
        return add_hash(r, hash, hash_2, row);
    }
    r->row_hash[row - r->taken] = hash;
    if (r->row_hash_2) {
        r->row_hash_2[row - r->taken] = hash_2;
    }
    return 0;
}

/* From runs to hashes, for good; capacity: of the columns. */
static int end_runs(struct predictions_reader *r, size_t capacity)
{
    r->in_runs = false;
    r->row_hash = mem_realloc_array(r->row_hash, capacity + 1, sizeof *r->row_hash);
    r->row_hash_2 = r->is_stream ? mem_realloc_array(r->row_hash_2, capacity + 1, sizeof *r->row_hash_2) : NULL;
    if (!r->row_hash || (r->is_stream && !r->row_hash_2)) {
        return RECO_E_NOMEM;
    }
    int rc = row_runs_each(&r->id_runs, hash_into_reader, r);
    row_runs_release(&r->id_runs);
    return rc;
}

struct block_hashes {
    struct predictions_reader *r;
    size_t before; /* rows of the reader */
};

static int hash_behind(void *arg, uint64_t row, const char *id, size_t length)
{
    const struct block_hashes *to = arg;
    return hash_into_reader(to->r, to->r->taken + to->before + row, id, length);
}

int predictions_merge_row_ids(struct predictions_reader *r, const struct block *block)
{
    size_t before = r->p->rows;
    bool fits = false;
    int rc = 0;
    if (r->in_runs && block->in_runs) {
        rc = row_runs_append(&r->id_runs, r->texts, &block->id_runs, &fits);
    }
    if (rc || fits) {
        return rc;
    }
    if (r->in_runs) {
        rc = end_runs(r, r->capacity);
    }
    if (!rc && block->in_runs) {
        struct block_hashes to = {r, before};
        return row_runs_each(&block->id_runs, hash_behind, &to);
    }
    if (!rc) {
        memcpy(r->row_hash + before, block->row_hash, block->rows * sizeof *r->row_hash);
    }
    if (!rc && r->row_hash_2) {
        memcpy(r->row_hash_2 + before, block->row_hash_2, block->rows * sizeof *r->row_hash_2);
    }
    return rc;
}

int predictions_keep_hashes(struct predictions_reader *r)
{
    int rc = 0;
    for (size_t i = 0; !rc && r->row_hash && i < r->p->rows; i++) {
        rc = add_hash(r, r->row_hash[i], r->row_hash_2 ? r->row_hash_2[i] : 0, r->taken + i);
    }
    return rc;
}

/* ---- row ids that stand there twice ---- */

static int compare_hashes(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The hashes of sorted [count] that occur more than once, to its front; their number. */
static size_t keep_repeated(uint64_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 1; i < count; i++) {
        if (sorted[i] == sorted[i - 1] && (!kept || sorted[kept - 1] != sorted[i])) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

struct seen {
    struct dictionary ids;
    uint64_t *line; /* [ids.count] */
    size_t capacity;
    struct text_store texts;
};

static int look_at_id(const struct predictions_reader *r, struct seen *seen, char *id, size_t length, uint64_t line)
{
    uint32_t number;
    size_t known = seen->ids.count;
    int rc = dictionary_enter(&seen->ids, &seen->texts, id, length, &number);
    if (!rc && seen->ids.count == known) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: doubled row_id '%.200s', as in line %llu", r->path,
                       (unsigned long long)line, id, (unsigned long long)seen->line[number]);
    }
    if (!rc) {
        rc = mem_grow((void **)&seen->line, &seen->capacity, known + 1, sizeof *seen->line);
    }
    if (!rc) {
        seen->line[known] = line;
    }
    return rc;
}

static int look_at_line(const struct predictions_reader *r, struct seen *seen, char *text, size_t column, uint64_t line,
                        const uint64_t *repeated, size_t count)
{
    char *at = text;
    for (size_t i = 0; i < column; i++) {
        at += strcspn(at, "\t") + 1;
    }
    size_t length = strcspn(at, "\t");
    at[length] = '\0';
    length = predictions_unescape(at, length);
    uint64_t hash = hash_u64(at, length, 0);
    return bsearch(&hash, repeated, count, sizeof *repeated, compare_hashes) ? look_at_id(r, seen, at, length, line)
                                                                             : 0;
}

/* A second look at the file: were those with equal hashes equal? repeated is sorted. */
static int look_again(const struct predictions_reader *r, const uint64_t *repeated, size_t count)
{
    struct predictions_feed *feed = NULL;
    struct block block = {0};
    struct seen seen = {0};
    size_t column = 0;
    char *header;
    size_t length;
    while (r->columns[column].kind != COLUMN_ROW_ID) {
        column++;
    }
    int rc = predictions_feed_open(&feed, r->path, r->options->source);
    if (!rc) {
        rc = predictions_feed_header(feed, &header, &length);
    }
    while (!rc && !(rc = predictions_feed_next(feed, &block)) && block.length) {
        char *end = block.text + block.length;
        size_t row = 0;
        for (char *at = block.text; !rc && at < end; row++) {
            char *newline = memchr(at, '\n', (size_t)(end - at));
            newline = newline ? newline : end;
            *newline = '\0';
            if (newline > at && newline[-1] == '\r') {
                newline[-1] = '\0';
            }
            rc = look_at_line(r, &seen, at, column, block.row_line ? block.row_line[row] : block.first_line + row,
                              repeated, count);
            at = newline + 1;
        }
    }
    predictions_feed_close(feed);
    mem_free(block.text);
    mem_free(block.row_line);
    dictionary_release(&seen.ids);
    text_store_release(&seen.texts);
    mem_free(seen.line);
    return rc;
}

static int fail_doubled(const struct predictions_reader *r, size_t row, size_t other)
{
    char what[80];
    (void)snprintf(what, sizeof what, "doubled row_id, as in %s %llu", r->line_a_row ? "line" : "row",
                   (unsigned long long)other + (r->line_a_row ? r->first_row_line : 1));
    return predictions_fail_row(r, row, what);
}

/* Two hashes of 64 bits that are both equal stand for equal ids. */
static int look_at_hashes(const struct predictions_reader *r, const uint64_t *repeated, size_t count,
                          const uint64_t *hashes)
{
    for (size_t row = 0; row < r->p->rows; row++) {
        if (!bsearch(&hashes[row], repeated, count, sizeof *repeated, compare_hashes)) {
            continue;
        }
        for (size_t other = 0; other < row; other++) {
            if (hashes[other] == hashes[row] && r->row_hash_2[other] == r->row_hash_2[row]) {
                return fail_doubled(r, row, other);
            }
        }
    }
    return 0;
}

/* Those of rows that were handed over. */
static int check_sorted_hashes(struct predictions_reader *r)
{
    const struct sorter_record *record;
    uint64_t *repeated = NULL;
    size_t count = 0;
    size_t capacity = 0;
    unsigned char last[16] = {0};
    size_t last_length = 0;
    size_t last_row = 0;
    int rc = sorter_sort(r->row_hashes);
    while (!rc && !(rc = sorter_next(r->row_hashes, &record)) && record) {
        size_t row = (size_t)sorter_get_u64(record->value);
        bool same = record->key_length == last_length && !memcmp(record->key, last, last_length);
        if (same && r->is_stream) {
            rc = fail_doubled(r, row > last_row ? row : last_row, row > last_row ? last_row : row);
        } else if (same) {
            rc = mem_grow((void **)&repeated, &capacity, count + 1, sizeof *repeated);
            if (!rc) {
                repeated[count++] = sorter_get_u64(record->key);
            }
        }
        last_length = record->key_length;
        last_row = row;
        memcpy(last, record->key, last_length);
    }
    if (!rc && count) {
        rc = look_again(r, repeated, count);
    }
    mem_free(repeated);
    return rc;
}

int predictions_check_row_ids(struct predictions_reader *r, struct pool *pool)
{
    size_t rows = r->p->rows;
    bool distinct = true;
    if (r->in_runs && r->id_runs.rows) {
        int rc = row_runs_are_distinct(&r->id_runs, &distinct);
        rc = rc || distinct ? rc : end_runs(r, r->capacity);
        if (rc || distinct) {
            return rc;
        }
    }
    if (r->row_hashes) {
        return check_sorted_hashes(r);
    }
    if (!r->row_hash) {
        return 0;
    }
    uint64_t *hashes = NULL;
    if (r->is_stream) {
        hashes = mem_alloc((rows + 1) * sizeof *hashes);
        if (!hashes) {
            return RECO_E_NOMEM;
        }
        memcpy(hashes, r->row_hash, rows * sizeof *hashes);
    }
    int rc = sort_keys(r->row_hash, rows, pool);
    size_t count = rc ? 0 : keep_repeated(r->row_hash, rows);
    if (!rc && count) {
        rc = r->is_stream ? look_at_hashes(r, r->row_hash, count, hashes) : look_again(r, r->row_hash, count);
    }
    mem_free(hashes);
    mem_free(r->row_hash);
    mem_free(r->row_hash_2);
    r->row_hash = r->row_hash_2 = NULL;
    return rc;
}
