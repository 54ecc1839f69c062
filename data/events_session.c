#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/events_internal.h"

static uint64_t time_key(const struct event *e)
{
    return (uint64_t)e->head.time_us ^ UINT64_C(1) << 63;
}

static int add_u64(struct buf *b, uint64_t value)
{
    unsigned char key[8];

    sorter_u64(key, value);
    return buf_add(b, key, sizeof key);
}

static int add_text(struct buf *b, const struct csv_field *text)
{
    return buf_add(b, text->text, text->length + 1); /* its NUL ends it: texts hold no other */
}

static int sort_in(struct events_pass *p, struct sorter *sorter, const struct event *e)
{
    int rc = event_pack(e, &p->value);

    return rc < 0 ? rc : sorter_add(sorter, p->key.data, p->key.length, p->value.data, p->value.length);
}

/* ---- by whose session: one owner's events lie together, by time, then in the order of the input ---- */

static int add_owner(struct events_pass *p, const struct event *e)
{
    const struct csv_field *session = &e->texts[EVENT_TEXT_SESSION], *user = &e->texts[EVENT_TEXT_USER],
                           *query = &e->texts[EVENT_TEXT_QUERY_ID];
    bool by_gap = p->options->sessions == EVENTS_SESSIONS_GAP, by_id = p->options->sessions == EVENTS_SESSIONS_ID;
    const struct csv_field *owner = session->length > 0 && !by_gap ? session
                                    : user->length > 0 && !by_id   ? user
                                                                   : query;

    int rc = buf_add_char(&p->key, owner == session ? 's' : owner == user ? 'u' : 'q');
    return rc < 0 ? rc : add_text(&p->key, owner);
}

int events_add_by_session(struct events_pass *p, const struct event *e)
{
    buf_clear(&p->key);
    int rc = add_owner(p, e);
    if (rc == 0)
        rc = add_u64(&p->key, time_key(e));
    return rc < 0 ? rc : sort_in(p, p->by_session, e);
}

/* ---- by query and item: impressions before what came of them ---- */

static int sort_by_time(struct events_pass *p, struct sorter *sorter, const struct event *e)
{
    buf_clear(&p->key);
    int rc = add_u64(&p->key, time_key(e));
    if (rc == 0)
        rc = add_u64(&p->key, e->head.order);
    return rc < 0 ? rc : sort_in(p, sorter, e);
}

/* A flat impression, or one without anything to join, goes on by time at once. */
static int pass_on(struct events_pass *p, const struct event *e)
{
    bool has_query_id = e->texts[EVENT_TEXT_QUERY_ID].length > 0, has_item = e->texts[EVENT_TEXT_ITEM].length > 0;
    bool is_action = e->head.kind == EVENT_CLICK || e->head.kind == EVENT_CART || e->head.kind == EVENT_ORDER;

    if (!p->is_ubi && (!has_query_id || p->has_depth))
        return sort_by_time(p, p->by_time, e);
    int rc = p->actions != NULL && is_action && has_item ? sort_by_time(p, p->actions, e) : 0;
    if (rc < 0)
        return rc;
    if (p->is_ubi && e->head.kind != EVENT_OTHER && (!has_query_id || !has_item)) {
        p->summary->without_ids++;
        return 0;
    }
    if (!has_query_id || (e->head.kind == EVENT_OTHER && e->texts[EVENT_TEXT_QUERY].length == 0))
        return 0;
    buf_clear(&p->key);
    rc = add_text(&p->key, &e->texts[EVENT_TEXT_QUERY_ID]);
    if (rc == 0)
        rc = add_text(&p->key, &e->texts[EVENT_TEXT_ITEM]);
    if (rc == 0)
        rc = add_u64(&p->key, time_key(e));
    if (rc == 0)
        rc = buf_add_char(&p->key, (char)e->head.kind);
    if (rc == 0)
        rc = add_u64(&p->key, e->head.order);
    return rc < 0 ? rc : sort_in(p, p->by_query, e);
}

/* ---- one session after another ---- */

