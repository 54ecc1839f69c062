#ifndef RECO_EVAL_STREAM_INTERNAL_H
#define RECO_EVAL_STREAM_INTERNAL_H

/* Shared by stream.c and stream_lists.c only. */

#include "core/buf.h"
#include "core/sorter.h"
#include "eval/stream.h"
#include "eval/tally.h"

enum { STREAM_ALL, STREAM_TRUNCATED, STREAM_WHOLE, STREAM_PARTS };

struct stream_part {
    struct eval_report *report;
    struct tally tally;
    struct tally_sum *totals; /* [tally.length] */
    double *sums;             /* [tally.length] of the rows at hand */
    size_t *list_rows;        /* [query_capacity] rows of each query */
    double *item_rows;        /* [item_capacity] */
    size_t query_capacity, item_capacity;
    struct metric_known known;
};

struct eval_stream {
    const struct eval_options *options;
    size_t max_memory;
    const char *tmp_dir;
    struct stream_part parts[STREAM_PARTS];
    size_t part_count;
    /* Of all rows; the last byte of a value, and a list_row, say whether the row was truncated. */
    struct sorter **curves; /* [classes] */
    int classes;
    struct sorter *bins;  /* by confidence */
    struct sorter *ranks; /* regression: by value, then target */
    struct sorter *lists; /* by query and place in the file */
    size_t share;         /* bytes of a sorter */
    size_t rows;          /* taken before the rows at hand */
    double lowest_target, highest_target;
};

/* A row of a list into the sorter of lists; value is scratch. */
int stream_lists_add(const struct eval_stream *stream, const struct predictions *p, size_t row,
                     struct buf *value) RECO_MUST_CHECK;
/* The figures by query of a part, from the sorted lists. */
int stream_lists_rank(struct eval_stream *stream, struct stream_part *part,
                      const struct predictions *p) RECO_MUST_CHECK;

#endif
