#include "eval/arms.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt.h"
#include "data/utf8.h"
#include "eval/interval.h"
#include "eval/paired_distribution.h"
#include "eval/report.h"
#include "eval/tally.h"

enum { ARMS_MAX = 1000 };
#define NO_ARM UINT32_MAX

void eval_arms_free(struct eval_arms *arms)
{
    if (arms) {
        mem_free(arms->names);
        mem_free(arms->rows);
        mem_free(arms->units);
        mem_free(arms->figures);
        mem_free(arms->values);
        text_store_release(&arms->texts);
        mem_free(arms);
    }
}

/* ---- which row is of which arm ---- */

struct named {
    const char *name;
    uint32_t number;
};

static int compare_named(const void *left, const void *right)
{
    return strcmp(((const struct named *)left)->name, ((const struct named *)right)->name);
}

/* Names and numbers in the order of first sight. */
static int find_names(struct eval_arms *arms, const struct predictions *p, const char *const *texts,
                      uint32_t *arm_of_row)
{
    struct text_index index = {0};
    size_t capacity = 0;
    int rc = 0;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        uint32_t number = NO_ARM;
        if (*texts[row]) {
            rc = mem_grow((void **)&arms->names, &capacity, arms->count + 1, sizeof *arms->names);
            rc = rc ? rc
                    : text_index_enter(&index, arms->names, (uint32_t)arms->count, texts[row], strlen(texts[row]),
                                       &number);
        }
        if (!rc && *texts[row] && number == TEXT_INDEX_NONE) {
            number = (uint32_t)arms->count;
            arms->names[arms->count++] = texts[row];
            rc = arms->count > ARMS_MAX ? err_set(RECO_E_USAGE, "column '%s' has over %d values: these are no arms",
                                                  arms->column, ARMS_MAX)
                                        : 0;
        }
        arms->left_out += !*texts[row];
        arm_of_row[row] = number;
    }
    text_index_release(&index);
    return rc || arms->count ? rc : err_set(RECO_E_USAGE, "column '%s' is empty: there are no arms", arms->column);
}

/* In the order of bytes, the control first. */
static int sort_names(struct eval_arms *arms, size_t rows, uint32_t *arm_of_row)
{
    struct named order[ARMS_MAX];
    uint32_t rank[ARMS_MAX];
    size_t control = 0;
    for (size_t i = 0; i < arms->count; i++) {
        order[i] = (struct named){arms->names[i], (uint32_t)i};
    }
    qsort(order, arms->count, sizeof *order, compare_named);
    while (arms->control && control < arms->count && strcmp(order[control].name, arms->control) != 0) {
        control++;
    }
    if (control == arms->count) {
        const char *near = opt_nearest(arms->control, arms->names, arms->count);
        return err_set(RECO_E_USAGE, "column '%s' has no arm '%s'; did you mean '%s'?", arms->column, arms->control,
                       near ? near : order[0].name);
    }
    struct named first = order[control];
    memmove(order + 1, order, control * sizeof *order);
    order[0] = first;
    for (size_t i = 0; i < arms->count; i++) {
        arms->names[i] = order[i].name;
        rank[order[i].number] = (uint32_t)i;
    }
    for (size_t row = 0; row < rows; row++) {
        arm_of_row[row] = arm_of_row[row] == NO_ARM ? NO_ARM : rank[arm_of_row[row]];
    }
    return 0;
}

/* Bytes that are no UTF-8 become U+FFFD: pages and JSON have no place for them. */
static int make_valid(struct eval_arms *arms, const char **text)
{
    struct buf b = {0};
    int rc = utf8_add_valid(&b, *text);
    if (!rc && b.length && strcmp(buf_str(&b), *text) != 0) {
        const char *valid = text_store_add(&arms->texts, b.data, b.length);
        rc = valid ? 0 : RECO_E_NOMEM;
        *text = valid ? valid : *text;
    }
    buf_release(&b);
    return rc;
}

static int make_names_valid(struct eval_arms *arms)
{
    int rc = make_valid(arms, &arms->column);
    for (size_t i = 0; !rc && i < arms->count; i++) {
        rc = make_valid(arms, &arms->names[i]);
    }
    arms->control = arms->names[0];
    return rc;
}

/* ---- sums by arm ---- */

struct arm_sums {
    double n, d;
    double nn, nd, dd; /* products of a unit's sums */
    /* of the units that are in the control too: own n and d by those of the control */
    double cross_nn, cross_nd, cross_dn, cross_dd;
    size_t units, shared; /* with a denominator; of them, with one in the control too */
};