struct session {
    struct events_pass *p;
    struct buf owner; /* of the last event, with its letter */
    int64_t last_us;
    uint64_t number; /* of the owner's session, from 1 */
    struct buf name;
    /* Clicks at last_us, packed one behind the other, each with its length in 8 bytes in front: they wait for the next
     * later event to know their dwell time. */
    struct buf clicks, click;
    struct event event;
};

static int flush_clicks(struct session *s, double dwell_s)
{
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < s->clicks.length;) {
        uint64_t length;
        memcpy(&length, s->clicks.data + at, sizeof length);
        event_unpack(&s->event, (const unsigned char *)s->clicks.data + at + sizeof length);
        if (isnan(s->event.head.dwell_s))
            s->event.head.dwell_s = dwell_s;
        rc = pass_on(s->p, &s->event);
        at += sizeof length + (size_t)length;
    }
    buf_clear(&s->clicks);
    return rc;
}

static int keep_click(struct session *s, const struct event *e)
{
    uint64_t length;

    int rc = event_pack(e, &s->click);
    length = s->click.length;
    if (rc == 0)
        rc = buf_add(&s->clicks, &length, sizeof length);
    return rc < 0 ? rc : buf_add(&s->clicks, s->click.data, s->click.length);
}

/* The name of the session that begins with e: its id, or the user and a number, or nothing where only a query is known.
 */
static int name_session(struct session *s, const struct event *e)
{
    char letter = s->owner.data[0];
    const struct csv_field *id = &e->texts[letter == 's' ? EVENT_TEXT_SESSION : EVENT_TEXT_USER];
    bool numbered = letter == 'u' || s->p->options->sessions == EVENTS_SESSIONS_BOTH;

    buf_clear(&s->name);
    s->p->summary->sessions += letter != 'q';
    if (letter == 'q')
        return 0;
    return numbered ? buf_printf(&s->name, "%s:%llu", id->text, (unsigned long long)s->number)
                    : buf_add(&s->name, id->text, id->length);
}

static int next_event(struct session *s, const struct sorter_record *record)
{
    const struct events_pass *p = s->p;
    struct event *e = &s->event;
    size_t owner_length = record->key_length - 8;
    bool same = s->owner.length == owner_length && memcmp(s->owner.data, record->key, owner_length) == 0;
    int rc = 0;

    event_unpack(e, record->value);
    bool has_time = (e->head.flags & EVENT_HAS_TIME) != 0;
    /* Without overflow: times lie within some thousand years. */
    int64_t pause_us = same && has_time ? e->head.time_us - s->last_us : 0;
    bool cut =
        same && pause_us > p->gap_us && (s->owner.data[0] == 'u' || p->options->sessions == EVENTS_SESSIONS_BOTH);
    if (s->clicks.length > 0 && (!same || pause_us > 0)) {
        rc = flush_clicks(s, same && pause_us <= p->gap_us ? (double)pause_us / 1e6 : NAN);
        event_unpack(e, record->value);
    }
    if (!same) {
        buf_clear(&s->owner);
        rc = rc < 0 ? rc : buf_add(&s->owner, record->key, owner_length);
    }
    if (rc == 0 && (!same || cut)) {
        s->number = same ? s->number + 1 : 1;
        rc = name_session(s, e);
    }
    if (rc < 0)
        return rc;
    s->last_us = e->head.time_us;
    e->texts[EVENT_TEXT_SESSION] = (struct csv_field){.text = buf_str(&s->name), .length = s->name.length};
    return e->head.kind == EVENT_CLICK ? keep_click(s, e) : pass_on(s->p, e);
}

int events_sessions(struct events_pass *p)
{
    struct session s = {.p = p};
    const struct sorter_record *record;

    int rc = event_new(&s.event, p->carried);
    if (rc == 0)
        rc = sorter_sort(p->by_session);
    while (rc == 0) {
        rc = sorter_next(p->by_session, &record);
        if (rc < 0 || record == NULL)
            break;
        rc = next_event(&s, record);
    }
    if (rc == 0)
        rc = flush_clicks(&s, NAN);
    event_release(&s.event);
    buf_release(&s.owner);
    buf_release(&s.name);
    buf_release(&s.clicks);
    buf_release(&s.click);
    return rc;
}
