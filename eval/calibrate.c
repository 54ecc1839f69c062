#include "eval/calibrate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "eval/calibrate_internal.h"

const char *const calibrate_method_names[] = {"temperature", "platt", "isotonic", NULL};

void calibrate_release(struct calibration *c)
{
    for (int i = 0; c->knots && i < c->curves; i++) {
        mem_free(c->knots[i].x);
        mem_free(c->knots[i].y);
    }
    mem_free(c->knots);
    mem_free(c->a);
    mem_free(c->b);
    label_map_release(&c->labels);
    json_decref(c->fitted_on);
    *c = (struct calibration){0};
}

int calibrate_check_split(const struct predictions *p, const char *path, const char *what)
{
    const char *split = json_string_value(json_object_get(p->sidecar, "split"));
    if (split && (!strcmp(split, "test") || !strcmp(split, "train"))) {
        return err_set(RECO_E_USAGE,
                       "'%s' are predictions of the %s split%s: choose %s on validation predictions (reco predict "
                       "--split validation)",
                       path, split, !strcmp(split, "train") ? ", whose answers the model knows" : "", what);
    }
    if (!split) {
        log_warn("'%s' has no sidecar that names its split; %s chosen on test rows flatters their figures", path, what);
    }
    return 0;
}

int calibrate_check_labels(const struct calibration *c, const struct label_map *labels, const char *path)
{
    char ours[HASH_HEX_SIZE];
    char theirs[HASH_HEX_SIZE];
    label_map_hash(&c->labels, ours);
    label_map_hash(labels, theirs);
    if (strcmp(ours, theirs) != 0) {
        return err_set(RECO_E_DATA, "the calibration was fitted for other labels than those of '%s'", path);
    }
    return 0;
}

/* ---- fitting ---- */

struct labelled {
    size_t rows, classes;
    int32_t *label; /* [rows] */
    double *column; /* [rows, classes] log probabilities, or [rows] of one class */
    bool *yes;      /* [rows] */
};

static int labelled_new(struct labelled *out, const struct predictions *p, size_t columns)
{
    out->classes = (size_t)p->labels.count;
    out->label = mem_realloc_array(NULL, p->rows + 1, sizeof *out->label);
    out->yes = mem_realloc_array(NULL, p->rows + 1, sizeof *out->yes);
    out->column = mem_realloc_array(NULL, p->rows * columns + 1, sizeof *out->column);
    return out->label && out->yes && out->column ? 0 : RECO_E_NOMEM;
}

static void labelled_free(struct labelled *l)
{
    mem_free(l->label);
    mem_free(l->column);
    mem_free(l->yes);
}

/*
 * Is the label the most probable one in every row? Then the surer the better, and no temperature is best. Not so where
 * all probabilities are equal, which no temperature changes.
 */
static bool is_always_right(const struct labelled *l)
{
    bool any = false;
    for (size_t row = 0; row < l->rows; row++) {
        const double *z = l->column + row * l->classes;
        for (size_t c = 0; c < l->classes; c++) {
            if (z[c] > z[l->label[row]]) {
                return false;
            }
            any = any || z[c] < z[l->label[row]];
        }
    }
    return any;
}

static int fit_temperature(struct calibration *out, const struct predictions *p)
{
    struct labelled l = {0};
    int rc = labelled_new(&l, p, (size_t)p->labels.count);
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            for (size_t c = 0; c < l.classes; c++) {
                double of_class = predictions_p(p, row, (int)c);
                l.column[l.rows * l.classes + c] = log(of_class > CALIBRATE_P_MIN ? of_class : CALIBRATE_P_MIN);
            }
            l.label[l.rows++] = predictions_label(p, row);
        }
    }
    if (!rc && is_always_right(&l)) {
        rc = err_set(RECO_E_DATA,
                     "cannot calibrate: the most probable label is right in all %zu rows, so that no "
                     "temperature is best",
                     l.rows);
    }
    if (!rc) {
        double inverse = calibrate_fit_inverse_temperature(l.column, l.label, l.rows, l.classes);
        if (inverse <= CALIBRATE_INVERSE_MIN * 1.01) {
            log_warn("the probabilities tell nothing of the labels: the temperature makes them all equal");
        }
        out->temperature = 1 / inverse;
    }
    labelled_free(&l);
    return rc;
}

static int class_of_curve(const struct calibration *c, int curve)
{
    return c->curves == 1 ? c->labels.positive : curve;
}

static int fit_curve(struct calibration *out, int curve, const struct predictions *p, struct labelled *l)
{
    int class = class_of_curve(out, curve);
    size_t hits = 0;
    l->rows = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            double of_class = predictions_p(p, row, class);
            l->yes[l->rows] = predictions_label(p, row) == class;
            l->column[l->rows] = out->method == CALIBRATE_PLATT ? calibrate_logit(of_class) : of_class;
            hits += l->yes[l->rows++];
        }
    }
    if (!hits || hits == l->rows) {
        return err_set(RECO_E_DATA, "cannot calibrate: %s row has the label '%s'", hits ? "every" : "no",
                       p->labels.names[class]);
    }
    if (out->method == CALIBRATE_PLATT) {
        calibrate_fit_platt(l->column, l->yes, l->rows, &out->a[curve], &out->b[curve]);
        return 0;
    }
    return calibrate_fit_isotonic(&out->knots[curve], l->column, l->yes, l->rows);
}

