#ifndef RECO_CLI_RUN_DATA_H
#define RECO_CLI_RUN_DATA_H

/*
 * What ties a model to its data: the vocabulary, the labels, and reco_data.json in the run directory, which remembers
 * how the texts of training were made, so that predict and eval need no options for a file of the same shape.
 */

#include "cli/cmd.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "data/prepare.h"

/* RECO_E_DATA when the dataset's ids were not made by the model's tokeniser. */
int run_data_check_vocabulary(const struct dataset *ds, const char *model_dir) RECO_MUST_CHECK;

/* RECO_E_DATA when the dataset has labels and they are not the model's: other classes, grades, or made by another rule.
 */
int run_data_check_labels(const struct dataset *ds, const struct label_map *labels,
                          const char *model_dir) RECO_MUST_CHECK;

/*
 * For a run that goes on with the dataset that it made: RECO_E_USAGE when an option about texts, columns or labels is
 * given now and is not what the dataset was made with, which would be without effect.
 */
int run_data_check_options(const struct cmd_ctx *ctx, const struct dataset *ds) RECO_MUST_CHECK;

/* reco_data.json into run_dir: the options of the dataset, the lengths and the seed of training. */
int run_data_write(const char *run_dir, const struct dataset *ds, const struct prepare_options *data,
                   int64_t seed) RECO_MUST_CHECK;

/* The seed of training as a new JSON integer; null where the directory does not tell. NULL: out of memory. */
json_t *run_data_seed(const char *model_dir);

/*
 * Gives the options that the user left at their defaults the values of model_dir's reco_data.json, where there is one:
 * the lengths, and for a --test_file every option of the command that decides how its texts and columns are read,
 * joined and cleaned (by the group of its row, so that a new one needs nothing here). Rules that leave out rows are not
 * recalled; of columns that a file may lack, those that data->test_file has not are left out. data: in ctx->options.
 */
int run_data_recall(const struct cmd_ctx *ctx, struct prepare_options *data, const char *model_dir) RECO_MUST_CHECK;

#endif
