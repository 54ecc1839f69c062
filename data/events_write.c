#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/events_internal.h"
#include "data/timestamp.h"

enum { WRITE_BYTES = 64 * 1024 };

#define HEADER                                                                                                         \
    "query,query_id,user_id,session,item_id,position,time,clicked,carted,converted,dwell_s,depth,propensity,label,"    \
    "weight"

int events_label_of(const struct events_options *options, uint32_t flags)
{
    int clicked = (flags & EVENT_CLICKED) != 0, carted = (flags & EVENT_CARTED) != 0,
        converted = (flags & EVENT_CONVERTED) != 0;

    switch ((enum events_label)options->label) {
    case EVENTS_LABEL_CLICK:
        return clicked;
    case EVENTS_LABEL_CART:
        return carted;
    case EVENTS_LABEL_ORDER:
        return converted;
    case EVENTS_LABEL_GRADED:
        break;
    }
    return converted ? 3 : carted ? 2 : clicked;
}

/* A field as RFC 4180 has it: in quotes where it must be. */
static int add_field(struct buf *b, const struct csv_field *field)
{
    if (strpbrk(field->text, ",\"\r\n") == NULL)
        return buf_add(b, field->text, field->length);
    int rc = buf_add_char(b, '"');
    for (const char *at = field->text; rc == 0 && *at != '\0';) {
        size_t length = strcspn(at, "\"");
        rc = buf_add(b, at, length);
        at += length;
        if (rc == 0 && *at == '"') {
            rc = buf_add_str(b, "\"\"");
            at++;
        }
    }
    return rc < 0 ? rc : buf_add_char(b, '"');
}

static int add_text(struct buf *b, const struct event *e, size_t text)
{
    int rc = add_field(b, &e->texts[text]);

    return rc < 0 ? rc : buf_add_char(b, ',');
}

/* The row's propensity, as the log writes it or learnt; *propensity NAN: none. */
static int add_propensity(struct buf *b, const struct events_pass *p, const struct event *e, double *propensity)
{
    *propensity = e->head.propensity;
    if (p->options->propensity != EVENTS_PROPENSITY_LEARN)
        return add_field(b, &e->texts[EVENT_TEXT_PROPENSITY]);
    *propensity = NAN;
    if (e->head.position == EVENT_NO_POSITION)
        return 0;
    *propensity = events_curve_propensity(p->curve, e->head.position);
    return buf_printf(b, "%.9g", *propensity);
}

static double weight_of(const struct events_pass *p, double propensity, int label)
{
    const struct events_options *o = p->options;
    bool all = o->weighted == EVENTS_WEIGHTED_ALL ||
               (o->weighted == EVENTS_WEIGHTED_AUTO && o->propensity == EVENTS_PROPENSITY_COLUMN);

    if (o->propensity == EVENTS_PROPENSITY_NONE || isnan(propensity) || (label == 0 && !all))
        return 1.0;
    if (propensity * o->max_weight >= 1.0)
        return 1.0 / propensity;
    p->summary->clipped++;
    return o->max_weight;
}

/* 1, 0, or nothing where the log does not say. */
static int add_flag(struct buf *b, uint32_t flags, uint32_t knows, uint32_t flag)
{
    if ((flags & knows) == 0)
        return buf_add_char(b, ',');
    return buf_add_str(b, (flags & flag) != 0 ? "1," : "0,");
}

/* A column behind the usual ones; nothing for NAN. */
static int add_number(struct buf *b, double value)
{
    return isnan(value) ? buf_add_char(b, ',') : buf_printf(b, ",%.9g", value);
}

static int add_row(struct buf *b, const struct events_pass *p, const struct event *e)
{
    static const enum event_text leading[] = {EVENT_TEXT_QUERY, EVENT_TEXT_QUERY_ID, EVENT_TEXT_USER,
                                              EVENT_TEXT_SESSION, EVENT_TEXT_ITEM};
    const struct event_head *h = &e->head;
    int rc = 0, label = events_label_of(p->options, h->flags);
    double propensity;

    for (size_t i = 0; rc == 0 && i < sizeof leading / sizeof leading[0]; i++)
        rc = add_text(b, e, leading[i]);
    if (rc == 0 && h->position != EVENT_NO_POSITION)
        rc = buf_printf(b, "%lld", (long long)h->position);
    if (rc == 0)
        rc = buf_add_char(b, ',');
    if (rc == 0 && (h->flags & EVENT_HAS_TIME) != 0)
        rc = timestamp_add(b, h->time_us);
    if (rc == 0)
        rc = buf_add_char(b, ',');
    if (rc == 0)
        rc = add_flag(b, h->flags, EVENT_KNOWS_CLICKED, EVENT_CLICKED);
    if (rc == 0)
        rc = add_flag(b, h->flags, EVENT_KNOWS_CARTED, EVENT_CARTED);
    if (rc == 0)
        rc = add_flag(b, h->flags, EVENT_KNOWS_CONVERTED, EVENT_CONVERTED);
    if (rc == 0 && !isnan(h->dwell_s))
        rc = buf_printf(b, "%.9g", h->dwell_s);
    if (rc == 0)
        rc = buf_add_char(b, ',');
    if (rc == 0)
        rc = add_text(b, e, EVENT_TEXT_DEPTH);
    if (rc == 0)
        rc = add_propensity(b, p, e, &propensity);
    const char labelled[] = {',', (char)('0' + label), ','};
    if (rc == 0)
        rc = buf_add(b, labelled, sizeof labelled);
    double weight = rc == 0 ? weight_of(p, propensity, label) : 1.0;
    if (rc == 0)
        rc = weight == 1.0 ? buf_add_char(b, '1') : buf_printf(b, "%.9g", weight);
    if (rc == 0 && p->options->revenue_column != NULL)
        rc = add_number(b, h->revenue);
    if (rc == 0 && p->options->delays)
        rc = add_number(b, h->delay_s);
    for (size_t i = EVENT_TEXTS; rc == 0 && i < e->text_count; i++) {
        rc = buf_add_char(b, ',');
        if (rc == 0)
            rc = add_field(b, &e->texts[i]);
    }
    return rc < 0 ? rc : buf_add_char(b, '\n');
}

