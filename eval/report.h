#ifndef RECO_EVAL_REPORT_H
#define RECO_EVAL_REPORT_H

/* Private to eval/: what eval_run computes and the writers print. */

#include "core/pool.h"
#include "eval/arms.h"
#include "eval/evaluate.h"
#include "eval/metric.h"

struct eval_value {
    char *name;
    const struct metric *metric;
    struct metric_variant variant;
    double value;       /* NaN: undefined */
    const char *reason; /* NULL when defined */
    size_t queries;     /* ranking and lists: queries in the mean */
    size_t left_out;    /* of them, where it is undefined */
};

struct eval_ranking {
    bool done;
    size_t queries;    /* with a judged item */
    size_t items;      /* ranked */
    size_t tied;       /* of them, with the score of another item of the same query */
    size_t irrelevant; /* queries without a relevant item */
    bool level_known;
    double relevance_level;
    double highest_grade;
    enum eval_ties ties;
};

/* By query, when options.by_query: arrays of query_count. */
struct eval_query {
    const char *id;
    size_t items, relevant, tied;
};

/* The first items of each list, for the figures of the catalogue. */
struct eval_lists {
    size_t depth;       /* deepest asked for; 0: none is */
    size_t *start;      /* [query_count + 1] */
    uint32_t *items;    /* [start[query_count]] best first; UINT32_MAX: the list has no more */
    size_t item_count;  /* of the catalogue: those of the file, then those of the file of popularity alone */
    double *popularity; /* [item_count] */
    double popularity_sum;
    double tail_below, tail_share; /* as in struct metric_catalogue */
};

/* Rows with events: counts of them, and sums of weights (1 / propensity). */
struct eval_behaviour {
    double impressions; /* with an outcome that is known */
    double clicks, conversions, carts, orders;
    double unclicked_conversions; /* of rows that say that they were not clicked */
    double unplaced, deep;        /* without a whole position from 1; below REPORT_POSITIONS_MAX */
    double weighted, weight, weight_squares, weight_max;
};
enum { REPORT_POSITIONS_MAX = 50 };

struct eval_report {
    const struct predictions *p; /* NULL: a TREC run */
    struct metric_data data;
    double *sums;      /* what data points at; tally.h */
    double *predicted; /* [classes] */
    struct metric_adaptive adaptive;
    size_t rows; /* looked at: those of p that the filter of data keeps */
    size_t rows_truncated;
    struct eval_behaviour behaviour;
    struct eval_attributed attributed;
    struct eval_value *values;
    size_t value_count, value_capacity;
    struct eval_ranking ranking;
    struct eval_lists lists;
    const double *item_rows; /* [items] rows of each, where the rows are not there to be counted; else NULL */
    struct eval_query *queries;
    size_t query_count;
    double *by_query; /* [query_count, value_count]; NaN: undefined or no figure by query */
    /* The same figures on the rows that were truncated, and on those that were not; NULL: not asked for, or all alike
     */
    struct eval_report *truncated, *whole;
    struct eval_intervals *intervals; /* interval.h; NULL: not asked for */
    struct eval_slices *slices;       /* slice.h; NULL: not asked for */
    struct eval_arms *arms;           /* NULL: not asked for */
    /* Behaviour by position, from 1: numerators and denominators [position_count, rate_count] of the plain figures */
    double *by_position;
    double position_rows[REPORT_POSITIONS_MAX];
    size_t position_count;
    json_t *provenance;
};
/* The i-th plain figure of behaviour that applies, as in by_position; NULL: no more. */
const struct eval_value *report_rate(const struct eval_report *report, size_t i);

/* Is the value a mean over queries? */
static inline bool report_is_by_query(const struct eval_value *v)
{
    return v->metric->query || (v->metric->event && v->variant.form == METRIC_FORM_LISTS);
}

/* Counts of the rows at hand into the summary, and behaviour by position; adds to what is there. */
int report_sum_rows(struct eval_report *report) RECO_MUST_CHECK;
struct tally;
/* All figures that are not by query, from the sums and the lists. */
int report_compute(struct eval_report *report, const struct tally *tally) RECO_MUST_CHECK;

/* {"of", "equal_width", "equal_mass"} of a report with data.bins; equal_mass only while the rows are there. New
 * reference; NULL: out of memory. */
json_t *report_reliability_json(const struct eval_report *report);

/* Does the data have what the value needs? Else the reason, a constant text. */
bool report_applies(const struct eval_report *report, const struct eval_value *v, const char **reason);

/* The values to compute: the names asked for, or all that apply. */
int report_plan(struct eval_report *report, const struct eval_options *options) RECO_MUST_CHECK;
/* Gives every value that is no ranking metric and that the data cannot have its reason. */
void report_refuse(struct eval_report *report);
bool report_has_ranking(const struct eval_report *report); /* a metric of rankings, lists or the catalogue */

/* The class of a metric's label as text, "" when it has none. */
const char *report_label_name(const struct eval_report *report, int label);

/* The table by class in the layout of scikit-learn's classification_report; needs the confusion matrix and a row. */
int report_text_classes(const struct eval_report *report, int digits, struct buf *b) RECO_MUST_CHECK;

/* Text within a line: control characters, as a value may hold, become blanks. */
int report_add_line(struct buf *b, const char *text) RECO_MUST_CHECK;
/* Text in a cell of Markdown: as above, and what would end the cell or be markup stands for itself. */
int report_add_cell(struct buf *b, const char *text, size_t length) RECO_MUST_CHECK;
int report_add_text(struct buf *b, const char *text) RECO_MUST_CHECK; /* the same, all of it */

/* ---- what a page shows; report_layout.c ---- */

enum { REPORT_CLASSES_SHOWN = 20 }; /* more: no confusion matrix and no figure a class; JSON has them all */

/* Not what the table by class already shows, nor what would be too long for a page. */
bool report_is_shown(const struct eval_report *report, const struct eval_value *v);
/* One of the few that are shown where two parts are set side by side: plain figures, rankings at 10 or whole. */
bool report_is_headline(const struct eval_value *v);
/* Stands it in the table by depth: rankings, catalogue, lists. */
bool report_has_depth(const struct eval_value *v);
/* Its row there: "ndcg", "ctr_lists"; two values of a row differ in depth alone. */
bool report_same_row(const struct eval_value *a, const struct eval_value *b);
size_t report_row_name_length(const struct eval_value *v);
/* The depths of that table, ascending, the whole list (SIZE_MAX) last: first, then after *k, among metrics that need
 * something of needs. False at the end. */
bool report_next_depth(const struct eval_report *report, unsigned needs, bool first, size_t *k);
/* The figure by which queries are ordered: the deepest NDCG that was kept by query, else a metric of relevant items;
 * value_count: none. mistakes.c */
size_t report_query_figure(const struct eval_report *report);
/* The value of a row at a depth; NULL: not computed. */
const struct eval_value *report_cell(const struct eval_report *report, const struct eval_value *row, size_t k);

#endif
