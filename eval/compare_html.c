/* The comparison as one page: which is better, how surely, and where. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/compare_internal.h"
#include "eval/picture_internal.h"
#include "eval/provenance.h"
#include "eval/report_html.h"
#include "eval/try.h"

enum { FIGURES_DRAWN = 24, NAME_SHOWN = 24, QUERIES_DRAWN = 400 };

/* ---- the differences with their intervals ---- */

/* Shares and ranks alike lie within [-1, 1]; what does not would hide the others. */
static bool is_drawn(const struct compare_figure *f)
{
    return !f->reason && !f->interval.reason && fabs(f->interval.low) <= 1 && fabs(f->interval.high) <= 1;
}

static int add_title(struct buf *b, const struct compare_pair *pair, const char *what)
{
    TRY(buf_printf(b, "%s: %s", what, compare_letter(pair->b)));
    return buf_printf(b, " less %s", compare_letter(pair->a));
}

static int plan_differences(struct eval_pictures *pictures, const struct compare *c, const struct compare_pair *pair)
{
    struct eval_picture_about *about;
    double low = 0;
    double high = 0;
    size_t count = 0;
    for (size_t f = 0; f < c->figure_count; f++) {
        count += is_drawn(&pair->figures[f]);
    }
    count = count < FIGURES_DRAWN ? count : FIGURES_DRAWN;
    struct buf *b = count ? picture_add(pictures, PICTURE_OF_QUERIES, &about) : NULL;
    if (!b) {
        return 0;
    }
    char name[48];
    (void)snprintf(name, sizeof name, "differences%zu_%zu", pair->a, pair->b);
    TRY(add_title(&about->title, pair, "Differences with their intervals"));
    TRY(picture_begin(b, name, 90 + 22 * (int)count, "difference", ""));
    TRY(buf_add_str(b, "$g << END\n"));
    for (size_t f = 0, at = 0; at < count; f++) {
        const struct compare_figure *figure = &pair->figures[f];
        if (is_drawn(figure)) {
            low = fmin(low, figure->interval.low);
            high = fmax(high, figure->interval.high);
            TRY(buf_printf(&about->says, "%s %s %+.4f", at ? "," : "", figure->metric, figure->difference));
            TRY(buf_printf(b, "%.6g %zu %.6g %.6g\n", figure->difference, at++, figure->interval.low,
                           figure->interval.high));
        }
    }
    TRY(buf_add_str(b, "END\nset ytics noenhanced ("));
    for (size_t f = 0, at = 0; at < count; f++) {
        if (is_drawn(&pair->figures[f])) {
            TRY(at ? buf_add_str(b, ", ") : 0);
            TRY(picture_quoted(b, pair->figures[f].metric, NAME_SHOWN));
            TRY(buf_printf(b, " %zu", at++));
        }
    }
    return buf_printf(b,
                      ")\nset yrange [%zu-0.5:-0.5]\nset key off\nset errorbars 0\nset xtics %.6g\n"
                      "set arrow from 0, graph 0 to 0, graph 1 nohead dt 2 lw 2 lt 6\n"
                      "plot $g using 1:2:3:4 with xerrorbars pt 7 ps 0.6 lw 2 lt 1\n",
                      count, high > low ? picture_nice_step(high - low) : 1);
}

/* ---- the difference of each query ---- */

static int compare_descending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a > b ? -1 : a < b;
}

