#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/device.h"
#include "cli/eval_inputs.h"
#include "cli/opts_data.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/decimal.h"
#include "eval/evaluate.h"
#include "eval/trec.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_TREC_EVAL };
static const char *const format_choices[] = {"text", "json", "trec_eval", NULL};

struct eval_command {
    struct cmd_common common;
    struct prepare_options data;
    char *predictions, *predictions_output;
    char *model, *dataset, *split, *device;
    char *qrels, *run;
    struct opt_list metrics, measures, at, gains, require;
    double relevance_level;
    bool by_query, complete, judged_only, bf16, overwrite;
    int64_t max_results, collection_size;
    int format;
    char *output_dir, *run_output, *qrels_output, *run_tag;
};

static int check_metric(const char *name, const char *value)
{
    (void)name;
    return eval_metric_check(value);
}

static int check_measure(const char *name, const char *value)
{
    (void)name;
    return trec_measure_check(value);
}

static int check_gate(const char *name, const char *value)
{
    (void)name;
    return eval_gate_check(value);
}

static int check_depth(const char *name, const char *value)
{
    (void)name;
    double depth;
    if (!decimal_parse(value, strlen(value), &depth) || !(depth >= 1 && depth <= 1e8) || floor(depth) != depth) {
        return err_set(RECO_E_USAGE, "'%s' is not a whole number from 1", value);
    }
    return 0;
}

#define AT(field) offsetof(struct eval_command, field)
#define PATH_ROW(row_name, field, row_group, row_help)                                                                 \
    {                                                                                                                  \
        .name = row_name, .type = OPT_STRING, .offset = AT(field), .help = row_help, .group = row_group,               \
        .flags = OPT_FLAG_PATH                                                                                         \
    }
#define FLAG_ROW(row_name, field, row_letter, row_group, row_help)                                                     \
    {                                                                                                                  \
        .name = row_name, .type = OPT_BOOL, .offset = AT(field), .help = row_help, .group = row_group,                 \
        .letter = row_letter                                                                                           \
    }

