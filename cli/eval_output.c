#include "cli/eval_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/eval_page.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "eval/provenance.h"

/* ---- texts ---- */

struct gates {
    char **lines; /* [count] what was found, without a line end */
    bool *passed; /* [count] */
    size_t count, missed;
};

static void gates_release(struct gates *gates)
{
    for (size_t i = 0; gates->lines && i < gates->count; i++) {
        mem_free(gates->lines[i]);
    }
    mem_free(gates->lines);
    mem_free(gates->passed);
}

static int check_gates(struct gates *gates, const struct eval_report *report, const struct opt_list *asked)
{
    gates->count = asked->count;
    gates->lines = mem_calloc(asked->count + 1, sizeof *gates->lines);
    gates->passed = mem_calloc(asked->count + 1, sizeof *gates->passed);
    if (!gates->lines || !gates->passed) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < asked->count; i++) {
        struct buf line = {0};
        int rc = eval_gate(report, asked->items[i], &line);
        if (rc && rc != RECO_E_GATE) {
            buf_release(&line);
            return rc;
        }
        gates->passed[i] = rc == 0;
        gates->missed += rc != 0;
        gates->lines[i] = mem_strndup(buf_str(&line), strcspn(buf_str(&line), "\n"));
        buf_release(&line);
        if (!gates->lines[i]) {
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

static int gates_json(const struct gates *gates, const struct opt_list *asked, json_t *out)
{
    json_t *array = json_array();
    int rc = array && json_object_set_new(out, "gates", array) == 0 ? 0 : err_nomem();
    for (size_t i = 0; !rc && i < gates->count; i++) {
        if (json_array_append_new(array, json_pack("{sosbso}", "gate", provenance_text(asked->items[i]), "passed",
                                                   (int)gates->passed[i], "line", provenance_text(gates->lines[i])))) {
            rc = err_nomem();
        }
    }
    return rc;
}

/* The gates at the end of a text, a line each. */
static int add_gates(const struct gates *gates, const char *title, const char *before, struct buf *b)
{
    int rc = gates->count ? buf_add_str(b, title) : 0;
    for (size_t i = 0; !rc && i < gates->count; i++) {
        rc = buf_printf(b, "%s%s\n", before, gates->lines[i]);
    }
    return rc;
}

static int json_of(const struct eval_report *report, const struct gates *gates, const struct opt_list *asked,
                   char **text)
{
    json_t *object = eval_report_json(report);
    int rc = object ? 0 : RECO_E_NOMEM;
    if (!rc && gates->count) {
        rc = gates_json(gates, asked, object);
    }
    if (!rc) {
        *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        rc = *text ? 0 : err_nomem();
    }
    json_decref(object);
    return rc;
}

/* ---- files ---- */

static int write_junit(const struct eval_report *report, const struct gates *gates, const struct opt_list *asked,
                       const char *path)
{
    struct buf b = {0};
    int rc = eval_gates_junit(report, (const char *const *)asked->items, (const char *const *)gates->lines,
                              gates->passed, gates->count, &b);
    if (!rc) {
        rc = file_write_all(path, b.data, b.length);
    }
    buf_release(&b);
    return rc;
}

static int print(const struct eval_report *report, const struct gates *gates, const struct eval_command *c,
                 const char *text, const char *json)
{
    if (c->format == EVAL_FORMAT_MARKDOWN) {
        struct buf b = {0};
        int rc = eval_report_markdown(report, &b);
        if (!rc) {
            rc = add_gates(gates, "\n## Gates\n\n", "- ", &b);
        }
        if (!rc) {
            rc = cmd_print(buf_str(&b));
        }
        buf_release(&b);
        return rc;
    }
    if (c->format != EVAL_FORMAT_JSON) {
        return cmd_print(text);
    }
    int rc = cmd_print(json);
    if (!rc) {
        rc = cmd_print("\n");
    }
    for (size_t i = 0; !rc && i < gates->count; i++) {
        log_info("%s", gates->lines[i]);
    }
    return rc;
}

int eval_output(const struct eval_report *report, const struct predictions *p, const struct eval_command *c)
{
    struct gates gates = {0};
    struct buf text = {0};
    char *json = NULL;
    int rc = check_gates(&gates, report, &c->require);
    if (!rc) {
        rc = json_of(report, &gates, &c->require, &json);
    }
    if (!rc) {
        rc = eval_report_text(report, &text);
    }
    if (!rc) {
        rc = add_gates(&gates, "\ngates\n", "", &text);
    }
    if (!rc && c->output_dir) {
        const struct eval_directory directory = {.text = buf_str(&text),
                                                 .json = json,
                                                 .gates = (const char *const *)gates.lines,
                                                 .gates_passed = gates.passed,
                                                 .gate_count = gates.count};
        rc = eval_directory_write(report, p, c, &directory);
    }
    int junit_rc = !rc && c->junit ? write_junit(report, &gates, &c->require, c->junit) : 0;
    if (!rc) { /* the report is not lost with a file that cannot be written */
        rc = print(report, &gates, c, buf_str(&text), json);
    }
    rc = rc ? rc : junit_rc;
    if (!rc && gates.missed) {
        rc = err_set(RECO_E_GATE, "%zu of %zu gates not met", gates.missed, gates.count);
    }
    free(json);
    buf_release(&text);
    gates_release(&gates);
    return rc;
}
