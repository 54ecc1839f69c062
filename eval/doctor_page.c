#include "eval/doctor_page.h"

#include <stdbool.h>
#include <string.h>

#include "eval/try.h"

enum { LABELS_MAX = 50 };

static const char style[] =
    ".finding{border-left:.3rem solid #888;padding:.1rem .8rem;margin:.8rem 0;break-inside:avoid}\n"
    ".error{border-color:#b3261e}.warning{border-color:#c77700}.info{border-color:#3b6ea5}\n"
    ".finding b{text-transform:uppercase;font-size:.75rem;letter-spacing:.04em;margin-right:.4rem}\n"
    ".error b{color:#b3261e}.warning b{color:#a05f00}.info b{color:#2d5a8c}\n"
    ".finding p{margin:.2rem 0}.what::first-letter{text-transform:uppercase}.what{display:inline-block}.finding "
    "ul{margin:.3rem 0;padding-left:1.1rem;color:#444;font-size:.85rem}\n"
    ".finding li{overflow-wrap:anywhere}.mend{color:#1c5c2e}\n"
    ".verdict{font-size:1.1rem;padding:.6rem .8rem;background:#f3f4f6;border-radius:.3rem}\n"
    "pre{background:#f3f4f6;padding:.6rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.85rem}\n"
    "@media print{.verdict,pre{border:1px solid #ccc}}\n";

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static long long integer_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static double percent_of(const json_t *object, const char *key)
{
    return 100 * json_number_value(json_object_get(object, key));
}

static int add_heading(struct buf *b, const char *text, const char *columns)
{
    TRY(buf_printf(b, "<h2>%s</h2>\n<div class=\"wide\"><table>\n<tr>", text));
    for (const char *at = columns; *at;) {
        size_t length = strcspn(at, "|");
        TRY(buf_printf(b, "<th>%.*s</th>", (int)length, at));
        at += length + (at[length] == '|');
    }
    return buf_add_str(b, "</tr>\n");
}

static int end_table(struct buf *b)
{
    return buf_add_str(b, "</table></div>\n");
}

/* ---- what was read ---- */

