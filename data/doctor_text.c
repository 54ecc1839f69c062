#include <string.h>
#include <utf8proc.h>

#include "core/mem.h"
#include "data/doctor.h"
#include "data/utf8.h"

/* The report as text for a terminal: a view of the JSON. */

enum { COLUMNS_MIN = 40, NAME_COLUMNS = 24, LABELS_SHOWN = 20, BAR = 24, FILES_SHOWN = 6 };

struct text {
    struct buf *b;
    const json_t *report;
    size_t columns, examples;
    bool colour;
    int rc;
};

static void add(struct text *t, const char *text)
{
    if (t->rc == 0)
        t->rc = buf_add_str(t->b, text);
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

static long long integer_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

/* Columns of a terminal that a text takes. */
static size_t width_of(const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    size_t width = 0;

    while (p < end) {
        uint32_t c;
        p += utf8_decode(p, end, &c);
        int w = utf8proc_charwidth((utf8proc_int32_t)c);
        width += w > 0 ? (size_t)w : 0;
    }
    return width;
}

/* text cut to columns, and (pad) padded to them behind it, or (right) before it. */
static void add_cut(struct text *t, const char *text, size_t columns, bool pad, bool right)
{
    size_t width = width_of(text), used = 0;

    for (size_t i = width; right && i < columns; i++)
        add(t, " ");
    if (width <= columns) {
        add(t, text);
    } else {
        const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text), *cut = p;
        while (cut < end) {
            uint32_t c;
            size_t size = utf8_decode(cut, end, &c);
            int w = utf8proc_charwidth((utf8proc_int32_t)c);
            if (used + (w > 0 ? (size_t)w : 0) + 3 > columns)
                break;
            used += w > 0 ? (size_t)w : 0;
            cut += size;
        }
        if (t->rc == 0)
            t->rc = buf_add(t->b, p, (size_t)(cut - p));
        add(t, "...");
        width = used + 3;
    }
    for (size_t i = width; pad && !right && i < columns; i++)
        add(t, " ");
}

static void add_cell(struct text *t, const char *text, size_t columns, bool right)
{
    add_cut(t, text, columns, true, right);
}

static void add_wrapped(struct text *t, const char *text, size_t indent)
{
    if (t->rc == 0)
        t->rc = buf_add_wrapped(t->b, text, indent, t->columns);
}

static void start_colour(struct text *t, const char *severity)
{
    if (t->colour)
        add(t, strcmp(severity, "error") == 0     ? "\033[1;31m"
               : strcmp(severity, "warning") == 0 ? "\033[1;33m"
                                                  : "\033[1;36m");
}

static void end_colour(struct text *t)
{
    if (t->colour)
        add(t, "\033[0m");
}

static void heading(struct text *t, const char *text)
{
    add(t, t->colour ? "\n\033[1m" : "\n");
    add(t, text);
    end_colour(t);
    add(t, "\n");
}

#define ADD(t, ...)                                                                                                    \
    do {                                                                                                               \
        if ((t)->rc == 0)                                                                                              \
            (t)->rc = buf_printf((t)->b, __VA_ARGS__);                                                                 \
    } while (0)

/* ---- what was read ---- */

static void add_bytes(struct text *t, double bytes)
{
    if (bytes < 1e4)
        ADD(t, "%.0f bytes", bytes);
    else if (bytes < 1e6)
        ADD(t, "%.0f kB", bytes / 1e3);
    else
        ADD(t, "%.1f %s", bytes < 1e9 ? bytes / 1e6 : bytes / 1e9, bytes < 1e9 ? "MB" : "GB");
}

static void add_file(struct text *t, const json_t *file)
{
    long long bad = integer_of(file, "bad_rows");

    ADD(t, "%s: %lld row%s", string_of(file, "file"), integer_of(file, "rows"),
        integer_of(file, "rows") == 1 ? "" : "s");
    if (bad > 0)
        ADD(t, " and %lld that cannot be read", bad);
    add(t, ", ");
    add_bytes(t, number_of(file, "bytes"));
    ADD(t, ", %s", string_of(file, "format"));
    if (strcmp(string_of(file, "format"), "csv") == 0 && strcmp(string_of(file, "delimiter"), ",") != 0)
        ADD(t, " by '%s'", string_of(file, "delimiter"));
    ADD(t, ", %s", string_of(file, "encoding"));
    if (strcmp(string_of(file, "compression"), "none") != 0)
        ADD(t, ", %s", string_of(file, "compression"));
    if (json_is_true(json_object_get(file, "repaired")))
        add(t, " (repaired)");
    if (json_is_string(json_object_get(file, "role")))
        ADD(t, "; %s%s", string_of(file, "role"),
            json_is_true(json_object_get(file, "role_guessed")) ? " by its name" : "");
    add(t, "\n");
}

