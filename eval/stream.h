#ifndef RECO_EVAL_STREAM_H
#define RECO_EVAL_STREAM_H

/*
 * Evaluation of more rows than memory holds: rows arrive in parts (predictions_options.take), sums are added at once,
 * and what needs an order goes to external sorters: each class's scores, confidences, values with their targets, and
 * the rows of each query. The figures are those of eval_run on all rows. Intervals and slices need the rows and are not
 * there.
 */

#include "eval/evaluate.h"

struct eval_stream; /* belongs to one thread */

/* options is borrowed until eval_stream_end. max_memory: of all sorters together; tmp_dir as sorter_new. */
int eval_stream_new(struct eval_stream **out, const struct eval_options *options, size_t max_memory,
                    const char *tmp_dir) RECO_MUST_CHECK;
int eval_stream_take(void *stream, const struct predictions *p) RECO_MUST_CHECK; /* for predictions_options.take */
/* p: streamed, what predictions_open gave; borrowed until the report is freed. Frees *stream in any case. */
int eval_stream_end(struct eval_stream **stream, const struct predictions *p, struct eval_report **out) RECO_MUST_CHECK;
void eval_stream_free(struct eval_stream *stream); /* NULL-safe */
bool eval_stream_has_rows(const struct eval_stream *stream);

#endif
