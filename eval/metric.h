#ifndef RECO_EVAL_METRIC_H
#define RECO_EVAL_METRIC_H

/*
 * A metric is one const row: what it is, where it comes from, what it needs, and one function. Rows are never written
 * to; everything they look at is prepared once for all of them: sums and curves over all rows (struct metric_data), one
 * query's ranking (struct metric_list), one impression (struct metric_event) or what all lists together show
 * (struct metric_catalogue).
 *
 * To add a metric: 1. metric_<name>.c with `const struct metric metric_<name>`, 2. its row in metric_table.c, 3. its
 * value by another implementation in scripts/reference/metrics_eval.py, which the tests compare. A change of a metric's
 * value raises its version.
 */

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/predictions.h"

/* What must be in the file for a metric to apply at all. */
enum metric_need {
    METRIC_NEEDS_CLASSES = 1u << 0,     /* classes, a label and a predicted class */
    METRIC_NEEDS_PROBABILITY = 1u << 1, /* classes, a label and p of every class */
    METRIC_NEEDS_SCORE = 1u << 2,       /* classes, a label, and p of every class or (two classes) a score */
    METRIC_NEEDS_TARGET = 1u << 3,      /* regression: a target and a value */
    METRIC_NEEDS_QUERY = 1u << 4,       /* labels, scores and query ids */
    METRIC_NEEDS_RELEVANCE = 1u << 5,   /* a relevance level */
    METRIC_NEEDS_CLICKED = 1u << 6,
    METRIC_NEEDS_CONVERTED = 1u << 7,
    METRIC_NEEDS_DWELL = 1u << 8,
    METRIC_NEEDS_DEPTH = 1u << 9,
    METRIC_NEEDS_CARTED = 1u << 10,
    METRIC_NEEDS_ORDERED = 1u << 11,
    METRIC_NEEDS_REVENUE = 1u << 12,
    METRIC_NEEDS_ITEM = 1u << 13, /* query ids, scores and item ids; no labels */
    METRIC_NEEDS_EVENTS = METRIC_NEEDS_CLICKED | METRIC_NEEDS_CONVERTED | METRIC_NEEDS_DWELL | METRIC_NEEDS_DEPTH |
                          METRIC_NEEDS_CARTED | METRIC_NEEDS_ORDERED | METRIC_NEEDS_REVENUE
};

/* The names a row gives. A row named "x@k" has METRIC_FORM_AT alone and may stand beside a row "x". */
enum metric_form {
    METRIC_FORM_PLAIN = 1u << 0,     /* x */
    METRIC_FORM_MACRO = 1u << 1,     /* x_macro: mean over the classes */
    METRIC_FORM_MICRO = 1u << 2,     /* x_micro: from the summed counts */
    METRIC_FORM_WEIGHTED = 1u << 3,  /* x_weighted: mean over the classes, by support */
    METRIC_FORM_LABEL = 1u << 4,     /* x_<label>: one class against the rest */
    METRIC_FORM_AT = 1u << 5,        /* x@10: the first 10 of each query */
    METRIC_FORM_LISTS = 1u << 6,     /* x_lists, x_lists@10: mean over the lists (queries) of their own values */
    METRIC_FORM_IPS = 1u << 7,       /* x_ips: each event by the inverse of its propensity */
    METRIC_FORM_SNIPS = 1u << 8,     /* x_snips: the same over the sum of the inverse propensities */
    METRIC_FORM_PARAMETER = 1u << 9, /* x<number>: f0.5; beside other forms */
    METRIC_FORM_OVO = 1u << 10,      /* x_ovo: mean over the pairs of classes, one against one */
    METRIC_FORM_BEHAVIOUR = METRIC_FORM_PLAIN | METRIC_FORM_AT | METRIC_FORM_LISTS | METRIC_FORM_IPS | METRIC_FORM_SNIPS
};

struct metric_variant {
    enum metric_form form;
    int label;        /* METRIC_FORM_LABEL: the class */
    size_t k;         /* METRIC_FORM_AT, METRIC_FORM_LISTS: the depth; otherwise SIZE_MAX */
    double parameter; /* METRIC_FORM_PARAMETER rows: the number, else NaN */
};

/* ---- all rows ---- */

/* Sums over the rows that have a label (target). */
enum metric_sum {
    METRIC_SUM_LOG_LOSS, /* -log p of the label */
    METRIC_SUM_BRIER,    /* sum over the classes of (p - is label)^2 */
    METRIC_SUM_SQUARED,  /* regression: (value - target)^2 */
    METRIC_SUM_ABSOLUTE,
    /* value and target, less the mean of all rows and by a power of two (tally.h), and their products */
    METRIC_SUM_X,
    METRIC_SUM_Y,
    METRIC_SUM_XX,
    METRIC_SUM_YY,
    METRIC_SUM_XY,
    METRIC_SUM_COUNT
};

