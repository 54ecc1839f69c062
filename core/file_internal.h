#ifndef RECO_CORE_FILE_INTERNAL_H
#define RECO_CORE_FILE_INTERNAL_H

/* Shared by file.c, dir.c and temp_file.c only. */

#include <stdbool.h>

#include "core/err.h"

/* True when the injected failure is due; errno is then ENOSPC. */
bool file_fail_now(void);

/* fsync of the directory that holds path, so that a rename in it survives a power cut. */
int dir_sync_parent(const char *path) RECO_MUST_CHECK;

#endif
