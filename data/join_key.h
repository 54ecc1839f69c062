#ifndef RECO_DATA_JOIN_KEY_H
#define RECO_DATA_JOIN_KEY_H

/*
 * Names of columns as a user writes them: a column, the name part of a RecBole header ("item_id" for "item_id:token"),
 * and for ids also several columns joined by commas ("product_id,product_locale"), which together are the key.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "data/table.h"

/* name is the column's, with or without a RecBole type behind it (":token", ":token_seq", ":float", ":float_seq"). */
bool join_name_matches(const char *column, const char *name);

/* As table_reader_find, a name with its type left out included. */
int join_find_column(const struct table_reader *reader, const char *option, const char *name,
                     size_t *column) RECO_MUST_CHECK;

enum { JOIN_KEY_COLUMNS = 8 };
struct join_key {
    size_t columns[JOIN_KEY_COLUMNS];
    size_t count; /* 0: none */
};
int join_key_find(struct join_key *key, const struct table_reader *reader, const char *option,
                  const char *names) RECO_MUST_CHECK;

/*
 * The key's text in fields: the field, or the fields joined by commas in text (cleared before); borrowed from either.
 * Empty when every one of them is.
 */
int join_key_text(const struct join_key *key, const struct csv_field *fields, struct buf *text,
                  struct csv_field *out) RECO_MUST_CHECK;

#endif
