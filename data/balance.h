#ifndef RECO_DATA_BALANCE_H
#define RECO_DATA_BALANCE_H

/* Balance of the training classes: how many rows of each class stay or repeat, and what each weighs. */

#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "data/labels.h"

enum balance_method { BALANCE_NONE, BALANCE_UNDER, BALANCE_OVER };
extern const char *const balance_method_choices[];

struct balance_options {
    int balance;          /* enum balance_method */
    double balance_ratio; /* largest class at most this many times the smallest; >= 1 */
    char *class_weights;  /* "balanced" (rows / (classes * rows of the class), as scikit-learn), or a JSON or CSV file:
                             label,weight */
    int64_t balance_seed;
};
int balance_options_check(const struct balance_options *options) RECO_MUST_CHECK;

/*
 * counts [map->count] rows of each class. targets [map->count]: rows wanted of each class; below its count the rows
 * with the lowest hash stay, above it every row is there target / count times and the rows of lowest hash once more.
 */
void balance_targets(const struct balance_options *options, const uint64_t *counts, int classes, uint64_t *targets);
/* weights [map->count], 1 without --class_weights; counts are those after balancing. A class without rows weighs 1. */
int balance_weights(const struct balance_options *options, const struct label_map *map, const uint64_t *counts,
                    double *weights) RECO_MUST_CHECK;

#endif
