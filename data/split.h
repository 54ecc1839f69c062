#ifndef RECO_DATA_SPLIT_H
#define RECO_DATA_SPLIT_H

/*
 * Which of training, validation and test a row of the training files belongs to. By hash, a row's side depends on its
 * query (or pair) and the seed alone: rows that are added later move none of the old ones.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"

enum { SPLIT_SIDES = 3 };
enum split_by {
    SPLIT_BY_QUERY,      /* all rows of a query on one side */
    SPLIT_BY_ROW,        /* by the pair of query and description */
    SPLIT_BY_STRATIFIED, /* as row, drawn for each label on its own */
    SPLIT_BY_TIME        /* the earliest rows train, the latest test */
};
extern const char *const split_by_choices[]; /* "query", "row", "stratified", "time", NULL */

struct split_options {
    struct opt_list split; /* "train=0.8", ... */
    int split_by;          /* enum split_by */
    int64_t split_seed;
    char *time_column;
    struct opt_list split_at; /* one or two times, between training, validation (where there are two) and test */
};

/* Checks of one item of --split and --split_at, for option tables. */
int split_check_share(const char *name, const char *value) RECO_MUST_CHECK;
int split_check_time(const char *name, const char *value) RECO_MUST_CHECK;

struct split {
    bool on;
    enum split_by by;
    uint64_t seed;
    bool sides[SPLIT_SIDES];         /* there are rows for it */
    double shares[SPLIT_SIDES];      /* sum to 1 */
    bool timed;                      /* boundaries are known: by --split_at, or split_set_times */
    int64_t before[SPLIT_SIDES - 1]; /* us: rows before the first are training, before the second validation */
};

/* Without --split and --split_at: off. RECO_E_USAGE: shares that do not sum to 1, a side without training... */
int split_init(struct split *s, const struct split_options *options) RECO_MUST_CHECK;

/* key: hash of the normalised query, or of the normalised pair; label: its text, "" but for SPLIT_BY_STRATIFIED. */
int split_side_by_hash(const struct split *s, uint64_t key, const char *label);
int split_side_by_time(const struct split *s, int64_t time_us);
/* Of count rows in the order of time: the places of the rows whose times are the boundaries. */
void split_time_places(const struct split *s, uint64_t count, uint64_t places[SPLIT_SIDES - 1]);

#endif
