#ifndef RECO_DATA_EVENTS_INTERNAL_H
#define RECO_DATA_EVENTS_INTERNAL_H

/*
 * The way of an event: a row of the log (events_schema.c finds its columns, events_row.c reads it) goes through three
 * sorters, by session (events_session.c), by query and item (events_join.c), by time (events_write.c), packed by
 * event_pack.
 */

#include <jansson.h>

#include "core/buf.h"
#include "core/sorter.h"
#include "core/temp_file.h"
#include "data/events.h"
#include "data/join_table.h"

enum { EVENTS_SORT_BYTES = 96 * 1024 * 1024 };

/* ---- events_schema.c: where the columns are ---- */

enum event_role {
    EVENT_ROLE_ACTION,
    EVENT_ROLE_QUERY,
    EVENT_ROLE_QUERY_ID,
    EVENT_ROLE_USER,
    EVENT_ROLE_SESSION,
    EVENT_ROLE_ITEM,
    EVENT_ROLE_POSITION,
    EVENT_ROLE_TIME,
    EVENT_ROLE_CLICKED,
    EVENT_ROLE_CARTED,
    EVENT_ROLE_CONVERTED,
    EVENT_ROLE_DWELL,
    EVENT_ROLE_DEPTH,
    EVENT_ROLE_PROPENSITY,
    EVENT_ROLE_RANDOMISED,
    EVENT_ROLE_HITS,
    EVENT_ROLE_REVENUE,
    EVENT_ROLES
};

enum { EVENT_PATHS = 8 };
struct event_source {
    bool is_there, is_json;
    size_t column;
    char *paths[EVENT_PATHS]; /* in a JSON column: 'object.object_id', the first that has a value counts */
    size_t path_count;
    struct buf text; /* a value of JSON as text */
};

struct event_schema {
    struct event_source *sources; /* [EVENT_ROLES + carried] */
    size_t count;
    bool is_ubi;
    json_t *json;       /* the column last parsed in this row */
    size_t json_column; /* SIZE_MAX: none in this row */
};

int event_schema_open(struct event_schema *s, const struct events_options *options, const struct table_reader *reader,
                      const char *label) RECO_MUST_CHECK;
void event_schema_close(struct event_schema *s);
/* values [s->count]: empty where there is none. Borrowed until the next call. */
int event_schema_read(struct event_schema *s, const struct csv_record *record,
                      struct csv_field *values) RECO_MUST_CHECK;
/* The text of a JSON value into b, cleared before: of a list its spelling, nothing for null and objects. */
int event_json_text(struct buf *b, const json_t *value) RECO_MUST_CHECK;

/* ---- events_row.c: an event ---- */

enum event_kind { EVENT_IMPRESSION, EVENT_CLICK, EVENT_CART, EVENT_ORDER, EVENT_OTHER };
enum event_flags {
    EVENT_CLICKED = 1u << 0,
    EVENT_CARTED = 1u << 1,
    EVENT_CONVERTED = 1u << 2,
    EVENT_RANDOMISED = 1u << 3,
    EVENT_HAS_TIME = 1u << 4,
    /* the log says so either way; else what is not known stays empty */
    EVENT_KNOWS_CLICKED = 1u << 5,
    EVENT_KNOWS_CARTED = 1u << 6,
    EVENT_KNOWS_CONVERTED = 1u << 7
};
enum event_text {
    EVENT_TEXT_QUERY,
    EVENT_TEXT_QUERY_ID,
    EVENT_TEXT_USER,
    EVENT_TEXT_SESSION,
    EVENT_TEXT_ITEM,
    EVENT_TEXT_DEPTH,
    EVENT_TEXT_PROPENSITY,
    EVENT_TEXTS /* carried ones behind */
};

#define EVENT_NO_POSITION INT64_MIN

struct event {
    struct event_head {
        int64_t time_us;
        uint64_t order;                               /* in the input */
        int64_t position;                             /* EVENT_NO_POSITION: none */
        double dwell_s, propensity, revenue, delay_s; /* NAN: none */
        uint32_t kind, flags;
    } head;
    struct csv_field *texts; /* [text_count] */
    size_t text_count;
};
int event_new(struct event *e, size_t carried) RECO_MUST_CHECK;
void event_release(struct event *e);
int event_pack(const struct event *e, struct buf *out) RECO_MUST_CHECK; /* cleared before */
void event_unpack(struct event *e, const unsigned char *bytes);         /* texts are borrowed from bytes */

/* bad (cleared before) gets a reason when the row cannot be used. */
int event_read(struct event *e, const struct events_options *options, bool is_ubi, const struct csv_field *values,
               struct buf *bad) RECO_MUST_CHECK;
/* The row is a search with the list of the items that it found: no action, but hits. */
bool event_is_search(const struct csv_field *values);

/* ---- the stages ---- */

struct events_pass {
    const struct events_options *options;
    struct events_summary *summary;
    size_t carried;
    bool is_ubi, has_depth;
    int64_t window_us, gap_us;
    struct sorter *by_session, *by_query, *by_time;
    struct sorter *actions; /* NULL: not wanted */
    struct buf key, value;
    struct events_curve *curve;
};

int events_add_by_session(struct events_pass *p, const struct event *e) RECO_MUST_CHECK;
int events_sessions(struct events_pass *p) RECO_MUST_CHECK; /* by_session to by_query */
int events_join(struct events_pass *p) RECO_MUST_CHECK;     /* by_query to by_time */
int events_write(struct events_pass *p, const struct events_output *output) RECO_MUST_CHECK;
int events_write_actions(struct events_pass *p, const struct events_output *output) RECO_MUST_CHECK;
int events_label_of(const struct events_options *options, uint32_t flags);

/* ---- events_propensity.c: click rates by position of randomised impressions ---- */

enum { EVENTS_CURVE_POSITIONS = 10000 }; /* those further down count as the last */

struct events_curve;
int events_curve_new(struct events_curve **out) RECO_MUST_CHECK;
void events_curve_free(struct events_curve *c);
void events_curve_add(struct events_curve *c, int64_t position, bool clicked);
/*
 * Propensity of a position: its click rate relative to that of the first one, each with smoothing impressions at the
 * overall rate added; with monotone the rates are made never to rise first, by pooling neighbours (isotonic regression,
 * weights: impressions). Source: Joachims, Swaminathan, Schnabel 2017, "Unbiased Learning-to-Rank with Biased
 * Feedback", section 5, for uniformly randomised rankings. RECO_E_DATA: no impression, no click at a position.
 */
int events_curve_fit(struct events_curve *c, double smoothing, bool monotone) RECO_MUST_CHECK;
/* A position that was never randomised has the propensity of the next one above it that was. */
double events_curve_propensity(const struct events_curve *c, int64_t position);
void events_curve_summary(const struct events_curve *c, struct events_summary *summary);

#endif
