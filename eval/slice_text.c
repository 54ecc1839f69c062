#include <math.h>

#include "eval/slice.h"
#include "eval/try.h"

enum { NAME_WIDTH = 24, METRICS_SHOWN = 5 };

static size_t code_points(const char *text)
{
    size_t count = 0;
    for (; *text; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

/* Control characters, as a value may hold, would break the line. */
static int add_name(struct buf *b, const char *name)
{
    TRY(buf_add_str(b, "  "));
    for (const char *at = name; *at; at++) {
        TRY(buf_add_char(b, (unsigned char)*at < 0x20 ? ' ' : *at));
    }
    size_t length = code_points(name);
    return buf_printf(b, "%*s", length < NAME_WIDTH ? (int)(NAME_WIDTH - length) : 0, "");
}

static int add_group(const struct eval_slices *s, const struct slice_group *g, struct buf *b)
{
    TRY(add_name(b, g->name));
    TRY(buf_printf(b, " %8zu %8zu", g->rows, g->queries));
    for (size_t m = 0; m < s->metric_count && m < METRICS_SHOWN; m++) {
        TRY(g->reasons[m] ? buf_printf(b, " %9s", "-") : buf_printf(b, " %9.4f", g->values[m]));
        if (!m && g->intervals && !g->reasons[m]) {
            const struct interval *i = &g->intervals[m];
            TRY(i->reason ? buf_printf(b, "  %16s", "-") : buf_printf(b, "  %.4f to %.4f", i->low, i->high));
        } else if (!m && s->with_intervals) {
            TRY(buf_printf(b, "  %16s", ""));
        }
    }
    return buf_add_str(b, g->small ? "  small\n" : "\n");
}

static int add_gaps(const struct slice_result *r, struct buf *b)
{
    static const char *const labels[] = {"demographic parity", "equal opportunity", "equalized odds", "exposure",
                                         "exposure per merit (least / greatest)"};
    bool any = false;
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        if (!isnan(r->gaps[i])) {
            TRY(buf_printf(b, "%s%s %.4f", any ? ", " : "  gaps: ", labels[i], r->gaps[i]));
            any = true;
        }
    }
    return any ? buf_add_char(b, '\n') : 0;
}

int eval_slices_text(const struct eval_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct slice_result *r = &s->slices[i];
        bool any_small = false;
        TRY(buf_printf(b, "\nslice %s (worst %s first)\n  %-*s %8s %8s", r->name, s->metrics[0], NAME_WIDTH, "", "rows",
                       "queries"));
        for (size_t m = 0; m < s->metric_count && m < METRICS_SHOWN; m++) {
            TRY(buf_printf(b, " %9s", s->metrics[m]));
            TRY(!m && s->with_intervals ? buf_printf(b, "  %16s", "interval") : 0);
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t g = 0; g < r->groups.count; g++) {
            if (r->items[g].rows) {
                any_small = any_small || r->items[g].small;
                TRY(add_group(s, &r->items[g], b));
            }
        }
        TRY(add_gaps(r, b));
        if (r->groups.missing) {
            TRY(buf_printf(b, "  %zu rows have no value\n", r->groups.missing));
        }
        if (r->groups.pooled) {
            TRY(buf_printf(b, "  (other): %zu rarer values together\n", r->groups.pooled));
        }
        if (any_small) {
            TRY(buf_printf(b, "  small: fewer than %zu rows; no worst group, and in no gap\n", s->min_rows));
        }
    }
    return 0;
}

/* ---- Markdown ---- */

/* A cell: '|' and control characters would end it. */
static int add_cell(struct buf *b, const char *text)
{
    for (; *text; text++) {
        TRY(*text == '|' ? buf_add_str(b, "\\|") : buf_add_char(b, (unsigned char)*text < 0x20 ? ' ' : *text));
    }
    return 0;
}

