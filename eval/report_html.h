#ifndef RECO_EVAL_REPORT_HTML_H
#define RECO_EVAL_REPORT_HTML_H

/* Private to the writers of the page: a section each, which is left out where the report has nothing for it. */

#include "eval/bootstrap.h"
#include "eval/picture.h"
#include "eval/report.h"

extern const char html_style[];

int html_begin_section(struct buf *b, const char *id, const char *title) RECO_MUST_CHECK; /* <h2> */
/* A table whose first row is a header: names separated by '|', plain text. wide: it may scroll sideways. */
int html_begin_table(struct buf *b, const char *caption, const char *columns) RECO_MUST_CHECK;
int html_end_table(struct buf *b) RECO_MUST_CHECK;
/* The first cell of a row; a long name gets room. */
int html_add_row_name(struct buf *b, const char *name) RECO_MUST_CHECK;
int html_add_figure(struct buf *b, double value, const char *reason, const struct interval *interval) RECO_MUST_CHECK;
int html_add_pictures(struct buf *b, const struct eval_pictures *pictures,
                      enum eval_picture_place place) RECO_MUST_CHECK;

int html_add_note(void *b, const char *text) RECO_MUST_CHECK; /* a paragraph; b is a struct buf */
int html_add_missing(struct buf *b, const struct eval_pictures *pictures) RECO_MUST_CHECK; /* how many are not drawn */

/* report_html_figures.c */
int html_add_classes(struct buf *b, const struct eval_report *report,
                     const struct eval_pictures *pictures) RECO_MUST_CHECK;
int html_add_metrics(struct buf *b, const struct eval_report *report,
                     const struct eval_pictures *pictures) RECO_MUST_CHECK;
int html_add_ranking(struct buf *b, const struct eval_report *report,
                     const struct eval_pictures *pictures) RECO_MUST_CHECK;

/* report_html_parts.c */
int html_add_slices(struct buf *b, const struct eval_report *report,
                    const struct eval_pictures *pictures) RECO_MUST_CHECK;
int html_add_lengths(struct buf *b, const struct eval_report *report,
                     const struct eval_pictures *pictures) RECO_MUST_CHECK;
int html_add_positions(struct buf *b, const struct eval_report *report,
                       const struct eval_pictures *pictures) RECO_MUST_CHECK;
int html_add_arms(struct buf *b, const struct eval_report *report,
                  const struct eval_pictures *pictures) RECO_MUST_CHECK;

/* report_html_rows.c */
int html_add_worst_queries(struct buf *b, const struct eval_report *report,
                           const struct eval_page *page) RECO_MUST_CHECK;
int html_add_mistakes(struct buf *b, const struct eval_report *report, const struct eval_page *page) RECO_MUST_CHECK;

#endif
