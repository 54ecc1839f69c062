#ifndef RECO_EVAL_THRESHOLD_INTERNAL_H
#define RECO_EVAL_THRESHOLD_INTERNAL_H

/* Private to threshold*.c. */

#include <float.h>

#include "eval/threshold.h"

/* Cuts that no score is above, infinite ones included, and that every one is above. JSON knows neither as a number. */
#define THRESHOLD_NEVER INFINITY
#define THRESHOLD_ALWAYS (-DBL_MAX)

/* Without them p stays as it is. */
void threshold_row_p(const struct predictions *p, size_t row, double *to);
/* The most probable class but t->label; of two classes the other. p may be NULL. */
int threshold_best_but(const struct threshold *t, const double *p);
/* The number that is cut: p of the class, else the score, or its negative for the class that is not positive. */
double threshold_number(const struct predictions *p, size_t row, int class);

/* F-beta from counts; 0 where nothing is predicted and nothing has the label. */
static inline double threshold_f_beta(double hits, double predicted, double support, double beta)
{
    double b = beta * beta;
    return predicted + support > 0 ? (1 + b) * hits / (b * support + predicted) : 0;
}

/*
 * One cut: the best number by the objective, THRESHOLD_NEVER or THRESHOLD_ALWAYS. saved [rows]: what a row's cost falls
 * by when it is predicted to be of the class; NULL without costs. RECO_E_DATA: no row has the label.
 */
int threshold_choose_cut(double *cut, const struct threshold_options *o, const struct predictions *p, int class,
                         const double *saved) RECO_MUST_CHECK;

/* cuts [labels.count] of the rule of ratios that reach the greatest mean F-beta; start [labels.count] is a first guess.
 */
int threshold_choose_ratios(double *cuts, const double *start, double beta,
                            const struct predictions *p) RECO_MUST_CHECK;

#endif
