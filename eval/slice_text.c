/* Slices as text for people, and as Markdown. */

#include <math.h>
#include <stdio.h>

#include "data/utf8.h"
#include "eval/interval.h"
#include "eval/report.h"
#include "eval/slice.h"
#include "eval/try.h"

enum { NAME_WIDTH = 24, NAME_WIDTH_MAX = 48, METRICS_SHOWN = 5 };

static int add_name(struct buf *b, const char *name, size_t width)
{
    TRY(buf_add_str(b, "  "));
    TRY(report_add_line(b, name));
    size_t length = utf8_count(name);
    return buf_printf(b, "%*s", length < width ? (int)(width - length) : 0, "");
}

enum { NUMBER_WIDTH = 9, INTERVAL_WIDTH = 16, SIGNED_INTERVAL_WIDTH = 18 };

static int width_of(const char *metric)
{
    size_t length = utf8_count(metric);
    return length > NUMBER_WIDTH ? (int)length : NUMBER_WIDTH;
}

static int add_interval(const struct interval *interval, int width, struct buf *b)
{
    char text[64] = "-";
    if (interval && !interval->reason) {
        (void)snprintf(text, sizeof text, "%.4f to %.4f", interval->low, interval->high);
    }
    return buf_printf(b, "  %*s", width, text);
}

static int add_group(const struct eval_slices *s, const struct slice_group *g, size_t width, struct buf *b)
{
    TRY(add_name(b, g->name, width));
    TRY(buf_printf(b, " %8zu %8zu", g->rows, g->queries));
    for (size_t m = 0; m < s->metric_count && m < METRICS_SHOWN; m++) {
        int metric_width = width_of(s->metrics[m]);
        TRY(g->reasons[m] ? buf_printf(b, " %*s", metric_width, "-")
                          : buf_printf(b, " %*.4f", metric_width, g->values[m]));
        if (!m && s->with_intervals) {
            TRY(add_interval(g->intervals && !g->reasons[m] ? &g->intervals[m] : NULL, INTERVAL_WIDTH, b));
        }
    }
    return buf_add_str(b, g->small ? "  small\n" : "\n");
}

/* Of the column of names: that of the longest, within reason. */
static size_t name_width(const struct slice_result *r)
{
    size_t width = NAME_WIDTH;
    for (size_t g = 0; g < r->groups.count; g++) {
        size_t length = utf8_count(r->groups.names[g]);
        width = length > width ? length : width;
    }
    return width > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : width;
}

static int add_gaps(const struct eval_slices *s, const struct slice_result *r, struct buf *b)
{
    static const char *const labels[] = {"demographic parity", "equal opportunity", "equalized odds", "exposure",
                                         "exposure per merit (ratio)"};
    bool any = false;
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        if (isnan(r->gaps[i])) {
            continue;
        }
        const struct slice_gap_ends *ends = &r->gap_ends[i];
        TRY(any ? 0 : buf_add_str(b, "  gaps\n"));
        TRY(buf_printf(b, "    %-26s %.4f", labels[i], r->gaps[i]));
        TRY(s->with_intervals ? add_interval(&r->gap_intervals[i], SIGNED_INTERVAL_WIDTH, b) : 0);
        TRY(buf_printf(b, "  %.4f ", ends->low));
        TRY(report_add_line(b, r->groups.names[ends->least]));
        TRY(buf_printf(b, ", %.4f ", ends->high));
        TRY(report_add_line(b, r->groups.names[ends->greatest]));
        TRY(buf_add_char(b, '\n'));
        any = true;
    }
    return 0;
}

enum { GROUPS_SHOWN = 50 };

size_t eval_slices_shown(const struct slice_result *r)
{
    size_t count = 0;
    while (count < r->groups.count && count < GROUPS_SHOWN && r->items[count].rows) { /* the empty ones are last */
        count++;
    }
    return count;
}

/* What a reader must know to read the table right. */
struct notes {
    size_t groups, judged, small, undecided; /* with a row; of enough rows with a value; without an interval */
    bool lists;                              /* a figure of rankings is shown */
};

static struct notes notes_of(const struct eval_slices *s, const struct slice_result *r)
{
    struct notes notes = {0};
    for (size_t m = 0; m < s->metric_count; m++) {
        notes.lists = notes.lists || eval_metric_needs_lists(s->metrics[m]);
    }
    for (size_t g = 0; g < r->groups.count && r->items[g].rows; g++) {
        const struct slice_group *item = &r->items[g];
        bool judged = !item->small && !item->reasons[0];
        notes.groups++;
        notes.small += item->small;
        notes.judged += judged;
        notes.undecided += judged && item->intervals && item->intervals[0].reason;
    }
    return notes;
}

enum { GROUPS_MANY = 5 };

static bool has_gap(const struct slice_result *r)
{
    bool any = false;
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        any = any || !isnan(r->gaps[i]);
    }
    return any;
}