static void add_role(struct text *t, struct buf *line, const json_t *columns, const char *role)
{
    const json_t *value = json_object_get(columns, role);
    const char *const one[] = {json_string_value(value)};
    size_t count = json_is_array(value) ? json_array_size(value) : one[0] != NULL;

    if (t->rc != 0 || count == 0)
        return;
    t->rc = buf_printf(line, "%s%s ", line->length > 0 ? "; " : "", role);
    for (size_t i = 0; t->rc == 0 && i < count; i++)
        t->rc = buf_printf(line, "%s'%s'", i > 0 ? ", " : "",
                           json_is_array(value) ? json_string_value(json_array_get(value, i)) : one[0]);
}

static void add_columns(struct text *t)
{
    static const char *const roles[] = {"query", "description", "label", "id", "item_id"};
    const json_t *columns = json_object_get(t->report, "columns");
    struct buf line = {0};

    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        add_role(t, &line, columns, roles[i]);
    if (line.length > 0) {
        if (t->rc == 0 && json_array_size(json_object_get(columns, "guessed")) > 0)
            t->rc = buf_add_str(&line, "; guessed from the names: give --query_column and so on to be sure");
        add(t, "columns: ");
        add_wrapped(t, buf_str(&line), 9);
    }
    buf_release(&line);
}

/* ---- findings ---- */

static void add_finding(struct text *t, const json_t *finding)
{
    const char *severity = string_of(finding, "severity"), *column = string_of(finding, "column");
    const char *what = string_of(finding, "what");
    struct buf line = {0};
    size_t i;
    json_t *example;

    start_colour(t, severity);
    ADD(t, "%-8s", severity);
    end_colour(t);
    if (t->rc == 0)
        t->rc = *column != '\0' && strstr(what, column) == NULL
                    ? buf_printf(&line, "%s '%s': ", string_of(finding, "rule"), column)
                    : buf_printf(&line, "%s: ", string_of(finding, "rule"));
    if (t->rc == 0)
        t->rc = buf_add_str(&line, what);
    if (t->rc == 0 && *column == '\0' && *string_of(finding, "file") != '\0' &&
        strstr(what, string_of(finding, "file")) == NULL)
        t->rc = buf_printf(&line, " (%s)", string_of(finding, "file"));
    add_wrapped(t, buf_str(&line), 8);
    add(t, "        -> ");
    add_wrapped(t, string_of(finding, "mend"), 11);
    json_array_foreach(json_object_get(finding, "examples"), i, example)
    {
        if (i >= t->examples)
            break;
        buf_clear(&line);
        if (t->rc == 0)
            t->rc = buf_printf(&line, "%s:%lld: %s", string_of(example, "file"), integer_of(example, "line"),
                               string_of(example, "text"));
        add(t, "           ");
        add_cut(t, buf_str(&line), t->columns - 11, false, false);
        add(t, "\n");
    }
    buf_release(&line);
}

static void add_findings(struct text *t)
{
    static const char *const severities[] = {"error", "warning", "info"};
    const json_t *findings = json_object_get(t->report, "findings");
    size_t i;
    json_t *finding;

    if (json_array_size(findings) > 0)
        add(t, "\n");
    for (size_t s = 0; s < 3; s++) {
        json_array_foreach(findings, i, finding)
        {
            if (strcmp(string_of(finding, "severity"), severities[s]) == 0)
                add_finding(t, finding);
        }
    }
}

/* ---- figures ---- */

