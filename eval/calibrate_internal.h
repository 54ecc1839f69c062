#ifndef RECO_EVAL_CALIBRATE_INTERNAL_H
#define RECO_EVAL_CALIBRATE_INTERNAL_H

/* Private to calibrate*.c: fits of one curve. */

#include <stdint.h>

#include "eval/calibrate.h"

#define CALIBRATE_P_MIN 2.220446049250313e-16 /* p below this counts as this, as in log_loss */

/* log(p / (1 - p)), p kept away from 0 and 1 */
double calibrate_logit(double p);

/* z [rows, classes] log probabilities, label [rows], not always the greatest: the inverse temperature, within bounds.
 */
#define CALIBRATE_INVERSE_MIN 1e-6
#define CALIBRATE_INVERSE_MAX 1e6
double calibrate_fit_inverse_temperature(const double *z, const int32_t *label, size_t rows, size_t classes);

/* f [rows], yes [rows]: a and b of 1 / (1 + exp(a f + b)). */
void calibrate_fit_platt(const double *f, const bool *yes, size_t rows, double *a, double *b);

/* x [rows], yes [rows]; knots are allocated. */
int calibrate_fit_isotonic(struct calibrate_knots *knots, const double *x, const bool *yes,
                           size_t rows) RECO_MUST_CHECK;
double calibrate_knots_at(const struct calibrate_knots *knots, double x);

#endif
