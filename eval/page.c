#include "eval/page.h"

#include <string.h>

#include "eval/try.h"

static const char page_style[] =
    "body{font:15px/1.45 system-ui,sans-serif;color:#1c1c1c;background:#fff;max-width:60rem;margin:0 "
    "auto;padding:1rem}\n"
    "h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:1.8rem 0 .5rem;border-bottom:1px solid #ccc}\n"
    ".wide{overflow-x:auto}.columns{columns:20rem auto}.columns table{width:100%}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #e4e4e4}th{font-weight:600}\n"
    "th:first-child,td:first-child{text-align:left}td.why{text-align:left;color:#8a3b00}\n"
    "td.text{text-align:left;overflow-wrap:anywhere}\n"
    ".pictures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 18rem;max-width:32rem}\n"
    "figure svg{width:100%;height:auto}figcaption{color:#555;font-size:.9rem}\n"
    "code{font-size:.85rem;overflow-wrap:anywhere}dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem "
    "1rem}\n"
    "dd{margin:0;overflow-wrap:anywhere}dt{color:#555}.note{color:#555}\n"
    "@media print{body{max-width:none;padding:0}h2{break-after:avoid}table,figure{break-inside:avoid}}\n"
    "@media (max-width:30rem){body{padding:.6rem;font-size:14px}dl{grid-template-columns:1fr}dt{margin-top:.4rem}}\n";

int page_begin(struct buf *b, const char *title, const char *style)
{
    TRY(buf_add_str(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                       "'unsafe-inline'\">\n<title>"));
    TRY(page_add_escaped(b, title));
    TRY(buf_add_str(b, "</title>\n<style>\n"));
    TRY(buf_add_str(b, page_style));
    TRY(buf_add_str(b, style ? style : ""));
    return buf_add_str(b, "</style>\n</head>\n<body>\n");
}

int page_end(struct buf *b)
{
    return buf_add_str(b, "</body>\n</html>\n");
}

int page_add_escaped(struct buf *b, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            TRY(buf_add_str(b, "&amp;"));
            break;
        case '<':
            TRY(buf_add_str(b, "&lt;"));
            break;
        case '>':
            TRY(buf_add_str(b, "&gt;"));
            break;
        case '"':
            TRY(buf_add_str(b, "&quot;"));
            break;
        default:
            /* Other control characters may stand neither in HTML nor in XML, not even by number. */
            TRY((unsigned char)*text < ' ' && !strchr("\t\n\r", *text) ? buf_add_str(b, "\xEF\xBF\xBD")
                                                                       : buf_add_char(b, *text));
        }
    }
    return 0;
}

int page_add_cell(struct buf *b, const char *tag, const char *text)
{
    TRY(buf_printf(b, "<%s>", tag));
    TRY(page_add_escaped(b, text));
    return buf_printf(b, "</%.*s>", (int)strcspn(tag, " "), tag);
}

void page_picture_release(struct page_picture *picture)
{
    buf_release(&picture->program);
    buf_release(&picture->svg);
}

int page_add_pictures(struct buf *b, const struct page_picture *pictures, size_t count)
{
    size_t missing = 0;
    TRY(buf_add_str(b, "<div class=\"pictures\">\n"));
    for (size_t i = 0; i < count; i++) {
        const char *svg = strstr(buf_str(&pictures[i].svg), "<svg");
        if (!svg) {
            missing++;
            continue;
        }
        TRY(buf_printf(b, "<figure>%s<figcaption>", svg));
        TRY(page_add_escaped(b, pictures[i].title));
        TRY(buf_add_str(b, "</figcaption></figure>\n"));
    }
    TRY(buf_add_str(b, "</div>\n"));
    return missing ? buf_printf(b, "<p class=\"note\">%zu pictures could not be drawn: gnuplot is not installed.</p>\n",
                                missing)
                   : 0;
}

int page_plot_begin(struct buf *b, const char *name, const char *x, const char *y)
{
    return buf_printf(
        b,
        "set encoding utf8\nset terminal svg size 520,380 dynamic name '%s' font 'sans-serif,13' background '#ffffff'\n"
        "set grid lc rgb '#dddddd'\nset border 3\nset tics nomirror\nset xlabel '%s' noenhanced\nset "
        "ylabel '%s' noenhanced\n",
        name, x, y);
}

int page_plot_quoted(struct buf *b, const char *text)
{
    TRY(buf_add_char(b, '\''));
    for (; *text; text++) {
        TRY(*text == '\'' ? buf_add_str(b, "''") : buf_add_char(b, *text == '\n' ? ' ' : *text));
    }
    return buf_add_char(b, '\'');
}
