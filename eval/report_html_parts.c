/* The figures of parts of the rows: slices, lengths and truncation, arms of an experiment, positions. */

#include <math.h>
#include <string.h>

#include "eval/picture_internal.h"
#include "eval/report_html.h"
#include "eval/report_provenance.h"
#include "eval/slice.h"
#include "eval/try.h"

/* ---- slices ---- */

static int add_group(struct buf *b, const struct eval_slices *s, const struct slice_group *g)
{
    TRY(buf_add_str(b, "<tr>"));
    TRY(html_add_row_name(b, g->name));
    TRY(buf_printf(b, "<td>%zu%s</td><td>%zu</td>", g->rows, g->small ? "<small>small</small>" : "", g->queries));
    for (size_t m = 0; m < s->metric_count; m++) {
        const struct interval *interval = g->intervals && !g->intervals[m].reason ? &g->intervals[m] : NULL;
        TRY(html_add_figure(b, g->values[m], g->reasons[m], interval));
    }
    return buf_add_str(b, "</tr>\n");
}

/* "0.4755 acme" */
static int add_end(struct buf *b, double rate, const char *group)
{
    TRY(buf_printf(b, "<td class=\"text\">%.4f ", rate));
    TRY(page_add_escaped(b, group));
    return buf_add_str(b, "</td>");
}

static int add_gaps(struct buf *b, const struct slice_result *r)
{
    bool any = false;
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        if (isnan(r->gaps[i])) {
            continue;
        }
        const struct slice_gap_ends *ends = &r->gap_ends[i];
        const struct interval *interval = r->gap_intervals ? &r->gap_intervals[i] : NULL;
        TRY(any ? 0 : html_begin_table(b, "Gaps between its groups", "gap|value|least|greatest"));
        TRY(buf_add_str(b, "<tr><th scope=\"row\">"));
        for (const char *at = slice_gap_names[i]; *at; at++) {
            TRY(buf_add_char(b, *at == '_' ? ' ' : *at));
        }
        TRY(buf_add_str(b, "</th>"));
        TRY(html_add_figure(b, r->gaps[i], NULL, interval && !interval->reason ? interval : NULL));
        TRY(add_end(b, ends->low, r->groups.names[ends->least]));
        TRY(add_end(b, ends->high, r->groups.names[ends->greatest]));
        TRY(buf_add_str(b, "</tr>\n"));
        any = true;
    }
    return any ? html_end_table(b) : 0;
}

static int add_slice(struct buf *b, const struct eval_slices *s, const struct slice_result *r)
{
    TRY(buf_add_str(b, "<div class=\"wide\"><table>\n<caption>"));
    TRY(page_add_escaped(b, r->name));
    TRY(buf_printf(b,
                   ", the worst by %s first</caption><thead><tr><th></th><th scope=\"col\">rows</th><th "
                   "scope=\"col\">queries</th>",
                   s->metrics[0]));
    for (size_t m = 0; m < s->metric_count; m++) {
        TRY(page_add_cell(b, "th scope=\"col\"", s->metrics[m]));
    }
    TRY(buf_add_str(b, "</tr></thead>\n"));
    for (size_t g = 0; g < eval_slices_shown(r); g++) {
        TRY(add_group(b, s, &r->items[g]));
    }
    TRY(r->missing ? add_group(b, s, r->missing) : 0);
    TRY(html_end_table(b));
    TRY(add_gaps(b, r));
    return eval_slices_notes(s, r, "<p class=\"note\">", "</p>\n", b);
}

int html_add_slices(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    const struct eval_slices *s = report->slices;
    if (!s || !s->count) {
        return 0;
    }
    TRY(html_begin_section(b, "slices", "Slices"));
    TRY(html_add_pictures(b, pictures, PICTURE_OF_SLICES));
    for (size_t i = 0; i < s->count; i++) {
        TRY(add_slice(b, s, &s->slices[i]));
    }
    return 0;
}

/* ---- lengths and truncation ---- */

