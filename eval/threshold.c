#include "eval/threshold.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "eval/calibrate.h"
#include "eval/sort.h"

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
                costs[(size_t)label * n + (size_t)predicted] = cost;
                return 0;
            }
        }
    }
    return err_set(RECO_E_USAGE, "cost '%s' is not label:predicted=cost with two of the labels and a number", text);
}

int threshold_costs_parse(double *costs, const struct label_map *labels, const char *const *assignments, size_t count)
{
    size_t n = (size_t)labels->count;
    for (size_t i = 0; i < n * n; i++) {
        costs[i] = i / n != i % n;
    }
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = parse_assignment(costs, labels, assignments[i]);
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

/* ---- choosing one cut ---- */

struct cut {
    double at; /* predicted when the number is at least this; INFINITY: never */
    double hits, predicted, support;
    double cost;
};

static double precision_of(const struct cut *c)
{
    return c->predicted > 0 ? c->hits / c->predicted : NAN;
}

static double recall_of(const struct cut *c)
{
    return c->hits / c->support;
}

static double f_beta_of(const struct cut *c, double beta)
{
    double b = beta * beta;
    return (1 + b) * c->hits / (b * c->support + c->predicted);
}

/* Is a cut better by the objective? Below a floor, one nearer to it is; with equal recall the greater precision counts.
 */
static bool better(const struct cut *now, const struct cut *best, const struct threshold_options *o)
{
    switch (o->objective) {
    case THRESHOLD_F_BETA:
        return f_beta_of(now, o->beta) > f_beta_of(best, o->beta);
    case THRESHOLD_COST:
        return now->cost < best->cost;
    case THRESHOLD_PRECISION:
        if (!(precision_of(now) >= o->floor) || !(precision_of(best) >= o->floor)) {
            return precision_of(now) >= o->floor || (!(precision_of(best) >= precision_of(now)) && now->predicted > 0);
        }
        return now->hits > best->hits || (now->hits == best->hits && precision_of(now) > precision_of(best));
    case THRESHOLD_RECALL:
        if (!(recall_of(now) >= o->floor) || !(recall_of(best) >= o->floor)) {
            return recall_of(now) > recall_of(best);
        }
        return precision_of(now) > precision_of(best);
    }
    return false;
}

static double number_of(const struct predictions *p, size_t row, int class)
{
    return predictions_has_p(p)
               ? predictions_p(p, row, class)
               : (class == p->labels.positive ? predictions_score(p, row) : -predictions_score(p, row));
}

/* saved [rows]: what a row's cost falls by when it is predicted to be of the class; NULL without costs. */
static int choose_cut(struct cut *best, const struct threshold_options *o, const struct predictions *p, int class,
                      const double *saved)
{
    struct sort_item *memory = mem_realloc_array(NULL, 2 * p->rows + 1, sizeof *memory);
    if (!memory) {
        return RECO_E_NOMEM;
    }
    size_t rows = 0;
    struct cut now = {.at = INFINITY};
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            memory[rows++] = (struct sort_item){sort_key(number_of(p, row, class)), (uint32_t)row};
            now.support += predictions_label(p, row) == class;
        }
    }
    const struct sort_item *items = sort_items(memory, memory + rows, rows);
    *best = now;
    for (size_t i = rows; i > 0;) {
        uint64_t key = items[i - 1].key;
        for (; i > 0 && items[i - 1].key == key; i--) {
            size_t row = items[i - 1].payload;
            now.at = number_of(p, row, class);
            now.hits += predictions_label(p, row) == class;
            now.predicted++;
            now.cost -= saved ? saved[row] : 0;
        }
        if (better(&now, best, o)) {
            *best = now;
        }
    }
    mem_free(memory);
    if (!now.support) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: no row has the label '%s'", p->labels.names[class]);
    }
    return 0;
}

/* ---- the rules ---- */

/* The most probable class but one; of two classes the other. */
static int best_but(const struct threshold *t, const double *p)
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
        return number >= t->cuts[0] ? t->label : best_but(t, p);
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

static void row_p(const struct predictions *p, size_t row, double *to)
{
    for (int c = 0; predictions_has_p(p) && c < p->labels.count; c++) {
        to[c] = predictions_p(p, row, c);
    }
}

static int cut_rule(struct threshold *t, const struct threshold_options *o, const struct predictions *p,
                    struct cut *best)
{
    double *saved = NULL;
    double *of_row = mem_calloc((size_t)p->labels.count, sizeof *of_row);
    double rest = 0; /* the cost when the class is never predicted */
    int rc = of_row ? 0 : RECO_E_NOMEM;
    t->rule = THRESHOLD_RULE_CUT;
    t->on_score = !predictions_has_p(p);
    t->cuts = mem_calloc(1, sizeof *t->cuts);
    if (!rc && t->costs) {
        saved = mem_calloc(p->rows + 1, sizeof *saved);
        rc = saved ? 0 : RECO_E_NOMEM;
    }
    if (!rc && !t->cuts) {
        rc = RECO_E_NOMEM;
    }
    for (size_t row = 0; !rc && saved && row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            row_p(p, row, of_row);
            const double *of_label = t->costs + predictions_label(p, row) * p->labels.count;
            double other = of_label[best_but(t, predictions_has_p(p) ? of_row : NULL)];
            saved[row] = other - of_label[t->label];
            rest += other;
        }
    }
    if (!rc) {
        rc = choose_cut(best, o, p, t->label, saved);
    }
    if (!rc) {
        best->cost += rest;
        t->cuts[0] = best->at;
    }
    mem_free(saved);
    mem_free(of_row);
    return rc;
}

