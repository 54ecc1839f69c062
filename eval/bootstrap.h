#ifndef RECO_EVAL_BOOTSTRAP_H
#define RECO_EVAL_BOOTSTRAP_H

/*
 * The bootstrap by cluster. A cluster is what was drawn on its own: a query with all its rows, a user, or a row where
 * there is neither. A resample is a multiplicity for every cluster; what a figure is under multiplicities its owner
 * says, so the same resamples serve any number of figures, and two runs when their figures are evaluated together.
 * Source: Efron and Tibshirani 1993; Efron 1987 for BCa. Resample b depends on the seed and b alone: the figures are
 * the same for any number of threads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/pool.h"

enum bootstrap_method { BOOTSTRAP_PERCENTILE, BOOTSTRAP_BCA };

struct bootstrap_options {
    size_t resamples;
    uint64_t seed;
    double level; /* of confidence, in (0, 1) */
    enum bootstrap_method method;
    size_t groups; /* BCa: the jackknife leaves out one cluster, or with more clusters than this a group of them */
};
void bootstrap_options_init(struct bootstrap_options *options); /* 1,000 resamples, seed 42, 95 %, BCa, 200 groups */

/*
 * Values of all figures for a few resamples: weights [count, clusters] multiplicities, out [count, values], NaN where a
 * figure is undefined. Called from several threads at once. 0 or a negative error.
 */
typedef int bootstrap_fn(void *arg, size_t count, const uint32_t *weights, double *out);

struct bootstrap { /* zero-initialised is empty */
    size_t clusters, values, resamples, groups;
    double *replicates; /* [values, resamples] */
    double *jackknife;  /* [values, groups] without each; groups is 0 without BCa or with one cluster */
};
int bootstrap_run(struct bootstrap *out, const struct bootstrap_options *options, size_t clusters, size_t values,
                  bootstrap_fn *fn, void *arg, struct pool *pool) RECO_MUST_CHECK;
void bootstrap_release(struct bootstrap *b);

/* Adds to counts [clusters] how often each cluster is drawn in a resample. */
void bootstrap_draw(uint32_t *counts, size_t clusters, uint64_t seed, size_t resample);

struct interval {
    double low, high;
    double se;          /* standard deviation of the replicates */
    size_t undefined;   /* replicates that have no value */
    bool jackknife;     /* it is that of jackknife_interval */
    const char *reason; /* why there is no interval, a constant text; NULL: there is one */
};
/*
 * Of one figure. Resamples where it is undefined are left out; with more than one in twenty of them there is no
 * interval. BCa falls back to the percentile interval where every replicate is on one side of the estimate, so that the
 * bias cannot be told.
 */
int bootstrap_interval(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                       size_t value, double estimate) RECO_MUST_CHECK;
/* The same of the difference value_b - value_a, of which estimate is the observed one. */
int bootstrap_interval_between(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                               size_t value_a, size_t value_b, double estimate) RECO_MUST_CHECK;
/*
 * For figures that count what is different, as the items that all lists show: a resample repeats clusters and leaves
 * others out, so that it shows a third fewer, and its quantiles miss the figure altogether. The estimate and t standard
 * errors around it, se^2 = (g - 1) / g sum_j (v_j - mean)^2 of the g jackknife values, t of g - 1 degrees of freedom:
 * of what another sample of as many clusters would show; wide rather than narrow. Sources: Tukey 1958; Efron and Stein
 * 1981. A bootstrap_run of 0 resamples by BCa is enough. value_a SIZE_MAX: of value_b alone, else of their difference.
 */
void jackknife_interval(struct interval *out, const struct bootstrap *b, const struct bootstrap_options *options,
                        size_t value_a, size_t value_b, double estimate);
/*
 * From replicates [count] and jackknife values [groups] of one figure, NaN where undefined; both are overwritten.
 */
void bootstrap_interval_of(struct interval *out, double *replicates, size_t count, double *jackknife, size_t groups,
                           const struct bootstrap_options *options, double estimate);

#endif
