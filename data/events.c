#include "data/events.h"

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/events_internal.h"
#include "data/timestamp.h"

enum { STOP_ROWS = 4096 };

const char *const events_format_choices[] = {"auto", "flat", "ubi", NULL};
const char *const events_sessions_choices[] = {"auto", "id", "gap", "both", NULL};
const char *const events_label_choices[] = {"click", "cart", "order", "graded", NULL};
const char *const events_propensity_choices[] = {"none", "column", "learn", NULL};
const char *const events_weighted_choices[] = {"auto", "positives", "all", NULL};

int events_options_check(const struct events_options *o)
{
    int64_t us;
    int rc = duration_parse(o->attribution_window, &us);

    if (rc < 0)
        return err_prepend(rc, "bad --attribution_window");
    rc = duration_parse(o->session_gap, &us);
    if (rc < 0)
        return err_prepend(rc, "bad --session_gap");
    if (o->propensity == EVENTS_PROPENSITY_LEARN && !o->randomised && o->randomised_column == NULL)
        return err_set(RECO_E_USAGE, "--propensity learn needs impressions whose positions were randomised: "
                                     "--randomised_column says which they are, --randomised that all are");
    if (o->propensity != EVENTS_PROPENSITY_LEARN && (o->randomised || o->randomised_column != NULL || o->monotone))
        return err_set(RECO_E_USAGE, "--%s is for --propensity learn",
                       o->monotone     ? "monotone"
                       : o->randomised ? "randomised"
                                       : "randomised_column");
    return 0;
}

/* ---- reading ---- */

struct reading {
    struct events_pass *p;
    struct event_schema schema;
    struct table_reader *reader;
    struct csv_field *values;
    struct event event;
    struct join_bad_rows bad;
    struct buf reason, hit;
    uint64_t order; /* of the next event */
    uint32_t knows; /* enum event_flags: what the file says of a row */
    char *label;
};

/* An impression for each hit; a search that found nothing still has its text. */
static int add_hits(struct reading *r, const struct csv_field *hits)
{
    json_t *list = json_loadb(hits->text, hits->length, 0, NULL), *hit;
    struct event *e = &r->event;
    size_t i;
    int rc = 0;

    if (!json_is_array(list)) {
        json_decref(list);
        return buf_add_str(&r->reason, "the hits are not a JSON list");
    }
    if (json_array_size(list) == 0) {
        e->head.kind = EVENT_OTHER;
        rc = events_add_by_session(r->p, e);
    }
    json_array_foreach(list, i, hit)
    {
        rc = event_json_text(&r->hit, hit);
        e->texts[EVENT_TEXT_ITEM] = (struct csv_field){.text = buf_str(&r->hit), .length = r->hit.length};
        e->head.position = (int64_t)i + 1;
        e->head.order = r->order++;
        if (rc == 0)
            rc = events_add_by_session(r->p, e);
        if (rc < 0)
            break;
    }
    json_decref(list);
    return rc;
}

static int read_row(struct reading *r, const struct csv_record *record)
{
    r->bad.rows++;
    if (record->bad != NULL)
        return join_bad_rows_add(&r->bad, record->line, record->bad);
    int rc = event_schema_read(&r->schema, record, r->values);
    if (rc == 0)
        rc = event_read(&r->event, r->p->options, r->schema.is_ubi, r->values, &r->reason);
    r->event.head.order = r->order++;
    r->event.head.flags |= r->knows;
    if (rc == 0 && r->reason.length == 0)
        rc = r->schema.is_ubi && event_is_search(r->values) ? add_hits(r, &r->values[EVENT_ROLE_HITS])
                                                            : events_add_by_session(r->p, &r->event);
    return rc < 0 || r->reason.length == 0 ? rc : join_bad_rows_add(&r->bad, record->line, buf_str(&r->reason));
}

static int read_rows(struct reading *r)
{
    struct progress progress = {0};
    const struct csv_record *record;
    int rc = 0;

    progress_start(&progress, r->label, (double)table_reader_total_bytes(r->reader), 0.0);
    while (rc == 0) {
        rc = table_reader_next(r->reader, &record);
        if (rc < 0 || record == NULL)
            break;
        rc = read_row(r, record);
        if (rc == 0 && r->bad.rows % STOP_ROWS == 0) {
            progress_update(&progress, (double)table_reader_bytes_read(r->reader), "%llu events",
                            (unsigned long long)r->bad.rows);
            if (stop_requested())
                rc = err_set(RECO_E_STOPPED, "stopped by a signal");
        }
    }
    progress_clear(&progress);
    return rc;
}

/* A log of events has no column of clicks, and yet tells of each. */
static uint32_t what_is_known(const struct event_schema *s)
{
    uint32_t knows = s->is_ubi ? EVENT_KNOWS_CLICKED | EVENT_KNOWS_CARTED | EVENT_KNOWS_CONVERTED : 0;

    knows |= s->sources[EVENT_ROLE_CLICKED].is_there ? EVENT_KNOWS_CLICKED : 0;
    knows |= s->sources[EVENT_ROLE_CARTED].is_there ? EVENT_KNOWS_CARTED : 0;
    return knows | (s->sources[EVENT_ROLE_CONVERTED].is_there ? EVENT_KNOWS_CONVERTED : 0);
}

