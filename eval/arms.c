#include "eval/arms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/text_index.h"
#include "eval/report.h"
#include "eval/tally.h"
#include "eval/try.h"

#define QUANTILE 1.959963984540054 /* of the normal distribution, for 95 % */

void eval_arms_free(struct eval_arms *arms)
{
    if (arms) {
        mem_free(arms->names);
        mem_free(arms->rows);
        mem_free(arms->figures);
        mem_free(arms->values);
        mem_free(arms);
    }
}

/* ---- sums by arm ---- */

struct arm_sums {
    double n, d, nn, nd, dd;
};

static double ratio_of(const struct arm_sums *s)
{
    return s->d > 0 ? s->n / s->d : NAN;
}

/* Of the ratio of sums: that of the sum of n - ratio d, over d^2. */
static double variance_of(const struct arm_sums *s)
{
    double ratio = ratio_of(s);
    return (s->nn - 2 * ratio * s->nd + ratio * ratio * s->dd) / (s->d * s->d);
}

static struct eval_interval around(double value, double variance)
{
    double half = QUANTILE * sqrt(fmax(variance, 0));
    return (struct eval_interval){value, value - half, value + half};
}

static void compare(struct eval_arm_figure *to, const struct arm_sums *arm, const struct arm_sums *control,
                    bool is_control)
{
    const struct eval_interval none = {NAN, NAN, NAN};
    double a = ratio_of(arm);
    double c = ratio_of(control);
    to->of_arm = around(a, variance_of(arm));
    to->difference = to->ratio = none;
    if (is_control) {
        return;
    }
    to->difference = around(a - c, variance_of(arm) + variance_of(control));
    if (a > 0 && c > 0) {
        double half = QUANTILE * sqrt(variance_of(arm) / (a * a) + variance_of(control) / (c * c));
        to->ratio = (struct eval_interval){a / c, a / c * exp(-half), a / c * exp(half)};
    }
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The arms, the control first; arm_of_row [rows]. */
static int find_arms(struct eval_arms *arms, const struct predictions *p, const char *const *texts,
                     uint32_t *arm_of_row)
{
    size_t capacity = 0;
    for (size_t row = 0; row < p->rows; row++) {
        size_t at = 0;
        while (at < arms->count && strcmp(arms->names[at], texts[row]) != 0) {
            at++;
        }
        if (at < arms->count) {
            continue;
        }
        if (arms->count == 1000) {
            return err_set(RECO_E_USAGE, "column '%s' has over 1000 values: these are no arms", arms->column);
        }
        TRY(mem_grow((void **)&arms->names, &capacity, arms->count + 1, sizeof *arms->names));
        arms->names[arms->count++] = texts[row];
    }
    qsort(arms->names, arms->count, sizeof *arms->names, compare_names);
    size_t control = 0;
    while (arms->control && control < arms->count && strcmp(arms->names[control], arms->control) != 0) {
        control++;
    }
    if (control == arms->count) {
        return err_set(RECO_E_USAGE, "column '%s' has no arm '%s'", arms->column, arms->control);
    }
    const char *name = arms->names[control];
    memmove(arms->names + 1, arms->names, control * sizeof *arms->names);
    arms->names[0] = name;
    arms->control = name;
    for (size_t row = 0; row < p->rows; row++) {
        arm_of_row[row] = 0;
        while (strcmp(arms->names[arm_of_row[row]], texts[row]) != 0) {
            arm_of_row[row]++;
        }
    }
    return 0;
}

static int fill(struct eval_arms *arms, const struct eval_report *report, const uint32_t *arm_of_row)
{
    const struct predictions *p = report->p;
    const struct metric **metrics = mem_calloc(report->value_count + 1, sizeof *metrics);
    arms->figures = mem_calloc(report->value_count + 1, sizeof *arms->figures);
    arms->rows = mem_calloc(arms->count + 1, sizeof *arms->rows);
    int rc = metrics && arms->figures && arms->rows ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        if (v->metric->event && v->variant.form == METRIC_FORM_PLAIN && report_applies(report, v, &reason)) {
            metrics[arms->figure_count] = v->metric;
            arms->figures[arms->figure_count++] = v->name;
        }
    }
    if (!rc && !arms->figure_count) {
        rc = err_set(RECO_E_USAGE, "no figure of behaviour to compare arms by");
    }
    struct arm_sums *sums = rc ? NULL : mem_calloc(arms->count * arms->figure_count, sizeof *sums);
    arms->values = rc ? NULL : mem_calloc(arms->count * arms->figure_count, sizeof *arms->values);
    rc = !rc && (!sums || !arms->values) ? RECO_E_NOMEM : rc;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        struct metric_event event;
        event_of_row(&event, p, row);
        arms->rows[arm_of_row[row]]++;
        for (size_t i = 0; i < arms->figure_count; i++) {
            struct arm_sums *s = &sums[arm_of_row[row] * arms->figure_count + i];
            double n = 0;
            double d = 0;
            metrics[i]->event(&event, &n, &d);
            s->n += n;
            s->d += d;
            s->nn += n * n;
            s->nd += n * d;
            s->dd += d * d;
        }
    }
    for (size_t a = 0; !rc && a < arms->count; a++) {
        for (size_t i = 0; i < arms->figure_count; i++) {
            size_t at = a * arms->figure_count + i;
            compare(&arms->values[at], &sums[at], &sums[i], a == 0);
        }
    }
    mem_free(sums);
    mem_free(metrics);
    return rc;
}

