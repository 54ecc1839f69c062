#ifndef RECO_EVAL_SLICE_INTERNAL_H
#define RECO_EVAL_SLICE_INTERNAL_H

/* Private to slice*.c. */

#include "eval/slice.h"

#define SLICE_NO_GROUP UINT32_MAX
enum { SLICE_BINS_MAX = 100, SLICE_NUMBER_SIZE = 96, SLICE_COLUMN_SIZE = 256, SLICE_PARTS_MAX = 4 };

/* ---- the name of a slice: slice_parse.c ---- */

enum slice_kind { SLICE_COLUMN, SLICE_BINS, SLICE_EDGES, SLICE_LENGTH, SLICE_FREQUENCY, SLICE_SEEN, SLICE_TRUNCATED };

struct slice_part {
    enum slice_kind kind;
    char column[SLICE_COLUMN_SIZE]; /* of the predictions; SLICE_SEEN: of training too; "" where there is none */
    size_t bins;
    double edges[SLICE_BINS_MAX]; /* [edge_count] ascending */
    size_t edge_count;
};
/* The slices whose groups slice puts together: parts [SLICE_PARTS_MAX], how many in *count. RECO_E_USAGE. */
int slice_parse(struct slice_part *parts, size_t *count, const char *slice) RECO_MUST_CHECK;
/* Does slice look at that column of training? */
bool slice_training_wants(const char *slice, const char *column);
/* Names of slices that stand for no column; NULL-terminated. */
extern const char *const slice_built_in[];

/* A metric by the name that a report gives it. */
const char *slice_metric_name(const char *metric);

/* ---- columns: slice_groups.c ---- */

struct slice_column { /* one of these */
    const char *const *texts;
    const double *numbers;
    const uint32_t *counts;
    enum { SLICE_IS_HELD, SLICE_IS_LABEL, SLICE_IS_PREDICTED, SLICE_IS_SCORE, SLICE_IS_QUERY, SLICE_IS_ITEM } is;
};
/* RECO_E_USAGE with the nearest name. */
int slice_column_find(struct slice_column *out, const struct predictions *p, const char *name) RECO_MUST_CHECK;
/* The text of a value, "" for a missing one; space [SLICE_NUMBER_SIZE] is used for numbers. */
const char *slice_column_text(const struct slice_column *column, const struct predictions *p, size_t row, char *space);

int slice_add_group(struct slice_groups *g, const char *name) RECO_MUST_CHECK;

/* ---- groups without a column: slice_known.c; g->of_row is there ---- */

int slice_by_length(struct slice_groups *g, const struct predictions *p, const char *text_column) RECO_MUST_CHECK;
int slice_by_truncation(struct slice_groups *g, const struct predictions *p) RECO_MUST_CHECK;
int slice_by_seen(struct slice_groups *g, const struct predictions *p, const char *column,
                  const struct slice_training *training) RECO_MUST_CHECK;
int slice_by_frequency(struct slice_groups *g, const struct predictions *p,
                       const struct slice_training *training) RECO_MUST_CHECK;

/* ---- rates and gaps: fairness.c ---- */

enum slice_sum {
    SLICE_SUM_ROWS, /* with a predicted class, where there are labels; of these positive: */
    SLICE_SUM_SELECTED,
    SLICE_SUM_POSITIVES, /* with a label too */
    SLICE_SUM_HITS,
    SLICE_SUM_NEGATIVES,
    SLICE_SUM_FALSE_ALARMS,
    SLICE_SUM_ITEMS, /* that have an exposure */
    SLICE_SUM_EXPOSURE,
    SLICE_SUM_JUDGED,
    SLICE_SUM_MERIT,
    SLICE_SUM_COUNT
};
struct slice_sums {
    double of[SLICE_SUM_COUNT];
};
/* Exposure of each row in its list, *out [rows] allocated; NaN: none. */
int slice_exposures(double **out, const struct predictions *p, enum eval_ties ties) RECO_MUST_CHECK;
void slice_sums_add(struct slice_sums *sums, const struct predictions *p, size_t row, double exposure);
void slice_rates_from(struct slice_rates *rates, const struct slice_sums *sums);

/* Intervals of the gaps of r; fairness_interval.c. */
int slice_gap_intervals(struct slice_result *r, const struct predictions *p,
                        const struct eval_options *eval) RECO_MUST_CHECK;

#endif
