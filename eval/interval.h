#ifndef RECO_EVAL_INTERVAL_H
#define RECO_EVAL_INTERVAL_H

/*
 * Bootstrap intervals of all figures of a report. What is resampled is a query with all its rows; where there are no
 * queries a row; or what a carried column names, as a user. Queries are numbered by their ids, so that the order of
 * rows changes nothing.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "eval/bootstrap.h"

struct eval_report;
struct predictions;

/*
 * With fewer units, or queries in its mean, a figure has no interval: resamples of so few are too much alike, so that
 * it would flatter.
 */
enum { INTERVAL_UNITS_MIN = 10 };

struct interval_options {
    struct bootstrap_options bootstrap;
    const char *unit_column; /* carried column that names the unit; NULL: the query, else the row */
};

struct eval_intervals {
    struct bootstrap_options bootstrap;
    char *unit; /* "query", "row", or the column's name */
    size_t units;
    struct interval *of; /* [values of the report] */
    size_t count;
};

/*
 * report must have been computed with by_query. threads >= 1. RECO_E_USAGE: the column is not there; RECO_E_DATA: a row
 * of it is empty.
 */
int eval_intervals_new(struct eval_intervals **out, const struct eval_report *report,
                       const struct interval_options *options, int threads) RECO_MUST_CHECK;
void eval_intervals_free(struct eval_intervals *intervals); /* NULL-safe */

/*
 * The unit of each row, *unit_of_row [rows] allocated (NULL: a row is its own), how many and what they are called
 * (borrowed from p or column).
 */
int eval_units_of(uint32_t **unit_of_row, size_t *units, const char **name, const struct predictions *p,
                  const char *column) RECO_MUST_CHECK;

/* "bca" or "percentile" */
const char *interval_method_name(enum bootstrap_method method);

/* A section of the report for people, and the object "intervals" of the JSON one (new reference). */
int eval_intervals_text(const struct eval_report *report, const struct eval_intervals *intervals,
                        struct buf *b) RECO_MUST_CHECK;
int eval_intervals_markdown(const struct eval_report *report, const struct eval_intervals *intervals,
                            struct buf *b) RECO_MUST_CHECK;
json_t *eval_intervals_json(const struct eval_report *report, const struct eval_intervals *intervals);

#endif