enum {
    METRIC_BINS = 15,       /* of confidence (the highest p), equal widths */
    METRIC_POINTS_MAX = 400 /* of a curve's picture */
};

/* Of count bins of equal width the one that holds p: bin b is (b / count, (b + 1) / count], the first holds 0 too. */
static inline size_t metric_bin(double p, size_t count)
{
    size_t bin = (size_t)fmin(fmax(ceil(p * (double)count) - 1, 0), (double)(count - 1));
    bin += bin + 1 < count && p > (double)(bin + 1) / (double)count; /* the product was rounded */
    return bin - (bin > 0 && p <= (double)bin / (double)count);
}

/* One class against the rest, from sorted scores; computed once a class. */
struct metric_curve {
    bool done;
    const char *reason; /* why there is no value, or NULL */
    double auc, average_precision;
    double *right; /* [classes] pairs with a row of each other class that are ranked right, ties half */
    /* For pictures: rows of the class and others below some thresholds, ascending; NULL under weights. */
    double (*points)[2];
    size_t point_count;
};

struct metric_orders; /* curve.h */

/* Figures that need an order of all rows, where the rows are not there any more (stream.h); NaN: undefined. */
struct metric_known {
    double adaptive_gap, spearman, kendall;
};

/* Bins of equally many rows in the order of confidence, ties shared out: sums over their rows. */
struct metric_adaptive {
    bool done;
    double gap; /* ece_adaptive; NaN: no rows */
    struct metric_adaptive_bin {
        double low, high, rows, confidence, hits;
    } bins[METRIC_BINS];
};

/* Some of the rows: those whose flag is is. flags NULL: all. */
struct metric_filter {
    const bool *flags; /* [rows] */
    bool is;
};
static inline bool metric_keeps(const struct metric_filter *filter, size_t row)
{
    return !filter->flags || filter->flags[row] == filter->is;
}

/*
 * Prepared for the metrics that look at all rows. Rows without a label (target) are in none of it. Counts are doubles,
 * since rows may have weights (weighted.h); whole weights below 2^53 are exact.
 */
struct metric_data {
    const struct predictions *p;
    struct metric_filter filter;
    int classes; /* 0: no classes */
    int positive;
    double rows;             /* with a label (target) */
    const double *confusion; /* [classes, classes] label by predicted; NULL without predicted */
    const double *support;   /* [classes] rows of a label */
    const double *predicted; /* [classes] rows predicted so; NULL without predicted */
    const double *sum;       /* [METRIC_SUM_COUNT] */
    const double *bins;      /* [METRIC_BINS, 3] sums of rows, confidence, hits (argmax is the label); NULL without p */
    struct metric_curve *curves; /* [classes] */
    const struct metric_orders *orders;
    const uint32_t *weight;           /* by unit of orders; NULL: 1 */
    struct metric_adaptive *adaptive; /* kept there once it is asked for; not under weights */
    const struct metric_known *known; /* of rows that are gone: then the curves are done too; NULL: rows are there */
};

/* ---- one query's ranking ---- */

/*
 * Items by score, best first. An item that nobody judged has grade NaN, or -infinity where it was in the pool of those
 * to be judged; it is not relevant and gains nothing. With expected ties, gain and relevance are the means of the tied
 * items, and tie_end is there for what is no sum over ranks.
 */
struct metric_list {
    size_t count;
    const double *grade;     /* [count] */
    const double *gain;      /* [count] */
    const double *relevance; /* [count] 1 or 0: judged, grade >= relevance_level */
    const double *score;     /* [count] */
    const size_t *tie_end;   /* [count] end of the run of tied items that holds a rank; NULL: order decides */
    const double *ideal;     /* [ideal_count] gains of all judged items, ranked or not, best first */
    size_t ideal_count;
    size_t relevant, irrelevant; /* judged items at or above the level, and below, ranked or not */
    double relevance_level;      /* NaN: unknown */
    double highest_grade;        /* of all the data */
    const double *discount;      /* [max(count, ideal_count)] 1 / log2(rank + 1) */
    size_t ranked;               /* items with a score, those left out of the list for want of a label too */
    const double *judged;        /* [ranked] 1 or 0, in the order of scores; with expected ties the mean */
};

/* ---- behaviour: one impression ---- */

struct metric_event {
    double clicked, converted, carted, ordered, revenue, dwell_s, depth; /* NaN: unknown */
};

/* ---- what all lists show ---- */

struct metric_catalogue {
    size_t k;             /* the first k of each list */
    double lists;         /* that have an item */
    double shown;         /* items shown in all; one that a list has twice is shown once */
    double common_most;   /* sum over the pairs of lists, both ways, of the items that they could have in common */
    size_t item_count;    /* of the catalogue */
    const double *counts; /* [item_count] lists that show the item */
    /* [item_count] how popular each is: its count in a file of popularity, else its rows in the predictions */
    const double *popularity;
    double popularity_sum;
    /* The tail, the least popular 80 % of the items: all below a popularity, and this share of those that have it. */
    double tail_below, tail_share;
    uint64_t *spare; /* [item_count] scratch */
};

