#ifndef RECO_CLI_OUTPUT_FILE_H
#define RECO_CLI_OUTPUT_FILE_H

/* Before any work: no file that is written is one that is read, a sidecar of it, or one that another option writes. */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct file_use {
    const char *option; /* NULL: a word of the command line */
    const char *path;   /* NULL: not used */
    bool writes;
};

/* RECO_E_USAGE: two are one file and one of them is written, or '-' is written. */
int file_uses_check(const struct file_use *uses, size_t count) RECO_MUST_CHECK;

#endif
