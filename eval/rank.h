#ifndef RECO_EVAL_RANK_H
#define RECO_EVAL_RANK_H

/*
 * Private to eval/: one query after another, into the means of a report's figures by query. A source gives the rows of
 * a query; queries are shared out to threads in blocks, and the sums of blocks are added in their order.
 */

#include "eval/report.h"

struct rank_item {
    double score;
    const char *id; /* breaks ties */
    double grade;   /* NaN: not judged; -infinity: not judged, but in the pool */
    double gain;
    uint64_t order; /* places in the file ascend with it */
    uint32_t item;  /* number in the catalogue */
};

/* One query at a time; belongs to one thread. */
struct rank_work {
    struct rank_item *items; /* [item_count] */
    size_t item_count;
    double *ideal; /* [ideal_count] gains of all judged items */
    size_t ideal_count;
    size_t relevant, irrelevant; /* judged items at or above the relevance level, and below */
    struct metric_event *events; /* [event_count] behaviour; NULL where there is none */
    double *positions;           /* [event_count] from 1; NaN: unknown */
    size_t event_count;
    const char *id;
    size_t item_capacity, ideal_capacity, event_capacity;
    struct rank_order *order, *spare_order; /* [item_capacity] */
    double *numbers;                        /* list arrays, one after another */
    size_t *tie_end;
    size_t number_capacity;
    double *discount; /* [discount_count] */
    size_t discount_count;
};
int rank_reserve(struct rank_work *work, size_t items, size_t judged, size_t events) RECO_MUST_CHECK;

struct rank_source {
    size_t query_count;
    double lowest_grade, highest_grade; /* of all there are; the lowest for the default relevance level */
    bool unjudged_left_out;             /* items without a judgment are in no list, but count for judged@k */
    /* Fills items, ideal, relevant, irrelevant, events and id of a query; any thread. */
    int (*load)(const void *arg, struct rank_work *work, size_t query);
    const void *arg;
};

/* Decides about the relevance level: before load is called, since that counts relevant items. */
int rank_begin(struct eval_report *report, const struct eval_options *options,
               const struct rank_source *source) RECO_MUST_CHECK;
int rank_run(struct eval_report *report, const struct rank_source *source, struct pool *pool) RECO_MUST_CHECK;

/* The figures of the catalogue, from report->lists; weight by query (NULL: 1). values [value_count]. */
int catalogue_begin(struct eval_report *report, const struct eval_options *options, size_t query_count) RECO_MUST_CHECK;
int catalogue_values(const struct eval_report *report, const uint32_t *weight, double *values) RECO_MUST_CHECK;
void catalogue_release(struct eval_lists *lists);

/* The lowest and highest grade, of the label map or, in regression, as given. */
void rank_grades(const struct predictions *p, double lowest, double highest, struct rank_source *source);
/* Of a predictions file: all queries. */
int rank_predictions(struct eval_report *report, const struct eval_options *options, struct pool *pool) RECO_MUST_CHECK;

/* Of a row of a predictions file: has it a label (target), and which grade is that? */
bool rank_is_judged(const struct predictions *p, size_t row);
double rank_grade(const struct predictions *p, size_t row);

#endif
