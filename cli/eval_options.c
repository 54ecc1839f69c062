#include "cli/eval_options.h"

#include <math.h>
#include <string.h>

#include "cli/device.h"
#include "cli/opts_data.h"
#include "cli/opts_metrics.h"
#include "cli/output_dir.h"
#include "data/decimal.h"
#include "eval/evaluate.h"
#include "eval/slice.h"
#include "eval/trec.h"

static const char *const format_choices[] = {"text", "json", "markdown", "trec_eval", NULL};
static const char *const ties_choices[] = {"docno", "file", "expected", NULL};

int eval_duration_parse(const char *text, double *seconds)
{
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    size_t length = strlen(text);
    double factor = 1;
    for (size_t i = 0; length && i < sizeof units / sizeof units[0]; i++) {
        if (text[length - 1] == units[i].unit) {
            factor = units[i].seconds;
            length--;
            break;
        }
    }
    if (!decimal_parse(text, length, seconds) || !(*seconds >= 0) || !isfinite(*seconds)) {
        return err_set(RECO_E_USAGE, "'%s' is no duration: write 7d, 36h, 90m or 30s", text);
    }
    *seconds *= factor;
    return 0;
}

static int check_duration(const char *name, const char *value)
{
    double seconds;
    (void)name;
    return eval_duration_parse(value, &seconds);
}

static int check_measure(const char *name, const char *value)
{
    (void)name;
    return trec_measure_check(value);
}

