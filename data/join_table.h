#ifndef RECO_DATA_JOIN_TABLE_H
#define RECO_DATA_JOIN_TABLE_H

/*
 * A side table (items, users, queries) found by key: its rows lie in a temporary file that is mapped, 16 bytes a slot
 * stay in memory, at most 43 a row. Rows that stand twice are one; two different rows of one key are an error that
 * names both lines. Read-only once opened, shared by threads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/join_key.h"

struct join_table_options {
    const char *path;
    const char *what;        /* "item", in messages */
    const char *file_option; /* "items_file" */
    const char *key_names, *key_option;
    const struct table_options *table; /* how to read it; borrowed */
    const char *tmp_dir;
    struct opt_amount max_bad_rows;
};

struct join_table;
int join_table_open(struct join_table **out, const struct join_table_options *options) RECO_MUST_CHECK;
void join_table_close(struct join_table *t); /* NULL-safe */

size_t join_table_columns(const struct join_table *t);
const char *join_table_column_name(const struct join_table *t, size_t column);
const char *join_table_label(const struct join_table *t); /* "'items.csv'" */
uint64_t join_table_rows(const struct join_table *t);     /* distinct */

/* *row: its place, for join_table_fields. False: there is none. */
bool join_table_lookup(const struct join_table *t, const char *key, size_t length, uint64_t *row);
/* fields [join_table_columns], borrowed from t. */
void join_table_fields(const struct join_table *t, uint64_t row, struct csv_field *fields);

/* ---- shared with the history, which reads its log in the same way ---- */

/*
 * Opens a side file as table says, without its names of columns. A delimiter that the file does not use is taken for
 * that of the main file: it is detected then.
 */
int join_reader_open(struct table_reader **out, const char *path, const char *file_option,
                     const struct table_options *table) RECO_MUST_CHECK;

/* Bad rows of a side file while it is read. */
struct join_bad_rows {
    uint64_t rows, bad, first_line;
    struct buf first;
};
int join_bad_rows_add(struct join_bad_rows *b, uint64_t line, const char *reason) RECO_MUST_CHECK;
/* RECO_E_DATA when there are more than max, or nothing but; a warning when there are some. */
int join_bad_rows_check(const struct join_bad_rows *b, const char *label, const struct opt_amount *max) RECO_MUST_CHECK;

#endif
