#ifndef RECO_DATA_PREPARE_H
#define RECO_DATA_PREPARE_H

/*
 * Files to a dataset directory. Used by `reco prepare`, and by train and predict when they are given files; in parts by
 * `reco prepare --shard` and `reco merge` (merge.h).
 *
 * Three steps. Map: records are read, widened by the joined tables, cleaned, checked and turned into text numbers and
 * hashes, in parallel, and written to a temporary file. Decide: what needs the whole data, by external sorting. Emit:
 * the dataset is written in the order of the input. Memory does not grow with the rows, but for one byte of a mapped
 * temporary file; a distinct text costs about 26 bytes. The bytes written depend on the input and the options alone,
 * not on threads, memory or shards.
 *
 * The rules come in this order, each on what the ones before left: bad rows; --max_..._samples; the cleaning rules of a
 * text and of a row (clean.h), while reading; contradictions; duplicates; near_duplicates; --split; leaks; --negatives;
 * --balance; --class_weights.
 */

#include "core/buf.h"
#include "core/err.h"
#include "core/opt.h"
#include "data/assemble.h"
#include "data/balance.h"
#include "data/clean.h"
#include "data/label_rule.h"
#include "data/labels.h"
#include "data/negatives.h"
#include "data/split.h"
#include "data/table.h"
#include "data/wordpiece.h"

struct prepare_options {
    struct opt_list train_file, validation_file, test_file; /* at least one; "-" is stdin */
    struct table_options table;
    struct assemble_options assemble;   /* its id and time columns are taken from below */
    char *query_column;                 /* this or a template is required */
    struct opt_list description_column; /* joined by one space in the order given; empty fields add no space */
    char *query, *description;          /* templates (assemble.h) instead of the columns */
    char *label_column;                 /* NULL: no labels (predict), or all positive (with negatives) */
    char *weight_column, *id_column, *query_id_column, *item_id_column;
    char *position_column, *clicked_column, *converted_column, *dwell_column, *depth_column, *propensity_column;
    struct opt_list carry; /* columns taken along to the predictions */
    struct label_rule_options label_rule;
    struct opt_list label_list; /* explicit order of the labels */
    struct opt_list grades;     /* "label=grade" */
    char *positive_label;
    bool regression;
    struct clean_options clean;
    struct split_options split;
    struct negative_options negative;
    struct balance_options balance;
    bool strict;                    /* leakage between the sides is RECO_E_DATA */
    struct opt_amount max_bad_rows; /* 0.1 %; one row is always allowed */
    bool escape_special;
    int64_t max_train_samples, max_eval_samples, max_predict_samples; /* 0: all; of the files, before any set rule */
    int64_t threads;                                                  /* 0: all processors */
    int64_t max_memory;                                               /* bytes for sorting and the like; 0: 1 GiB */
    char *tmp_dir;                                                    /* NULL: $TMPDIR, else /tmp */
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

/* All options that the result depends on (so not threads, memory, tmp_dir); NULL: out of memory. And back: what was
 * allocated is freed by prepare_options_release. */
json_t *prepare_options_json(const struct prepare_options *options);
int prepare_options_from_json(struct prepare_options *options, const json_t *json) RECO_MUST_CHECK;
void prepare_options_release(struct prepare_options *options);

/*
 * What a model remembers of its training data, for input of the same shape: the options of tables, columns and texts
 * (of the cleaning rules those that change texts) that the user has not given take their values from json. Then the
 * columns that the first test file lacks, and need not have, can be dropped again. Strings are owned by options.
 */
typedef bool prepare_is_set_fn(void *arg, const char *option);
typedef void prepare_dropped_fn(void *arg, const char *file, const char *option, const char *column);
int prepare_options_recall(struct prepare_options *options, const json_t *json, prepare_is_set_fn *is_set,
                           void *arg) RECO_MUST_CHECK;
int prepare_options_drop_missing(struct prepare_options *options, prepare_is_set_fn *is_set,
                                 prepare_dropped_fn *dropped, void *arg) RECO_MUST_CHECK;

/*
 * Makes output_dir (staged, renamed when complete; an existing one is replaced). labels: a map that the data must fit
 * (from a model's config, for predict), or NULL to take it from the first files given. wp: the tokeniser, borrowed.
 * summary may be NULL.
 *
 * Bad rows, besides those of csv.h: an empty query (blanks only), an empty label outside the test files, a label that
 * is not in the map, a weight or event that is not a number, a negative weight, a time that cannot be read, a row whose
 * item or query is not in its table, an --id_column value seen before in the split. An empty description is valid; an
 * empty label in a test file is a row without label. A row's id is its --id_column, else <file name>:<record>; its
 * query id is --query_id_column, else 16 hex digits of the XXH3 hash of the query in lower case (Unicode, one character
 * by one) with every run of white space as one space and none at the ends.
 *
 * RECO_E_DATA: over max_bad_rows (of each file) or no good row, the bad rows are then in "<output_dir>.rejects.tsv"; no
 * row left; one class only; leakage with `strict`. RECO_E_USAGE: an unknown column. RECO_E_STOPPED: a signal. There is
 * no dataset then.
 */
int prepare_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
                const char *output_dir, struct prepare_summary *summary) RECO_MUST_CHECK;

/* prepare.json of a dataset as a table for people, appended to b. */
int prepare_report_text(const char *dataset_dir, struct buf *b) RECO_MUST_CHECK;

#endif