/* A walk over the rows, unit by unit. */
struct arm_walk {
    const struct eval_report *report;
    const uint32_t *arm_of_row;
    uint32_t *rows; /* those of a unit stand together: rows[start[u]..start[u + 1]); NULL: a row is a unit */
    size_t *start;
    size_t unit_count;
    struct arm_sums *of_unit; /* [arms] scratch: n and d */
    uint32_t *touched;        /* [arms] scratch */
};

static double ratio_of(const struct arm_sums *s)
{
    return s->d > 0 ? s->n / s->d : NAN;
}

/* Of the ratio of sums: that of the sum of n - ratio d, over d^2. What rounding leaves of units that are all alike is
 * 0.
 */
static double variance_of(const struct arm_sums *s)
{
    const double rounding = 1e-12;
    double ratio = ratio_of(s);
    double sum = s->nn - 2 * ratio * s->nd + ratio * ratio * s->dd;
    return sum > rounding * (s->nn + ratio * ratio * s->dd) ? sum / (s->d * s->d) : 0;
}

static double covariance_of(const struct arm_sums *arm, const struct arm_sums *control)
{
    double a = ratio_of(arm);
    double c = ratio_of(control);
    double sum = arm->cross_nn - c * arm->cross_nd - a * arm->cross_dn + a * c * arm->cross_dd;
    return sum / (arm->d * control->d);
}

static void end_unit(const struct arm_walk *walk, size_t touched, struct arm_sums *sums)
{
    const struct arm_sums control = walk->of_unit[0];
    for (size_t i = 0; i < touched; i++) {
        uint32_t arm = walk->touched[i];
        struct arm_sums *of_unit = &walk->of_unit[arm];
        struct arm_sums *s = &sums[arm];
        s->n += of_unit->n;
        s->d += of_unit->d;
        s->nn += of_unit->n * of_unit->n;
        s->nd += of_unit->n * of_unit->d;
        s->dd += of_unit->d * of_unit->d;
        s->units += of_unit->d > 0;
        s->shared += of_unit->d > 0 && control.d > 0;
        s->cross_nn += of_unit->n * control.n;
        s->cross_nd += of_unit->n * control.d;
        s->cross_dn += of_unit->d * control.n;
        s->cross_dd += of_unit->d * control.d;
    }
    for (size_t i = 0; i < touched; i++) {
        walk->of_unit[walk->touched[i]] = (struct arm_sums){0};
    }
}

/* sums [arms] of one figure. False: it is no rate, as a row has more than one or none of one. */
static bool sum_figure(const struct arm_walk *walk, const struct eval_value *v, struct arm_sums *sums)
{
    const struct predictions *p = walk->report->p;
    bool is_rate = true;
    for (size_t unit = 0; unit < walk->unit_count; unit++) {
        size_t begin = walk->rows ? walk->start[unit] : unit;
        size_t end = walk->rows ? walk->start[unit + 1] : unit + 1;
        size_t touched = 0;
        for (size_t i = begin; i < end; i++) {
            size_t row = walk->rows ? walk->rows[i] : i;
            uint32_t arm = walk->arm_of_row[row];
            struct metric_event event;
            double n;
            double d;
            if (arm == NO_ARM) {
                continue;
            }
            event_of_row(&event, p, row);
            if (!tally_rate_of_row(v, p, row, &event, &n, &d) || (n == 0 && d == 0)) {
                continue;
            }
            is_rate = is_rate && d == 1 && (n == 0 || n == 1);
            struct arm_sums *of_unit = &walk->of_unit[arm];
            if (of_unit->units++ == 0) {
                walk->touched[touched++] = arm;
            }
            of_unit->n += n;
            of_unit->d += d;
        }
        end_unit(walk, touched, sums);
    }
    return is_rate;
}

/* ---- intervals ---- */

static struct eval_interval around(double value, double variance, double quantile, bool known)
{
    double half = known && variance > 0 ? quantile * sqrt(variance) : NAN;
    return (struct eval_interval){value, value - half, value + half};
}

/* share [0, 1] of so many independent rows */
static struct eval_interval wilson(double share, double rows, double quantile)
{
    double square = quantile * quantile;
    double middle = (share + square / (2 * rows)) / (1 + square / rows);
    double half = quantile / (1 + square / rows) * sqrt(share * (1 - share) / rows + square / (4 * rows * rows));
    return (struct eval_interval){share, share > 0 ? fmax(middle - half, 0) : 0,
                                  share < 1 ? fmin(middle + half, 1) : 1};
}

struct arm_compare {
    double quantile;
    bool is_rate, by_row;
};

