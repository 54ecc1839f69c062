/* The rows and queries that went worst, with their texts. */

#include <string.h>

#include "core/mem.h"
#include "eval/report_html.h"
#include "eval/try.h"

enum { TEXT_SHOWN_BYTES = 400 };

/* The beginning of a text, whole characters; in its own direction, whatever stands around it. */
static int add_text(struct buf *b, const char *text)
{
    size_t length = strlen(text);
    if (length <= TEXT_SHOWN_BYTES) {
        return page_add_cell(b, "bdi", text);
    }
    length = TEXT_SHOWN_BYTES;
    while (length && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    char *part = mem_strndup(text, length);
    int rc = part ? page_add_cell(b, "bdi", part) : RECO_E_NOMEM;
    mem_free(part);
    return rc ? rc : buf_add_str(b, " &hellip;");
}

static int add_named(struct buf *b, const char *name, const char *text)
{
    if (!text || !*text) {
        return 0;
    }
    TRY(buf_add_str(b, "<p><span class=\"key\">"));
    TRY(page_add_escaped(b, name));
    TRY(buf_add_str(b, "</span> "));
    TRY(add_text(b, text));
    return buf_add_str(b, "</p>\n");
}

/* What is carried along and what the dataset gave. */
static int add_texts(struct buf *b, const struct look *look, const struct look_row *row)
{
    if (!row) {
        return 0;
    }
    TRY(add_named(b, "query", row->query));
    TRY(add_named(b, "description", row->description));
    for (size_t i = 0; row->extra && i < look->extra_count; i++) {
        bool doubled = (row->query && !strcmp(row->extra[i], row->query)) ||
                       (row->description && !strcmp(row->extra[i], row->description));
        TRY(doubled ? 0 : add_named(b, look->names[i], row->extra[i]));
    }
    return 0;
}

static const struct look_row *row_of(const struct eval_page *page, size_t row)
{
    return page->look && row != SIZE_MAX ? look_find(page->look, row) : NULL;
}

/* ---- queries ---- */

/* The query's text alone: the dataset's, else the carried column; NULL: unknown. */
static const char *query_text(const struct eval_page *page, const struct look_row *row)
{
    const struct look *look = page->look;
    const char *column = page->query_column ? page->query_column : "query";
    if (row && row->query) {
        return row->query;
    }
    for (size_t i = 0; row && row->extra && i < look->extra_count; i++) {
        if (!strcmp(look->names[i], column)) {
            return row->extra[i];
        }
    }
    return NULL;
}

int html_add_worst_queries(struct buf *b, const struct eval_report *report, const struct eval_page *page)
{
    const struct mistakes *m = page->mistakes;
    if (!m || !m->query_count) {
        return 0;
    }
    const char *figure = report->values[m->value].name;
    TRY(html_begin_section(b, "worst-queries", "Worst queries"));
    TRY(buf_add_str(b, "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">query</th>"));
    TRY(page_add_cell(b, "th scope=\"col\"", figure));
    TRY(buf_add_str(b, "<th scope=\"col\">items</th><th scope=\"col\">relevant</th><th "
                       "scope=\"col\">tied</th></tr></thead>\n"));
    for (size_t i = 0; i < m->query_count; i++) {
        const struct eval_query *query = &report->queries[m->queries[i].query];
        const char *text = query_text(page, row_of(page, m->queries[i].row));
        TRY(buf_add_str(b, "<tr><td class=\"text\">"));
        TRY(text ? add_text(b, text) : 0);
        TRY(buf_add_str(b, text ? " <small>" : ""));
        TRY(page_add_escaped(b, query->id));
        TRY(buf_add_str(b, text ? "</small>" : ""));
        TRY(buf_printf(b, "</td><td>%.4f</td><td>%zu</td>", m->queries[i].value, query->items));
        TRY(report->ranking.level_known ? buf_printf(b, "<td>%zu</td>", query->relevant)
                                        : buf_add_str(b, "<td>&ndash;</td>"));
        TRY(buf_printf(b, "<td>%zu</td></tr>\n", query->tied));
    }
    TRY(buf_add_str(b, "</table></div>\n<p class=\"note\">"));
    return buf_printf(b, "The %zu of the lowest %s; all of them are in per_query.tsv.</p>\n", m->query_count, figure);
}

/* ---- rows ---- */

static int add_verdict(struct buf *b, const struct eval_report *report, const struct mistake *m, enum mistake_kind kind)
{
    const struct predictions *p = report->p;
    if (kind == MISTAKE_VALUE) {
        return buf_printf(b, "target %g, predicted %.4g", p->target[m->row], p->value[m->row]);
    }
    int label = predictions_label(p, m->row);
    bool with_p = kind == MISTAKE_PROBABILITY;
    TRY(buf_add_str(b, "label "));
    TRY(page_add_cell(b, "bdi", p->labels.names[label]));
    TRY(with_p ? buf_printf(b, " (p %.4g)", predictions_p(p, m->row, label)) : 0);
    if (kind == MISTAKE_SCORE) {
        return buf_printf(b, ", score %.4g", predictions_score(p, m->row));
    }
    int predicted = predictions_predicted(p, m->row);
    TRY(buf_add_str(b, ", predicted "));
    TRY(page_add_cell(b, "bdi", p->labels.names[predicted]));
    return with_p ? buf_printf(b, " (p %.4g)", predictions_p(p, m->row, predicted)) : 0;
}

static int add_id(struct buf *b, const char *name, const char *id)
{
    if (!id || !*id) {
        return 0;
    }
    TRY(buf_printf(b, " &middot; %s ", name));
    return add_text(b, id);
}

static int add_mistake(struct buf *b, const struct eval_report *report, const struct eval_page *page,
                       const struct mistake *m)
{
    const struct predictions *p = report->p;
    const struct look_row *row = row_of(page, m->row);
    TRY(buf_add_str(b, "<div class=\"row\"><p class=\"head\">"));
    TRY(add_verdict(b, report, m, page->mistakes->kind));
    TRY(buf_add_str(b, "</p>\n"));
    TRY(row ? add_texts(b, page->look, row) : 0);
    TRY(buf_printf(b, "<p class=\"note\">row %zu", m->row + 1));
    if (row) {
        TRY(add_id(b, "id", row->row_id));
        TRY(add_id(b, "query", row->query_id));
        TRY(add_id(b, "item", row->item_id));
    }
    if (p->tokens) {
        TRY(buf_printf(b, " &middot; %zu tokens", (size_t)p->tokens[m->row]));
    }
    TRY(p->truncated && p->truncated[m->row] ? buf_add_str(b, ", truncated") : 0);
    return buf_add_str(b, "</p></div>\n");
}

int html_add_mistakes(struct buf *b, const struct eval_report *report, const struct eval_page *page)
{
    static const char *const orders[] = {
        [MISTAKE_PROBABILITY] = "of another class than predicted; the least probability of the label first",
        [MISTAKE_CLASS] = "of another class than predicted; the furthest from the label first",
        [MISTAKE_SCORE] = "on the wrong side of the middle between the mean scores of the classes; the furthest first",
        [MISTAKE_VALUE] = "with a target; the greatest difference first"};
    const struct mistakes *m = page->mistakes;
    if (!m || m->kind == MISTAKE_NONE || !m->count) {
        return 0;
    }
    TRY(html_begin_section(b, "mistakes", "Worst mistakes"));
    TRY(buf_printf(b, "<p class=\"note\">%zu of %zu rows %s.</p>\n", m->count, m->all, orders[m->kind]));
    if (page->no_texts) {
        TRY(buf_add_str(b, "<p class=\"note\">"));
        TRY(page_add_escaped(b, page->no_texts));
        TRY(buf_add_str(b, "</p>\n"));
    }
    for (size_t i = 0; i < m->count; i++) {
        TRY(add_mistake(b, report, page, &m->items[i]));
    }
    return 0;
}
