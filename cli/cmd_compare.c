#include <math.h>

#include "cli/compare_options.h"
#include "cli/opts_metrics.h"
#include "cli/output_file.h"
#include "cli/provenance.h"
#include "core/mem.h"
#include "eval/compare.h"
#include "eval/compare_slices.h"
#include "eval/trec.h"

struct source {
    struct predictions *p;
    struct trec_run *run;
    struct eval_report *report;
};

struct comparing {
    const struct compare_command *o;
    struct source *sources; /* [count] */
    struct compare_run *runs;
    size_t count;
    struct trec_qrels *qrels;
    struct eval_options eval;
    const char **names;
    char **of_gates; /* [gate_count] metrics that gates name */
    size_t gate_count;
    double *gains;
};

static int read_source(struct comparing *c, struct source *s, const char *path, const struct cmd_ctx *ctx)
{
    int rc = c->o->qrels ? trec_run_read(&s->run, path, c->eval.threads)
                         : predictions_source_open(&s->p, path, ctx, &c->o->source);
    if (!rc && s->p && c->o->gains.count && !c->gains) {
        c->gains = mem_calloc((size_t)s->p->labels.count + 1, sizeof *c->gains);
        rc = c->gains
                 ? eval_gains_parse(c->gains, &s->p->labels, (const char *const *)c->o->gains.items, c->o->gains.count)
                 : RECO_E_NOMEM;
        c->eval.gains = c->gains;
    }
    return rc;
}

static int evaluate(struct comparing *c, struct source *s)
{
    struct trec_options trec = {.relevance_level = isnan(c->eval.relevance_level) ? 1 : (long)c->eval.relevance_level};
    return s->p ? eval_run(&s->report, s->p, &c->eval) : trec_eval_run(&s->report, c->qrels, s->run, &trec, &c->eval);
}

/* Where none are named: those of a few that the first file has. */
static int choose_metrics(struct comparing *c)
{
    static const char *const of_predictions[] = {"ndcg@10", "f1", "log_loss", "rmse", "spearman", NULL};
    static const char *const of_runs[] = {"ndcg@10", "map", NULL};
    const char *const *candidates = c->o->qrels ? of_runs : of_predictions;
    struct source first = c->sources[0];
    size_t kept = 0;
    double value;
    c->eval.metrics = candidates;
    for (c->eval.metric_count = 0; candidates[c->eval.metric_count];) {
        c->eval.metric_count++;
    }
    int rc = evaluate(c, &first);
    for (size_t i = 0; !rc && candidates[i]; i++) {
        if (eval_report_get(first.report, candidates[i], &value, NULL)) {
            c->names[kept++] = candidates[i];
        }
    }
    eval_report_free(first.report);
    c->eval.metrics = c->names;
    c->eval.metric_count = kept;
    if (!rc && !kept) {
        rc = err_set(RECO_E_DATA, "no figure to compare by in '%s': name some with --metrics", c->runs[0].path);
    }
    return rc;
}

/* Before a file is opened. */
static int check(const struct compare_command *o, const struct cmd_ctx *ctx)
{
    int from_stdin = 0;
    if (o->qrels && o->slices.count) {
        return err_set(RECO_E_USAGE, "--slice goes with predictions, not with --qrels: a TREC run has no columns");
    }
    if (o->junit && !o->require.count) {
        return err_set(RECO_E_USAGE, "--junit goes with --require");
    }
    if (o->qrels && predictions_source_flag(ctx)) {
        return err_set(RECO_E_USAGE, "--%s goes with predictions, not with --qrels", predictions_source_flag(ctx));
    }
    const struct opts_need needs[] = {{"slice_min_rows", o->slices.count, "--slice"},
                                      {"slice_groups", o->slices.count, "--slice"},
                                      {"samples", o->test == COMPARE_RANDOMISATION, "--test randomisation"}};
    int needs_rc = opts_needs_check(ctx->set, needs, sizeof needs / sizeof needs[0]);
    for (int i = 0; !needs_rc && i < opt_positional_count(ctx->set); i++) {
        const char *path = opt_positional(ctx->set, i);
        const struct file_use uses[] = {
            {NULL, path, false}, {"qrels", o->qrels, false}, {"html", o->html, true}, {"junit", o->junit, true}};
        int rc = file_uses_check(uses, sizeof uses / sizeof uses[0]);
        from_stdin += !strcmp(path, "-");
        if (rc || from_stdin > 1) {
            return rc ? rc : err_set(RECO_E_USAGE, "'-' is given twice: stdin can be read once");
        }
    }
    return needs_rc;
}

