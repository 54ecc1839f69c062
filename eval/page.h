#ifndef RECO_EVAL_PAGE_H
#define RECO_EVAL_PAGE_H

/*
 * What every HTML page of reco shares: one self-contained file with its own style, readable on a phone and on paper,
 * and pictures drawn by gnuplot as SVG. Everything is appended to b; who runs gnuplot is the caller's business.
 *
 * Classes of the style: div.wide (scrolls sideways), div.columns, div.pictures, p.note, td.why (a reason), td.text
 * (left, may break).
 */

#include "core/buf.h"
#include "core/err.h"

/* From the doctype to <body>; style: more CSS, or NULL. title is escaped. */
int page_begin(struct buf *b, const char *title, const char *style) RECO_MUST_CHECK;
int page_end(struct buf *b) RECO_MUST_CHECK;
int page_add_escaped(struct buf *b, const char *text) RECO_MUST_CHECK;
int page_add_cell(struct buf *b, const char *tag, const char *text) RECO_MUST_CHECK; /* <tag>text</tag> */

struct page_picture {
    const char *title;
    struct buf program; /* gnuplot, data included */
    struct buf svg;     /* filled by the caller; empty: could not be drawn */
};
void page_picture_release(struct page_picture *picture);

/* The pictures with their titles below them, in a row that wraps; says how many could not be drawn. */
int page_add_pictures(struct buf *b, const struct page_picture *pictures, size_t count) RECO_MUST_CHECK;

/* The head of a gnuplot program: an SVG with axis titles. name distinguishes the pictures of one page. */
int page_plot_begin(struct buf *b, const char *name, const char *x, const char *y) RECO_MUST_CHECK;
/* text in gnuplot's single quotes, where a quote is doubled and nothing else is special. */
int page_plot_quoted(struct buf *b, const char *text) RECO_MUST_CHECK;

#endif
