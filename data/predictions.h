#ifndef RECO_DATA_PREDICTIONS_H
#define RECO_DATA_PREDICTIONS_H

/*
 * predictions.tsv and its sidecar predictions.tsv.json.
 * Header: row_id query_id item_id label predicted p_<label>... score tokens truncated, then the event columns and the
 * carried ones. Floats %.9g; tab, newline, return and backslash escaped as \t \n \r \\. A missing label is an empty
 * field. In regression there is no p_ column and predicted is the value.
 */

#include <endian.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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
/* sidecar (borrowed): written as <path>.json, with "rows", "labels" and the file's own hash added. Frees *w on success
 * and failure. */
int predictions_writer_commit(struct predictions_writer **w, json_t *sidecar) RECO_MUST_CHECK;
void predictions_writer_abort(struct predictions_writer **w);

/* ---- reading: column-wise, for eval ---- */

/*
 * Numbers as they are written, 5 bytes each: a decimal of up to 9 digits is its digits and its power of ten, so that
 * the very same double comes back; all others lie in full beside. Code: 30 bits of digits, sign, 9 bits of power (value
 * = digits / 10^power; PACKED_RARE: digits is a number in rare).
 */
struct packed {
    unsigned char *codes; /* 5 bytes a number, 8 bytes of room behind the last */
    double *rare;
    size_t rare_count, rare_capacity;
};
enum { PACKED_BYTES = 5, PACKED_RARE = 511, PACKED_POWER_MAX = 22, PACKED_DIGITS_MAX = 999999999 };
extern const double packed_power[PACKED_POWER_MAX + 1];

static inline double packed_get(const struct packed *packed, size_t at)
{
    uint64_t code;
    memcpy(&code, packed->codes + PACKED_BYTES * at, sizeof code);
    code = le64toh(code);
    uint32_t digits = (uint32_t)code & 0x3fffffff;
    unsigned power = (unsigned)(code >> 31) & 0x1ff;
    if (power == PACKED_RARE) {
        return packed->rare[digits];
    }
    double value = (double)digits / packed_power[power];
    return code >> 30 & 1 ? -value : value;
}

struct predictions {
    struct label_map labels; /* from the sidecar, else from the p_ columns, else from the values seen */
    size_t rows;
    int16_t *label;     /* [rows] class index, -1: none; NULL in regression */
    int16_t *predicted; /* [rows] class index as written, else the argmax; NULL in regression or without both columns */
    double *target;     /* [rows] regression only, NaN: none; else NULL */
    double *value;      /* [rows] regression only, else NULL */
    /* p_ columns [rows, count] row-major, in one of two ways; both empty without them. See predictions_p. */
    double *p;
    struct packed packed_p;
    /* [rows] as written; where it is not, from p or the value. See predictions_score. */
    double *score;
    struct packed packed_score;
    bool derives_score; /* neither of them is there: computed when asked for */
    uint32_t *query;    /* [rows] dense index of query_id in order of first sight; NULL without the column */
    size_t query_count;
    const char **query_ids; /* [query_count] */
    const char **row_ids;   /* [rows]; the row's number from 1 without the column; NULL: not asked for */
    uint32_t *item;         /* [rows] dense index of item_id; NULL when the column is absent or empty throughout */
    size_t item_count;
    const char **item_ids; /* [item_count] */
    bool *truncated;       /* [rows]; NULL when absent */
    uint32_t *tokens;      /* [rows]; NULL when absent or not asked for */
    /* event columns: NULL when absent; NaN for an empty field */
    double *position, *clicked, *converted, *dwell_s, *depth, *propensity, *carted, *ordered, *revenue, *delay_s;
    json_t *sidecar; /* NULL when there is none */
    struct predictions_extra {
        const char *name;
        const char **values; /* [rows], unescaped */
    } * extra;               /* those asked for */
    size_t extra_count;
    size_t row_bytes; /* held by the columns of a row, texts left out */
    bool streamed;    /* the rows were taken; see struct predictions_options */
    void *memory;     /* private: the ids' and the extra values' text */
};

