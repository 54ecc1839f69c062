#ifndef RECO_DATA_PREPARE_INTERNAL_H
#define RECO_DATA_PREPARE_INTERNAL_H

/* Parts of prepare_run. Private to prepare*.c. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/file.h"
#include "data/csv.h"
#include "data/dataset_writer.h"
#include "data/prepare.h"
#include "data/text_index.h"

#define PREPARE_JSON_FILE "prepare.json"
#define PREPARE_REJECTS_FILE "rejects.tsv"

enum prepare_split { PREPARE_TRAIN, PREPARE_VALIDATION, PREPARE_TEST, PREPARE_SPLITS };
extern const char *const prepare_split_names[PREPARE_SPLITS];

/* ---- prepare_schema.c: where the columns are in a file
 * ----------------------------------------------------------------- */

#define PREPARE_NO_COLUMN SIZE_MAX
enum { PREPARE_EVENTS = 6, PREPARE_KEYS = 3 };

struct prepare_schema {
    size_t query, *descriptions, description_count;
    size_t label, weight;      /* PREPARE_NO_COLUMN: none */
    size_t keys[PREPARE_KEYS]; /* row_id, query_id, item_id; PREPARE_NO_COLUMN: made up, or empty */
    size_t events[PREPARE_EVENTS];
    size_t *carried, carried_count;
    const char **names; /* [name_count] of the columns that travel with a row */
    size_t name_count;
};

struct prepare_file {
    enum prepare_split split;
    const char *path;
    char *label;      /* in messages: 'train.csv' or stdin */
    const char *base; /* of row ids; in path, or "stdin" */
    int64_t max_rows; /* 0: all */
    struct csv_reader *reader;
    struct prepare_schema schema;
};

/* Opens the files named in the options and finds their columns. Errors before any row is read. */
int prepare_files_open(struct prepare_file files[PREPARE_SPLITS], size_t *count,
                       const struct prepare_options *options) RECO_MUST_CHECK;
void prepare_files_close(struct prepare_file files[PREPARE_SPLITS], size_t count);

/* ---- prepare_labels.c: label texts to classes
 * -------------------------------------------------------------------------- */

struct prepare_labels {
    bool known; /* map is final; else the values of the first file are being collected */
    struct label_map map;
    struct text_store store; /* the values, in the order of first sight */
    struct text_index index;
    const char **values;
    size_t values_capacity, value_count;
    struct buf choices; /* "'no', 'maybe'", for messages */
};

/* given: a map to use as it is, or NULL. */
int prepare_labels_init(struct prepare_labels *l, const struct prepare_options *options,
                        const struct label_map *given) RECO_MUST_CHECK;
void prepare_labels_release(struct prepare_labels *l);
/* *label: class when known, else number of the value. A reason in bad (cleared before): a bad row. */
int prepare_labels_find(struct prepare_labels *l, const struct csv_field *field, int32_t *label,
                        struct buf *bad) RECO_MUST_CHECK;
/* The map from the values collected. *label_of [value_count]: class of each value; the caller frees. */
int prepare_labels_settle(struct prepare_labels *l, const struct prepare_options *options,
                          int32_t **label_of) RECO_MUST_CHECK;

/* ---- prepare_row.c: a record to a row of the dataset
 * ------------------------------------------------------------------- */

struct prepare_row_reader { /* zero-initialised is valid; buffers kept from row to row */
    struct buf description, columns, key, bad;
    uint64_t *ids; /* [id_slots] hashes of the row ids of this file when they come from a column; 0: free */
    size_t id_slots, id_count;
};
void prepare_row_reader_next_file(struct prepare_row_reader *r);
void prepare_row_reader_release(struct prepare_row_reader *r);

/* Fills row from a good record; buf_str(&r->bad) is the reason when the row cannot be used, then row is void. */
int prepare_row_read(struct prepare_row_reader *r, const struct prepare_file *file, const struct csv_record *record,
                     struct prepare_labels *labels, struct dataset_writer *writer,
                     struct dataset_writer_row *row) RECO_MUST_CHECK;

/* ---- prepare_report.c: what was read, kept and lost
 * -------------------------------------------------------------------- */

struct prepare_counts {
    uint64_t rows_read, rows_kept, rows_bad;
};

/* The report of the split that the writer last ended; adds to summary. */
int prepare_report_split(json_t *splits, const struct prepare_file *file, const struct prepare_counts *counts,
                         const struct dataset_writer *writer, const struct label_map *map,
                         const struct prepare_options *options, struct prepare_summary *summary) RECO_MUST_CHECK;
int prepare_report_write(json_t *splits, const char *dir, const struct dataset_writer *writer) RECO_MUST_CHECK;
/* The exact options as JSON, without threads; NULL: out of memory. */
json_t *prepare_options_json(const struct prepare_options *options);

/* JSON string of any bytes: what is not UTF-8 becomes U+FFFD. NULL: out of memory. */
json_t *prepare_text_json(const char *text);

#endif
