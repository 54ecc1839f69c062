#ifndef RECO_CLI_DECISIONS_H
#define RECO_CLI_DECISIONS_H

/*
 * calibration.json and threshold.json around the commands: chosen by reco calibrate and reco threshold on validation
 * predictions, kept in the directory of the model or where the user says, applied by reco predict and reco eval.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/opts_predictions.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/predictions.h"
#include "eval/calibrate.h"
#include "eval/threshold.h"

#define DECISIONS_CALIBRATION_FILE "calibration.json"
#define DECISIONS_THRESHOLD_FILE "threshold.json"

/* Rows of reco calibrate and reco threshold: predictions, and where the file goes; what is "calibration". */
#define DECISIONS_PREDICTIONS_ROW(options_type)                                                                        \
    {                                                                                                                  \
        .name = "predictions", .type = OPT_STRING, .offset = offsetof(options_type, predictions),                      \
        .help = "predictions of the validation split", .group = "data", .letter = 'p',                                 \
        .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH                                                                     \
    }
#define DECISIONS_OUTPUT_ROWS(options_type, what)                                                                      \
    {.name = "output",                                                                                                 \
     .type = OPT_STRING,                                                                                               \
     .offset = offsetof(options_type, output),                                                                         \
     .help = "file of the " what,                                                                                      \
     .group = "output",                                                                                                \
     .letter = 'o',                                                                                                    \
     .flags = OPT_FLAG_PATH},                                                                                          \
        {.name = "model",                                                                                              \
         .type = OPT_STRING,                                                                                           \
         .offset = offsetof(options_type, model),                                                                      \
         .help = "directory of the model that made the predictions: " what                                             \
                 ".json is put there and reco predict applies it",                                                     \
         .group = "output",                                                                                            \
         .aliases = "model_name_or_path",                                                                              \
         .letter = 'm',                                                                                                \
         .flags = OPT_FLAG_PATH},                                                                                      \
    {                                                                                                                  \
        .name = "format", .type = OPT_CHOICE, .offset = offsetof(options_type, format), .default_text = "text",        \
        .choices = decisions_format_choices, .help = "text for people or JSON for programs", .group = "output"         \
    }
enum decisions_format { DECISIONS_FORMAT_TEXT, DECISIONS_FORMAT_JSON };
extern const char *const decisions_format_choices[];

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
/*
 * Warns where a decision was fitted on other predictions than one would think, as far as sidecar tells: of another
 * model; or of the very rows it is applied to, whose figures then flatter. hash is that of the file of predictions, ""
 * when it is unknown; NULL: no figures are made of them. path names them.
 */
void decisions_tell(const struct decisions *d, const json_t *sidecar, const char *hash, const char *path);
/* The same of those that the sidecar says were applied before, by reco predict. */
void decisions_tell_applied(const json_t *sidecar, const char *path);
/* First the calibration, then the threshold; decisions_tell is done here. path is p's file. */
int decisions_apply(const struct decisions *d, struct predictions *p, const char *path) RECO_MUST_CHECK;

/* Predictions to learn from, read as the options say: labels, probabilities and scores alone. */
int decisions_predictions_open(struct predictions **out, const char *path, const struct cmd_ctx *ctx,
                               const struct predictions_source_options *options) RECO_MUST_CHECK;
size_t decisions_labelled(const struct predictions *p); /* rows with a label */
/* What a calibration or threshold was fitted on: path, hash, rows, split, and the model's hash where it is known. */
int decisions_fitted_on(json_t **out, const char *path, const struct predictions *p) RECO_MUST_CHECK;

/* Before a file is opened. RECO_E_USAGE: both or neither of output and model is given, or output is a file that is
 * read. */
int decisions_output_check(const char *output, const char *model, const char *predictions,
                           const char *calibration) RECO_MUST_CHECK;

/*
 * Where the file goes: output, or name in the directory model, whose weights must be those that made the predictions
 * (their sidecar says which).
 */
int decisions_path(char **out, const char *output, const char *model, const char *name,
                   const struct predictions *p) RECO_MUST_CHECK;

#endif
