#ifndef RECO_CLI_GATES_H
#define RECO_CLI_GATES_H

/* What came of the gates (--require) of a command, and its forms: lines, JSON, JUnit XML. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"

struct gates { /* zero-initialised is empty */
    const struct opt_list *asked;
    char **lines; /* [count] what was found, without a line end */
    bool *passed; /* [count] */
    size_t count, missed;
};
/* Appends the line of a gate; 0 or RECO_E_GATE, else the gate cannot be told. */
typedef int gate_fn(const void *of, const char *gate, struct buf *line);
int gates_check(struct gates *out, const struct opt_list *asked, gate_fn *fn, const void *of) RECO_MUST_CHECK;
void gates_release(struct gates *gates);

/* RECO_E_GATE when some were not met. */
int gates_result(const struct gates *gates) RECO_MUST_CHECK;
/* Each line behind before; title, if there is a gate. Appended. */
int gates_text(const struct gates *gates, const char *title, const char *before, struct buf *b) RECO_MUST_CHECK;
/* "gates" of the object out, if there is one. */
int gates_json(const struct gates *gates, json_t *out) RECO_MUST_CHECK;
/* provenance may be NULL. */
int gates_junit(const struct gates *gates, const char *path, const char *suite,
                const json_t *provenance) RECO_MUST_CHECK;

#endif