/* As many units as make an interval; of rates of single rows any number will do. */
static bool is_enough(const struct arm_compare *c, const struct arm_sums *s)
{
    return c->is_rate && c->by_row ? s->units > 0 : s->units >= INTERVAL_UNITS_MIN;
}

/* The variance of a figure; that of rates of single rows is the plain one, share (1 - share) / rows. */
static double spread_of(const struct arm_compare *c, const struct arm_sums *s)
{
    double units = (double)s->units;
    return variance_of(s) * (c->is_rate && c->by_row ? 1 : units / (units - 1));
}

static struct eval_interval of_arm(const struct arm_compare *c, const struct arm_sums *s)
{
    double share = ratio_of(s);
    double variance = spread_of(c, s);
    if (!c->is_rate || !is_enough(c, s)) {
        return around(share, variance, c->quantile, is_enough(c, s));
    }
    double alike = share * (1 - share); /* of one row */
    if (!(alike > 0)) {
        return wilson(share, (double)s->units, c->quantile);
    }
    return variance > 0 ? wilson(share, alike / variance, c->quantile) : around(share, 0, c->quantile, false);
}

/* The half of a difference's interval from those of its two parts. */
static double side(double one, double other, double correlation)
{
    return sqrt(fmax(one * one + other * other - 2 * correlation * one * other, 0));
}

static void compare(struct eval_arm_figure *to, const struct eval_arm_figure *control_figure,
                    const struct arm_compare *c, const struct arm_sums *arm, const struct arm_sums *control)
{
    const struct eval_interval none = {NAN, NAN, NAN};
    to->of_arm = of_arm(c, arm);
    to->difference = to->ratio = none;
    if (arm == control || isnan(to->of_arm.value) || isnan(control_figure->of_arm.value)) {
        return;
    }
    double a = ratio_of(arm);
    double b = ratio_of(control);
    bool enough = is_enough(c, arm) && is_enough(c, control);
    if (c->is_rate) { /* units that are all alike tell no spread */
        enough = enough && !isnan(to->of_arm.low) && !isnan(control_figure->of_arm.low);
    }
    double covariance = arm->shared ? covariance_of(arm, control) : 0;
    to->difference = around(a - b, spread_of(c, arm) + spread_of(c, control) - 2 * covariance, c->quantile, enough);
    if (c->is_rate && enough) {
        const struct eval_interval *x = &to->of_arm;
        const struct eval_interval *y = &control_figure->of_arm;
        double scale = sqrt(variance_of(arm) * variance_of(control));
        double correlation = scale > 0 ? covariance / scale : 0;
        to->difference.low = a - b - side(a - x->low, y->high - b, correlation);
        to->difference.high = a - b + side(x->high - a, b - y->low, correlation);
    }
    if (b > 0) {
        double variance = spread_of(c, arm) / (a * a) + spread_of(c, control) / (b * b) - 2 * covariance / (a * b);
        double half = enough && a > 0 && variance > 0 ? c->quantile * sqrt(variance) : NAN;
        to->ratio = (struct eval_interval){a / b, a / b * exp(-half), a / b * exp(half)};
    }
}

/* ---- all of it ---- */

/* Puts the rows of a unit together. */
static int group_rows(struct arm_walk *walk, const uint32_t *unit_of_row)
{
    size_t rows = walk->report->p->rows;
    walk->start = mem_calloc(walk->unit_count + 2, sizeof *walk->start);
    walk->rows = mem_alloc((rows + 1) * sizeof *walk->rows);
    if (!walk->start || !walk->rows) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < rows; row++) {
        walk->start[unit_of_row[row] + 2]++;
    }
    for (size_t u = 2; u < walk->unit_count + 2; u++) {
        walk->start[u] += walk->start[u - 1];
    }
    for (size_t row = 0; row < rows; row++) {
        walk->rows[walk->start[unit_of_row[row] + 1]++] = (uint32_t)row;
    }
    return 0;
}

/* Rows and units of each arm. */
static void count_arms(struct eval_arms *arms, const struct arm_walk *walk)
{
    for (size_t arm = 0; arm < arms->count; arm++) {
        walk->touched[arm] = UINT32_MAX; /* the unit last seen in it */
    }
    for (size_t unit = 0; unit < walk->unit_count; unit++) {
        size_t end = walk->rows ? walk->start[unit + 1] : unit + 1;
        for (size_t i = walk->rows ? walk->start[unit] : unit; i < end; i++) {
            uint32_t arm = walk->arm_of_row[walk->rows ? walk->rows[i] : i];
            if (arm != NO_ARM) {
                arms->rows[arm]++;
                arms->units[arm] += walk->touched[arm] != unit;
                walk->touched[arm] = (uint32_t)unit;
            }
        }
    }
}