struct metric {
    const char *name;
    const char *help; /* one sentence */
    const char *formula;
    const char *citation; /* where the definition stands */
    int version;
    unsigned needs; /* enum metric_need */
    unsigned forms; /* enum metric_form */
    int direction;  /* +1 higher is better, -1 lower, 0 neither */
    /* METRIC_FORM_PARAMETER: the numbers of a report that names no metrics, NULL-terminated; NULL: none is needed. */
    const char *const *parameters;
    double parameter_below; /* and smaller than this; 0: any */
    /* One of the following four. Over all rows. Undefined: NaN and *reason (a constant text). Errors: RECO_E_NOMEM. */
    int (*value)(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason);
    /* Of one query; NaN: undefined there, so the query is left out of the mean. */
    double (*query)(const struct metric_list *list, const struct metric_variant *variant);
    /* What the impression adds to the numerator, and to the denominator; both are 0 before. */
    void (*event)(const struct metric_event *event, double *numerator, double *denominator);
    /* NaN: undefined. */
    double (*catalogue)(const struct metric_catalogue *catalogue);
    bool catalogue_share;     /* of the catalogue: within [0, 1]; the others are 0 or more */
    const char *query_reason; /* why it is undefined where such a function gives no value: "no relevant item" */
    bool by_items;            /* in the mean over the queries each weighs as many as its items */
    /* The denominator of event is itself what came of impressions, as clicks: IPS then weighs both sides. */
    bool of_outcomes;
    bool of_unjudged;      /* a query without a judged item counts too */
    bool no_expected_ties; /* there is no closed form of its expected value under ties */
};

extern const struct metric *const metric_table[]; /* NULL-terminated, in the order of the report */

/* "loss" is log_loss, "dar" is dwell_mean_s; any other name is itself. */
const char *metric_unalias(const char *name);
/*
 * The row and form of a name ("f1", "auc_4", "ndcg@10", "f0.5_macro"). A label is not checked: *label_text is the part
 * after the row's name, borrowed from name. NULL: no metric has that name.
 */
const struct metric *metric_find(const char *name, struct metric_variant *variant, const char **label_text);
/* The name nearest to a wrong one, or NULL; borrowed from the table. */
const char *metric_nearest(const char *name);

/* What a row says of itself, as reports hold it; new reference, NULL: out of memory. */
json_t *metric_definition(const struct metric *m);

/* ---- for the rows ---- */

/* Undefined, with the reason: for `return metric_undefined(value, reason, "...")`. */
static inline int metric_undefined(double *value, const char **reason, const char *why)
{
    *value = NAN;
    *reason = why;
    return 0;
}

static inline int metric_defined(double *value, const char **reason, double what)
{
    *value = what;
    *reason = NULL;
    return 0;
}

/* The class or the mean over the classes that a variant asks for; precision, recall and F share it. */
typedef double metric_class_fn(double true_positives, double predicted, double support,
                               const struct metric_variant *variant);
int metric_class_average(struct metric_data *data, const struct metric_variant *variant, metric_class_fn *class_value,
                         const char *why_undefined, double *value, const char **reason);

/* The form of a one-against-rest figure: plain is the positive class of two, else the mean over the classes. */
int metric_curve_average(struct metric_data *data, const struct metric_variant *variant,
                         double (*figure)(const struct metric_curve *curve), double *value, const char **reason);

/* Cohen's kappa with disagreement weights |i - j|^power (power 0: 1 unless equal). */
int metric_agreement(struct metric_data *data, int power, double *value, const char **reason);

/* Relevant items among the first k of a ranking; with expected ties their expected number. */
double metric_hits(const struct metric_list *list, size_t k);
/* 1 when none is among the first k, else 0; with expected ties the chance of none. */
double metric_miss(const struct metric_list *list, size_t k);

/* Pearson's r from sums of numbers that are nearly centred; NaN: one side is constant. */
double metric_pearson_of(double rows, double x, double y, double xx, double yy, double xy);

/* ---- what needs the rows in order: curve.c, orders.c ---- */

/* The curve of one class against the rest, by p (or the score when there are two classes and no p). */
int metric_curve_get(struct metric_data *data, int label, const struct metric_curve **curve) RECO_MUST_CHECK;
/* Pearson's r of the ranks of value and target; Kendall's tau-b of them. NaN: undefined. */
int metric_spearman_get(struct metric_data *data, double *value) RECO_MUST_CHECK;
int metric_kendall_get(struct metric_data *data, double *value) RECO_MUST_CHECK;
/* Mean over METRIC_BINS bins of equally many rows of |confidence - hits|. */
int metric_adaptive_gap_get(struct metric_data *data, double *value) RECO_MUST_CHECK;

#endif
