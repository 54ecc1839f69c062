#ifndef RECO_CLI_MEMORY_LIMIT_H
#define RECO_CLI_MEMORY_LIMIT_H

/* --max_memory and --tmp_dir of the commands that evaluate: blocks of rows beyond it lie in files (mem_spill_beyond).
 */

#include <stddef.h>
#include <stdint.h>

#include "core/opt.h"

struct memory_limit {
    int64_t max_memory;
    char *tmp_dir;
};

#define MEMORY_LIMIT_ROWS(options_type, member)                                                                        \
    {.name = "max_memory",                                                                                             \
     .type = OPT_BYTES,                                                                                                \
     .offset = offsetof(options_type, member.max_memory),                                                              \
     .default_text = "1G",                                                                                             \
     .min = 4194304,                                                                                                   \
     .max = 1e15,                                                                                                      \
     .unit = "bytes",                                                                                                  \
     .help = "memory for rows; those beyond it lie in temporary files, mapped into memory",                            \
     .group = "data"},                                                                                                 \
    {                                                                                                                  \
        .name = "tmp_dir", .type = OPT_STRING, .offset = offsetof(options_type, member.tmp_dir),                       \
        .help = "directory of temporary files; default: $TMPDIR, else /tmp", .group = "data", .flags = OPT_FLAG_PATH   \
    }

int memory_limit_set(const struct memory_limit *limit) RECO_MUST_CHECK;
void memory_limit_tell(const struct memory_limit *limit); /* what lay in files, if anything did */

#endif
