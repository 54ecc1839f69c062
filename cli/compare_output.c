/* What `reco compare` prints and writes. */

#include "cli/compare_options.h"
#include "cli/gates.h"
#include "cli/gnuplot.h"
#include "core/file.h"
#include "core/json_file.h"
#include "core/log.h"
#include "eval/compare.h"
#include "eval/compare_slices.h"
#include "eval/picture.h"

static int check_gate(const void *of, const char *gate, struct buf *line)
{
    return compare_gate(of, gate, line);
}

static int write_html(const struct compare_command *o, const struct compare *c, const char *gates)
{
    struct eval_pictures pictures = {0};
    struct buf b = {0};
    int rc = compare_pictures_plan(&pictures, c);
    if (!rc) {
        rc = gnuplot_draw(pictures.items, pictures.count);
    }
    if (!rc) {
        rc = compare_html(c, &pictures, gates, &b);
    }
    if (!rc) {
        rc = file_write_all(o->html, b.data, b.length);
    }
    eval_pictures_release(&pictures);
    buf_release(&b);
    return rc;
}

static int add_json(const struct compare_slices *slices, json_t *json)
{
    json_t *array = slices ? compare_slices_json(slices) : NULL;
    return !slices ? 0 : !array ? RECO_E_NOMEM : json_object_set_new(json, "slices", array) == 0 ? 0 : err_nomem();
}

static int format(const struct compare_command *o, const struct compare *c, const struct compare_slices *slices,
                  const struct gates *gates, struct buf *b)
{
    if (o->format == COMPARE_FORMAT_JSON) {
        json_t *json = compare_json(c);
        int rc = json ? add_json(slices, json) : RECO_E_NOMEM;
        rc = rc ? rc : gates_json(gates, json);
        if (!rc) {
            rc = buf_add_json(b, json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        }
        json_decref(json);
        return rc;
    }
    bool text = o->format == COMPARE_FORMAT_TEXT;
    int rc = text ? compare_text(c, b) : compare_markdown(c, b);
    if (!rc && slices) {
        rc = text ? compare_slices_text(slices, b) : compare_slices_markdown(slices, b);
    }
    return rc ? rc : gates_text(gates, text ? "\ngates\n" : "\n## Gates\n\n", text ? "" : "- ", b);
}

int compare_output(const struct compare_command *o, const struct compare *c, const struct compare_slices *slices)
{
    struct gates gates = {0};
    struct buf lines = {0};
    struct buf b = {0};
    int rc = gates_check(&gates, &o->require, check_gate, c);
    if (!rc) {
        rc = format(o, c, slices, &gates, &b);
    }
    if (!rc) {
        rc = gates_text(&gates, "", "", &lines);
    }
    if (!rc && o->html) {
        rc = write_html(o, c, buf_str(&lines));
    }
    int junit_rc = !rc && o->junit ? gates_junit(&gates, o->junit, "compare", c->provenance) : 0;
    if (!rc) { /* what was found is not lost with a file that cannot be written */
        rc = cmd_print(buf_str(&b));
    }
    if (!rc && o->format == COMPARE_FORMAT_JSON && lines.length) {
        log_info("%.*s", (int)lines.length - 1, buf_str(&lines));
    }
    rc = rc ? rc : junit_rc;
    rc = rc ? rc : gates_result(&gates);
    gates_release(&gates);
    buf_release(&b);
    buf_release(&lines);
    return rc;
}
