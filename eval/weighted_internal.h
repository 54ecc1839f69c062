#ifndef RECO_EVAL_WEIGHTED_INTERNAL_H
#define RECO_EVAL_WEIGHTED_INTERNAL_H

/* Private to weighted*.c. */

#include "eval/curve.h"
#include "eval/tally.h"
#include "eval/weighted.h"

struct eval_weighted {
    const struct eval_report *report;
    struct tally tally;
    struct metric_orders orders;
    size_t units;
    /* what each unit adds to the sums: entries[start[u]..start[u + 1]) */
    size_t *start;
    struct tally_entry *entries;
    size_t entry_count, entry_capacity;
    /* figures by query: means of numerator over denominator [query_count, list_count] */
    uint32_t *unit_of_query; /* [query_count] */
    size_t *list_value;      /* [list_count] numbers of values */
    size_t list_count;
    double *numerator, *denominator;
};

struct eval_scratch {
    double *sums;      /* [tally.length] */
    double *predicted; /* [classes] */
    struct metric_curve *curves;
    int classes;
    uint32_t *query_weight;          /* [query_count] */
    double *numerator, *denominator; /* [list_count] */
    struct metric_known known;       /* with has_known: the figures in it are done already */
    bool has_known;
    struct weighted_lanes *lanes; /* weighted_many.c; NULL: not used yet */
};
void weighted_lanes_free(struct weighted_lanes *lanes);

/* Figures over rows from scratch->sums; curves that are done already are taken as they are. values [count] */
int weighted_figures(const struct eval_weighted *w, struct eval_scratch *scratch, const uint32_t *weight,
                     double *values) RECO_MUST_CHECK;

#endif
