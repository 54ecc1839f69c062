#include <float.h>
#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/decisions.h"
#include "cli/memory_limit.h"
#include "cli/opts_predictions.h"
#include "core/json_file.h"
#include "core/mem.h"

struct threshold_command { /* not threshold_options, which is eval/threshold.h's */
    struct cmd_common common;
    char *predictions, *calibration, *output, *model, *label;
    int objective; /* enum threshold_objective */
    double beta, floor;
    struct opt_list costs;
    int format; /* enum decisions_format */
    struct predictions_source_options source;
    struct memory_limit memory;
};

#define AT(field) offsetof(struct threshold_command, field)

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct threshold_command),
    DECISIONS_PREDICTIONS_ROW(struct threshold_command),
    PREDICTIONS_SOURCE_ROWS(struct threshold_command, source),
    MEMORY_LIMIT_ROWS(struct threshold_command, memory),
    {.name = "calibration",
     .type = OPT_STRING,
     .offset = AT(calibration),
     .help = "calibration to apply before choosing",
     .group = "data",
     .flags = OPT_FLAG_PATH},
    {.name = "objective",
     .type = OPT_CHOICE,
     .offset = AT(objective),
     .default_text = "f_beta",
     .choices = threshold_objective_names,
     .help = "f_beta: the greatest F-beta; precision or recall: the greatest of the other one with at least --floor; "
             "cost: the least cost",
     .group = "decision"},
    {.name = "beta",
     .type = OPT_DOUBLE,
     .offset = AT(beta),
     .default_text = "1",
     .min = 0.01,
     .max = 100,
     .help = "how many times recall counts as much as precision",
     .group = "decision"},
    {.name = "floor",
     .type = OPT_DOUBLE,
     .offset = AT(floor),
     .min = 0,
     .max = 1,
     .help = "least precision or recall",
     .group = "decision"},
    {.name = "label",
     .type = OPT_STRING,
     .offset = AT(label),
     .help = "label that is predicted from the threshold on; default: the positive one of two",
     .group = "decision"},
    {.name = "costs",
     .type = OPT_LIST,
     .offset = AT(costs),
     .help = "cost of a mistake, as label:predicted=cost; those that are not named cost 1, right answers 0",
     .group = "decision"},
    DECISIONS_OUTPUT_ROWS(struct threshold_command, "threshold"),
    {.name = NULL},
};

static int check(const struct cmd_ctx *ctx)
{
    const struct threshold_command *o = ctx->options;
    bool floored = o->objective == THRESHOLD_PRECISION || o->objective == THRESHOLD_RECALL;
    if (floored != opt_is_set(ctx->set, "floor")) {
        return err_set(RECO_E_USAGE,
                       floored ? "--objective %s needs --floor"
                               : "--floor goes with --objective precision or recall, not %s",
                       threshold_objective_names[o->objective]);
    }
    if (o->costs.count && o->objective != THRESHOLD_COST) {
        return err_set(RECO_E_USAGE, "--costs goes with --objective cost");
    }
    if (opt_is_set(ctx->set, "beta") && o->objective != THRESHOLD_F_BETA) {
        return err_set(RECO_E_USAGE, "--beta goes with --objective f_beta");
    }
    return decisions_output_check(o->output, o->model, o->predictions, o->calibration);
}

static int print_title(const struct threshold_command *o, const struct threshold *t, size_t rows, struct buf *b)
{
    int rc = buf_printf(b, "threshold by %s", threshold_objective_names[t->objective]);
    if (!rc && t->objective == THRESHOLD_F_BETA && o->beta != 1) {
        rc = buf_printf(b, " (beta %g)", o->beta);
    } else if (!rc && (t->objective == THRESHOLD_PRECISION || t->objective == THRESHOLD_RECALL)) {
        rc = buf_printf(b, " of at least %g", o->floor);
    }
    return rc ? rc : buf_printf(b, " on %zu rows of '%s'\n\n", rows, o->predictions);
}

static int print_rule(const struct threshold *t, struct buf *b)
{
    if (t->rule == THRESHOLD_RULE_COSTS) {
        return buf_add_str(b, "  predicted: the label of the least expected cost\n");
    }
    if (t->rule == THRESHOLD_RULE_RATIOS) {
        int rc = buf_add_str(b, "  predicted: the label with the greatest p / cut\n");
        for (int c = 0; !rc && c < t->labels.count; c++) {
            rc = buf_printf(b, "  cut of '%s': %.6g\n", t->labels.names[c], t->cuts[c]);
        }
        return rc;
    }
    const char *label = t->labels.names[t->label];
    if (isinf(t->cuts[0]) || t->cuts[0] <= -DBL_MAX) {
        return buf_printf(b, "  '%s' is %s predicted\n", label, isinf(t->cuts[0]) ? "never" : "always");
    }
    return buf_printf(b, "  '%s' is predicted where its %s is at least %.7g\n", label,
                      t->on_score ? "score" : "probability", t->cuts[0]);
}

