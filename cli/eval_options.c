#include "cli/eval_options.h"

#include <math.h>
#include <string.h>

#include "cli/device.h"
#include "cli/opts_data.h"
#include "data/decimal.h"
#include "eval/evaluate.h"
#include "eval/trec.h"

static const char *const format_choices[] = {"text", "json", "trec_eval", NULL};

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

const struct opt_spec eval_option_specs[] = {
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

bool eval_has_option(const struct cmd_spec *cmd, const char *name)
{
    for (size_t i = 0; cmd->options[i].name; i++) {
        if (!strcmp(cmd->options[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* An option given as a flag that the source has no use for is a mistake; in a config file it may be another command's.
 */
static int check_company(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    static const char *const of_trec[] = {"complete", "judged_only", "max_results", "collection_size", "by_query"};
    const struct cmd_spec *predict = cmd_find("predict");
    if (c->predictions_output && !c->model) {
        return err_set(RECO_E_USAGE, "--predictions_output goes with --model");
    }
    for (const struct opt_spec *spec = ctx->cmd->options; !c->model && predict && spec->name; spec++) {
        if (strcmp(spec->name, "quiet") != 0 && strcmp(spec->name, "verbose") != 0 &&
            opt_origin_of(ctx->set, spec->name) == OPT_ORIGIN_FLAG && eval_has_option(predict, spec->name)) {
            return err_set(RECO_E_USAGE, "--%s goes with --model", spec->name);
        }
    }
    for (size_t i = 0; !c->run && i < sizeof of_trec / sizeof of_trec[0]; i++) {
        if (opt_origin_of(ctx->set, of_trec[i]) == OPT_ORIGIN_FLAG) {
            return err_set(RECO_E_USAGE, "--%s goes with --qrels and --run", of_trec[i]);
        }
    }
    if (c->by_query && !c->measures.count && c->format != EVAL_FORMAT_TREC_EVAL) {
        return err_set(RECO_E_USAGE, "--by_query goes with --format trec_eval; --output_dir writes per_query.tsv");
    }
    if (c->run && c->relevance_level != (double)(long)c->relevance_level) {
        return err_set(RECO_E_USAGE, "the --relevance_level of TREC files is a whole number, not %g",
                       c->relevance_level);
    }
    return 0;
}

int eval_options_check(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    int sources = (c->predictions != NULL) + (c->model != NULL) + (c->qrels != NULL || c->run != NULL);
    if (sources != 1) {
        return err_set(RECO_E_USAGE, "give %s --predictions, --model, or --qrels with --run",
                       sources ? "only one of" : "one of");
    }
    if (!c->qrels != !c->run) {
        return err_set(RECO_E_USAGE, "--qrels and --run go together");
    }
    if (!c->run && (c->measures.count || c->format == EVAL_FORMAT_TREC_EVAL)) {
        return err_set(RECO_E_USAGE, "%s goes with --qrels and --run", c->measures.count ? "-m" : "--format trec_eval");
    }
    if (c->measures.count && opt_is_set(ctx->set, "format") && c->format != EVAL_FORMAT_TREC_EVAL) {
        return err_set(RECO_E_USAGE, "-m names measures of --format trec_eval; for the other formats give --metrics");
    }
    if (c->run && (c->gains.count || c->run_output || c->qrels_output)) {
        return err_set(RECO_E_USAGE, "--%s goes with --predictions or --model",
                       c->gains.count  ? "gains"
                       : c->run_output ? "run_output"
                                       : "qrels_output");
    }
    int rc = check_company(ctx, c);
    if (rc) {
        return rc;
    }
    return c->output_dir ? eval_report_dir_check(c->output_dir, c->overwrite) : 0;
}