static bool is_figure(const struct eval_report *report, const struct eval_value *v)
{
    const unsigned forms = METRIC_FORM_PLAIN | METRIC_FORM_IPS | METRIC_FORM_SNIPS;
    const char *reason;
    return v->metric->event && v->variant.form & forms && report_applies(report, v, &reason);
}

static int fill(struct eval_arms *arms, struct arm_walk *walk)
{
    const struct eval_report *report = walk->report;
    const struct eval_value **figures = mem_calloc(report->value_count + 1, sizeof *figures);
    arms->figures = mem_calloc(report->value_count + 1, sizeof *arms->figures);
    for (size_t i = 0; figures && arms->figures && i < report->value_count; i++) {
        if (is_figure(report, &report->values[i])) {
            figures[arms->figure_count] = &report->values[i];
            arms->figures[arms->figure_count++] = report->values[i].name;
        }
    }
    struct arm_sums *sums = mem_alloc(arms->count * sizeof *sums);
    walk->of_unit = mem_calloc(arms->count, sizeof *walk->of_unit);
    walk->touched = mem_alloc(arms->count * sizeof *walk->touched);
    arms->rows = mem_calloc(arms->count, sizeof *arms->rows);
    arms->units = mem_calloc(arms->count, sizeof *arms->units);
    arms->values = mem_calloc(arms->count * arms->figure_count + 1, sizeof *arms->values);
    int rc =
        figures && arms->figures && sums && walk->of_unit && walk->touched && arms->rows && arms->units && arms->values
            ? 0
            : RECO_E_NOMEM;
    if (!rc && !arms->figure_count) {
        rc = err_set(RECO_E_USAGE, "no figure of behaviour to compare arms by: the arms have ctr, cvr and the like, "
                                   "not those at a depth or by list");
    }
    if (!rc) {
        count_arms(arms, walk);
    }
    for (size_t i = 0; !rc && i < arms->figure_count; i++) {
        struct arm_compare c = {.quantile = normal_quantile(0.5 + arms->level / 2), .by_row = !walk->rows};
        memset(sums, 0, arms->count * sizeof *sums);
        c.is_rate = sum_figure(walk, figures[i], sums);
        for (size_t a = 0; a < arms->count; a++) {
            compare(&arms->values[a * arms->figure_count + i], &arms->values[i], &c, &sums[a], &sums[0]);
            arms->few = arms->few || (sums[a].units && !is_enough(&c, &sums[a]));
        }
    }
    mem_free(sums);
    mem_free(figures);
    return rc;
}

static int run(struct eval_arms *arms, const struct eval_report *report, const struct eval_arms_options *options,
               const char *const *texts)
{
    const struct predictions *p = report->p;
    uint32_t *arm_of_row = mem_alloc((p->rows + 1) * sizeof *arm_of_row);
    uint32_t *unit_of_row = NULL;
    struct arm_walk walk = {.report = report, .arm_of_row = arm_of_row};
    int rc = arm_of_row ? find_names(arms, p, texts, arm_of_row) : RECO_E_NOMEM;
    if (!rc) {
        rc = sort_names(arms, p->rows, arm_of_row);
    }
    if (!rc) {
        rc = make_names_valid(arms);
    }
    if (!rc) {
        rc = eval_units_of(&unit_of_row, &walk.unit_count, &arms->unit, p, options->unit_column);
    }
    if (!rc && unit_of_row) {
        rc = group_rows(&walk, unit_of_row);
    }
    if (!rc) {
        rc = fill(arms, &walk);
    }
    mem_free(arm_of_row);
    mem_free(unit_of_row);
    mem_free(walk.rows);
    mem_free(walk.start);
    mem_free(walk.of_unit);
    mem_free(walk.touched);
    return rc;
}

int eval_arms_new(struct eval_arms **out, const struct eval_report *report, const struct eval_arms_options *options)
{
    *out = NULL;
    const struct predictions *p = report->p;
    const char *const *texts = p ? predictions_extra_find(p, options->column) : NULL;
    if (!texts) {
        return err_set(RECO_E_USAGE, "there is no column '%s'", options->column);
    }
    struct eval_arms *arms = mem_calloc(1, sizeof *arms);
    if (!arms) {
        return RECO_E_NOMEM;
    }
    arms->column = options->column;
    arms->control = options->control;
    arms->level = options->level;
    int rc = run(arms, report, options, texts);
    if (rc) {
        eval_arms_free(arms);
        return rc;
    }
    *out = arms;
    return 0;
}
