#ifndef RECO_CLI_PROVENANCE_H
#define RECO_CLI_PROVENANCE_H

/* What every report says of its making; eval/provenance.h shows it. */

#include <jansson.h>

#include "cli/cmd.h"
#include "data/predictions.h"

/* An object with "command" and "reco", the version (new reference); NULL: out of memory. */
json_t *provenance_new(const struct cmd_ctx *ctx);
/*
 * Adds the path of a file as what, and the hash of its content as <what>_hash, except of what came through a pipe and
 * cannot be read once more. NULL path: nothing.
 */
int provenance_add_file(json_t *json, const char *what, const char *path) RECO_MUST_CHECK;

/* Adds the hash of the label map of predictions, and warns where json's member hash_key is not what their sidecar was
 * written with. */
int provenance_check(json_t *json, const char *hash_key, const char *path, const struct predictions *p) RECO_MUST_CHECK;
/* Adds what a reader would want to know of predictions and nothing tells; p NULL: of a TREC run. */
int provenance_add_unknown(json_t *json, const char *path, const struct predictions *p) RECO_MUST_CHECK;

#endif
