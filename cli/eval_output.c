#include "cli/eval_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/gnuplot.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/utf8.h"
#include "eval/picture.h"

/* ---- provenance ---- */

/* text as JSON; bytes that are not UTF-8, as a path may hold, become U+FFFD. NULL: out of memory. */
static json_t *json_text(const char *text)
{
    struct buf b = {0};
    const unsigned char *at = (const unsigned char *)text;
    const unsigned char *end = at + strlen(text);
    int rc = 0;
    while (!rc && at < end) {
        unsigned char bytes[UTF8_MAX_BYTES];
        uint32_t code_point;
        at += utf8_decode(at, end, &code_point);
        rc = buf_add(&b, bytes, utf8_encode(code_point, bytes));
    }
    json_t *json = rc ? NULL : json_string(buf_str(&b));
    buf_release(&b);
    return json;
}

static int add_source(json_t *json, const char *what, const char *path)
{
    char key[64];
    char hex[HASH_HEX_SIZE];
    if (!path) {
        return 0;
    }
    if (json_object_set_new(json, what, json_text(path))) {
        return err_nomem();
    }
    if (!strcmp(path, "-")) {
        return 0;
    }
    int rc = hash_file_hex(path, hex);
    if (!rc) {
        (void)snprintf(key, sizeof key, "%s_hash", what);
        rc = json_object_set_new(json, key, json_string(hex)) ? err_nomem() : 0;
    }
    return rc;
}

int eval_add_provenance(struct eval_report *report, const struct cmd_ctx *ctx, const struct eval_sources *sources,
                        const struct predictions *p)
{
    char *command = cmd_line_text(ctx);
    json_t *json = command ? json_pack("{soss}", "command", json_text(command), "reco", RECO_VERSION) : NULL;
    int rc = json ? 0 : err_nomem();
    if (!rc) {
        rc = add_source(json, "predictions", sources->predictions);
    }
    if (!rc) {
        rc = add_source(json, "qrels", sources->qrels);
    }
    if (!rc) {
        rc = add_source(json, "run", sources->run);
    }
    if (!rc && p && p->sidecar && json_object_set(json, "sidecar", p->sidecar)) {
        rc = err_nomem();
    }
    if (!rc) {
        eval_report_set_provenance(report, json);
    } else {
        json_decref(json);
    }
    mem_free(command);
    return rc;
}

/* ---- texts ---- */

/* Appends a line a gate to lines and an object a gate to array; counts those not met. */
static int check_gates(const struct eval_report *report, const struct opt_list *gates, struct buf *lines, json_t *array,
                       size_t *missed)
{
    for (size_t i = 0; i < gates->count; i++) {
        int rc = eval_gate(report, gates->items[i], lines);
        if (rc && rc != RECO_E_GATE) {
            return rc;
        }
        *missed += rc != 0;
        if (json_array_append_new(array, json_pack("{sosb}", "gate", json_text(gates->items[i]), "passed", rc == 0))) {
            return err_nomem();
        }
    }
    return 0;
}

static int report_texts(const struct eval_report *report, const struct opt_list *gates, struct buf *text, char **json,
                        struct buf *lines, size_t *missed)
{
    json_t *object = eval_report_json(report);
    json_t *array = json_array();
    int rc = object && array ? check_gates(report, gates, lines, array, missed) : err_nomem();
    if (!rc && gates->count && json_object_set(object, "gates", array)) {
        rc = err_nomem();
    }
    if (!rc) {
        *json = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        rc = *json ? eval_report_text(report, text) : err_nomem();
    }
    if (!rc && gates->count) {
        rc = buf_printf(text, "\ngates\n%s", buf_str(lines));
    }
    json_decref(array);
    json_decref(object);
    return rc;
}

/* ---- files ---- */

static int write_report(const struct eval_report *report, const char *dir, const char *text, const char *json)
{
    struct eval_pictures pictures = {0};
    struct buf html = {0};
    int rc = eval_pictures_plan(&pictures, report);
    if (!rc) {
        rc = gnuplot_draw(pictures.items, pictures.count);
    }
    if (!rc) {
        rc = eval_report_html(report, &pictures, &html);
    }
    if (!rc) {
        rc = eval_report_write(report, dir, text, json, buf_str(&html));
    }
    eval_pictures_release(&pictures);
    buf_release(&html);
    return rc;
}

int eval_output(const struct eval_report *report, const struct opt_list *gates, bool as_json, const char *output_dir)
{
    struct buf text = {0};
    struct buf lines = {0};
    char *json = NULL;
    size_t missed = 0;
    int rc = report_texts(report, gates, &text, &json, &lines, &missed);
    if (!rc && output_dir) {
        rc = write_report(report, output_dir, buf_str(&text), json);
    }
    if (!rc) {
        rc = cmd_print(as_json ? json : buf_str(&text));
    }
    if (!rc && as_json) {
        rc = cmd_print("\n");
        if (!rc && gates->count) {
            log_info("%.*s", (int)lines.length - 1, buf_str(&lines));
        }
    }
    if (!rc && missed) {
        rc = err_set(RECO_E_GATE, "%zu of %zu gates not met", missed, gates->count);
    }
    free(json);
    buf_release(&text);
    buf_release(&lines);
    return rc;
}
