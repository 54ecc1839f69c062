#ifndef RECO_CLI_MEMORY_LIMIT_H
#define RECO_CLI_MEMORY_LIMIT_H

/* --max_memory and --tmp_dir of the commands that evaluate: blocks of rows beyond it lie in files (mem_spill_beyond).
 */

#include <stddef.h>
#include <stdint.h>

#include "core/opt.h"

#define MEMORY_LIMIT_ROWS(options_type)                                                                                \
    {.name = "max_memory",                                                                                             \
     .type = OPT_BYTES,                                                                                                \
     .offset = offsetof(options_type, max_memory),                                                                     \
     .default_text = "1G",                                                                                             \
     .min = 4194304,                                                                                                   \
     .max = 1e15,                                                                                                      \
     .unit = "bytes",                                                                                                  \
     .help = "memory for rows; those beyond it lie in temporary files, mapped into memory",                            \
     .group = "data"},                                                                                                 \
    {                                                                                                                  \
        .name = "tmp_dir", .type = OPT_STRING, .offset = offsetof(options_type, tmp_dir),                              \
        .help = "directory for temporary files (default: $TMPDIR, else /tmp)", .group = "data", .flags = OPT_FLAG_PATH \
    }

int memory_limit_set(int64_t max_memory, const char *tmp_dir) RECO_MUST_CHECK;
void memory_limit_tell(const char *tmp_dir); /* what lay in files, if anything did */

#endif
