#ifndef RECO_MODEL_BATCH_H
#define RECO_MODEL_BATCH_H

/* The host side of a packed batch: sequences one after the other, no padding. Reused from step to step. */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "model/bert.h"
#include "tch/tch.h"

/* Dropout units of one row: unit = row * BATCH_UNITS_PER_ROW + token, so that no mask depends on its neighbours'
 * lengths. */
enum { BATCH_UNITS_PER_ROW = 4096 };

struct batch {
    int64_t *ids, *types, *positions, *units; /* [tokens] */
    int64_t *first, *first_units;             /* [rows] */
    int32_t *cu;                              /* [rows + 1] */
    size_t rows, tokens;
    int32_t max_length;
    size_t token_capacity, row_capacity;
};

/* Zero-initialised is empty. */
void batch_release(struct batch *b);
void batch_clear(struct batch *b); /* keeps the memory */

/* Appends a sequence of length >= 1 tokens. row: its number within the optimiser step, for the dropout units. */
int batch_add(struct batch *b, const int32_t *ids, const int32_t *types, size_t length, uint64_t row) RECO_MUST_CHECK;

/* Copies the batch to the scope's device. input borrows b->cu. A failure is the scope's. */
void batch_upload(const struct batch *b, struct tch_scope *s, struct bert_input *input);

#endif
