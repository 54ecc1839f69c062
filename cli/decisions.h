#ifndef RECO_CLI_DECISIONS_H
#define RECO_CLI_DECISIONS_H

/*
 * calibration.json and threshold.json around the commands: chosen by reco calibrate and reco threshold on validation
 * predictions, kept in the directory of the model or where the user says, applied by reco predict and reco eval.
 */

#include <jansson.h>
#include <stdbool.h>

#include "core/err.h"
#include "data/predictions.h"
#include "eval/calibrate.h"
#include "eval/threshold.h"

#define DECISIONS_CALIBRATION_FILE "calibration.json"
#define DECISIONS_THRESHOLD_FILE "threshold.json"

struct decisions { /* zero-initialised is empty */
    struct calibration calibration;
    struct threshold threshold;
    bool calibrates, thresholds;
};

/*
 * Paths of the two files; NULL: the one in model_dir when there is one (model_dir NULL: none); "none": none.
 */
int decisions_open(struct decisions *d, const char *calibration, const char *threshold,
                   const char *model_dir) RECO_MUST_CHECK;
void decisions_close(struct decisions *d);
/* Before predicting with probabilities of labels: RECO_E_DATA unless both are for these labels and for each other. */
int decisions_check(const struct decisions *d, const struct label_map *labels, const char *path) RECO_MUST_CHECK;
/* Into the sidecar of predictions that they were applied to. */
int decisions_stamp(const struct decisions *d, json_t *sidecar) RECO_MUST_CHECK;
/* First the calibration, then the threshold. path names p in messages. */
int decisions_apply(const struct decisions *d, struct predictions *p, const char *path) RECO_MUST_CHECK;

size_t decisions_labelled(const struct predictions *p); /* rows with a label */
/* What a calibration or threshold was fitted on: path, hash, rows, split, and the model's hash where it is known. */
int decisions_fitted_on(json_t **out, const char *path, const struct predictions *p) RECO_MUST_CHECK;

/*
 * Where the file goes: output, or name in the directory model, whose weights must be those that made the predictions
 * (their sidecar says which). RECO_E_USAGE: both or neither is given.
 */
int decisions_path(char **out, const char *output, const char *model, const char *name,
                   const struct predictions *p) RECO_MUST_CHECK;

#endif
