/* The report as GitHub-flavoured Markdown: for pull requests and wikis. */

#include <string.h>

#include "eval/behaviour.h"
#include "eval/interval.h"
#include "eval/provenance.h"
#include "eval/report.h"
#include "eval/report_provenance.h"
#include "eval/slice.h"
#include "eval/try.h"

int report_add_cell(struct buf *b, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '|' || text[i] == '\\' || text[i] == '`' || text[i] == '*' || text[i] == '<') {
            TRY(buf_add_char(b, '\\'));
        }
        TRY(buf_add_char(b, (unsigned char)text[i] < 0x20 ? ' ' : text[i]));
    }
    return 0;
}

int report_add_text(struct buf *b, const char *text)
{
    return report_add_cell(b, text, strlen(text));
}

static int add_note(void *arg, const char *text)
{
    TRY(buf_add_str(arg, "\n- "));
    return report_add_text(arg, text);
}

static int add_class_note(void *arg, const char *text)
{
    TRY(add_note(arg, text));
    return buf_add_str(arg, "; averaged as 0");
}

/* The notes that were added behind begin, if any, end with a line end. */
static int end_notes(struct buf *b, size_t begin)
{
    return b->length > begin ? buf_add_char(b, '\n') : 0;
}

static int add_scalars(const struct eval_report *report, struct buf *b)
{
    bool titled = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (report_has_depth(v) || !report_is_shown(report, v)) {
            continue;
        }
        if (!titled) {
            TRY(buf_add_str(b, "\n## Metrics\n\n| metric | value |\n|---|--:|\n"));
            titled = true;
        }
        TRY(buf_add_str(b, "| "));
        TRY(report_add_text(b, v->name));
        TRY(v->reason ? buf_printf(b, " | undefined: %s |\n", v->reason) : buf_printf(b, " | %.4f |\n", v->value));
    }
    return 0;
}

static int add_row(const struct eval_report *report, const struct eval_value *row, struct buf *b)
{
    const char *reason = NULL;
    size_t k = 0;
    TRY(buf_add_str(b, "| "));
    TRY(report_add_cell(b, row->name, report_row_name_length(row)));
    for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
        const struct eval_value *cell = report_cell(report, row, k);
        TRY(!cell || cell->reason ? buf_add_str(b, cell ? " | -" : " | ") : buf_printf(b, " | %.4f", cell->value));
        reason = cell && cell->reason ? cell->reason : reason;
    }
    if (reason) {
        return buf_printf(b, " | undefined: %s |\n", reason);
    }
    return report_is_by_query(row) ? buf_printf(b, " | %zu |\n", row->queries) : buf_add_str(b, " | |\n");
}

static int add_depths(const struct eval_report *report, struct buf *b)
{
    size_t k = 0;
    bool titled = false;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool seen = !report_has_depth(v);
        for (size_t j = 0; !seen && j < i; j++) {
            seen = report_same_row(&report->values[j], v);
        }
        if (seen) {
            continue;
        }
        if (!titled) {
            TRY(buf_add_str(b, "\n## By depth\n\n| metric |"));
            for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
                TRY(k == SIZE_MAX ? buf_add_str(b, " all |") : buf_printf(b, " @%zu |", k));
            }
            TRY(buf_add_str(b, " queries |\n|---|"));
            for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
                TRY(buf_add_str(b, "--:|"));
            }
            TRY(buf_add_str(b, "--:|\n"));
            titled = true;
        }
        TRY(add_row(report, v, b));
    }
    size_t begin = b->length;
    TRY(report_left_out_notes(report, add_note, b));
    return end_notes(b, begin);
}

static int add_classes(const struct eval_report *report, struct buf *b)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    TRY(buf_add_str(
        b, "\n## By class\n\n| label | precision | recall | F1 | support | predicted |\n|---|--:|--:|--:|--:|--:|\n"));
    for (size_t c = 0; c < n; c++) {
        const char *name = report_label_name(report, (int)c);
        double hits = data->confusion[c * n + c];
        const double parts[] = {hits, hits, 2 * hits};
        const double wholes[] = {data->predicted[c], data->support[c], data->predicted[c] + data->support[c]};
        TRY(buf_add_str(b, "| "));
        TRY(report_add_text(b, name));
        for (int i = 0; i < 3; i++) {
            TRY(wholes[i] > 0 ? buf_printf(b, " | %.4f", parts[i] / wholes[i]) : buf_add_str(b, " | -"));
        }
        TRY(buf_printf(b, " | %.0f | %.0f |\n", data->support[c], data->predicted[c]));
    }
    size_t begin = b->length;
    TRY(report_class_notes(report, add_class_note, b));
    return end_notes(b, begin);
}

