#include <string.h>

#include "core/mem.h"
#include "eval/picture.h"
#include "eval/report.h"
#include "eval/try.h"

#define PROVENANCE_DEPTH 4

static int add_share(struct buf *b, double part, double whole)
{
    return whole > 0 ? buf_printf(b, "<td>%.4f</td>", part / whole) : buf_add_str(b, "<td>&ndash;</td>");
}

static int add_summary(const struct eval_report *report, struct buf *b)
{
    const struct predictions *p = report->p;
    TRY(buf_add_str(b, "<h1>Evaluation report</h1>\n<p class=\"note\">"));
    if (p) {
        TRY(buf_printf(b, "%zu rows, %.0f with a label", p->rows, report->data.rows));
        if (p->truncated) {
            TRY(buf_printf(b, ", %zu truncated", report->rows_truncated));
        }
    }
    const struct eval_ranking *r = &report->ranking;
    if (r->done) {
        TRY(buf_printf(b, "%s%zu queries, %.2f&nbsp;%% of %zu items tied in score", p ? "; " : "", r->queries,
                       r->items ? 100 * (double)r->tied / (double)r->items : 0, r->items));
    }
    return buf_add_str(b, "</p>\n");
}

static int add_classes(const struct eval_report *report, struct buf *b)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    TRY(buf_add_str(b, "<h2>By class</h2>\n<div class=\"wide\"><table>\n<tr><th>label</th><th>precision</th>"
                       "<th>recall</th><th>F1</th><th>support</th><th>predicted</th></tr>\n"));
    for (size_t c = 0; c < n; c++) {
        double hits = data->confusion[c * n + c];
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td", report_label_name(report, (int)c)));
        TRY(add_share(b, hits, data->predicted[c]));
        TRY(add_share(b, hits, data->support[c]));
        TRY(add_share(b, 2 * hits, data->predicted[c] + data->support[c]));
        TRY(buf_printf(b, "<td>%.0f</td><td>%.0f</td></tr>\n", data->support[c], data->predicted[c]));
    }
    return buf_add_str(b, "</table></div>\n");
}

static int add_confusion(const struct eval_report *report, struct buf *b)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    TRY(buf_add_str(b, "<h2>Confusion matrix</h2>\n<div class=\"wide\"><table>\n<tr><th>label \\ predicted</th>"));
    for (size_t c = 0; c < n; c++) {
        TRY(page_add_cell(b, "th", report_label_name(report, (int)c)));
    }
    TRY(buf_add_str(b, "</tr>\n"));
    for (size_t i = 0; i < n; i++) {
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "th", report_label_name(report, (int)i)));
        for (size_t j = 0; j < n; j++) {
            double count = data->confusion[i * n + j];
            double share = data->support[i] > 0 ? count / data->support[i] : 0;
            TRY(buf_printf(b, "<td style=\"background:rgba(%s,%.2f)\">%.0f</td>", i == j ? "40,120,70" : "190,70,50",
                           0.65 * share, count));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return buf_add_str(b, "</table></div>\n<p class=\"note\">The shade is the share of the row.</p>\n");
}

static int add_values(const struct eval_report *report, struct buf *b)
{
    TRY(buf_add_str(b, "<h2>Metrics</h2>\n<div class=\"columns\"><table>\n"));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (report_has_depth(v) || !report_is_shown(report, v)) {
            continue;
        }
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td", v->name));
        if (v->reason) {
            TRY(buf_add_str(b, "<td class=\"why\">undefined: "));
            TRY(page_add_escaped(b, v->reason));
            TRY(buf_add_str(b, "</td></tr>\n"));
        } else {
            TRY(buf_printf(b, "<td>%.4f</td></tr>\n", v->value));
        }
    }
    return buf_add_str(b, "</table></div>\n");
}

