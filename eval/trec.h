#ifndef RECO_EVAL_TREC_H
#define RECO_EVAL_TREC_H

/*
 * TREC files: a run ("qid Q0 docno rank score tag") and its judgments ("qid iter docno relevance"), read, written, and
 * evaluated as trec_eval 10 does, digit by digit, or by reco's own metrics. Fields are separated by blanks; empty lines
 * and lines that begin with '#' are skipped. A negative relevance is "in the pool but not judged". Scores are compared
 * as float32 and ties go to the greater docno, as trec_eval does; the rank column is not looked at. Files may be
 * compressed (input.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"
#include "core/err.h"
#include "eval/evaluate.h"

struct trec_qrels; /* opaque, read-only after reading */
struct trec_run;

/*
 * path "-": stdin. RECO_E_DATA with the line: too few fields, a number that is none, a document twice in a query. A run
 * whose lines have several tags is warned of; its tag is that of the last line. threads as in struct trec_options.
 */
int trec_qrels_read(struct trec_qrels **out, const char *path, int threads) RECO_MUST_CHECK;
void trec_qrels_free(struct trec_qrels *qrels);
int trec_run_read(struct trec_run **out, const char *path, int threads) RECO_MUST_CHECK;
void trec_run_free(struct trec_run *run);

/* Queries of the qrels that the run lacks, and the other way round. */
void trec_missing(const struct trec_qrels *qrels, const struct trec_run *run, size_t *not_in_run, size_t *not_in_qrels);

struct trec_options {
    long relevance_level;        /* trec_eval -l: an item is relevant from this grade on; 1 */
    bool by_query;               /* -q */
    bool complete;               /* -c: average over all queries of the qrels; a missing one counts as an empty list */
    bool judged_only;            /* -J */
    size_t max_results;          /* -M: look at the first so many of each query; 0: all */
    long collection_size;        /* -N: documents in the collection, for utility */
    const char *const *measures; /* -m: "map", "P.5,10", "official", "all_trec"; count 0: official */
    size_t measure_count;
    int threads; /* 0: this one alone; the text is the same for any number */
};

/* RECO_E_USAGE with the nearest name, or for parameters that do not fit. */
int trec_measure_check(const char *measure) RECO_MUST_CHECK;

/*
 * The text that trec_eval prints, appended. RECO_E_DATA when no query is in both files. It differs on purpose where
 * trec_eval divides zero by zero and prints nan (lists that judged_only leaves empty, Rndcg from relevance level 0):
 * 0; and where it sorts gains that differ by less than 1 as if they were equal: they are not.
 */
int trec_eval_text(struct buf *b, const struct trec_qrels *qrels, const struct trec_run *run,
                   const struct trec_options *options) RECO_MUST_CHECK;

/* reco's ranking metrics over the same files. trec: which queries and items (by_query, measures are not looked at). */
int trec_eval_run(struct eval_report **out, const struct trec_qrels *qrels, const struct trec_run *run,
                  const struct trec_options *trec, const struct eval_options *options) RECO_MUST_CHECK;

/*
 * Predictions as a run (items in rank order) or as qrels (grades); path is written atomically. RECO_E_DATA: no query
 * ids, an item twice in a query, an id that is empty or holds a blank, a grade that is not whole. Rows without a label
 * are in the run, not in the qrels.
 */
int trec_run_write(const char *path, const struct predictions *p, const char *tag) RECO_MUST_CHECK;
int trec_qrels_write(const char *path, const struct predictions *p) RECO_MUST_CHECK;

#endif