static int print_figure(const json_t *value, struct buf *b)
{
    if (json_is_integer(value)) {
        return buf_printf(b, " %9lld", (long long)json_integer_value(value));
    }
    double number = json_number_value(value);
    return !json_is_real(value)     ? buf_printf(b, " %9s", "-")
           : fabs(number) < 1000000 ? buf_printf(b, " %9.4f", number)
                                    : buf_printf(b, " %9.3g", number);
}

/* What the rule reaches on the rows that it was chosen on, beside what they give without it. */
static int print_figures(const struct threshold *t, struct buf *b)
{
    const json_t *without = json_object_get(t->chosen, "without");
    const char *key;
    json_t *value;
    int rc = buf_printf(b, "\n  %-14s %9s%s\n", "", "reached", without ? "   without" : "");
    json_object_foreach(t->chosen, key, value)
    {
        if (rc || json_is_string(value) || json_is_object(value) || !strcmp(key, "beta") || !strcmp(key, "floor")) {
            continue;
        }
        rc = buf_printf(b, "  %-14s", key);
        rc = rc ? rc : print_figure(value, b);
        if (!rc && without) {
            rc = print_figure(json_object_get(without, key), b);
        }
        rc = rc ? rc : buf_add_char(b, '\n');
    }
    return rc || !without ? rc : buf_add_str(b, "\nwithout: the most probable label; ");
}

static int print(const struct threshold_command *o, const struct threshold *t, const struct predictions *p,
                 const char *path)
{
    struct buf b = {0};
    int rc;
    if (o->format == DECISIONS_FORMAT_JSON) {
        json_t *json = threshold_to_json(t);
        rc = buf_add_json(&b, json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
        json_decref(json);
    } else {
        rc = print_title(o, t, decisions_labelled(p), &b);
        rc = rc ? rc : print_rule(t, &b);
        rc = rc ? rc : print_figures(t, &b);
        rc = rc ? rc : buf_printf(&b, "new rows fare a little worse\nwritten to %s\n", path);
    }
    if (!rc) {
        rc = cmd_print(buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

static int choose(const struct threshold_command *o, struct threshold *t, struct predictions *p)
{
    struct decisions d = {0};
    size_t n = (size_t)p->labels.count;
    double *costs = NULL;
    struct threshold_options options_of_choice = {
        .objective = (enum threshold_objective)o->objective, .beta = o->beta, .floor = o->floor, .label = o->label};
    int rc = calibrate_check_split(p, o->predictions, "a threshold");
    if (!rc) {
        rc = decisions_open(&d, o->calibration, NULL, NULL);
    }
    if (!rc && d.calibrates) { /* on the same rows, as a rule: nothing to be told */
        rc = calibrate_predictions(&d.calibration, p, o->predictions);
    }
    if (!rc && o->objective == THRESHOLD_COST) {
        costs = mem_calloc(n * n + 1, sizeof *costs);
        rc = costs ? threshold_costs_parse(costs, &p->labels, (const char *const *)o->costs.items, o->costs.count)
                   : RECO_E_NOMEM;
        options_of_choice.costs = costs;
    }
    if (!rc) {
        rc = threshold_choose(t, &options_of_choice, p);
    }
    if (!rc) {
        rc = decisions_fitted_on(&t->fitted_on, o->predictions, p);
    }
    mem_free(costs);
    decisions_close(&d);
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct threshold_command *o = ctx->options;
    struct predictions *p = NULL;
    struct threshold t = {0};
    char *path = NULL;
    int rc = check(ctx);
    if (!rc) {
        rc = memory_limit_set(&o->memory);
    }
    if (!rc) {
        rc = decisions_predictions_open(&p, o->predictions, ctx, &o->source);
    }
    if (!rc) {
        rc = decisions_path(&path, o->output, o->model, DECISIONS_THRESHOLD_FILE, p);
    }
    if (!rc) {
        rc = choose(o, &t, p);
    }
    if (!rc) {
        rc = threshold_write(&t, path);
    }
    if (!rc) {
        rc = print(o, &t, p, path);
    }
    memory_limit_tell(&o->memory);
    threshold_release(&t);
    mem_free(path);
    predictions_free(p);
    return rc;
}

const struct cmd_spec cmd_threshold = {
    .name = "threshold",
    .summary = "choose the threshold of a decision, on validation predictions",
    .description =
        "Chooses from which probability on a label is predicted: for the greatest F-beta, for a floor of precision or "
        "recall, or for the least cost of mistakes. The choice is made on the predictions of the validation split and "
        "applied to others by reco predict or reco eval --threshold; those of the test and train splits are "
        "refused.\n\n"
        "With more than two labels: F-beta gives every label a cut and predicts the one with the greatest p / cut, by "
        "the cuts for which the mean F-beta of the labels is greatest; costs predict the label of the least expected "
        "cost, for which calibrated probabilities are needed; --label "
        "sets one label against the others.",
    .examples =
        "reco threshold --predictions val.tsv --objective precision --floor 0.9 --model run\n"
        "reco threshold --predictions val.tsv --objective cost --costs yes:no=5,no:yes=1 --output threshold.json\n"
        "reco eval --predictions test.tsv --threshold threshold.json",
    .options = options,
    .options_size = sizeof(struct threshold_command),
    .run = run,
};