static int check_slice(const char *name, const char *value)
{
    (void)name;
    return slice_check(value);
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
    PATH_ROW(
        "predictions", predictions, "predictions",
        "predictions of any model, '-' for stdin: as reco predict writes them, or any CSV, TSV or JSON Lines file, "
        "whose columns --label_column, --predicted_column, --score_column, --probability_columns name"),
    PREDICTIONS_OWN_ROWS(struct eval_command, own),
    {.name = "model",
     .type = OPT_STRING,
     .offset = AT(model),
     .help = "directory of a fine-tuned model, whose predictions reco predict makes first",
     .group = "predictions",
     .aliases = "model_name_or_path",
     .flags = OPT_FLAG_PATH},
    PATH_ROW(
        "dataset", dataset, "predictions",
        "with --model: prepared dataset; else the CSV file of --test_file. With --predictions: gives report.html the "
        "texts of the worst rows"),
    {.name = "split",
     .type = OPT_STRING,
     .offset = AT(split),
     .default_text = "test",
     .help = "split of the dataset, where the predictions do not tell: train, validation or test",
     .group = "predictions"},
    PATH_ROW("predictions_output", predictions_output, "predictions",
             "with --model: keep the predictions in this file"),
    PATH_ROW("events", events, "behaviour",
             "table of impressions without predictions, columns named by --clicked_column and so on"),
    {.name = "carted_column",
     .type = OPT_STRING,
     .offset = AT(carted_column),
     .help = "column of additions to the cart; default: carted",
     .group = "behaviour"},
    {.name = "ordered_column",
     .type = OPT_STRING,
     .offset = AT(ordered_column),
     .help = "column of orders; default: ordered",
     .group = "behaviour"},
    {.name = "revenue_column",
     .type = OPT_STRING,
     .offset = AT(revenue_column),
     .help = "column of revenue; default: revenue",
     .group = "behaviour"},
    {.name = "delay_column",
     .type = OPT_STRING,
     .offset = AT(delay_column),
     .help = "column of the seconds from a click or impression to its conversion; default: delay_s",
     .group = "behaviour"},
    {.name = "attribution_window",
     .type = OPT_STRING,
     .offset = AT(attribution_window),
     .help = "conversions later than this do not count, nor do their orders and revenue, by the column delay_s: 7d, "
             "36h, 90m, 30s",
     .group = "behaviour",
     .check = check_duration},
    {.name = "max_weight",
     .type = OPT_DOUBLE,
     .offset = AT(max_weight),
     .default_text = "0",
     .min = 0,
     .max = 1e15,
     .help = "cut the weights of IPS and SNIPS, 1 / propensity, to this (0: as they are)",
     .group = "behaviour"},
    {.name = "first_position",
     .type = OPT_INT,
     .offset = AT(first_position),
     .default_text = "1",
     .min = 0,
     .max = 1e9,
     .help = "what the column of positions calls the first one",
     .group = "behaviour"},
    {.name = "arm_column",
     .type = OPT_STRING,
     .offset = AT(arm_column),
     .help = "column of the arms of an experiment: behaviour by arm, with its lift over --control and intervals by "
             "--level; what is independent is a query, or what --resample_by names, else a row",
     .group = "behaviour"},
    {.name = "control",
     .type = OPT_STRING,
     .offset = AT(control),
     .help = "arm that the others are compared with; default: the first in order of bytes",
     .group = "behaviour"},
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
     .help = "metrics to compute, as accuracy, f1_macro, f0.5, auc_<label>, ndcg@10, rbp0.95, ctr_lists@5 (reco metric "
             "lists "
             "them); default: all that apply",
     .group = "metrics",
     .check = opts_metric_check},
    {.name = "at",
     .type = OPT_LIST,
     .offset = AT(at),
     .default_text = "1,3,5,10",
     .help = "depths of the ranking metrics, where --metrics does not name them",
     .group = "metrics",
     .check = check_depth},
    METRICS_GRADE_ROWS(struct eval_command),
    {.name = "ties",
     .type = OPT_CHOICE,
     .offset = AT(ties),
     .default_text = "docno",
     .choices = ties_choices,
     .help = "items of equal score: by id as trec_eval does, in the order of the file, or the expected value over all "
             "their orders",
     .group = "metrics"},
    PATH_ROW("item_popularity", item_popularity, "metrics",
             "popularity of the catalogue's items: lines of item id, tab, count; default: rows of each item"),
    {.name = "require",
     .type = OPT_LIST,
     .offset = AT(require),
     .help =
         "gate, as 'f1>=0.8' or 'low(worst(lang).f1)>=0.6', in quotes: exit status 1 when it is not met; repeatable",
     .group = "metrics",
     .flags = OPT_FLAG_EXCLUSIVE_LIST,
     .check = check_gate},
    {.name = "calibration",
     .type = OPT_STRING,
     .offset = AT(calibration),
     .help = "calibration to apply to the probabilities first (reco calibrate), or 'none'; with --model, default: the "
             "model's",
     .group = "decision",
     .flags = OPT_FLAG_PATH},
    {.name = "threshold",
     .type = OPT_STRING,
     .offset = AT(threshold),
     .help =
         "threshold by which the label is predicted (reco threshold), or 'none'; with --model, default: the model's",
     .group = "decision",
     .aliases = "thresholds",
     .flags = OPT_FLAG_PATH},
    {.name = "resamples",
     .type = OPT_INT,
     .offset = AT(resamples),
     .default_text = "0",
     .min = 0,
     .max = 1000000,
     .help = "bootstrap intervals of all figures from so many resamples, 1000 as a rule (0: none); with fewer than ten "
             "queries there are none",
     .group = "certainty",
     .aliases = "bootstrap"},
    {.name = "resample_by",
     .type = OPT_STRING,
     .offset = AT(resample_by),
     .help = "carried column that names what is resampled, as a user; default: the query, else the row",
     .group = "certainty"},
    METRICS_INTERVAL_ROWS(struct eval_command, "kind of the intervals; the catalogue's are the jackknife's",
                          "confidence of the intervals"),
    {.name = "slice",
     .type = OPT_LIST,
     .offset = AT(slices),
     .help = "show the figures by parts: a column, a number in bins (price:quartile, price:10|50), query_length, "
             "query_frequency, seen_query, seen_item, seen:COLUMN, truncated, label; lang+brand: both together",
     .group = "slices",
     .aliases = "slices",
     .check = check_slice},
    {.name = "slice_metrics",
     .type = OPT_LIST,
     .offset = AT(slice_metrics),
     .help = "figures of the slices, the first decides which is the worst; default: --metrics, else a few that apply",
     .group = "slices",
     .check = opts_metric_check},
    METRICS_SLICE_SIZE_ROWS(struct eval_command, "smaller groups are shown, but are no worst ones and make no gap"),
    {.name = "train_dataset",
     .type = OPT_STRING,
     .offset = AT(train_dataset),
     .help = "prepared dataset whose train split tells what was seen in training",
     .group = "slices",
     .flags = OPT_FLAG_PATH},
    {.name = "query_text",
     .type = OPT_STRING,
     .offset = AT(query_text),
     .default_text = "query",
     .help = "carried column with the text of the query, for the slice query_length and report.html",
     .group = "slices"},
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = AT(format),
     .default_text = "text",
     .choices = format_choices,
     .help = "what is printed; -m means trec_eval",
     .group = "output"},
    OUTPUT_DIR_ROW(struct eval_command, 0,
                   "directory for report.txt, report.json, report.html and per_query.tsv, arms.tsv, by_position.tsv"),
    OUTPUT_OVERWRITE_ROW(struct eval_command, "replace the report in output_dir"),
    {.name = "worst",
     .type = OPT_INT,
     .offset = AT(worst),
     .default_text = "20",
     .min = 0,
     .max = 1000,
     .unit = "rows",
     .help = "worst mistakes that report.html shows, with their texts where the predictions carry them or --dataset is "
             "given (0: none)",
     .group = "output"},
    PATH_ROW("junit", junit, "output", "write the gates as JUnit XML"),
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

