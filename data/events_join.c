#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/events_internal.h"

/* ---- first pass: what is known of a query only when all of it was seen ---- */

struct query_facts {
    uint64_t items; /* shown */
    uint64_t text_length;
};

/* The keys are query id NUL item NUL time kind order. */
static size_t text_bytes(const unsigned char *key)
{
    return strlen((const char *)key) + 1;
}

struct facts_pass {
    struct events_pass *p;
    struct temp_file *file;
    struct buf query_id, item, text; /* of the last impression; text: of the first event of the query that has one */
    struct query_facts facts;
    int64_t text_us;
    uint64_t text_order;
    bool in_query;
};

static int end_query(struct facts_pass *f)
{
    if (!f->in_query)
        return 0;
    f->facts.text_length = f->text.length;
    int rc = temp_file_write(f->file, &f->facts, sizeof f->facts);
    return rc < 0 ? rc : temp_file_write(f->file, buf_str(&f->text), f->text.length);
}

static bool is_first_text(const struct facts_pass *f, const struct event *e)
{
    const struct event_head *h = &e->head;

    return e->texts[EVENT_TEXT_QUERY].length > 0 &&
           (f->text.length == 0 || h->time_us < f->text_us || (h->time_us == f->text_us && h->order < f->text_order));
}

static int facts_event(struct facts_pass *f, const struct sorter_record *record, const struct event *e)
{
    size_t id_bytes = text_bytes(record->key), item_bytes = text_bytes(record->key + id_bytes);
    int rc = 0;

    if (!f->in_query || f->query_id.length != id_bytes || memcmp(f->query_id.data, record->key, id_bytes) != 0) {
        rc = end_query(f);
        f->in_query = true;
        f->facts = (struct query_facts){.items = 0};
        buf_clear(&f->query_id);
        buf_clear(&f->item);
        buf_clear(&f->text);
        if (rc == 0)
            rc = buf_add(&f->query_id, record->key, id_bytes);
    }
    const unsigned char *item = record->key + id_bytes;
    bool same_item = f->item.length == item_bytes && memcmp(f->item.data, item, item_bytes) == 0;
    if (rc == 0 && e->head.kind == EVENT_IMPRESSION && (!same_item || !f->p->is_ubi)) {
        f->facts.items++;
        buf_clear(&f->item);
        rc = buf_add(&f->item, item, item_bytes);
    }
    if (rc == 0 && is_first_text(f, e)) {
        buf_clear(&f->text);
        rc = buf_add(&f->text, e->texts[EVENT_TEXT_QUERY].text, e->texts[EVENT_TEXT_QUERY].length);
        f->text_us = e->head.time_us;
        f->text_order = e->head.order;
    }
    return rc;
}

/* Writes the facts of every query to file, in the order of by_query. */
static int collect_facts(struct events_pass *p, struct temp_file *file)
{
    struct facts_pass f = {.p = p, .file = file};
    const struct sorter_record *record;
    struct event e;

    int rc = event_new(&e, p->carried);
    while (rc == 0) {
        rc = sorter_next(p->by_query, &record);
        if (rc < 0 || record == NULL)
            break;
        event_unpack(&e, record->value);
        rc = facts_event(&f, record, &e);
    }
    if (rc == 0)
        rc = end_query(&f);
    if (rc == 0)
        rc = temp_file_flush(file);
    event_release(&e);
    buf_release(&f.query_id);
    buf_release(&f.item);
    buf_release(&f.text);
    return rc;
}

/* ---- second pass: impressions with what came of them ---- */

struct join_pass {
    struct events_pass *p;
    struct temp_reader facts_file;
    struct query_facts facts;
    struct buf query_id, item, text; /* of the row in progress; the ids with their NUL */
    struct buf row;                  /* its impression, packed */
    bool in_query, has_row;
    int64_t last_shown_us;
    uint32_t flags;
    double dwell_s, revenue, delay_s;
    int64_t clicked_us; /* the last click, where flags say that there is one */
    int64_t position;   /* of a click, for an impression without */
    struct event event;
};

static int begin_query(struct join_pass *j, const unsigned char *id, size_t id_bytes)
{
    const unsigned char *bytes;

    j->in_query = true;
    buf_clear(&j->query_id);
    buf_clear(&j->text);
    int rc = buf_add(&j->query_id, id, id_bytes);
    if (rc == 0)
        rc = temp_reader_get(&j->facts_file, sizeof j->facts, &bytes);
    if (rc < 0)
        return rc;
    memcpy(&j->facts, bytes, sizeof j->facts);
    j->p->summary->queries += j->facts.items > 0;
    if (j->facts.text_length == 0)
        return 0;
    rc = temp_reader_get(&j->facts_file, (size_t)j->facts.text_length, &bytes);
    return rc < 0 ? rc : buf_add(&j->text, bytes, (size_t)j->facts.text_length);
}

