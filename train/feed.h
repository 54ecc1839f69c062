#ifndef RECO_TRAIN_FEED_H
#define RECO_TRAIN_FEED_H

/* Rows of a split as packed batches with their labels and weights, on the host and on the device. */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/dataset.h"
#include "model/batch.h"
#include "model/bert.h"

struct feed {                          /* zero-initialised is empty; reused from batch to batch */
    const struct dataset_split *split; /* borrowed */
    size_t max_length;
    enum wordpiece_truncation truncation;
    struct batch batch;
    int64_t *labels;      /* [rows] class index; classification */
    float *targets;       /* [rows] regression target, or 1 for the positive class of a one-logit model */
    float *weights;       /* [rows] */
    size_t *lost;         /* [rows] tokens cut off */
    int32_t *ids, *types; /* scratch [max_length] */
    size_t row_capacity;
};
int feed_init(struct feed *f, const struct dataset_split *split, size_t max_length,
              enum wordpiece_truncation truncation) RECO_MUST_CHECK;
void feed_release(struct feed *f);

/*
 * Replaces the batch by rows [count]. first_row: number of the first within the optimiser step, for the dropout units.
 * labels: how targets are read. Rows without a label have label -1 and target NaN.
 */
int feed_fill(struct feed *f, const uint32_t *rows, size_t count, uint64_t first_row,
              const struct label_map *labels) RECO_MUST_CHECK;

/*
 * The task's loss of the batch, sum of w * l over denominator: cross-entropy, squared error, or binary cross-entropy on
 * one logit. logits [B, K]. Scalar in nats (squared units in regression); NULL if the scope has failed.
 */
struct tch_tensor *feed_loss(const struct feed *f, struct tch_scope *s, struct tch_tensor *logits, enum label_task task,
                             double denominator);

/* The same loss of one row on the host, unweighted: for dev sets. label -1 or target NaN gives NaN. */
double feed_row_loss(const float *logits, const struct label_map *labels, int64_t label, double target);

#endif
