/* The report as one page: what is seen first, the order of the sections, definitions and provenance. */

#include "eval/report_html.h"

#include <string.h>

#include "eval/interval.h"
#include "eval/picture_internal.h"
#include "eval/provenance.h"
#include "eval/report_provenance.h"
#include "eval/slice.h"
#include "eval/try.h"

enum { LONG_NAME = 12 };

const char html_style[] =
    ":root{--paper:#fff;--line:#ccc;--soft:#f3f4f6;--quiet:#555;--bad:#a3271c;--good:#1c6b3a}\n"
    "nav{margin:.6rem 0;line-height:1.9}nav a{margin-right:.9rem;white-space:nowrap}a{color:#005a9c}\n"
    ".cards{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}\n"
    ".card{background:var(--soft);border-radius:.4rem;padding:.4rem .8rem;flex:0 1 auto;min-width:6rem}\n"
    ".card b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}.card "
    "small,td small{color:var(--quiet);white-space:nowrap}td small{display:block;font-size:.75rem}\n"
    "table{margin:.5rem "
    "0}caption{text-align:left;break-after:avoid;color:var(--quiet);font-size:.9rem;padding-bottom:.2rem}\n"
    "th.long{min-width:8rem}.matrix td,.matrix thead th{text-align:center;min-width:2.1rem;padding:.15rem}"
    ".matrix td small{font-size:.65rem}.subject{margin:.3rem 0}.subject b{overflow-wrap:anywhere}\n"
    ".wide tr>:first-child{position:sticky;left:0;background:var(--paper)}.matrix th{font-size:.9rem}\n"
    "h2+.note{break-after:avoid}th[scope=row]:not(.long){white-space:nowrap}.wide td.text{min-width:10rem}\n"
    "figure{flex:1 1 22rem;max-width:29rem}figure>div>svg{border-radius:.3rem}tr{break-inside:avoid}\n"
    ".row{border-left:.25rem solid #c77700;padding:.1rem .8rem;margin:.8rem 0;break-inside:avoid}\n"
    ".row p{margin:.2rem 0;overflow-wrap:anywhere}.row .head{font-weight:600}.row .key{color:var(--quiet)}\n"
    ".gates{list-style:none;padding:0}.gates li{font-family:ui-monospace,monospace;font-size:.9rem;margin:.2rem 0;"
    "overflow-wrap:anywhere}.met{color:var(--good)}.missed{color:var(--bad)}\n"
    "details{margin:.4rem 0}summary{color:var(--quiet);cursor:pointer}\n"
    "@media (max-width:30rem){th,td{padding:.2rem .4rem}.card{flex:1 1 40%}}\n"
    "@media print{nav{display:none}body{font-size:10.5pt}.card,.row{border:1px solid var(--line)}"
    ".wide{overflow:visible}.wide "
    "tr>:first-child{position:static}.matrix{font-size:8pt}.pictures{display:grid;grid-template-columns:1fr "
    "1fr}table{break-inside:auto}"
    "details::details-content{content-visibility:visible;block-size:auto}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n"
    "@media screen and "
    "(prefers-color-scheme:dark){:root{--paper:#16181c;--line:#444;--soft:#24262b;--quiet:#a5a9b0;--bad:#ff9a8d;"
    "--good:#7fd6a0}body{background:var(--paper);color:#e4e6ea}h2,th,td{border-color:#3a3d44}a{color:#8cc4ff}"
    "figcaption,.note,dt{color:var(--quiet)}td.why{color:#f0b37e}"
    "figure svg{filter:invert(.91) hue-rotate(180deg)}}\n";

/* ---- what the sections share ---- */

int html_begin_section(struct buf *b, const char *id, const char *title)
{
    return buf_printf(b, "<h2 id=\"%s\">%s</h2>\n", id, title);
}

