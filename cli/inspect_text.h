#ifndef RECO_CLI_INSPECT_TEXT_H
#define RECO_CLI_INSPECT_TEXT_H

/* The JSON of inspect_dir (data/inspect.h) as text for people, appended to b. */

#include <jansson.h>

#include "core/buf.h"
#include "core/err.h"

int inspect_text(struct buf *b, const json_t *json) RECO_MUST_CHECK;

#endif
