#ifndef RECO_DATA_DATASET_WRITER_H
#define RECO_DATA_DATASET_WRITER_H

/*
 * Writes the splits of a dataset and dataset.json into a (staged) directory that has its text set (text_set.h) or gets
 * it meanwhile. Rows may come for all splits in any order; they wait in temporary files, not in memory. Belongs to one
 * thread.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/labels.h"
#include "data/wordpiece.h"

struct dataset_writer;

/* dir exists. tmp_dir as in temp_file.h. */
int dataset_writer_open(struct dataset_writer **out, const char *dir, const char *tmp_dir) RECO_MUST_CHECK;
void dataset_writer_free(struct dataset_writer *w); /* NULL-safe; files not committed are removed */

struct dataset_writer_split {
    const char *name;                /* "train", "validation", "test" */
    const char *const *column_names; /* [column_count], row_id query_id item_id first; copied */
    size_t column_count;
    bool has_target, has_weight;
};
struct dataset_writer_row {
    uint32_t query, description; /* numbers of texts; description DATASET_NO_TEXT: no such column */
    int32_t label;
    float weight;
    double target;
    const char *columns; /* column_count escaped fields joined by tabs */
    size_t columns_length;
};
/* Splits are numbered from 0 in the order of beginning. */
int dataset_writer_begin_split(struct dataset_writer *w, const struct dataset_writer_split *split) RECO_MUST_CHECK;
int dataset_writer_add(struct dataset_writer *w, size_t split, const struct dataset_writer_row *row) RECO_MUST_CHECK;

/* The entries of the text set's files go in here. */
json_t *dataset_writer_files(struct dataset_writer *w);

json_t *dataset_tokenizer_json(const struct wordpiece *wp); /* of dataset.json; NULL: out of memory */

/* Writes all splits that have rows, and dataset.json. options: the exact options (borrowed). Nothing may be added any
 * more. */
struct dataset_writer_whole {
    const struct label_map *labels;
    json_t *tokenizer; /* as dataset_tokenizer_json; borrowed */
    bool has_description;
    uint64_t texts, tokens;
    json_t *options;
};
int dataset_writer_commit(struct dataset_writer *w, const struct dataset_writer_whole *whole) RECO_MUST_CHECK;

#endif