static const struct opt_spec specs[] = {
    CMD_COMMON_OPTIONS(struct eval_command),
    PATH_ROW("predictions", predictions, "predictions", "predictions.tsv of any model, '-' for stdin"),
    {.name = "model",
     .type = OPT_STRING,
     .offset = AT(model),
     .help = "directory of a fine-tuned model, whose predictions reco predict makes first",
     .group = "predictions",
     .aliases = "model_name_or_path",
     .flags = OPT_FLAG_PATH},
    PATH_ROW("dataset", dataset, "predictions", "with --model: prepared dataset; else the CSV file of --test_file"),
    {.name = "split",
     .type = OPT_STRING,
     .offset = AT(split),
     .default_text = "test",
     .help = "with --model: split of the dataset: train, validation or test",
     .group = "predictions"},
    PATH_ROW("predictions_output", predictions_output, "predictions",
             "with --model: keep the predictions in this file"),
    DEVICE_OPTION_ROW(struct eval_command, device),
    {.name = "bf16", .type = OPT_BOOL, .offset = AT(bf16), .help = "matrix products in bfloat16", .group = "general"},
    DATA_THREADS_ROW(struct eval_command, data),
    DATA_OPTION_ROWS(struct eval_command, data),
    DATA_LENGTH_ROWS(struct eval_command, data),
    PATH_ROW("qrels", qrels, "TREC files", "judgments: qid iter docno relevance"),
    PATH_ROW("run", run, "TREC files", "run to judge: qid Q0 docno rank score tag"),
    {.name = "measures",
     .type = OPT_LIST,
     .offset = AT(measures),
     .help = "trec_eval's measures: a name, a name with parameters (P.5,10), official, set or all_trec; repeatable",
     .group = "TREC files",
     .letter = 'm',
     .flags = OPT_FLAG_EXCLUSIVE_LIST,
     .check = check_measure},
    FLAG_ROW("by_query", by_query, 0, "TREC files", "trec_eval -q: also the values of each query"),
    FLAG_ROW("complete", complete, 'c', "TREC files",
             "average over all queries of the qrels; one that the run lacks counts as an empty list"),
    FLAG_ROW("judged_only", judged_only, 'J', "TREC files", "take documents without judgment out of the lists"),
    {.name = "max_results",
     .type = OPT_INT,
     .offset = AT(max_results),
     .default_text = "0",
     .max = 1e12,
     .help = "look at the first so many documents of each query only (0: all)",
     .group = "TREC files",
     .letter = 'M'},
    {.name = "collection_size",
     .type = OPT_INT,
     .offset = AT(collection_size),
     .default_text = "0",
     .max = 1e15,
     .help = "documents in the collection, for the measure utility",
     .group = "TREC files",
     .letter = 'N'},
    {.name = "metrics",
     .type = OPT_LIST,
     .offset = AT(metrics),
     .help = "metrics to compute, as accuracy, f1_macro, auc_<label>, ndcg@10; default: all that apply",
     .group = "metrics",
     .check = check_metric},
    {.name = "at",
     .type = OPT_LIST,
     .offset = AT(at),
     .default_text = "1,3,5,10",
     .help = "depths of the ranking metrics, where --metrics does not name them",
     .group = "metrics",
     .check = check_depth},
    {.name = "relevance_level",
     .type = OPT_DOUBLE,
     .offset = AT(relevance_level),
     .help = "grade from which an item is relevant; 1 when the lowest grade is 0, else it must be given",
     .group = "metrics",
     .letter = 'l'},
    {.name = "gains",
     .type = OPT_LIST,
     .offset = AT(gains),
     .help = "NDCG gain of every label, as label=gain; default: 2^grade - 1",
     .group = "metrics"},
    {.name = "require",
     .type = OPT_LIST,
     .offset = AT(require),
     .help = "gate, as 'f1>=0.8': exit status 1 when it is not met; repeatable",
     .group = "metrics",
     .flags = OPT_FLAG_EXCLUSIVE_LIST,
     .check = check_gate},
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = AT(format),
     .default_text = "text",
     .choices = format_choices,
     .help = "what is printed; -m means trec_eval",
     .group = "output"},
    {.name = "output_dir",
     .type = OPT_STRING,
     .offset = AT(output_dir),
     .help = "directory for report.txt, report.json, report.html and per_query.tsv",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_PATH},
    {.name = "overwrite",
     .type = OPT_BOOL,
     .offset = AT(overwrite),
     .help = "replace the report in output_dir",
     .group = "output",
     .aliases = "overwrite_output_dir"},
    PATH_ROW("run_output", run_output, "output", "write the predictions as a TREC run"),
    PATH_ROW("qrels_output", qrels_output, "output", "write the labels' grades as TREC qrels"),
    {.name = "run_tag",
     .type = OPT_STRING,
     .offset = AT(run_tag),
     .default_text = "reco",
     .help = "last column of --run_output",
     .group = "output"},
    {.name = NULL}};

/* What stands on the command line must fit together, before any file is opened. */
static int check_usage(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    int sources = (c->predictions != NULL) + (c->model != NULL) + (c->qrels != NULL || c->run != NULL);
    if (sources != 1) {
        return err_set(RECO_E_USAGE, "give %s --predictions, --model, or --qrels with --run",
                       sources ? "only one of" : "one of");
    }
    if (!c->qrels != !c->run) {
        return err_set(RECO_E_USAGE, "--qrels and --run go together");
    }
    if (!c->run && (c->measures.count || c->format == FORMAT_TREC_EVAL)) {
        return err_set(RECO_E_USAGE, "%s goes with --qrels and --run", c->measures.count ? "-m" : "--format trec_eval");
    }
    if (c->measures.count && opt_is_set(ctx->set, "format") && c->format != FORMAT_TREC_EVAL) {
        return err_set(RECO_E_USAGE, "-m names measures of --format trec_eval; for the other formats give --metrics");
    }
    if (c->run && (c->gains.count || c->run_output || c->qrels_output)) {
        return err_set(RECO_E_USAGE, "--%s goes with --predictions or --model",
                       c->gains.count  ? "gains"
                       : c->run_output ? "run_output"
                                       : "qrels_output");
    }
    if (c->predictions_output && !c->model) {
        return err_set(RECO_E_USAGE, "--predictions_output goes with --model");
    }
    return c->output_dir ? eval_report_dir_check(c->output_dir, c->overwrite) : 0;
}

static long level_of(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    return opt_is_set(ctx->set, "relevance_level") ? (long)c->relevance_level : 1;
}

