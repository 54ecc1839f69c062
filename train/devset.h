#ifndef RECO_TRAIN_DEVSET_H
#define RECO_TRAIN_DEVSET_H

/* The validation split: its loss and eval's metrics for a model. */

#include <stddef.h>

#include "core/err.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "eval/evaluate.h"
#include "model/bert.h"
#include "train/infer.h"

struct devset;

/* The first rows of split (0: all), with their labels and ids. split and labels are borrowed. */
int devset_new(struct devset **out, const struct dataset_split *split, size_t rows,
               const struct label_map *labels) RECO_MUST_CHECK;
void devset_free(struct devset *dev);

/*
 * Before any training: whether metric can have a value on this split at all. RECO_E_DATA says why not (it is another
 * task's, there are no labels, no query has a relevant row).
 */
int devset_check(struct devset *dev, const char *metric) RECO_MUST_CHECK;

struct devset_value {
    const char *name;
    double value;     /* NaN: undefined */
    char reason[160]; /* why undefined; else "" */
};
enum { DEVSET_MAX_VALUES = 16 };

struct devset_result {
    struct devset_value values[DEVSET_MAX_VALUES]; /* "loss" first: sum of w * l over sum of w */
    size_t count;
};

/* The task's usual metrics and, when it is not among them, metric (may be NULL). Strings live as long as dev. */
int devset_run(struct devset *dev, const struct bert *bert, const struct infer_options *options, const char *metric,
               struct devset_result *result) RECO_MUST_CHECK;

#endif