void eval_source_fill(struct eval_command *c, const struct cmd_ctx *ctx)
{
    const struct prepare_options *data = &c->data;
    const struct predictions_source_options source = {.table = data->table,
                                                      .own = c->own,
                                                      .label_column = data->label_column,
                                                      .id_column = data->id_column,
                                                      .query_id_column = data->query_id_column,
                                                      .item_id_column = data->item_id_column,
                                                      .labels = data->label_list,
                                                      .grades = data->grades,
                                                      .positive_label = data->positive_label,
                                                      .regression = data->regression};
    const struct {
        enum predictions_column column;
        const char *name;
    } events[] = {{PREDICTIONS_POSITION, data->position_column},   {PREDICTIONS_CLICKED, data->clicked_column},
                  {PREDICTIONS_CONVERTED, data->converted_column}, {PREDICTIONS_DWELL_S, data->dwell_column},
                  {PREDICTIONS_DEPTH, data->depth_column},         {PREDICTIONS_PROPENSITY, data->propensity_column},
                  {PREDICTIONS_CARTED, c->carted_column},          {PREDICTIONS_ORDERED, c->ordered_column},
                  {PREDICTIONS_REVENUE, c->revenue_column},        {PREDICTIONS_DELAY_S, c->delay_column}};
    predictions_source_fill(&c->source, ctx, &source);
    c->source.table = c->source.table ? &data->table : NULL; /* which stays */
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        predictions_source_name(&c->source, ctx, events[i].column, events[i].name);
    }
}

/* What does not go together, whatever is evaluated. */
static int check_pairs(const struct eval_command *c)
{
    if (c->control && !c->arm_column) {
        return err_set(RECO_E_USAGE, "--control goes with --arm_column");
    }
    if (c->resample_by && !c->resamples && !c->arm_column) {
        return err_set(RECO_E_USAGE, "--resample_by goes with --resamples or --arm_column");
    }
    if (c->max_weight > 0 && c->max_weight < 1) {
        return err_set(RECO_E_USAGE, "--max_weight is 0 or at least 1, not %g", c->max_weight);
    }
    if (c->junit && !c->require.count) {
        return err_set(RECO_E_USAGE, "--junit goes with --require");
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
    int sources =
        (c->predictions != NULL) + (c->model != NULL) + (c->events != NULL) + (c->qrels != NULL || c->run != NULL);
    if (sources != 1) {
        return err_set(RECO_E_USAGE, "give %s --predictions, --model, --events, or --qrels with --run",
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
    int rc = eval_company_check(ctx, c);
    rc = rc ? rc : check_pairs(c);
    if (rc) {
        return rc;
    }
    return c->output_dir ? eval_report_dir_check(c->output_dir, c->overwrite) : 0;
}