static int print_trec_eval(const struct eval_command *c, const struct trec_options *options,
                           const struct eval_trec *trec)
{
    struct trec_options asked = *options;
    asked.measures = (const char *const *)c->measures.items;
    asked.measure_count = c->measures.count;
    struct buf b = {0};
    int rc = trec_eval_text(&b, trec->qrels, trec->run, &asked);
    if (!rc) {
        rc = cmd_print(buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

static int write_trec_files(const struct eval_command *c, const struct predictions *p)
{
    int rc = c->run_output ? trec_run_write(c->run_output, p, c->run_tag) : 0;
    return rc || !c->qrels_output ? rc : trec_qrels_write(c->qrels_output, p);
}

/* The report of one source; *p and *trec are the caller's to free, also after failure. */
static int evaluate(const struct cmd_ctx *ctx, const struct eval_command *c, struct eval_options *options,
                    struct predictions **p, struct eval_trec *trec, struct eval_report **report)
{
    int rc;
    if (c->run) {
        const struct trec_options files = {.relevance_level = level_of(ctx, c),
                                           .by_query = c->by_query,
                                           .complete = c->complete,
                                           .judged_only = c->judged_only,
                                           .max_results = (size_t)c->max_results,
                                           .collection_size = (long)c->collection_size};
        rc = eval_trec_open(trec, c->qrels, c->run);
        if (!rc && (c->format == FORMAT_TREC_EVAL || c->measures.count)) {
            return print_trec_eval(c, &files, trec);
        }
        return rc ? rc : trec_eval_run(report, trec->qrels, trec->run, &files, options);
    }
    rc = c->model ? eval_predict(ctx, c->predictions_output, p) : predictions_read(p, c->predictions);
    double *gains = NULL;
    if (!rc && c->gains.count) {
        gains = mem_calloc((size_t)(*p)->labels.count + 1, sizeof *gains);
        rc = gains ? eval_gains_parse(gains, &(*p)->labels, (const char *const *)c->gains.items, c->gains.count)
                   : RECO_E_NOMEM;
        options->gains = gains;
    }
    if (!rc) {
        rc = write_trec_files(c, *p);
    }
    if (!rc) {
        rc = eval_run(report, *p, options);
    }
    mem_free(gains);
    options->gains = NULL;
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    struct eval_command *c = ctx->options;
    struct eval_options options;
    eval_options_init(&options);
    options.relevance_level = opt_is_set(ctx->set, "relevance_level") ? c->relevance_level : NAN;
    options.need_relevance = true;
    options.by_query = c->output_dir != NULL;
    struct predictions *p = NULL;
    struct eval_trec trec = {0};
    struct eval_report *report = NULL;
    struct eval_names names = {0};
    int rc = check_usage(ctx, c);
    if (!rc) {
        rc = eval_names_fill(&names, &options, &c->metrics, &c->at, &c->require);
    }
    if (!rc) {
        rc = evaluate(ctx, c, &options, &p, &trec, &report);
    }
    if (!rc && report) {
        const struct eval_sources sources = {c->predictions ? c->predictions : c->predictions_output, c->qrels, c->run};
        rc = eval_add_provenance(report, ctx, &sources, p);
    }
    if (!rc && report) {
        rc = eval_output(report, &c->require, c->format == FORMAT_JSON, c->output_dir);
    }
    eval_report_free(report);
    predictions_free(p);
    eval_trec_close(&trec);
    eval_names_release(&names);
    return rc;
}

const struct cmd_spec cmd_eval = {
    .name = "eval",
    .summary = "evaluate predictions: classification, ranking, behaviour",
    .description =
        "Reads a predictions file once and reports every metric that applies to it: by class, ranking by query, and "
        "clicks where "
        "there are event columns. An undefined figure is said to be so, with the reason. With --model, reco predict "
        "makes the predictions first. TREC files give trec_eval's own text with -m or --format trec_eval.\n\n"
        "A gate (--require) that is not met gives exit status 1.",
    .examples = "reco eval --predictions p.tsv --relevance_level 3 --require 'f1>=0.8' --output_dir report\n"
                "reco eval --model run --dataset ds --split test\n"
                "reco eval --qrels q.txt --run r.txt -m all_trec",
    .options = specs,
    .options_size = sizeof(struct eval_command),
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
