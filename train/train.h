#ifndef RECO_TRAIN_TRAIN_H
#define RECO_TRAIN_TRAIN_H

/*
 * Fine-tuning: a model directory and a dataset in, a run directory out.
 *
 *     run/  config.json model.safetensors vocab.txt ...   the best weights, or the last ones
 *           last/                                         the last weights, when run/ holds the best
 *           checkpoint-<step>/                            weights, moments, state; DONE written last
 *           train.jsonl  config.resolved.yaml
 *
 * Data order and dropout are functions of seed and step alone, so that a run which is interrupted and resumed goes
 * through the same numbers as one that is not: the same bytes on a CPU for the same build, machine type and number of
 * threads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/dataset.h"
#include "tch/tch.h"
#include "train/schedule.h"

enum train_strategy { TRAIN_STRATEGY_NO, TRAIN_STRATEGY_STEPS, TRAIN_STRATEGY_EPOCH };

/* Strings and the dataset are borrowed and live as long as the call. Ranges are those of the option table. */
struct train_options {
    const char *model_dir, *output_dir;
    const char
        *resume; /* NULL: a new run; "auto": the last checkpoint of output_dir, or a new run; else a checkpoint */
    const char *resolved_yaml;     /* text of config.resolved.yaml; NULL: not written */
    const struct dataset *dataset; /* has a train split; validation is optional */
    bool ignore_mismatched_sizes;
    size_t max_seq_length; /* tokens */
    enum wordpiece_truncation truncation;

    double num_train_epochs; /* may be a fraction */
    int64_t max_steps;       /* > 0: overrides the epochs */
    int64_t batch_rows;      /* rows of one forward pass */
    int64_t accumulation;    /* forward passes of one update */
    double learning_rate, weight_decay, adam_beta1, adam_beta2, adam_epsilon;
    double max_grad_norm; /* 0: no clipping */
    const struct schedule *schedule;
    double warmup; /* updates, or a share of them when below 1 */
    uint64_t seed;
    int threads; /* as given to tch_init: recorded in checkpoints */
    struct tch_device device;
    bool bf16;

    enum train_strategy eval_strategy, save_strategy;
    int64_t eval_steps, save_steps, logging_steps;
    int64_t save_total_limit;          /* checkpoints kept; 0: all */
    const char *metric_for_best_model; /* "loss", or a name of eval's table */
    bool load_best_model_at_end;       /* run/ holds the best weights (needs a validation split), else the last */
    size_t eval_batch_tokens;
    size_t max_train_samples, max_eval_samples; /* 0: all */
};

/* All members may be NULL. */
struct train_hooks {
    void *arg;
    int (*print)(void *arg, const char *line); /* results: a line without its line break; a failure ends the run */
    int (*step)(void *arg, int64_t step);      /* after each update; a failure ends the run */
};

struct train_result {
    int64_t steps;     /* updates of the whole run */
    double train_loss; /* mean of the last epoch, as far as it went */
    bool has_best;
    double best_value; /* of metric_for_best_model */
    int64_t best_step;
    double pairs_per_s; /* of this call's updates, evaluation left out; 0: none */
};

/*
 * Trains. output_dir exists. RECO_E_STOPPED after a signal (a checkpoint is written), RECO_E_DIVERGED when loss or
 * gradient are not finite (the message names the step and rows; checkpoints stay as they are), RECO_E_DATA,
 * RECO_E_MODEL, RECO_E_IO.
 */
int train_run(const struct train_options *options, const struct train_hooks *hooks,
              struct train_result *result) RECO_MUST_CHECK;

/* Removes what an earlier run left in output_dir: checkpoints, weights, logs; nothing else. */
int train_clean(const char *output_dir) RECO_MUST_CHECK;

#endif
