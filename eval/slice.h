#ifndef RECO_EVAL_SLICE_H
#define RECO_EVAL_SLICE_H

/*
 * The figures again for parts of the rows: by a carried column, an event or the label, a number in bins, and by what is
 * known without a column: how long and how frequent a query is, whether query, item or user were seen in training,
 * whether the pair was truncated. Then the gaps between the parts.
 *
 * A slice is named as the user writes it:
 *   brand              each value of the column brand; beyond max_groups the small ones are put together
 *   price:quartile     a number in 4 bins of as many rows each, as far as equal numbers let; also decile, or :7
 *   price:10|50        a number below 10, from 10 to below 50, from 50 on
 *   label, predicted, score:decile, tokens:quartile, query_id, item_id, position, clicked...
 *   query_length       words of the query's text: 1, 2, 3-4, 5-8, 9 and more; a Chinese character or a kana is a word
 *   query_frequency    head, torso and tail: the most frequent queries with a third of all rows, the next third, the
 *                      rest; frequency in training where that is known, else in these predictions
 *   seen_query, seen_item, seen:COLUMN   seen or unseen in training
 *   truncated
 *   lang+brand         every two (at most four) of these together; a row that lacks one of them is in no group
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/dataset.h"
#include "data/predictions.h"
#include "eval/bootstrap.h"
#include "eval/evaluate.h"

struct eval_report;

/* Values of some columns of a training split, by hash, with how often each stands there. */
struct slice_training; /* read-only once made */
/* dataset: its train split, of which the columns that the slices [count] ask for. RECO_E_DATA: it has no train split.
 */
int slice_training_open(struct slice_training **out, const struct dataset *dataset, const char *const *slices,
                        size_t count) RECO_MUST_CHECK;
/* Does a slice look at training data: not, if there are some, or can it not be told without? */
enum slice_training_use { SLICE_TRAINING_NO, SLICE_TRAINING_MAY, SLICE_TRAINING_MUST };
enum slice_training_use slice_training_use(const char *slice);
void slice_training_free(struct slice_training *training); /* NULL-safe */
bool slice_training_has(const struct slice_training *training, const char *column);
/* Rows of training with that value of the column; 0 when the column is not there. RECO_E_NOMEM. */
int slice_training_count(uint64_t *count, const struct slice_training *training, const char *column,
                         const char *value) RECO_MUST_CHECK;

struct slice_options {
    const char *const *slices; /* [count] as above */
    size_t count;
    const char *const *metrics; /* [metric_count] figures of a slice; count 0: a few that apply */
    size_t metric_count;
    const char *const *also; /* [also_count] figures besides, as gates need them */
    size_t also_count;
    size_t min_rows;                       /* smaller groups are shown, but are no worst ones and make no gap; 30 */
    size_t max_groups;                     /* of one slice, but for those that are not small; at least 2; 50 */
    const char *text_column;               /* carried column with the query's text; NULL: "query" */
    const struct slice_training *training; /* NULL: unknown */
};
void slice_options_init(struct slice_options *options);

/* A slice's name, without the file: RECO_E_USAGE. */
int slice_check(const char *slice) RECO_MUST_CHECK;

/* ---- which group a row is in ---- */

struct slice_groups {
    char **names; /* [count] */
    size_t count;
    uint32_t *of_row; /* [rows]; UINT32_MAX: in none, as the value is missing */
    size_t missing;   /* rows in none */
    size_t pooled;    /* distinct values in the last group, "(other)"; 0: there is none */
    const char *note; /* how they were told, a constant text; NULL: nothing to say */
};
/* RECO_E_USAGE: no such column (the nearest is named), no training data; RECO_E_DATA: a value to be binned is no
 * number. */
int slice_groups_new(struct slice_groups *out, const char *slice, const struct predictions *p,
                     const struct slice_options *options) RECO_MUST_CHECK;
void slice_groups_release(struct slice_groups *groups);

/* ---- fairness ---- */

/* Rates of one group; NaN where there is nothing to divide by. */
struct slice_rates {
    double selected; /* rows predicted to be of the positive class */
    double true_positive, false_positive;
    double exposure; /* mean of 1 / log2(1 + rank) of its items in their queries. Singh and Joachims 2018 */
    double merit;    /* mean grade (gain where grades are named) of its items, at least 0 */
};
/*
 * Rates of all groups: rates [groups->count]. Exposure needs queries and scores, or positions where no score is given;
 * equal scores share the mean of their exposures with EVAL_TIES_EXPECTED. The others need predicted classes.
 */
int slice_rates_of(struct slice_rates *rates, const struct slice_groups *groups, const struct predictions *p,
                   enum eval_ties ties) RECO_MUST_CHECK;

