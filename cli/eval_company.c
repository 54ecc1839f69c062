#include "cli/eval_options.h"

#include <string.h>

#include "cli/opts_metrics.h"
#include "cli/output_file.h"
#include "core/buf.h"

/* What is evaluated. */
enum { PREDICTIONS = 1, MODEL = 2, EVENTS = 4, TREC = 8, ROWS = PREDICTIONS | MODEL | EVENTS };
static const char *const source_names[] = {"--predictions", "--model", "--events", "--qrels and --run"};

static const struct company {
    const char *option;
    unsigned sources; /* that it goes with */
    bool anywhere;    /* also from a config file or the environment, which may be meant for other commands */
} companies[] = {
    {"quiet", ROWS | TREC, false},
    {"verbose", ROWS | TREC, false},
    {"threads", ROWS | TREC, false},
    {"max_memory", ROWS | TREC, false},
    {"tmp_dir", ROWS | TREC, false},
    {"predictions_output", MODEL, true},
    {"label_column", PREDICTIONS | MODEL, false},
    {"id_column", PREDICTIONS | MODEL, false},
    {"labels", PREDICTIONS | MODEL, false},
    {"grades", PREDICTIONS | MODEL, false},
    {"positive_label", PREDICTIONS | MODEL, false},
    {"regression", PREDICTIONS | MODEL, false},
    {"predicted_column", PREDICTIONS, false},
    {"score_column", PREDICTIONS, false},
    {"probability_columns", PREDICTIONS, false},
    {"logits", PREDICTIONS, false},
    {"query_id_column", ROWS, false},
    {"item_id_column", ROWS, false},
    {"position_column", ROWS, false},
    {"clicked_column", ROWS, false},
    {"converted_column", ROWS, false},
    {"dwell_column", ROWS, false},
    {"depth_column", ROWS, false},
    {"propensity_column", ROWS, false},
    {"carted_column", PREDICTIONS | EVENTS, false},
    {"ordered_column", PREDICTIONS | EVENTS, false},
    {"revenue_column", PREDICTIONS | EVENTS, false},
    {"delay_column", PREDICTIONS | EVENTS, false},
    {"input_format", ROWS, false},
    {"delimiter", ROWS, false},
    {"quote", ROWS, false},
    {"columns", ROWS, false},
    {"encoding", ROWS, false},
    {"repair_encoding", ROWS, false},
    {"trim_blanks", ROWS, false},
    {"max_field_bytes", ROWS, false},
    {"attribution_window", ROWS, true},
    {"max_weight", ROWS, true},
    {"first_position", ROWS, true},
    {"arm_column", ROWS, true},
    {"item_popularity", ROWS, true},
    {"slice", ROWS, true},
    {"resample_by", ROWS, true},
    {"slice_metrics", ROWS, false},
    {"slice_min_rows", ROWS, false},
    {"slice_groups", ROWS, false},
    {"train_dataset", ROWS, false},
    {"query_text", ROWS, false},
    {"relevance_level", PREDICTIONS | MODEL | TREC, false},
    {"ties", PREDICTIONS | MODEL | TREC, false},
    {"calibration", PREDICTIONS | MODEL, true},
    {"threshold", PREDICTIONS | MODEL, true},
    {"gains", PREDICTIONS | MODEL, true},
    {"run_output", PREDICTIONS | MODEL, true},
    {"qrels_output", PREDICTIONS | MODEL, true},
    {"complete", TREC, false},
    {"judged_only", TREC, false},
    {"max_results", TREC, false},
    {"collection_size", TREC, false},
    {"by_query", TREC, false},
};

/* Of reco's own reports: nothing would look at them beside trec_eval's text, and a gate would be met in silence. */
static const char *const not_with_trec_eval[] = {"metrics", "at",   "ties",  "require",    "resamples", "interval",
                                                 "level",   "seed", "junit", "output_dir", "overwrite", "worst"};

static bool is_trec_eval(const struct eval_command *c)
{
    return c->run && (c->measures.count || c->format == EVAL_FORMAT_TREC_EVAL);
}

static int check_trec_eval(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    for (size_t i = 0; is_trec_eval(c) && i < sizeof not_with_trec_eval / sizeof not_with_trec_eval[0]; i++) {
        const char *option = not_with_trec_eval[i];
        bool is_gate = !strcmp(option, "require");
        if (is_gate ? opt_is_set(ctx->set, option) : opt_origin_of(ctx->set, option) == OPT_ORIGIN_FLAG) {
            return err_set(RECO_E_USAGE,
                           "--%s goes with reco's own metrics, not with trec_eval's text (-m, --format "
                           "trec_eval)",
                           option);
        }
    }
    return 0;
}

