#ifndef RECO_EVAL_COMPARE_H
#define RECO_EVAL_COMPARE_H

/*
 * Which of two runs is better, by how much, how surely, and where. Two evaluated runs are paired by query id; what only
 * one of them has is counted and left out. Ranking metrics are means over queries: their differences by query are
 * tested (paired.h). Other figures (F1, AUC, log loss) belong to all rows: they are evaluated again under weights, with
 * queries (rows where there are none) drawn or swapped between the runs (Noreen 1989; Yeh 2000).
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/pool.h"
#include "eval/bootstrap.h"
#include "eval/evaluate.h"

enum compare_test { COMPARE_RANDOMISATION, COMPARE_T, COMPARE_WILCOXON, COMPARE_BOOTSTRAP };
extern const char *const compare_test_names[]; /* NULL-terminated, by enum compare_test */

struct compare_options {
    enum compare_test test;
    struct bootstrap_options bootstrap; /* of the intervals and the bootstrap test; its level is that of all */
    size_t samples;                     /* of the randomisation test */
    const struct eval_options *eval;    /* how the runs were evaluated; borrowed; NULL: by default */
    size_t listed;                      /* queries listed at each end */
};
void compare_options_init(struct compare_options *options); /* randomisation, 10,000 samples, 5 queries */

struct compare_run {
    const char *path;                 /* for messages and reports */
    const struct eval_report *report; /* with options.by_query */
    const struct predictions *p;      /* NULL: a TREC run */
    const char *text_column;          /* carried column that holds the query's text; NULL: none */
};

struct compare_query {
    const char *id;
    const char *text; /* NULL: unknown */
    double a, b;
};

struct compare_figure {
    const char *metric;
    int direction;
    bool by_query;     /* a mean over queries */
    bool catalogue;    /* of what all lists show */
    double a, b;       /* over the pairs; NaN with reason */
    double difference; /* b - a */
    struct interval interval;
    double p, p_holm; /* NaN with no_test */
    double p_least;   /* the smallest that so many samples can give; 0: there is none such */
    bool exact;
    double sd;                 /* of the difference of one query (row); NaN where it is unknown */
    double effect;             /* Cohen's d of paired differences; NaN where it is unknown */
    size_t pairs;              /* queries (or rows) in it */
    size_t left_out;           /* paired, but undefined in a run */
    size_t wins, losses, ties; /* by query: b better, worse, equal */
    /* Queries (rows) with which a difference of this size would be sure, at the level that Holm leaves it, in 4 of 5
     * trials; INFINITY: none would; NaN: unknown. */
    double needed;
    const char *reason;                 /* why there is no value, a constant text */
    const char *no_test;                /* why there is no p, a constant text */
    struct compare_query *best, *worst; /* [best_count], [worst_count] for b, the greatest difference first */
    size_t best_count, worst_count;
};

struct compare_pair {
    size_t a, b;                     /* places of the runs */
    size_t only_a, only_b, both;     /* queries; both: rows where there are none */
    size_t rows_only_a, rows_only_b; /* rows that the other run has not; left out of the figures over rows */
    struct compare_figure *figures;  /* [figure_count] */
};

struct compare {
    struct compare_options options;
    const struct compare_run *runs; /* [run_count], borrowed */
    size_t run_count;
    struct compare_pair *pairs; /* [pair_count] */
    size_t pair_count, figure_count;
    json_t *provenance; /* NULL: unknown */
};

/*
 * Every run against the first (all_pairs: against every one before it), for the metrics of the first run's report,
 * which all have; p is adjusted by Holm over all pairs and metrics together. RECO_E_DATA: other labels or other data
 * (by the sidecars), a row with another label, no query in both.
 */
int compare_runs(struct compare *out, const struct compare_run *runs, size_t count, bool all_pairs,
                 const struct compare_options *options, struct pool *pool) RECO_MUST_CHECK;
void compare_release(struct compare *c);

/*
 * Where the comparison comes from (command, versions, files and hashes): shown in every output. json is an object,
 * whose reference is taken; the seed and the versions of the metrics are added here.
 */
int compare_set_provenance(struct compare *c, json_t *json) RECO_MUST_CHECK;

/* +1: b is surely better (p_holm below 1 - level), -1: surely worse, 0: that cannot be said. */
int compare_verdict(const struct compare *c, const struct compare_figure *figure);

/* The letter of a run in texts: A, B, ... Z, then 27, 28... Borrowed until the next call of this thread. */
const char *compare_letter(size_t run);

int compare_text(const struct compare *c, struct buf *b) RECO_MUST_CHECK;
int compare_markdown(const struct compare *c, struct buf *b) RECO_MUST_CHECK;
json_t *compare_json(const struct compare *c); /* new reference; NULL: out of memory */

/* One self-contained page; its pictures, as those of a report (picture.h), are drawn between the two calls. */
struct eval_pictures;
int compare_pictures_plan(struct eval_pictures *pictures, const struct compare *c) RECO_MUST_CHECK;
/* gates: the lines of compare_gate, "": none. */
int compare_html(const struct compare *c, const struct eval_pictures *pictures, const char *gates,
                 struct buf *b) RECO_MUST_CHECK;

/*
 * A gate: "ndcg@10: B>A" (B is surely better), "ndcg@10: B>=A" (B is not surely worse). check parses alone:
 * RECO_E_USAGE. compare_gate appends a line to b and returns 0 or RECO_E_GATE.
 */
int compare_gate_check(const char *gate) RECO_MUST_CHECK;
char *
compare_gate_metric(const char *gate) RECO_MUST_CHECK; /* the name in it; the caller frees. NULL: see err_message */
int compare_gate(const struct compare *c, const char *gate, struct buf *b) RECO_MUST_CHECK;

#endif
