#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/decisions.h"
#include "cli/opts_predictions.h"
#include "core/mem.h"

struct threshold_command { /* not threshold_options, which is eval/threshold.h's */
    struct cmd_common common;
    char *predictions, *calibration, *output, *model, *label;
    int objective; /* enum threshold_objective */
    double beta, floor;
    struct opt_list costs;
    int format; /* enum decisions_format */
    struct predictions_source_options source;
};

#define AT(field) offsetof(struct threshold_command, field)

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct threshold_command),
    DECISIONS_PREDICTIONS_ROW(struct threshold_command),
    PREDICTIONS_SOURCE_ROWS(struct threshold_command, source),
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
    if (!o->output == !o->model) {
        return err_set(RECO_E_USAGE, "give %s: --output, a file, or --model, the model that made the predictions",
                       o->output ? "only one" : "one");
    }
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
    return 0;
}

static int print_rule(const struct threshold *t, struct buf *b)
{
    if (t->rule == THRESHOLD_RULE_COSTS) {
        return buf_add_str(b, "  predicted: the label of the least expected cost\n");
    }
    if (t->rule == THRESHOLD_RULE_RATIOS) {
        int rc = buf_add_str(b, "  predicted: the label with the greatest p / cut\n");
        for (int c = 0; !rc && c < t->labels.count; c++) {
            rc = buf_printf(b, "  cut of '%s': %.9g\n", t->labels.names[c], t->cuts[c]);
        }
        return rc;
    }
    const char *label = t->labels.names[t->label];
    int rc = isinf(t->cuts[0]) ? buf_printf(b, "  '%s' is never predicted\n", label)
                               : buf_printf(b, "  '%s' is predicted where its %s is at least %.9g\n", label,
                                            t->on_score ? "score" : "probability", t->cuts[0]);
    const char *key;
    json_t *value;
    json_object_foreach(t->chosen, key, value)
    {
        if (!rc && json_is_number(value)) {
            rc = buf_printf(b, "  %-14s %.6g\n", key, json_number_value(value));
        }
    }
    return rc;
}

static int print(const struct threshold_command *o, const struct threshold *t, const struct predictions *p,
                 const char *path)
{
    struct buf b = {0};
    int rc;
    if (o->format == DECISIONS_FORMAT_JSON) {
        json_t *json = threshold_to_json(t);
        char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
        rc = text ? buf_printf(&b, "%s\n", text) : err_nomem();
        free(text);
        json_decref(json);
    } else {
        rc = buf_printf(&b, "threshold by %s on %zu rows of '%s'\n\n", threshold_objective_names[t->objective],
                        decisions_labelled(p), o->predictions);
        rc = rc ? rc : print_rule(t, &b);
        rc = rc ? rc : buf_printf(&b, "\nwritten to %s\n", path);
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
    if (!rc) {
        rc = decisions_apply(&d, p, o->predictions);
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
        rc = predictions_source_open(&p, o->predictions, ctx, &o->source);
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
        "applied to others by reco predict or reco eval --threshold; predictions of the test split are refused.\n\n"
        "With more than two labels: F-beta gives every label a cut and predicts the one with the greatest p / cut; "
        "costs predict the label of the least expected cost, for which calibrated probabilities are needed; --label "
        "sets one label against the others.",
    .examples =
        "reco threshold --predictions val.tsv --objective precision --floor 0.9 --model run\n"
        "reco threshold --predictions val.tsv --objective cost --costs yes:no=5,no:yes=1 --output threshold.json\n"
        "reco eval --predictions test.tsv --threshold threshold.json",
    .options = options,
    .options_size = sizeof(struct threshold_command),
    .run = run,
};
