#ifndef RECO_DATA_LABELS_INTERNAL_H
#define RECO_DATA_LABELS_INTERNAL_H

/* Private to labels*.c. */

#include "data/labels.h"

/* The default positive class of graded labels: the highest grade, the later one when equal. */
int label_map_highest_grade(const struct label_map *map);
/* Label index is one of those before it, by its bytes or as a number. */
bool label_map_repeats(const struct label_map *map, int index);

#endif
