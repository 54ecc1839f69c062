#ifndef RECO_DATA_ROW_RUNS_H
#define RECO_DATA_ROW_RUNS_H

/*
 * Row ids that count on, as "test.csv:17", "test.csv:18", in runs, so that a file of them is known to have no id twice
 * without a hash a row. An id is a prefix and the number behind it, without leading zeros, of at most 18 digits.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/text_index.h"

struct row_run {
    const char *prefix; /* [prefix_length] */
    size_t prefix_length;
    uint64_t first, count;
};

struct row_runs { /* zero-initialised is empty; ids in the order in which they were added */
    struct row_run *runs;
    size_t count, capacity;
    uint64_t rows;
};
void row_runs_clear(struct row_runs *runs); /* keeps the memory */
void row_runs_release(struct row_runs *runs);

/* *fits false, and nothing added: the id ends in no number, or there are too many runs for it to be worth while. The
 * prefix is borrowed from id. */
int row_runs_add(struct row_runs *runs, const char *id, size_t length, bool *fits) RECO_MUST_CHECK;
/* All of part behind all; prefixes are copied to store. *fits false: nothing was added. */
int row_runs_append(struct row_runs *all, struct text_store *store, const struct row_runs *part,
                    bool *fits) RECO_MUST_CHECK;

/* Is no id there twice? Exact. RECO_E_NOMEM. */
int row_runs_are_distinct(const struct row_runs *runs, bool *distinct) RECO_MUST_CHECK;

/* Calls take with the id of every row, from 0, NUL-terminated; stops at a code that is not 0 and returns it. */
int row_runs_each(const struct row_runs *runs, int (*take)(void *arg, uint64_t row, const char *id, size_t length),
                  void *arg) RECO_MUST_CHECK;

#endif