int eval_slices_notes(const struct eval_slices *s, const struct slice_result *r, const char *before, const char *after,
                      struct buf *b)
{
    struct notes notes = notes_of(s, r);
    if (r->groups.note) {
        TRY(buf_printf(b, "%s%s%s", before, r->groups.note, after));
    }
    if (notes.groups > eval_slices_shown(r)) {
        TRY(buf_printf(b, "%sthe first %zu of %zu groups; the JSON has them all%s", before, eval_slices_shown(r),
                       notes.groups, after));
    }
    if (r->missing) {
        TRY(buf_printf(b, "%s(no value): no worst group, and in no gap%s", before, after));
    }
    if (r->groups.pooled) {
        TRY(buf_printf(b, "%s(other): %zu rarer values together%s", before, r->groups.pooled, after));
    }
    if (notes.small) {
        TRY(buf_printf(b, "%ssmall: fewer than %zu rows; no worst group, and in no gap%s", before, s->min_rows, after));
    }
    if (r->split && notes.lists) {
        TRY(buf_printf(b, "%s%zu queries have rows in several groups: a group's rankings are of its own rows alone%s",
                       before, r->split, after));
    }
    if (notes.undecided) {
        TRY(buf_printf(b, "%s-: no interval from fewer than %d units that can be drawn%s", before, INTERVAL_UNITS_MIN,
                       after));
    }
    if (s->with_intervals && has_gap(r)) {
        TRY(buf_printf(b, "%sthe interval of a gap is that of the difference between the two groups named%s", before,
                       after));
    }
    if (notes.judged >= GROUPS_MANY) {
        TRY(buf_printf(b, "%sthe worst of %zu groups is bad by chance too: %s%s", before, notes.judged,
                       s->with_intervals ? "an interval is that of its group alone, not of the worst of many"
                                         : "--resamples 1000 gives each its interval",
                       after));
    }
    return 0;
}

int eval_slices_text(const struct eval_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct slice_result *r = &s->slices[i];
        size_t width = name_width(r);
        TRY(buf_printf(b, "\nslice %s (worst %s first)\n  %-*s %8s %8s", r->name, s->metrics[0], (int)width, "", "rows",
                       "queries"));
        for (size_t m = 0; m < s->metric_count && m < METRICS_SHOWN; m++) {
            TRY(buf_printf(b, " %*s", width_of(s->metrics[m]), s->metrics[m]));
            TRY(!m && s->with_intervals ? buf_printf(b, "  %*s", INTERVAL_WIDTH, "interval") : 0);
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t g = 0; g < eval_slices_shown(r); g++) {
            TRY(add_group(s, &r->items[g], width, b));
        }
        TRY(r->missing ? add_group(s, r->missing, width, b) : 0);
        TRY(add_gaps(s, r, b));
        TRY(eval_slices_notes(s, r, "  ", "\n", b));
    }
    return 0;
}

/* ---- Markdown ---- */

static int add_markdown_group(const struct eval_slices *s, const struct slice_group *g, struct buf *b)
{
    TRY(buf_add_str(b, "| "));
    TRY(report_add_text(b, g->name));
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

static int add_markdown_gaps(const struct slice_result *r, struct buf *b)
{
    bool any = false;
    for (size_t i = 0; i < SLICE_GAP_COUNT; i++) {
        if (isnan(r->gaps[i])) {
            continue;
        }
        TRY(any ? 0 : buf_add_str(b, "\n| gap | | least | greatest |\n|---|--:|---|---|\n"));
        TRY(buf_printf(b, "| %s | %.4f", slice_gap_names[i], r->gaps[i]));
        if (r->gap_intervals && !r->gap_intervals[i].reason) {
            TRY(buf_printf(b, " (%.4f to %.4f)", r->gap_intervals[i].low, r->gap_intervals[i].high));
        }
        TRY(buf_printf(b, " | %.4f ", r->gap_ends[i].low));
        TRY(report_add_text(b, r->groups.names[r->gap_ends[i].least]));
        TRY(buf_printf(b, " | %.4f ", r->gap_ends[i].high));
        TRY(report_add_text(b, r->groups.names[r->gap_ends[i].greatest]));
        TRY(buf_add_str(b, " |\n"));
        any = true;
    }
    return 0;
}

int eval_slices_markdown(const struct eval_slices *s, struct buf *b)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct slice_result *r = &s->slices[i];
        TRY(buf_add_str(b, "\n## Slice "));
        TRY(report_add_text(b, r->name));
        TRY(buf_printf(b, "\n\nThe worst %s first.\n\n| group | rows | queries |", s->metrics[0]));
        for (size_t m = 0; m < s->metric_count; m++) {
            TRY(buf_add_char(b, ' '));
            TRY(report_add_text(b, s->metrics[m]));
            TRY(buf_add_str(b, " |"));
        }
        TRY(buf_add_str(b, "\n|---|--:|--:|"));
        for (size_t m = 0; m < s->metric_count; m++) {
            TRY(buf_add_str(b, "--:|"));
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t g = 0; g < eval_slices_shown(r); g++) {
            TRY(add_markdown_group(s, &r->items[g], b));
        }
        TRY(r->missing ? add_markdown_group(s, r->missing, b) : 0);
        TRY(add_markdown_gaps(r, b));
        size_t begin = b->length;
        TRY(buf_add_char(b, '\n'));
        TRY(eval_slices_notes(s, r, "- ", "\n", b));
        b->length = b->length == begin + 1 ? begin : b->length; /* no note */
    }
    return 0;
}