static void add_labels(struct text *t)
{
    const json_t *labels = json_object_get(t->report, "labels"), *values = json_object_get(labels, "values");
    size_t files = json_array_size(json_object_get(t->report, "files")), i,
           shown = files < FILES_SHOWN ? files : FILES_SHOWN;
    double totals[FILES_SHOWN] = {0};
    json_t *value;

    if (json_array_size(values) == 0 || json_array_size(values) > LABELS_SHOWN)
        return;
    json_array_foreach(values, i, value)
    {
        for (size_t f = 0; f < shown; f++)
            totals[f] += json_number_value(json_array_get(json_object_get(value, "rows"), f));
    }
    heading(t, "labels");
    if (files > 1) {
        add_cell(t, "", NAME_COLUMNS + 2, false);
        for (size_t f = 0; f < shown; f++) {
            add(t, " ");
            add_cell(t, string_of(json_array_get(json_object_get(t->report, "files"), f), "file"), 17, true);
        }
        add(t, "\n");
    }
    json_array_foreach(values, i, value)
    {
        const json_t *rows = json_object_get(value, "rows");
        add(t, "  ");
        add_cell(t, string_of(value, "label"), NAME_COLUMNS, false);
        for (size_t f = 0; f < shown; f++) {
            double count = json_number_value(json_array_get(rows, f));
            ADD(t, "%10.0f %5.1f %%", count, totals[f] > 0 ? 100.0 * count / totals[f] : 0.0);
        }
        if (files == 1) {
            double share = totals[0] > 0 ? json_number_value(json_array_get(rows, 0)) / totals[0] : 0.0;
            add(t, "  ");
            for (int bar = 0; bar < (int)(share * BAR + 0.5); bar++)
                add(t, "#");
        }
        add(t, "\n");
    }
}

static void add_length_row(struct text *t, const char *name, const char *unit, const json_t *lengths)
{
    add(t, "  ");
    add_cell(t, name, NAME_COLUMNS, false);
    add_cell(t, unit, 11, false);
    ADD(t, "%8.1f%8lld%8lld%8lld%8lld%9lld\n", number_of(lengths, "mean"), integer_of(lengths, "p50"),
        integer_of(lengths, "p90"), integer_of(lengths, "p95"), integer_of(lengths, "p99"), integer_of(lengths, "max"));
}

static void add_lengths(struct text *t)
{
    const json_t *texts = json_object_get(t->report, "texts"), *row = json_object_get(t->report, "row_tokens");
    size_t i;
    json_t *text;

    if (json_array_size(texts) == 0)
        return;
    heading(t, "lengths");
    add_cell(t, "", NAME_COLUMNS + 13, false);
    add(t, "    mean     50%     90%     95%     99%      max\n");
    json_array_foreach(texts, i, text)
    {
        add_length_row(t, string_of(text, "column"), "characters", json_object_get(text, "characters"));
        if (json_object_get(text, "tokens") != NULL)
            add_length_row(t, "", "tokens", json_object_get(text, "tokens"));
    }
    if (row != NULL)
        add_length_row(t, "row, with [CLS], [SEP]", "tokens", row);
    else
        add(t, "  (in tokens, and what --max_seq_length would cut: with --model_name_or_path)\n");
}

static void add_cuts(struct text *t)
{
    const json_t *cuts = json_object_get(t->report, "max_seq_length");
    size_t i, c;
    json_t *cut, *column;

    if (json_array_size(cuts) == 0)
        return;
    heading(t, "what each --max_seq_length would cut");
    add(t, "  length   rows cut      tokens lost   of each column\n");
    json_array_foreach(cuts, i, cut)
    {
        ADD(t, "%8lld %8.1f %%  %12.1f %%  ", integer_of(cut, "length"), 100.0 * number_of(cut, "share"),
            100.0 * number_of(cut, "tokens_share"));
        json_array_foreach(json_object_get(cut, "columns"), c, column)
        {
            ADD(t, " %s %.1f %%%s", string_of(column, "column"), 100.0 * number_of(column, "tokens_share"),
                c + 1 < json_array_size(json_object_get(cut, "columns")) ? "," : "");
        }
        add(t, "\n");
    }
}

static double total_of(json_t *counts)
{
    const char *name;
    json_t *count;
    double total = 0.0;

    json_object_foreach(counts, name, count)
    {
        total += json_number_value(count);
    }
    return total;
}

/* Shares of a total by falling size, equal ones by name, without those that round to nothing. */
static void add_shares(struct text *t, json_t *counts)
{
    double total = total_of(counts), last = total + 1.0;
    const char *last_name = "";

    for (size_t shown = 0; shown < json_object_size(counts); shown++) {
        const char *name, *best = NULL;
        double most = 0.0;
        json_t *count;
        json_object_foreach(counts, name, count)
        {
            double value = json_number_value(count);
            bool after = value < last || (value == last && strcmp(name, last_name) > 0);
            if (after && (best == NULL || value > most || (value == most && strcmp(name, best) < 0))) {
                most = value;
                best = name;
            }
        }
        if (best == NULL || most < 0.0005 * total)
            return;
        ADD(t, " %s %.1f %%", strcmp(best, "none") == 0 ? "no letters" : best, 100.0 * most / total);
        last = most;
        last_name = best;
    }
}

