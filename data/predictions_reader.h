#ifndef RECO_DATA_PREDICTIONS_READER_H
#define RECO_DATA_PREDICTIONS_READER_H

/*
 * Private to the predictions reader. The file is cut into blocks of whole lines (predictions_feed.c); blocks are parsed
 * by any thread (predictions_block.c, predictions_field.c) and taken over in their order (predictions_merge.c), so that
 * the numbers of queries, items and values do not depend on the threads. predictions_read.c drives, predictions_names.c
 * finds the columns, predictions_header.c knows the sidecar, the labels and what the columns are for,
 * predictions_finish.c decides what is decided after the last row.
 */

#include <limits.h>

#include "core/pool.h"
#include "core/sorter.h"
#include "data/predictions.h"
#include "data/predictions_source.h"
#include "data/row_runs.h"
#include "data/text_index.h"

enum column_kind {
    COLUMN_ROW_ID,
    COLUMN_QUERY_ID,
    COLUMN_ITEM_ID,
    COLUMN_LABEL,
    COLUMN_PREDICTED,
    COLUMN_SCORE,
    COLUMN_TOKENS,
    COLUMN_TRUNCATED,
    COLUMN_EVENT,
    COLUMN_P,
    COLUMN_EXTRA,
    COLUMN_IGNORED /* not asked for */
};

struct column {
    enum column_kind kind;
    size_t place; /* class of a p_ column, event number, extra number */
    char *label;  /* of a p_ column, owned; NULL: the positive one */
};

enum { PREDICTIONS_FIXED_COUNT = 8, PREDICTIONS_EVENT_COUNT = 10, PREDICTIONS_CLASSES_MAX = INT16_MAX };
#define PREDICTIONS_NO_VALUE UINT32_MAX
extern const char *const *const predictions_event_names; /* [PREDICTIONS_EVENT_COUNT] */
enum {
    PREDICTIONS_EVENT_POSITION = 0,
    PREDICTIONS_EVENT_PROPENSITY = 5,
    PREDICTIONS_EVENT_REVENUE = 8,
    PREDICTIONS_EVENT_DELAY = 9
};
/* Why a number cannot be that event, to follow it in a message; NULL: it can. */
const char *predictions_event_fault(size_t event, double value);

/* Distinct texts in order of first sight. */
struct dictionary {
    struct text_index index;
    const char **texts; /* [count] */
    size_t count, capacity;
};
/* The number of text, entered when it is new; texts keep the pointer, or a copy in store where one is given. */
int dictionary_enter(struct dictionary *d, struct text_store *store, const char *text, size_t length,
                     uint32_t *number) RECO_MUST_CHECK;
void dictionary_clear(struct dictionary *d);         /* keeps the memory */
void dictionary_release_index(struct dictionary *d); /* nothing is looked up any more */
void dictionary_release(struct dictionary *d);

/* What lives as long as the predictions. */
struct predictions_memory {
    struct text_store texts;
};

/* Lines and what they hold; arrays [capacity], of columns that the file lacks NULL. */
struct block {
    char *text; /* [length] whole lines, cut in place; NUL behind */
    size_t length, text_capacity;
    uint64_t first_line; /* its number in the file, from 1 */
    uint64_t *row_line; /* [row_line_count] line of every row of a table, in which they may go over several; NULL: one a
                           row */
    size_t row_line_count, row_line_capacity;
    size_t rows, capacity;
    struct dictionary values, queries, items; /* of this block */
    int32_t *value_class;                     /* [values.count] with a known map */
    size_t class_capacity;
    uint32_t short_value[UCHAR_MAX + 1]; /* number + 1 of a value that is written with one character; 0: not seen */
    uint32_t *label, *predicted;         /* numbers of values; PREDICTIONS_NO_VALUE: empty */
    int16_t *best;                       /* class of the highest p, where no column says what is predicted */
    uint32_t *query, *item;
    double *target, *value;
    struct packed p, score;
    struct row_runs id_runs; /* of all rows so far, while in_runs; then row_hash is not filled */
    bool in_runs;
    uint64_t *row_hash, *row_hash_2;
    const char **row_id;
    uint32_t *tokens;
    bool *truncated;
    double *event[PREDICTIONS_EVENT_COUNT];
    const char ***extra; /* [extra_count] */
    double *row_p;       /* [labels.count] scratch */
    char **fields;       /* [column_count] scratch */
    size_t *lengths;
};