static int check_depths(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    return c->metrics.count && opt_origin_of(ctx->set, "at") == OPT_ORIGIN_FLAG
               ? err_set(RECO_E_USAGE, "--at goes without --metrics, whose names hold their depth: ndcg@10")
               : 0;
}

static int check_needs(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    bool sliced = c->slices.count || c->require.count; /* a gate may name a slice */
    const struct opts_need needs[] = {{"interval", c->resamples, "--resamples"},
                                      {"seed", c->resamples, "--resamples"},
                                      {"level", c->resamples || c->arm_column, "--resamples or --arm_column"},
                                      {"slice_metrics", sliced, "--slice"},
                                      {"slice_min_rows", sliced, "--slice"},
                                      {"slice_groups", sliced, "--slice"},
                                      {"train_dataset", sliced, "--slice"},
                                      {"query_text", sliced || c->output_dir, "--slice or --output_dir"},
                                      {"worst", c->output_dir, "--output_dir"},
                                      {"overwrite", c->output_dir, "--output_dir"},
                                      {"run_tag", c->run_output, "--run_output"},
                                      {"collection_size", is_trec_eval(c), "-m or --format trec_eval"}};
    return opts_needs_check(ctx->set, needs, sizeof needs / sizeof needs[0]);
}

static int fail(const char *option, unsigned sources)
{
    struct buf b = {0};
    int rc = 0;
    bool first = true;
    for (unsigned i = 0; !rc && i < sizeof source_names / sizeof source_names[0]; i++) {
        bool last = sources >> (i + 1) == 0;
        if (sources >> i & 1) {
            rc = buf_printf(&b, "%s%s", first ? "" : last ? " or " : ", ", source_names[i]);
            first = false;
        }
    }
    rc = rc ? rc : err_set(RECO_E_USAGE, "--%s goes with %s", option, buf_str(&b));
    buf_release(&b);
    return rc;
}

/* What predict has too goes with a model, unless the table says more. */
static unsigned sources_of(const char *option, const struct cmd_spec *predict, bool *anywhere)
{
    *anywhere = false;
    for (size_t i = 0; i < sizeof companies / sizeof companies[0]; i++) {
        if (!strcmp(companies[i].option, option)) {
            *anywhere = companies[i].anywhere;
            return companies[i].sources;
        }
    }
    return predict && eval_has_option(predict, option) ? MODEL : ROWS | TREC;
}

static int check_files(const struct eval_command *c)
{
    const struct file_use uses[] = {{"predictions", c->predictions, false},
                                    {"events", c->events, false},
                                    {"qrels", c->qrels, false},
                                    {"run", c->run, false},
                                    {"item_popularity", c->item_popularity, false},
                                    {"calibration", c->calibration, false},
                                    {"threshold", c->threshold, false},
                                    {"predictions_output", c->predictions_output, true},
                                    {"junit", c->junit, true},
                                    {"run_output", c->run_output, true},
                                    {"qrels_output", c->qrels_output, true}};
    return file_uses_check(uses, sizeof uses / sizeof uses[0]);
}

int eval_company_check(const struct cmd_ctx *ctx, const struct eval_command *c)
{
    const struct cmd_spec *predict = cmd_find("predict");
    unsigned source = c->model ? MODEL : c->events ? EVENTS : c->run ? TREC : PREDICTIONS;
    for (const struct opt_spec *spec = ctx->cmd->options; spec->name; spec++) {
        bool anywhere;
        unsigned sources = sources_of(spec->name, predict, &anywhere);
        bool is_given = opt_origin_of(ctx->set, spec->name) == OPT_ORIGIN_FLAG;
        bool of_page = !strcmp(spec->name, "dataset") || !strcmp(spec->name, "split");
        if (sources & source || !(is_given || (anywhere && opt_is_set(ctx->set, spec->name)))) {
            continue;
        }
        if (of_page && source == PREDICTIONS && c->output_dir) {
            continue;
        }
        return of_page
                   ? err_set(RECO_E_USAGE, "--%s goes with --model, or with --predictions and --output_dir", spec->name)
                   : fail(spec->name, sources);
    }
    int rc = check_trec_eval(ctx, c);
    rc = rc ? rc : check_depths(ctx, c);
    rc = rc ? rc : check_needs(ctx, c);
    return rc ? rc : check_files(c);
}
