#ifndef RECO_CLI_OPTS_PREDICT_H
#define RECO_CLI_OPTS_PREDICT_H

#include "cli/cmd.h"
#include "data/prepare.h"

struct predict_options {
    struct cmd_common common;
    struct prepare_options data;
    char *model;
    char *dataset;
    char *split;
    char *output;
    char *calibration, *threshold;
    int64_t batch_tokens, batch_rows, window_rows;
    char *device;
    bool bf16;
};

int cmd_predict_run(const struct cmd_ctx *ctx);

#endif
