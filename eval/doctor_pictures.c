#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "eval/doctor_page.h"
#include "eval/try.h"

enum { LABELS_MAX = 20, FILES_MAX = 6, NAME_MAX_BYTES = 40 };
static const double script_share_shown = 0.005;

static struct page_picture *add_picture(struct doctor_pictures *pictures, const char *title)
{
    struct page_picture *picture = &pictures->items[pictures->count++];
    picture->title = title;
    return picture;
}

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static const char *string_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The colours of the series, told apart in print and by the colour-blind.     Source: Okabe and Ito 2008. */
static const char colours[] =
    "set linetype 1 lc rgb '#0072b2'\nset linetype 2 lc rgb '#e69f00'\nset linetype 3 lc rgb '#009e73'\n"
    "set linetype 4 lc rgb '#cc79a7'\nset linetype 5 lc rgb '#56b4e9'\nset linetype 6 lc rgb '#d55e00'\n";

/* A word of a data block: in double quotes, where gnuplot knows no escape for them. */
static int add_word(struct buf *b, const char *text)
{
    TRY(buf_add_char(b, '"'));
    for (size_t i = 0; text[i] && (i < NAME_MAX_BYTES || ((unsigned char)text[i] & 0xC0) == 0x80); i++) {
        bool plain = text[i] != '"' && text[i] != '\\' && text[i] != '\n';
        TRY(buf_add_char(b, plain ? text[i] : '_'));
    }
    return buf_add_str(b, "\" ");
}

static int add_bars(struct buf *b, size_t series, bool key)
{
    TRY(buf_add_str(b, colours));
    TRY(buf_add_str(b, "set style data histograms\nset style histogram clustered gap 1\nset style fill solid 0.75 "
                       "noborder\nset boxwidth 0.9\nset yrange [0:*]\n"));
    TRY(key ? buf_add_str(b, "set key outside bottom center horizontal noenhanced\n")
            : buf_add_str(b, "set key off\n"));
    TRY(buf_add_str(b, "plot "));
    for (size_t i = 0; i < series; i++) {
        TRY(buf_printf(b, "%s$d using %zu%s lt %zu title columnhead(%zu) noenhanced", i ? ", " : "", i + 2,
                       i ? "" : ":xtic(1)", i + 1, i + 2));
    }
    return buf_add_char(b, '\n');
}

/* ---- labels, share of each file ---- */

static int add_labels(struct doctor_pictures *pictures, const json_t *report)
{
    const json_t *values = json_object_get(json_object_get(report, "labels"), "values");
    const json_t *files = json_object_get(report, "files");
    size_t count = json_array_size(files) < FILES_MAX ? json_array_size(files) : FILES_MAX;
    double totals[FILES_MAX] = {0};
    size_t i;
    json_t *value;
    if (!json_array_size(values) || json_array_size(values) > LABELS_MAX) {
        return 0;
    }
    json_array_foreach(values, i, value)
    {
        for (size_t f = 0; f < count; f++) {
            totals[f] += json_number_value(json_array_get(json_object_get(value, "rows"), f));
        }
    }
    struct buf *b = &add_picture(pictures, "Labels: share of the rows of each file")->program;
    TRY(page_plot_begin(b, "labels", "", "% of the rows"));
    TRY(buf_add_str(b, "set xtics noenhanced\n$d << END\n\"\" "));
    for (size_t f = 0; f < count; f++) {
        TRY(add_word(b, string_of(json_array_get(files, f), "file")));
    }
    json_array_foreach(values, i, value)
    {
        TRY(buf_add_char(b, '\n'));
        TRY(add_word(b, string_of(value, "label")));
        for (size_t f = 0; f < count; f++) {
            double rows = json_number_value(json_array_get(json_object_get(value, "rows"), f));
            TRY(buf_printf(b, "%.5g ", totals[f] > 0 ? 100 * rows / totals[f] : 0));
        }
    }
    TRY(buf_add_str(b, "\nEND\n"));
    return add_bars(b, count, count > 1);
}

/* ---- lengths ---- */

static int add_histogram(struct buf *b, const char *name, const json_t *lengths)
{
    const json_t *histogram = json_object_get(lengths, "histogram"), *counts = json_object_get(histogram, "counts");
    double width = number_of(histogram, "width");
    size_t bins = json_array_size(counts), i;
    json_t *count;
    TRY(buf_printf(b, "$%s << END\n", name));
    json_array_foreach(counts, i, count)
    {
        if (i + 1 < bins) { /* the last one is what lies beyond */
            TRY(buf_printf(b, "%.6g %.6g\n", ((double)i + 0.5) * width, json_number_value(count)));
        }
    }
    return buf_add_str(b, "END\n");
}

/* Rows by their length in tokens, with a line at every --max_seq_length tried. */
static int add_row_tokens(struct doctor_pictures *pictures, const json_t *report)
{
    const json_t *row = json_object_get(report, "row_tokens"), *cuts = json_object_get(report, "max_seq_length");
    double shown = 40 * number_of(json_object_get(row, "histogram"), "width");
    size_t i;
    json_t *cut;
    if (!row) {
        return 0;
    }
    struct buf *b = &add_picture(pictures, "Rows by length; lines at each --max_seq_length")->program;
    TRY(page_plot_begin(b, "tokens", "tokens, special ones included", "rows"));
    TRY(add_histogram(b, "d", row));
    TRY(buf_add_str(b, "set style fill solid 0.6 noborder\nset key off\nset yrange [0:*]\n"));
    json_array_foreach(cuts, i, cut)
    {
        double length = number_of(cut, "length");
        if (length <= shown) {
            TRY(buf_printf(b,
                           "set arrow from %.6g, graph 0 to %.6g, graph 1 nohead dt 2 lc rgb '#aa3333'\n"
                           "set label '%.0f' at %.6g, graph 0.97 offset 0.4,0 tc rgb '#aa3333'\n",
                           length, length, length, length));
        }
    }
    return buf_printf(b, "set xrange [0:%.6g]\nplot $d with boxes lc rgb '#0072b2'\n", shown);
}

