#ifndef RECO_CLI_OPTS_TRAIN_H
#define RECO_CLI_OPTS_TRAIN_H

#include "cli/cmd.h"
#include "data/prepare.h"

struct train_command { /* not train_options, which is train/train.h's */
    struct cmd_common common;
    struct prepare_options data;
    char *dataset;
    char *model_name_or_path;
    bool ignore_mismatched_sizes;
    char *output_dir;
    char *resume_from_checkpoint;
    bool overwrite;

    double num_train_epochs;
    int64_t max_steps;
    int64_t per_device_train_batch_size, gradient_accumulation_steps;
    double learning_rate, weight_decay, adam_beta1, adam_beta2, adam_epsilon, max_grad_norm;
    int lr_scheduler_type;
    double warmup_steps, warmup_ratio;
    int64_t seed;

    int eval_strategy, save_strategy;
    int64_t eval_steps, save_steps, save_total_limit, logging_steps;
    int64_t eval_batch_tokens;
    char *metric_for_best_model;
    bool load_best_model_at_end;

    char *device;
    bool bf16;
};

extern const char *const train_schedule_choices[];

int cmd_train_run(const struct cmd_ctx *ctx);

#endif
