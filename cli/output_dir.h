#ifndef RECO_CLI_OUTPUT_DIR_H
#define RECO_CLI_OUTPUT_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/opt.h"

/* Rows of the options output_dir and overwrite, which are members of options_type; row_flags besides OPT_FLAG_PATH. */
#define OUTPUT_DIR_ROW(options_type, row_flags, row_help)                                                              \
    {                                                                                                                  \
        .name = "output_dir", .type = OPT_STRING, .offset = offsetof(options_type, output_dir), .help = row_help,      \
        .group = "output", .letter = 'o', .flags = OPT_FLAG_PATH | (row_flags)                                         \
    }
#define OUTPUT_OVERWRITE_ROW(options_type, row_help)                                                                   \
    {                                                                                                                  \
        .name = "overwrite", .type = OPT_BOOL, .offset = offsetof(options_type, overwrite), .help = row_help,          \
        .group = "output", .aliases = "overwrite_output_dir"                                                           \
    }

/*
 * Before any work: may a command put its directory at path? Nothing or an empty directory is there, or, with overwrite,
 * one that holds the file marker: replacing removes what is there, so only what the command itself would write. what
 * names that in the message ("dataset"). RECO_E_USAGE; RECO_E_IO when path is a file.
 */
int output_dir_check(const char *path, bool overwrite, const char *marker, const char *what) RECO_MUST_CHECK;

#endif
