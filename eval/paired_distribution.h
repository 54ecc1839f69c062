#ifndef RECO_EVAL_PAIRED_DISTRIBUTION_H
#define RECO_EVAL_PAIRED_DISTRIBUTION_H

/* Distribution functions that intervals and tests need. */

double normal_cdf(double z);
/* Inverse of normal_cdf for p in (0, 1), relative error about 1e-16; -inf and inf at the ends. */
double normal_quantile(double p);
/* P(|T| >= |t|) of Student's t with df > 0 degrees of freedom. */
double student_two_sided(double t, double df);
/* The t >= 0 of which that is p, in (0, 1]: the inverse. */
double student_quantile_two_sided(double p, double df);
/* Regularised incomplete beta function I_x(a, b), x in [0, 1], a, b > 0. */
double incomplete_beta(double a, double b, double x);

#endif
