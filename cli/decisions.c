#include "cli/decisions.h"

#include <string.h>

#include "cli/output_file.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/hfdir.h"

const char *const decisions_format_choices[] = {"text", "json", NULL};

/* The path to read, NULL for none; the caller frees. */
static int resolve(char **out, const char *given, const char *model_dir, const char *name)
{
    *out = NULL;
    if (given) {
        if (!strcmp(given, "none")) {
            return 0;
        }
        *out = mem_strdup(given);
        return *out ? 0 : RECO_E_NOMEM;
    }
    if (!model_dir) {
        return 0;
    }
    *out = path_join(model_dir, name);
    if (!*out) {
        return RECO_E_NOMEM;
    }
    if (!file_exists(*out)) {
        mem_free(*out);
        *out = NULL;
    }
    return 0;
}

int decisions_open(struct decisions *d, const char *calibration, const char *threshold, const char *model_dir)
{
    char *calibration_path = NULL;
    char *threshold_path = NULL;
    int rc = resolve(&calibration_path, calibration, model_dir, DECISIONS_CALIBRATION_FILE);
    if (!rc && calibration_path) {
        rc = calibrate_read(&d->calibration, calibration_path);
        d->calibrates = !rc;
    }
    if (!rc) {
        rc = resolve(&threshold_path, threshold, model_dir, DECISIONS_THRESHOLD_FILE);
    }
    if (!rc && threshold_path) {
        rc = threshold_read(&d->threshold, threshold_path);
        d->thresholds = !rc;
    }
    mem_free(calibration_path);
    mem_free(threshold_path);
    return rc;
}

void decisions_close(struct decisions *d)
{
    if (d->calibrates) {
        calibrate_release(&d->calibration);
    }
    if (d->thresholds) {
        threshold_release(&d->threshold);
    }
    *d = (struct decisions){0};
}

int decisions_stamp(const struct decisions *d, json_t *sidecar)
{
    if (d->calibrates && json_object_set_new(sidecar, "calibration", calibrate_stamp(&d->calibration))) {
        return err_nomem();
    }
    if (d->thresholds && json_object_set_new(sidecar, "threshold", threshold_to_json(&d->threshold))) {
        return err_nomem();
    }
    return 0;
}

int decisions_check(const struct decisions *d, const struct label_map *labels, const char *path)
{
    json_t *stamp = json_object();
    int rc =
        stamp ? decisions_stamp(&(struct decisions){.calibration = d->calibration, .calibrates = d->calibrates}, stamp)
              : err_nomem();
    if (!rc && d->calibrates) {
        rc = calibrate_check_labels(&d->calibration, labels, path);
    }
    if (!rc && d->thresholds) {
        rc = threshold_check(&d->threshold, labels, true, stamp, path);
    }
    json_decref(stamp);
    return rc;
}

static const char *hash_in(const json_t *sidecar, const char *key)
{
    return json_string_value(json_object_get(json_object_get(sidecar, "hashes"), key));
}

static bool same(const char *a, const char *b)
{
    return a && b && !strcmp(a, b);
}

static void tell(const char *what, const json_t *fitted_on, const json_t *sidecar, const char *hash, const char *path)
{
    const char *model = json_string_value(json_object_get(fitted_on, "model_hash"));
    const char *split = json_string_value(json_object_get(fitted_on, "split"));
    if (model && hash_in(sidecar, "model") && !same(model, hash_in(sidecar, "model"))) {
        log_warn("'%s': the %s was fitted on predictions of another model", path, what);
    }
    bool same_rows = same(split, json_string_value(json_object_get(sidecar, "split"))) &&
                     same(json_string_value(json_object_get(fitted_on, "data_hash")), hash_in(sidecar, "data"));
    if (hash && (same_rows || same(hash, json_string_value(json_object_get(fitted_on, "predictions_hash"))))) {
        log_warn("'%s' holds the rows on which the %s was chosen; their figures flatter", path, what);
    }
}

