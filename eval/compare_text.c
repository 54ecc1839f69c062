#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/compare_internal.h"
#include "eval/provenance.h"
#include "eval/try.h"

enum { LETTER_SIZE = 24 };

static void letters_of(const struct compare_pair *pair, char a[LETTER_SIZE], char b[LETTER_SIZE])
{
    (void)snprintf(a, LETTER_SIZE, "%s", compare_letter(pair->a));
    (void)snprintf(b, LETTER_SIZE, "%s", compare_letter(pair->b));
}

static int add_p(struct buf *b, double p)
{
    return isnan(p) ? buf_printf(b, " %8s", "-") : buf_printf(b, p < 0.0001 ? " %8.1e" : " %8.4f", p);
}

const char *compare_unit(const struct compare *c)
{
    return c->runs[0].p && !c->runs[0].p->query ? "row" : "query";
}

static const char *plural(const struct compare *c, size_t count)
{
    return strcmp(compare_unit(c), "row") ? count == 1 ? "query" : "queries" : count == 1 ? "row" : "rows";
}

/* What a figure tells in one sentence. */
int compare_add_verdict(const struct compare *c, const struct compare_pair *pair, const struct compare_figure *f,
                        struct buf *b)
{
    char letter_a[LETTER_SIZE];
    char letter_b[LETTER_SIZE];
    letters_of(pair, letter_a, letter_b);
    int verdict = compare_verdict(c, f);
    if (f->reason) {
        return buf_printf(b, "%s is undefined: %s", f->metric, f->reason);
    }
    if (f->difference == 0 && !f->wins && !f->losses) {
        return buf_printf(b, "%s: no difference", f->metric);
    }
    if (f->no_test) {
        return buf_printf(b, "%s: no test: %s", f->metric, f->no_test);
    }
    if (verdict) {
        TRY(buf_printf(b, "%s is better by %s: ", verdict > 0 ? letter_b : letter_a, f->metric));
        TRY(buf_printf(b, "%.4f against %.4f", verdict > 0 ? f->b : f->a, verdict > 0 ? f->a : f->b));
        return buf_printf(b, f->p_holm < 0.0001 ? " (p %.1e)" : " (p %.4f)", f->p_holm);
    }
    TRY(buf_printf(b, "%s: no sure difference", f->metric));
    if (f->p <= f->p_least) {
        return buf_printf(b, "; p is the least that so many samples can give: more of them (%s) may tell",
                          f->by_query && c->options.test == COMPARE_RANDOMISATION ? "--samples" : "--resamples");
    }
    if (f->difference != 0 && isfinite(f->needed)) {
        double needed = fmax(ceil(f->needed), (double)f->pairs + 1);
        TRY(buf_printf(b, "; one of this size would be seen in 4 of 5 trials with %.0f %s, %.0f more", needed,
                       strcmp(compare_unit(c), "row") ? "queries" : "rows", needed - (double)f->pairs));
    }
    return 0;
}

static int add_signed(struct buf *b, double value)
{
    return isnan(value) ? buf_printf(b, " %9s", "-") : buf_printf(b, " %+9.4f", value);
}

static int add_row(const struct compare_figure *f, int width, struct buf *b)
{
    TRY(buf_printf(b, "  %-*s", width, f->metric));
    if (f->reason) {
        return buf_printf(b, "  undefined: %s\n", f->reason);
    }
    TRY(buf_printf(b, " %8.4f %8.4f", f->a, f->b));
    TRY(add_signed(b, f->difference));
    TRY(add_signed(b, f->interval.low));
    TRY(add_signed(b, f->interval.high));
    TRY(add_p(b, f->p));
    TRY(add_p(b, f->p_holm));
    if (f->by_query) {
        TRY(buf_printf(b, " %6zu %6zu %6zu", f->wins, f->losses, f->ties));
        TRY(isnan(f->effect) ? buf_printf(b, " %7s", "-") : buf_printf(b, " %+7.2f", f->effect));
    }
    return buf_add_char(b, '\n');
}

