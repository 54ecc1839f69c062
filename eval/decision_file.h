#ifndef RECO_EVAL_DECISION_FILE_H
#define RECO_EVAL_DECISION_FILE_H

/* What the files of `reco calibrate` and `reco threshold` share: a JSON object with its format and version, the labels
 * and arrays of numbers. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* values [count] as a JSON array, infinity as null; NULL: out of memory. */
json_t *decision_numbers(const double *values, size_t count);
/* An array of count finite numbers, allocated; null is infinity where that is allowed. RECO_E_DATA, without a message,
 * for anything else; *out is the caller's to free then too. */
int decision_numbers_read(double **out, const json_t *array, size_t count, bool or_infinity) RECO_MUST_CHECK;

/* Takes json, which may be NULL. */
int decision_file_write(json_t *json, const char *path) RECO_MUST_CHECK;
/*
 * Reads path, checks that it is of format "reco <what>" and of this version, and gives its object to take with out;
 * errors of take are prefixed with the path.
 */
int decision_file_read(const char *path, const char *what, int version, int (*take)(void *out, const json_t *json),
                       void *out) RECO_MUST_CHECK;

#endif
