#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "eval/calibrate.h"
#include "eval/threshold_internal.h"

const char *const threshold_objective_names[] = {"f_beta", "precision", "recall", "cost", NULL};

void threshold_release(struct threshold *t)
{
    label_map_release(&t->labels);
    mem_free(t->cuts);
    mem_free(t->costs);
    mem_free(t->calibration);
    json_decref(t->chosen);
    json_decref(t->fitted_on);
    *t = (struct threshold){0};
}

/* ---- costs ---- */

/* "label:predicted=cost": labels may hold ':' and '=' themselves, so every place is tried. */
static int parse_assignment(double *costs, const struct label_map *labels, const char *text)
{
    size_t n = (size_t)labels->count;
    for (const char *equals = strrchr(text, '='); equals && equals > text; equals--) {
        double cost;
        if (*equals != '=' || !decimal_parse(equals + 1, strlen(equals + 1), &cost) || !isfinite(cost)) {
            continue;
        }
        for (const char *colon = text; colon < equals; colon++) {
            int label = *colon == ':' ? label_map_find(labels, text, (size_t)(colon - text)) : -1;
            int predicted = label >= 0 ? label_map_find(labels, colon + 1, (size_t)(equals - colon - 1)) : -1;
            if (predicted >= 0) {
                double *of_pair = &costs[(size_t)label * n + (size_t)predicted];
                if (!isnan(*of_pair)) {
                    return err_set(RECO_E_USAGE, "cost '%s': that of label '%s' predicted as '%s' is given twice", text,
                                   labels->names[label], labels->names[predicted]);
                }
                *of_pair = cost;
                return 0;
            }
        }
    }
    return err_set(RECO_E_USAGE, "cost '%s' is not label:predicted=cost with two of the labels and a number", text);
}

int threshold_costs_parse(double *costs, const struct label_map *labels, const char *const *assignments, size_t count)
{
    size_t n = (size_t)labels->count;
    int rc = 0;
    for (size_t i = 0; i < n * n; i++) {
        costs[i] = NAN;
    }
    for (size_t i = 0; !rc && i < count; i++) {
        rc = parse_assignment(costs, labels, assignments[i]);
    }
    for (size_t i = 0; i < n * n; i++) {
        costs[i] = !isnan(costs[i]) ? costs[i] : i / n != i % n;
    }
    return rc;
}

double threshold_cost(const struct predictions *p, const double *costs)
{
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            sum += costs[predictions_label(p, row) * p->labels.count + predictions_predicted(p, row)];
        }
    }
    return sum;
}

/* ---- the rules ---- */

int threshold_best_but(const struct threshold *t, const double *p)
{
    int best = t->label ? 0 : 1;
    for (int c = 0; p && c < t->labels.count; c++) {
        best = c != t->label && p[c] > p[best] ? c : best;
    }
    return best;
}

int threshold_predict(const struct threshold *t, const double *p, double score)
{
    int n = t->labels.count;
    if (t->rule == THRESHOLD_RULE_CUT) {
        double number = !t->on_score ? p[t->label] : t->label == t->labels.positive ? score : -score;
        bool is_it = t->cuts[0] <= THRESHOLD_ALWAYS || (number >= t->cuts[0] && t->cuts[0] != THRESHOLD_NEVER);
        return is_it ? t->label : threshold_best_but(t, p);
    }
    int best = 0;
    double least = INFINITY;
    for (int c = 0; c < n; c++) {
        double loss = -p[c] / (t->cuts ? t->cuts[c] : 1);
        if (t->rule == THRESHOLD_RULE_COSTS) {
            loss = 0;
            for (int label = 0; label < n; label++) {
                loss += p[label] * t->costs[label * n + c];
            }
        }
        if (loss < least) {
            least = loss;
            best = c;
        }
    }
    return best;
}

double threshold_number(const struct predictions *p, size_t row, int class)
{
    if (predictions_has_p(p)) {
        return predictions_p(p, row, class);
    }
    double score = predictions_score(p, row);
    return class == p->labels.positive ? score : -score;
}

void threshold_row_p(const struct predictions *p, size_t row, double *to)
{
    for (int c = 0; predictions_has_p(p) && c < p->labels.count; c++) {
        to[c] = predictions_p(p, row, c);
    }
}

/* ---- applying ---- */

int threshold_check(const struct threshold *t, const struct label_map *labels, bool has_p, const json_t *sidecar,
                    const char *path)
{
    char ours[HASH_HEX_SIZE];
    char theirs[HASH_HEX_SIZE];
    label_map_hash(&t->labels, ours);
    label_map_hash(labels, theirs);
    if (strcmp(ours, theirs) != 0) {
        return err_set(RECO_E_DATA, "the threshold was chosen for other labels than those of '%s'", path);
    }
    if (!t->on_score && !has_p) {
        return err_set(RECO_E_DATA, "the threshold is one of probabilities, which '%s' has not", path);
    }
    const char *calibration = calibrate_stamp_hash(sidecar);
    if (!t->calibration != !calibration || (calibration && strcmp(calibration, t->calibration) != 0)) {
        return err_set(
            RECO_E_DATA,
            "the threshold was chosen on %s probabilities, those of '%s' are %s: choose it with reco threshold "
            "--calibration, the same that is applied here, or without",
            t->calibration ? "calibrated" : "raw", path,
            !calibration     ? "not calibrated"
            : t->calibration ? "calibrated otherwise"
                             : "calibrated");
    }
    return 0;
}

int threshold_predictions(const struct threshold *t, struct predictions *p, const char *path)
{
    int rc = threshold_check(t, &p->labels, predictions_has_p(p), p->sidecar, path);
    if (!rc && t->on_score && !predictions_has_score(p)) {
        rc = err_set(RECO_E_DATA, "the threshold is one of scores, which '%s' has not", path);
    }
    if (rc) {
        return rc;
    }
    double *of_row = mem_calloc((size_t)p->labels.count, sizeof *of_row);
    if (!p->predicted) {
        p->predicted = mem_calloc(p->rows + 1, sizeof *p->predicted);
    }
    json_t *json = threshold_to_json(t);
    json_t *sidecar = p->sidecar ? json_incref(p->sidecar) : json_object();
    rc = of_row && p->predicted ? 0 : RECO_E_NOMEM;
    if (!rc && (!json || json_object_set(sidecar, "threshold", json))) {
        rc = err_nomem();
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        threshold_row_p(p, row, of_row);
        p->predicted[row] = (int16_t)threshold_predict(t, of_row, t->on_score ? predictions_score(p, row) : 0);
    }
    if (!rc) {
        json_decref(p->sidecar);
        p->sidecar = sidecar;
        sidecar = NULL;
    }
    json_decref(sidecar);
    json_decref(json);
    mem_free(of_row);
    return rc;
}
