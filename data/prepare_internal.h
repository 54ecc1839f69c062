#ifndef RECO_DATA_PREPARE_INTERNAL_H
#define RECO_DATA_PREPARE_INTERNAL_H

/* Parts of prepare and merge. Private to prepare*.c and merge.c. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/pool.h"
#include "core/sorter.h"
#include "data/prepare.h"
#include "data/spool.h"
#include "data/text_index.h"
#include "data/text_set.h"

#define PREPARE_JSON_FILE "prepare.json"
#define PREPARE_REJECTS_FILE "rejects.tsv"

enum prepare_split { PREPARE_TRAIN, PREPARE_VALIDATION, PREPARE_TEST, PREPARE_SPLITS };
extern const char *const prepare_split_names[PREPARE_SPLITS];

/* ---- prepare_schema.c: where the columns are in a file
 * ----------------------------------------------------------------- */

#define PREPARE_NO_COLUMN SIZE_MAX
enum { PREPARE_EVENTS = 6, PREPARE_KEYS = 3 };

struct prepare_schema { /* columns of the wide row; PREPARE_NO_COLUMN: none */
    size_t query, *descriptions, description_count;
    struct text_template *query_template, *description_template; /* instead of the columns; NULL: none */
    size_t label, weight, time, category;
    size_t keys[PREPARE_KEYS]; /* row_id, query_id, item_id; none: made up, or empty */
    size_t *travelling;        /* [names of the split - PREPARE_KEYS]; none: this file lacks the column */
};

struct prepare_file {
    enum prepare_split split;
    const char *path; /* borrowed */
    char *label;      /* in messages: 'train.csv' or stdin */
    const char *base; /* of row ids; in path, or "stdin" */
    struct table_reader *reader;
    struct assembly *assembly;
    struct prepare_schema schema;
};

struct prepare_names { /* of the columns that travel with the rows of a split: row_id, query_id, item_id, ... */
    char **names;
    size_t count;
    size_t event_count; /* behind the keys */
};

struct prepare_inputs {
    struct assemble_options assemble;
    struct assembler *assembler;
    struct prepare_file *files; /* [count] by split */
    size_t count;
    struct prepare_names names[PREPARE_SPLITS];
    bool has_weight[PREPARE_SPLITS], has_label[PREPARE_SPLITS];
};

/* Opens the files named in the options and finds their columns. Errors before any row is read. */
int prepare_inputs_open(struct prepare_inputs *in, const struct prepare_options *options) RECO_MUST_CHECK;
void prepare_inputs_close(struct prepare_inputs *in);
bool prepare_has_description(const struct prepare_options *options);
/* Options without a label column: every row is positive, and what is drawn is not. */
bool prepare_positives_only(const struct prepare_options *options);
const struct opt_list *prepare_files_of(const struct prepare_options *options, enum prepare_split split);
int64_t prepare_max_rows(const struct prepare_options *options, enum prepare_split split);

/* ---- prepare_labels.c: label texts to classes
 * -------------------------------------------------------------------------- */

#define PREPARE_POSITIVE_LABEL "1" /* of data that hold only positives */

struct prepare_labels {
    struct label_rule *rule;
    bool known; /* map is final; else the values of the first files are being collected */
    struct label_map map;
    struct text_store store; /* the values, in the order of first sight */
    struct text_index index;
    const char **values;
    size_t values_capacity, value_count;
    struct buf choices; /* "'no', 'maybe'", for messages */
};

/* given: a map to use as it is, or NULL. */
int prepare_labels_init(struct prepare_labels *l, const struct prepare_options *options,
                        const struct label_map *given) RECO_MUST_CHECK;
void prepare_labels_release(struct prepare_labels *l);
/* Number of a value, new or old; the map is not known yet. */
int prepare_labels_find(struct prepare_labels *l, const char *text, size_t length, int32_t *label) RECO_MUST_CHECK;
/* The reason of a bad row, appended. */
int prepare_labels_unknown(const struct prepare_labels *l, const char *text, size_t length,
                           struct buf *bad) RECO_MUST_CHECK;
/* The map from the values collected. *label_of [value_count]: class of each value; the caller frees. */
int prepare_labels_settle(struct prepare_labels *l, const struct prepare_options *options,
                          int32_t **label_of) RECO_MUST_CHECK;

