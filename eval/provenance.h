#ifndef RECO_EVAL_PROVENANCE_H
#define RECO_EVAL_PROVENANCE_H

/* Where figures come from, as an object of JSON: command, versions, files with their hashes, sidecars. */

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"

/* text as JSON (new reference); bytes that are not UTF-8, as a path may hold, become U+FFFD. NULL: out of memory. */
json_t *provenance_text(const char *text) RECO_MUST_CHECK;

/*
 * The same as lines for people: calls add for every text, number and truth value, with the keys that lead to it, joined
 * by a space. Arrays and label maps, which would fill pages, are left to the JSON.
 */
typedef int provenance_add_fn(struct buf *b, const char *key, const char *value);
int provenance_rows(const json_t *provenance, provenance_add_fn *add, struct buf *b) RECO_MUST_CHECK;

#endif
