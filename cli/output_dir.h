#ifndef RECO_CLI_OUTPUT_DIR_H
#define RECO_CLI_OUTPUT_DIR_H

#include <stdbool.h>

#include "core/err.h"

/*
 * Before any work: may a command put its directory at path? Nothing or an empty directory is there, or, with overwrite,
 * one that holds the file marker: replacing removes what is there, so only what the command itself would write. what
 * names that in the message ("dataset"). RECO_E_USAGE; RECO_E_IO when path is a file.
 */
int output_dir_check(const char *path, bool overwrite, const char *marker, const char *what) RECO_MUST_CHECK;

#endif
