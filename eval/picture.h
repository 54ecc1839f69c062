#ifndef RECO_EVAL_PICTURE_H
#define RECO_EVAL_PICTURE_H

/*
 * The pictures of a report as gnuplot programs that print SVG; who runs gnuplot is the caller's business. A picture
 * that the data does not give (one class, no queries kept) is left out.
 */

#include "core/buf.h"
#include "eval/evaluate.h"
#include "eval/page.h"

enum { EVAL_PICTURES_MAX = 4 };

struct eval_pictures {
    struct page_picture items[EVAL_PICTURES_MAX];
    size_t count;
};

/* pictures is zero-initialised; release it also after failure. */
int eval_pictures_plan(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
void eval_pictures_release(struct eval_pictures *pictures);

/* One self-contained page, appended to b: tables, pictures, definitions, provenance. */
int eval_report_html(const struct eval_report *report, const struct eval_pictures *pictures,
                     struct buf *b) RECO_MUST_CHECK;

#endif
