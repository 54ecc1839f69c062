#include <stdio.h>
#include <string.h>

#include "data/utf8.h"
#include "eval/behaviour.h"
#include "eval/interval.h"
#include "eval/provenance.h"
#include "eval/report.h"
#include "eval/report_provenance.h"
#include "eval/slice.h"
#include "eval/try.h"

#define ROW_NAME_WIDTH 16 /* of the tables by depth, where no name is longer */

int report_add_line(struct buf *b, const char *text)
{
    for (; *text; text++) {
        TRY(buf_add_char(b, (unsigned char)*text < 0x20 ? ' ' : *text));
    }
    return 0;
}

/* text right-aligned in width code points */
static int add_right(struct buf *b, const char *text, size_t width)
{
    size_t length = utf8_count(text);
    return buf_printf(b, "%*s%s", length < width ? (int)(width - length) : 0, "", text);
}

static bool occurs(const struct metric_data *data, size_t class)
{
    return data->support[class] + data->predicted[class] > 0;
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static int add_figures(struct buf *b, const char *name, size_t width, const double figures[3], double support,
                       int digits)
{
    TRY(add_right(b, name, width));
    return buf_printf(b, "  %9.*f %9.*f %9.*f %9.0f\n", digits, figures[0], digits, figures[1], digits, figures[2],
                      support);
}

int report_text_classes(const struct eval_report *report, int digits, struct buf *b)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    size_t width = strlen("weighted avg");
    for (size_t c = 0; c < n; c++) {
        size_t length = utf8_count(report_label_name(report, (int)c));
        width = occurs(data, c) && length > width ? length : width;
    }
    TRY(buf_printf(b, "%*s  %9s %9s %9s %9s\n\n", (int)width, "", "precision", "recall", "f1-score", "support"));
    double macro[3] = {0};
    double weighted[3] = {0};
    size_t present = 0;
    double hits = 0;
    for (size_t c = 0; c < n; c++) {
        double right = data->confusion[c * n + c];
        if (!occurs(data, c)) {
            continue;
        }
        double figures[3] = {ratio(right, data->predicted[c]), ratio(right, data->support[c]),
                             ratio(2 * right, data->predicted[c] + data->support[c])};
        for (int i = 0; i < 3; i++) {
            macro[i] += figures[i];
            weighted[i] += figures[i] * data->support[c];
        }
        present++;
        hits += right;
        TRY(add_figures(b, report_label_name(report, (int)c), width, figures, data->support[c], digits));
    }
    for (int i = 0; i < 3; i++) {
        macro[i] /= (double)present;
        weighted[i] /= data->rows;
    }
    TRY(buf_add_char(b, '\n'));
    TRY(add_right(b, "accuracy", width));
    TRY(buf_printf(b, "  %9s %9s %9.*f %9.0f\n", "", "", digits, ratio(hits, data->rows), data->rows));
    TRY(add_figures(b, "macro avg", width, macro, data->rows, digits));
    return add_figures(b, "weighted avg", width, weighted, data->rows, digits);
}

static int add_class_note(void *arg, const char *text)
{
    return buf_printf(arg, "note: %s; shown and averaged as 0\n", text);
}

static int add_note(void *arg, const char *text)
{
    return buf_printf(arg, "  note: %s\n", text);
}

static int add_confusion(const struct eval_report *report, struct buf *b)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    size_t width = 9;
    for (size_t c = 0; c < n; c++) {
        size_t length = utf8_count(report_label_name(report, (int)c));
        width = length > width ? length : width;
    }
    TRY(buf_add_str(b, "\nconfusion matrix (row: label, column: predicted)\n\n"));
    TRY(add_right(b, "", width + 1));
    for (size_t c = 0; c < n; c++) {
        TRY(add_right(b, report_label_name(report, (int)c), width + 1));
    }
    for (size_t i = 0; i < n; i++) {
        TRY(buf_add_char(b, '\n'));
        TRY(add_right(b, report_label_name(report, (int)i), width + 1));
        for (size_t j = 0; j < n; j++) {
            TRY(buf_printf(b, " %*.0f", (int)width, data->confusion[i * n + j]));
        }
    }
    return buf_add_char(b, '\n');
}

