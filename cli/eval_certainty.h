#ifndef RECO_CLI_EVAL_CERTAINTY_H
#define RECO_CLI_EVAL_CERTAINTY_H

/* The parts of `reco eval` that ask for intervals and slices, also those that only a gate names. */

#include "cli/eval_options.h"
#include "eval/evaluate.h"
#include "eval/interval.h"
#include "eval/slice.h"

struct eval_certainty { /* zero-initialised is empty; lives as long as the options are used */
    struct interval_options intervals;
    struct slice_options slices;
    struct slice_training *training;
    char **names; /* slices that gates name, and their metrics: [name_count] */
    size_t name_count;
    const char **slice_names, **also;
};

/*
 * Sets options->intervals and options->slices. RECO_E_USAGE: a gate on a bound without --resamples, a slice of training
 * without --train_dataset.
 */
int eval_certainty_fill(struct eval_certainty *certainty, struct eval_options *options,
                        const struct eval_command *c) RECO_MUST_CHECK;
void eval_certainty_release(struct eval_certainty *certainty);

#endif