static int add_listed(const char *title, const struct compare_query *queries, size_t count, struct buf *b)
{
    if (!count) {
        return 0;
    }
    TRY(buf_printf(b, "\n%s\n", title));
    for (size_t i = 0; i < count; i++) {
        const struct compare_query *q = &queries[i];
        TRY(buf_printf(b, "  %+8.4f  %.4f to %.4f  ", q->b - q->a, q->a, q->b));
        TRY(report_add_line(b, q->id));
        TRY(q->text ? buf_add_str(b, "  ") : 0);
        TRY(q->text ? report_add_line(b, q->text) : 0);
        TRY(buf_add_char(b, '\n'));
    }
    return 0;
}

int compare_add_counts(const struct compare *c, const struct compare_pair *pair, struct buf *b)
{
    char letter_a[LETTER_SIZE];
    char letter_b[LETTER_SIZE];
    letters_of(pair, letter_a, letter_b);
    size_t left_out = 0;
    TRY(buf_printf(b, "%s against %s", letter_b, letter_a));
    if (pair->both) {
        TRY(buf_printf(b, ": %zu %s in both", pair->both, plural(c, pair->both)));
    }
    if (pair->only_a || pair->only_b) {
        TRY(buf_printf(b, ", %zu only in %s and %zu only in %s (left out)", pair->only_a, letter_a, pair->only_b,
                       letter_b));
    }
    if (pair->rows_only_a || pair->rows_only_b) {
        TRY(buf_printf(b,
                       "; %zu rows only in %s and %zu only in %s (left out of the figures over rows; rankings are of "
                       "each file's own "
                       "rows)",
                       pair->rows_only_a, letter_a, pair->rows_only_b, letter_b));
    }
    for (size_t f = 0; f < c->figure_count; f++) {
        left_out = pair->figures[f].left_out > left_out ? pair->figures[f].left_out : left_out;
    }
    if (left_out) {
        TRY(buf_printf(b, "; up to %zu of them without a value in one", left_out));
    }
    return buf_add_char(b, '\n');
}

static int figure_width(const struct compare *c)
{
    size_t width = 10;
    for (size_t f = 0; f < c->figure_count; f++) {
        size_t length = strlen(c->pairs[0].figures[f].metric);
        width = length > width ? length : width;
    }
    return (int)width;
}

static int add_pair(const struct compare *c, const struct compare_pair *pair, struct buf *b)
{
    char letter_a[LETTER_SIZE];
    char letter_b[LETTER_SIZE];
    char change[2 * LETTER_SIZE + 4];
    char titles[2][160];
    letters_of(pair, letter_a, letter_b);
    (void)snprintf(change, sizeof change, "%s - %s", letter_b, letter_a);
    TRY(compare_add_counts(c, pair, b));
    TRY(buf_printf(b, "\n  %-*s %8s %8s %9s %15.4g %% interval %7s %8s %6s %6s %6s %7s\n", figure_width(c), "",
                   letter_a, letter_b, change, 100 * c->options.bootstrap.level, "p", "Holm", "wins", "losses", "ties",
                   "effect"));
    for (size_t f = 0; f < c->figure_count; f++) {
        TRY(add_row(&pair->figures[f], figure_width(c), b));
    }
    TRY(buf_add_char(b, '\n'));
    for (size_t f = 0; f < c->figure_count; f++) {
        TRY(compare_add_verdict(c, pair, &pair->figures[f], b));
        TRY(buf_add_char(b, '\n'));
    }
    TRY(compare_add_no_interval(c, pair, "", b));
    for (size_t f = 0; f < c->figure_count; f++) {
        const struct compare_figure *figure = &pair->figures[f];
        if (figure->best_count + figure->worst_count) {
            (void)snprintf(titles[0], sizeof titles[0], "where %s wins most (%s)", letter_b, figure->metric);
            (void)snprintf(titles[1], sizeof titles[1], "where %s loses most (%s)", letter_b, figure->metric);
            TRY(add_listed(titles[0], figure->best, figure->best_count, b));
            return add_listed(titles[1], figure->worst, figure->worst_count, b);
        }
    }
    return 0;
}