static void add_scripts(struct text *t)
{
    const json_t *texts = json_object_get(t->report, "texts");
    size_t i;
    json_t *text;

    if (json_array_size(texts) == 0)
        return;
    heading(t, "scripts and languages (of texts; a guess from small words and letters)");
    json_array_foreach(texts, i, text)
    {
        add(t, "  ");
        add_cell(t, string_of(text, "column"), NAME_COLUMNS, false);
        add_shares(t, json_object_get(text, "scripts"));
        add(t, ";");
        add_shares(t, json_object_get(text, "languages"));
        add(t, "\n");
    }
}

static void add_queries(struct text *t)
{
    const json_t *queries = json_object_get(t->report, "queries"), *items = json_object_get(t->report, "items");
    size_t i;
    json_t *q;

    if (json_array_size(queries) == 0 && !json_is_object(items))
        return;
    heading(t, "queries and items");
    json_array_foreach(queries, i, q)
    {
        ADD(t, "  %s: %lld queries, %.1f items a query (half have %lld or fewer, the most %lld)\n",
            string_of(q, "file"), integer_of(q, "queries"), number_of(q, "items_mean"), integer_of(q, "items_p50"),
            integer_of(q, "items_max"));
        if (5 * integer_of(q, "of_one_item") > 4 * integer_of(q, "queries"))
            add(t, "    nearly all have one item: pairs to be classified rather than lists to be ranked\n");
        else if (integer_of(q, "comparable") > 0)
            ADD(t, "    %lld have several labelled items, %lld of these with one label only\n",
                integer_of(q, "comparable"), integer_of(q, "of_one_label"));
        if (integer_of(q, "with_highest_label") > 0)
            ADD(t, "    %lld have an item of the highest label, %.1f a query\n", integer_of(q, "with_highest_label"),
                number_of(q, "highest_label_mean"));
    }
    if (json_is_object(items))
        ADD(t, "  %lld items in %lld rows", integer_of(items, "items"), integer_of(items, "rows"));
    if (json_is_object(items) && integer_of(items, "items") >= 100)
        ADD(t, "; the first percent of them has %.1f %% of the rows (Gini %.2f)",
            100.0 * number_of(items, "top_percent_share"), number_of(items, "gini"));
    add(t, json_is_object(items) ? "\n" : "");
}

static void add_verdict(struct text *t)
{
    const json_t *verdict = json_object_get(t->report, "verdict");
    const char *command = json_string_value(json_object_get(t->report, "command"));
    long long errors = integer_of(verdict, "errors"), warnings = integer_of(verdict, "warnings");

    add(t, "\n");
    start_colour(t, errors > 0 ? "error" : warnings > 0 ? "warning" : "info");
    ADD(t, "verdict: %lld error%s, %lld warning%s, %lld note%s: %s", errors, errors == 1 ? "" : "s", warnings,
        warnings == 1 ? "" : "s", integer_of(verdict, "infos"), integer_of(verdict, "infos") == 1 ? "" : "s",
        string_of(verdict, "text"));
    end_colour(t);
    add(t, "\n");
    if (command == NULL)
        return;
    add(t, "try:\n  ");
    /* Lines of a shell: an option stays with its value. */
    size_t used = 2;
    for (const char *at = command; *at != '\0';) {
        const char *end = strstr(at, " --");
        size_t length = end != NULL ? (size_t)(end - at) : strlen(at);
        if (used > 2 && used + length + 3 > t->columns) {
            add(t, " \\\n      ");
            used = 6;
        } else if (at != command) {
            add(t, " ");
            used++;
        }
        if (t->rc == 0)
            t->rc = buf_add(t->b, at, length);
        used += length;
        at += length + (end != NULL);
    }
    add(t, "\n");
}

int doctor_text(struct buf *b, const json_t *report, const struct doctor_text_style *style)
{
    struct text t = {.b = b,
                     .report = report,
                     .columns = style->columns > COLUMNS_MIN ? (size_t)style->columns : COLUMNS_MIN,
                     .examples = style->examples > 0 ? (size_t)style->examples : 0,
                     .colour = style->colour};
    size_t i;
    json_t *file;

    json_array_foreach(json_object_get(report, "files"), i, file)
    {
        add_file(&t, file);
    }
    add_columns(&t);
    add_findings(&t);
    add_labels(&t);
    add_lengths(&t);
    add_cuts(&t);
    add_scripts(&t);
    add_queries(&t);
    add_verdict(&t);
    return t.rc;
}