enum slice_gap {
    SLICE_GAP_DEMOGRAPHIC_PARITY, /* greatest difference of selected. Dwork et al. 2012 */
    SLICE_GAP_EQUAL_OPPORTUNITY,  /* of the true positive rate. Hardt, Price and Srebro 2016 */
    SLICE_GAP_EQUALIZED_ODDS,     /* the greater of the differences of true and of false positive rate */
    SLICE_GAP_EXPOSURE,           /* of the mean exposure */
    SLICE_GAP_EXPOSURE_MERIT,     /* least over greatest exposure per merit: 1 is fair; disparate treatment ratio */
    SLICE_GAP_COUNT
};
extern const char *const slice_gap_names[]; /* NULL-terminated, by enum slice_gap */
enum slice_rate {
    SLICE_RATE_SELECTED,
    SLICE_RATE_TRUE_POSITIVE,
    SLICE_RATE_FALSE_POSITIVE,
    SLICE_RATE_EXPOSURE,
    SLICE_RATE_EXPOSURE_PER_MERIT
};
double slice_rate(const struct slice_rates *rates, enum slice_rate rate); /* NaN: undefined */
/* The groups between which a gap is, and their rates. */
struct slice_gap_ends {
    enum slice_rate rate;
    size_t least, greatest;
    double low, high;
};
/* gaps and ends [SLICE_GAP_COUNT] over the groups with use[group]; NaN: fewer than two have the rates. */
void slice_gaps_of(double *gaps, struct slice_gap_ends *ends, const struct slice_rates *rates, const bool *use,
                   size_t count);
/* The gap between these two groups by other rates of theirs. */
double slice_gap_between(const struct slice_gap_ends *ends, const struct slice_rates *rates);

/* ---- the figures ---- */

struct slice_group {
    const char *name; /* borrowed from the slice */
    size_t rows, queries;
    bool small;
    double *values;             /* [metric_count] NaN: undefined */
    const char **reasons;       /* [metric_count] */
    struct interval *intervals; /* [metric_count]; NULL: none asked for */
    struct slice_rates rates;
};
struct slice_result {
    const char *name; /* borrowed from the options */
    struct slice_groups groups;
    /*
     * [groups.count] The worst by the first metric first; then those of enough rows that have no value of it, then
     * the small ones, then the empty ones.
     */
    struct slice_group *items;
    struct slice_group *missing; /* the rows in no group, which are no worst one and in no gap; NULL: there are none */
    size_t split;                /* queries that have rows in several groups */
    double gaps[SLICE_GAP_COUNT];
    struct slice_gap_ends gap_ends[SLICE_GAP_COUNT]; /* places in groups, not in items */
    /* [SLICE_GAP_COUNT] of the difference between these two groups, below 0 where it may be the other way round; NULL:
     * none asked for */
    struct interval *gap_intervals;
};
struct eval_slices {
    char **metrics; /* [metric_count] */
    int *directions;
    size_t metric_count;
    struct slice_result *slices; /* [count] */
    size_t count;
    size_t min_rows;
    bool with_intervals;
};
/* eval: options of the report, of which metrics, slices and by_query are not looked at. */
int eval_slices_new(struct eval_slices **out, const struct predictions *p, const struct eval_options *eval,
                    const struct slice_options *options) RECO_MUST_CHECK;
void eval_slices_free(struct eval_slices *slices); /* NULL-safe */

int eval_slices_text(const struct eval_slices *slices, struct buf *b) RECO_MUST_CHECK;
int eval_slices_markdown(const struct eval_slices *slices, struct buf *b) RECO_MUST_CHECK;
/* How many groups a page shows: the worst of them. */
size_t eval_slices_shown(const struct slice_result *of);
/* What a reader must know to read the table of a slice right, each note between before and after; plain words. */
int eval_slices_notes(const struct eval_slices *slices, const struct slice_result *of, const char *before,
                      const char *after, struct buf *b) RECO_MUST_CHECK;
json_t *eval_slices_json(const struct eval_slices *slices); /* new reference; NULL: out of memory */

/* ---- names of figures in gates ---- */

enum slice_name_kind { SLICE_NAME_METRIC, SLICE_NAME_WORST, SLICE_NAME_GAP };
enum slice_name_bound { SLICE_NAME_VALUE, SLICE_NAME_LOW, SLICE_NAME_HIGH }; /* of its interval */
struct slice_name {
    enum slice_name_kind kind;
    enum slice_name_bound bound;
    char *slice;  /* worst, gap; else NULL */
    char *metric; /* gap: the gap's name */
};
/*
 * "f1", "low(f1)", "high(f1)", "worst(lang).f1", "low(worst(lang).f1)" (also "worst(lang).low(f1)"),
 * "gap(lang).demographic_parity", "high(gap(lang).exposure)". RECO_E_USAGE with the nearest name; RECO_E_NOMEM.
 */
int slice_name_parse(struct slice_name *out, const char *name) RECO_MUST_CHECK;
void slice_name_release(struct slice_name *name);

struct slice_found {
    double value;                   /* NaN with reason */
    const char *reason;             /* a constant text; NULL: there is a value */
    const struct slice_result *of;  /* NULL: there is no such slice */
    const struct slice_group *item; /* the worst; NULL: none */
    size_t gap;                     /* SLICE_GAP_COUNT: it is none */
    size_t groups, undefined;       /* worst: of enough rows, and of them without a value */
};
/*
 * The worst of a metric over the groups that are not small (of a bound: the worst bound, and undefined where a group
 * with a value has no interval), or a gap. slices may be NULL.
 */
void eval_slices_find(struct slice_found *out, const struct eval_slices *slices, const struct slice_name *name);
/* What the value is of, for a gate's line: " (acme, 79 rows)"; "" where there is nothing to say. Appended. */
int eval_slices_explain(const struct slice_found *found, struct buf *b) RECO_MUST_CHECK;

#endif