/* ---- prepare_row.c: a record to what the spool and the text set take, on any thread
 * --------------------------------------- */

struct prepare_span { /* in the bytes of its share */
    size_t start, length;
};

struct prepare_mapped {   /* a record, mapped */
    struct spool_row row; /* without texts' numbers, label and spans */
    struct prepare_span query, description, label, order, columns, reason, raw;
    struct text_key query_text, description_text;
    bool has_label; /* its class is not known yet */
};

struct prepare_map { /* read-only while records are mapped */
    const struct prepare_options *options;
    const struct prepare_labels *labels; /* its rule, and its map where that is known */
    const struct cleaner *cleaner;       /* NULL: no rule and no mask is on */
    bool has_description;
    enum prepare_split first_split; /* whose labels make the map, unless it is known */
    uint64_t shard, shards;         /* shard from 0; shards 0: not in shards */
};

/* prepare_key.c: the text as two spellings of it share it: lower case, white space folded; appended. Nothing for a text
 * of blanks. */
int prepare_normalise(struct buf *out, const char *text, size_t length) RECO_MUST_CHECK;

struct prepare_lane; /* scratch of one thread */
int prepare_lane_new(struct prepare_lane **out, const struct prepare_map *map) RECO_MUST_CHECK;
void prepare_lane_free(struct prepare_lane *lane); /* NULL-safe */
/* Before the first record of a file. */
int prepare_lane_file(struct prepare_lane *lane, const struct prepare_file *file,
                      const struct prepare_names *names) RECO_MUST_CHECK;
/* raw_cut: raw is the start of a longer one. Appends to bytes. */
int prepare_row_map(struct prepare_lane *lane, const struct csv_record *record, bool raw_cut, struct buf *bytes,
                    struct prepare_mapped *out) RECO_MUST_CHECK;

/* ---- prepare_map.c: files to a spool and a text set
 * ------------------------------------------------------------------------ */

struct prepare_sink {
    struct spool_writer *spool;
    struct text_set_writer *texts;
    struct prepare_labels *labels;
};
int prepare_map_files(const struct prepare_map *map, struct prepare_inputs *in, struct pool *pool,
                      const struct prepare_sink *sink) RECO_MUST_CHECK;

/* ---- prepare_texts.c: the texts of the rows, wherever they are
 * ------------------------------------------------------------- */

struct prepare_texts {
    struct text_set **sets; /* [set_count] */
    uint32_t **numbers;     /* [set_count][texts of the set] the text's number here; NULL: its own */
    size_t set_count, count;
    uint32_t *tokens; /* [count]; NULL: not counted yet */
};

typedef int prepare_text_fn(void *arg, uint32_t place, const struct text_set_text *text);
/*
 * Calls fn for every text whose place is not TEXT_SET_NONE, by rising place. places [count], all different; NULL: the
 * numbers themselves.
 */
int prepare_texts_walk(struct prepare_texts *t, const uint32_t *places, bool with_ids, const char *tmp_dir,
                       size_t max_bytes, prepare_text_fn *fn, void *arg) RECO_MUST_CHECK;
/* One set, with its own numbers; takes it. */
int prepare_texts_one(struct prepare_texts *t, struct text_set *set) RECO_MUST_CHECK;
int prepare_texts_count_tokens(struct prepare_texts *t) RECO_MUST_CHECK; /* fills tokens */
void prepare_texts_release(struct prepare_texts *t);

/* ---- the whole, from a spool and its texts to a dataset
 * -------------------------------------------------------------------- */

struct prepare_file_facts { /* of an input file, wherever it was read */
    const char *path, *label;
    enum prepare_split split;
};

enum prepare_rule { /* that leave out rows which the spool has as good; in the order in which they come */
                    PREPARE_RULE_KEPT,
                    PREPARE_RULE_BAD,
                    PREPARE_RULE_SAMPLES,
                    PREPARE_RULE_CONTRADICTIONS,
                    PREPARE_RULE_DUPLICATES,
                    PREPARE_RULE_NEAR_DUPLICATES,
                    PREPARE_RULE_LEAKS,
                    PREPARE_RULES
};

struct prepare_file_counts {
    uint64_t rows_read, rows_bad, rows_good;
};