int html_begin_table(struct buf *b, const char *caption, const char *columns)
{
    TRY(buf_add_str(b, "<div class=\"wide\"><table>\n"));
    if (caption) {
        TRY(page_add_cell(b, "caption", caption));
    }
    TRY(buf_add_str(b, "<thead><tr>"));
    for (const char *at = columns; *at;) {
        size_t length = strcspn(at, "|");
        TRY(buf_printf(b, "<th scope=\"col\">%.*s</th>", (int)length, at));
        at += length + (at[length] == '|');
    }
    return buf_add_str(b, "</tr></thead>\n");
}

int html_end_table(struct buf *b)
{
    return buf_add_str(b, "</table></div>\n");
}

int html_add_row_name(struct buf *b, const char *name)
{
    return page_add_cell(
        b, strlen(name) > LONG_NAME ? "th scope=\"row\" dir=\"auto\" class=\"long\"" : "th scope=\"row\" dir=\"auto\"",
        name);
}

int html_add_figure(struct buf *b, double value, const char *reason, const struct interval *interval)
{
    if (reason) {
        return buf_add_str(b, "<td>&ndash;</td>");
    }
    TRY(buf_printf(b, "<td>%.4f", value));
    TRY(interval ? buf_printf(b, "<small>%.4f to %.4f</small>", interval->low, interval->high) : 0);
    return buf_add_str(b, "</td>");
}

int html_add_note(void *b, const char *text)
{
    TRY(buf_add_str(b, "<p class=\"note\">"));
    TRY(page_add_escaped(b, text));
    return buf_add_str(b, "</p>\n");
}

static const char *svg_of(const struct page_picture *picture)
{
    return strstr(buf_str(&picture->svg), "<svg");
}

int html_add_pictures(struct buf *b, const struct eval_pictures *pictures, enum eval_picture_place place)
{
    bool open = false;
    for (size_t i = 0; i < pictures->count; i++) {
        const struct eval_picture_about *about = &pictures->about[i];
        const char *svg = svg_of(&pictures->items[i]);
        if (about->place != place || !svg) {
            continue;
        }
        TRY(open ? 0 : buf_add_str(b, "<div class=\"pictures\">\n"));
        open = true;
        TRY(buf_add_str(b, "<figure><div role=\"img\" aria-label=\""));
        TRY(page_add_escaped(b, buf_str(&about->title)));
        TRY(buf_add_str(b, "."));
        TRY(page_add_escaped(b, buf_str(&about->says)));
        TRY(buf_printf(b, "\">%s</div><figcaption>", svg));
        TRY(page_add_escaped(b, buf_str(&about->title)));
        TRY(buf_add_str(b, "</figcaption></figure>\n"));
    }
    return open ? buf_add_str(b, "</div>\n") : 0;
}

/* ---- what is seen first ---- */

/* A text of the provenance, which may lie deeper: "sidecar", "model"; NULL: it is not there. */
static const char *source_of(const struct eval_report *report, const char *outer, const char *key)
{
    const json_t *json = outer ? json_object_get(report->provenance, outer) : report->provenance;
    return json_string_value(json_object_get(json, key));
}

/* What was evaluated: "p.tsv, model run, data ds, split test". */
static int add_subject(const struct eval_report *report, struct buf *b)
{
    static const struct {
        const char *outer, *key, *title;
    } parts[] = {{NULL, "predictions", ""},     {NULL, "events", ""},           {NULL, "run", "run "},
                 {NULL, "qrels", "judgments "}, {"sidecar", "model", "model "}, {"sidecar", "data", "data "},
                 {"sidecar", "split", "split "}};
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const char *text = source_of(report, parts[i].outer, parts[i].key);
        if (text) {
            TRY(buf_printf(b, "%s%s", any ? ", " : "<p class=\"subject\">", parts[i].title));
            TRY(page_add_cell(b, "b", text));
            any = true;
        }
    }
    TRY(any ? buf_add_str(b, "</p>\n") : 0);
    const char *warning = source_of(report, NULL, "sidecar_warning");
    if (!warning) {
        return 0;
    }
    TRY(buf_add_str(b, "<p class=\"missed\">What is said of split, data and model may not hold: "));
    TRY(page_add_escaped(b, warning));
    return buf_add_str(b, ".</p>\n");
}

