#ifndef RECO_EVAL_COMPARE_SLICES_H
#define RECO_EVAL_COMPARE_SLICES_H

/*
 * Where a run is better: the differences again for parts of the rows (slice.h). Both runs must carry the columns; a
 * group is the rows that are in it in each of the two, so that its rankings are of these rows alone. Intervals are of
 * each group on its own, and nothing is tested: the tests are those of all rows.
 */

#include <jansson.h>

#include "eval/compare.h"
#include "eval/slice.h"

struct compare_slice_figure {
    double a, b, difference; /* NaN: undefined, or the group is in one run only */
    struct interval interval;
};
struct compare_slice_group {
    char *name;
    size_t rows; /* of a */
    bool small;
    struct compare_slice_figure *figures; /* [figure_count] */
};
struct compare_slice {
    const char *name;                   /* borrowed from the options */
    size_t pair;                        /* of the comparison */
    struct compare_slice_group *groups; /* [count] where b loses most by the first figure first, the small ones last */
    size_t count;
};
struct compare_slices {
    const struct compare *of;
    struct compare_slice *slices; /* [count] */
    size_t count, min_rows;
};
/* of is borrowed. RECO_E_USAGE: a run has no such column; the runs are TREC runs. */
int compare_slices_new(struct compare_slices **out, const struct compare *of, const struct slice_options *options,
                       struct pool *pool) RECO_MUST_CHECK;
void compare_slices_free(struct compare_slices *slices); /* NULL-safe */

int compare_slices_text(const struct compare_slices *slices, struct buf *b) RECO_MUST_CHECK;
int compare_slices_markdown(const struct compare_slices *slices, struct buf *b) RECO_MUST_CHECK;
json_t *compare_slices_json(const struct compare_slices *slices); /* new reference; NULL: out of memory */

#endif