void decisions_tell(const struct decisions *d, const json_t *sidecar, const char *hash, const char *path)
{
    if (d->calibrates) {
        tell("calibration", d->calibration.fitted_on, sidecar, hash, path);
    }
    if (d->thresholds) {
        tell("threshold", d->threshold.fitted_on, sidecar, hash, path);
    }
}

void decisions_tell_applied(const json_t *sidecar, const char *path)
{
    static const char *const names[] = {"calibration", "threshold"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        tell(names[i], json_object_get(json_object_get(sidecar, names[i]), "fitted_on"), sidecar, "", path);
    }
}

int decisions_apply(const struct decisions *d, struct predictions *p, const char *path)
{
    char hex[HASH_HEX_SIZE] = "";
    int rc = d->calibrates ? calibrate_predictions(&d->calibration, p, path) : 0;
    if (!rc && d->thresholds) {
        rc = threshold_predictions(&d->threshold, p, path);
    }
    if (!rc && (d->calibrates || d->thresholds) && strcmp(path, "-") != 0) {
        rc = hash_file_hex(path, hex);
    }
    if (!rc) {
        decisions_tell(d, p->sidecar, hex, path);
    }
    return rc;
}

int decisions_predictions_open(struct predictions **out, const char *path, const struct cmd_ctx *ctx,
                               const struct predictions_source_options *options)
{
    struct predictions_options how = {.no_lists = true, .threads = 1};
    struct predictions_source source;
    predictions_source_fill(&source, ctx, options);
    how.source = &source;
    return predictions_open(out, path, &how);
}

size_t decisions_labelled(const struct predictions *p)
{
    size_t rows = 0;
    for (size_t row = 0; p->label && row < p->rows; row++) {
        rows += predictions_label(p, row) >= 0;
    }
    return rows;
}

int decisions_fitted_on(json_t **out, const char *path, const struct predictions *p)
{
    char hex[HASH_HEX_SIZE] = "";
    if (strcmp(path, "-") != 0) {
        int rc = hash_file_hex(path, hex);
        if (rc) {
            return rc;
        }
    }
    *out = json_pack("{s:s, s:s*, s:I, s:s*, s:s*, s:s*}", "predictions", path, "predictions_hash", *hex ? hex : NULL,
                     "rows", (json_int_t)decisions_labelled(p), "split",
                     json_string_value(json_object_get(p->sidecar, "split")), "data_hash", hash_in(p->sidecar, "data"),
                     "model_hash", hash_in(p->sidecar, "model"));
    return *out ? 0 : err_set(RECO_E_USAGE, "the path '%s' is not UTF-8", path);
}

static int check_model(const char *model, const struct predictions *p)
{
    char hex[HASH_HEX_SIZE];
    char *weights = NULL;
    const char *made_by = hash_in(p->sidecar, "model");
    int rc = hf_dir_weights_path(&weights, model);
    if (!rc) {
        rc = hash_file_hex(weights, hex);
    }
    mem_free(weights);
    if (!rc && made_by && strcmp(made_by, hex) != 0) {
        return err_set(RECO_E_DATA, "the predictions were made by another model than '%s' holds", model);
    }
    if (!rc && !made_by) {
        log_warn("the predictions have no sidecar that names their model; taken to be of '%s'", model);
    }
    return rc;
}

int decisions_output_check(const char *output, const char *model, const char *predictions, const char *calibration)
{
    const struct file_use uses[] = {
        {"predictions", predictions, false}, {"calibration", calibration, false}, {"output", output, true}};
    if (!output == !model) {
        return err_set(RECO_E_USAGE, "give %s: --output, a file, or --model, the model that made the predictions",
                       output ? "only one" : "one");
    }
    return file_uses_check(uses, sizeof uses / sizeof uses[0]);
}

int decisions_path(char **out, const char *output, const char *model, const char *name, const struct predictions *p)
{
    *out = NULL;
    if (output) {
        *out = mem_strdup(output);
        return *out ? 0 : RECO_E_NOMEM;
    }
    int rc = check_model(model, p);
    if (!rc) {
        *out = path_join(model, name);
        rc = *out ? 0 : RECO_E_NOMEM;
    }
    return rc;
}