static int add_summary(const struct eval_report *report, struct buf *b)
{
    const struct predictions *p = report->p;
    TRY(buf_add_str(b, "<h1>Evaluation report</h1>\n"));
    TRY(add_subject(report, b));
    TRY(buf_add_str(b, "<p class=\"note\">"));
    if (p) {
        TRY(buf_printf(b, "%zu rows", p->rows));
        TRY(p->label || p->target ? buf_printf(b, ", %.0f with a label", report->data.rows) : 0);
        if (p->truncated) {
            TRY(buf_printf(b, ", %zu truncated", report->rows_truncated));
        } else if (report_has_unknown_truncation(report)) {
            TRY(buf_add_str(b, ", unknown how many are truncated"));
        }
    }
    const struct eval_ranking *r = &report->ranking;
    if (r->done) {
        TRY(buf_printf(b, "%s%zu queries, ", p ? "; " : "", r->queries));
        TRY(r->items ? buf_printf(b, "%.2f&nbsp;%% of %zu items tied in score",
                                  100 * (double)r->tied / (double)r->items, r->items)
                     : buf_add_str(b, "no item ranked"));
    }
    if (report->intervals) {
        const struct bootstrap_options *o = &report->intervals->bootstrap;
        TRY(buf_printf(b, "; %g&nbsp;%% intervals by bootstrap (%s, %zu resamples of %zu units: ", 100 * o->level,
                       o->method == BOOTSTRAP_BCA ? "BCa" : "percentile", o->resamples, report->intervals->units));
        TRY(page_add_escaped(b, report->intervals->unit));
        TRY(buf_printf(b, "; seed %llu)", (unsigned long long)o->seed));
    }
    return buf_add_str(b, "</p>\n");
}

static int add_cards(const struct eval_report *report, struct buf *b)
{
    static const char *const names[] = {"ndcg@10", "map",      "accuracy", "f1",  "auc", "log_loss",
                                        "rmse",    "spearman", "mae",      "ctr", "cvr", "ctcvr"};
    enum { CARDS = 6 };
    size_t shown = 0;
    for (size_t n = 0; n < sizeof names / sizeof names[0] && shown < CARDS; n++) {
        for (size_t i = 0; i < report->value_count; i++) {
            const struct eval_value *v = &report->values[i];
            if (strcmp(v->name, names[n]) != 0 || v->reason) {
                continue;
            }
            const struct interval *interval = report_interval(report, i);
            TRY(buf_printf(b, "%s<div class=\"card\">%s<b>%.4f</b>", shown++ ? "" : "<div class=\"cards\">\n", v->name,
                           v->value));
            TRY(interval ? buf_printf(b, "<small>%.4f to %.4f</small>", interval->low, interval->high) : 0);
            TRY(buf_add_str(b, "</div>\n"));
        }
    }
    return shown ? buf_add_str(b, "</div>\n") : 0;
}

static int add_gates(const struct eval_page *page, struct buf *b)
{
    size_t missed = 0;
    for (size_t i = 0; i < page->gate_count; i++) {
        missed += !page->gates_passed[i];
    }
    if (!page->gate_count) {
        return 0;
    }
    TRY(buf_printf(b, "<h2 id=\"gates\">Gates: %zu of %zu met</h2>\n<ul class=\"gates\">\n", page->gate_count - missed,
                   page->gate_count));
    for (size_t i = 0; i < page->gate_count; i++) {
        TRY(buf_printf(b, "<li class=\"%s\">", page->gates_passed[i] ? "met" : "missed"));
        TRY(page_add_escaped(b, page->gates[i]));
        TRY(buf_add_str(b, "</li>\n"));
    }
    return buf_add_str(b, "</ul>\n");
}