/* Figures that only a gate names are compared too. */
static int add_gate_metrics(struct comparing *c)
{
    const struct opt_list *gates = &c->o->require;
    int rc = 0;
    c->of_gates = mem_calloc(gates->count + 1, sizeof *c->of_gates);
    for (size_t i = 0; c->of_gates && !rc && i < gates->count; i++) {
        c->of_gates[i] = compare_gate_metric(gates->items[i]);
        c->gate_count += c->of_gates[i] != NULL;
        rc = c->of_gates[i] ? 0 : RECO_E_NOMEM;
    }
    c->eval.also = (const char *const *)c->of_gates;
    c->eval.also_count = c->gate_count;
    return c->of_gates ? rc : RECO_E_NOMEM;
}

static int prepare(struct comparing *c, const struct cmd_ctx *ctx)
{
    const struct compare_command *o = c->o;
    eval_options_init(&c->eval);
    c->eval.by_query = true;
    c->eval.relevance_level = opt_is_set(ctx->set, "relevance_level") ? o->relevance_level : NAN;
    c->eval.threads = o->threads > 0 ? (int)o->threads : cpu_count();
    c->count = (size_t)opt_positional_count(ctx->set);
    c->sources = mem_calloc(c->count + 1, sizeof *c->sources);
    c->runs = mem_calloc(c->count + 1, sizeof *c->runs);
    c->names = mem_calloc(8, sizeof *c->names);
    int rc = c->sources && c->runs && c->names ? 0 : RECO_E_NOMEM;
    rc = rc ? rc : check(o, ctx);
    if (!rc && o->qrels) {
        rc = trec_qrels_read(&c->qrels, o->qrels, c->eval.threads);
    }
    for (size_t i = 0; !rc && i < c->count; i++) {
        c->runs[i].path = opt_positional(ctx->set, (int)i);
        rc = read_source(c, &c->sources[i], c->runs[i].path, ctx);
    }
    if (!rc && o->metrics.count) {
        c->eval.metrics = (const char *const *)o->metrics.items;
        c->eval.metric_count = o->metrics.count;
        c->eval.need_relevance = true;
    } else if (!rc) {
        rc = choose_metrics(c);
    }
    if (!rc) {
        rc = add_gate_metrics(c);
    }
    for (size_t i = 0; !rc && i < c->count; i++) {
        rc = evaluate(c, &c->sources[i]);
        c->runs[i].report = c->sources[i].report;
        c->runs[i].p = c->sources[i].p;
        c->runs[i].text_column = o->query_text;
    }
    return rc;
}

static void comparing_release(struct comparing *c)
{
    for (size_t i = 0; c->sources && i < c->count; i++) {
        eval_report_free(c->sources[i].report);
        predictions_free(c->sources[i].p);
        trec_run_free(c->sources[i].run);
    }
    trec_qrels_free(c->qrels);
    mem_free(c->sources);
    mem_free(c->runs);
    for (size_t i = 0; i < c->gate_count; i++) {
        mem_free(c->of_gates[i]);
    }
    mem_free(c->of_gates);
    mem_free(c->names);
    mem_free(c->gains);
}

