#ifndef RECO_DATA_PREDICTIONS_SOURCE_H
#define RECO_DATA_PREDICTIONS_SOURCE_H

/*
 * How the predictions of another tool are read: the kind of table that they are, the names that their columns have
 * there, and what their labels mean. All borrowed. Zero-initialised: a file as reco predict writes it, or any other
 * table with its column names.
 */

#include <stdbool.h>
#include <stddef.h>

#include "data/table.h"

enum predictions_column {
    PREDICTIONS_ROW_ID,
    PREDICTIONS_QUERY_ID,
    PREDICTIONS_ITEM_ID,
    PREDICTIONS_LABEL,
    PREDICTIONS_PREDICTED,
    PREDICTIONS_SCORE,
    PREDICTIONS_TOKENS,
    PREDICTIONS_TRUNCATED,
    PREDICTIONS_POSITION,
    PREDICTIONS_CLICKED,
    PREDICTIONS_CONVERTED,
    PREDICTIONS_DWELL_S,
    PREDICTIONS_DEPTH,
    PREDICTIONS_PROPENSITY,
    PREDICTIONS_CARTED,
    PREDICTIONS_ORDERED,
    PREDICTIONS_REVENUE,
    PREDICTIONS_DELAY_S,
    PREDICTIONS_COLUMN_COUNT
};
extern const char *const predictions_column_names[PREDICTIONS_COLUMN_COUNT];   /* reco's own */
extern const char *const predictions_column_options[PREDICTIONS_COLUMN_COUNT]; /* that name them; NULL: none does */

struct predictions_source {
    const struct table_options *table; /* NULL: all as by default */
    /* Read as such a table in any case; else only what is not tab-separated without quotes, reco's own form. */
    bool is_table;
    struct {
        const char *name; /* NULL: reco's own */
        bool asked;       /* it must be there; else it counts where the file has it and has no column of reco's name */
    } columns[PREDICTIONS_COLUMN_COUNT];
    /*
     * Columns of the probabilities: "label=column", a column called like its label, or a pattern such as "prob_*" in
     * which '*' stands for the label. One column alone is p of one of two labels: of the positive one, where it is not
     * called like a label. None: "p_*".
     */
    const char *const *probabilities; /* [probability_count] */
    size_t probability_count;
    bool logits; /* they hold logits: softmax; of one column alone, sigmoid */
    /* The labels, where no sidecar tells them; see label_map.h. */
    const char *const *labels; /* [label_count] in their order */
    size_t label_count;
    const char *const *grades; /* [grade_count] "label=number" */
    size_t grade_count;
    const char *positive_label;
    bool regression;
    const char *labels_option; /* that names them on purpose: an error where a sidecar tells them; NULL: none */
};

#endif