static int fit_curves(struct calibration *out, const struct predictions *p)
{
    struct labelled l = {0};
    size_t curves = (size_t)out->curves;
    int rc = labelled_new(&l, p, 1);
    if (!rc && out->method == CALIBRATE_PLATT) {
        out->a = mem_calloc(curves, sizeof *out->a);
        out->b = mem_calloc(curves, sizeof *out->b);
        rc = out->a && out->b ? 0 : RECO_E_NOMEM;
    } else if (!rc) {
        out->knots = mem_calloc(curves, sizeof *out->knots);
        rc = out->knots ? 0 : RECO_E_NOMEM;
    }
    for (int curve = 0; !rc && curve < out->curves; curve++) {
        rc = fit_curve(out, curve, p, &l);
    }
    labelled_free(&l);
    return rc;
}

int calibrate_fit(struct calibration *out, enum calibrate_method method, const struct predictions *p)
{
    *out = (struct calibration){.method = method, .temperature = 1};
    if (!p->label || !predictions_has_p(p)) {
        return err_set(RECO_E_DATA, "cannot calibrate: %s",
                       p->label ? "there are no columns 'p_<label>'" : "the task is a regression");
    }
    bool any = false;
    for (size_t row = 0; row < p->rows && !any; row++) {
        any = predictions_label(p, row) >= 0;
    }
    if (!any) {
        return err_set(RECO_E_DATA, "cannot calibrate: no row has a label");
    }
    int rc = label_map_copy(&out->labels, &p->labels);
    out->curves = p->labels.count == 2 ? 1 : p->labels.count;
    if (!rc) {
        rc = method == CALIBRATE_TEMPERATURE ? fit_temperature(out, p) : fit_curves(out, p);
    }
    if (rc) {
        calibrate_release(out);
    }
    return rc;
}

/* ---- applying ---- */

static void apply_temperature(double temperature, double *p, size_t classes)
{
    double top = -INFINITY;
    double sum = 0;
    for (size_t c = 0; c < classes; c++) {
        p[c] = log(p[c] > CALIBRATE_P_MIN ? p[c] : CALIBRATE_P_MIN) / temperature;
        top = fmax(top, p[c]);
    }
    for (size_t c = 0; c < classes; c++) {
        p[c] = exp(p[c] - top);
        sum += p[c];
    }
    for (size_t c = 0; c < classes; c++) {
        p[c] /= sum;
    }
}

static double apply_curve(const struct calibration *c, int curve, double p)
{
    if (c->method == CALIBRATE_ISOTONIC) {
        return calibrate_knots_at(&c->knots[curve], p);
    }
    double u = c->a[curve] * calibrate_logit(p) + c->b[curve];
    return u >= 0 ? exp(-u) / (1 + exp(-u)) : 1 / (1 + exp(u));
}

void calibrate_apply(const struct calibration *c, double *p)
{
    size_t classes = (size_t)c->labels.count;
    if (c->method == CALIBRATE_TEMPERATURE) {
        apply_temperature(c->temperature, p, classes);
        return;
    }
    if (c->curves == 1) {
        p[c->labels.positive] = apply_curve(c, 0, p[c->labels.positive]);
        p[1 - c->labels.positive] = 1 - p[c->labels.positive];
        return;
    }
    double sum = 0;
    for (size_t i = 0; i < classes; i++) {
        p[i] = apply_curve(c, (int)i, p[i]);
        sum += p[i];
    }
    for (size_t i = 0; i < classes; i++) {
        p[i] = sum > 0 ? p[i] / sum : 1 / (double)classes;
    }
}

/* ---- predictions ---- */

int calibrate_hash(const struct calibration *c, char hex[HASH_HEX_SIZE])
{
    json_t *json = calibrate_to_json(c);
    if (!json) {
        return RECO_E_NOMEM;
    }
    (void)json_object_del(json, "fitted_on");
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT);
    json_decref(json);
    if (!text) {
        return err_nomem();
    }
    hash_hex(text, strlen(text), hex);
    free(text);
    return 0;
}

json_t *calibrate_stamp(const struct calibration *c)
{
    char hex[HASH_HEX_SIZE];
    if (calibrate_hash(c, hex)) {
        return NULL;
    }
    return json_pack("{s:s, s:s, s:O*}", "method", calibrate_method_names[c->method], "hash", hex, "fitted_on",
                     c->fitted_on);
}

const char *calibrate_stamp_hash(const json_t *sidecar)
{
    return json_string_value(json_object_get(json_object_get(sidecar, "calibration"), "hash"));
}

static void apply_to_row(const struct calibration *c, struct predictions *p, size_t row)
{
    size_t classes = (size_t)p->labels.count;
    double *of_row = p->p + row * classes;
    calibrate_apply(c, of_row);
    if (p->predicted) {
        size_t best = 0;
        for (size_t i = 1; i < classes; i++) {
            best = of_row[i] > of_row[best] ? i : best;
        }
        p->predicted[row] = (int16_t)best;
    }
    if (p->score) {
        p->score[row] = label_map_score(&p->labels, of_row, 0);
    }
}

int calibrate_predictions(const struct calibration *c, struct predictions *p, const char *path)
{
    if (!predictions_has_p(p)) {
        return err_set(RECO_E_DATA, "cannot calibrate '%s': there are no columns 'p_<label>'", path);
    }
    if (calibrate_stamp_hash(p->sidecar)) {
        return err_set(RECO_E_DATA, "cannot calibrate '%s': its sidecar says that it is calibrated already", path);
    }
    int rc = calibrate_check_labels(c, &p->labels, path);
    if (!rc) {
        rc = predictions_widen(p);
    }
    if (rc) {
        return rc;
    }
    json_t *sidecar = p->sidecar ? json_incref(p->sidecar) : json_object();
    if (json_object_set_new(sidecar, "calibration", calibrate_stamp(c))) {
        json_decref(sidecar);
        return err_nomem();
    }
    json_decref(p->sidecar);
    p->sidecar = sidecar;
    for (size_t row = 0; row < p->rows; row++) {
        apply_to_row(c, p, row);
    }
    return 0;
}
