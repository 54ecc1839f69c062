#ifndef RECO_TRAIN_SETTINGS_H
#define RECO_TRAIN_SETTINGS_H

/* The settings of a run by name, as text: shown at its start, kept in checkpoints, compared when it is resumed. */

#include <jansson.h>

#include "core/err.h"
#include "model/bert.h"
#include "train/train.h"

/* What the options come to for this dataset. */
struct train_plan {
    const struct dataset_split *train, *dev; /* dev NULL: none */
    size_t train_rows;
    int64_t window_rows;     /* rows of one update: batch_rows * accumulation */
    int64_t steps_per_epoch; /* the last update of an epoch may be smaller */
    int64_t total_steps, warmup_steps;
};

/* A new reference; NULL: out of memory. */
json_t *settings_json(const struct train_options *options, const struct train_plan *plan);

/*
 * What a resumed run may not change is RECO_E_USAGE (data, seed, batches, lengths: its steps would be others); what
 * makes the bytes or the course of the run differ is a warning.
 */
int settings_compare(const json_t *saved, const json_t *now, const char *checkpoint) RECO_MUST_CHECK;

/* The table at the start of a run, by log_info. */
void settings_show(const json_t *settings, const struct bert *bert);

#endif
