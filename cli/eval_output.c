#include "cli/eval_inputs.h"

#include <stdlib.h>

#include "cli/eval_page.h"
#include "cli/gates.h"
#include "core/log.h"

/* ---- texts ---- */

static int check_gate(const void *of, const char *gate, struct buf *line)
{
    return eval_gate(of, gate, line);
}

static int json_of(const struct eval_report *report, const struct gates *gates, char **text)
{
    json_t *object = eval_report_json(report);
    int rc = object ? 0 : RECO_E_NOMEM;
    if (!rc) {
        rc = gates_json(gates, object);
    }
    if (!rc) {
        *text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        rc = *text ? 0 : err_nomem();
    }
    json_decref(object);
    return rc;
}

static int print(const struct eval_report *report, const struct gates *gates, const struct eval_command *c,
                 const char *text, const char *json)
{
    if (c->format == EVAL_FORMAT_MARKDOWN) {
        struct buf b = {0};
        int rc = eval_report_markdown(report, &b);
        if (!rc) {
            rc = gates_text(gates, "\n## Gates\n\n", "- ", &b);
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
    int rc = gates_check(&gates, &c->require, check_gate, report);
    if (!rc) {
        rc = json_of(report, &gates, &json);
    }
    if (!rc) {
        rc = eval_report_text(report, &text);
    }
    if (!rc) {
        rc = gates_text(&gates, "\ngates\n", "", &text);
    }
    if (!rc && c->output_dir) {
        const struct eval_directory directory = {.text = buf_str(&text),
                                                 .json = json,
                                                 .gates = (const char *const *)gates.lines,
                                                 .gates_passed = gates.passed,
                                                 .gate_count = gates.count};
        rc = eval_directory_write(report, p, c, &directory);
    }
    int junit_rc = !rc && c->junit ? gates_junit(&gates, c->junit, "eval", eval_report_provenance(report)) : 0;
    if (!rc) { /* the report is not lost with a file that cannot be written */
        rc = print(report, &gates, c, buf_str(&text), json);
    }
    rc = rc ? rc : junit_rc;
    rc = rc ? rc : gates_result(&gates);
    free(json);
    buf_release(&text);
    gates_release(&gates);
    return rc;
}
