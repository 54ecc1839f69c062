#include <math.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/decisions.h"
#include "cli/memory_limit.h"
#include "cli/opts_predictions.h"
#include "core/json_file.h"
#include "core/log.h"
#include "core/mem.h"
#include "eval/evaluate.h"

struct calibrate_options {
    struct cmd_common common;
    char *predictions, *output, *model;
    int method; /* enum calibrate_method */
    int format; /* enum decisions_format */
    struct predictions_source_options source;
    struct memory_limit memory;
};

#define AT(field) offsetof(struct calibrate_options, field)

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct calibrate_options),
    DECISIONS_PREDICTIONS_ROW(struct calibrate_options),
    PREDICTIONS_SOURCE_ROWS(struct calibrate_options, source),
    MEMORY_LIMIT_ROWS(struct calibrate_options, memory),
    {.name = "method",
     .type = OPT_CHOICE,
     .offset = AT(method),
     .default_text = "temperature",
     .choices = calibrate_method_names,
     .help = "temperature: one number, the order of the classes stays; platt: two numbers a class; isotonic: a rising "
             "step function a class, for thousands of rows",
     .group = "calibration"},
    DECISIONS_OUTPUT_ROWS(struct calibrate_options, "calibration"),
    {.name = NULL},
};

enum { FIGURES = 4 };
static const char *const figure_names[FIGURES] = {"log_loss", "brier", "ece", "ece_adaptive"};

struct measured {
    double figures[FIGURES]; /* NaN where undefined */
    struct calibrate_bin bins[CALIBRATE_BINS];
};

static int measure(struct measured *out, const struct predictions *p)
{
    struct eval_options asked;
    struct eval_report *report = NULL;
    eval_options_init(&asked);
    asked.metrics = figure_names;
    asked.metric_count = FIGURES;
    int rc = eval_run(&report, p, &asked);
    for (int i = 0; !rc && i < FIGURES; i++) {
        if (!eval_report_get(report, figure_names[i], &out->figures[i], NULL)) {
            out->figures[i] = NAN;
        }
    }
    eval_report_free(report);
    if (!rc) {
        calibrate_reliability(out->bins, CALIBRATE_BINS, p, CALIBRATE_TOP);
    }
    return rc;
}

static int print_text(const struct calibrate_options *o, const struct calibration *c, const struct predictions *p,
                      const struct measured *before, const struct measured *after, const char *path)
{
    struct buf b = {0};
    int rc =
        buf_printf(&b, "%s calibration on %zu rows of '%s'\n\n  %-14s %8s %8s\n", calibrate_method_names[c->method],
                   decisions_labelled(p), o->predictions, "", "before", "after");
    for (int i = 0; !rc && i < FIGURES; i++) {
        rc = buf_printf(&b, "  %-14s %8.4f %8.4f\n", figure_names[i], before->figures[i], after->figures[i]);
    }
    if (!rc && c->method == CALIBRATE_TEMPERATURE) {
        rc = buf_printf(&b, "\n  temperature    %8.4g: the probabilities were too %s\n", c->temperature,
                        c->temperature > 1 ? "sure" : "cautious");
    }
    if (!rc) {
        rc = buf_printf(&b, "\nafter: on the rows that it was fitted on; new rows fare a little worse\nwritten to %s\n",
                        path);
    }
    if (!rc) {
        rc = cmd_print(buf_str(&b));
    }
    buf_release(&b);
    return rc;
}

static int print_json(const struct calibration *c, const struct measured *before, const struct measured *after)
{
    json_t *json = calibrate_to_json(c);
    json_t *figures = json_object();
    int rc = json && figures ? 0 : err_nomem();
    for (int i = 0; !rc && i < FIGURES; i++) {
        json_t *pair =
            json_pack("{s:o, s:o}", "before", json_finite(before->figures[i]), "after", json_finite(after->figures[i]));
        rc = json_object_set_new(figures, figure_names[i], pair) ? err_nomem() : 0;
    }
    if (!rc && (json_object_set(json, "figures", figures) ||
                json_object_set_new(json, "reliability",
                                    json_pack("{s:o, s:o}", "before", calibrate_bins_json(before->bins, CALIBRATE_BINS),
                                              "after", calibrate_bins_json(after->bins, CALIBRATE_BINS))))) {
        rc = err_nomem();
    }
    struct buf b = {0};
    rc = rc ? rc : buf_add_json(&b, json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    rc = rc ? rc : cmd_print(buf_str(&b));
    buf_release(&b);
    json_decref(figures);
    json_decref(json);
    return rc;
}

static int calibrate(const struct calibrate_options *o, struct predictions *p)
{
    struct calibration c = {0};
    char *path = NULL;
    struct measured before;
    struct measured after;
    int rc = calibrate_check_split(p, o->predictions, "a calibration");
    if (!rc && calibrate_stamp_hash(p->sidecar)) {
        rc = err_set(RECO_E_USAGE, "'%s' is calibrated already: make the predictions with --calibration none",
                     o->predictions);
    }
    if (!rc) {
        rc = decisions_path(&path, o->output, o->model, DECISIONS_CALIBRATION_FILE, p);
    }
    if (!rc) {
        rc = calibrate_fit(&c, (enum calibrate_method)o->method, p);
    }
    if (!rc) {
        rc = decisions_fitted_on(&c.fitted_on, o->predictions, p);
    }
    if (!rc) {
        rc = measure(&before, p);
    }
    if (!rc) {
        rc = calibrate_predictions(&c, p, o->predictions);
    }
    if (!rc) {
        rc = measure(&after, p);
    }
    if (!rc) {
        rc = calibrate_write(&c, path);
    }
    if (!rc) {
        rc = o->format == DECISIONS_FORMAT_JSON ? print_json(&c, &before, &after)
                                                : print_text(o, &c, p, &before, &after, path);
    }
    calibrate_release(&c);
    mem_free(path);
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct calibrate_options *o = ctx->options;
    struct predictions *p = NULL;
    int rc = decisions_output_check(o->output, o->model, o->predictions, NULL);
    if (!rc) {
        rc = memory_limit_set(&o->memory);
    }
    if (!rc) {
        rc = decisions_predictions_open(&p, o->predictions, ctx, &o->source);
    }
    if (!rc) {
        rc = calibrate(o, p);
    }
    memory_limit_tell(&o->memory);
    predictions_free(p);
    return rc;
}

const struct cmd_spec cmd_calibrate = {
    .name = "calibrate",
    .summary = "fit probabilities to what happened, on validation predictions",
    .description =
        "Fits a calibration on the predictions of the validation split, so that of the rows with p = 0.8 about 80 in a "
        "hundred have the label. Predictions whose sidecar says that they are of the test split are refused, as a "
        "figure on the rows that a choice was made on flatters, and those of the train split, whose answers the model "
        "knows.\n\n"
        "With --model the calibration lies beside the weights and reco predict applies it from then on (the sidecar "
        "says so); with --output it is a file for reco eval --calibration or reco predict --calibration.",
    .examples = "reco predict --model run --dataset ds --split validation --calibration none --output val.tsv\n"
                "reco calibrate --predictions val.tsv --model run\n"
                "reco calibrate --predictions val.tsv --method isotonic --output calibration.json",
    .options = options,
    .options_size = sizeof(struct calibrate_options),
    .run = run,
};
