#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "eval/slice_internal.h"

/* Distinct values of a column as hashes, ascending. 64 bits: two of a billion values fall together by a chance of 3 %.
 */
struct seen {
    char *name;
    uint64_t *hashes; /* [count] */
    uint32_t *counts; /* [count] */
    size_t count;
};

struct slice_training {
    struct seen *columns; /* [count] */
    size_t count;
};

void slice_training_free(struct slice_training *t)
{
    if (!t) {
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        mem_free(t->columns[i].hashes);
        mem_free(t->columns[i].counts);
        mem_free(t->columns[i].name);
    }
    mem_free(t->columns);
    mem_free(t);
}

static int compare_hashes(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Field number of a row's columns, escaped as in the predictions. */
static const char *field(const struct dataset_split *split, size_t row, size_t column, size_t *length)
{
    const char *at = dataset_columns(split, row, length);
    const char *end = at + *length;
    for (size_t i = 0; i < column; i++) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        if (!tab) {
            *length = 0;
            return at;
        }
        at = tab + 1;
    }
    const char *tab = memchr(at, '\t', (size_t)(end - at));
    *length = (size_t)((tab ? tab : end) - at);
    return at;
}

static int read_column(struct seen *seen, const struct dataset_split *split, size_t column)
{
    size_t rows = dataset_rows(split);
    seen->hashes = mem_realloc_array(NULL, rows + 1, sizeof *seen->hashes);
    seen->counts = mem_realloc_array(NULL, rows + 1, sizeof *seen->counts);
    if (!seen->hashes || !seen->counts) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < rows; row++) {
        size_t length;
        const char *text = field(split, row, column, &length);
        seen->hashes[row] = hash_u64(text, length, 0);
    }
    qsort(seen->hashes, rows, sizeof *seen->hashes, compare_hashes);
    for (size_t row = 0; row < rows; row++) {
        if (seen->count && seen->hashes[seen->count - 1] == seen->hashes[row]) {
            seen->counts[seen->count - 1]++;
        } else {
            seen->hashes[seen->count] = seen->hashes[row];
            seen->counts[seen->count++] = 1;
        }
    }
    return 0;
}

static bool is_wanted(const char *column, const char *const *slices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_training_wants(slices[i], column)) {
            return true;
        }
    }
    return false;
}

int slice_training_open(struct slice_training **out, const struct dataset *dataset, const char *const *slices,
                        size_t count)
{
    *out = NULL;
    const struct dataset_split *split = dataset_find_split(dataset, "train");
    if (!split) {
        return err_set(RECO_E_DATA, "the dataset has no train split: what was seen in training cannot be told");
    }
    struct slice_training *t = mem_calloc(1, sizeof *t);
    size_t columns = dataset_column_count(split);
    int rc = t ? 0 : RECO_E_NOMEM;
    if (!rc) {
        t->columns = mem_calloc(columns + 1, sizeof *t->columns);
        rc = t->columns ? 0 : RECO_E_NOMEM;
    }
    for (size_t i = 0; !rc && i < columns; i++) {
        if (is_wanted(dataset_column_name(split, i), slices, count)) {
            struct seen *seen = &t->columns[t->count++];
            seen->name = mem_strdup(dataset_column_name(split, i));
            rc = seen->name ? read_column(seen, split, i) : RECO_E_NOMEM;
        }
    }
    if (rc) {
        slice_training_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

static const struct seen *find(const struct slice_training *t, const char *column)
{
    for (size_t i = 0; t && i < t->count; i++) {
        if (!strcmp(t->columns[i].name, column)) {
            return &t->columns[i];
        }
    }
    return NULL;
}

bool slice_training_has(const struct slice_training *t, const char *column)
{
    return find(t, column) != NULL;
}

int slice_training_count(uint64_t *count, const struct slice_training *t, const char *column, const char *value)
{
    const struct seen *seen = find(t, column);
    struct buf escaped = {0};
    *count = 0;
    int rc = seen ? predictions_escape(&escaped, value, strlen(value)) : 0;
    if (!rc && seen) {
        uint64_t hash = hash_u64(buf_str(&escaped), escaped.length, 0);
        const uint64_t *found = bsearch(&hash, seen->hashes, seen->count, sizeof hash, compare_hashes);
        *count = found ? seen->counts[found - seen->hashes] : 0;
    }
    buf_release(&escaped);
    return rc;
}
