#ifndef RECO_CLI_PROVENANCE_H
#define RECO_CLI_PROVENANCE_H

/* What every report says of its making; eval/provenance.h shows it. */

#include <jansson.h>

#include "cli/cmd.h"

/* An object with "command" and "reco", the version (new reference); NULL: out of memory. */
json_t *provenance_new(const struct cmd_ctx *ctx);
/* Adds the path of a file as what, and the hash of its content as <what>_hash, except of stdin. NULL path: nothing. */
int provenance_add_file(json_t *json, const char *what, const char *path) RECO_MUST_CHECK;

#endif
