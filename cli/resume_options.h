#ifndef RECO_CLI_RESUME_OPTIONS_H
#define RECO_CLI_RESUME_OPTIONS_H

/* A run that goes on with the dataset that it made. */

#include "cli/cmd.h"
#include "core/err.h"
#include "data/dataset.h"

/*
 * RECO_E_USAGE when an option about texts, columns or labels is given now and is not what the dataset was made with: it
 * would be without effect. Which options there are is told by the command's table and the options in dataset.json.
 */
int resume_options_check(const struct cmd_ctx *ctx, const struct dataset *ds) RECO_MUST_CHECK;

#endif
