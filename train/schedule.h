#ifndef RECO_TRAIN_SCHEDULE_H
#define RECO_TRAIN_SCHEDULE_H

/*
 * Learning rate schedules as factors of the peak rate, with Hugging Face's names and values.
 * To add one: a function and a row in schedule.c, its name in cli/opts_train.c, its values in
 * tests/train/test_schedule.c.
 */

#include <stdint.h>

struct schedule {
    const char *name;
    const char *formula;
    /* Factor in [0, 1] of the update that follows `step` updates done; 0 <= step < total, 0 <= warmup <= total. */
    double (*factor)(int64_t step, int64_t warmup, int64_t total);
};

extern const struct schedule schedule_table[];
extern const int schedule_count;
const struct schedule *schedule_find(const char *name); /* NULL: unknown */

/* Warm-up updates: steps when it is at least 1, else that share of total, rounded up (transformers' warmup_steps). */
int64_t schedule_warmup(double steps_or_frac, int64_t total);

#endif
