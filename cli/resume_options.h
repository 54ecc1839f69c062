#ifndef RECO_CLI_RESUME_OPTIONS_H
#define RECO_CLI_RESUME_OPTIONS_H

/* A run on a dataset that is there already: the run's own, when it goes on (again), or that of --dataset. */

#include "cli/cmd.h"
#include "core/err.h"
#include "data/dataset.h"

/*
 * RECO_E_USAGE when an option about texts, columns or labels is given now and is not what the dataset was made with: it
 * would be without effect. With --dataset the command line alone counts: a recipe's --config is for any data. Which
 * options there are is told by the command's table and the options in dataset.json.
 */
int resume_options_check(const struct cmd_ctx *ctx, const struct dataset *ds, bool again) RECO_MUST_CHECK;

#endif