struct prepare_counts {
    struct prepare_file_counts *files; /* [files] */
    uint64_t *changed, *dropped;       /* [clean_rule_count()] rows */
    /* found, whether or not a rule left them out; pairs: groups of one normalised query and description */
    uint64_t duplicate_rows, contradictory_pairs, contradictory_rows, near_duplicate_rows;
    uint64_t queries_on_sides, pairs_on_sides, leaking_rows;
    uint64_t left_out[PREPARE_RULES]; /* rows */
    uint64_t negatives_drawn, negatives_missing, negatives_fallbacks;
    uint64_t balance_removed, balance_added;
};

/* A row's byte: which side, and which rule left it out (0: none). */
#define PREPARE_VERDICT(side, rule) ((unsigned char)((side) | (rule) << 2))
#define PREPARE_SIDE(verdict) ((enum prepare_split)((verdict)&3))
#define PREPARE_RULE_OF(verdict) ((enum prepare_rule)((verdict) >> 2))

struct prepare_whole {
    const struct prepare_options *options;
    json_t *tokenizer;             /* of dataset.json; borrowed */
    uint32_t id_bytes;             /* of a token in the text sets */
    const struct cleaner *cleaner; /* NULL: none */
    struct split split;
    struct pool *pool;
    const char *tmp_dir;
    size_t sort_bytes;
    const char *output_dir;
    char *stage, *rejects_path, *reject_copy; /* reject_copy: beside the output, when there is no dataset */
    struct file_writer *rejects;

    const struct prepare_file_facts *files; /* [file_count] by split */
    size_t file_count;
    const struct prepare_names *names;  /* [PREPARE_SPLITS] */
    const bool *has_weight, *has_label; /* [PREPARE_SPLITS] */
    enum prepare_split first_split;     /* whose labels make the map */

    struct spool_writer *spool;
    struct prepare_texts texts;
    bool texts_may_stay;   /* else the set is a draft */
    bool texts_are_staged; /* the one text set is <stage>/PREPARE_TEXTS_DIR, with its entries in text_files */
    json_t *text_files;
    struct prepare_labels *labels;

    int32_t *label_of; /* [values] class of each value; NULL: labels are classes */
    struct temp_file *verdict_file;
    unsigned char *verdicts; /* [rows of the spool] */
    struct prepare_counts counts;
    struct prepare_summary summary;
};

#define PREPARE_TEXTS_DIR "texts"

/* ---- prepare.c: what prepare in one go, in shards and merge share
 * --------------------------------------------------------- */
size_t prepare_sort_bytes(int64_t max_memory); /* for one sorter */
/* The facts [in->count] of the files, borrowed from in; the caller frees the array. NULL: out of memory. */
struct prepare_file_facts *prepare_facts_of(const struct prepare_inputs *in);
/* *out is NULL when no rule and no mask is on. */
int prepare_cleaner_new(struct cleaner **out, const struct prepare_options *options) RECO_MUST_CHECK;
int prepare_pool_of(struct pool **out, int64_t threads) RECO_MUST_CHECK;
int prepare_split_of(struct split *split, const struct prepare_options *options) RECO_MUST_CHECK;

int prepare_whole_begin(struct prepare_whole *w) RECO_MUST_CHECK; /* the stage, and rejects.tsv in it */
int prepare_whole_finish(struct prepare_whole *w) RECO_MUST_CHECK;
void prepare_whole_end(struct prepare_whole *w);
/* Class of a spooled row, -1: none, -2: not in the map. */
int32_t prepare_class_of(const struct prepare_whole *w, const struct spool_row *row);

/* prepare_reject.c: bad rows, limits and labels; fills verdicts and the counts of the files */
int prepare_screen(struct prepare_whole *w) RECO_MUST_CHECK;
/* prepare_decide.c: what its parts share */
uint64_t prepare_label_bits(const struct prepare_whole *w, const struct spool_row *row); /* equal for equal labels */
bool prepare_is_kept(const struct prepare_whole *w, uint64_t place);
void prepare_leave_out(struct prepare_whole *w, uint64_t place, enum prepare_rule rule);
int prepare_stopped(uint64_t row) RECO_MUST_CHECK; /* RECO_E_STOPPED, asked now and then */
/* prepare_near.c */
int prepare_drop_near(struct prepare_whole *w) RECO_MUST_CHECK;
/* prepare_decide.c: contradictions, duplicates, near duplicates, sides, leaks */
int prepare_decide(struct prepare_whole *w) RECO_MUST_CHECK;

