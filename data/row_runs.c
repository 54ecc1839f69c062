#include "data/row_runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { DIGITS_MAX = 18, RUNS_FREE = 16, ROWS_A_RUN = 16 }; /* a run takes the memory of four hashes */

void row_runs_clear(struct row_runs *runs)
{
    runs->count = 0;
    runs->rows = 0;
}

void row_runs_release(struct row_runs *runs)
{
    mem_free(runs->runs);
    *runs = (struct row_runs){0};
}

static bool has_room(const struct row_runs *runs, uint64_t rows)
{
    return runs->count < RUNS_FREE + rows / ROWS_A_RUN;
}

static bool is_prefix(const struct row_run *run, const char *prefix, size_t length)
{
    return run->prefix_length == length && !memcmp(run->prefix, prefix, length);
}

/* The length of the prefix; length: there is no number. */
static size_t split_id(const char *id, size_t length, uint64_t *number)
{
    size_t at = length;
    while (at > 0 && (unsigned)(id[at - 1] - '0') < 10 && length - at < DIGITS_MAX) {
        at--;
    }
    while (at + 1 < length && id[at] == '0') {
        at++;
    }
    *number = 0;
    for (size_t i = at; i < length; i++) {
        *number = *number * 10 + (uint64_t)(id[i] - '0');
    }
    return at;
}

int row_runs_add(struct row_runs *runs, const char *id, size_t length, bool *fits)
{
    uint64_t number;
    size_t prefix_length = split_id(id, length, &number);
    struct row_run *last = runs->count ? &runs->runs[runs->count - 1] : NULL;
    *fits = prefix_length < length;
    if (*fits && last && number == last->first + last->count && is_prefix(last, id, prefix_length)) {
        last->count++;
        runs->rows++;
        return 0;
    }
    *fits = *fits && has_room(runs, runs->rows);
    int rc = *fits ? mem_grow((void **)&runs->runs, &runs->capacity, runs->count + 1, sizeof *runs->runs) : 0;
    if (!rc && *fits) {
        runs->runs[runs->count++] = (struct row_run){id, prefix_length, number, 1};
        runs->rows++;
    }
    return rc;
}

int row_runs_append(struct row_runs *all, struct text_store *store, const struct row_runs *part, bool *fits)
{
    int rc = 0;
    *fits = all->count + part->count <= RUNS_FREE + (all->rows + part->rows) / ROWS_A_RUN;
    for (size_t i = 0; !rc && *fits && i < part->count; i++) {
        const struct row_run *run = &part->runs[i];
        struct row_run *last = all->count ? &all->runs[all->count - 1] : NULL;
        bool same = last && is_prefix(last, run->prefix, run->prefix_length);
        if (same && run->first == last->first + last->count) {
            last->count += run->count;
            continue;
        }
        const char *prefix = same ? last->prefix : text_store_add(store, run->prefix, run->prefix_length);
        rc = prefix ? mem_grow((void **)&all->runs, &all->capacity, all->count + 1, sizeof *all->runs) : RECO_E_NOMEM;
        if (!rc) {
            all->runs[all->count++] = (struct row_run){prefix, run->prefix_length, run->first, run->count};
        }
    }
    all->rows += *fits ? part->rows : 0;
    return rc;
}

static int compare_runs(const void *left, const void *right)
{
    const struct row_run *a = left;
    const struct row_run *b = right;
    if (a->prefix_length != b->prefix_length) {
        return a->prefix_length < b->prefix_length ? -1 : 1;
    }
    int order = memcmp(a->prefix, b->prefix, a->prefix_length);
    return order ? order : (a->first > b->first) - (a->first < b->first);
}

int row_runs_are_distinct(const struct row_runs *runs, bool *distinct)
{
    *distinct = true;
    if (runs->count < 2) {
        return 0;
    }
    struct row_run *sorted = mem_alloc(runs->count * sizeof *sorted);
    if (!sorted) {
        return RECO_E_NOMEM;
    }
    memcpy(sorted, runs->runs, runs->count * sizeof *sorted);
    qsort(sorted, runs->count, sizeof *sorted, compare_runs);
    for (size_t i = 1; i < runs->count; i++) {
        const struct row_run *before = &sorted[i - 1];
        *distinct = *distinct && !(is_prefix(before, sorted[i].prefix, sorted[i].prefix_length) &&
                                   sorted[i].first < before->first + before->count);
    }
    mem_free(sorted);
    return 0;
}

int row_runs_each(const struct row_runs *runs, int (*take)(void *arg, uint64_t row, const char *id, size_t length),
                  void *arg)
{
    char *id = NULL;
    size_t capacity = 0;
    uint64_t row = 0;
    int rc = 0;
    for (size_t i = 0; !rc && i < runs->count; i++) {
        const struct row_run *run = &runs->runs[i];
        rc = mem_grow((void **)&id, &capacity, run->prefix_length + DIGITS_MAX + 2, 1);
        if (!rc) {
            memcpy(id, run->prefix, run->prefix_length);
        }
        for (uint64_t n = 0; !rc && n < run->count; n++) {
            int digits =
                snprintf(id + run->prefix_length, DIGITS_MAX + 2, "%llu", (unsigned long long)(run->first + n));
            rc = take(arg, row++, id, run->prefix_length + (size_t)digits);
        }
    }
    mem_free(id);
    return rc;
}