/* Links to the sections that are there; body is what they were written to. */
static int add_contents(struct buf *b, const char *body)
{
    static const char mark[] = "<h2 id=\"";
    TRY(buf_add_str(b, "<nav aria-label=\"Contents\">\n"));
    for (const char *at = body; (at = strstr(at, mark));) {
        at += strlen(mark);
        const char *title = strchr(at, '>') + 1;
        TRY(buf_printf(b, "<a href=\"#%.*s\">%.*s</a>\n", (int)strcspn(at, "\""), at, (int)strcspn(title, "<:"),
                       title));
    }
    return buf_add_str(b, "</nav>\n");
}

int html_add_missing(struct buf *b, const struct eval_pictures *pictures)
{
    size_t missing = 0;
    for (size_t i = 0; i < pictures->count; i++) {
        missing += !svg_of(&pictures->items[i]);
    }
    if (!missing) {
        return 0;
    }
    return buf_printf(b, "<p class=\"note\">%zu picture%s could not be drawn: %s.</p>\n", missing,
                      missing == 1 ? "" : "s",
                      missing == pictures->count ? "gnuplot is not installed or failed" : "gnuplot failed");
}

/* ---- what is seen last ---- */

static int add_definitions(const struct eval_report *report, struct buf *b)
{
    const struct metric *last = NULL;
    TRY(html_begin_section(b, "definitions", "Definitions"));
    TRY(buf_add_str(b, "<dl>\n"));
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
        TRY(buf_printf(b, "; version %d; %s</span></dd>\n", m->version,
                       m->direction > 0   ? "higher is better"
                       : m->direction < 0 ? "lower is better"
                                          : "neither high nor low is better"));
    }
    return buf_add_str(b, "</dl>\n");
}

static int add_provenance_row(struct buf *b, const char *key, const char *value)
{
    TRY(page_add_cell(b, "dt", key));
    TRY(buf_add_str(b, "<dd>"));
    TRY(page_add_cell(b, "code", value));
    return buf_add_str(b, "</dd>\n");
}

/* ---- the page ---- */

static int add_body(const struct eval_report *report, const struct eval_pictures *pictures,
                    const struct eval_page *page, struct buf *b)
{
    TRY(add_gates(page, b));
    TRY(html_add_classes(b, report, pictures));
    TRY(html_add_metrics(b, report, pictures));
    TRY(html_add_ranking(b, report, pictures));
    TRY(html_add_worst_queries(b, report, page));
    TRY(html_add_slices(b, report, pictures));
    TRY(html_add_lengths(b, report, pictures));
    TRY(html_add_arms(b, report, pictures));
    TRY(html_add_positions(b, report, pictures));
    TRY(html_add_mistakes(b, report, page));
    TRY(add_definitions(report, b));
    if (report->provenance) {
        TRY(html_begin_section(b, "provenance", "Provenance"));
        TRY(buf_add_str(b, "<dl>\n"));
        TRY(provenance_rows(report->provenance, add_provenance_row, b));
        TRY(buf_add_str(b, "</dl>\n"));
    }
    return 0;
}

int eval_report_html(const struct eval_report *report, const struct eval_pictures *pictures,
                     const struct eval_page *page, struct buf *b)
{
    struct buf body = {0};
    int rc = add_body(report, pictures, page, &body);
    if (!rc) {
        rc = page_begin(b, "reco report", html_style);
    }
    if (!rc) {
        rc = add_summary(report, b);
    }
    if (!rc) {
        rc = add_cards(report, b);
    }
    if (!rc) {
        rc = add_contents(b, buf_str(&body));
    }
    if (!rc) {
        rc = html_add_missing(b, pictures);
    }
    if (!rc) {
        rc = buf_add(b, buf_str(&body), body.length);
    }
    buf_release(&body);
    return rc ? rc : page_end(b);
}
