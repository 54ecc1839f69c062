#ifndef RECO_EVAL_PAIRED_H
#define RECO_EVAL_PAIRED_H

/*
 * Is run B better than run A? Tests on differences by query, difference = b - a of the same query, finite numbers. All
 * are two-sided; p is NAN with a reason where a test has nothing to say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/pool.h"

struct paired_test {
    double p;
    double statistic;   /* the mean difference; t; the sum of positive ranks */
    bool exact;         /* of the whole distribution, not sampled or approximated */
    const char *reason; /* why there is no p, a constant text; NULL: there is one */
};

enum { PAIRED_EXACT_RANDOMISATION = 20, PAIRED_EXACT_WILCOXON = 50 }; /* differences that are not 0, at most */

/*
 * Fisher's randomisation test: under the null hypothesis the sign of every difference is a coin. All 2^n signs for up
 * to PAIRED_EXACT_RANDOMISATION differences, else samples of them and p = (1 + as extreme) / (1 + samples). Sources:
 * Fisher 1935, sec. 21; Smucker, Allan and Carterette 2007. The same p for any number of threads.
 */
int paired_randomisation(struct paired_test *out, const double *difference, size_t count, size_t samples, uint64_t seed,
                         struct pool *pool) RECO_MUST_CHECK;
/* The signs that sample flips, one bit a difference: bits [(count + 31) / 32]. */
void paired_signs(uint32_t *bits, size_t count, uint64_t seed, size_t sample);

/* Student 1908: count - 1 degrees of freedom. */
void paired_t(struct paired_test *out, const double *difference, size_t count);

/*
 * Wilcoxon 1945: signed ranks, differences of 0 left out, tied ones share their mean rank. The exact distribution given
 * the ties for up to PAIRED_EXACT_WILCOXON differences, else the normal approximation with the variance corrected for
 * ties, without continuity correction (as scipy.stats.wilcoxon).
 */
int paired_wilcoxon(struct paired_test *out, const double *difference, size_t count) RECO_MUST_CHECK;

/*
 * Bootstrap test by shift: how often is a resampled difference as far from the observed one as that is from 0?
 * Source: Efron and Tibshirani 1993, sec. 16.4. replicates [count] of the difference, NaN left out.
 */
void paired_bootstrap(struct paired_test *out, const double *replicates, size_t count, double observed);

/*
 * Holm 1979: p [count] adjusted in place for count tests; NaN is no test and stays. share [count] (NULL: not wanted)
 * becomes what each test has of the level of all, 1 / (tests - those with a smaller p); NaN where there is no test.
 */
int paired_holm(double *p, double *share, size_t count) RECO_MUST_CHECK;

struct paired_summary {
    size_t count, wins, losses, ties; /* queries; b better, a better, equal */
    double mean, sd;                  /* of the differences; sd NaN below 2 */
    double effect;                    /* Cohen's d of paired differences, mean / sd; NaN where sd is 0 */
};
/* direction -1: lower is better. */
void paired_summarise(struct paired_summary *out, const double *difference, size_t count, int direction);

/*
 * Queries with which a difference of this mean and standard deviation would be seen at the level of significance alpha
 * with probability power; infinite for a mean of 0. ((z_{1-alpha/2} + z_power) sd / mean)^2 + z_{1-alpha/2}^2 / 2,
 * which is within one query of what the noncentral t distribution gives. Source: Guenther 1981.
 */
double paired_queries_needed(double mean, double sd, double alpha, double power);

#endif