/* ---- prepare_negatives.c
 * ---------------------------------------------------------------------------------------------- */

struct prepare_negative { /* a row to be added behind a positive one */
    uint64_t row;         /* of the spool */
    uint32_t ordinal;
    uint32_t description; /* number of the item's text, DATASET_NO_TEXT: none */
    const char *item_id;  /* escaped, borrowed until the next call */
    size_t item_id_length;
};
struct prepare_negatives;
/* *out is NULL without --negatives. */
int prepare_negatives_draw(struct prepare_negatives **out, struct prepare_whole *w) RECO_MUST_CHECK;
void prepare_negatives_free(struct prepare_negatives *n); /* NULL-safe */
/* By row and ordinal; *found is false at the end. */
int prepare_negatives_next(struct prepare_negatives *n, struct prepare_negative *out, bool *found) RECO_MUST_CHECK;
int prepare_negatives_rewind(struct prepare_negatives *n) RECO_MUST_CHECK;

/* ---- prepare_emit.c
 * --------------------------------------------------------------------------------------------------- */

/* Every row of the dataset, in its order: those kept, and behind each its negatives. */
struct prepare_walk {
    struct prepare_whole *whole;
    struct spool_reader reader;
    struct prepare_negatives *negatives; /* NULL: none */
    struct prepare_negative negative;
    bool more_negatives, in_row;
    uint64_t next; /* place in the spool */
    struct spool_row spooled;
    struct buf columns;
};
struct prepare_out_row {
    enum prepare_split side;
    uint32_t query, description;
    int32_t label;
    float weight;
    double target;
    const char *columns;
    size_t columns_length, row_id_length; /* the id is the start of the columns */
};
int prepare_walk_begin(struct prepare_walk *walk, struct prepare_whole *w,
                       struct prepare_negatives *negatives) RECO_MUST_CHECK;
int prepare_walk_next(struct prepare_walk *walk, struct prepare_out_row *row, bool *found) RECO_MUST_CHECK;
void prepare_walk_end(struct prepare_walk *walk);
int32_t prepare_negative_class(const struct prepare_whole *w);

int prepare_emit(struct prepare_whole *w) RECO_MUST_CHECK;

/* ---- prepare_balance.c: how often each row of training is there, and what its class weighs
 * ------------------------------- */

struct prepare_balance {
    bool on;
    const struct balance_options *options;
    int classes;
    uint64_t *targets, *counts;
    struct balance_cut { /* rows up to here by (key, place) are there once more */
        uint64_t key, place;
        bool any;
    } * cuts;
    double *weights; /* NULL: 1 */
};
int prepare_balance_plan(struct prepare_balance *b, struct prepare_whole *w,
                         struct prepare_negatives *negatives) RECO_MUST_CHECK;
void prepare_balance_release(struct prepare_balance *b);
/* place: number of the row in the walk. */
uint64_t prepare_balance_copies(const struct prepare_balance *b, const struct prepare_out_row *row, uint64_t place);

/* ---- prepare_report.c: what was read, kept and lost
 * -------------------------------------------------------------------- */

struct prepare_split_report {
    bool used;
    uint64_t rows, unlabelled;
    uint64_t *label_counts; /* [classes] */
    uint64_t *histogram;    /* [histogram_capacity] rows with so many tokens, special ones included */
    size_t histogram_capacity, longest;
    uint64_t total, truncated, query_lost, description_lost, query_too_long;
};
struct prepare_report {
    struct prepare_split_report splits[PREPARE_SPLITS];
};
int prepare_report_begin(struct prepare_report *r, const struct prepare_whole *w) RECO_MUST_CHECK;
int prepare_report_row(struct prepare_report *r, const struct prepare_whole *w,
                       const struct prepare_out_row *row) RECO_MUST_CHECK;
int prepare_report_write(const struct prepare_report *r, struct prepare_whole *w, uint64_t texts,
                         uint64_t tokens) RECO_MUST_CHECK;
void prepare_report_release(struct prepare_report *r);

/* ---- prepare_options.c
 * ------------------------------------------------------------------------------------------------ */

/* JSON string of any bytes: what is not UTF-8 becomes U+FFFD. NULL: out of memory. */
json_t *prepare_text_json(const char *text);

#endif