/* Differences of the queries that both have, *values allocated, sorted. */
static int differences_of(double **values, size_t *count, const struct eval_report *a, const struct eval_report *b,
                          const char *metric)
{
    struct compare_matches matches = {0};
    const char **ids_a = compare_query_ids(a);
    const char **ids_b = compare_query_ids(b);
    size_t at_a = (size_t)(compare_value(a, metric) - a->values);
    size_t at_b = (size_t)(compare_value(b, metric) - b->values);
    int rc = ids_a && ids_b ? compare_match_ids(&matches, ids_a, a->query_count, ids_b, b->query_count) : RECO_E_NOMEM;
    *count = 0;
    *values = rc ? NULL : mem_alloc((matches.count + 1) * sizeof **values);
    rc = !rc && !*values ? RECO_E_NOMEM : rc;
    for (size_t i = 0; !rc && i < matches.count; i++) {
        double difference = b->by_query[matches.items[i].b * b->value_count + at_b] -
                            a->by_query[matches.items[i].a * a->value_count + at_a];
        if (!isnan(difference)) {
            (*values)[(*count)++] = difference;
        }
    }
    if (!rc) {
        qsort(*values, *count, sizeof **values, compare_descending);
    }
    mem_free(ids_a);
    mem_free(ids_b);
    mem_free(matches.items);
    return rc;
}

static int plan_queries(struct eval_pictures *pictures, const struct compare *c, const struct compare_pair *pair)
{
    const struct compare_figure *figure = NULL;
    struct eval_picture_about *about;
    double *values;
    size_t count;
    for (size_t f = 0; f < c->figure_count && !figure; f++) {
        figure = pair->figures[f].by_query && !pair->figures[f].reason ? &pair->figures[f] : NULL;
    }
    struct buf *b = figure ? picture_add(pictures, PICTURE_OF_QUERIES, &about) : NULL;
    if (!b) {
        return 0;
    }
    TRY(add_title(&about->title, pair, figure->metric));
    TRY(buf_add_str(&about->title, ", by query"));
    TRY(buf_printf(&about->says, " %zu wins, %zu losses, %zu ties", figure->wins, figure->losses, figure->ties));
    TRY(differences_of(&values, &count, c->runs[pair->a].report, c->runs[pair->b].report, figure->metric));
    size_t step = count / QUERIES_DRAWN + 1;
    char name[48];
    (void)snprintf(name, sizeof name, "queries%zu_%zu", pair->a, pair->b);
    int rc = picture_begin(b, name, 330, "queries, from the greatest win to the greatest loss", figure->metric);
    rc = rc ? rc
            : buf_printf(b,
                         "set xrange [0:%.6g]\nset key off\nset style fill solid 1 noborder\nset boxwidth %zu\n"
                         "$q << END\n",
                         (double)count + 0.5, step);
    for (size_t i = 0; !rc && i < count; i += step) {
        rc = buf_printf(b, "%zu %.5g\n", i + 1, values[i]);
    }
    mem_free(values);
    return rc ? rc
              : buf_add_str(b, "END\nplot $q using 1:($2 > 0 ? $2 : 0) with boxes lc rgb '#66aad1', $q using 1:($2 < 0 "
                               "? $2 : 0) with boxes lc rgb '#e08a5b'\n");
}

int compare_pictures_plan(struct eval_pictures *pictures, const struct compare *c)
{
    for (size_t i = 0; i < c->pair_count; i++) {
        TRY(plan_differences(pictures, c, &c->pairs[i]));
        TRY(plan_queries(pictures, c, &c->pairs[i]));
    }
    pictures_name(pictures);
    return 0;
}

/* ---- the page ---- */

static int add_p(struct buf *b, const struct compare_figure *f)
{
    return f->no_test              ? buf_add_str(b, "<td>&ndash;</td>")
           : !(f->p_holm < 0.0001) ? buf_printf(b, "<td>%.4f</td>", f->p_holm)
                                   : buf_printf(b, "<td>%.1e</td>", f->p_holm);
}

