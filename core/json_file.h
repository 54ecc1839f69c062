#ifndef RECO_CORE_JSON_FILE_H
#define RECO_CORE_JSON_FILE_H

/* JSON as text and in files. flags are jansson's (JSON_INDENT, JSON_REAL_PRECISION). */

#include <jansson.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

/* A number, or null, since JSON has no NaN and no infinity. */
json_t *json_finite(double value);
/* The text of json and a line feed, appended. json NULL, as jansson's makers give it, is RECO_E_NOMEM here and below.
 */
int buf_add_json(struct buf *b, const json_t *json, size_t flags) RECO_MUST_CHECK;
/* The same as a whole file, atomically. */
int json_file_write(const char *path, const json_t *json, size_t flags) RECO_MUST_CHECK;
/*
 * *out is a new reference. A file that is no JSON, or names a member twice, is an error of the kind bad (RECO_E_DATA,
 * RECO_E_MODEL) with its line. max_bytes as file_read_all.
 */
int json_file_read(json_t **out, const char *path, size_t max_bytes, int bad) RECO_MUST_CHECK;
/* That error, for text that came from path in another way. */
int json_file_error(const json_error_t *error, const char *path, int bad);

#endif