static int add_truncation(struct buf *b, const struct eval_report *report)
{
    const struct eval_report *const parts[] = {report->truncated, report->whole};
    TRY(html_begin_table(b, "Truncated rows and whole ones apart", "metric|truncated|whole"));
    TRY(buf_printf(b, "<tr><th scope=\"row\">rows</th><td>%zu</td><td>%zu</td></tr>\n", parts[0]->rows,
                   parts[1]->rows));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (!report_is_headline(v) || (parts[0]->values[i].reason && parts[1]->values[i].reason)) {
            continue;
        }
        TRY(buf_add_str(b, "<tr>"));
        TRY(html_add_row_name(b, v->name));
        for (int side = 0; side < 2; side++) {
            TRY(html_add_figure(b, parts[side]->values[i].value, parts[side]->values[i].reason, NULL));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return html_end_table(b);
}

/* Four bins of the picture a line. */
static int add_length_table(struct buf *b, const struct eval_report *report)
{
    enum { TOGETHER = 4 };
    struct report_length_bin bins[REPORT_LENGTH_BINS];
    size_t width;
    size_t count = report_lengths(report, bins, &width);
    if (!count) {
        return 0;
    }
    TRY(html_begin_table(b, NULL,
                         report->p->target ? "tokens|rows|truncated|mean absolute error"
                                           : "tokens|rows|truncated|predicted wrong"));
    for (size_t i = 0; i < count; i += TOGETHER) {
        struct report_length_bin sum = {0};
        for (size_t j = i; j < count && j < i + TOGETHER; j++) {
            sum.rows += bins[j].rows;
            sum.truncated += bins[j].truncated;
            sum.judged += bins[j].judged;
            sum.error += bins[j].error;
        }
        if (!(sum.rows > 0)) {
            continue;
        }
        TRY(buf_printf(b, "<tr><td>%zu to %zu</td><td>%.0f</td><td>%.0f</td>", i * width + 1,
                       (i + TOGETHER < count ? i + TOGETHER : count) * width, sum.rows, sum.truncated));
        if (!(sum.judged > 0)) {
            TRY(buf_add_str(b, "<td>&ndash;</td></tr>\n"));
        } else {
            TRY(report->p->target ? buf_printf(b, "<td>%.4f</td></tr>\n", sum.error / sum.judged)
                                  : buf_printf(b, "<td>%.1f&nbsp;%%</td></tr>\n", 100 * sum.error / sum.judged));
        }
    }
    return html_end_table(b);
}

int html_add_lengths(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    bool lengths = report->p && report->p->tokens;
    if (!lengths && !report->truncated) {
        return 0;
    }
    TRY(html_begin_section(b, "lengths", "Lengths and truncation"));
    TRY(html_add_pictures(b, pictures, PICTURE_OF_LENGTHS));
    TRY(add_length_table(b, report));
    TRY(report->truncated ? add_truncation(b, report) : 0);
    return report_part_notes(report, html_add_note, b);
}

/* ---- arms ---- */

/* A number and its bounds: plain, with its sign, or a ratio as the per cent that it is above 1. */
enum bounds_form { BOUNDS_PLAIN, BOUNDS_SIGNED, BOUNDS_PERCENT };

static int add_bounds(struct buf *b, const struct eval_interval *i, enum bounds_form form)
{
    static const char *const values[] = {"<td>%.4f", "<td>%+.4f", "<td>%+.2f&nbsp;%%"};
    static const char *const bounds[] = {"<small>%.4f to %.4f</small>", "<small>%+.4f to %+.4f</small>",
                                         "<small>%+.2f to %+.2f&nbsp;%%</small>"};
    double scale = form == BOUNDS_PERCENT ? 100 : 1;
    double less = form == BOUNDS_PERCENT ? 1 : 0;
    if (isnan(i->value)) {
        return buf_add_str(b, "<td>&ndash;</td>");
    }
    TRY(buf_printf(b, values[form], scale * (i->value - less)));
    if (!isnan(i->low)) {
        TRY(buf_printf(b, bounds[form], scale * (i->low - less), scale * (i->high - less)));
    }
    return buf_add_str(b, "</td>");
}

int html_add_arms(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    const struct eval_arms *arms = report->arms;
    if (!arms) {
        return 0;
    }
    TRY(html_begin_section(b, "arms", "Arms of the experiment"));
    TRY(html_add_pictures(b, pictures, PICTURE_OF_ARMS));
    for (size_t f = 0; f < arms->figure_count; f++) {
        TRY(html_begin_table(b, arms->figures[f], "arm|value|lift|difference|rows"));
        for (size_t a = 0; a < arms->count; a++) {
            const struct eval_arm_figure *of = &arms->values[a * arms->figure_count + f];
            TRY(buf_add_str(b, "<tr>"));
            TRY(html_add_row_name(b, arms->names[a]));
            TRY(add_bounds(b, &of->of_arm, BOUNDS_PLAIN));
            TRY(add_bounds(b, &of->ratio, BOUNDS_PERCENT)); /* what a phone shows first */
            TRY(add_bounds(b, &of->difference, BOUNDS_SIGNED));
            TRY(buf_printf(b, "<td>%zu</td>", arms->rows[a]));
            TRY(buf_add_str(b, "</tr>\n"));
        }
        TRY(html_end_table(b));
    }
    TRY(buf_add_str(b, "<p class=\"note\">Against the control "));
    TRY(page_add_escaped(b, arms->control));
    struct buf method = {0};
    int rc = eval_arms_method(arms, &method);
    rc = rc ? rc : buf_add_str(b, ". ");
    rc = rc ? rc : page_add_escaped(b, buf_str(&method));
    buf_release(&method);
    return rc ? rc : buf_add_str(b, ".</p>\n");
}

/* ---- positions ---- */

int html_add_positions(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    size_t rates = 0;
    if (!report->position_count) {
        return 0;
    }
    TRY(html_begin_section(b, "positions", "Behaviour by position"));
    TRY(html_add_pictures(b, pictures, PICTURE_OF_POSITIONS));
    TRY(buf_add_str(b, "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">position</th>"
                       "<th scope=\"col\">rows</th>"));
    for (const struct eval_value *v; (v = report_rate(report, rates)); rates++) {
        TRY(page_add_cell(b, "th scope=\"col\"", v->name));
    }
    TRY(buf_add_str(b, "</tr></thead>\n"));
    for (size_t at = 0; at < report->position_count; at++) {
        TRY(buf_printf(b, "<tr><td>%zu</td><td>%.0f</td>", at + 1, report->position_rows[at]));
        for (size_t i = 0; i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            TRY(html_add_figure(b, sums[0] / sums[1], sums[1] > 0 ? NULL : "", NULL));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return html_end_table(b);
}
