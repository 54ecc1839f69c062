#ifndef RECO_TRAIN_TENSORBOARD_H
#define RECO_TRAIN_TENSORBOARD_H

/*
 * events.out.tfevents.reco: the figures of train.jsonl for TensorBoard, as scalars by step: train/loss,
 * train/learning_rate, eval/<metric>... A record is a length, its checksum, an Event (event.proto) and its checksum;
 * checksums are masked CRC-32C. Source: tensorflow/core/lib/io/record_writer.h.
 */

#include <jansson.h>
#include <stdint.h>

#include "core/err.h"

#define TENSORBOARD_FILE_NAME "events.out.tfevents.reco"

struct tensorboard;

/* Opens the file in dir, cut where a record is damaged or of a step behind last_step (0: a new file). */
int tensorboard_open(struct tensorboard **out, const char *dir, int64_t last_step) RECO_MUST_CHECK;
void tensorboard_close(struct tensorboard *e); /* NULL-safe */

/* The numbers of a line of train.jsonl (borrowed); nothing for a line without a step or numbers. One write. */
int tensorboard_write(struct tensorboard *e, const json_t *line) RECO_MUST_CHECK;

#endif