static int add_files(struct buf *b, const json_t *report)
{
    size_t i;
    json_t *file;
    TRY(add_heading(b, "Files", "file|role|rows|unreadable|MB|format|encoding"));
    json_array_foreach(json_object_get(report, "files"), i, file)
    {
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td", string_of(file, "file")));
        TRY(page_add_cell(b, "td", string_of(file, "role")));
        TRY(buf_printf(b, "<td>%lld</td><td>%lld</td><td>%.1f</td>", integer_of(file, "rows"),
                       integer_of(file, "bad_rows"), (double)integer_of(file, "bytes") / 1e6));
        TRY(page_add_cell(b, "td", string_of(file, "format")));
        TRY(page_add_cell(b, "td", string_of(file, "encoding")));
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return end_table(b);
}

static int add_columns(struct buf *b, const json_t *report)
{
    static const char *const roles[] = {"query", "description", "label", "id", "item_id"};
    const json_t *columns = json_object_get(report, "columns");
    TRY(buf_add_str(b, "<p>"));
    bool first = true;
    for (size_t r = 0; r < sizeof roles / sizeof *roles; r++) {
        const json_t *value = json_object_get(columns, roles[r]);
        size_t count = json_is_array(value) ? json_array_size(value) : json_is_string(value);
        if (!count) {
            continue;
        }
        TRY(buf_printf(b, "%s%s ", first ? "" : "; ", roles[r]));
        first = false;
        for (size_t i = 0; i < count; i++) {
            TRY(buf_add_str(b, i ? ", <code>" : "<code>"));
            TRY(page_add_escaped(b, json_string_value(json_is_array(value) ? json_array_get(value, i) : value)));
            TRY(buf_add_str(b, "</code>"));
        }
    }
    if (json_array_size(json_object_get(columns, "guessed"))) {
        TRY(buf_add_str(b, " <span class=\"note\">(guessed from the names)</span>"));
    }
    return buf_add_str(b, "</p>\n");
}

/* ---- findings ---- */

static int add_finding(struct buf *b, const json_t *finding)
{
    size_t i;
    json_t *example;
    TRY(buf_printf(b, "<div class=\"finding %s\"><p><b>%s</b>", string_of(finding, "severity"),
                   string_of(finding, "severity")));
    if (*string_of(finding, "column") && !strstr(string_of(finding, "what"), string_of(finding, "column"))) {
        TRY(buf_add_str(b, "<code>"));
        TRY(page_add_escaped(b, string_of(finding, "column")));
        TRY(buf_add_str(b, "</code>: "));
    }
    TRY(buf_add_str(b, "<span class=\"what\">"));
    TRY(page_add_escaped(b, string_of(finding, "what")));
    TRY(buf_printf(b, "</span> <span class=\"note\">%s</span></p>\n<p class=\"mend\">&rarr; ",
                   string_of(finding, "rule")));
    TRY(page_add_escaped(b, string_of(finding, "mend")));
    TRY(buf_add_str(b, "</p>\n"));
    if (json_array_size(json_object_get(finding, "examples"))) {
        TRY(buf_add_str(b, "<ul>"));
        json_array_foreach(json_object_get(finding, "examples"), i, example)
        {
            TRY(buf_add_str(b, "<li><code>"));
            TRY(page_add_escaped(b, string_of(example, "file")));
            TRY(buf_printf(b, ":%lld</code> ", integer_of(example, "line")));
            TRY(page_add_escaped(b, string_of(example, "text")));
            TRY(buf_add_str(b, "</li>"));
        }
        TRY(buf_add_str(b, "</ul>"));
    }
    return buf_add_str(b, "</div>\n");
}

static int add_findings(struct buf *b, const json_t *report)
{
    static const char *const severities[] = {"error", "warning", "info"};
    size_t i;
    json_t *finding;
    if (!json_array_size(json_object_get(report, "findings"))) {
        return 0;
    }
    TRY(buf_add_str(b, "<h2>Findings</h2>\n"));
    for (size_t s = 0; s < 3; s++) {
        json_array_foreach(json_object_get(report, "findings"), i, finding)
        {
            if (!strcmp(string_of(finding, "severity"), severities[s])) {
                TRY(add_finding(b, finding));
            }
        }
    }
    return 0;
}

/* ---- figures ---- */

static int add_labels(struct buf *b, const json_t *report)
{
    const json_t *values = json_object_get(json_object_get(report, "labels"), "values");
    size_t i, f;
    json_t *value, *file;
    if (!json_array_size(values) || json_array_size(values) > LABELS_MAX) {
        return 0;
    }
    TRY(buf_add_str(b, "<h2>Labels</h2>\n<div class=\"wide\"><table>\n<tr><th>label</th>"));
    json_array_foreach(json_object_get(report, "files"), f, file)
    {
        TRY(page_add_cell(b, "th", string_of(file, "file")));
    }
    TRY(buf_add_str(b, "</tr>\n"));
    json_array_foreach(values, i, value)
    {
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td", string_of(value, "label")));
        json_array_foreach(json_object_get(value, "rows"), f, file)
        {
            TRY(buf_printf(b, "<td>%lld</td>", (long long)json_integer_value(file)));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return end_table(b);
}

static int add_length_row(struct buf *b, const char *name, const char *unit, const json_t *lengths)
{
    static const char *const keys[] = {"p50", "p90", "p95", "p99", "max"};
    TRY(buf_add_str(b, "<tr>"));
    TRY(page_add_cell(b, "td", name));
    TRY(buf_printf(b, "<td>%s</td><td>%.1f</td>", unit, json_number_value(json_object_get(lengths, "mean"))));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        TRY(buf_printf(b, "<td>%lld</td>", integer_of(lengths, keys[i])));
    }
    return buf_add_str(b, "</tr>\n");
}

static int add_lengths(struct buf *b, const json_t *report)
{
    const json_t *texts = json_object_get(report, "texts"), *row = json_object_get(report, "row_tokens");
    size_t i;
    json_t *text;
    if (!json_array_size(texts)) {
        return 0;
    }
    TRY(add_heading(b, "Lengths", "column|in|mean|50 %|90 %|95 %|99 %|max"));
    json_array_foreach(texts, i, text)
    {
        TRY(add_length_row(b, string_of(text, "column"), "characters", json_object_get(text, "characters")));
        if (json_object_get(text, "tokens")) {
            TRY(add_length_row(b, "", "tokens", json_object_get(text, "tokens")));
        }
    }
    if (row) {
        TRY(add_length_row(b, "whole row", "tokens", row));
    }
    TRY(end_table(b));
    return row ? 0
               : buf_add_str(b, "<p class=\"note\">Lengths in tokens, and what each --max_seq_length would cut: with "
                                "--model_name_or_path.</p>\n");
}

static int add_cuts(struct buf *b, const json_t *report)
{
    const json_t *cuts = json_object_get(report, "max_seq_length");
    size_t i, c;
    json_t *cut, *column;
    if (!json_array_size(cuts)) {
        return 0;
    }
    TRY(buf_add_str(b, "<h2>What each --max_seq_length would cut</h2>\n<div class=\"wide\"><table>\n"
                       "<tr><th>length</th><th>rows cut</th><th>tokens lost</th>"));
    json_array_foreach(json_object_get(json_array_get(cuts, 0), "columns"), c, column)
    {
        TRY(page_add_cell(b, "th", string_of(column, "column")));
    }
    TRY(buf_add_str(b, "</tr>\n"));
    json_array_foreach(cuts, i, cut)
    {
        TRY(buf_printf(b, "<tr><td>%lld</td><td>%.1f&nbsp;%%</td><td>%.1f&nbsp;%%</td>", integer_of(cut, "length"),
                       percent_of(cut, "share"), percent_of(cut, "tokens_share")));
        json_array_foreach(json_object_get(cut, "columns"), c, column)
        {
            TRY(buf_printf(b, "<td>%.1f&nbsp;%%</td>", percent_of(column, "tokens_share")));
        }
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return end_table(b);
}

/* Names by their share of the total, those of a tenth of a percent at least. */
static int add_shares(struct buf *b, json_t *counts)
{
    const char *name;
    json_t *count;
    double total = 0;
    bool first = true;
    TRY(buf_add_str(b, "<td class=\"text\">"));
    json_object_foreach(counts, name, count)
    {
        total += json_number_value(count);
    }
    json_object_foreach(counts, name, count)
    {
        double share = json_number_value(count) / total;
        if (share >= 0.001) {
            TRY(buf_printf(b, "%s%s %.1f&nbsp;%%", first ? "" : ", ", strcmp(name, "none") ? name : "no letters",
                           100 * share));
            first = false;
        }
    }
    return buf_add_str(b, "</td>");
}

static int add_scripts(struct buf *b, const json_t *report)
{
    const json_t *texts = json_object_get(report, "texts");
    size_t i;
    json_t *text;
    if (!json_array_size(texts)) {
        return 0;
    }
    TRY(add_heading(b, "Scripts and languages", "column|script of most letters|language, a guess"));
    json_array_foreach(texts, i, text)
    {
        TRY(buf_add_str(b, "<tr>"));
        TRY(page_add_cell(b, "td", string_of(text, "column")));
        TRY(add_shares(b, json_object_get(text, "scripts")));
        TRY(add_shares(b, json_object_get(text, "languages")));
        TRY(buf_add_str(b, "</tr>\n"));
    }
    return end_table(b);
}

static int add_queries(struct buf *b, const json_t *report)
{
    const json_t *queries = json_object_get(report, "queries"), *items = json_object_get(report, "items");
    size_t i;
    json_t *q;
    if (json_array_size(queries)) {
        TRY(add_heading(b, "Queries", "file|queries|items a query|most|of one item|comparable|of one label"));
        json_array_foreach(queries, i, q)
        {
            TRY(buf_add_str(b, "<tr>"));
            TRY(page_add_cell(b, "td", string_of(q, "file")));
            TRY(buf_printf(b, "<td>%lld</td><td>%.1f</td><td>%lld</td><td>%lld</td><td>%lld</td><td>%lld</td></tr>\n",
                           integer_of(q, "queries"), json_number_value(json_object_get(q, "items_mean")),
                           integer_of(q, "items_max"), integer_of(q, "of_one_item"), integer_of(q, "comparable"),
                           integer_of(q, "of_one_label")));
        }
        TRY(end_table(b));
    }
    if (!json_is_object(items)) {
        return 0;
    }
    return buf_printf(b,
                      "<p>%lld items in %lld rows; the first percent of them has %.1f&nbsp;%% of the rows (Gini "
                      "%.2f).</p>\n",
                      integer_of(items, "items"), integer_of(items, "rows"), percent_of(items, "top_percent_share"),
                      json_number_value(json_object_get(items, "gini")));
}

static int add_part(struct buf *b, const char *text, size_t length)
{
    struct buf part = {0};
    int rc = buf_add(&part, text, length);
    rc = rc ? rc : page_add_escaped(b, buf_str(&part));
    buf_release(&part);
    return rc;
}

static int add_verdict(struct buf *b, const json_t *report)
{
    const json_t *verdict = json_object_get(report, "verdict");
    const char *command = json_string_value(json_object_get(report, "command"));
    long long errors = integer_of(verdict, "errors"), warnings = integer_of(verdict, "warnings");
    long long notes = integer_of(verdict, "infos");
    TRY(buf_printf(b, "<p class=\"verdict\">%lld error%s, %lld warning%s, %lld note%s: ", errors,
                   errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", notes, notes == 1 ? "" : "s"));
    TRY(page_add_escaped(b, string_of(verdict, "text")));
    TRY(buf_add_str(b, ".</p>\n"));
    if (!command) {
        return 0;
    }
    TRY(buf_add_str(b, "<p class=\"note\">A command that does what the findings suggest:</p>\n<pre>"));
    for (const char *at = command; *at;) { /* an option a line */
        const char *end = strstr(at, " --");
        size_t length = end ? (size_t)(end - at) : strlen(at);
        TRY(add_part(b, at, length));
        TRY(end ? buf_add_str(b, " \\\n    ") : 0);
        at += length + (end != NULL);
    }
    return buf_add_str(b, "</pre>\n");
}

int doctor_page(struct buf *b, const json_t *report, const struct doctor_pictures *pictures, const char *command)
{
    TRY(page_begin(b, "reco doctor", style));
    TRY(buf_add_str(b, "<h1>Data report</h1>\n"));
    TRY(add_columns(b, report));
    TRY(add_verdict(b, report));
    TRY(add_files(b, report));
    TRY(add_findings(b, report));
    if (pictures->count) {
        TRY(buf_add_str(b, "<h2>Pictures</h2>\n"));
        TRY(page_add_pictures(b, pictures->items, pictures->count));
    }
    TRY(add_labels(b, report));
    TRY(add_lengths(b, report));
    TRY(add_cuts(b, report));
    TRY(add_scripts(b, report));
    TRY(add_queries(b, report));
    if (command) {
        TRY(buf_add_str(b, "<h2>Provenance</h2>\n<p><code>"));
        TRY(page_add_escaped(b, command));
        TRY(buf_add_str(b, "</code></p>\n"));
    }
    return page_end(b);
}
