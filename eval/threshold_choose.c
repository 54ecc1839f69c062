/* Choosing a rule on validation predictions, and what it reaches there. */

#include <math.h>
#include <string.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "eval/calibrate.h"
#include "eval/sort.h"
#include "eval/threshold_internal.h"

/* ---- one cut ---- */

struct cut {
    double at, below; /* predicted when the number is at least at; the next lower number, NaN when there is none */
    double hits, predicted, support;
    double cost, cost_rounding; /* costs that differ by less are equal: the order of the rows changes nothing */
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
    return threshold_f_beta(c->hits, c->predicted, c->support, beta);
}

/* Is a cut better by the objective? Below a floor, one nearer to it is; with equal recall the greater precision counts.
 */
static bool better(const struct cut *now, const struct cut *best, const struct threshold_options *o)
{
    switch (o->objective) {
    case THRESHOLD_F_BETA:
        return f_beta_of(now, o->beta) > f_beta_of(best, o->beta);
    case THRESHOLD_COST:
        return now->cost < best->cost - now->cost_rounding;
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

/*
 * The cut lies a hair below the number that was seen, so that numbers which went through a file of nine digits fall on
 * the same side as they do before they are written.
 */
static double a_hair_below(const struct cut *c)
{
    const double digits = 1e-8;
    if (isinf(c->at)) {
        return c->at < 0 ? THRESHOLD_ALWAYS : DBL_MAX;
    }
    double hair = fabs(c->at) * digits;
    return c->at - (isfinite(c->below) ? fmin(hair, (c->at - c->below) / 2) : hair);
}

int threshold_choose_cut(double *cut, const struct threshold_options *o, const struct predictions *p, int class,
                         const double *saved)
{
    struct sort_item *memory = mem_realloc_array(NULL, 2 * p->rows + 1, sizeof *memory);
    if (!memory) {
        return RECO_E_NOMEM;
    }
    const double rounding = 1e-12;
    size_t rows = 0;
    struct cut now = {.at = NAN, .below = NAN};
    for (size_t row = 0; row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            memory[rows++] = (struct sort_item){sort_key(threshold_number(p, row, class)), (uint32_t)row};
            now.support += predictions_label(p, row) == class;
            now.cost_rounding += saved ? fabs(saved[row]) * rounding : 0;
        }
    }
    const struct sort_item *items = sort_items(memory, memory + rows, rows);
    struct cut best = now;
    for (size_t i = rows; i > 0;) {
        uint64_t key = items[i - 1].key;
        now.at = sort_number(key);
        for (; i > 0 && items[i - 1].key == key; i--) {
            size_t row = items[i - 1].payload;
            now.hits += predictions_label(p, row) == class;
            now.predicted++;
            now.cost -= saved ? saved[row] : 0;
        }
        now.below = i > 0 ? sort_number(items[i - 1].key) : NAN;
        if (better(&now, &best, o)) {
            best = now;
        }
    }
    mem_free(memory);
    if (!now.support) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: no row has the label '%s'", p->labels.names[class]);
    }
    *cut = best.predicted > 0 ? a_hair_below(&best) : THRESHOLD_NEVER;
    double reached = o->objective == THRESHOLD_PRECISION ? precision_of(&best) : recall_of(&best);
    if ((o->objective == THRESHOLD_PRECISION || o->objective == THRESHOLD_RECALL) && !(reached >= o->floor)) {
        return err_set(RECO_E_DATA, "no threshold of '%s' reaches a %s of %g; the greatest is %.6g",
                       p->labels.names[class], threshold_objective_names[o->objective], o->floor, reached);
    }
    return 0;
}

/* ---- the rules ---- */

static int cut_rule(struct threshold *t, const struct threshold_options *o, const struct predictions *p)
{
    double *saved = t->costs ? mem_calloc(p->rows + 1, sizeof *saved) : NULL;
    double *of_row = mem_calloc((size_t)p->labels.count, sizeof *of_row);
    t->rule = THRESHOLD_RULE_CUT;
    t->on_score = !predictions_has_p(p);
    t->cuts = mem_calloc(1, sizeof *t->cuts);
    int rc = of_row && t->cuts && (saved || !t->costs) ? 0 : RECO_E_NOMEM;
    for (size_t row = 0; !rc && saved && row < p->rows; row++) {
        if (predictions_label(p, row) >= 0) {
            threshold_row_p(p, row, of_row);
            const double *of_label = t->costs + predictions_label(p, row) * p->labels.count;
            saved[row] = of_label[threshold_best_but(t, predictions_has_p(p) ? of_row : NULL)] - of_label[t->label];
        }
    }
    if (!rc) {
        rc = threshold_choose_cut(t->cuts, o, p, t->label, saved);
    }
    mem_free(saved);
    mem_free(of_row);
    return rc;
}

static int ratios_rule(struct threshold *t, const struct threshold_options *o, const struct predictions *p)
{
    size_t n = (size_t)p->labels.count;
    const double least = 1e-9; /* a cut of 0 would always win */
    double *start = mem_calloc(n, sizeof *start);
    t->rule = THRESHOLD_RULE_RATIOS;
    t->cuts = mem_calloc(n, sizeof *t->cuts);
    int rc = start && t->cuts ? 0 : RECO_E_NOMEM;
    for (size_t c = 0; !rc && c < n; c++) {
        rc = threshold_choose_cut(&start[c], o, p, (int)c, NULL);
        start[c] = fmin(fmax(start[c], least), 1);
    }
    if (!rc) {
        rc = threshold_choose_ratios(t->cuts, start, o->beta, p);
    }
    mem_free(start);
    return rc;
}

