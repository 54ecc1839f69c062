#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/decision_file.h"
#include "eval/threshold.h"

#define FORMAT_NAME "reco threshold"
enum { FORMAT_VERSION = 1 };

static const char *const rule_names[] = {"cut", "ratios", "costs", NULL};

static size_t cut_count(const struct threshold *t)
{
    return t->rule == THRESHOLD_RULE_CUT ? 1 : t->rule == THRESHOLD_RULE_RATIOS ? (size_t)t->labels.count : 0;
}

json_t *threshold_to_json(const struct threshold *t)
{
    size_t n = (size_t)t->labels.count;
    json_t *json = json_pack("{s:s, s:i, s:s, s:o, s:o*, s:O*, s:O*, s:s*}", "format", FORMAT_NAME, "version",
                             FORMAT_VERSION, "rule", rule_names[t->rule], "labels", label_map_to_json(&t->labels),
                             "costs", t->costs ? decision_numbers(t->costs, n * n) : NULL, "chosen", t->chosen,
                             "fitted_on", t->fitted_on, "calibration", t->calibration);
    int bad = json == NULL;
    if (!bad && t->rule == THRESHOLD_RULE_CUT) {
        bad = json_object_set_new(json, "label", json_string(t->labels.names[t->label])) ||
              json_object_set_new(json, "on", json_string(t->on_score ? "score" : "p"));
    }
    if (!bad && cut_count(t)) {
        bad = json_object_set_new(json, "cuts", decision_numbers(t->cuts, cut_count(t)));
    }
    if (bad) {
        json_decref(json);
        (void)err_nomem();
        return NULL;
    }
    return json;
}

int threshold_write(const struct threshold *t, const char *path)
{
    return decision_file_write(threshold_to_json(t), path);
}

/* ---- reading ---- */

static int read_rule(struct threshold *t, const json_t *json)
{
    size_t n = (size_t)t->labels.count;
    const char *rule = json_string_value(json_object_get(json, "rule"));
    const char *label = json_string_value(json_object_get(json, "label"));
    const char *on = json_string_value(json_object_get(json, "on"));
    size_t known = 0;
    while (rule && rule_names[known] && strcmp(rule_names[known], rule) != 0) {
        known++;
    }
    if (!rule || !rule_names[known]) {
        return RECO_E_DATA;
    }
    t->rule = (enum threshold_rule)known;
    int rc = 0;
    if (t->rule == THRESHOLD_RULE_CUT) {
        t->label = label ? label_map_find(&t->labels, label, strlen(label)) : -1;
        t->on_score = on && !strcmp(on, "score");
        rc = t->label >= 0 && !(t->on_score && n > 2) ? 0 : RECO_E_DATA;
    }
    if (!rc && cut_count(t)) {
        rc =
            decision_numbers_read(&t->cuts, json_object_get(json, "cuts"), cut_count(t), t->rule == THRESHOLD_RULE_CUT);
    }
    for (size_t i = 0; !rc && t->rule == THRESHOLD_RULE_RATIOS && i < n; i++) {
        rc = t->cuts[i] > 0 ? 0 : RECO_E_DATA;
    }
    if (!rc && (t->rule == THRESHOLD_RULE_COSTS || json_object_get(json, "costs"))) {
        rc = decision_numbers_read(&t->costs, json_object_get(json, "costs"), n * n, false);
    }
    return rc;
}

static int read_objective(struct threshold *t, const json_t *json)
{
    const char *objective = json_string_value(json_object_get(json_object_get(json, "chosen"), "objective"));
    for (int i = 0; objective && threshold_objective_names[i]; i++) {
        if (!strcmp(threshold_objective_names[i], objective)) {
            t->objective = (enum threshold_objective)i;
            return 0;
        }
    }
    return RECO_E_DATA;
}

static int from_json(void *to, const json_t *json)
{
    struct threshold *out = to;
    int rc = label_map_from_json(&out->labels, json_object_get(json, "labels"));
    if (rc) {
        return rc;
    }
    rc = out->labels.count >= 2 ? read_objective(out, json) : RECO_E_DATA;
    if (!rc) {
        rc = read_rule(out, json);
    }
    if (rc == RECO_E_DATA) {
        return err_set(RECO_E_DATA, "its rule is not known, or misses a part");
    }
    const char *calibration = json_string_value(json_object_get(json, "calibration"));
    if (!rc && calibration) {
        out->calibration = mem_strdup(calibration);
        rc = out->calibration ? 0 : RECO_E_NOMEM;
    }
    out->chosen = json_incref(json_object_get(json, "chosen"));
    out->fitted_on = json_incref(json_object_get(json, "fitted_on"));
    return rc;
}

int threshold_read(struct threshold *out, const char *path)
{
    *out = (struct threshold){.label = -1};
    int rc = decision_file_read(path, "threshold", FORMAT_VERSION, from_json, out);
    if (rc) {
        threshold_release(out);
    }
    return rc;
}
