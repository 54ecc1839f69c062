#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "eval/calibrate_internal.h"
#include "eval/decision_file.h"

#define FORMAT_NAME "reco calibration"
enum { FORMAT_VERSION = 1 };

static json_t *knots_json(const struct calibration *c)
{
    json_t *array = json_array();
    for (int i = 0; array && i < c->curves; i++) {
        json_t *knots = json_pack("{s:o, s:o}", "x", decision_numbers(c->knots[i].x, c->knots[i].count), "y",
                                  decision_numbers(c->knots[i].y, c->knots[i].count));
        if (json_array_append_new(array, knots)) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *calibrate_to_json(const struct calibration *c)
{
    size_t curves = (size_t)c->curves;
    json_t *json = json_pack("{s:s, s:i, s:s, s:o}", "format", FORMAT_NAME, "version", FORMAT_VERSION, "method",
                             calibrate_method_names[c->method], "labels", label_map_to_json(&c->labels));
    int bad = json == NULL;
    if (!bad && c->method == CALIBRATE_TEMPERATURE) {
        bad = json_object_set_new(json, "temperature", json_real(c->temperature));
    } else if (!bad && c->method == CALIBRATE_PLATT) {
        bad = json_object_set_new(json, "a", decision_numbers(c->a, curves)) ||
              json_object_set_new(json, "b", decision_numbers(c->b, curves));
    } else if (!bad) {
        bad = json_object_set_new(json, "curves", knots_json(c));
    }
    if (!bad && c->fitted_on) {
        bad = json_object_set(json, "fitted_on", c->fitted_on);
    }
    if (bad) {
        json_decref(json);
        (void)err_nomem();
        return NULL;
    }
    return json;
}

int calibrate_write(const struct calibration *c, const char *path)
{
    return decision_file_write(calibrate_to_json(c), path);
}

/* ---- reading ---- */

static int read_knots(struct calibrate_knots *knots, const json_t *json)
{
    size_t count = json_array_size(json_object_get(json, "x"));
    int rc = count ? decision_numbers_read(&knots->x, json_object_get(json, "x"), count, false) : RECO_E_DATA;
    if (!rc) {
        rc = decision_numbers_read(&knots->y, json_object_get(json, "y"), count, false);
    }
    for (size_t i = 0; !rc && i < count; i++) {
        bool rises = !i || (knots->x[i] > knots->x[i - 1] && knots->y[i] >= knots->y[i - 1]);
        rc = rises && knots->y[i] >= 0 && knots->y[i] <= 1 ? 0 : RECO_E_DATA;
    }
    knots->count = count;
    return rc;
}

static int read_parameters(struct calibration *c, const json_t *json)
{
    size_t curves = (size_t)c->curves;
    if (c->method == CALIBRATE_TEMPERATURE) {
        c->temperature = json_number_value(json_object_get(json, "temperature"));
        return c->temperature > 0 && isfinite(c->temperature) ? 0 : RECO_E_DATA;
    }
    if (c->method == CALIBRATE_PLATT) {
        int rc = decision_numbers_read(&c->a, json_object_get(json, "a"), curves, false);
        return rc ? rc : decision_numbers_read(&c->b, json_object_get(json, "b"), curves, false);
    }
    const json_t *array = json_object_get(json, "curves");
    c->knots = mem_calloc(curves, sizeof *c->knots);
    int rc = !c->knots ? RECO_E_NOMEM : json_array_size(array) == curves ? 0 : RECO_E_DATA;
    for (size_t i = 0; !rc && i < curves; i++) {
        rc = read_knots(&c->knots[i], json_array_get(array, i));
    }
    return rc;
}

static int from_json(void *to, const json_t *json)
{
    struct calibration *out = to;
    const char *method = json_string_value(json_object_get(json, "method"));
    int rc = label_map_from_json(&out->labels, json_object_get(json, "labels"));
    if (rc) {
        return rc;
    }
    bool known = false;
    for (int i = 0; calibrate_method_names[i] && method; i++) {
        if (!strcmp(calibrate_method_names[i], method)) {
            out->method = (enum calibrate_method)i;
            known = true;
        }
    }
    if (!known || out->labels.count < 2) {
        return err_set(RECO_E_DATA, "its method or labels are not known");
    }
    out->curves = out->labels.count == 2 ? 1 : out->labels.count;
    rc = read_parameters(out, json);
    if (rc == RECO_E_DATA) {
        return err_set(RECO_E_DATA, "the parameters of its method '%s' are missing or out of range", method);
    }
    out->fitted_on = rc ? NULL : json_incref(json_object_get(json, "fitted_on"));
    return rc;
}

int calibrate_read(struct calibration *out, const char *path)
{
    *out = (struct calibration){.temperature = 1};
    int rc = decision_file_read(path, "calibration", FORMAT_VERSION, from_json, out);
    if (rc) {
        calibrate_release(out);
    }
    return rc;
}