static int add_ranking_row(const struct eval_report *report, const struct eval_value *row, struct buf *b)
{
    TRY(buf_printf(b, "<tr><td>%.*s</td>", (int)report_row_name_length(row), row->name));
    size_t k = 0;
    for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
        const struct eval_value *cell = report_cell(report, row, k);
        if (!cell || cell->reason) {
            TRY(buf_printf(b, "<td>%s</td>", cell ? "&ndash;" : ""));
        } else {
            TRY(buf_printf(b, "<td>%.4f</td>", cell->value));
        }
    }
    if (row->reason) {
        TRY(buf_add_str(b, "<td class=\"why\">undefined: "));
        TRY(page_add_escaped(b, row->reason));
        return buf_add_str(b, "</td></tr>\n");
    }
    return report_is_by_query(row) ? buf_printf(b, "<td>%zu</td></tr>\n", row->queries)
                                   : buf_add_str(b, "<td></td></tr>\n");
}

static int add_ranking(const struct eval_report *report, struct buf *b)
{
    TRY(buf_add_str(b, "<h2>Ranking by query</h2>\n<div class=\"wide\"><table>\n<tr><th>metric</th>"));
    size_t k = 0;
    for (bool first = true; report_next_depth(report, ~0u, first, &k); first = false) {
        TRY(k == SIZE_MAX ? buf_add_str(b, "<th>all</th>") : buf_printf(b, "<th>@%zu</th>", k));
    }
    TRY(buf_add_str(b, "<th>queries</th></tr>\n"));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool first = report_has_depth(v);
        for (size_t j = 0; first && j < i; j++) {
            first = !report_same_row(&report->values[j], v);
        }
        if (first) {
            TRY(add_ranking_row(report, v, b));
        }
    }
    return buf_add_str(b, "</table></div>\n");
}

static int add_definitions(const struct eval_report *report, struct buf *b)
{
    const struct metric *last = NULL;
    TRY(buf_add_str(b, "<h2>Definitions</h2>\n<dl>\n"));
    for (size_t i = 0; i < report->value_count; i++) {
        const struct metric *m = report->values[i].metric;
        if (m == last) {
            continue;
        }
        last = m;
        TRY(page_add_cell(b, "dt", m->name));
        TRY(buf_add_str(b, "<dd>"));
        TRY(page_add_escaped(b, m->help));
        TRY(buf_add_str(b, ". <code>"));
        TRY(page_add_escaped(b, m->formula));
        TRY(buf_add_str(b, "</code> <span class=\"note\">"));
        TRY(page_add_escaped(b, m->citation));
        TRY(buf_printf(b, "; version %d</span></dd>\n", m->version));
    }
    return buf_add_str(b, "</dl>\n");
}

static int add_provenance(json_t *object, const char *prefix, int depth, struct buf *b)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_string(value) || json_is_integer(value)) {
            TRY(buf_add_str(b, "<dt>"));
            TRY(page_add_escaped(b, prefix));
            TRY(page_add_escaped(b, key));
            TRY(buf_add_str(b, "</dt><dd><code>"));
            TRY(json_is_string(value) ? page_add_escaped(b, json_string_value(value))
                                      : buf_printf(b, "%lld", (long long)json_integer_value(value)));
            TRY(buf_add_str(b, "</code></dd>\n"));
        } else if (json_is_object(value) && strcmp(key, "labels") != 0 && depth < PROVENANCE_DEPTH) {
            char *inner = mem_printf("%s%s ", prefix, key);
            int rc = inner ? add_provenance(value, inner, depth + 1, b) : RECO_E_NOMEM;
            mem_free(inner);
            TRY(rc);
        }
    }
    return 0;
}

int eval_report_html(const struct eval_report *report, const struct eval_pictures *pictures, struct buf *b)
{
    TRY(page_begin(b, "reco report", NULL));
    TRY(add_summary(report, b));
    if (report->data.confusion && report->data.rows > 0) {
        TRY(add_classes(report, b));
        if (report->data.classes <= REPORT_CLASSES_SHOWN) {
            TRY(add_confusion(report, b));
        }
    }
    if (pictures->count) {
        TRY(buf_add_str(b, "<h2>Pictures</h2>\n"));
        TRY(page_add_pictures(b, pictures->items, pictures->count));
    }
    TRY(add_values(report, b));
    if (report->ranking.done) {
        TRY(add_ranking(report, b));
    }
    TRY(add_definitions(report, b));
    if (report->provenance) {
        TRY(buf_add_str(b, "<h2>Provenance</h2>\n<dl>\n"));
        TRY(add_provenance(report->provenance, "", 0, b));
        TRY(buf_add_str(b, "</dl>\n"));
    }
    return page_end(b);
}
