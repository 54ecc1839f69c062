#ifndef RECO_EVAL_METRIC_H
#define RECO_EVAL_METRIC_H

/*
 * A metric is one const row: what it is, where it comes from, what it needs, and one function. Rows are never written
 * to; everything they look at is a struct metric_data or a struct metric_list, prepared once for all of them.
 *
 * To add a metric: 1. metric_<name>.c with `const struct metric metric_<name>`, 2. its row in metric_table.c, 3. its
 * value by another implementation in scripts/reference/metrics_eval.py, which the tests compare. A change of a metric's
 * value raises its version.
 */

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/predictions.h"
#include "eval/sort.h"

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
    METRIC_NEEDS_DEPTH = 1u << 9
};

/* The names a row gives. A row named "x@k" has METRIC_FORM_AT alone and stands beside a row "x". */
enum metric_form {
    METRIC_FORM_PLAIN = 1u << 0,    /* x */
    METRIC_FORM_MACRO = 1u << 1,    /* x_macro: mean over the classes */
    METRIC_FORM_MICRO = 1u << 2,    /* x_micro: from the summed counts */
    METRIC_FORM_WEIGHTED = 1u << 3, /* x_weighted: mean over the classes, by support */
    METRIC_FORM_LABEL = 1u << 4,    /* x_<label>: one class against the rest */
    METRIC_FORM_AT = 1u << 5        /* x@10: the first 10 of each query */
};

struct metric_variant {
    enum metric_form form;
    int label; /* METRIC_FORM_LABEL: the class */
    size_t k;  /* METRIC_FORM_AT: the depth; otherwise SIZE_MAX */
};

/* One class against the rest, from sorted scores; computed once a class. */
struct metric_curve {
    bool done;
    const char *reason; /* why there is no value, or NULL */
    double auc, average_precision;
};

/* Counts over all rows, labelled or not; a row is an impression. */
struct metric_events {
    uint64_t impressions, clicks; /* rows with clicked known; of these clicked */
    uint64_t chances;             /* rows with converted known */
    uint64_t conversions;         /* of these converted */
    uint64_t dwells, depths;      /* rows that have one */
    double dwell_s, depth;        /* their sums */
};

/* Prepared for the metrics that look at all rows. Rows without a label (target) are in none of it but the events. */
struct metric_data {
    const struct predictions *p;
    int classes; /* 0: regression */
    int positive;
    size_t rows;                 /* with a label (target) */
    uint64_t *confusion;         /* [classes, classes] label by predicted; NULL without predicted */
    uint64_t *support;           /* [classes] rows of a label */
    uint64_t *predicted;         /* [classes] rows predicted so; NULL without predicted */
    struct metric_curve *curves; /* [classes] */
    struct metric_events events;
};

/*
 * One query's ranking: items by score, best first. grade is NaN for an item that nobody judged; it is not relevant and
 * gains nothing. ideal holds the gains of all judged items, ranked or not, best first.
 */
struct metric_list {
    size_t count;
    const double *grade; /* [count] */
    const double *gain;  /* [count] */
    const double *ideal; /* [ideal_count] */
    size_t ideal_count;
    size_t relevant;        /* judged items with grade >= relevance_level, ranked or not */
    double relevance_level; /* NaN: unknown */
    const double *discount; /* [max(count, ideal_count)] 1 / log2(rank + 1) */
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
    /* Over all rows. Undefined: NaN and *reason (a constant text). Errors: RECO_E_NOMEM. NULL for ranking metrics. */
    int (*value)(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason);
    /* Of one query; NaN: undefined there, so the query is left out of the mean. NULL for the others. */
    double (*query)(const struct metric_list *list, size_t k);
    const char *query_reason; /* why a query is left out: "no relevant item" */
};

extern const struct metric *const metric_table[]; /* NULL-terminated, in the order of the report */

/*
 * The row and form of a name ("f1", "auc_4", "ndcg@10"). A label is not checked: *label_text is the part after the
 * row's name, borrowed from name. NULL: no metric has that name.
 */
const struct metric *metric_find(const char *name, struct metric_variant *variant, const char **label_text);
/* The name nearest to a wrong one, or NULL; borrowed from the table. */
const char *metric_nearest(const char *name);

/* ---- for the rows ---- */

/* Undefined, with the reason: for `return metric_undefined(value, reason, "...")`. */
static inline int metric_undefined(double *value, const char **reason, const char *why)
{
    *value = NAN;
    *reason = why;
    return 0;
}

/* The class or the mean over the classes that a variant asks for; precision, recall and F1 share it. */
typedef double metric_class_fn(uint64_t true_positives, uint64_t predicted, uint64_t support);
int metric_class_average(struct metric_data *data, const struct metric_variant *variant, metric_class_fn *class_value,
                         const char *why_undefined, double *value, const char **reason);

/* The curve of one class against the rest, by p (or the score when there are two classes and no p). */
int metric_curve_get(struct metric_data *data, int label, const struct metric_curve **curve) RECO_MUST_CHECK;

/*
 * The labelled rows in ascending order of the score of a class, payload 1 for its own rows. *items points into *memory,
 * which the caller frees.
 */
int metric_class_sorted(const struct metric_data *data, int label, struct sort_item **items, size_t *count,
                        void **memory) RECO_MUST_CHECK;

/* The form of a one-against-rest figure: plain is the positive class of two, else the mean over the classes. */
int metric_curve_average(struct metric_data *data, const struct metric_variant *variant,
                         double (*figure)(const struct metric_curve *curve), double *value, const char **reason);

/* Cohen's kappa with disagreement weights |i - j|^power (power 0: 1 unless equal). */
int metric_agreement(struct metric_data *data, int power, double *value, const char **reason);

/* Mean of (value - target)^2 over the rows with a target; needs at least one. */
double metric_squared_error(const struct metric_data *data);

/* Relevant items among the first k of a ranking. */
size_t metric_hits(const struct metric_list *list, size_t k);

/* Means and centred sums of two variables, row by row. */
struct metric_moments {
    double count, mean_x, mean_y, xx, yy, xy; /* centred sums of squares and products */
};
void metric_moments_add(struct metric_moments *m, double x, double y);
double metric_moments_pearson(const struct metric_moments *m); /* NaN: one side is constant */

#endif
