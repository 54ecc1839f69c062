#ifndef RECO_EVAL_REPORT_H
#define RECO_EVAL_REPORT_H

/* Private to eval/: what eval_run computes and the writers print. */

#include "eval/evaluate.h"
#include "eval/metric.h"

struct eval_value {
    char *name;
    const struct metric *metric;
    struct metric_variant variant;
    double value;       /* NaN: undefined */
    const char *reason; /* NULL when defined */
    size_t queries;     /* ranking: queries in the mean */
    size_t left_out;    /* ranking: queries where it is undefined */
};

struct eval_ranking {
    bool done;
    size_t queries;    /* with a judged item */
    size_t items;      /* ranked */
    size_t tied;       /* of them, with the score of another item of the same query */
    size_t irrelevant; /* queries without a relevant item */
    bool level_known;
    double relevance_level;
};

/* By query, when options.by_query: arrays of query_count. */
struct eval_query {
    const char *id;
    size_t items, relevant, tied;
};

struct eval_report {
    const struct predictions *p; /* NULL: a TREC run */
    struct metric_data data;
    struct eval_value *values;
    size_t value_count, value_capacity;
    struct eval_ranking ranking;
    struct eval_query *queries;
    size_t query_count;
    double *by_query; /* [query_count, value_count]; NaN: undefined or no ranking metric */
    json_t *provenance;
};

/* Does the data have what row needs? Else the reason, a constant text. */
bool report_applies(const struct eval_report *report, const struct metric *row, const char **reason);

/* The values to compute: the names asked for, or all that apply. */
int report_plan(struct eval_report *report, const struct eval_options *options) RECO_MUST_CHECK;
/* Gives every value that is no ranking metric and that the data cannot have its reason. */
void report_refuse(struct eval_report *report);
bool report_has_ranking(const struct eval_report *report);

/* The class of a metric's label as text, "" when it has none. */
const char *report_label_name(const struct eval_report *report, int label);

/* The table by class in the layout of scikit-learn's classification_report; needs the confusion matrix and a row. */
int report_text_classes(const struct eval_report *report, int digits, struct buf *b) RECO_MUST_CHECK;

/* ---- what a page shows; report_layout.c ---- */

enum { REPORT_CLASSES_SHOWN = 20 }; /* more: no confusion matrix and no figure a class; JSON has them all */

/* Not what the table by class already shows, nor what would be too long for a page. */
bool report_is_shown(const struct eval_report *report, const struct eval_value *v);
/* The depths of the ranking metrics, ascending, the whole list (SIZE_MAX) last: first, then after *k. False at the end.
 */
bool report_next_depth(const struct eval_report *report, bool first, size_t *k);
/* The value of a ranking metric at a depth; NULL: not computed. */
const struct eval_value *report_cell(const struct eval_report *report, const struct metric *metric, size_t k);

/* The rankings of all queries and the means of the ranking metrics. */
int rank_predictions(struct eval_report *report, const struct eval_options *options) RECO_MUST_CHECK;

#endif