/* is_first: the file decides on the format; the others must have the same. */
static int read_file(struct reading *r, const char *path, const struct table_options *table, bool is_first)
{
    struct events_pass *p = r->p;

    r->label = strcmp(path, "-") == 0 ? mem_strdup("stdin") : mem_printf("'%s'", path);
    int rc = r->label == NULL ? RECO_E_NOMEM : table_reader_open(&r->reader, path, table);
    if (rc == 0)
        rc = event_schema_open(&r->schema, p->options, r->reader, r->label);
    if (rc == 0 && !is_first && r->schema.is_ubi != p->is_ubi)
        rc = err_set(RECO_E_USAGE, "%s is a log of %s and the files before are not: name the --format", r->label,
                     r->schema.is_ubi ? "events" : "impressions");
    if (rc == 0) {
        r->knows = what_is_known(&r->schema);
        p->summary->knows_clicked |= (r->knows & EVENT_KNOWS_CLICKED) != 0;
        p->summary->knows_carted |= (r->knows & EVENT_KNOWS_CARTED) != 0;
        p->summary->knows_converted |= (r->knows & EVENT_KNOWS_CONVERTED) != 0;
        p->is_ubi = p->summary->is_ubi = r->schema.is_ubi;
        p->has_depth = p->has_depth || r->schema.sources[EVENT_ROLE_DEPTH].is_there;
        rc = read_rows(r);
    }
    if (rc == 0)
        rc = join_bad_rows_check(&r->bad, r->label, &p->options->max_bad_rows);
    p->summary->events += r->bad.rows;
    p->summary->bad_rows += r->bad.bad;
    event_schema_close(&r->schema);
    table_reader_close(r->reader);
    mem_free(r->label);
    buf_release(&r->bad.first);
    r->reader = NULL;
    r->label = NULL;
    r->bad = (struct join_bad_rows){.rows = 0};
    return rc;
}

static int read_files(struct events_pass *p, const char *const *paths, size_t count, const struct table_options *table)
{
    struct reading r = {.p = p};

    r.values = mem_calloc(EVENT_ROLES + p->carried, sizeof *r.values);
    int rc = r.values == NULL ? RECO_E_NOMEM : event_new(&r.event, p->carried);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_file(&r, paths[i], table, i == 0);
    event_release(&r.event);
    buf_release(&r.reason);
    buf_release(&r.hit);
    mem_free(r.values);
    return rc;
}

static int run(struct events_pass *p, const char *const *paths, size_t count, const struct table_options *table,
               const struct events_output *output)
{
    const char *tmp_dir = p->options->tmp_dir;

    int rc = events_curve_new(&p->curve);
    if (rc == 0)
        rc = sorter_new(&p->by_session, tmp_dir, EVENTS_SORT_BYTES);
    if (rc == 0)
        rc = sorter_new(&p->by_query, tmp_dir, EVENTS_SORT_BYTES);
    if (rc == 0)
        rc = sorter_new(&p->by_time, tmp_dir, EVENTS_SORT_BYTES);
    if (rc == 0 && output->write_actions != NULL)
        rc = sorter_new(&p->actions, tmp_dir, EVENTS_SORT_BYTES);
    if (rc == 0)
        rc = read_files(p, paths, count, table);
    if (rc == 0 && p->options->delays && !p->is_ubi)
        rc = err_set(RECO_E_USAGE, "--delays needs a log of events: one of impressions does not say when an order was "
                                   "(--carry takes its own column of delays along)");
    if (rc == 0 && p->actions != NULL && !p->is_ubi)
        rc = err_set(RECO_E_USAGE, "--actions_output needs a log of events: one of impressions does not say when a "
                                   "click was");
    if (rc == 0)
        rc = events_sessions(p);
    sorter_free(p->by_session);
    p->by_session = NULL;
    if (rc == 0)
        rc = events_join(p);
    sorter_free(p->by_query);
    p->by_query = NULL;
    if (rc == 0 && p->actions != NULL)
        rc = events_write_actions(p, output);
    return rc < 0 ? rc : events_write(p, output);
}

int events_run(const char *const *paths, size_t count, const struct events_options *options,
               const struct table_options *table, const struct events_output *output, struct events_summary *summary)
{
    struct events_summary own;
    struct events_pass p = {
        .options = options, .summary = summary != NULL ? summary : &own, .carried = options->carry.count};

    *p.summary = (struct events_summary){.events = 0};
    int rc = events_options_check(options);
    if (rc == 0)
        rc = duration_parse(options->attribution_window, &p.window_us);
    if (rc == 0)
        rc = duration_parse(options->session_gap, &p.gap_us);
    if (rc == 0)
        rc = run(&p, paths, count, table, output);
    sorter_free(p.by_session);
    sorter_free(p.by_query);
    sorter_free(p.by_time);
    sorter_free(p.actions);
    events_curve_free(p.curve);
    buf_release(&p.key);
    buf_release(&p.value);
    return rc;
}