static int add_figure(struct buf *b, const struct compare *c, const struct compare_figure *f)
{
    int verdict = compare_verdict(c, f);
    TRY(buf_add_str(b, "<tr>"));
    TRY(html_add_row_name(b, f->metric));
    if (f->reason) {
        TRY(buf_add_str(b, "<td class=\"why\" colspan=\"5\">undefined: "));
        TRY(page_add_escaped(b, f->reason));
        return buf_add_str(b, "</td></tr>\n");
    }
    TRY(buf_printf(b, "<td>%.4f</td><td>%.4f</td><td%s>%+.4f", f->a, f->b,
                   verdict > 0   ? " class=\"met\""
                   : verdict < 0 ? " class=\"missed\""
                                 : "",
                   f->difference));
    TRY(f->interval.reason ? 0 : buf_printf(b, "<small>%+.4f to %+.4f</small>", f->interval.low, f->interval.high));
    TRY(f->direction < 0 ? buf_add_str(b, "<small>lower is better</small>") : 0);
    TRY(buf_add_str(b, "</td>"));
    TRY(add_p(b, f));
    return f->by_query
               ? buf_printf(b, "<td>%zu&nbsp;/&nbsp;%zu&nbsp;/&nbsp;%zu</td></tr>\n", f->wins, f->losses, f->ties)
               : buf_add_str(b, "<td>&ndash;</td></tr>\n");
}

static int add_listed(struct buf *b, const char *title, const struct compare_query *queries, size_t count)
{
    if (!count) {
        return 0;
    }
    TRY(html_begin_table(b, title, "query|difference|from|to"));
    for (size_t i = 0; i < count; i++) {
        const struct compare_query *q = &queries[i];
        TRY(buf_add_str(b, "<tr><td class=\"text\">"));
        TRY(page_add_escaped(b, q->text && *q->text ? q->text : q->id));
        if (q->text && *q->text) {
            TRY(buf_add_char(b, ' '));
            TRY(page_add_cell(b, "small", q->id));
        }
        TRY(buf_printf(b, "</td><td>%+.4f</td><td>%.4f</td><td>%.4f</td></tr>\n", q->b - q->a, q->a, q->b));
    }
    return html_end_table(b);
}

/* A sentence of the text report, escaped. */
static int add_sentence(struct buf *b, const struct compare *c, const struct compare_pair *pair,
                        const struct compare_figure *f, const char *tag)
{
    struct buf text = {0};
    int rc = f ? compare_add_verdict(c, pair, f, &text) : compare_add_counts(c, pair, &text);
    rc = rc ? rc : page_add_cell(b, tag, buf_str(&text));
    buf_release(&text);
    return rc ? rc : buf_add_char(b, '\n');
}

static int add_lines(struct buf *b, const char *lines, const char *(*tag)(const char *line))
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        char *line = mem_strndup(lines, length);
        int rc = line ? page_add_cell(b, tag(line), line) : RECO_E_NOMEM;
        mem_free(line);
        TRY(rc);
        TRY(buf_add_char(b, '\n'));
        lines += length + (lines[length] == '\n');
    }
    return 0;
}

static const char *tag_of_gate(const char *line)
{
    return strncmp(line, "pass", 4) ? "li class=\"missed\"" : "li class=\"met\"";
}

static const char *tag_of_item(const char *line)
{
    (void)line;
    return "li";
}

static int add_no_interval(struct buf *b, const struct compare *c, const struct compare_pair *pair)
{
    struct buf text = {0};
    int rc = compare_add_no_interval(c, pair, "", &text);
    rc = rc ? rc : add_lines(b, buf_str(&text), tag_of_item);
    buf_release(&text);
    return rc;
}

/* What is known, in words: before the pictures, which on a phone take two screens. */
static int add_findings(struct buf *b, const struct compare *c, const struct compare_pair *pair)
{
    TRY(add_sentence(b, c, pair, NULL, "p"));
    TRY(buf_add_str(b, "<ul>\n"));
    for (size_t f = 0; f < c->figure_count; f++) {
        TRY(add_sentence(b, c, pair, &pair->figures[f], "li"));
    }
    TRY(add_no_interval(b, c, pair));
    return buf_add_str(b, "</ul>\n");
}

