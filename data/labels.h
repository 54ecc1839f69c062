#ifndef RECO_DATA_LABELS_H
#define RECO_DATA_LABELS_H

/*
 * The label map: the order of the classes, their names and, where there are any, their grades. One map goes through all
 * stages; its hash is in the dataset, the model and the predictions, and a mismatch is refused.
 */

#include <jansson.h>
#include <stdbool.h>

#include "core/err.h"
#include "core/hash.h"

enum label_task {
    LABEL_TASK_CLASSIFICATION, /* count >= 2 classes, softmax */
    LABEL_TASK_REGRESSION,     /* count == 0, target is a number */
    LABEL_TASK_BINARY_LOGIT    /* one logit, sigmoid: rerankers (a model with num_labels 1 and no regression) */
};

struct label_map {
    enum label_task task;
    int count;      /* classes; 0 for regression, 2 for a one-logit model */
    char **names;   /* [count] */
    bool graded;    /* grades are meaningful */
    double *grades; /* [count]; NULL unless graded */
    int positive;   /* index of the positive class (default: the last, which is the highest grade) */
    char *rule;     /* how the labels were made of those in the files (label_rule.h); NULL: they are the same */
};

void label_map_release(struct label_map *map);
int label_map_copy(struct label_map *out, const struct label_map *map) RECO_MUST_CHECK;

/*
 * From the distinct values seen in training data. All numeric: sorted by number and graded by it; else sorted by bytes
 * and ungraded. RECO_E_DATA when fewer than 2 values.
 */
int label_map_from_values(struct label_map *out, const char *const *values, size_t count) RECO_MUST_CHECK;

/* From an explicit order; grades by number when all are numeric. */
int label_map_from_list(struct label_map *out, const char *const *names, size_t count) RECO_MUST_CHECK;

/* "exact=3,substitute=2,..." replaces the grades; every label must be named. RECO_E_USAGE names the unknown or missing
 * one. */
int label_map_set_grades(struct label_map *map, const char *const *assignments, size_t count) RECO_MUST_CHECK;
int label_map_set_positive(struct label_map *map, const char *name) RECO_MUST_CHECK;

/* Index of a label text (numeric labels also match by number: "1" is "1.0"), -1 when absent. */
int label_map_find(const struct label_map *map, const char *name, size_t length);

json_t *label_map_to_json(const struct label_map *map); /* new reference; NULL: out of memory */
int label_map_from_json(struct label_map *out, const json_t *json) RECO_MUST_CHECK;
void label_map_hash(const struct label_map *map, char hex[HASH_HEX_SIZE]); /* task, names in order, grades, rule */

/* Ranking score of one row. p [count] probabilities; value the regression output. See DESIGN: score. */
double label_map_score(const struct label_map *map, const double *p, double value);

#endif
