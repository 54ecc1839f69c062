#ifndef RECO_EVAL_PICTURE_H
#define RECO_EVAL_PICTURE_H

/*
 * The pictures of a report as gnuplot programs that print SVG; who runs gnuplot is the caller's business. A picture
 * that the data does not give (one class, no queries kept) is left out. Curves are thinned to a few hundred points,
 * each of which is exact.
 */

#include "core/buf.h"
#include "eval/evaluate.h"
#include "eval/mistakes.h"
#include "eval/page.h"

enum { EVAL_PICTURES_MAX = 16 };

enum eval_picture_place {
    PICTURE_OF_CLASSES,
    PICTURE_OF_VALUES,
    PICTURE_OF_QUERIES,
    PICTURE_OF_SLICES,
    PICTURE_OF_LENGTHS,
    PICTURE_OF_POSITIONS,
    PICTURE_OF_ARMS
};

struct eval_pictures {
    struct page_picture items[EVAL_PICTURES_MAX];
    struct eval_picture_about {
        enum eval_picture_place place;
        struct buf title; /* items[].title */
        struct buf says;  /* in words what is to be seen, for those who do not see it */
    } about[EVAL_PICTURES_MAX];
    size_t count;
};

/* pictures is zero-initialised; release it also after failure. */
int eval_pictures_plan(struct eval_pictures *pictures, const struct eval_report *report) RECO_MUST_CHECK;
void eval_pictures_release(struct eval_pictures *pictures);

/* What the page shows besides the report; all of it may be empty. */
struct eval_page {
    const struct mistakes *mistakes; /* NULL: they were not looked for */
    const struct look *look;         /* their texts; NULL: unknown */
    const char *no_texts;            /* why there are none; NULL: there are */
    const char *query_column;        /* carried column with the query's text; NULL: "query" */
    const char *const *gates;        /* [gate_count] lines */
    const bool *gates_passed;        /* [gate_count] */
    size_t gate_count;
};

/* One self-contained page, appended to b: figures, pictures, mistakes, definitions, provenance. */
int eval_report_html(const struct eval_report *report, const struct eval_pictures *pictures,
                     const struct eval_page *page, struct buf *b) RECO_MUST_CHECK;

#endif
