#ifndef RECO_EVAL_RANK_H
#define RECO_EVAL_RANK_H

/*
 * Private to eval/: rankings one query after another, into the means of a report's ranking metrics. Memory is that of
 * the longest list. rank_begin; for each query fill items and ideal (after rank_reserve) and relevant, then rank_query;
 * rank_end.
 */

#include "eval/report.h"

struct rank_item {
    double score;
    const char *id; /* breaks ties */
    double grade;   /* NaN: not judged */
    double gain;
};

struct rank_sum {
    double sum, lost;
};

struct rank { /* zero-initialised is empty */
    struct eval_report *report;
    struct rank_item *items; /* [capacity] */
    double *ideal;           /* [capacity] gains of all judged items */
    size_t relevant;         /* judged items at or above the relevance level */
    size_t capacity;
    double *grade, *gain, *discount;
    struct rank_sum *sums; /* [value_count] */
};

/* lowest_grade: of all there are, for the default relevance level. */
int rank_begin(struct rank *rank, struct eval_report *report, const struct eval_options *options, size_t query_count,
               double lowest_grade) RECO_MUST_CHECK;
int rank_reserve(struct rank *rank, size_t items, size_t judged) RECO_MUST_CHECK;
void rank_query(struct rank *rank, size_t query, const char *id, size_t count, size_t judged);
void rank_end(struct rank *rank);
void rank_release(struct rank *rank);

/* Of a row of a predictions file: has it a label (target), and which grade is that? */
bool rank_is_judged(const struct predictions *p, size_t row);
double rank_grade(const struct predictions *p, size_t row);

#endif