/* ---- what a rule reaches, and what the most probable class would ---- */

struct reached {
    double rows, right, cost;
    double *hits, *predicted, *support; /* [classes] */
};

static int class_without(const struct predictions *p, size_t row)
{
    int best = 0;
    if (!predictions_has_p(p)) {
        return p->predicted ? predictions_predicted(p, row) : -1;
    }
    for (int c = 1; c < p->labels.count; c++) {
        best = predictions_p(p, row, c) > predictions_p(p, row, best) ? c : best;
    }
    return best;
}

/* t NULL: without a rule. */
static void reach(struct reached *r, const struct threshold *t, const double *costs, const struct predictions *p,
                  double *of_row)
{
    int n = p->labels.count;
    for (size_t row = 0; row < p->rows; row++) {
        int label = predictions_label(p, row);
        if (label < 0) {
            continue;
        }
        threshold_row_p(p, row, of_row);
        int class =
            t ? threshold_predict(t, of_row, t->on_score ? predictions_score(p, row) : 0) : class_without(p, row);
        r->rows++;
        r->right += class == label;
        r->cost += costs ? costs[label * n + class] : 0;
        r->support[label]++;
        r->predicted[class]++;
        r->hits[class] += class == label;
    }
}

static int set_number(json_t *json, const char *key, double number)
{
    return json_object_set_new(json, key, json_finite(number));
}

static int set_figures(json_t *json, const struct reached *r, const struct threshold *t, double beta)
{
    double f_beta = 0;
    double occur = 0;
    int bad = 0;
    for (int c = 0; c < t->labels.count; c++) {
        if (r->predicted[c] + r->support[c] > 0) { /* the mean, as f1_macro */
            f_beta += threshold_f_beta(r->hits[c], r->predicted[c], r->support[c], beta);
            occur++;
        }
    }
    if (t->rule == THRESHOLD_RULE_CUT) {
        int c = t->label;
        f_beta = threshold_f_beta(r->hits[c], r->predicted[c], r->support[c], beta);
        occur = 1;
        bad = set_number(json, "precision", r->predicted[c] > 0 ? r->hits[c] / r->predicted[c] : NAN) ||
              set_number(json, "recall", r->hits[c] / r->support[c]) ||
              json_object_set_new(json, "rows_predicted", json_integer((json_int_t)r->predicted[c]));
    }
    return bad || set_number(json, t->rule == THRESHOLD_RULE_CUT ? "f_beta" : "f_beta_macro", f_beta / occur) ||
           set_number(json, "accuracy", r->right / r->rows) || (t->costs && set_number(json, "cost", r->cost));
}

/* Adds the figures of the rule, or of no rule, to json. */
static int add_reached(json_t *json, const struct threshold *t, bool with, double beta, const struct predictions *p)
{
    size_t n = (size_t)p->labels.count;
    double *memory = mem_calloc(4 * n, sizeof *memory);
    if (!memory) {
        return RECO_E_NOMEM;
    }
    struct reached r = {.hits = memory, .predicted = memory + n, .support = memory + 2 * n};
    reach(&r, with ? t : NULL, t->costs, p, memory + 3 * n);
    int rc = set_figures(json, &r, t, beta) ? err_nomem() : 0;
    mem_free(memory);
    return rc;
}

static int describe(struct threshold *t, const struct threshold_options *o, const struct predictions *p)
{
    double beta = o->objective == THRESHOLD_F_BETA ? o->beta : 1;
    json_t *without = NULL;
    t->chosen = json_pack("{s:s}", "objective", threshold_objective_names[o->objective]);
    int rc = t->chosen ? 0 : err_nomem();
    if (!rc && o->objective == THRESHOLD_F_BETA && set_number(t->chosen, "beta", o->beta)) {
        rc = err_nomem();
    }
    if (!rc && (o->objective == THRESHOLD_PRECISION || o->objective == THRESHOLD_RECALL) &&
        set_number(t->chosen, "floor", o->floor)) {
        rc = err_nomem();
    }
    if (!rc) {
        rc = add_reached(t->chosen, t, true, beta, p);
    }
    if (!rc && (predictions_has_p(p) || p->predicted)) {
        without = json_object();
        rc = without ? add_reached(without, t, false, beta, p) : err_nomem();
        if (!rc && json_object_set(t->chosen, "without", without)) {
            rc = err_nomem();
        }
    }
    json_decref(without);
    return rc;
}

/* ---- choosing ---- */

static int check_data(const struct threshold_options *o, const struct predictions *p, int *label)
{
    if (!p->label || p->labels.count < 2) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: the task is a regression");
    }
    if (!predictions_has_p(p) && (p->labels.count > 2 || !predictions_has_score(p))) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: there are no columns 'p_<label>'%s",
                       p->labels.count > 2 ? "" : ", nor a score");
    }
    bool any = false;
    for (size_t row = 0; row < p->rows && !any; row++) {
        any = predictions_label(p, row) >= 0;
    }
    if (!any) {
        return err_set(RECO_E_DATA, "cannot choose a threshold: no row has a label");
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
        rc = cut_rule(out, o, p);
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
        rc = describe(out, o, p);
    }
    if (rc) {
        threshold_release(out);
    }
    return rc;
}
