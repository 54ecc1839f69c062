/* The figures of all rows: by class, by depth, and the others. */

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/behaviour.h"
#include "eval/picture_internal.h"
#include "eval/report_html.h"
#include "eval/report_provenance.h"
#include "eval/try.h"

enum { CONFUSIONS_SHOWN = 12, MATRIX_NAMED = 6, MATRIX_NAME_BYTES = 16 };

/* ---- by class ---- */

static int add_share(struct buf *b, double part, double whole)
{
    return whole > 0 ? buf_printf(b, "<td>%.4f</td>", part / whole) : buf_add_str(b, "<td>&ndash;</td>");
}

static int add_class_table(struct buf *b, const struct eval_report *report)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    bool curves = false;
    for (int c = 0; c < data->classes; c++) {
        curves = curves || picture_has_curve(report, c);
    }
    TRY(html_begin_table(b, NULL,
                         curves ? "label|precision|recall|F1|support|predicted|AUC|average precision"
                                : "label|precision|recall|F1|support|predicted"));
    for (size_t c = 0; c < n; c++) {
        double hits = data->confusion[c * n + c];
        TRY(buf_add_str(b, "<tr>"));
        TRY(html_add_row_name(b, report_label_name(report, (int)c)));
        TRY(add_share(b, hits, data->predicted[c]));
        TRY(add_share(b, hits, data->support[c]));
        TRY(add_share(b, 2 * hits, data->predicted[c] + data->support[c]));
        TRY(buf_printf(b, "<td>%.0f</td><td>%.0f</td>", data->support[c], data->predicted[c]));
        if (picture_has_curve(report, (int)c)) {
            TRY(buf_printf(b, "<td>%.4f</td><td>%.4f</td>", data->curves[c].auc, data->curves[c].average_precision));
        } else if (curves) {
            TRY(buf_add_str(b, "<td></td><td></td>"));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return html_end_table(b);
}

/* Many or long names would make the columns too wide for a screen or a sheet: those have numbers then. */
static bool needs_numbers(const struct eval_report *report)
{
    bool needs = report->data.classes > MATRIX_NAMED;
    for (int c = 0; c < report->data.classes; c++) {
        needs = needs || strlen(report_label_name(report, c)) > MATRIX_NAME_BYTES;
    }
    return needs;
}

static int begin_matrix(struct buf *b, const struct eval_report *report, bool numbers)
{
    TRY(html_begin_section(b, "confusion", "Confusion matrix"));
    TRY(buf_printf(b,
                   "<p class=\"note\">Rows: the label; columns: what was predicted%s. The shade is the share of the "
                   "row.</p>\n<div class=\"wide matrix\"><table>\n<thead><tr><td></td>",
                   numbers ? ", by the number of its row" : ""));
    for (int c = 0; c < report->data.classes; c++) {
        const char *name = report_label_name(report, c);
        TRY(numbers ? buf_printf(b, "<th scope=\"col\">%d</th>", c + 1)
                    : page_add_cell(b, "th scope=\"col\" dir=\"auto\"", name));
    }
    return buf_add_str(b, "</tr></thead>\n");
}

static int add_matrix_name(struct buf *b, const char *name, int number)
{
    if (!number) {
        return html_add_row_name(b, name);
    }
    TRY(buf_printf(b, "<th scope=\"row\" class=\"long\">%d ", number));
    TRY(page_add_cell(b, "bdi", name));
    return buf_add_str(b, "</th>");
}

static int add_matrix(struct buf *b, const struct eval_report *report)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    bool numbers = needs_numbers(report);
    TRY(begin_matrix(b, report, numbers));
    for (size_t i = 0; i < n; i++) {
        TRY(buf_add_str(b, "<tr>"));
        TRY(add_matrix_name(b, report_label_name(report, (int)i), numbers ? (int)i + 1 : 0));
        for (size_t j = 0; j < n; j++) {
            double count = data->confusion[i * n + j];
            double share = data->support[i] > 0 ? count / data->support[i] : 0;
            TRY(buf_printf(b, "<td style=\"background:rgba(%s,%.2f)\">%.0f", i == j ? "40,120,70" : "190,70,50",
                           0.65 * share, count));
            TRY(data->support[i] > 0 ? buf_printf(b, "<small>%.0f&nbsp;%%</small></td>", 100 * share)
                                     : buf_add_str(b, "<small>&ndash;</small></td>"));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return html_end_table(b);
}

struct confusion {
    size_t label, predicted;
    double rows;
};

/* The cells off the diagonal with most rows, the greatest first. */
static size_t find_confusions(const struct metric_data *data, struct confusion found[CONFUSIONS_SHOWN])
{
    size_t n = (size_t)data->classes;
    size_t count = 0;
    for (size_t i = 0; i < n * n; i++) {
        double rows = data->confusion[i];
        if (i / n == i % n || !(rows > 0) || (count == CONFUSIONS_SHOWN && rows <= found[count - 1].rows)) {
            continue;
        }
        size_t at = count < CONFUSIONS_SHOWN ? count++ : count - 1;
        for (; at && found[at - 1].rows < rows; at--) {
            found[at] = found[at - 1];
        }
        found[at] = (struct confusion){i / n, i % n, rows};
    }
    return count;
}

static int add_confusions(struct buf *b, const struct eval_report *report)
{
    const struct metric_data *data = &report->data;
    struct confusion found[CONFUSIONS_SHOWN];
    size_t count = data->classes > 2 ? find_confusions(data, found) : 0;
    if (!count) {
        return 0;
    }
    TRY(html_begin_table(b, "What is taken for what, most rows first", "label|predicted as|rows|of the label"));
    for (size_t i = 0; i < count; i++) {
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td dir=\"auto\"", report_label_name(report, (int)found[i].label)));
        TRY(page_add_cell(b, "td dir=\"auto\"", report_label_name(report, (int)found[i].predicted)));
        TRY(buf_printf(b, "<td>%.0f</td><td>%.1f&nbsp;%%</td></tr>\n", found[i].rows,
                       100 * found[i].rows / data->support[found[i].label]));
    }
    return html_end_table(b);
}

