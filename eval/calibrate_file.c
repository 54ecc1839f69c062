#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/calibrate_internal.h"

#define FORMAT_NAME "reco calibration"
enum { FORMAT_VERSION = 1 };
#define FILE_BYTES_MAX ((size_t)1 << 30)

static json_t *numbers(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, json_real(values[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *knots_json(const struct calibration *c)
{
    json_t *array = json_array();
    for (int i = 0; array && i < c->curves; i++) {
        json_t *knots = json_pack("{s:o, s:o}", "x", numbers(c->knots[i].x, c->knots[i].count), "y",
                                  numbers(c->knots[i].y, c->knots[i].count));
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
        bad = json_object_set_new(json, "a", numbers(c->a, curves)) ||
              json_object_set_new(json, "b", numbers(c->b, curves));
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
    json_t *json = calibrate_to_json(c);
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    struct buf b = {0};
    int rc = text ? buf_printf(&b, "%s\n", text) : err_nomem();
    if (!rc) {
        rc = file_write_all(path, b.data, b.length);
    }
    buf_release(&b);
    free(text);
    json_decref(json);
    return rc;
}

/* ---- reading ---- */

/* An array of count finite numbers, allocated. */
static int read_numbers(double **out, const json_t *array, size_t count)
{
    if (!json_is_array(array) || json_array_size(array) != count) {
        return RECO_E_DATA;
    }
    double *values = mem_realloc_array(NULL, count + 1, sizeof *values);
    *out = values;
    if (!values) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        values[i] = json_number_value(item);
        if (!json_is_number(item) || !isfinite(values[i])) {
            return RECO_E_DATA;
        }
    }
    return 0;
}

static int read_knots(struct calibrate_knots *knots, const json_t *json)
{
    size_t count = json_array_size(json_object_get(json, "x"));
    int rc = count ? read_numbers(&knots->x, json_object_get(json, "x"), count) : RECO_E_DATA;
    if (!rc) {
        rc = read_numbers(&knots->y, json_object_get(json, "y"), count);
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
        int rc = read_numbers(&c->a, json_object_get(json, "a"), curves);
        return rc ? rc : read_numbers(&c->b, json_object_get(json, "b"), curves);
    }
    const json_t *array = json_object_get(json, "curves");
    c->knots = mem_calloc(curves, sizeof *c->knots);
    int rc = !c->knots ? RECO_E_NOMEM : json_array_size(array) == curves ? 0 : RECO_E_DATA;
    for (size_t i = 0; !rc && i < curves; i++) {
        rc = read_knots(&c->knots[i], json_array_get(array, i));
    }
    return rc;
}

static int from_json(struct calibration *out, const json_t *json)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    const char *method = json_string_value(json_object_get(json, "method"));
    if (!format || strcmp(format, FORMAT_NAME) != 0) {
        return err_set(RECO_E_DATA, "it is no calibration of reco");
    }
    if (json_integer_value(json_object_get(json, "version")) != FORMAT_VERSION) {
        return err_set(RECO_E_DATA, "its version is not %d", FORMAT_VERSION);
    }
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
    struct buf b = {0};
    json_error_t where;
    *out = (struct calibration){.temperature = 1};
    int rc = file_read_all(path, FILE_BYTES_MAX, &b);
    if (rc) {
        buf_release(&b);
        return rc;
    }
    json_t *json = json_loadb(buf_str(&b), b.length, JSON_REJECT_DUPLICATES, &where);
    if (json) {
        rc = from_json(out, json);
        rc = rc ? err_prepend(rc, "cannot read '%s'", path) : 0;
    } else {
        rc = err_set(RECO_E_DATA, "cannot parse '%s' line %d: %s", path, where.line, where.text);
    }
    json_decref(json);
    buf_release(&b);
    if (rc) {
        calibrate_release(out);
    }
    return rc;
}