struct predictions_options {
    bool packed;           /* probabilities and scores 5 bytes each; else doubles */
    bool row_ids;          /* hold them in any case; else only where items have no ids, since they then break ties */
    bool tokens;           /* hold the column */
    bool no_lists;         /* neither query_id nor item_id is looked at */
    double position_shift; /* is added to positions, so that the first one is 1 */
    bool extra;            /* hold all columns of no meaning of their own */
    const char *const *extra_names; /* [extra_name_count] else these; a name that no column has is RECO_E_USAGE */
    size_t extra_name_count;
    /*
     * Beyond max_memory bytes of columns (0: no limit) take is called with the rows read so far, which are then
     * forgotten, and again for each so many rows, and at the end; ids and their numbers stay. The predictions that come
     * back then are streamed: rows counts all of them, the columns hold none to be looked at. Where only the last row
     * tells the labels, all rows are held; until the first item id is seen, those before it. tmp_dir: for row ids;
     * NULL: $TMPDIR, else /tmp.
     */
    size_t max_memory;
    int (*take)(void *arg, const struct predictions *p);
    void *take_arg;
    const char *tmp_dir;
    const struct predictions_source *source; /* of another tool (predictions_source.h), borrowed; NULL: reco's names */
    int threads;                             /* at least 1; what is read is the same for any number */
};
/* All columns, doubles, one thread: what predictions_read gives. */
void predictions_options_init(struct predictions_options *options);

/*
 * Reads path ("-": stdin) once, as a stream, so that a pipe works too: as predictions_write writes it, or any table
 * (predictions_feed.h tells them apart). The columns may stand in any order; label and one of predicted, p_<label>...,
 * score must be there, under these names or those of the source. Without a sidecar and p_ columns the task is
 * regression when all labels and predictions are numbers and some number is not whole. A label that is empty, or NaN
 * among numbers, is missing. RECO_E_DATA with the line for: a missing or doubled column, a ragged row, a second header,
 * a duplicated row_id, an empty query_id, an unknown label, a NaN score, probabilities that are not in [0, 1] or do not
 * sum to one within 1e-3, an event that is not a number, a propensity that is not above 0, a sidecar that counts other
 * rows; and for no rows at all. RECO_E_USAGE: a name of the source is not there. Logged with their count: see
 * predictions_warn.c.
 */
int predictions_open(struct predictions **out, const char *path,
                     const struct predictions_options *options) RECO_MUST_CHECK;
int predictions_read(struct predictions **out, const char *path) RECO_MUST_CHECK;
void predictions_free(struct predictions *p);

/* Packed numbers as doubles, for those who change them. */
int predictions_widen(struct predictions *p) RECO_MUST_CHECK;

/*
 * What a reader of the columns should go through, since they are held in several ways: the label or -1; the predicted
 * class; p of a class (only where there are p_ columns); the score (only where there is one). row < rows.
 */
static inline int predictions_label(const struct predictions *p, size_t row)
{
    return p->label[row];
}
static inline int predictions_predicted(const struct predictions *p, size_t row)
{
    return p->predicted[row];
}
static inline bool predictions_has_p(const struct predictions *p)
{
    return p->p || p->packed_p.codes;
}
static inline double predictions_p(const struct predictions *p, size_t row, int of_class)
{
    size_t at = row * (size_t)p->labels.count + (size_t)of_class;
    return p->p ? p->p[at] : packed_get(&p->packed_p, at);
}
static inline bool predictions_has_score(const struct predictions *p)
{
    return p->score || p->packed_score.codes || p->derives_score;
}
double predictions_derived_score(const struct predictions *p, size_t row);
static inline double predictions_score(const struct predictions *p, size_t row)
{
    return p->score           ? p->score[row]
           : p->derives_score ? predictions_derived_score(p, row)
                              : packed_get(&p->packed_score, row);
}

/* What the row is called in a ranking: its item, else its row_id. */
static inline const char *predictions_item_id(const struct predictions *p, size_t row)
{
    return p->item ? p->item_ids[p->item[row]] : p->row_ids ? p->row_ids[row] : "";
}

/* The texts [rows] of a carried column; NULL: there is none of that name. */
const char **predictions_extra_find(const struct predictions *p, const char *name);

/*
 * The rows [count] (a slice), as a set of its own, with queries numbered by their first sight in it and all items of p.
 * ids and texts are borrowed from p.
 */
int predictions_take_rows(struct predictions **out, const struct predictions *p, const uint32_t *rows,
                          size_t count) RECO_MUST_CHECK;
/* The same of the rows with keep[row]. */
int predictions_select(struct predictions **out, const struct predictions *p, const bool *keep) RECO_MUST_CHECK;

#endif
