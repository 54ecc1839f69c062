#ifndef RECO_EVAL_COMPARE_INTERNAL_H
#define RECO_EVAL_COMPARE_INTERNAL_H

/* Private to compare*.c. */

#include "eval/compare.h"
#include "eval/report.h"

struct compare_match { /* of the same query (row) in both runs, sorted by id, so that the order of rows is nothing */
    const char *id;
    uint32_t a, b;
};

struct compare_matches { /* zero-initialised is empty */
    struct compare_match *items;
    size_t count, only_a, only_b;
};
/* ids_a [count_a], ids_b [count_b], distinct; NULL: a query without judged items, which is not there. */
int compare_match_ids(struct compare_matches *out, const char *const *ids_a, size_t count_a, const char *const *ids_b,
                      size_t count_b) RECO_MUST_CHECK;

/* The ids of a report's queries, to be matched; the caller frees the array. NULL: out of memory. */
const char **compare_query_ids(const struct eval_report *report) RECO_MUST_CHECK;

struct compare_task {
    const struct compare_options *options;
    const struct compare_run *a, *b;
    struct compare_figure *figures; /* [figure_count], names and directions filled */
    size_t figure_count;
    struct compare_pair *pair;
    struct pool *pool;
};
/* The figures with by_query. */
int compare_queries(struct compare_task *task) RECO_MUST_CHECK;
/* The others, of two predictions files: those of rows, or those of the catalogue. */
int compare_rows(struct compare_task *task, bool catalogue) RECO_MUST_CHECK;

/* Rows of two predictions files, in the order in which they are joined. */
struct compare_chosen {
    uint32_t *a, *b; /* [count_a], [count_b] */
    size_t count_a, count_b;
};
/* One set of them, those of A first: queries are each run's own, items of the same id are one. Texts are borrowed. */
int compare_join(struct predictions *to, const struct predictions *a, const struct predictions *b,
                 const struct compare_chosen *rows) RECO_MUST_CHECK;
void compare_join_release(struct predictions *joined);

/*
 * With fewer pairs than INTERVAL_UNITS_MIN resamples are too much alike: the figure gets the reason why it has no
 * interval, and by the bootstrap no test. True when there are too few.
 */
bool compare_too_few(const struct compare_task *task, struct compare_figure *figure);
/* p of figure by the bootstrap test, from the replicates of its difference [count]. */
void compare_test_by_bootstrap(struct compare_figure *figure, const double *replicates, size_t count);

/* ---- sentences that all formats share ---- */

int compare_add_verdict(const struct compare *c, const struct compare_pair *pair, const struct compare_figure *f,
                        struct buf *b) RECO_MUST_CHECK; /* what a figure tells */
int compare_add_counts(const struct compare *c, const struct compare_pair *pair,
                       struct buf *b) RECO_MUST_CHECK; /* what is in both, a line */
int compare_add_method(const struct compare *c, struct buf *b) RECO_MUST_CHECK;
/* Why figures of a pair have no interval, a line a reason with before in front; nothing where all have one. */
int compare_add_no_interval(const struct compare *c, const struct compare_pair *pair, const char *before,
                            struct buf *b) RECO_MUST_CHECK;
/* "query" or "row": what is paired. */
const char *compare_unit(const struct compare *c);

/* The value of a metric in a report; NULL: it was not computed. */
const struct eval_value *compare_value(const struct eval_report *report, const char *metric);

#endif
