#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "eval/report.h"
#include "eval/slice.h"

static const char *const operators[] = {">=", "<=", ">", "<", "=="};

struct gate {
    char *name;
    const char *op; /* of operators */
    double bound;
};

static void trim(const char **text, size_t *length)
{
    while (*length && isspace((unsigned char)**text)) {
        ++*text;
        --*length;
    }
    while (*length && isspace((unsigned char)(*text)[*length - 1])) {
        --*length;
    }
}

static bool is_operator(char c)
{
    return c && strchr("<>=!", c);
}

/* The operator is searched from the right, since a label in the metric's name may hold one. */
static int gate_parse(struct gate *gate, const char *text)
{
    *gate = (struct gate){0};
    size_t at = strlen(text);
    while (at > 0 && !is_operator(text[at - 1])) {
        at--;
    }
    size_t end = at;
    while (at > 0 && end - at < 2 && is_operator(text[at - 1])) {
        at--;
    }
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (strlen(operators[i]) == end - at && !strncmp(operators[i], text + at, end - at)) {
            gate->op = operators[i];
        }
    }
    const char *name = text;
    size_t name_length = at;
    const char *bound = text + end;
    size_t bound_length = strlen(bound);
    trim(&name, &name_length);
    trim(&bound, &bound_length);
    if (!end) {
        return err_set(RECO_E_USAGE,
                       "cannot parse gate '%s': it has no comparison; write it as 'f1>=0.8', in quotes, as the shell "
                       "takes > and < for itself",
                       text);
    }
    if (!gate->op) {
        return err_set(RECO_E_USAGE, "cannot parse gate '%s': '%.*s' is none of >= <= > < ==", text, (int)(end - at),
                       text + at);
    }
    if (!name_length) {
        return err_set(RECO_E_USAGE, "cannot parse gate '%s': no metric stands before the '%s'", text, gate->op);
    }
    if (!decimal_parse(bound, bound_length, &gate->bound) || !isfinite(gate->bound)) {
        return err_set(RECO_E_USAGE, "cannot parse gate '%s': '%s' is not a number", text, bound);
    }
    gate->name = mem_strndup(name, name_length);
    return gate->name ? 0 : RECO_E_NOMEM;
}

int eval_gate_check(const char *text)
{
    struct gate gate;
    int rc = gate_parse(&gate, text);
    struct slice_name name = {0};
    if (!rc) {
        rc = slice_name_parse(&name, gate.name);
    }
    slice_name_release(&name);
    mem_free(gate.name);
    return rc;
}

char *eval_gate_metric(const char *text)
{
    struct gate gate;
    int rc = gate_parse(&gate, text);
    return rc ? NULL : gate.name;
}

/* Numbers that agree in all the digits shown are equal: what rounding leaves over decides no gate. */
static bool holds(const char *op, double value, double bound)
{
    char value_text[32];
    char bound_text[32];
    (void)snprintf(value_text, sizeof value_text, "%.9g", value + 0.0); /* no -0 */
    (void)snprintf(bound_text, sizeof bound_text, "%.9g", bound + 0.0);
    if (!strcmp(value_text, bound_text)) {
        return op[1] == '=';
    }
    return (op[0] == '>' && value > bound) || (op[0] == '<' && value < bound);
}

/* One line of it: control characters, as a label or a group may hold, become blanks. */
static int end_line(struct buf *line, size_t begin)
{
    for (size_t i = begin; i < line->length; i++) {
        line->data[i] = (unsigned char)line->data[i] < 0x20 ? ' ' : line->data[i];
    }
    return buf_add_char(line, '\n');
}

static int explain(const struct eval_report *report, const char *name, struct buf *b)
{
    struct slice_name parsed;
    struct slice_found found;
    int rc = slice_name_parse(&parsed, name);
    if (rc || !parsed.slice) {
        slice_name_release(&parsed);
        return rc == RECO_E_NOMEM ? rc : 0; /* a name that is no slice's has nothing to explain */
    }
    eval_slices_find(&found, report->slices, &parsed);
    slice_name_release(&parsed);
    return eval_slices_explain(&found, b);
}

int eval_gate(const struct eval_report *report, const char *text, struct buf *b)
{
    struct gate gate;
    double value;
    const char *reason;
    size_t begin = b->length;
    int rc = gate_parse(&gate, text);
    if (rc) {
        return rc;
    }
    bool passed = false;
    if (eval_report_get(report, gate.name, &value, &reason)) {
        passed = holds(gate.op, value, gate.bound);
        rc = buf_printf(b, "%s %s %.9g %s %.9g", passed ? "pass" : "FAIL", gate.name, value, gate.op, gate.bound);
    } else {
        rc = buf_printf(b, "FAIL %s undefined %s %.9g: %s", gate.name, gate.op, gate.bound, reason);
    }
    if (!rc) {
        rc = explain(report, gate.name, b);
    }
    if (!rc) {
        rc = end_line(b, begin);
    }
    if (!rc && !passed) {
        rc = err_set(RECO_E_GATE, "gate '%s' is not met", text);
    }
    mem_free(gate.name);
    return rc;
}
