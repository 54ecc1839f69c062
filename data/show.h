#ifndef RECO_DATA_SHOW_H
#define RECO_DATA_SHOW_H

/* Rows of a dataset for people and for programs: what was stored, and what the model will see of it. */

#include <jansson.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/dataset.h"
#include "data/wordpiece.h"

struct show_options {
    int64_t max_seq_length;
    int truncation;             /* enum wordpiece_truncation */
    const struct wordpiece *wp; /* tokens as text too; NULL: ids alone */
};

/*
 * Row of a split as a new JSON object: split, row (from 1), row_id, query_id, item_id; label (a class's name, a number
 * in regression, null: none), weight; columns; query and description with text, ids and tokens; input with ids, tokens,
 * type_ids and lost. Invalid UTF-8 becomes U+FFFD. What only_second cannot cut has no input and the reason as "error".
 */
int show_row_json(json_t **out, const struct dataset_split *split, size_t row,
                  const struct show_options *options) RECO_MUST_CHECK;

/* The same as lines for people, appended; control characters as escapes. json: of show_row_json. */
int show_row_text(struct buf *b, const json_t *json) RECO_MUST_CHECK;

#endif
