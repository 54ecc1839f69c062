#ifndef RECO_DATA_INSPECT_H
#define RECO_DATA_INSPECT_H

/*
 * What a directory of reco holds, as JSON: `reco inspect`. "kind" is
 *   "model"       config, parameters, labels, tokeniser, hash of the weights
 *   "checkpoint"  the same, with "step" and "complete" (DONE is there)
 *   "run"         the same, with "training": settings, epochs, evaluations, best, checkpoints
 *   "dataset"     labels, tokeniser, splits with their rows by label and lengths, options
 * Everything is read from the files; nothing is run.
 */

#include <jansson.h>

#include "core/err.h"

/*
 * *out is a new reference. RECO_E_DATA: none of these kinds, a damaged dataset or run log; RECO_E_MODEL: a damaged or
 * unsupported model. A model without weights is described with "weights": null and "weights_missing": why.
 */
int inspect_dir(json_t **out, const char *dir) RECO_MUST_CHECK;

/* "training" of a run directory, from train.jsonl and the checkpoints. */
int inspect_training(json_t **out, const char *dir) RECO_MUST_CHECK;

#endif
