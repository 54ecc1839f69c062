#ifndef RECO_DATA_DATASET_H
#define RECO_DATA_DATASET_H

/*
 * The prepared dataset, version 2: a directory with dataset.json, the ids of every distinct text once and untruncated
 * (2 bytes a token where the vocabulary allows), and for each split its pairs as references to texts. Memory-mapped and
 * read-only after opening; any number of threads may read. Every byte is checked on opening, against a checksum a
 * block: RECO_E_DATA names the file and the bytes that were altered, or a file that was cut, grown or exchanged.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/labels.h"
#include "data/wordpiece.h"

struct dataset;
struct dataset_split; /* borrowed from its dataset */

int dataset_open(struct dataset **out, const char *dir) RECO_MUST_CHECK;
void dataset_close(struct dataset *ds);

const struct label_map *dataset_labels(const struct dataset *ds);
const char *dataset_vocab_hash(const struct dataset *ds); /* wordpiece_hash of the tokeniser used */
const char *dataset_hash(const struct dataset *ds);       /* of the whole content */
int dataset_vocab_size(const struct dataset *ds);
const struct wordpiece_special *dataset_special_ids(const struct dataset *ds);
bool dataset_has_description(const struct dataset *ds);
const json_t *dataset_json(const struct dataset *ds); /* dataset.json, borrowed: options, counts, schema */

/* "train", "validation", "test"; NULL when the dataset has no such split. */
const struct dataset_split *dataset_find_split(const struct dataset *ds, const char *name);
size_t dataset_split_count(const struct dataset *ds);
const struct dataset_split *dataset_split_at(const struct dataset *ds, size_t index);
const struct dataset *dataset_split_owner(const struct dataset_split *split);
const char *dataset_split_name(const struct dataset_split *split);
const char *dataset_split_hash(const struct dataset_split *split);

size_t dataset_rows(const struct dataset_split *split);
int dataset_label(const struct dataset_split *split, size_t row);     /* class index, -1: no label (or regression) */
double dataset_target(const struct dataset_split *split, size_t row); /* regression target, NaN: none */
float dataset_weight(const struct dataset_split *split, size_t row);  /* 1 when there is no weight column */

/* Token counts of the untruncated texts, specials not counted. */
void dataset_lengths(const struct dataset_split *split, size_t row, size_t *query_tokens, size_t *description_tokens);

/* The ids of both texts, whole and without specials, appended; a dataset without description columns adds none. */
int dataset_ids(const struct dataset_split *split, size_t row, struct wordpiece_ids *query,
                struct wordpiece_ids *description) RECO_MUST_CHECK;

/*
 * One row as model input: [CLS] query [SEP] description [SEP] cut to max_length ([CLS] query [SEP] when the dataset has
 * no description column; an empty description keeps its [SEP]). ids and types hold max_length values; *length is the
 * count written, *lost the tokens cut. RECO_E_DATA (only_second) names the row when the query alone is too long.
 */
int dataset_encode(const struct dataset_split *split, size_t row, size_t max_length, enum wordpiece_truncation strategy,
                   int32_t *ids, int32_t *types, size_t *length, size_t *lost) RECO_MUST_CHECK;

/*
 * Columns that travel with a row, as text: row_id, query_id, item_id first, then event columns and carried columns in
 * the order of dataset_column_name. Values are already escaped for TSV (tab, newline, return, backslash).
 */
size_t dataset_column_count(const struct dataset_split *split);
const char *dataset_column_name(const struct dataset_split *split, size_t column);
/* The whole row: column_count fields joined by tabs. Borrowed from the map, not NUL-terminated. */
const char *dataset_columns(const struct dataset_split *split, size_t row, size_t *length);

/* Raw texts (unescaped) of a row, appended; RECO_E_DATA on a damaged block. Not for hot loops. */
int dataset_texts(const struct dataset_split *split, size_t row, struct buf *query,
                  struct buf *description) RECO_MUST_CHECK;

#endif