static int add_markdown_group(const struct eval_slices *s, const struct slice_group *g, struct buf *b)
{
    TRY(buf_add_str(b, "| "));
    TRY(add_cell(b, g->name));
    TRY(buf_printf(b, "%s | %zu | %zu |", g->small ? " (small)" : "", g->rows, g->queries));
    for (size_t m = 0; m < s->metric_count; m++) {
        TRY(g->reasons[m] ? buf_add_str(b, " - ") : buf_printf(b, " %.4f", g->values[m]));
        if (g->intervals && !g->reasons[m] && !g->intervals[m].reason) {
            TRY(buf_printf(b, " (%.4f to %.4f)", g->intervals[m].low, g->intervals[m].high));
        }
        TRY(buf_add_str(b, " |"));
    }
    return buf_add_char(b, '\n');
}

int eval_slices_markdown(const struct eval_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct slice_result *r = &s->slices[i];
        TRY(buf_add_str(b, "\n## Slice "));
        TRY(add_cell(b, r->name));
        TRY(buf_printf(b,
                       "\n\nThe worst %s first. Small: fewer than %zu rows; in no gap.\n\n| group | rows | queries |",
                       s->metrics[0], s->min_rows));
        for (size_t m = 0; m < s->metric_count; m++) {
            TRY(buf_printf(b, " %s |", s->metrics[m]));
        }
        TRY(buf_add_str(b, "\n|---|--:|--:|"));
        for (size_t m = 0; m < s->metric_count; m++) {
            TRY(buf_add_str(b, "--:|"));
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t g = 0; g < r->groups.count && r->items[g].rows; g++) {
            TRY(add_markdown_group(s, &r->items[g], b));
        }
        bool any = false;
        for (size_t k = 0; k < SLICE_GAP_COUNT; k++) {
            if (!isnan(r->gaps[k])) {
                TRY(any ? 0 : buf_add_str(b, "\n| gap | |\n|---|--:|\n"));
                TRY(buf_printf(b, "| %s | %.4f |\n", slice_gap_names[k], r->gaps[k]));
                any = true;
            }
        }
    }
    return 0;
}

/* ---- JSON ---- */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *figure_json(const struct slice_group *g, size_t m)
{
    if (g->reasons[m]) {
        return json_pack("{s:n, s:s}", "value", "undefined", g->reasons[m]);
    }
    json_t *json = json_pack("{s:o}", "value", number(g->values[m]));
    if (json && g->intervals && !g->intervals[m].reason) {
        const struct interval *i = &g->intervals[m];
        if (json_object_set_new(json, "low", number(i->low)) || json_object_set_new(json, "high", number(i->high))) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static json_t *group_json(const struct eval_slices *s, const struct slice_group *g)
{
    const struct slice_rates *r = &g->rates;
    json_t *metrics = json_object();
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:b, s:{s:o, s:o, s:o, s:o, s:o}}", "group", g->name, "rows", (json_int_t)g->rows,
                  "queries", (json_int_t)g->queries, "small", g->small, "rates", "selected", number(r->selected),
                  "true_positive", number(r->true_positive), "false_positive", number(r->false_positive), "exposure",
                  number(r->exposure), "merit", number(r->merit));
    int bad = !json || json_object_set_new(json, "metrics", metrics);
    for (size_t m = 0; !bad && m < s->metric_count; m++) {
        bad = json_object_set_new(metrics, s->metrics[m], figure_json(g, m));
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *slice_json(const struct eval_slices *s, const struct slice_result *r)
{
    json_t *groups = json_array();
    json_t *gaps = json_object();
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:I}", "slice", r->name, "rows_without_value", (json_int_t)r->groups.missing,
                  "values_pooled", (json_int_t)r->groups.pooled, "min_rows", (json_int_t)s->min_rows);
    int bad = !json || json_object_set_new(json, "groups", groups);
    bad = (json && json_object_set_new(json, "gaps", gaps)) || bad;
    for (size_t g = 0; !bad && g < r->groups.count && r->items[g].rows; g++) { /* the empty ones are last */
        bad = json_array_append_new(groups, group_json(s, &r->items[g]));
    }
    for (size_t i = 0; !bad && i < SLICE_GAP_COUNT; i++) {
        bad = json_object_set_new(gaps, slice_gap_names[i], number(r->gaps[i]));
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *eval_slices_json(const struct eval_slices *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->count; i++) {
        if (!array || json_array_append_new(array, slice_json(s, &s->slices[i]))) {
            json_decref(array);
            (void)err_nomem();
            return NULL;
        }
    }
    return array;
}