static bool lacks_interval(const struct compare_figure *f)
{
    return !f->reason && f->interval.reason;
}

int compare_add_no_interval(const struct compare *c, const struct compare_pair *pair, const char *before, struct buf *b)
{
    for (size_t f = 0; f < c->figure_count; f++) {
        const char *why = lacks_interval(&pair->figures[f]) ? pair->figures[f].interval.reason : NULL;
        size_t first = 0;
        while (why && first < f &&
               !(lacks_interval(&pair->figures[first]) && !strcmp(pair->figures[first].interval.reason, why))) {
            first++;
        }
        if (!why || first < f) {
            continue;
        }
        TRY(buf_printf(b, "%sno interval of %s", before, pair->figures[f].metric));
        for (size_t other = f + 1; other < c->figure_count; other++) {
            const struct compare_figure *figure = &pair->figures[other];
            if (lacks_interval(figure) && !strcmp(figure->interval.reason, why)) {
                TRY(buf_printf(b, ", %s", figure->metric));
            }
        }
        TRY(buf_printf(b, ": %s\n", why));
    }
    return 0;
}

int compare_add_method(const struct compare *c, struct buf *b)
{
    const struct bootstrap_options *o = &c->options.bootstrap;
    static const char *const tests[] = {"Fisher's randomisation test", "paired t-test", "Wilcoxon's signed-rank test",
                                        "bootstrap test"};
    bool any = false;
    bool jackknife = false;
    TRY(buf_printf(b,
                   "%s, two-sided, p adjusted by Holm over all pairs and metrics; %s intervals from %zu resamples "
                   "by %s, seed %llu",
                   tests[c->options.test], o->method == BOOTSTRAP_BCA ? "BCa" : "percentile", o->resamples,
                   compare_unit(c), (unsigned long long)o->seed));
    for (size_t i = 0; i < c->pair_count * c->figure_count; i++) {
        jackknife = jackknife || c->pairs[i / c->figure_count].figures[i % c->figure_count].interval.jackknife;
    }
    TRY(jackknife ? buf_add_str(b, ", those of the catalogue by the jackknife") : 0);
    for (size_t f = 0; f < c->figure_count; f++) {
        if (c->pairs[0].figures[f].direction < 0) {
            TRY(buf_printf(b, "%s %s", any ? "," : "; lower is better:", c->pairs[0].figures[f].metric));
            any = true;
        }
    }
    return 0;
}

static int add_source(struct buf *b, const char *key, const char *value)
{
    return buf_printf(b, "  %-28s %s\n", key, value);
}

int compare_text(const struct compare *c, struct buf *b)
{
    for (size_t i = 0; i < c->run_count; i++) {
        TRY(buf_printf(b, "%s  %s\n", compare_letter(i), c->runs[i].path));
    }
    for (size_t i = 0; i < c->pair_count; i++) {
        TRY(buf_add_char(b, '\n'));
        TRY(add_pair(c, &c->pairs[i], b));
    }
    TRY(buf_add_char(b, '\n'));
    TRY(compare_add_method(c, b));
    TRY(buf_add_str(b, c->provenance ? "\n\nprovenance\n" : "\n"));
    return c->provenance ? provenance_rows(c->provenance, add_source, b) : 0;
}

/* ---- Markdown ---- */

