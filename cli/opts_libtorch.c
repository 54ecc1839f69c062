#include "cli/opts_libtorch.h"

static const struct opt_spec options[] = {CMD_COMMON_OPTIONS(struct libtorch_options), {.name = NULL}};

const struct cmd_spec cmd_libtorch = {
    .name = "libtorch",
    .summary = "print libtorch's lines of 'reco version'",
    .options = options,
    .options_size = sizeof(struct libtorch_options),
    .flags = CMD_FLAG_HIDDEN,
    .run = CMD_TORCH(cmd_libtorch_run),
};