/* A file by the letter of its run; the sidecar says more of it. */
static int add_provenance(const struct comparing *c, const struct cmd_ctx *ctx, struct compare *result)
{
    json_t *json = provenance_new(ctx);
    int rc = json ? provenance_add_file(json, "qrels", c->o->qrels) : err_nomem();
    for (size_t i = 0; !rc && i < c->count; i++) {
        json_t *of_run = json_object();
        rc = of_run && !json_object_set_new(json, compare_letter(i), of_run)
                 ? provenance_add_file(of_run, "file", c->runs[i].path)
                 : err_nomem();
        const struct predictions *p = c->runs[i].p;
        if (!rc && p) {
            rc = provenance_check(of_run, "file_hash", c->runs[i].path, p);
        }
        rc = rc ? rc : provenance_add_unknown(of_run, c->runs[i].path, p);
        if (!rc && p && p->sidecar && json_object_set(of_run, "sidecar", p->sidecar)) {
            rc = err_nomem();
        }
    }
    if (!rc && json_object_set_new(json, "hash_function", json_string("XXH3, 128 bits"))) {
        rc = err_nomem();
    }
    if (rc) {
        json_decref(json);
        return rc;
    }
    return compare_set_provenance(result, json);
}

static int compare_slices(struct compare_slices **out, const struct comparing *c, const struct compare *result,
                          struct pool *pool)
{
    struct slice_options options;
    slice_options_init(&options);
    options.slices = (const char *const *)c->o->slices.items;
    options.count = c->o->slices.count;
    options.min_rows = (size_t)c->o->slice_min_rows;
    options.max_groups = (size_t)c->o->slice_groups;
    options.text_column = c->o->query_text;
    return compare_slices_new(out, result, &options, pool);
}

static int run(const struct cmd_ctx *ctx)
{
    struct comparing c = {.o = ctx->options};
    struct compare_options how;
    struct compare result = {0};
    struct compare_slices *slices = NULL;
    struct pool *pool = NULL;
    compare_options_init(&how);
    how.test = (enum compare_test)c.o->test;
    how.samples = (size_t)c.o->samples;
    how.listed = (size_t)c.o->listed;
    how.eval = &c.eval;
    how.bootstrap.resamples = (size_t)c.o->resamples;
    how.bootstrap.seed = (uint64_t)c.o->seed;
    how.bootstrap.level = c.o->level;
    how.bootstrap.method = (enum bootstrap_method)c.o->interval;
    int rc = memory_limit_set(&c.o->memory);
    if (!rc) {
        rc = prepare(&c, ctx);
    }
    if (!rc) {
        rc = pool_new(&pool, c.eval.threads);
    }
    if (!rc) {
        rc = compare_runs(&result, c.runs, c.count, c.o->all_pairs, &how, pool);
    }
    if (!rc) {
        rc = add_provenance(&c, ctx, &result);
    }
    if (!rc && c.o->slices.count) {
        rc = compare_slices(&slices, &c, &result, pool);
    }
    if (!rc) {
        rc = compare_output(c.o, &result, slices);
    }
    memory_limit_tell(&c.o->memory);
    compare_slices_free(slices);
    compare_release(&result);
    pool_free(pool);
    comparing_release(&c);
    return rc;
}

const struct cmd_spec cmd_compare = {
    .name = "compare",
    .summary = "say which of several runs is better, and how surely",
    .positionals = "A B [FILE...]",
    .description =
        "Pairs the queries of predictions files, or with --qrels of TREC runs, and tells for each figure by how much B "
        "differs from A, the interval of the difference, p adjusted by Holm over all figures and files, where B wins "
        "and loses, and how many more queries would settle it. Queries that only one file has are counted and left "
        "out; files with other labels or other data are refused.\n\n"
        "Figures that are no mean over queries, as F1 or AUC, are tested by swapping whole queries between the files; "
        "so "
        "are those of the catalogue, whose intervals are the jackknife's. With fewer than ten queries there is neither "
        "an interval nor a bootstrap test.",
    .examples = "reco compare old.tsv new.tsv\n"
                "reco compare a.tsv b.tsv c.tsv --metrics ndcg@10,auc --all_pairs --format markdown\n"
                "reco compare --qrels q.txt a.run b.run --test t --require 'ndcg@10: B>=A'",
    .options = compare_option_specs,
    .options_size = sizeof(struct compare_command),
    .min_positionals = 2,
    .max_positionals = 1000,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