static int add_summary(const struct eval_report *report, struct buf *b)
{
    const struct eval_ranking *r = &report->ranking;
    TRY(buf_add_str(b, "# Evaluation\n\n"));
    if (report->p) {
        TRY(buf_printf(b, "%zu rows", report->p->rows));
        TRY(report->p->label || report->p->target ? buf_printf(b, ", %.0f with a label", report->data.rows) : 0);
        TRY(report->p->truncated                    ? buf_printf(b, ", %zu truncated", report->rows_truncated)
            : report_has_unknown_truncation(report) ? buf_add_str(b, ", unknown how many are truncated")
                                                    : 0);
        struct buf counts = {0};
        int rc = report_add_counts(report, &counts);
        rc = rc ? rc : buf_printf(b, "%s%s. ", counts.length ? "; " : "", buf_str(&counts));
        buf_release(&counts);
        TRY(rc);
    }
    if (r->done && r->queries) {
        TRY(buf_printf(b, "%zu queries, %zu items, %.2f %% of them tied in score.", r->queries, r->items,
                       r->items ? 100 * (double)r->tied / (double)r->items : 0));
    }
    return buf_add_char(b, '\n');
}

static int add_parts(const struct eval_report *report, struct buf *b)
{
    if (!report->truncated) {
        return 0;
    }
    TRY(buf_printf(b, "\n## Truncated rows apart\n\n| metric | truncated (%zu) | whole (%zu) |\n|---|--:|--:|\n",
                   report->truncated->rows, report->whole->rows));
    for (size_t i = 0; i < report->value_count; i++) {
        if (!report_is_headline(&report->values[i])) {
            continue;
        }
        TRY(buf_add_str(b, "| "));
        TRY(report_add_text(b, report->values[i].name));
        const struct eval_value *const parts[] = {&report->truncated->values[i], &report->whole->values[i]};
        for (int side = 0; side < 2; side++) {
            TRY(parts[side]->reason ? buf_add_str(b, " | -") : buf_printf(b, " | %.4f", parts[side]->value));
        }
        TRY(buf_add_str(b, " |\n"));
    }
    size_t begin = b->length;
    TRY(report_part_notes(report, add_note, b));
    return end_notes(b, begin);
}

static int add_provenance_row(struct buf *b, const char *key, const char *value)
{
    TRY(buf_printf(b, "- %s: ", key));
    TRY(report_add_text(b, value));
    return buf_add_char(b, '\n');
}

static int add_provenance(const struct eval_report *report, struct buf *b)
{
    if (!report->provenance) {
        return 0;
    }
    TRY(buf_add_str(b, "\n## Provenance\n\n"));
    return provenance_rows(report->provenance, add_provenance_row, b);
}

static int add_event_notes(const struct eval_report *report, struct buf *b)
{
    size_t begin = b->length;
    TRY(report_event_notes(report, add_note, b));
    return end_notes(b, begin);
}

int eval_report_markdown(const struct eval_report *report, struct buf *b)
{
    TRY(add_summary(report, b));
    if (report->data.confusion && report->data.rows > 0) {
        TRY(add_classes(report, b));
    }
    TRY(add_scalars(report, b));
    TRY(add_depths(report, b));
    TRY(report_markdown_positions(report, b));
    TRY(add_event_notes(report, b));
    TRY(add_parts(report, b));
    if (report->intervals) {
        TRY(eval_intervals_markdown(report, report->intervals, b));
    }
    if (report->slices) {
        TRY(eval_slices_markdown(report->slices, b));
    }
    if (report->arms) {
        TRY(eval_arms_markdown(report->arms, b));
    }
    return add_provenance(report, b);
}
