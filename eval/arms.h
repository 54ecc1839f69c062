#ifndef RECO_EVAL_ARMS_H
#define RECO_EVAL_ARMS_H

/*
 * Behaviour by arm of an experiment: each figure of a report by the value of a column, its lift over the control arm
 * and the interval of that.
 *
 * What is independent is a unit: a query, or what a column names, as a user; without either a row. Figures are ratios
 * of sums over rows, so the variance is that of their linearisation, summed by unit (delta method); a unit that is seen
 * in both arms, as a query is, takes its covariance off. Source: Deng, Knoblich and Lu 2018, "Applying the delta method
 * in metric analytics".
 *
 *   rate        share of rows that were clicked and the like: Wilson's score interval, so that none of ten is not zero
 *               for certain, with the number of rows that independent ones would need for the same variance; rows of
 *               their own: exactly the number of rows. Sources: Wilson 1927; Korn and Graubard 1998.
 *   other       the value plus or minus quantile times standard error, of the variance by units - 1.
 *   difference  of rates: Newcombe 1998, method 10, from the Wilson intervals, with the correlation that units of both
 *               arms make (Zou and Donner 2008), and none where an arm has none; else as other.
 *   ratio       on the logarithm (Katz et al. 1978 for rates); lift is ratio - 1.
 */

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/text_index.h"
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
    const char *column, *control; /* borrowed, or of texts */
    const char *unit;             /* what is independent: "query", "row" or the column's name; borrowed */
    double level;
    const char **names; /* [count] in order of bytes, the control first; borrowed from the predictions, or of texts */
    size_t *rows;       /* [count] */
    size_t *units;      /* [count] seen in the arm */
    size_t count;
    size_t left_out;      /* rows whose arm is empty */
    bool few;             /* a figure has too few units in an arm for an interval */
    const char **figures; /* [figure_count] names, borrowed from the report */
    size_t figure_count;
    struct eval_arm_figure *values; /* [count, figure_count] */
    struct text_store texts;        /* names that were no UTF-8 */
};

/*
 * RECO_E_USAGE: no such column or arm, or no figure of behaviour. The texts of options are borrowed, report too.
 */
int eval_arms_new(struct eval_arms **out, const struct eval_report *report,
                  const struct eval_arms_options *options) RECO_MUST_CHECK;
void eval_arms_free(struct eval_arms *arms); /* NULL-safe */

/* "95 % intervals; independent: each row", and what else holds of all the figures */
int eval_arms_method(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
int eval_arms_text(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
/* A line a figure and arm: figure, arm, rows, units, then value, difference and lift, each with low and high. */
int eval_arms_tsv(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
int eval_arms_markdown(const struct eval_arms *arms, struct buf *b) RECO_MUST_CHECK;
json_t *eval_arms_json(const struct eval_arms *arms); /* new reference; NULL: out of memory */

#endif
