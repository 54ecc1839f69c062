#ifndef RECO_EVAL_WEIGHTED_H
#define RECO_EVAL_WEIGHTED_H

/*
 * The figures of a report again, as if each unit of its data stood there weight times: what a bootstrap asks a thousand
 * times. A unit is a query (all rows of it), or a row where there are no queries, or a group that the caller names.
 * Prepared once: sums of each unit, the values by query and each class's order of scores. A call is then linear in
 * units and, for the curves (AUC, average precision), rows. Weight 1 everywhere gives the values of the report.
 */

#include "eval/evaluate.h"

struct eval_weighted; /* read-only once made: any number of threads, each with its own scratch */
struct eval_scratch;

/*
 * unit_of_row [rows], numbers in [0, unit_count): NULL is the query, else the row. A query belongs to the unit of its
 * first row. Needs options.by_query for ranking metrics. report and its predictions are borrowed.
 */
int eval_weighted_new(struct eval_weighted **out, const struct eval_report *report, const uint32_t *unit_of_row,
                      size_t unit_count) RECO_MUST_CHECK;
void eval_weighted_free(struct eval_weighted *weighted); /* NULL-safe */
size_t eval_weighted_units(const struct eval_weighted *weighted);

/* The figures: as many as the report has values, in its order. */
size_t eval_weighted_count(const struct eval_weighted *weighted);
const char *eval_weighted_name(const struct eval_weighted *weighted, size_t figure); /* borrowed from the report */

int eval_scratch_new(struct eval_scratch **out, const struct eval_weighted *weighted) RECO_MUST_CHECK;
void eval_scratch_free(struct eval_scratch *scratch); /* NULL-safe */

/* values [count]; NaN: undefined under these weights. weight [units]. */
int eval_weighted_values(const struct eval_weighted *weighted, struct eval_scratch *scratch, const uint32_t *weight,
                         double *values) RECO_MUST_CHECK;

/*
 * The same for several weights at once, several times as fast: weight [count, units], values [count, figures]. The
 * figures of the catalogue, which are none of queries that could be drawn, are NaN.
 */
int eval_weighted_many(const struct eval_weighted *weighted, struct eval_scratch *scratch, size_t count,
                       const uint32_t *weight, double *values) RECO_MUST_CHECK;

/* The figures of the catalogue alone, the others NaN: a list that has weight 2 is shown twice. */
int eval_weighted_catalogue(const struct eval_weighted *weighted, struct eval_scratch *scratch, size_t count,
                            const uint32_t *weight, double *values) RECO_MUST_CHECK;

#endif
