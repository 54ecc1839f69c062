#ifndef RECO_CLI_MEMORY_LIMIT_H
#define RECO_CLI_MEMORY_LIMIT_H

/* --max_memory and --tmp_dir of the commands that evaluate: blocks of rows beyond it lie in files (mem_spill_beyond).
 */

#include <stddef.h>
#include <stdint.h>

#include "cli/opts_store.h"

struct memory_limit {
    int64_t max_memory;
    char *tmp_dir;
};

#define MEMORY_LIMIT_ROWS(options_type, member)                                                                        \
    STORE_ROWS(options_type, member, "memory for rows; those beyond it lie in temporary files, mapped into memory")

int memory_limit_set(const struct memory_limit *limit) RECO_MUST_CHECK;
void memory_limit_tell(const struct memory_limit *limit); /* what lay in files, if anything did */

#endif
