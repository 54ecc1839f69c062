#include "cli/eval_inputs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/decimal.h"
#include "data/utf8.h"

int eval_trec_open(struct eval_trec *trec, const char *qrels_path, const char *run_path)
{
    int rc = trec_qrels_read(&trec->qrels, qrels_path);
    return rc ? rc : trec_run_read(&trec->run, run_path);
}

void eval_trec_close(struct eval_trec *trec)
{
    trec_qrels_free(trec->qrels);
    trec_run_free(trec->run);
}

/* ---- predictions of a model ---- */

struct words {
    char **words; /* [count], each allocated, NULL-terminated */
    size_t count, capacity;
};

/* Takes word. */
static int words_add(struct words *w, char *word)
{
    int rc = word ? mem_grow((void **)&w->words, &w->capacity, w->count + 2, sizeof *w->words) : RECO_E_NOMEM;
    if (rc) {
        mem_free(word);
        return rc;
    }
    w->words[w->count++] = word;
    w->words[w->count] = NULL;
    return 0;
}

static void words_release(struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        mem_free(w->words[i]);
    }
    mem_free(w->words);
}

static bool has_option(const struct cmd_spec *cmd, const char *name)
{
    for (size_t i = 0; cmd->options[i].name; i++) {
        if (!strcmp(cmd->options[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* The options given to eval that predict has too, as predict wants them. */
static int forward_options(struct words *w, const struct cmd_ctx *ctx, const struct cmd_spec *predict)
{
    int rc = 0;
    for (const struct opt_spec *spec = ctx->cmd->options; !rc && spec->name; spec++) {
        if (!opt_is_set(ctx->set, spec->name) || !has_option(predict, spec->name)) {
            continue;
        }
        struct buf value = {0};
        rc = opt_value_text(ctx->set, spec->name, &value);
        if (!rc && spec->type == OPT_BOOL) {
            rc = words_add(w, mem_printf("--%s%s", strcmp(buf_str(&value), "true") ? "no_" : "", spec->name));
        } else if (!rc) {
            rc = words_add(w, mem_printf("--%s=%s", spec->name, buf_str(&value)));
        }
        buf_release(&value);
    }
    return rc;
}

static int run_predict(const struct cmd_ctx *ctx, const char *output)
{
    const struct cmd_spec *predict = cmd_find("predict");
    if (!predict) {
        return err_set(RECO_E_MODEL, "this build of reco has no predict; give --predictions");
    }
    struct words w = {0};
    int rc = words_add(&w, mem_strdup("predict"));
    if (!rc) {
        rc = words_add(&w, mem_printf("--output=%s", output));
    }
    if (!rc) {
        rc = forward_options(&w, ctx, predict);
    }
    if (!rc) {
        rc = cmd_run_child((const char *const *)w.words);
    }
    words_release(&w);
    return rc;
}

int eval_predict(const struct cmd_ctx *ctx, const char *output, struct predictions **p)
{
    if (output) {
        int rc = run_predict(ctx, output);
        return rc ? rc : predictions_read(p, output);
    }
    const char *base = getenv("TMPDIR");
    char *dir = mem_printf("%s/reco-eval-XXXXXX", base && *base ? base : "/tmp");
    char *path = NULL;
    int rc = dir ? 0 : RECO_E_NOMEM;
    if (!rc && !mkdtemp(dir)) {
        rc = err_set_errno("cannot make a temporary directory '%s'", dir);
        mem_free(dir);
        return rc;
    }
    if (!rc) {
        path = path_join(dir, "predictions.tsv");
        rc = path ? run_predict(ctx, path) : RECO_E_NOMEM;
    }
    if (!rc) {
        rc = predictions_read(p, path);
    }
    if (dir && dir_remove(dir)) {
        log_warn("cannot remove '%s'", dir);
    }
    mem_free(path);
    mem_free(dir);
    return rc;
}

/* ---- names ---- */

int eval_names_fill(struct eval_names *names, struct eval_options *options, const struct opt_list *metrics,
                    const struct opt_list *at, const struct opt_list *gates)
{
    options->metrics = (const char *const *)metrics->items;
    options->metric_count = metrics->count;
    names->at = mem_calloc(at->count + 1, sizeof *names->at);
    names->gate_metrics = mem_calloc(gates->count + 1, sizeof *names->gate_metrics);
    if (!names->at || !names->gate_metrics) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < at->count; i++) {
        double depth;
        if (!decimal_parse(at->items[i], strlen(at->items[i]), &depth)) {
            return err_set(RECO_E_USAGE, "bad depth '%s'", at->items[i]);
        }
        names->at[i] = (size_t)depth;
    }
    for (size_t i = 0; i < gates->count; i++) {
        names->gate_metrics[i] = eval_gate_metric(gates->items[i]);
        if (!names->gate_metrics[i]) {
            return RECO_E_NOMEM;
        }
        names->gate_count++;
    }
    options->at = names->at;
    options->at_count = at->count;
    options->also = (const char *const *)names->gate_metrics;
    options->also_count = names->gate_count;
    return 0;
}

void eval_names_release(struct eval_names *names)
{
    for (size_t i = 0; i < names->gate_count; i++) {
        mem_free(names->gate_metrics[i]);
    }
    mem_free(names->gate_metrics);
    mem_free(names->at);
}

/* ---- provenance and output ---- */

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

int eval_output(const struct eval_report *report, const struct opt_list *gates, bool as_json, const char *output_dir)
{
    struct buf text = {0};
    struct buf lines = {0};
    char *json = NULL;
    size_t missed = 0;
    int rc = report_texts(report, gates, &text, &json, &lines, &missed);
    if (!rc && output_dir) {
        rc = eval_report_write(report, output_dir, buf_str(&text), json);
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
