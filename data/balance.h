#ifndef RECO_DATA_BALANCE_H
#define RECO_DATA_BALANCE_H

/* Balance of the training classes: how many rows of each class stay or repeat, and what each weighs. */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "data/labels.h"

enum balance_method { BALANCE_NONE, BALANCE_UNDER, BALANCE_OVER };
extern const char *const balance_method_choices[]; /* "none", "under", "over", NULL */

struct balance_options {
    int balance;          /* enum balance_method */
    double balance_ratio; /* largest class at most this many times the smallest; >= 1 */
    char *class_weights;  /* "balanced" (rows / (classes * rows of the class), as scikit-learn), or a JSON or CSV file:
                             label,weight */
    int64_t balance_seed;
};
/* RECO_E_USAGE: in regression there are no classes to balance. */
int balance_options_check(const struct balance_options *options, bool regression) RECO_MUST_CHECK;

/*
 * counts [classes] rows of each class. targets [classes]: rows wanted of each class; below its count the rows with the
 * lowest hash stay, above it every row is there target / count times and the rows of lowest hash once more. A class
 * without rows stays empty and is not the smallest.
 */
void balance_targets(const struct balance_options *options, const uint64_t *counts, int classes, uint64_t *targets);

/* The hash that decides about a row: of its id, so that other rows have no say in it. */
uint64_t balance_key(const struct balance_options *options, const char *row_id, size_t length);

/*
 * weights [map->count], 1 without --class_weights; counts [map->count] are those after balancing. 'balanced' counts the
 * classes that have rows; one without weighs 1. A file gives every label its weight, a number of at least 0: JSON
 * {"label": weight} or CSV with the columns label and weight. RECO_E_DATA: an unknown, missing or doubled label.
 */
int balance_weights(const struct balance_options *options, const struct label_map *map, const uint64_t *counts,
                    double *weights) RECO_MUST_CHECK;

#endif
