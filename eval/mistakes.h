#ifndef RECO_EVAL_MISTAKES_H
#define RECO_EVAL_MISTAKES_H

/*
 * The rows that a report is most wrong about, and the queries that it ranks worst: what a reader looks at first. And
 * the ids and texts of those few rows, looked up once more where the file or the dataset still has them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "eval/evaluate.h"

enum mistake_kind {
    MISTAKE_NONE,        /* there is nothing to tell by */
    MISTAKE_PROBABILITY, /* predicted another class; the least p of the label first */
    MISTAKE_CLASS,       /* predicted another class, without p; with grades the greatest difference of grades first */
    MISTAKE_SCORE, /* two classes by score alone: on the wrong side of the middle between the classes' mean scores */
    MISTAKE_VALUE  /* regression: |value - target|, the greatest first */
};

struct mistake {
    size_t row;
    double size; /* the greater the worse; what it is depends on the kind */
};

struct mistake_query {
    size_t query; /* in the report's arrays by query */
    size_t row;   /* first row of the query; SIZE_MAX: a TREC run */
    double value;
};

struct mistakes { /* zero-initialised is empty */
    enum mistake_kind kind;
    struct mistake *items; /* [count] worst first; equally bad ones in the order of the file */
    size_t count;
    size_t all;                    /* mistakes there are; in regression rows with a target */
    size_t value;                  /* the figure that queries are judged by: its place among the report's */
    struct mistake_query *queries; /* [query_count] worst first, ties by id */
    size_t query_count;
};

/* At most rows mistakes and queries queries (report.by_query must be kept for these). */
int mistakes_find(struct mistakes *out, const struct eval_report *report, size_t rows, size_t queries) RECO_MUST_CHECK;
void mistakes_release(struct mistakes *m);

/* ---- ids and texts of some rows ---- */

struct look_row {
    size_t row;
    const char *row_id, *query_id, *item_id; /* NULL: unknown */
    const char **extra;                      /* [extra_count] carried columns; NULL: unknown */
    const char *query, *description;         /* of the dataset; NULL: unknown */
};

struct look { /* zero-initialised is empty */
    struct look_row *rows;
    size_t count, capacity;
    const char **names; /* [extra_count] */
    size_t extra_count;
    size_t in_dataset;     /* rows whose texts the dataset gave */
    struct mem_arena text; /* owns all of it */
};

/* The rows of the mistakes and of the queries, ascending. */
int look_plan(struct look *look, const struct mistakes *m) RECO_MUST_CHECK;
void look_release(struct look *look);
const struct look_row *look_find(const struct look *look, size_t row); /* NULL: not planned */

/* From the predictions file, read once more up to the last row wanted; source as for predictions_open, may be NULL. */
int look_in_file(struct look *look, const char *path, const struct predictions_source *source) RECO_MUST_CHECK;
/* From what predictions hold. */
int look_in_memory(struct look *look, const struct predictions *p) RECO_MUST_CHECK;
/* The texts of those rows of a split that have the same row ids. */
int look_in_dataset(struct look *look, const struct dataset_split *split) RECO_MUST_CHECK;

#endif
