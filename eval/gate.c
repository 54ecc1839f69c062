#include <ctype.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "eval/evaluate.h"
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

/* The operator is searched from the right, since a label in the metric's name may hold one. */
static int gate_parse(struct gate *gate, const char *text)
{
    *gate = (struct gate){0};
    size_t at = strlen(text);
    while (at > 0 && !strchr("<>=", text[at - 1])) {
        at--;
    }
    size_t end = at;
    while (at > 0 && end - at < 2 && strchr("<>=", text[at - 1])) {
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
    if (!gate->op || !name_length || !decimal_parse(bound, bound_length, &gate->bound) || gate->bound != gate->bound) {
        return err_set(RECO_E_USAGE,
                       "cannot parse gate '%s': write <metric><op><number>, op one of >= <= > < ==", text);
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

static bool holds(const char *op, double value, double bound)
{
    bool equal = value == bound && (op[1] == '=');
    return equal || (op[0] == '>' && value > bound) || (op[0] == '<' && value < bound);
}

int eval_gate(const struct eval_report *report, const char *text, struct buf *b)
{
    struct gate gate;
    double value;
    const char *reason;
    int rc = gate_parse(&gate, text);
    if (rc) {
        return rc;
    }
    bool passed = false;
    if (eval_report_get(report, gate.name, &value, &reason)) {
        passed = holds(gate.op, value, gate.bound);
        rc = buf_printf(b, "%s %s %.9g %s %.9g\n", passed ? "pass" : "FAIL", gate.name, value, gate.op, gate.bound);
    } else {
        rc = buf_printf(b, "FAIL %s undefined %s %.9g: %s\n", gate.name, gate.op, gate.bound, reason);
    }
    if (!rc && !passed) {
        rc = err_set(RECO_E_GATE, "gate '%s' is not met", text);
    }
    mem_free(gate.name);
    return rc;
}
