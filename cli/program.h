#ifndef RECO_CLI_PROGRAM_H
#define RECO_CLI_PROGRAM_H

/*
 * Where the two executables are, and starting them. The layout is the same in a build tree and in an installed one:
 * <prefix>/bin/reco and <prefix>/libexec/reco/reco-torch; everything is found from the running executable's own path.
 */

#include "core/buf.h"
#include "core/err.h"

/*
 * The path of reco-torch; the caller frees. RECO_E_MODEL, with what to do about it, when it is not installed or its
 * libtorch is found nowhere. Puts $LIBTORCH/lib in LD_LIBRARY_PATH for it.
 */
int program_find_torch(char **out) RECO_MUST_CHECK;

/*
 * Runs path with argv and appends what it prints on stdout to output; *exit_status as a shell shows it. What it prints
 * on stderr is appended to talk (NULL: it goes to stderr).
 */
int program_capture(const char *path, char *const *argv, struct buf *output, struct buf *talk,
                    int *exit_status) RECO_MUST_CHECK;

#endif