static int add_markdown_listed(const char *title, const struct compare_query *queries, size_t count, struct buf *b)
{
    if (!count) {
        return 0;
    }
    TRY(buf_printf(b, "\n%s\n\n| difference | from | to | query | text |\n|---:|---:|---:|---|---|\n", title));
    for (size_t i = 0; i < count; i++) {
        const struct compare_query *q = &queries[i];
        TRY(buf_printf(b, "| %+.4f | %.4f | %.4f | ", q->b - q->a, q->a, q->b));
        TRY(report_add_text(b, q->id));
        TRY(buf_add_str(b, " | "));
        TRY(report_add_text(b, q->text ? q->text : ""));
        TRY(buf_add_str(b, " |\n"));
    }
    return 0;
}

static int add_markdown_row(const struct compare *c, const struct compare_figure *f, struct buf *b)
{
    int verdict = compare_verdict(c, f);
    TRY(buf_add_str(b, "| "));
    TRY(report_add_text(b, f->metric));
    if (f->reason) {
        return buf_printf(b, " | | | undefined: %s | | | |\n", f->reason);
    }
    TRY(buf_printf(b, " | %.4f | %s%.4f%s | %+.4f | ", f->a, verdict > 0 ? "**" : "", f->b, verdict > 0 ? "**" : "",
                   f->difference));
    TRY(f->interval.reason ? buf_add_str(b, "none | ")
                           : buf_printf(b, "%+.4f to %+.4f | ", f->interval.low, f->interval.high));
    TRY(f->no_test ? buf_printf(b, "%s | ", f->no_test) : buf_printf(b, "%.4g | ", f->p_holm));
    return f->by_query ? buf_printf(b, "%zu / %zu / %zu |\n", f->wins, f->losses, f->ties) : buf_add_str(b, " |\n");
}

static int add_markdown_source(struct buf *b, const char *key, const char *value)
{
    TRY(buf_printf(b, "- %s: ", key));
    TRY(report_add_text(b, value));
    return buf_add_char(b, '\n');
}

int compare_markdown(const struct compare *c, struct buf *b)
{
    for (size_t i = 0; i < c->pair_count; i++) {
        const struct compare_pair *pair = &c->pairs[i];
        TRY(buf_add_str(b, i ? "\n## " : "## "));
        TRY(report_add_text(b, c->runs[pair->b].path));
        TRY(buf_add_str(b, " against "));
        TRY(report_add_text(b, c->runs[pair->a].path));
        TRY(buf_add_str(b, "\n\n"));
        TRY(compare_add_counts(c, pair, b));
        TRY(buf_printf(b, "\n| metric | %s |", compare_letter(pair->a)));
        TRY(buf_printf(b, " %s | difference | %.4g %% interval | p (Holm) | wins / losses / ties |\n",
                       compare_letter(pair->b), 100 * c->options.bootstrap.level));
        TRY(buf_add_str(b, "|---|---:|---:|---:|---:|---:|---:|\n"));
        for (size_t f = 0; f < c->figure_count; f++) {
            TRY(add_markdown_row(c, &pair->figures[f], b));
        }
        TRY(buf_add_char(b, '\n'));
        for (size_t f = 0; f < c->figure_count; f++) {
            TRY(buf_add_str(b, "- "));
            TRY(compare_add_verdict(c, pair, &pair->figures[f], b));
            TRY(buf_add_char(b, '\n'));
        }
        TRY(compare_add_no_interval(c, pair, "- ", b));
        for (size_t f = 0; f < c->figure_count; f++) {
            const struct compare_figure *figure = &pair->figures[f];
            if (figure->best_count + figure->worst_count) {
                TRY(add_markdown_listed("Wins most:", figure->best, figure->best_count, b));
                TRY(add_markdown_listed("Loses most:", figure->worst, figure->worst_count, b));
                break;
            }
        }
    }
    TRY(buf_add_char(b, '\n'));
    TRY(compare_add_method(c, b));
    TRY(buf_add_str(b, c->provenance ? ".\n\n## Provenance\n\n" : ".\n"));
    return c->provenance ? provenance_rows(c->provenance, add_markdown_source, b) : 0;
}
