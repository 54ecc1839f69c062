#ifndef RECO_DATA_DATASET_WRITER_H
#define RECO_DATA_DATASET_WRITER_H

/*
 * Writes a dataset into a (staged) directory: texts and splits first, dataset.json last. Texts are recognised by a
 * 128-bit hash, tokenised and compressed batch by batch on the pool, and leave memory; what stays is about 40 bytes a
 * distinct text and, of the split being written, about 24 bytes a row. The bytes written do not depend on the number of
 * threads. Belongs to one thread.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/pool.h"
#include "data/labels.h"
#include "data/wordpiece.h"

struct dataset_writer;

/* dir exists and is empty; wp and pool are borrowed until dataset_writer_free. */
int dataset_writer_open(struct dataset_writer **out, const char *dir, const struct wordpiece *wp,
                        struct pool *pool) RECO_MUST_CHECK;
void dataset_writer_free(struct dataset_writer *w); /* NULL-safe; files not committed are removed */

/* Number of the text, new or known. */
int dataset_writer_text(struct dataset_writer *w, const char *text, size_t length, uint32_t *number) RECO_MUST_CHECK;

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
int dataset_writer_begin_split(struct dataset_writer *w, const struct dataset_writer_split *split) RECO_MUST_CHECK;
int dataset_writer_add(struct dataset_writer *w, const struct dataset_writer_row *row) RECO_MUST_CHECK;
/* label_of [..]: class of every label value that add was given, for labels known only at the end; NULL: as they are. */
int dataset_writer_end_split(struct dataset_writer *w, const int32_t *label_of) RECO_MUST_CHECK;

/* The rows of the split last ended, until the next begin_split. */
size_t dataset_writer_rows(const struct dataset_writer *w);
int32_t dataset_writer_label(const struct dataset_writer *w, size_t row);
void dataset_writer_lengths(const struct dataset_writer *w, size_t row, size_t *query_tokens,
                            size_t *description_tokens);

uint64_t dataset_writer_texts(const struct dataset_writer *w);
uint64_t dataset_writer_tokens(const struct dataset_writer *w);

/* Writes the texts' index and dataset.json. options: the exact options (borrowed). Nothing may be added any more. */
int dataset_writer_commit(struct dataset_writer *w, const struct label_map *labels, bool has_description,
                          json_t *options) RECO_MUST_CHECK;

#endif
