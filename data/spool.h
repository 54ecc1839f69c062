#ifndef RECO_DATA_SPOOL_H
#define RECO_DATA_SPOOL_H

/*
 * The rows of the input after everything that looks at one row alone, one after the other in a file: what prepare and
 * merge read when they decide what needs the whole data. A temporary file, or a file of a shard. Bad rows and rows that
 * a rule left out are there, too, for the reports.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/temp_file.h"

struct dataset_file;

enum spool_kind {
    SPOOL_ROW,
    SPOOL_BAD,    /* reason and raw are set */
    SPOOL_DROPPED /* by the cleaning rule `rule` */
};

enum {
    SPOOL_NO_LABEL = -1,
    SPOOL_UNKNOWN_LABEL = -2 /* a value that the first file may or may not have: its text is in reason, raw is set */
};

struct spool_text {
    const char *text; /* not NUL-terminated */
    size_t length;
};

struct spool_row {
    enum spool_kind kind;
    uint32_t rule;               /* SPOOL_DROPPED: number of the cleaning rule */
    uint32_t file;               /* number of the input file */
    uint32_t query, description; /* numbers of texts; description DATASET_NO_TEXT: none */
    int32_t label;               /* number of the label's value, or one of those above */
    float weight;
    uint64_t changed;             /* bit r: cleaning rule r changed a text of the row */
    uint64_t record, line;        /* in the input file */
    uint64_t query_key, pair_key; /* hashes of the normalised query, and of it with the normalised description */
    uint64_t item_key, category_key;
    uint64_t id_key; /* hash of the row id when it comes from a column */
    double target;
    int64_t time_us;
    struct spool_text order;       /* shards: the row's place among all rows, by memcmp */
    struct spool_text columns;     /* escaped, joined by tabs: row_id, query_id, item_id, ... */
    struct spool_text reason, raw; /* escaped, but for the reason of SPOOL_UNKNOWN_LABEL */
};

struct spool_writer;
/* Into a temporary file in tmp_dir. */
int spool_writer_open(struct spool_writer **out, const char *tmp_dir) RECO_MUST_CHECK;
/* Into a file of a shard, which the caller commits. */
int spool_writer_open_file(struct spool_writer **out, struct dataset_file *file) RECO_MUST_CHECK;
void spool_writer_free(
    struct spool_writer *w); /* NULL-safe; a temporary file is gone, and its readers' input with it */
int spool_write(struct spool_writer *w, const struct spool_row *row) RECO_MUST_CHECK;
uint64_t spool_rows(const struct spool_writer *w); /* of every kind */

/* The bytes of a row as they stand in a spool, for a sorter; borrowed until the next call. */
int spool_pack(struct spool_writer *w, const struct spool_row *row, const void **bytes, size_t *length) RECO_MUST_CHECK;
/* RECO_E_DATA: the bytes are no row. row points into them. */
int spool_unpack(const void *bytes, size_t length, struct spool_row *row) RECO_MUST_CHECK;

struct spool_reader {
    struct temp_reader reader;
};
/* Everything written so far. Of a temporary spool; any number of readers, one after the other. */
int spool_reader_open(struct spool_reader *r, struct spool_writer *w) RECO_MUST_CHECK;
/* [start, end) of a shard's file. */
void spool_reader_open_file(struct spool_reader *r, const struct temp_file *file, uint64_t start, uint64_t end);
/* *row is borrowed until the next call. */
int spool_next(struct spool_reader *r, struct spool_row *row, bool *found) RECO_MUST_CHECK;
void spool_reader_release(struct spool_reader *r);

#endif
