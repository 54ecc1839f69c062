#ifndef RECO_CLI_OPTS_STORE_H
#define RECO_CLI_OPTS_STORE_H

/* max_memory and tmp_dir, members of the options struct's member; memory_help says what the memory is for. */

#include <stddef.h>

#include "core/opt.h"

#define STORE_ROWS(options_type, member, memory_help)                                                                  \
    {.name = "max_memory",                                                                                             \
     .type = OPT_BYTES,                                                                                                \
     .offset = offsetof(options_type, member.max_memory),                                                              \
     .default_text = "1G",                                                                                             \
     .min = 4194304,                                                                                                   \
     .max = 1e15,                                                                                                      \
     .unit = "bytes",                                                                                                  \
     .help = memory_help,                                                                                              \
     .group = "data"},                                                                                                 \
    {                                                                                                                  \
        .name = "tmp_dir", .type = OPT_STRING, .offset = offsetof(options_type, member.tmp_dir),                       \
        .help = "directory of temporary files; default: $TMPDIR, else /tmp", .group = "data", .flags = OPT_FLAG_PATH   \
    }

#endif
