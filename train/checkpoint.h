#ifndef RECO_TRAIN_CHECKPOINT_H
#define RECO_TRAIN_CHECKPOINT_H

/*
 * checkpoint-<step>/: a Hugging Face directory with the weights, optimizer.safetensors (moments), trainer_state.json
 * and DONE, which is written last and lists the files with their sizes. Made under a temporary name and renamed.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "model/bert.h"
#include "tch/tch.h"

/* Where a run stands, apart from weights and moments. Data order and dropout follow from the seed and step. */
struct train_state {
    int64_t step;                    /* updates done */
    int64_t closed_step;             /* the last step after which evaluation and logs that were due are done */
    double epoch_loss, epoch_weight; /* since the epoch began: sums of w * l and of w */
    double log_loss, log_weight;     /* since the last line of the log */
    bool has_best;
    double best_value;
    int64_t best_step;
    double grad_norm;   /* of the last update */
    uint64_t log_bytes; /* length of train.jsonl */
};

/* settings: what the run was started with, by name, as text (settings.h); borrowed. */
int checkpoint_save(const char *output_dir, const struct bert *bert, struct tch_adamw *adamw,
                    const struct train_state *state, json_t *settings) RECO_MUST_CHECK;

/* Removes all but the newest `keep` (0: keeps all) and what killed writers left. */
int checkpoint_rotate(const char *output_dir, int64_t keep) RECO_MUST_CHECK;

int checkpoint_remove_all(const char *output_dir) RECO_MUST_CHECK;

/* The newest checkpoint of output_dir that has its DONE; *path NULL when there is none. The caller frees. */
int checkpoint_find_last(char **path, const char *output_dir) RECO_MUST_CHECK;

/* Checks DONE and reads the state. *settings is a new reference. RECO_E_DATA: not a checkpoint, or not complete. */
int checkpoint_read_state(const char *path, struct train_state *state, json_t **settings) RECO_MUST_CHECK;

/* Moments and step count into adamw, whose parameters are those of bert. RECO_E_MODEL names a tensor that does not fit.
 */
int checkpoint_read_moments(const char *path, const struct bert *bert, struct tch_adamw *adamw,
                            int64_t step) RECO_MUST_CHECK;

#endif