static int add_characters(struct doctor_pictures *pictures, const json_t *report)
{
    const json_t *texts = json_object_get(report, "texts");
    size_t count = json_array_size(texts) < FILES_MAX ? json_array_size(texts) : FILES_MAX;
    char name[24];
    if (!count) {
        return 0;
    }
    struct buf *b = &add_picture(pictures, "Texts by length")->program;
    TRY(page_plot_begin(b, "characters", "characters (logarithmic)", "texts"));
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "d%zu", i);
        TRY(add_histogram(b, name, json_object_get(json_array_get(texts, i), "characters")));
    }
    TRY(buf_add_str(b, colours));
    TRY(buf_add_str(b, "set logscale x\nset yrange [0:*]\nset key outside bottom center horizontal\nplot "));
    for (size_t i = 0; i < count; i++) {
        TRY(buf_printf(b, "%s$d%zu with steps lw 2 lt %zu title ", i ? ", " : "", i, i + 1));
        TRY(page_plot_quoted(b, string_of(json_array_get(texts, i), "column")));
        TRY(buf_add_str(b, " noenhanced"));
    }
    return buf_add_char(b, '\n');
}

/* ---- what is cut ---- */

static int add_cuts(struct doctor_pictures *pictures, const json_t *report)
{
    const json_t *cuts = json_object_get(report, "max_seq_length");
    const json_t *columns = json_object_get(json_array_get(cuts, 0), "columns");
    size_t series = json_array_size(columns) < FILES_MAX ? json_array_size(columns) : FILES_MAX, i;
    json_t *cut;
    if (!series) {
        return 0;
    }
    struct buf *b = &add_picture(pictures, "Tokens lost at each --max_seq_length, of each column")->program;
    TRY(page_plot_begin(b, "cuts", "--max_seq_length", "% of the tokens"));
    TRY(buf_add_str(b, "$d << END\n\"\" "));
    for (size_t c = 0; c < series; c++) {
        TRY(add_word(b, string_of(json_array_get(columns, c), "column")));
    }
    json_array_foreach(cuts, i, cut)
    {
        TRY(buf_printf(b, "\n\"%.0f\" ", number_of(cut, "length")));
        for (size_t c = 0; c < series; c++) {
            const json_t *column = json_array_get(json_object_get(cut, "columns"), c);
            TRY(buf_printf(b, "%.5g ", 100 * number_of(column, "tokens_share")));
        }
    }
    TRY(buf_add_str(b, "\nEND\n"));
    return add_bars(b, series, true);
}

/* ---- scripts ---- */

static double total_of(json_t *object)
{
    const char *key;
    json_t *value;
    double total = 0;
    json_object_foreach(object, key, value)
    {
        total += json_number_value(value);
    }
    return total;
}

/* The scripts that some column has more than a trace of, in names; returns their number. */
static size_t collect_scripts(const json_t *texts, const char *names[], size_t room)
{
    size_t count = 0, i;
    json_t *text, *value;
    const char *key;
    json_array_foreach(texts, i, text)
    {
        json_t *scripts = json_object_get(text, "scripts");
        json_object_foreach(scripts, key, value)
        {
            bool known = json_number_value(value) < script_share_shown * total_of(scripts);
            for (size_t n = 0; n < count; n++) {
                known = known || !strcmp(names[n], key);
            }
            if (!known && count < room) {
                names[count++] = key;
            }
        }
    }
    return count;
}

static int add_scripts(struct doctor_pictures *pictures, const json_t *report)
{
    const json_t *texts = json_object_get(report, "texts");
    const char *names[16];
    size_t series = json_array_size(texts) < FILES_MAX ? json_array_size(texts) : FILES_MAX;
    size_t count = collect_scripts(texts, names, sizeof names / sizeof *names);
    if (count < 2) {
        return 0;
    }
    struct buf *b = &add_picture(pictures, "Scripts: share of the texts of each column")->program;
    TRY(page_plot_begin(b, "scripts", "", "% of the texts"));
    TRY(buf_add_str(b, "$d << END\n\"\" "));
    for (size_t t = 0; t < series; t++) {
        TRY(add_word(b, string_of(json_array_get(texts, t), "column")));
    }
    for (size_t n = 0; n < count; n++) {
        TRY(buf_add_char(b, '\n'));
        TRY(add_word(b, strcmp(names[n], "none") ? names[n] : "no letters"));
        for (size_t t = 0; t < series; t++) {
            json_t *scripts = json_object_get(json_array_get(texts, t), "scripts");
            double total = total_of(scripts);
            TRY(buf_printf(b, "%.5g ", total > 0 ? 100 * number_of(scripts, names[n]) / total : 0));
        }
    }
    TRY(buf_add_str(b, "\nEND\n"));
    return add_bars(b, series, true);
}

int doctor_pictures_plan(struct doctor_pictures *pictures, const json_t *report)
{
    TRY(add_labels(pictures, report));
    TRY(add_row_tokens(pictures, report));
    TRY(add_cuts(pictures, report));
    TRY(add_characters(pictures, report));
    return add_scripts(pictures, report);
}

void doctor_pictures_release(struct doctor_pictures *pictures)
{
    for (size_t i = 0; i < pictures->count; i++) {
        page_picture_release(&pictures->items[i]);
    }
    pictures->count = 0;
}