static int add_group(const struct eval_report *report, const char *title, unsigned needs, struct buf *b)
{
    bool titled = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (!(v->metric->needs & needs) || report_has_depth(v) || !report_is_shown(report, v)) {
            continue;
        }
        if (!titled) {
            TRY(buf_printf(b, "\n%s\n", title));
            titled = true;
        }
        if (v->reason) {
            TRY(buf_printf(b, "  %-28s undefined: %s\n", v->name, v->reason));
            continue;
        }
        TRY(buf_printf(b, "  %-28s %.4f\n", v->name, v->value));
    }
    return 0;
}

/* ---- ranking: a row a metric, a column a depth ---- */

static int width_of_names(const struct eval_report *report, unsigned needs)
{
    size_t width = ROW_NAME_WIDTH;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        size_t length = v->metric->needs & needs && report_has_depth(v) ? report_row_name_length(v) : 0;
        width = length > width ? length : width;
    }
    return (int)width;
}

static int add_ranking_row(const struct eval_report *report, const struct eval_value *row, unsigned needs,
                           struct buf *b)
{
    TRY(buf_printf(b, "  %-*.*s", width_of_names(report, needs), (int)report_row_name_length(row), row->name));
    size_t k = 0;
    const struct eval_value *shown = row;
    for (bool first = true; report_next_depth(report, needs, first, &k); first = false) {
        const struct eval_value *cell = report_cell(report, row, k);
        if (!cell) {
            TRY(buf_printf(b, " %8s", ""));
        } else if (cell->reason) {
            TRY(buf_printf(b, " %8s", "-"));
        } else {
            TRY(buf_printf(b, " %8.4f", cell->value));
        }
        shown = cell && cell->reason ? cell : shown;
    }
    if (shown->reason) {
        return buf_printf(b, "  undefined: %s\n", shown->reason);
    }
    while (!report_is_by_query(row) && b->data[b->length - 1] == ' ') {
        b->data[--b->length] = '\0';
    }
    if (report_is_by_query(row)) {
        TRY(buf_printf(b, "  %zu queries", row->queries));
        if (row->left_out) {
            TRY(buf_printf(b, ", %zu left out: %s", row->left_out, row->metric->query_reason));
        }
    }
    return buf_add_char(b, '\n');
}

static bool is_first_of_row(const struct eval_report *report, size_t value)
{
    for (size_t i = 0; i < value; i++) {
        if (report_same_row(&report->values[i], &report->values[value])) {
            return false;
        }
    }
    return true;
}

static int add_depths(const struct eval_report *report, unsigned needs, struct buf *b)
{
    TRY(buf_printf(b, "\n  %-*s", width_of_names(report, needs), ""));
    size_t k = 0;
    for (bool first = true; report_next_depth(report, needs, first, &k); first = false) {
        if (k == SIZE_MAX) {
            TRY(buf_printf(b, " %8s", "all"));
        } else {
            TRY(buf_printf(b, " %*s@%zu", k < 10 ? 6 : k < 100 ? 5 : k < 1000 ? 4 : 3, "", k));
        }
    }
    return buf_add_char(b, '\n');
}

/* The rows that a kind of metric gives to the table by depth. */
static int add_rows(const struct eval_report *report, unsigned needs, struct buf *b)
{
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->metric->needs & needs && report_has_depth(v) && is_first_of_row(report, i)) {
            TRY(add_ranking_row(report, v, needs, b));
        }
    }
    return 0;
}

static bool has_rows(const struct eval_report *report, unsigned needs)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (report->values[i].metric->needs & needs && report_has_depth(&report->values[i])) {
            return true;
        }
    }
    return false;
}

