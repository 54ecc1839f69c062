/* The arms of an experiment, as text, Markdown, TSV and JSON. */

#include <stdio.h>
#include <string.h>

#include "core/json_file.h"
#include "data/utf8.h"
#include "eval/arms.h"
#include "eval/interval.h"
#include "eval/report.h"
#include "eval/try.h"

enum { NAME_WIDTH = 22, VALUE_WIDTH = 28, DIFFERENCE_WIDTH = 32 };

static struct eval_interval lift_of(const struct eval_interval *ratio)
{
    return (struct eval_interval){ratio->value - 1, ratio->low - 1, ratio->high - 1};
}

/* "0.1062 [0.1020, 0.1103]", "+72.14 % [+64.04, +80.64]"; "-" where it is undefined. */
static int add_interval(struct buf *b, const struct eval_interval *i, const char *format, double scale,
                        const char *unit)
{
    char text[3][32];
    const double numbers[] = {i->value, i->low, i->high};
    if (isnan(i->value)) {
        return buf_add_char(b, '-');
    }
    for (int n = 0; n < 3; n++) {
        (void)(*format == '+' ? snprintf(text[n], sizeof text[n], scale > 1 ? "%+.2f" : "%+.4f", scale * numbers[n])
                              : snprintf(text[n], sizeof text[n], "%.4f", numbers[n]));
    }
    TRY(buf_printf(b, "%s%s", text[0], unit));
    return isnan(i->low) ? 0 : buf_printf(b, " [%s, %s]", text[1], text[2]);
}

/* The same, padded to a column. */
static int add_column(struct buf *b, const struct eval_interval *i, const char *format, size_t width)
{
    size_t begin = b->length;
    TRY(add_interval(b, i, format, 1, ""));
    size_t length = b->length - begin;
    return buf_printf(b, "%*s", length < width ? (int)(width - length) : 0, "");
}

int eval_arms_method(const struct eval_arms *arms, struct buf *b)
{
    TRY(buf_printf(b, "%g %% intervals; independent: each %s", 100 * arms->level, arms->unit));
    TRY(arms->left_out ? buf_printf(b, "; rows without an arm, left out: %zu", arms->left_out) : 0);
    return arms->few ? buf_printf(b, "; none where fewer than %d have the figure", INTERVAL_UNITS_MIN) : 0;
}

static bool by_units(const struct eval_arms *arms)
{
    return strcmp(arms->unit, "row") != 0;
}

static int add_name(struct buf *b, const char *before, const char *name, size_t width)
{
    size_t length = utf8_count(name);
    TRY(buf_add_str(b, before));
    TRY(report_add_line(b, name));
    return buf_printf(b, "%*s", length < width ? (int)(width - length) : 0, "");
}

int eval_arms_text(const struct eval_arms *arms, struct buf *b)
{
    size_t width = NAME_WIDTH;
    for (size_t a = 0; a < arms->count; a++) {
        width = utf8_count(arms->names[a]) > width ? utf8_count(arms->names[a]) : width;
    }
    TRY(buf_printf(b, "\nby '%s', against '%s' (", arms->column, arms->control));
    TRY(eval_arms_method(arms, b));
    TRY(buf_printf(b, ")\n  %*s %9s  ", (int)width + 2, "", "rows"));
    TRY(by_units(arms) ? buf_printf(b, "%9s  ", "units") : 0);
    TRY(buf_printf(b, "%-*s  %-*s  %s\n", VALUE_WIDTH, "value", DIFFERENCE_WIDTH, "difference", "lift"));
    for (size_t i = 0; i < arms->figure_count; i++) {
        TRY(buf_printf(b, "  %s\n", arms->figures[i]));
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *f = &arms->values[a * arms->figure_count + i];
            struct eval_interval lift = lift_of(&f->ratio);
            TRY(add_name(b, "    ", arms->names[a], width));
            TRY(buf_printf(b, " %9zu  ", arms->rows[a]));
            TRY(by_units(arms) ? buf_printf(b, "%9zu  ", arms->units[a]) : 0);
            if (isnan(f->of_arm.value)) {
                TRY(buf_add_str(b, "undefined\n"));
                continue;
            }
            if (!a) {
                TRY(add_interval(b, &f->of_arm, "", 1, ""));
            } else {
                TRY(add_column(b, &f->of_arm, "", VALUE_WIDTH));
                TRY(buf_add_str(b, "  "));
                TRY(add_column(b, &f->difference, "+", DIFFERENCE_WIDTH));
                TRY(buf_add_str(b, "  "));
                TRY(add_interval(b, &lift, "+", 100, " %"));
            }
            TRY(buf_add_char(b, '\n'));
        }
    }
    return 0;
}

