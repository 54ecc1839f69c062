#include <math.h>
#include <stdio.h>

#include "core/json_file.h"
#include "data/utf8.h"
#include "eval/compare_slices.h"
#include "eval/provenance.h"
#include "eval/report.h"
#include "eval/try.h"

enum { NAME_WIDTH = 24, FIGURES_SHOWN = 3, LETTER_SIZE = 24, CELL_SIZE = 64, GROUPS_SHOWN = 50 };

/* "+0.0127 (-0.0100 to 0.0341)" */
static void write_cell(char cell[CELL_SIZE], const struct compare_slice_figure *f)
{
    if (isnan(f->difference)) {
        (void)snprintf(cell, CELL_SIZE, "-");
    } else if (f->interval.reason) {
        (void)snprintf(cell, CELL_SIZE, "%+.4f", f->difference);
    } else {
        (void)snprintf(cell, CELL_SIZE, "%+.4f (%.4f to %.4f)", f->difference, f->interval.low, f->interval.high);
    }
}

static size_t shown(size_t count, size_t most)
{
    return count < most ? count : most;
}

static int add_title(struct buf *b, const struct compare_slices *s, const struct compare_slice *slice)
{
    const struct compare_pair *pair = &s->of->pairs[slice->pair];
    char letter[LETTER_SIZE];
    (void)snprintf(letter, sizeof letter, "%s", compare_letter(pair->a));
    TRY(report_add_line(b, slice->name));
    return buf_printf(b, ", %s against %s", compare_letter(pair->b), letter);
}

/* ---- text ---- */

static int add_group(struct buf *b, const struct compare_slices *s, const struct compare_slice_group *g)
{
    size_t length = utf8_count(g->name);
    TRY(buf_add_str(b, "  "));
    TRY(report_add_line(b, g->name));
    TRY(buf_printf(b, "%*s %8zu", length < NAME_WIDTH ? (int)(NAME_WIDTH - length) : 0, "", g->rows));
    for (size_t f = 0; f < shown(s->of->figure_count, FIGURES_SHOWN); f++) {
        char cell[CELL_SIZE];
        write_cell(cell, &g->figures[f]);
        TRY(buf_printf(b, "  %-28s", cell));
    }
    while (b->length && b->data[b->length - 1] == ' ') {
        b->length--;
    }
    return buf_add_str(b, g->small ? "  small\n" : "\n");
}

int compare_slices_text(const struct compare_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct compare_slice *slice = &s->slices[i];
        const struct compare_figure *figures = s->of->pairs[slice->pair].figures;
        bool any_small = false;
        TRY(buf_add_str(b, "\nslice "));
        TRY(add_title(b, s, slice));
        TRY(buf_printf(b, " (the least gain in %s first)\n  %-*s %8s", figures[0].metric, NAME_WIDTH, "", "rows"));
        for (size_t f = 0; f < shown(s->of->figure_count, FIGURES_SHOWN); f++) {
            TRY(buf_printf(b, f + 1 < shown(s->of->figure_count, FIGURES_SHOWN) ? "  %-28s" : "  %s",
                           figures[f].metric));
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t g = 0; g < shown(slice->count, GROUPS_SHOWN); g++) {
            any_small = any_small || slice->groups[g].small;
            TRY(add_group(b, s, &slice->groups[g]));
        }
        if (slice->count > GROUPS_SHOWN) {
            TRY(buf_printf(b, "  the first %d of %zu groups; the JSON has them all\n", GROUPS_SHOWN, slice->count));
        }
        if (any_small) {
            TRY(buf_printf(b, "  small: fewer than %zu rows\n", s->min_rows));
        }
        TRY(buf_add_str(b, "  intervals are of each group alone; what is sure is told by the tests of all rows\n"));
    }
    return 0;
}

/* ---- Markdown ---- */

int compare_slices_markdown(const struct compare_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct compare_slice *slice = &s->slices[i];
        const struct compare_figure *figures = s->of->pairs[slice->pair].figures;
        TRY(buf_add_str(b, "\n## Slice "));
        TRY(add_title(b, s, slice));
        TRY(buf_add_str(b, "\n\n| group | rows |"));
        for (size_t f = 0; f < s->of->figure_count; f++) {
            TRY(buf_add_char(b, ' '));
            TRY(report_add_text(b, figures[f].metric));
            TRY(buf_add_str(b, " |"));
        }
        TRY(buf_add_str(b, "\n|---|--:|"));
        for (size_t f = 0; f < s->of->figure_count; f++) {
            TRY(buf_add_str(b, "--:|"));
        }
        for (size_t g = 0; g < shown(slice->count, GROUPS_SHOWN); g++) {
            const struct compare_slice_group *group = &slice->groups[g];
            TRY(buf_add_str(b, "\n| "));
            TRY(report_add_text(b, group->name));
            TRY(buf_printf(b, "%s | %zu |", group->small ? " (small)" : "", group->rows));
            for (size_t f = 0; f < s->of->figure_count; f++) {
                char cell[CELL_SIZE];
                write_cell(cell, &group->figures[f]);
                TRY(buf_printf(b, " %s |", cell));
            }
        }
        TRY(buf_printf(b,
                       "\n\nDifferences, the least gain in %s first; small: fewer than %zu rows. Intervals are of each "
                       "group alone.\n",
                       figures[0].metric, s->min_rows));
    }
    return 0;
}

/* ---- JSON ---- */

static json_t *figure_json(const struct compare_slice_figure *f)
{
    bool has = !isnan(f->difference) && !f->interval.reason;
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "a", json_finite(f->a), "b", json_finite(f->b), "difference",
                     json_finite(f->difference), "low", json_finite(has ? f->interval.low : NAN), "high",
                     json_finite(has ? f->interval.high : NAN));
}

static json_t *slice_json(const struct compare_slices *s, const struct compare_slice *slice)
{
    const struct compare_pair *pair = &s->of->pairs[slice->pair];
    json_t *groups = json_array();
    json_t *json = json_pack("{s:o, s:o, s:o, s:I, s:o}", "slice", provenance_text(slice->name), "a",
                             json_string(compare_letter(pair->a)), "b", json_string(compare_letter(pair->b)),
                             "min_rows", (json_int_t)s->min_rows, "groups", groups);
    bool bad = !json;
    for (size_t g = 0; !bad && g < slice->count; g++) {
        const struct compare_slice_group *group = &slice->groups[g];
        json_t *figures = json_object();
        bad = json_array_append_new(groups,
                                    json_pack("{s:s, s:I, s:b, s:o}", "group", group->name, "rows",
                                              (json_int_t)group->rows, "small", (int)group->small, "figures", figures));
        for (size_t f = 0; !bad && f < s->of->figure_count; f++) {
            bad = json_object_set_new(figures, pair->figures[f].metric, figure_json(&group->figures[f]));
        }
    }
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

json_t *compare_slices_json(const struct compare_slices *s)
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
