#ifndef RECO_EVAL_ARMS_H
#define RECO_EVAL_ARMS_H

/*
 * Behaviour by arm of an experiment: each figure of a report by the value of a column, its lift over the control arm
 * and the 95 % interval of that. Rows are taken as independent. Figures are ratios of sums, so the variance is that of
 * their linearisation (delta method); the interval of the relative lift is taken on the logarithm.
 * Source: Deng, Knoblich and Lu 2018, "Applying the delta method in metric analytics".
 */

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"
#include "eval/evaluate.h"

struct eval_interval {
    double value, low, high; /* NaN: undefined */
};

struct eval_arm_figure {
    struct eval_interval of_arm;     /* low and high of the figure itself */
    struct eval_interval difference; /* less the control's; NaN for the control */
    struct eval_interval ratio;      /* by the control's */
};

struct eval_arms {
    const char *column, *control; /* borrowed */
    const char **names;           /* [count] in order of bytes, the control first; borrowed from the predictions */
    size_t *rows;                 /* [count] */
    size_t count;
    const char **figures; /* [figure_count] names, borrowed from the report */
    size_t figure_count;
    struct eval_arm_figure *values; /* [count, figure_count] */
};

/*
 * column: of the report's extra columns. control: NULL is the first arm in order of bytes. RECO_E_USAGE: no such column
 * or arm, or no figure of behaviour. column and control are borrowed, report too.
 */
int eval_arms_new(struct eval_arms **out, const struct eval_report *report, const char *column,
                  const char *control) RECO_MUST_CHECK;
void eval_arms_free(struct eval_arms *arms); /* NULL-safe */

int eval_arms_text(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
int eval_arms_markdown(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
json_t *eval_arms_json(const struct eval_arms *arms); /* new reference; NULL: out of memory */

#endif