static int ratios_rule(struct threshold *t, const struct threshold_options *o, const struct predictions *p)
{
    size_t n = (size_t)p->labels.count;
    t->rule = THRESHOLD_RULE_RATIOS;
    t->cuts = mem_calloc(n, sizeof *t->cuts);
    int rc = t->cuts ? 0 : RECO_E_NOMEM;
    for (size_t c = 0; !rc && c < n; c++) {
        struct cut best = {0};
        rc = choose_cut(&best, o, p, (int)c, NULL);
        t->cuts[c] = best.at > 1e-9 ? best.at : 1e-9; /* a cut of 0 would always win */
    }
    return rc;
}

static json_t *number_json(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *chosen_json(const struct threshold *t, const struct threshold_options *o, const struct cut *best)
{
    json_t *json = json_pack("{s:s}", "objective", threshold_objective_names[o->objective]);
    int bad = json == NULL;
    if (!bad && o->objective == THRESHOLD_F_BETA) {
        bad = json_object_set_new(json, "beta", json_real(o->beta));
    } else if (!bad && o->objective != THRESHOLD_COST) {
        bad = json_object_set_new(json, "floor", json_real(o->floor));
    }
    if (!bad && t->rule == THRESHOLD_RULE_CUT) {
        bad = json_object_set_new(json, "precision", number_json(precision_of(best))) ||
              json_object_set_new(json, "recall", number_json(recall_of(best))) ||
              json_object_set_new(json, "f_beta",
                                  number_json(f_beta_of(best, o->objective == THRESHOLD_F_BETA ? o->beta : 1))) ||
              json_object_set_new(json, "rows_predicted", json_integer((json_int_t)best->predicted)) ||
              (t->costs && json_object_set_new(json, "cost", number_json(best->cost)));
    }
    if (bad) {
        json_decref(json);
        (void)err_nomem();
        return NULL;
    }
    return json;
}

static int check_floor(const struct threshold_options *o, const struct cut *best, const char *label)
{
    double reached = o->objective == THRESHOLD_PRECISION ? precision_of(best) : recall_of(best);
    if ((o->objective == THRESHOLD_PRECISION || o->objective == THRESHOLD_RECALL) && !(reached >= o->floor)) {
        return err_set(RECO_E_DATA, "no threshold of '%s' reaches a %s of %g; the greatest is %.6g", label,
                       threshold_objective_names[o->objective], o->floor, reached);
    }
    return 0;
}

static int check_data(const struct threshold_options *o, const struct predictions *p, int *label)
{
    if (!p->label || p->labels.count < 2 ||
        (!predictions_has_p(p) && (p->labels.count > 2 || !predictions_has_score(p)))) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: %s",
                       !p->label || p->labels.count < 2 ? "the task is a regression"
                                                        : "there are no columns 'p_<label>'");
    }
    *label = p->labels.count == 2 ? p->labels.positive : -1;
    if (o->label) {
        *label = label_map_find(&p->labels, o->label, strlen(o->label));
        if (*label < 0) {
            return err_set(RECO_E_USAGE, "unknown label '%s'", o->label);
        }
    }
    if (*label < 0 && (o->objective == THRESHOLD_PRECISION || o->objective == THRESHOLD_RECALL)) {
        return err_set(RECO_E_USAGE, "a %s floor of more than two labels needs --label, the one that it is for",
                       threshold_objective_names[o->objective]);
    }
    return 0;
}

int threshold_choose(struct threshold *out, const struct threshold_options *o, const struct predictions *p)
{
    struct cut best = {0};
    *out = (struct threshold){.objective = o->objective, .label = -1};
    int rc = check_data(o, p, &out->label);
    if (!rc) {
        rc = label_map_copy(&out->labels, &p->labels);
    }
    if (!rc && (o->costs || o->objective == THRESHOLD_COST)) {
        size_t n = (size_t)p->labels.count;
        out->costs = mem_calloc(n * n, sizeof *out->costs);
        rc = out->costs ? threshold_costs_parse(out->costs, &p->labels, NULL, 0) : RECO_E_NOMEM;
        if (!rc && o->costs) {
            memcpy(out->costs, o->costs, n * n * sizeof *out->costs);
        }
    }
    if (!rc && out->label >= 0) {
        rc = cut_rule(out, o, p, &best);
        rc = rc ? rc : check_floor(o, &best, p->labels.names[out->label]);
    } else if (!rc && o->objective == THRESHOLD_F_BETA) {
        rc = ratios_rule(out, o, p);
    } else if (!rc) {
        out->rule = THRESHOLD_RULE_COSTS;
    }
    const char *calibration = calibrate_stamp_hash(p->sidecar);
    if (!rc && calibration) {
        out->calibration = mem_strdup(calibration);
        rc = out->calibration ? 0 : RECO_E_NOMEM;
    }
    if (!rc) {
        out->chosen = chosen_json(out, o, &best);
        rc = out->chosen ? 0 : RECO_E_NOMEM;
    }
    if (rc) {
        threshold_release(out);
    }
    return rc;
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
        return err_set(RECO_E_DATA, "the threshold was chosen on %s probabilities, those of '%s' are %s",
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
        row_p(p, row, of_row);
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
