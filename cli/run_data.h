#ifndef RECO_CLI_RUN_DATA_H
#define RECO_CLI_RUN_DATA_H

/*
 * What ties a model to its data: the vocabulary, the labels, and reco_data.json in the run directory, which remembers
 * the columns and lengths of training, so that predict and eval need no column names for a file of the same shape.
 */

#include "core/err.h"
#include "core/opt.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "data/prepare.h"

/* RECO_E_DATA when the dataset's ids were not made by the model's tokeniser. */
int run_data_check_vocabulary(const struct dataset *ds, const char *model_dir) RECO_MUST_CHECK;

/* RECO_E_DATA when the dataset has labels and they are not the model's. */
int run_data_check_labels(const struct dataset *ds, const struct label_map *labels,
                          const char *model_dir) RECO_MUST_CHECK;

/* reco_data.json into run_dir: the options of the dataset, the lengths and the seed of training. */
int run_data_write(const char *run_dir, const struct dataset *ds, const struct prepare_options *data,
                   int64_t seed) RECO_MUST_CHECK;

/* The seed of training as a new JSON integer; null where the directory does not tell. NULL: out of memory. */
json_t *run_data_seed(const char *model_dir);

/*
 * Gives the options that the user left at their defaults (set) the values of model_dir's reco_data.json, where there is
 * one. Of columns that a file may lack, those that the first test file has not are left out. Strings made here are
 * owned by data.
 */
int run_data_recall(struct prepare_options *data, const struct opt_set *set, const char *model_dir) RECO_MUST_CHECK;

#endif
