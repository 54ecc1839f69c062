#ifndef RECO_CLI_OPTS_LIBTORCH_H
#define RECO_CLI_OPTS_LIBTORCH_H

#include "cli/cmd.h"

struct libtorch_options {
    struct cmd_common common;
};

int cmd_libtorch_run(const struct cmd_ctx *ctx);

#endif