static int add_ranking(const struct eval_report *report, struct buf *b)
{
    static const char *const ties[] = {"", ", in the order of the file", ", expected values over their orders"};
    const struct eval_ranking *r = &report->ranking;
    if (has_rows(report, METRIC_NEEDS_QUERY)) {
        TRY(buf_printf(b, "%sranking: %zu queries, %zu items", b->length ? "\n" : "", r->queries, r->items));
        TRY(r->items ? buf_printf(b, ", %.2f %% of them tied in score%s", 100 * (double)r->tied / (double)r->items,
                                  ties[r->ties])
                     : 0);
        if (r->level_known) {
            TRY(buf_printf(b, "; relevant from grade %g", r->relevance_level));
        }
        TRY(add_depths(report, METRIC_NEEDS_QUERY, b));
        TRY(add_rows(report, METRIC_NEEDS_QUERY, b));
    }
    if (has_rows(report, METRIC_NEEDS_ITEM)) {
        TRY(buf_printf(b, "%scatalogue: %zu items", b->length ? "\n" : "", report->lists.item_count));
        TRY(add_depths(report, METRIC_NEEDS_ITEM, b));
        TRY(add_rows(report, METRIC_NEEDS_ITEM, b));
    }
    return 0;
}

static int add_events(const struct eval_report *report, const char *counts, struct buf *b)
{
    char title[200];
    (void)snprintf(title, sizeof title, "behaviour%s%s", *counts ? ": " : "", counts);
    return add_group(report, title, METRIC_NEEDS_EVENTS, b);
}

static int add_behaviour(const struct eval_report *report, struct buf *b)
{
    size_t begin = b->length;
    struct buf title = {0};
    int rc = report_add_counts(report, &title);
    rc = rc ? rc : add_events(report, buf_str(&title), b);
    buf_release(&title);
    TRY(rc);
    if (has_rows(report, METRIC_NEEDS_EVENTS)) {
        TRY(buf_add_str(b, "\nbehaviour by depth (lists: mean over the queries)"));
        TRY(add_depths(report, METRIC_NEEDS_EVENTS, b));
        TRY(add_rows(report, METRIC_NEEDS_EVENTS, b));
    }
    return b->length > begin ? report_event_notes(report, add_note, b) : 0;
}

static int add_positions(const struct eval_report *report, struct buf *b)
{
    size_t rates = 0;
    if (!report->position_count) {
        return 0;
    }
    TRY(buf_add_str(b, "\nbehaviour by position\n  position      rows"));
    for (const struct eval_value *v; (v = report_rate(report, rates)); rates++) {
        TRY(buf_printf(b, " %*s", (int)strlen(v->name) > 9 ? (int)strlen(v->name) : 9, v->name));
    }
    for (size_t at = 0; at < report->position_count; at++) {
        TRY(buf_printf(b, "\n  %8zu %9.0f", at + 1, report->position_rows[at]));
        for (size_t i = 0; i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            int width = (int)strlen(report_rate(report, i)->name);
            width = width > 9 ? width : 9;
            TRY(sums[1] > 0 ? buf_printf(b, " %*.4f", width, sums[0] / sums[1]) : buf_printf(b, " %*s", width, "-"));
        }
    }
    return buf_add_char(b, '\n');
}

/* Truncated rows and whole ones, side by side. */
static int add_parts(const struct eval_report *report, struct buf *b)
{
    bool any = false;
    for (size_t i = 0; report->truncated && i < report->value_count; i++) {
        any = any || (report_is_headline(&report->values[i]) &&
                      !(report->truncated->values[i].reason && report->whole->values[i].reason));
    }
    if (!any) {
        return 0;
    }
    TRY(buf_printf(b, "\ntruncated rows apart\n  %-28s %9s %9s\n  %-28s %9zu %9zu\n", "", "truncated", "whole", "rows",
                   report->truncated->rows, report->whole->rows));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *const parts[] = {&report->truncated->values[i], &report->whole->values[i]};
        if (!report_is_headline(&report->values[i]) || (parts[0]->reason && parts[1]->reason)) {
            continue;
        }
        TRY(buf_printf(b, "  %-28s", report->values[i].name));
        for (int side = 0; side < 2; side++) {
            TRY(parts[side]->reason ? buf_printf(b, " %9s", "-") : buf_printf(b, " %9.4f", parts[side]->value));
        }
        TRY(buf_add_char(b, '\n'));
    }
    return report_part_notes(report, add_note, b);
}