int eval_arms_markdown(const struct eval_arms *arms, struct buf *b)
{
    TRY(buf_add_str(b, "\n## By "));
    TRY(report_add_text(b, arms->column));
    TRY(buf_add_str(b, ", against "));
    TRY(report_add_text(b, arms->control));
    TRY(buf_add_str(b, "\n\n"));
    TRY(eval_arms_method(arms, b));
    TRY(buf_printf(b, ".\n\n| figure | arm | rows |%s value | difference | lift |\n|---|---|--:|%s--:|--:|--:|\n",
                   by_units(arms) ? " units |" : "", by_units(arms) ? "--:|" : ""));
    for (size_t i = 0; i < arms->figure_count; i++) {
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *f = &arms->values[a * arms->figure_count + i];
            struct eval_interval lift = lift_of(&f->ratio);
            TRY(buf_printf(b, "| %s | ", arms->figures[i]));
            TRY(report_add_text(b, arms->names[a]));
            TRY(buf_printf(b, " | %zu | ", arms->rows[a]));
            TRY(by_units(arms) ? buf_printf(b, "%zu | ", arms->units[a]) : 0);
            TRY(isnan(f->of_arm.value) ? buf_add_str(b, "undefined") : add_interval(b, &f->of_arm, "", 1, ""));
            TRY(buf_add_str(b, " | "));
            TRY(a ? add_interval(b, &f->difference, "+", 1, "") : 0);
            TRY(buf_add_str(b, " | "));
            TRY(a ? add_interval(b, &lift, "+", 100, " %") : 0);
            TRY(buf_add_str(b, " |\n"));
        }
    }
    return 0;
}

static int add_numbers(struct buf *b, const struct eval_interval *i)
{
    const double numbers[] = {i->value, i->low, i->high};
    for (int n = 0; n < 3; n++) {
        TRY(isfinite(numbers[n]) ? buf_printf(b, "\t%.9g", numbers[n]) : buf_add_char(b, '\t'));
    }
    return 0;
}

int eval_arms_tsv(const struct eval_arms *arms, struct buf *b)
{
    TRY(buf_add_str(b, "figure\tarm\trows\tunits\tvalue\tlow\thigh\tdifference\tdifference_low\tdifference_high\t"
                       "lift\tlift_low\tlift_high\n"));
    for (size_t i = 0; i < arms->figure_count; i++) {
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *f = &arms->values[a * arms->figure_count + i];
            struct eval_interval lift = lift_of(&f->ratio);
            TRY(buf_printf(b, "%s\t", arms->figures[i]));
            TRY(predictions_escape(b, arms->names[a], strlen(arms->names[a])));
            TRY(buf_printf(b, "\t%zu\t%zu", arms->rows[a], arms->units[a]));
            TRY(add_numbers(b, &f->of_arm));
            TRY(add_numbers(b, &f->difference));
            TRY(add_numbers(b, &lift));
            TRY(buf_add_char(b, '\n'));
        }
    }
    return 0;
}

static json_t *interval_json(const struct eval_interval *i)
{
    return json_pack("{sososo}", "value", json_finite(i->value), "low", json_finite(i->low), "high",
                     json_finite(i->high));
}

static json_t *figures_json(const struct eval_arms *arms, size_t arm)
{
    json_t *figures = json_object();
    for (size_t i = 0; figures && i < arms->figure_count; i++) {
        const struct eval_arm_figure *f = &arms->values[arm * arms->figure_count + i];
        struct eval_interval lift = lift_of(&f->ratio);
        json_t *figure = interval_json(&f->of_arm);
        if (!figure || (arm && (json_object_set_new(figure, "difference", interval_json(&f->difference)) ||
                                json_object_set_new(figure, "ratio", interval_json(&f->ratio)) ||
                                json_object_set_new(figure, "lift", interval_json(&lift))))) {
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
        json_t *arm = json_pack("{sssIsIso}", "arm", arms->names[a], "rows", (json_int_t)arms->rows[a], "units",
                                (json_int_t)arms->units[a], "metrics", figures_json(arms, a));
        if (!arm || json_array_append_new(list, arm)) {
            json_decref(list);
            list = NULL;
        }
    }
    json_t *out =
        list ? json_pack("{sssssfsssIso}", "column", arms->column, "control", arms->control, "level", arms->level,
                         "unit", arms->unit, "rows_without_arm", (json_int_t)arms->left_out, "arms", list)
             : NULL;
    if (!out) {
        (void)err_nomem();
    }
    return out;
}