/* The row in progress goes on, by time. */
static int end_row(struct join_pass *j)
{
    struct events_pass *p = j->p;
    struct event *e = &j->event;
    unsigned char key[16];
    char depth[24];

    if (!j->has_row)
        return 0;
    j->has_row = false;
    event_unpack(e, (const unsigned char *)j->row.data);
    e->head.flags |= j->flags;
    e->head.dwell_s = !isnan(j->dwell_s) ? j->dwell_s : e->head.dwell_s;
    if (p->is_ubi) {
        e->head.revenue = (j->flags & EVENT_CONVERTED) != 0 ? j->revenue : 0.0;
        e->head.delay_s = j->delay_s;
    }
    if (e->head.position == EVENT_NO_POSITION)
        e->head.position = j->position;
    int length = snprintf(depth, sizeof depth, "%llu", (unsigned long long)j->facts.items);
    e->texts[EVENT_TEXT_DEPTH] = (struct csv_field){.text = depth, .length = (size_t)length};
    if (e->texts[EVENT_TEXT_QUERY].length == 0)
        e->texts[EVENT_TEXT_QUERY] = (struct csv_field){.text = buf_str(&j->text), .length = j->text.length};
    sorter_u64(key, (uint64_t)e->head.time_us ^ UINT64_C(1) << 63);
    sorter_u64(key + 8, e->head.order);
    int rc = event_pack(e, &p->value);
    return rc < 0 ? rc : sorter_add(p->by_time, key, sizeof key, p->value.data, p->value.length);
}

static int begin_row(struct join_pass *j, const struct sorter_record *record, const struct event *e)
{
    j->has_row = true;
    j->last_shown_us = e->head.time_us;
    j->flags = 0;
    j->dwell_s = j->revenue = j->delay_s = NAN;
    j->position = EVENT_NO_POSITION;
    buf_clear(&j->row);
    return buf_add(&j->row, record->value, record->value_length);
}

/* What orders bring adds up; the first one has a delay. */
static void add_order(struct join_pass *j, const struct event_head *h)
{
    int64_t from_us = (j->flags & EVENT_CLICKED) != 0 ? j->clicked_us : j->last_shown_us;

    if (isnan(j->delay_s))
        j->delay_s = (double)(h->time_us - from_us) / 1e6;
    if (!isnan(h->revenue))
        j->revenue = isnan(j->revenue) ? h->revenue : j->revenue + h->revenue;
}

/* A click, cart or order of the item in progress. */
static void attribute(struct join_pass *j, const struct event *e)
{
    const struct event_head *h = &e->head;

    if (!j->has_row) {
        j->p->summary->unseen++;
        return;
    }
    if (h->time_us - j->last_shown_us > j->p->window_us) {
        j->p->summary->late++;
        return;
    }
    j->flags |= h->kind == EVENT_CLICK ? EVENT_CLICKED : h->kind == EVENT_CART ? EVENT_CARTED : EVENT_CONVERTED;
    if (h->kind == EVENT_ORDER)
        add_order(j, h);
    if (h->kind == EVENT_CLICK)
        j->clicked_us = h->time_us;
    if (h->kind == EVENT_CLICK && !isnan(h->dwell_s))
        j->dwell_s = isnan(j->dwell_s) ? h->dwell_s : j->dwell_s + h->dwell_s;
    if (j->position == EVENT_NO_POSITION)
        j->position = h->position;
}

static int join_event(struct join_pass *j, const struct sorter_record *record)
{
    size_t id_bytes = text_bytes(record->key), item_bytes = text_bytes(record->key + id_bytes);
    const unsigned char *item = record->key + id_bytes;
    bool same_query =
        j->in_query && j->query_id.length == id_bytes && memcmp(j->query_id.data, record->key, id_bytes) == 0;
    bool same_item = same_query && j->item.length == item_bytes && memcmp(j->item.data, item, item_bytes) == 0;
    struct event *e = &j->event;
    int rc = 0;

    if (!same_item) {
        rc = end_row(j);
        buf_clear(&j->item);
        if (rc == 0)
            rc = buf_add(&j->item, item, item_bytes);
    }
    if (rc == 0 && !same_query)
        rc = begin_query(j, record->key, id_bytes);
    if (rc < 0)
        return rc;
    event_unpack(e, record->value);
    if (e->head.kind == EVENT_OTHER)
        return 0;
    if (e->head.kind != EVENT_IMPRESSION) {
        attribute(j, e);
        return 0;
    }
    if (j->p->is_ubi && j->has_row) {
        j->p->summary->repeated++;
        j->last_shown_us = e->head.time_us;
        return 0;
    }
    rc = end_row(j); /* of a flat table every row counts */
    return rc < 0 ? rc : begin_row(j, record, e);
}

int events_join(struct events_pass *p)
{
    struct join_pass j = {.p = p};
    struct temp_file *facts = NULL;
    const struct sorter_record *record;

    int rc = event_new(&j.event, p->carried);
    if (rc == 0)
        rc = temp_file_open(&facts, p->options->tmp_dir);
    if (rc == 0)
        rc = sorter_sort(p->by_query);
    if (rc == 0)
        rc = collect_facts(p, facts);
    if (rc == 0)
        rc = sorter_rewind(p->by_query);
    j.facts_file = (struct temp_reader){.file = facts, .end = facts != NULL ? temp_file_bytes(facts) : 0};
    while (rc == 0) {
        rc = sorter_next(p->by_query, &record);
        if (rc < 0 || record == NULL)
            break;
        rc = join_event(&j, record);
    }
    if (rc == 0)
        rc = end_row(&j);
    event_release(&j.event);
    temp_reader_release(&j.facts_file);
    temp_file_close(facts);
    buf_release(&j.query_id);
    buf_release(&j.item);
    buf_release(&j.text);
    buf_release(&j.row);
    return rc;
}
