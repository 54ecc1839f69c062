#ifndef RECO_CLI_DEVICE_H
#define RECO_CLI_DEVICE_H

/* --device auto|cpu|cuda[:N], checked while the command line is parsed; opening it is torch_device.h's. */

#include <stdbool.h>

#include "core/err.h"

struct device_choice {
    bool any; /* auto */
    bool cuda;
    int index; /* of the CUDA device */
};
int device_parse(struct device_choice *out, const char *text) RECO_MUST_CHECK;
int device_check(const char *name, const char *value); /* for option rows */

#define DEVICE_OPTION_ROW(options, field)                                                                              \
    {                                                                                                                  \
        .name = "device", .type = OPT_STRING, .offset = offsetof(options, field), .default_text = "auto",              \
        .help = "auto, cpu, cuda or cuda:N; auto takes the first CUDA device where there is one", .group = "general",  \
        .check = device_check                                                                                          \
    }

#endif
