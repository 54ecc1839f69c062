#ifndef RECO_TRAIN_INFER_H
#define RECO_TRAIN_INFER_H

/*
 * A model over the rows of a split. Rows are taken by windows, sorted by length within a window and put into batches of
 * at most batch_tokens tokens, so that little is computed in vain; results come out in the order of the rows. Memory
 * depends on the window, not on the number of rows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/dataset.h"
#include "model/bert.h"

struct infer_options {
    size_t max_length;
    enum wordpiece_truncation truncation;
    size_t batch_tokens; /* at least one row is always taken; 0: what suits the model's device */
    size_t batch_rows;   /* 0: no limit */
    size_t window_rows;  /* 0: INFER_WINDOW_ROWS */
    bool bf16;
};
enum { INFER_WINDOW_ROWS = 4096, INFER_CPU_TOKENS = 4096, INFER_CUDA_TOKENS = 65536 };

struct infer_row {
    size_t row;
    const float *logits; /* [K], borrowed during the call */
    int64_t label;       /* -1: none */
    double target;       /* NaN: none */
    float weight;
    size_t tokens, lost; /* tokens the model saw, and those cut off */
};

/* Called for rows 0, 1, 2...; a failure ends the run and is its result. */
typedef int infer_row_fn(void *arg, const struct infer_row *row);

/* The first `rows` rows of split. RECO_E_STOPPED on a signal; RECO_E_DATA when a row's logits are not finite. */
int infer_run(const struct bert *bert, const struct dataset_split *split, size_t rows,
              const struct infer_options *options, infer_row_fn *fn, void *arg) RECO_MUST_CHECK;

/* p [labels->count] from logits; in regression nothing. *value: the output in regression, else the ranking score. */
void infer_probabilities(const struct label_map *labels, const float *logits, double *p, double *value);

/* Index of the largest p; the first of equal ones. */
int infer_predicted(const struct label_map *labels, const double *p);

#endif
