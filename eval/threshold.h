#ifndef RECO_EVAL_THRESHOLD_H
#define RECO_EVAL_THRESHOLD_H

/*
 * Decisions: which class is predicted, chosen on validation predictions, kept as threshold.json, then applied to test
 * ones. There are three rules:
 *   cut     one class is predicted where its probability (without p_ columns the score) is at least the cut, else the
 *           most probable of the others; two classes, or --label
 *   ratios  the class with the greatest p / cut; F-beta of many classes: the cuts by which its mean over the classes is
 *           greatest, found by moving one at a time from two starts, so that it is never below that of the most
 *           probable class
 *   costs   the class of the least expected cost sum_i p_i cost[i][j] (Elkan 2001); costs of many classes
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "data/labels.h"
#include "data/predictions.h"

enum threshold_objective {
    THRESHOLD_F_BETA,    /* the greatest F-beta */
    THRESHOLD_PRECISION, /* the greatest recall with a precision of at least the floor */
    THRESHOLD_RECALL,    /* the greatest precision with a recall of at least the floor */
    THRESHOLD_COST       /* the least cost */
};
extern const char *const threshold_objective_names[]; /* NULL-terminated, by enum threshold_objective */

enum threshold_rule { THRESHOLD_RULE_CUT, THRESHOLD_RULE_RATIOS, THRESHOLD_RULE_COSTS };

struct threshold_options {
    enum threshold_objective objective;
    double beta;         /* F-beta: how many times recall counts as much as precision */
    double floor;        /* of precision or recall, in (0, 1] */
    const char *label;   /* class that is cut; NULL: the positive one of two */
    const double *costs; /* [labels.count, labels.count] label by predicted; borrowed; NULL: 1 for every mistake */
};

struct threshold { /* zero-initialised is empty */
    enum threshold_objective objective;
    enum threshold_rule rule;
    struct label_map labels;
    int label;     /* cut: the class */
    bool on_score; /* cut: of the score, not of p */
    double *cuts;  /* cut: [1], INFINITY: never, -DBL_MAX: always; ratios: [labels.count], their sum is 1 */
    double *costs; /* [labels.count, labels.count]; NULL without */
    /* Objective, beta or floor, and what the rule reached where it was chosen: cut: precision, recall, f_beta,
     * rows_predicted of the class; else f_beta_macro; accuracy; cost where there are costs. "without": the same of the
     * most probable class (without p_ columns: of the classes as they were predicted) */
    json_t *chosen;
    json_t *fitted_on; /* may be NULL */
    char *calibration; /* hash of the calibration of the predictions it was chosen on; NULL: none */
};

/*
 * costs [labels->count, labels->count] from "label:predicted=cost" texts: what is not named costs 1, a right answer 0.
 * RECO_E_USAGE: an unknown label, no number, a pair that is named twice.
 */
int threshold_costs_parse(double *costs, const struct label_map *labels, const char *const *assignments,
                          size_t count) RECO_MUST_CHECK;

/*
 * From the labelled rows of p. Equal objectives: the highest cut, which lies 1e-8 of itself below the number that was
 * seen, since numbers are written with nine digits. RECO_E_USAGE: many classes and neither F-beta, costs
 * nor a label; an unknown label. RECO_E_DATA: a regression, no probabilities, no labelled row of the class, or a floor
 * that no cut reaches; the message says what is reached.
 */
int threshold_choose(struct threshold *out, const struct threshold_options *options,
                     const struct predictions *p) RECO_MUST_CHECK;
void threshold_release(struct threshold *t);

/*
 * May the rule be applied to such predictions? RECO_E_DATA: another label map, no probabilities (has_p) where it needs
 * them, or a sidecar that says another calibration than that of the predictions it was chosen on. path names them.
 */
int threshold_check(const struct threshold *t, const struct label_map *labels, bool has_p, const json_t *sidecar,
                    const char *path) RECO_MUST_CHECK;
/* The class of a row of p [labels.count] (NULL on_score) and score. */
int threshold_predict(const struct threshold *t, const double *p, double score);
/* The predicted class of all rows of p, whose sidecar then names the rule; threshold_check is done here. */
int threshold_predictions(const struct threshold *t, struct predictions *p, const char *path) RECO_MUST_CHECK;

/* What all mistakes of p's predicted classes cost, over the labelled rows. costs as above. */
double threshold_cost(const struct predictions *p, const double *costs);

json_t *threshold_to_json(const struct threshold *t); /* new reference; NULL: out of memory */
int threshold_read(struct threshold *out, const char *path) RECO_MUST_CHECK;
int threshold_write(const struct threshold *t, const char *path) RECO_MUST_CHECK;

#endif
