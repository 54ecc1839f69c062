#ifndef RECO_EVAL_CURVE_H
#define RECO_EVAL_CURVE_H

/* Private to eval/: figures that need the rows in the order of a number. */

#include <stdbool.h>

#include "core/pool.h"
#include "core/sorter.h"
#include "eval/key_merge.h"
#include "eval/metric.h"

/* A row in the order of a class's score. */
struct curve_row {
    uint32_t unit;      /* whose weight the row has */
    uint32_t label_end; /* twice the class, and 1 more on the last row of a tie */
};

struct order_row {
    uint32_t unit;
    int32_t label; /* of the adaptive bins: hit; of a regression: the rank of the target from 0, without gaps */
    double number; /* of a tie the same */
};

/*
 * What metric_data.orders holds. For a report the pool alone: each order is sorted when asked for and not kept. Under
 * weights the orders themselves, since a bootstrap asks a thousand times.
 */
struct metric_orders {
    struct pool *pool;           /* NULL: this thread */
    size_t keys_max;             /* about so many keys are held at one time, 0: all; the values are the same */
    const uint32_t *unit_of_row; /* under weights; NULL: the unit is the row */
    struct curve_row **of_class; /* [classes] each [rows], ascending; NULL: not prepared */
    bool with_pairs;             /* one class against one other is asked for too */
    struct order_row *of_bins;   /* [rows] by confidence */
    struct order_row *of_value;  /* [rows] regression, by value */
    size_t target_ranks;         /* distinct targets */
    size_t rows;                 /* with a label (target) */
};

int orders_prepare_class(struct metric_orders *orders, const struct metric_data *data, int label) RECO_MUST_CHECK;
int orders_prepare_bins(struct metric_orders *orders, const struct metric_data *data) RECO_MUST_CHECK;
int orders_prepare_values(struct metric_orders *orders, const struct metric_data *data) RECO_MUST_CHECK;
void orders_release(struct metric_orders *orders, int classes);

/* The score by which a class is set against the rest. */
double curve_score(const struct metric_data *data, size_t row, int label);
/* The highest p, and whether its class is the label. */
double curve_confidence(const struct metric_data *data, size_t row, bool *hit);

/*
 * The keys of the rows with a label: their scores of a class in a list for each label, or, of CURVE_CONFIDENCE, the
 * highest p in lists of misses and hits. Cut into pieces [lists] by what orders->keys_max says; then a piece after the
 * other, sorted, with the sizes that sizes [lists] give for all.
 */
enum { CURVE_CONFIDENCE = -1 };
int curve_keys_cut(struct key_pieces *pieces, const struct metric_data *data, int label, const double *sizes,
                   size_t lists) RECO_MUST_CHECK;
int curve_keys_load(struct key_merge *m, const struct key_pieces *pieces, size_t piece, const struct metric_data *data,
                    int label) RECO_MUST_CHECK;

/* The gap of bins of equally many rows, fed ties in ascending order of confidence. */
struct adaptive_run {
    double rows, seen, gap, edge;
    double confidence, hits; /* of the bin being filled */
    int bin;
    struct metric_adaptive_bin *bins; /* [METRIC_BINS] kept there; NULL: not kept */
};
void adaptive_begin(struct adaptive_run *run, double rows);
void adaptive_add(struct adaptive_run *run, double confidence, double rows, double hits); /* one tie */
double adaptive_end(struct adaptive_run *run);                                            /* NaN: no rows */

/* Computes the curve of a class; those of different classes at the same time. */
int curve_prepare(struct metric_data *data, int label) RECO_MUST_CHECK;
/*
 * From sorted records that are read from their start: key sort_key big-endian, value the class (two bytes), or whether
 * it is a hit (one), and in every last byte of a value whether the filter's flag is set.
 */
int curve_next(const struct metric_data *data, struct sorter *sorter,
               const struct sorter_record **record) RECO_MUST_CHECK; /* that the filter keeps; NULL: the end */
int curve_from_sorter(struct metric_data *data, int label, struct sorter *sorter) RECO_MUST_CHECK;
int adaptive_from_sorter(struct metric_data *data, struct sorter *sorter) RECO_MUST_CHECK; /* into data->adaptive */
/* Spearman's and Kendall's coefficients: key the sort_key of the value, then that of the target. orders_sorted.c */
int orders_from_sorter(const struct metric_data *data, struct sorter *sorter, const char *tmp_dir, size_t max_bytes,
                       struct metric_known *known) RECO_MUST_CHECK;
void curve_release(struct metric_curve *curve);

#endif