struct predictions_reader {
    struct predictions *p;
    const struct predictions_options *options;
    const char *path;
    struct text_store *texts;
    struct column *columns;
    size_t column_count;
    char *header; /* as written, to know a second one */
    bool has[PREDICTIONS_FIXED_COUNT];
    bool has_p, has_event[PREDICTIONS_EVENT_COUNT];
    bool map_known, regression; /* regression: known before the rows are read */
    bool is_stream;
    bool one_p, logits;      /* one column of probabilities for two labels; they are logits */
    size_t one_place;        /* the class of that column */
    uint64_t first_row_line; /* line of the first row */
    bool line_a_row;         /* so far every row has been a line */
    bool keeps_row_ids;      /* asked for, or no item has had an id so far */
    /* taken over so far */
    size_t capacity, p_capacity;
    bool any_item_id;
    struct dictionary values, queries, items;
    uint32_t *label_value, *predicted_value; /* [rows] numbers of values, until the map is known */
    struct row_runs id_runs;                 /* of all rows, taken or not, while in_runs */
    bool in_runs;
    uint64_t *row_hash, *row_hash_2; /* [rows] else; the second for streams, which cannot be looked at again */
    double *event[PREDICTIONS_EVENT_COUNT];
    struct text_store row_texts; /* row ids, once rows are taken */
    struct sorter *row_hashes;   /* of rows that were taken */
    size_t taken;                /* rows */
    uint32_t *renumber;          /* scratch: numbers of a block's texts */
    size_t renumber_capacity;
};

/* RECO_E_DATA: cannot parse '<file>' line <n>: <what> '<text>' */
int predictions_fail_line(const struct predictions_reader *r, uint64_t line, const char *what, const char *text);
/* Where a row stands; a stream is gone, and of a table in which rows go over several lines only the number is known. */
int predictions_fail_row(const struct predictions_reader *r, size_t row, const char *what);
/* Undoes predictions_escape in place; returns the new length. */
size_t predictions_unescape(char *text, size_t length);
/* Cuts a line at its tabs in place; fields are NUL-terminated. Returns the number of fields, counting past max. */
size_t predictions_cut(char *text, size_t length, char **fields, size_t *lengths, size_t max);

int predictions_read_sidecar(struct predictions_reader *r) RECO_MUST_CHECK;
/* The header line: columns, their kinds and, without a sidecar, the label map of the p_ columns. */
int predictions_read_header(struct predictions_reader *r, char **fields, size_t *lengths) RECO_MUST_CHECK;

int predictions_block_init(struct block *block, const struct predictions_reader *r) RECO_MUST_CHECK;
void predictions_block_release(struct block *block, const struct predictions_reader *r);
/* Any thread; r is only read. */
int predictions_block_parse(struct block *block, const struct predictions_reader *r) RECO_MUST_CHECK;
/* In the order of the file. */
int predictions_block_merge(struct predictions_reader *r, const struct block *block) RECO_MUST_CHECK;

/* Moves the event columns to p. */
void predictions_take_events(struct predictions *p, double *event[PREDICTIONS_EVENT_COUNT]);
void predictions_give_events(struct predictions *p, double *event[PREDICTIONS_EVENT_COUNT]); /* and back */
/* The grades and the positive label that were asked for, once the labels are known. */
int predictions_grade_labels(struct predictions_reader *r) RECO_MUST_CHECK;
/* The row ids of a block, of which row_id is filled as far as rows. */
int predictions_note_id(struct block *block, size_t row, const char *id, size_t length) RECO_MUST_CHECK;
int predictions_merge_row_ids(struct predictions_reader *r, const struct block *block) RECO_MUST_CHECK;
/* Hashes of the rows that are handed over go to row_hashes. */
int predictions_keep_hashes(struct predictions_reader *r) RECO_MUST_CHECK;
size_t predictions_bytes_of_row(const struct predictions_reader *r);
/* Hands the rows over when they take too much memory, or whatever is left when all is set. */
int predictions_hand_over(struct predictions_reader *r, bool all) RECO_MUST_CHECK;
int predictions_check_row_ids(struct predictions_reader *r, struct pool *pool) RECO_MUST_CHECK;
/* At the end, of rows that are held: what is odd is logged. */
int predictions_warn(const struct predictions_reader *r) RECO_MUST_CHECK;
int predictions_finish(struct predictions_reader *r, struct pool *pool) RECO_MUST_CHECK;

/* Appends a number to a packed array that has room for its code. */
int packed_put(struct packed *packed, size_t at, uint64_t digits, long power, bool negative, bool is_short,
               double value) RECO_MUST_CHECK;
void packed_release(struct packed *packed);

#endif
