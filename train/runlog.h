#ifndef RECO_TRAIN_RUNLOG_H
#define RECO_TRAIN_RUNLOG_H

/* train.jsonl: one JSON object a line, flushed line by line; and the same figures for TensorBoard (tensorboard.h). */

#include <jansson.h>
#include <stdint.h>

#include "core/err.h"

struct runlog;

/* Opens <dir>/train.jsonl, cut to keep_bytes (0: a new log), and the events, cut behind last_step. */
int runlog_open(struct runlog **out, const char *dir, uint64_t keep_bytes, int64_t last_step) RECO_MUST_CHECK;
void runlog_close(struct runlog *log);

/* Writes and releases line; NULL is out of memory. */
int runlog_write(struct runlog *log, json_t *line) RECO_MUST_CHECK;
uint64_t runlog_bytes(const struct runlog *log);

#endif