static int add_pair(struct buf *b, const struct compare *c, const struct compare_pair *pair)
{
    TRY(buf_printf(b, "<h2>%s against ", compare_letter(pair->b)));
    TRY(buf_printf(b, "%s</h2>\n", compare_letter(pair->a)));
    TRY(buf_printf(b, "<div class=\"wide\"><table>\n<thead><tr><th></th><th scope=\"col\">%s</th>",
                   compare_letter(pair->a)));
    TRY(buf_printf(b,
                   "<th scope=\"col\">%s</th><th scope=\"col\">difference</th><th scope=\"col\">p (Holm)</th><th "
                   "scope=\"col\">wins / losses / ties</th></tr></thead>\n",
                   compare_letter(pair->b)));
    for (size_t f = 0; f < c->figure_count; f++) {
        TRY(add_figure(b, c, &pair->figures[f]));
    }
    TRY(html_end_table(b));
    for (size_t f = 0; f < c->figure_count; f++) {
        const struct compare_figure *figure = &pair->figures[f];
        if (figure->best_count + figure->worst_count) {
            char title[200];
            (void)snprintf(title, sizeof title, "Where %s wins most, by %s", compare_letter(pair->b), figure->metric);
            TRY(add_listed(b, title, figure->best, figure->best_count));
            (void)snprintf(title, sizeof title, "Where %s loses most, by %s", compare_letter(pair->b), figure->metric);
            return add_listed(b, title, figure->worst, figure->worst_count);
        }
    }
    return 0;
}

static int add_gates(struct buf *b, const char *gates)
{
    TRY(buf_add_str(b, "<h2>Gates</h2>\n<ul class=\"gates\">\n"));
    TRY(add_lines(b, gates, tag_of_gate));
    return buf_add_str(b, "</ul>\n");
}

static int add_method(struct buf *b, const struct compare *c)
{
    struct buf text = {0};
    int rc = compare_add_method(c, &text);
    rc = rc ? rc : page_add_cell(b, "p class=\"note\"", buf_str(&text));
    buf_release(&text);
    return rc;
}

static int add_source(struct buf *b, const char *key, const char *value)
{
    TRY(page_add_cell(b, "dt", key));
    TRY(buf_add_str(b, "<dd>"));
    TRY(page_add_cell(b, "code", value));
    return buf_add_str(b, "</dd>\n");
}

int compare_html(const struct compare *c, const struct eval_pictures *pictures, const char *gates, struct buf *b)
{
    TRY(page_begin(b, "reco comparison", html_style));
    TRY(buf_add_str(b, "<h1>Comparison</h1>\n<dl>\n"));
    for (size_t i = 0; i < c->run_count; i++) {
        json_t *path = provenance_text(c->runs[i].path);
        int rc = path ? page_add_cell(b, "dt", compare_letter(i)) : RECO_E_NOMEM;
        rc = rc ? rc : page_add_cell(b, "dd", json_string_value(path));
        json_decref(path);
        TRY(rc);
    }
    TRY(buf_add_str(b, "</dl>\n"));
    TRY(html_add_missing(b, pictures));
    TRY(*gates ? add_gates(b, gates) : 0);
    TRY(buf_add_str(b, "<h2>Findings</h2>\n"));
    for (size_t i = 0; i < c->pair_count; i++) {
        TRY(add_findings(b, c, &c->pairs[i]));
    }
    TRY(html_add_pictures(b, pictures, PICTURE_OF_QUERIES));
    for (size_t i = 0; i < c->pair_count; i++) {
        TRY(add_pair(b, c, &c->pairs[i]));
    }
    TRY(buf_add_str(b, "<h2>How it was tested</h2>\n"));
    TRY(add_method(b, c));
    if (c->provenance) {
        TRY(html_begin_section(b, "provenance", "Provenance"));
        TRY(buf_add_str(b, "<dl>\n"));
        TRY(provenance_rows(c->provenance, add_source, b));
        TRY(buf_add_str(b, "</dl>\n"));
    }
    return page_end(b);
}