int eval_arms_new(struct eval_arms **out, const struct eval_report *report, const char *column, const char *control)
{
    *out = NULL;
    const struct predictions *p = report->p;
    size_t extra = 0;
    while (p && extra < p->extra_count && strcmp(p->extra[extra].name, column) != 0) {
        extra++;
    }
    if (!p || extra == p->extra_count) {
        return err_set(RECO_E_USAGE, "there is no column '%s'", column);
    }
    struct eval_arms *arms = mem_calloc(1, sizeof *arms);
    uint32_t *arm_of_row = mem_alloc((p->rows + 1) * sizeof *arm_of_row);
    int rc = arms && arm_of_row ? 0 : RECO_E_NOMEM;
    if (!rc) {
        arms->column = column;
        arms->control = control;
        rc = find_arms(arms, p, p->extra[extra].values, arm_of_row);
    }
    if (!rc) {
        rc = fill(arms, report, arm_of_row);
    }
    mem_free(arm_of_row);
    if (rc) {
        eval_arms_free(arms);
        return rc;
    }
    *out = arms;
    return 0;
}

/* ---- what is printed ---- */

static int add_interval(struct buf *b, const char *before, const struct eval_interval *i, const char *format)
{
    if (isnan(i->value)) {
        return 0;
    }
    TRY(buf_add_str(b, before));
    char text[64];
    const double numbers[] = {i->value, i->low, i->high};
    static const char *const behind[] = {" [", ", ", "]"};
    for (int n = 0; n < 3; n++) {
        (void)snprintf(text, sizeof text, "%.4f", numbers[n]);
        TRY(buf_printf(b, "%s%s%s", n == 0 && *format == '+' && numbers[0] >= 0 ? "+" : "", text, behind[n]));
    }
    return 0;
}

int eval_arms_text(const struct eval_arms *arms, struct buf *b)
{
    TRY(buf_printf(b,
                   "\nby '%s', against '%s' (95 %% intervals; rows taken as independent)\n"
                   "  %-24s %9s  %-28s  %-32s  %s\n",
                   arms->column, arms->control, "", "rows", "value", "difference", "ratio"));
    for (size_t i = 0; i < arms->figure_count; i++) {
        TRY(buf_printf(b, "  %s\n", arms->figures[i]));
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *f = &arms->values[a * arms->figure_count + i];
            TRY(buf_printf(b, "    %-22s %9zu", arms->names[a], arms->rows[a]));
            if (isnan(f->of_arm.value)) {
                TRY(buf_add_str(b, "  undefined\n"));
                continue;
            }
            TRY(add_interval(b, "  ", &f->of_arm, ""));
            TRY(add_interval(b, "  ", &f->difference, "+"));
            TRY(add_interval(b, "  x", &f->ratio, ""));
            TRY(buf_add_char(b, '\n'));
        }
    }
    return 0;
}

int eval_arms_markdown(const struct eval_arms *arms, struct buf *b)
{
    TRY(buf_printf(b,
                   "\n## By `%s`, against `%s`\n\n95 %% intervals; rows taken as independent.\n\n"
                   "| figure | arm | rows | value | difference | ratio |\n|---|---|--:|--:|--:|--:|\n",
                   arms->column, arms->control));
    for (size_t i = 0; i < arms->figure_count; i++) {
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *f = &arms->values[a * arms->figure_count + i];
            TRY(buf_printf(b, "| %s | %s | %zu | ", arms->figures[i], arms->names[a], arms->rows[a]));
            TRY(add_interval(b, "", &f->of_arm, ""));
            TRY(add_interval(b, " | ", &f->difference, "+"));
            TRY(add_interval(b, " | ", &f->ratio, ""));
            TRY(buf_add_str(b, a ? " |\n" : " | | |\n"));
        }
    }
    return 0;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *interval_json(const struct eval_interval *i)
{
    return json_pack("{sososo}", "value", number(i->value), "low", number(i->low), "high", number(i->high));
}

static json_t *figures_json(const struct eval_arms *arms, size_t arm)
{
    json_t *figures = json_object();
    for (size_t i = 0; figures && i < arms->figure_count; i++) {
        const struct eval_arm_figure *f = &arms->values[arm * arms->figure_count + i];
        json_t *figure = interval_json(&f->of_arm);
        if (!figure || (arm && (json_object_set_new(figure, "difference", interval_json(&f->difference)) ||
                                json_object_set_new(figure, "ratio", interval_json(&f->ratio))))) {
            json_decref(figure);
            json_decref(figures);
            return NULL;
        }
        if (json_object_set_new(figures, arms->figures[i], figure)) {
            json_decref(figures);
            return NULL;
        }
    }
    return figures;
}

json_t *eval_arms_json(const struct eval_arms *arms)
{
    json_t *list = json_array();
    for (size_t a = 0; list && a < arms->count; a++) {
        json_t *arm = json_pack("{sssIso}", "arm", arms->names[a], "rows", (json_int_t)arms->rows[a], "metrics",
                                figures_json(arms, a));
        if (!arm || json_array_append_new(list, arm)) {
            json_decref(list);
            list = NULL;
        }
    }
    json_t *out =
        list ? json_pack("{sssssfso}", "column", arms->column, "control", arms->control, "level", 0.95, "arms", list)
             : NULL;
    if (!out) {
        (void)err_nomem();
    }
    return out;
}
