#ifndef RECO_DATA_PREPARE_H
#define RECO_DATA_PREPARE_H

/*
 * CSV files to a dataset directory. Used by `reco prepare`, and by train and predict when they are given CSV files.
 */

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/labels.h"
#include "data/wordpiece.h"

struct prepare_options {
    char *train_file, *validation_file, *test_file; /* at least one; "-" is stdin */
    char *query_column;                             /* required */
    struct opt_list description_column; /* joined by one space in the order given; empty fields add no space */
    char *label_column;                 /* NULL: no labels (predict) */
    char *weight_column, *id_column, *query_id_column, *item_id_column;
    char *position_column, *clicked_column, *converted_column, *dwell_column, *depth_column, *propensity_column;
    struct opt_list carry;      /* columns taken along to the predictions */
    struct opt_list label_list; /* explicit order of the labels */
    struct opt_list grades;     /* "label=grade" */
    char *positive_label;
    bool regression;
    char *delimiter;                /* "," (also "tab"); NULL: by file name (.tsv: tab) */
    int64_t max_field_bytes;        /* 16 MiB */
    struct opt_amount max_bad_rows; /* 0.1 %; one row is always allowed */
    bool trim_blanks;
    bool escape_special;
    int64_t max_train_samples, max_eval_samples, max_predict_samples; /* 0: all */
    int64_t threads;                                                  /* 0: all processors */
    int64_t max_seq_length; /* only to report tokens lost at this length; pairs are stored whole */
    int truncation;         /* enum wordpiece_truncation; for the same report */
};

/* What was read, kept and lost, per split and in all; for the summary and prepare.json. Filled by prepare_run. */
struct prepare_summary {
    uint64_t rows_read, rows_kept, rows_bad;
    uint64_t distinct_texts, tokens, rows_truncated, tokens_lost;
};

/* What can be said of the options before a file is opened: RECO_E_USAGE. prepare_run calls it first. */
int prepare_options_check(const struct prepare_options *options) RECO_MUST_CHECK;

/*
 * Makes output_dir (staged, renamed when complete; an existing one is replaced). labels: a map that the data must fit
 * (from a model's config, for predict), or NULL to take it from the first file given. wp: the tokeniser, borrowed.
 * summary may be NULL.
 *
 * Bad rows, besides those of csv.h: an empty query (blanks only), an empty label outside the test file, a label that is
 * not in the map, a weight or event that is not a number, a negative weight, an --id_column value seen before in the
 * file. An empty description is valid; an empty label in the test file is a row without label. A row's id is its
 * --id_column, else <file name>:<record>; its query id is --query_id_column, else 16 hex digits of the XXH3 hash of the
 * query in lower case (Unicode, one character by one) with every run of white space as one space and none at the ends.
 *
 * RECO_E_DATA: over max_bad_rows (of each file) or no good row, the bad rows are then in "<output_dir>.rejects.tsv"; no
 * row at all; one class only. RECO_E_USAGE: an unknown column. RECO_E_STOPPED: a signal. There is no dataset then.
 */
int prepare_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
                const char *output_dir, struct prepare_summary *summary) RECO_MUST_CHECK;

/* prepare.json of a dataset as a table for people, appended to b. */
int prepare_report_text(const char *dataset_dir, struct buf *b) RECO_MUST_CHECK;

#endif
