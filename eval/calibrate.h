#ifndef RECO_EVAL_CALIBRATE_H
#define RECO_EVAL_CALIBRATE_H

/*
 * Calibration: probabilities that mean what they say. Fitted on validation predictions, kept as calibration.json,
 * applied to any predictions with the same label map. And the measure of it: reliability curves and the expected
 * calibration error.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "data/labels.h"
#include "data/predictions.h"

enum calibrate_method {
    /* softmax(log p / T), one T for all classes: the order of a row's classes stays. Guo et al. 2017. */
    CALIBRATE_TEMPERATURE,
    /* 1 / (1 + exp(a logit p + b)) for each class against the rest, scaled to sum to one; for two classes of the
       positive one. Targets smoothed as in Platt 1999, fitted by Newton's method (Lin, Lin and Weng 2007). */
    CALIBRATE_PLATT,
    /* A rising step function, linear between its steps, for each class against the rest, scaled to sum to one; for two
       classes of the positive one. Pool adjacent violators: Zadrozny and Elkan 2002; as scikit-learn. */
    CALIBRATE_ISOTONIC
};
extern const char *const calibrate_method_names[]; /* NULL-terminated, by enum calibrate_method */

struct calibrate_knots {
    size_t count;
    double *x, *y; /* [count] ascending */
};

struct calibration { /* zero-initialised is empty */
    enum calibrate_method method;
    struct label_map labels;
    double temperature;
    double *a, *b;                 /* Platt: [curves] */
    struct calibrate_knots *knots; /* isotonic: [curves] */
    int curves;                    /* 1 for two classes, else labels.count */
    json_t *fitted_on;             /* what is known of the predictions it was fitted on; may be NULL */
};

/*
 * From the labelled rows of p. RECO_E_DATA: no p_ columns, a regression, no labelled row, (temperature) the most
 * probable class is right in every row, or (Platt, isotonic) a class that no row or every row has.
 */
int calibrate_fit(struct calibration *out, enum calibrate_method method, const struct predictions *p) RECO_MUST_CHECK;
void calibrate_release(struct calibration *c);

/* p [labels.count] in place; sums to one. */
void calibrate_apply(const struct calibration *c, double *p);
/* Of method, labels and parameters: what the sidecar of calibrated predictions names. */
int calibrate_hash(const struct calibration *c, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;
/* {"method", "hash", "fitted_on"}, the sidecar's "calibration"; new reference, NULL: out of memory */
json_t *calibrate_stamp(const struct calibration *c);
/* The hash in a sidecar's stamp; NULL: these predictions are not calibrated. Borrowed. */
const char *calibrate_stamp_hash(const json_t *sidecar);
/*
 * All rows of p: the probabilities, and the score and the predicted class that follow from them; its sidecar gets the
 * stamp. RECO_E_DATA: no probabilities, another label map, or they are calibrated already. path names p in messages.
 */
int calibrate_predictions(const struct calibration *c, struct predictions *p, const char *path) RECO_MUST_CHECK;
/* RECO_E_DATA unless labels are those it was fitted for; path names it in the message. */
int calibrate_check_labels(const struct calibration *c, const struct label_map *labels,
                           const char *path) RECO_MUST_CHECK;

/* calibration.json. write keeps what fitted_on holds. */
json_t *calibrate_to_json(const struct calibration *c); /* new reference; NULL: out of memory */
int calibrate_read(struct calibration *out, const char *path) RECO_MUST_CHECK;
int calibrate_write(const struct calibration *c, const char *path) RECO_MUST_CHECK;

/*
 * Were the predictions made on data that may be looked at for a choice? RECO_E_USAGE when their sidecar says test, or
 * train, where a model is surer than on new rows; the message names what ("calibration", "a threshold") is chosen.
 * Without a sidecar nothing is known, which is logged.
 */
int calibrate_check_split(const struct predictions *p, const char *path, const char *what) RECO_MUST_CHECK;

/* ---- how well calibrated? ---- */

enum { CALIBRATE_BINS = 15, CALIBRATE_TOP = -1 };

struct calibrate_bin {
    double low, high;   /* (low, high] of p, the first with 0; equal mass: smallest and greatest p */
    double count;       /* equal mass: of rows and parts of rows */
    double p, observed; /* means; NaN in an empty bin */
};

/*
 * Rows by the probability of a class against how often it is right; of_class CALIBRATE_TOP: the most probable class of
 * each row (Guo et al. 2017). bins [count], of equal width. Needs p_ columns and a labelled row.
 */
void calibrate_reliability(struct calibrate_bin *bins, size_t count, const struct predictions *p, int of_class);
/* The bins that hold rows: an array of {low, high, rows, p, observed}; new reference, NULL: out of memory. */
json_t *calibrate_bins_json(const struct calibrate_bin *bins, size_t count);
/* sum of count |observed - p| / rows */
double calibrate_error(const struct calibrate_bin *bins, size_t count);

#endif
