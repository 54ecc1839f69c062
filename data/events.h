#ifndef RECO_DATA_EVENTS_H
#define RECO_DATA_EVENTS_H

/*
 * Event logs to a table of impressions, a row for every item that was shown: who saw it for which query, when and
 * where, what came of it, its label and its weight. Two kinds of log are read:
 *
 *   flat   a row is an impression already; its columns say whether it was clicked, put into the cart, bought.
 *   ubi    a row is an event (OpenSearch User Behavior Insights 1.x, or anything with an action, a query id, an item
 *          and a time), as JSON Lines with nested event_attributes, or flattened. An impression is the first event of
 * an impression action for a query id and an item; later ones are the same row. Clicks, carts and orders belong to it
 * when they carry its query id and item and come no earlier and at most attribution_window after the latest impression
 * of the two. Those that belong to none are counted and left out.
 *
 * Sessions: by their id, or a user's events without a pause longer than session_gap. Dwell time of a click: to the next
 * later event of the session, unless that comes after session_gap; of an impression: of all its clicks together.
 * Depth: the number of items shown for the query id. Delay: from the last click before the first order, or without one
 * the latest impression before it, to that order.
 *
 * Everything is sorted in bounded memory (core/sorter.h). Rows come out by time, then in the order of the input; the
 * same bytes for the same input.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "data/table.h"

enum events_format {
    EVENTS_FORMAT_AUTO /* ubi when there are actions and no clicks */,
    EVENTS_FORMAT_FLAT,
    EVENTS_FORMAT_UBI
};
enum events_sessions {
    EVENTS_SESSIONS_AUTO, /* by id where there is one, else by gap */
    EVENTS_SESSIONS_ID,   /* by id alone */
    EVENTS_SESSIONS_GAP,  /* by gap alone */
    EVENTS_SESSIONS_BOTH  /* by id, cut at gaps */
};
enum events_label {
    EVENTS_LABEL_CLICK, /* 0, 1 */
    EVENTS_LABEL_CART,
    EVENTS_LABEL_ORDER,
    EVENTS_LABEL_GRADED /* 0 shown, 1 clicked, 2 put into the cart, 3 bought */
};
enum events_propensity {
    EVENTS_PROPENSITY_NONE,   /* every weight is 1 */
    EVENTS_PROPENSITY_COLUMN, /* the log's own: the probability with which the item was shown */
    EVENTS_PROPENSITY_LEARN   /* of the position, from randomised impressions */
};
enum events_weighted {
    EVENTS_WEIGHTED_AUTO,      /* all rows by the log's own propensities, the positive ones by learnt ones */
    EVENTS_WEIGHTED_POSITIVES, /* label above 0 */
    EVENTS_WEIGHTED_ALL
};
/* in the order of the enums, NULL at the end */
extern const char *const events_format_choices[],
    *const events_sessions_choices[], *const events_label_choices[], *const events_propensity_choices[],
                                                                         *const events_weighted_choices[];

struct events_options {
    int format; /* enum events_format */
    /* Columns; NULL: the first of the usual names that is there. A dot goes into JSON: 'event_attributes.user.id'. */
    char *action_column, *query_column, *query_id_column, *user_id_column, *session_column, *item_id_column,
        *position_column, *time_column, *clicked_column, *carted_column, *converted_column, *dwell_column,
        *depth_column, *propensity_column, *randomised_column, *hits_column;
    /* NULL: none. Of an impression (flat), or of its orders together (ubi): the column revenue of the output. */
    char *revenue_column;
    struct opt_list carry; /* columns of the impression, behind the others */
    struct opt_list impression_actions, click_actions, cart_actions, order_actions;
    char *attribution_window, *session_gap; /* durations, "30m" */
    int sessions;                           /* enum events_sessions */
    int label;                              /* enum events_label */
    int propensity;                         /* enum events_propensity */
    int weighted;                           /* enum events_weighted */
    bool delays;                            /* ubi: the column delay_s of the output */
    bool randomised;                        /* the positions of the whole log were randomised */
    bool monotone;                          /* learnt propensities never rise with the position */
    double smoothing;                       /* impressions at the overall click rate added to every position */
    double max_weight;                      /* at least 1 */
    struct opt_amount max_bad_rows;         /* of each file */
    char *tmp_dir;                          /* NULL: $TMPDIR, else /tmp */
};

int events_options_check(const struct events_options *options) RECO_MUST_CHECK; /* RECO_E_USAGE */

enum { EVENTS_SHOWN_POSITIONS = 20 };
struct events_position { /* of randomised impressions */
    int64_t position;
    uint64_t impressions, clicks;
    double propensity; /* relative to the first position */
};

struct events_summary {
    bool is_ubi;
    uint64_t events, bad_rows;
    uint64_t impressions, clicked, carted, converted;  /* rows written, and those of them with each */
    bool knows_clicked, knows_carted, knows_converted; /* the logs tell of such */
    uint64_t queries, sessions;                        /* 0: there are no such ids */
    uint64_t without_query;                            /* rows whose query has no text */
    /* ubi: actions that belong to no impression, that came too late, without query id or item; repeated impressions */
    uint64_t unseen, late, without_ids, repeated;
    uint64_t clipped; /* weights cut to max_weight */
    size_t position_count;
    struct events_position positions[EVENTS_SHOWN_POSITIONS]; /* the first ones */
};

/* Receives a table as CSV: a header, then rows; many rows a call. */
typedef int events_write_fn(void *arg, const char *bytes, size_t length);

struct events_output {
    events_write_fn *write; /* of impressions */
    void *arg;
    /*
     * NULL, or of the clicks, carts and orders of a ubi log, with their own times, whatever impression they belong to:
     * user_id, session, query_id, item_id, time, action ("click", "cart", "order"), dwell_s. This is what a history is
     * made of (data/assemble.h): what came of an impression has the impression's time and is from its future.
     */
    events_write_fn *write_actions;
    void *actions_arg;
};

/*
 * paths [count]: "-" is stdin. summary may be NULL. RECO_E_USAGE: a column that is not there; RECO_E_DATA: too many bad
 * rows, no impression, nothing to learn propensities from; actions wanted of a flat log.
 */
int events_run(const char *const *paths, size_t count, const struct events_options *options,
               const struct table_options *table, const struct events_output *output,
               struct events_summary *summary) RECO_MUST_CHECK;

#endif
