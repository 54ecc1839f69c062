#ifndef RECO_TRAIN_TRAINER_H
#define RECO_TRAIN_TRAINER_H

/* Inside of train/: one run while it goes. start.c makes it, step.c does an update, close.c what follows one, train.c
 * the loop. */

#include <jansson.h>

#include "core/log.h"
#include "model/bert.h"
#include "train/checkpoint.h"
#include "train/devset.h"
#include "train/feed.h"
#include "train/runlog.h"
#include "train/settings.h"
#include "train/train.h"

struct pending_loss {
    struct tch_tensor *loss;
    double weight;
    int64_t step;
};

struct trainer {
    const struct train_options *options;
    const struct train_hooks *hooks;
    struct train_plan plan;
    struct train_state state;
    json_t *settings;
    struct bert *bert;
    struct tch_adamw *adamw;
    struct devset *dev; /* NULL: no evaluation */
    struct feed feed;
    struct runlog *log;
    uint32_t *order; /* [train_rows]: the rows of order_epoch as they are taken */
    int64_t order_epoch;
    struct tch_tensor *window_loss; /* scalar float64 on the device: the window's loss so far; NULL: none yet */
    struct pending_loss *pending;   /* of updates whose losses were not read from the device */
    size_t pending_count, pending_capacity;
    double last_loss;   /* for the progress line */
    double epoch_loss;  /* mean of the last epoch that ended */
    int64_t saved_step; /* of the newest checkpoint; -1: none */
    struct progress progress;
    double busy_s; /* spent in updates by this call */
    int64_t busy_rows;
};

/* start.c */
int trainer_start(struct trainer *t, const struct train_options *options,
                  const struct train_hooks *hooks) RECO_MUST_CHECK;
void trainer_release(struct trainer *t);

/* step.c: the update number t->state.step, and one more in the count. */
int trainer_step(struct trainer *t) RECO_MUST_CHECK;
/* Adds the losses that are still on the device to the sums of the state. RECO_E_DIVERGED when one is not finite. */
int trainer_read_loss(struct trainer *t) RECO_MUST_CHECK;
double trainer_rate(const struct trainer *t, int64_t step); /* learning rate of the update after `step` updates */
double trainer_epoch(const struct trainer *t);              /* epochs done, with their fraction */
double trainer_pairs_per_s(const struct trainer *t);

/* close.c: logs, evaluation, best weights and checkpoints that are due after the last update. */
int trainer_close_step(struct trainer *t) RECO_MUST_CHECK;
int trainer_save(struct trainer *t) RECO_MUST_CHECK; /* a checkpoint now */
int trainer_finish(struct trainer *t) RECO_MUST_CHECK;

#endif
