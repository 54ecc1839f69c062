#ifndef RECO_EVAL_JUNIT_H
#define RECO_EVAL_JUNIT_H

/*
 * Gates as JUnit XML, the form that CI servers read: as the schema of Jenkins' xUnit plugin has it, with what was found
 * both as the message and as the text of a failure, since servers show one or the other.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"

/*
 * Gates [count], the line of each and whether it was met, as the test suite "reco <suite>"; provenance (may be NULL) as
 * its properties. Any bytes may be given: what XML has no place for becomes U+FFFD.
 */
int junit_write(struct buf *b, const char *suite, const json_t *provenance, const char *const *gates,
                const char *const *lines, const bool *passed, size_t count) RECO_MUST_CHECK;

#endif