static int add_header(struct buf *b, const struct events_options *o)
{
    int rc = buf_printf(b, "%s%s%s", HEADER, o->revenue_column != NULL ? ",revenue" : "", o->delays ? ",delay_s" : "");

    for (size_t i = 0; rc == 0 && i < o->carry.count; i++) {
        struct csv_field name = {.text = o->carry.items[i], .length = strlen(o->carry.items[i])};
        rc = buf_add_char(b, ',');
        if (rc == 0)
            rc = add_field(b, &name);
    }
    return rc < 0 ? rc : buf_add_char(b, '\n');
}

static void count(struct events_summary *s, const struct event *e)
{
    s->impressions++;
    s->clicked += (e->head.flags & EVENT_CLICKED) != 0;
    s->carted += (e->head.flags & EVENT_CARTED) != 0;
    s->converted += (e->head.flags & EVENT_CONVERTED) != 0;
    s->without_query += e->texts[EVENT_TEXT_QUERY].length == 0;
}

static int learn(struct events_pass *p, struct event *e)
{
    const struct sorter_record *record;
    int rc = 0;

    while (rc == 0) {
        rc = sorter_next(p->by_time, &record);
        if (rc < 0 || record == NULL)
            break;
        event_unpack(e, record->value);
        if ((e->head.flags & EVENT_RANDOMISED) != 0 && e->head.position != EVENT_NO_POSITION)
            events_curve_add(p->curve, e->head.position, (e->head.flags & EVENT_CLICKED) != 0);
    }
    if (rc == 0)
        rc = events_curve_fit(p->curve, p->options->smoothing, p->options->monotone);
    if (rc == 0)
        events_curve_summary(p->curve, p->summary);
    return rc < 0 ? rc : sorter_rewind(p->by_time);
}

/* Hands out what was collected, once it is worth it. */
static int hand_out(struct buf *out, events_write_fn *write, void *arg)
{
    if (out->length < WRITE_BYTES)
        return 0;
    int rc = write(arg, out->data, out->length);
    buf_clear(out);
    return rc == 0 && stop_requested() ? err_set(RECO_E_STOPPED, "stopped by a signal") : rc;
}

int events_write(struct events_pass *p, const struct events_output *output)
{
    const struct sorter_record *record;
    struct buf out = {0};
    struct event e;

    int rc = event_new(&e, p->carried);
    if (rc == 0)
        rc = sorter_sort(p->by_time);
    if (rc == 0 && p->options->propensity == EVENTS_PROPENSITY_LEARN)
        rc = learn(p, &e);
    if (rc == 0)
        rc = add_header(&out, p->options);
    while (rc == 0) {
        rc = sorter_next(p->by_time, &record);
        if (rc < 0 || record == NULL)
            break;
        event_unpack(&e, record->value);
        count(p->summary, &e);
        rc = add_row(&out, p, &e);
        if (rc == 0)
            rc = hand_out(&out, output->write, output->arg);
    }
    if (rc == 0 && p->summary->impressions == 0)
        rc = err_set(RECO_E_DATA, "there is no impression among %llu events%s", (unsigned long long)p->summary->events,
                     p->is_ubi ? " (--impression_actions)" : "");
    if (rc == 0 && out.length > 0)
        rc = output->write(output->arg, out.data, out.length);
    event_release(&e);
    buf_release(&out);
    return rc;
}

static int add_action(struct buf *b, const struct event *e)
{
    static const enum event_text leading[] = {EVENT_TEXT_USER, EVENT_TEXT_SESSION, EVENT_TEXT_QUERY_ID,
                                              EVENT_TEXT_ITEM};
    const char *name = e->head.kind == EVENT_CLICK ? ",click," : e->head.kind == EVENT_CART ? ",cart," : ",order,";
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof leading / sizeof leading[0]; i++)
        rc = add_text(b, e, leading[i]);
    if (rc == 0)
        rc = timestamp_add(b, e->head.time_us);
    if (rc == 0)
        rc = buf_add_str(b, name);
    if (rc == 0 && !isnan(e->head.dwell_s))
        rc = buf_printf(b, "%.9g", e->head.dwell_s);
    return rc < 0 ? rc : buf_add_char(b, '\n');
}

int events_write_actions(struct events_pass *p, const struct events_output *output)
{
    const struct sorter_record *record;
    struct buf out = {0};
    struct event e;

    int rc = event_new(&e, p->carried);
    if (rc == 0)
        rc = sorter_sort(p->actions);
    if (rc == 0)
        rc = buf_add_str(&out, "user_id,session,query_id,item_id,time,action,dwell_s\n");
    while (rc == 0) {
        rc = sorter_next(p->actions, &record);
        if (rc < 0 || record == NULL)
            break;
        event_unpack(&e, record->value);
        rc = add_action(&out, &e);
        if (rc == 0)
            rc = hand_out(&out, output->write_actions, output->actions_arg);
    }
    if (rc == 0 && out.length > 0)
        rc = output->write_actions(output->actions_arg, out.data, out.length);
    event_release(&e);
    buf_release(&out);
    return rc;
}
