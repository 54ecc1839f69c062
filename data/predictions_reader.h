#ifndef RECO_DATA_PREDICTIONS_READER_H
#define RECO_DATA_PREDICTIONS_READER_H

/*
 * Private to the predictions reader: predictions_read.c (rows), predictions_header.c (sidecar, columns),
 * predictions_finish.c (what is decided after the last row).
 */

#include "data/lines.h"
#include "data/predictions.h"
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
    COLUMN_EXTRA
};

struct column {
    enum column_kind kind;
    size_t place; /* class of a p_ column, event number, extra number */
};

enum { PREDICTIONS_FIXED_COUNT = 8, PREDICTIONS_EVENT_COUNT = 9 };
extern const char *const predictions_event_names[PREDICTIONS_EVENT_COUNT];

/* What lives as long as the predictions. */
struct predictions_memory {
    struct text_store texts;
};

struct predictions_reader {
    struct predictions *p;
    const char *path;
    struct line_reader *lines;
    struct text_store *texts;
    struct column *columns;
    size_t column_count;
    bool has[PREDICTIONS_FIXED_COUNT];
    bool has_p;
    bool map_known;
    bool any_item_id;
    size_t capacity; /* rows the arrays hold */
    size_t query_capacity, item_capacity;
    double *event[PREDICTIONS_EVENT_COUNT];
    double *row_p; /* [labels.count] */
    struct text_index row_index, query_index, item_index, value_index;
    /* distinct texts of label and predicted; label[] and predicted[] hold their numbers until the map is known */
    const char **values;
    int32_t *value_class; /* [value_count] class of a value once the map is known */
    size_t value_count, value_capacity, class_capacity;
};

/* RECO_E_DATA: cannot parse '<file>' line <n>: <what> '<text>' */
int predictions_fail_line(const struct predictions_reader *r, const char *what, const char *text);
/* Undoes predictions_escape in place; returns the new length. */
size_t predictions_unescape(char *text, size_t length);

int predictions_read_sidecar(struct predictions_reader *r) RECO_MUST_CHECK;
/* The header line: columns, their kinds and, without a sidecar, the label map of the p_ columns. */
int predictions_read_header(struct predictions_reader *r, char **fields, size_t *lengths) RECO_MUST_CHECK;
int predictions_finish(struct predictions_reader *r) RECO_MUST_CHECK;

#endif