static int add_reliability(struct buf *b, const struct eval_report *report)
{
    struct calibrate_bin bins[CALIBRATE_BINS];
    bool of_top;
    if (!report_reliability(report, bins, &of_top)) {
        return 0;
    }
    TRY(buf_add_str(b, "<details><summary>Reliability in numbers</summary>\n"));
    TRY(html_begin_table(b, NULL,
                         of_top ? "probability|rows|mean|share right" : "probability|rows|mean|share positive"));
    for (size_t i = 0; i < CALIBRATE_BINS; i++) {
        if (bins[i].count > 0) {
            TRY(buf_printf(b, "<tr><td>%.2f to %.2f</td><td>%.0f</td><td>%.4f</td><td>%.4f</td></tr>\n", bins[i].low,
                           bins[i].high, bins[i].count, bins[i].p, bins[i].observed));
        }
    }
    TRY(html_end_table(b));
    return buf_add_str(b, "</details>\n");
}

static int add_class_note(void *arg, const char *text)
{
    TRY(buf_add_str(arg, "<p class=\"note\">"));
    TRY(page_add_escaped(arg, text));
    return buf_add_str(arg, "; averaged as 0.</p>\n");
}

int html_add_classes(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    bool table = report->data.confusion && report->data.rows > 0;
    bool picture = false;
    for (size_t i = 0; i < pictures->count; i++) {
        picture = picture || pictures->about[i].place == PICTURE_OF_CLASSES;
    }
    if (!table && !picture) {
        return 0;
    }
    TRY(html_begin_section(b, "classes", "By class"));
    TRY(table ? add_class_table(b, report) : 0);
    TRY(table ? report_class_notes(report, add_class_note, b) : 0);
    TRY(html_add_pictures(b, pictures, PICTURE_OF_CLASSES));
    TRY(add_reliability(b, report));
    if (table && report->data.classes <= REPORT_CLASSES_SHOWN) {
        TRY(add_matrix(b, report));
    }
    return table ? add_confusions(b, report) : 0;
}

