#ifndef RECO_DATA_DOCTOR_INTERNAL_H
#define RECO_DATA_DOCTOR_INTERNAL_H

/* Parts of doctor_run. Private to doctor*.c. */

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/pool.h"
#include "core/sorter.h"
#include "data/clean.h"
#include "data/doctor.h"
#include "data/doctor_stats.h"
#include "data/doctor_tally.h"
#include "data/script_detect.h"
#include "data/text_index.h"

#define DOCTOR_NONE SIZE_MAX
enum { DOCTOR_LIMITS_MAX = 8, DOCTOR_EXCERPT_COLUMNS = 80 };

/* ---- doctor_schema.c: files and columns ---- */

struct doctor_file {
    const char *path, *role;
    bool role_guessed;
    char *name; /* in the report: without directories where that is clear, or stdin */
    struct table_reader *reader;
    size_t columns, *union_of; /* [columns] number of each column in the union of all files */
    size_t *column_of;         /* [columns of the union] number in this file, DOCTOR_NONE: it lacks it */
    uint64_t rows, bad_rows, bytes;
    struct table_facts facts;
};

/* Columns are numbered over the union of all files, in the order of first sight. */
struct doctor_schema {
    char **names; /* as UTF-8 */
    size_t count;
    size_t query, label, id, item; /* DOCTOR_NONE: none */
    size_t *descriptions, description_count;
    bool query_guessed, label_guessed, id_guessed, item_guessed, description_guessed;
    bool event_log;            /* has columns of actions and times, and no label */
    size_t *texts, text_count; /* query and descriptions; text 0 is the query where there is one */
};

/* ---- doctor_labels.c: values of the label column ---- */

enum { DOCTOR_CLASSES_MAX = 4096 };
#define DOCTOR_NO_CLASS UINT16_MAX
struct doctor_labels {
    struct clean_lane *masker; /* borrowed */
    struct text_store store;
    struct text_index index;
    const char *texts[2 * DOCTOR_CLASSES_MAX]; /* spellings */
    uint16_t class_of[2 * DOCTOR_CLASSES_MAX];
    size_t spelling_count;
    const char *names[DOCTOR_CLASSES_MAX]; /* the first spelling of a class, as it can be shown */
    double numbers[DOCTOR_CLASSES_MAX];    /* NaN: no number */
    size_t count;
    bool overflow, all_numbers;
    uint64_t (*counts)[DOCTOR_FILES_MAX]; /* [DOCTOR_CLASSES_MAX] */
    uint64_t other[DOCTOR_FILES_MAX];     /* labels beyond DOCTOR_CLASSES_MAX */
    uint64_t missing[DOCTOR_FILES_MAX];
};
/* The class of a label text; numbers are equal by value. DOCTOR_NO_CLASS: empty, or too many classes. */
int doctor_labels_enter(struct doctor_labels *l, const char *text, size_t length, size_t file,
                        uint16_t *class) RECO_MUST_CHECK;
const char *doctor_labels_name(const struct doctor_labels *l, size_t class);
/* Classes in the order in which people expect them: by number, else by text; the caller frees. NULL: no memory. */
uint16_t *doctor_labels_order(const struct doctor_labels *l);
void doctor_labels_release(struct doctor_labels *l);

/* ---- doctor_predict.c: columns that tell the label ---- */

struct doctor_sample {
    uint64_t threshold; /* rows whose hashed place is below it are in */
    size_t rows, capacity, columns;
    uint64_t *keys;
    uint16_t *classes;
    uint32_t *values; /* [rows, columns] hashes; 0: empty or no such column */
    float *numbers;   /* [rows, columns]; NaN: no number */
};
struct doctor_row;
int doctor_sample_add(struct doctor_sample *s, const struct doctor_schema *schema, const struct doctor_row *row,
                      uint16_t class) RECO_MUST_CHECK;
void doctor_sample_release(struct doctor_sample *s);
/* Share, in [0, 1], of the errors of guessing the most frequent label that the column mends; 0 where chance could do
 * it. */
int doctor_sample_explains(const struct doctor_sample *s, size_t column, double *share) RECO_MUST_CHECK;

/* ---- doctor_lane.c: one row by itself ---- */

struct doctor_column {
    uint64_t rows, empty, numbers, blanks; /* with a number, with a blank inside */
    uint64_t first_hash;
    bool varies;
};

struct doctor_cut { /* at one --max_seq_length */
    uint64_t rows, tokens;
    uint64_t *text_rows, *text_tokens; /* [text_count] */
};

struct doctor_lane {
    struct doctor_tallies tallies;
    struct doctor_column *columns;              /* [schema.count] */
    struct doctor_lengths *characters, *tokens; /* [text_count] */
    struct doctor_lengths *pair_tokens;         /* with special tokens */
    uint64_t *all_tokens, *unknown_tokens;      /* [text_count] */
    uint64_t *scripts, *languages;              /* [text_count, script_count()], [text_count, language_count()] texts */
    struct doctor_cut cuts[DOCTOR_LIMITS_MAX];
    struct clean_lane *finder;
    struct wordpiece_scratch *scratch;
    struct wordpiece_ids ids;
    uint64_t wide_rows, mojibake_rows; /* with bytes beyond ASCII; of them, with text encoded twice */
    struct buf folded, excerpt;
    size_t *row_tokens; /* [text_count] */
};

struct doctor_row {                                    /* what the whole needs of a row */
    uint64_t place, query, description, row, item, id; /* hashes */
    uint32_t spelling;                                 /* hash of the query as it is written */
    size_t excerpt, excerpt_length;                    /* in the batch's excerpts */
    const struct csv_field *label;                     /* NULL: the file has no such column */
    const struct csv_field *fields;
    const uint64_t *hashes; /* [columns of the file] */
    const struct doctor_file *file;
};

