#include "cli/eval_inputs.h"

#include <stdlib.h>
#include <string.h>

#include "cli/eval_options.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/decimal.h"
#include "eval/slice.h"

int eval_trec_open(struct eval_trec *trec, const char *qrels_path, const char *run_path, int threads)
{
    int rc = trec_qrels_read(&trec->qrels, qrels_path, threads);
    return rc ? rc : trec_run_read(&trec->run, run_path, threads);
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

/* The options given to eval that predict has too, as predict wants them. */
static int forward_options(struct words *w, const struct cmd_ctx *ctx, const struct cmd_spec *predict)
{
    int rc = 0;
    for (const struct opt_spec *spec = ctx->cmd->options; !rc && spec->name; spec++) {
        if (!opt_is_set(ctx->set, spec->name) || !eval_has_option(predict, spec->name)) {
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

int eval_predict(const struct cmd_ctx *ctx, const char *output, const struct predictions_options *options,
                 struct predictions **p)
{
    if (output) {
        int rc = run_predict(ctx, output);
        return rc ? rc : predictions_open(p, output, options);
    }
    char *dir = NULL;
    char *path = NULL;
    int rc = temp_dir_make(&dir, options->tmp_dir, "eval");
    if (!rc) {
        path = path_join(dir, "predictions.tsv");
        rc = path ? run_predict(ctx, path) : RECO_E_NOMEM;
    }
    if (!rc) {
        rc = predictions_open(p, path, options);
    }
    if (dir && dir_remove(dir)) {
        log_warn("cannot remove '%s'", dir);
    }
    mem_free(path);
    mem_free(dir);
    return rc;
}

/* ---- names ---- */

/* The metric of all rows that a gate needs; one on a slice needs none. */
static int add_gate_metric(struct eval_names *names, const char *gate)
{
    struct slice_name name = {0};
    char *text = eval_gate_metric(gate);
    int rc = text ? slice_name_parse(&name, text) : RECO_E_NOMEM;
    if (!rc && !name.slice) {
        names->gate_metrics[names->gate_count++] = name.metric;
        name.metric = NULL;
    }
    slice_name_release(&name);
    mem_free(text);
    return rc;
}

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
        int rc = add_gate_metric(names, gates->items[i]);
        if (rc) {
            return rc;
        }
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