/* ---- figures without depth ---- */

int html_add_metrics(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    bool open = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (report_has_depth(v) || !report_is_shown(report, v)) {
            continue;
        }
        if (!open) {
            TRY(html_begin_section(b, "metrics", "Metrics"));
            TRY(html_add_pictures(b, pictures, PICTURE_OF_VALUES));
            TRY(buf_add_str(b, "<div class=\"columns\"><table>\n"));
            open = true;
        }
        TRY(buf_add_str(b, "<tr>"));
        TRY(html_add_row_name(b, v->name));
        if (v->reason) {
            TRY(buf_add_str(b, "<td class=\"why\">undefined: "));
            TRY(page_add_escaped(b, v->reason));
            TRY(buf_add_str(b, "</td>"));
        } else {
            TRY(html_add_figure(b, v->value, NULL, report_interval(report, i)));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return open ? html_end_table(b) : 0;
}

/* ---- by depth ---- */

static int add_ranking_row(struct buf *b, const struct eval_report *report, const struct eval_value *row)
{
    const char *reason = NULL;
    size_t k = 0;
    TRY(buf_printf(b, "<tr><th scope=\"row\">%.*s</th>", (int)report_row_name_length(row), row->name));
    for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
        const struct eval_value *cell = report_cell(report, row, k);
        reason = cell && cell->reason ? cell->reason : reason;
        TRY(cell ? html_add_figure(b, cell->value, cell->reason,
                                   report_interval(report, (size_t)(cell - report->values)))
                 : buf_add_str(b, "<td></td>"));
    }
    if (reason) {
        TRY(buf_add_str(b, "<td class=\"why\">undefined: "));
        TRY(page_add_escaped(b, reason));
        return buf_add_str(b, "</td></tr>\n");
    }
    return report_is_by_query(row) ? buf_printf(b, "<td>%zu</td></tr>\n", row->queries)
                                   : buf_add_str(b, "<td></td></tr>\n");
}

static int begin_ranking(struct buf *b, const struct eval_report *report)
{
    size_t k = 0;
    TRY(buf_add_str(b, "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">metric</th>"));
    for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
        TRY(k == SIZE_MAX ? buf_add_str(b, "<th scope=\"col\">all</th>")
                          : buf_printf(b, "<th scope=\"col\">@%zu</th>", k));
    }
    return buf_add_str(b, "<th scope=\"col\">queries</th></tr></thead>\n");
}

/* What the rows with events are. */
static int add_events(struct buf *b, const struct eval_report *report)
{
    struct buf counts = {0};
    int rc = report_add_counts(report, &counts);
    rc = !rc && counts.length ? html_add_note(b, buf_str(&counts)) : rc;
    buf_release(&counts);
    return rc ? rc : report_event_notes(report, html_add_note, b);
}

int html_add_ranking(struct buf *b, const struct eval_report *report, const struct eval_pictures *pictures)
{
    bool open = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool first = report_has_depth(v);
        for (size_t j = 0; first && j < i; j++) {
            first = !report_same_row(&report->values[j], v);
        }
        if (!first) {
            continue;
        }
        if (!open) {
            TRY(html_begin_section(b, "ranking", report->ranking.queries ? "Ranking by query" : "By depth"));
            TRY(html_add_pictures(b, pictures, PICTURE_OF_QUERIES));
            TRY(begin_ranking(b, report));
            open = true;
        }
        TRY(add_ranking_row(b, report, v));
    }
    TRY(open ? html_end_table(b) : 0);
    TRY(report_left_out_notes(report, html_add_note, b));
    return add_events(b, report);
}
