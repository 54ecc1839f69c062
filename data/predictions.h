#ifndef RECO_DATA_PREDICTIONS_H
#define RECO_DATA_PREDICTIONS_H

/*
 * predictions.tsv and its sidecar predictions.tsv.json.
 * Header: row_id query_id item_id label predicted p_<label>... score tokens truncated, then the event columns and the
 * carried ones. Floats %.9g; tab, newline, return and backslash escaped as \t \n \r \\. A missing label is an empty
 * field. In regression there is no p_ column and predicted is the value.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/labels.h"

/* Appends text to b with tab, newline, return and backslash as \t \n \r \\. */
int predictions_escape(struct buf *b, const char *text, size_t length) RECO_MUST_CHECK;

/* ---- writing: rows arrive in their order ---- */

struct predictions_writer;

struct predictions_row {
    const char *ids; /* row_id, query_id, item_id joined by tabs, escaped; ids_length bytes */
    size_t ids_length;
    const char *extra; /* the remaining columns joined by tabs, escaped; extra_length bytes; may be NULL when none */
    size_t extra_length;
    int label;            /* class index, -1: none */
    double target;        /* regression target, NaN: none */
    const double *p;      /* [count] probabilities; NULL in regression */
    const int *predicted; /* class index; NULL: the most probable class */
    double value;         /* regression output */
    uint32_t tokens;      /* tokens the model saw, specials included */
    bool truncated;
};

/* extra_names [extra_count]: names of the columns after "truncated". path "-" is stdout (then no sidecar). labels is
 * borrowed until commit. */
int predictions_writer_open(struct predictions_writer **out, const char *path, const struct label_map *labels,
                            const char *const *extra_names, size_t extra_count) RECO_MUST_CHECK;
int predictions_write(struct predictions_writer *w, const struct predictions_row *row) RECO_MUST_CHECK;
/* sidecar (borrowed): written as <path>.json, with "rows" and "labels" added. Frees *w on success and failure. */
int predictions_writer_commit(struct predictions_writer **w, json_t *sidecar) RECO_MUST_CHECK;
void predictions_writer_abort(struct predictions_writer **w);

/* ---- reading: column-wise, for eval ---- */

struct predictions {
    struct label_map labels; /* from the sidecar, else from the p_ columns, else from the values seen */
    size_t rows;
    int32_t *label;     /* [rows] class index, -1: none; NULL in regression */
    int32_t *predicted; /* [rows] class index as written, else the argmax; NULL in regression or without both columns */
    double *target;     /* [rows] regression only, NaN: none; else NULL */
    double *value;      /* [rows] regression only, else NULL */
    double *p;          /* [rows, count] row-major; NULL without p_ columns */
    double *score;      /* [rows] as written, else from p or the value; NULL when there is neither */
    uint32_t *query;    /* [rows] dense index of query_id in order of first sight; NULL without the column */
    size_t query_count;
    const char **query_ids; /* [query_count] */
    const char **row_ids;   /* [rows]; the row's number from 1 without the column */
    uint32_t *item;         /* [rows] dense index of item_id; NULL when the column is absent or empty throughout */
    size_t item_count;
    const char **item_ids; /* [item_count] */
    bool *truncated;       /* [rows]; NULL when absent */
    uint32_t *tokens;      /* [rows]; NULL when absent */
    /* event columns: NULL when absent; NaN for an empty field */
    double *position, *clicked, *converted, *dwell_s, *depth, *propensity, *carted, *ordered, *revenue;
    json_t *sidecar; /* NULL when there is none */
    struct predictions_extra {
        const char *name;
        const char **values; /* [rows], unescaped */
    } * extra;
    size_t extra_count;
    void *memory; /* private: the ids' and the extra values' text */
};

/*
 * Reads path ("-": stdin) once, as a stream, so that a pipe works too. The columns may stand in any order; label and
 * one of predicted, p_<label>..., score must be there. Without a sidecar and p_ columns the task is regression when all
 * labels and predictions are numbers and some number is not whole. RECO_E_DATA with the line for: a missing or doubled
 * column, a ragged row, a duplicated row_id, an empty query_id, an unknown label, a NaN score, probabilities that are
 * not in [0, 1] or do not sum to one within 1e-3, an event that is not a number, a sidecar that counts other rows; and
 * for no rows at all.
 */
int predictions_read(struct predictions **out, const char *path) RECO_MUST_CHECK;
void predictions_free(struct predictions *p);

/*
 * What a reader of the columns should go through, since how they are held may change: the label or -1; the predicted
 * class; p of a class (only where there are p_ columns); the score (only where there is one). row < rows.
 */
static inline int predictions_label(const struct predictions *p, size_t row)
{
    return (int)p->label[row];
}
static inline int predictions_predicted(const struct predictions *p, size_t row)
{
    return (int)p->predicted[row];
}
static inline bool predictions_has_p(const struct predictions *p)
{
    return p->p != NULL;
}
static inline double predictions_p(const struct predictions *p, size_t row, int of_class)
{
    return p->p[row * (size_t)p->labels.count + (size_t)of_class];
}
static inline double predictions_score(const struct predictions *p, size_t row)
{
    return p->score[row];
}

/* What the row is called in a ranking: its item, else its row_id. */
static inline const char *predictions_item_id(const struct predictions *p, size_t row)
{
    return p->item ? p->item_ids[p->item[row]] : p->row_ids ? p->row_ids[row] : "";
}

/* The rows with keep[row] (a slice), as a set of its own with the same numbers of queries. ids and texts are borrowed
 * from p. */
int predictions_select(struct predictions **out, const struct predictions *p, const bool *keep) RECO_MUST_CHECK;

#endif