struct doctor_batch {
    size_t file;
    struct buf text; /* the fields of all rows, each with its NUL */
    struct csv_field *fields;
    size_t field_count, field_capacity;
    uint64_t *lines;
    size_t row_count, row_capacity;
    struct doctor_row *rows; /* results */
    size_t result_capacity;
    uint64_t *hashes;
    size_t hash_capacity;
    struct buf excerpts;
};

struct doctor {
    const struct doctor_options *options;
    const struct wordpiece *wp;
    struct doctor_file files[DOCTOR_FILES_MAX];
    size_t file_count;
    struct doctor_schema schema;
    int64_t limits[DOCTOR_LIMITS_MAX];
    size_t limit_count;
    struct pool *pool;
    struct cleaner *masker;
    struct clean_lane *read_finder; /* of the task that reads */
    struct doctor_lane *lanes;
    size_t lane_count;
    struct doctor_tallies tallies; /* bad rows, and all of the lanes' at the end */
    _Atomic uint8_t *registers;    /* [schema.count, DOCTOR_REGISTERS] */
    struct sorter *pairs, *items, *ids;
    struct doctor_labels *labels;
    struct doctor_sample sample;
    double *tells; /* [schema.count] doctor_sample_explains of each column */
    json_t *findings;
};

/* doctor_figures.c. slots: of the tallies. release also after a failed init; merge leaves the tallies alone. */
int doctor_lane_init(struct doctor_lane *lane, const struct doctor *d, size_t slots) RECO_MUST_CHECK;
void doctor_lane_release(struct doctor_lane *lane, const struct doctor *d);
void doctor_lane_merge(struct doctor_lane *into, const struct doctor_lane *from, const struct doctor *d);
/* Looks at every row of the batch and fills in its results. */
int doctor_lane_batch(struct doctor_lane *lane, struct doctor *d, struct doctor_batch *batch) RECO_MUST_CHECK;

/* Lower case (Unicode, one character by one), every run of white space one blank and none at the ends: what two
 * spellings of a text share. Appended. */
int doctor_fold(struct buf *out, const char *text, size_t length) RECO_MUST_CHECK;

/* ---- the parts of a run, in this order ---- */

int doctor_schema_open(struct doctor *d, const struct doctor_input *inputs, size_t count) RECO_MUST_CHECK;
void doctor_schema_close(struct doctor *d);
/* doctor_scan.c: reads everything once. */
int doctor_scan(struct doctor *d) RECO_MUST_CHECK;

/* doctor_whole.c: rows against each other; findings are tallied, figures for the report come back. */
struct doctor_overlap { /* rows of the later file that are in the earlier one too */
    uint64_t query_rows, queries, pair_rows, pairs;
};
struct doctor_group_figures {                              /* of one file */
    uint64_t queries, rows, one_item, one_label, labelled; /* labelled: queries with two labelled items or more */
    uint64_t positives, with_positive;                     /* rows of the highest class, queries with one */
    struct doctor_lengths *items;                          /* by query */
};
struct doctor_whole {
    struct doctor_overlap overlaps[DOCTOR_FILES_MAX][DOCTOR_FILES_MAX]; /* [earlier][later] */
    struct doctor_group_figures groups[DOCTOR_FILES_MAX];
    uint64_t contradictory_pairs;
    uint64_t items, item_rows, most_rows_of_item, top_rows; /* top: the 1 % of items with most rows */
    double item_gini;
};
/* The slot of leaks from file a to a later file b. */
static inline size_t doctor_leak_slot(size_t a, size_t b)
{
    return 1 + a * DOCTOR_FILES_MAX + b;
}
int doctor_whole_run(struct doctor *d, struct doctor_whole *w) RECO_MUST_CHECK;
void doctor_whole_release(struct doctor_whole *w);

/* doctor_judge.c: tallies and figures to findings. All figures of the lanes are in lane 0 by now. */
struct doctor_finding {
    enum doctor_rule_id rule;
    enum doctor_severity severity;
    size_t column;           /* DOCTOR_NONE: none */
    size_t file, other_file; /* DOCTOR_NONE: all, none */
    uint64_t count, of;
    const char *what, *mend;          /* NULL: "<count> of <of> rows (<share>) " and the rule's what; the rule's mend */
    const struct doctor_tally *tally; /* examples; NULL: none */
    bool no_option;                   /* the rule's option of reco prepare would not help here */
    const char *option, *value;       /* instead of the rule's; NULL: the rule's */
};
int doctor_finding_add(struct doctor *d, const struct doctor_finding *finding) RECO_MUST_CHECK;
int doctor_judge(struct doctor *d, const struct doctor_whole *w) RECO_MUST_CHECK;
int doctor_judge_labels(struct doctor *d) RECO_MUST_CHECK;                              /* doctor_judge_labels.c */
int doctor_judge_whole(struct doctor *d, const struct doctor_whole *w) RECO_MUST_CHECK; /* doctor_judge_whole.c */
uint64_t doctor_rows(const struct doctor *d);                                           /* good rows of all files */
size_t doctor_train_file(const struct doctor *d);       /* the file to learn from: by its role, else the first */
bool doctor_labels_are_classes(const struct doctor *d); /* few enough values to be classes */

/* doctor_report.c: the JSON of everything. */
int doctor_report(json_t **out, const struct doctor *d, const struct doctor_whole *w) RECO_MUST_CHECK;
/* doctor_command.c: the reco prepare command that the findings suggest; NULL: no query is known. The caller frees. */
int doctor_command(char **out, const struct doctor *d) RECO_MUST_CHECK;

#endif