static int add_data(const struct eval_report *report, struct buf *b)
{
    const struct predictions *p = report->p;
    if (!p) {
        return 0;
    }
    TRY(buf_printf(b, "%zu rows", p->rows));
    if ((double)p->rows > report->data.rows && (p->label || p->target)) {
        TRY(buf_printf(b, ", %.0f without a label (left out)", (double)p->rows - report->data.rows));
    }
    if (p->truncated) {
        size_t truncated = report->rows_truncated;
        TRY(buf_printf(b, ", %zu truncated (%.2f %%)", truncated,
                       p->rows ? 100 * (double)truncated / (double)p->rows : 0));
    } else if (report_has_unknown_truncation(report)) {
        TRY(buf_add_str(b, ", unknown how many are truncated"));
    }
    return buf_add_char(b, '\n');
}

static int add_provenance_row(struct buf *b, const char *key, const char *value)
{
    return buf_printf(b, "  %-28s %s\n", key, value);
}

int eval_report_text(const struct eval_report *report, struct buf *b)
{
    bool table = report->data.confusion && report->data.rows > 0;
    char title[160] = "classification (precision, recall, f1, auc, average_precision: mean over the classes)";
    if (report->data.classes == 2) {
        (void)snprintf(title, sizeof title,
                       "classification (precision, recall, f1, auc, average_precision: of '%.60s')",
                       report_label_name(report, report->data.positive));
    }
    TRY(add_data(report, b));
    if (table) {
        TRY(buf_add_char(b, '\n'));
        TRY(report_text_classes(report, 4, b));
        TRY(report_class_notes(report, add_class_note, b));
        if (report->data.classes <= REPORT_CLASSES_SHOWN) {
            TRY(add_confusion(report, b));
        }
    }
    TRY(add_group(report, title, METRIC_NEEDS_CLASSES | METRIC_NEEDS_PROBABILITY | METRIC_NEEDS_SCORE, b));
    TRY(add_group(report, "regression", METRIC_NEEDS_TARGET, b));
    if (report->ranking.done) {
        TRY(add_ranking(report, b));
    }
    TRY(add_behaviour(report, b));
    TRY(add_positions(report, b));
    TRY(add_parts(report, b));
    if (report->arms) {
        TRY(eval_arms_text(report->arms, b));
    }
    if (report->intervals) {
        TRY(eval_intervals_text(report, report->intervals, b));
    }
    if (report->slices) {
        TRY(eval_slices_text(report->slices, b));
    }
    if (report->provenance) {
        TRY(buf_add_str(b, "\nprovenance\n"));
        TRY(provenance_rows(report->provenance, add_provenance_row, b));
    }
    return 0;
}

int eval_report_per_query(const struct eval_report *report, struct buf *b)
{
    TRY(buf_add_str(b, "query_id\titems\trelevant\ttied"));
    for (size_t i = 0; i < report->value_count; i++) {
        if (report_is_by_query(&report->values[i])) {
            TRY(buf_printf(b, "\t%s", report->values[i].name));
        }
    }
    TRY(buf_add_char(b, '\n'));
    for (size_t q = 0; report->queries && q < report->query_count; q++) {
        const struct eval_query *query = &report->queries[q];
        if (!query->items && !query->id) {
            continue; /* no judged item, nor an event */
        }
        TRY(predictions_escape(b, query->id, strlen(query->id)));
        bool judged = report->ranking.queries > 0;
        TRY(buf_printf(b, "\t%zu\t", query->items));
        TRY(judged && report->ranking.level_known ? buf_printf(b, "%zu", query->relevant) : 0);
        TRY(buf_add_char(b, '\t'));
        TRY(judged ? buf_printf(b, "%zu", query->tied) : 0);
        for (size_t i = 0; i < report->value_count; i++) {
            double value = report->by_query[q * report->value_count + i];
            if (report_is_by_query(&report->values[i])) {
                TRY(isnan(value) ? buf_add_char(b, '\t') : buf_printf(b, "\t%.9g", value));
            }
        }
        TRY(buf_add_char(b, '\n'));
    }
    return 0;
}
