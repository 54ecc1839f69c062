#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/events_internal.h"
#include "data/number.h"
#include "data/timestamp.h"

enum { SHOWN_BYTES = 60 };

/* ---- packing: the head, then each text as its length in 4 bytes, its bytes and NUL ---- */

int event_new(struct event *e, size_t carried)
{
    *e = (struct event){.text_count = EVENT_TEXTS + carried};
    e->texts = mem_calloc(e->text_count, sizeof *e->texts);
    if (e->texts == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < e->text_count; i++)
        e->texts[i].text = "";
    return 0;
}

void event_release(struct event *e)
{
    mem_free(e->texts);
    *e = (struct event){.text_count = 0};
}

int event_pack(const struct event *e, struct buf *out)
{
    buf_clear(out);
    int rc = buf_add(out, &e->head, sizeof e->head);
    for (size_t i = 0; rc == 0 && i < e->text_count; i++) {
        uint32_t length = (uint32_t)e->texts[i].length;
        rc = buf_add(out, &length, sizeof length);
        if (rc == 0)
            rc = buf_add(out, e->texts[i].text, length);
        if (rc == 0)
            rc = buf_add_char(out, '\0');
    }
    return rc;
}

void event_unpack(struct event *e, const unsigned char *bytes)
{
    memcpy(&e->head, bytes, sizeof e->head);
    bytes += sizeof e->head;
    for (size_t i = 0; i < e->text_count; i++) {
        uint32_t length;
        memcpy(&length, bytes, sizeof length);
        e->texts[i] = (struct csv_field){.text = (const char *)bytes + sizeof length, .length = length};
        bytes += sizeof length + length + 1;
    }
}

/* ---- reading ---- */

static int bad_value(struct buf *bad, const char *what, const struct csv_field *value, const char *expected)
{
    return buf_printf(bad, "%s '%.*s' is %s", what, SHOWN_BYTES, value->text, expected);
}

/* A yes or no, or a count. */
static bool parse_flag(const struct csv_field *value, bool *is_set)
{
    static const char *const no[] = {"", "0", "false", "no", "f", "n"}, *const yes[] = {"1", "true", "yes", "t", "y"};
    double number;

    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        if (strcasecmp(value->text, no[i]) == 0) {
            *is_set = false;
            return true;
        }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        if (strcasecmp(value->text, yes[i]) == 0) {
            *is_set = true;
            return true;
        }
    if (!number_parse(value->text, value->length, &number) || number < 0)
        return false;
    *is_set = number > 0;
    return true;
}

static int read_flags(struct event *e, const struct events_options *options, const struct csv_field *values,
                      struct buf *bad)
{
    static const struct {
        enum event_role role;
        enum event_flags flag;
        const char *what;
    } flags[] = {{EVENT_ROLE_CLICKED, EVENT_CLICKED, "click"},
                 {EVENT_ROLE_CARTED, EVENT_CARTED, "cart"},
                 {EVENT_ROLE_CONVERTED, EVENT_CONVERTED, "conversion"},
                 {EVENT_ROLE_RANDOMISED, EVENT_RANDOMISED, "randomised mark"}};

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        bool is_set;
        if (!parse_flag(&values[flags[i].role], &is_set))
            return bad_value(bad, flags[i].what, &values[flags[i].role], "neither yes nor no, nor a count");
        e->head.flags |= is_set ? flags[i].flag : 0;
    }
    e->head.flags |= options->randomised ? EVENT_RANDOMISED : 0;
    return 0;
}

static int read_numbers(struct event *e, const struct events_options *options, const struct csv_field *values,
                        struct buf *bad)
{
    const struct csv_field *position = &values[EVENT_ROLE_POSITION], *dwell = &values[EVENT_ROLE_DWELL],
                           *propensity = &values[EVENT_ROLE_PROPENSITY], *depth = &values[EVENT_ROLE_DEPTH],
                           *revenue = &values[EVENT_ROLE_REVENUE];
    double number;

    if (position->length > 0) {
        if (!number_parse(position->text, position->length, &number) || number != floor(number) || fabs(number) > 1e15)
            return bad_value(bad, "position", position, "not a whole number");
        e->head.position = (int64_t)number;
    }
    if (dwell->length > 0 && (!number_parse(dwell->text, dwell->length, &e->head.dwell_s) || e->head.dwell_s < 0)) {
        return bad_value(bad, "dwell time", dwell, "not a number of at least 0");
    }
    if (revenue->length > 0 && !number_parse(revenue->text, revenue->length, &e->head.revenue))
        return bad_value(bad, "revenue", revenue, "not a number");
    if (depth->length > 0 && !number_parse(depth->text, depth->length, &number))
        return bad_value(bad, "depth", depth, "not a number");
    if (propensity->length > 0 && (!number_parse(propensity->text, propensity->length, &e->head.propensity) ||
                                   e->head.propensity <= 0 || e->head.propensity > 1))
        return bad_value(bad, "propensity", propensity, "not in (0, 1]");
    if (propensity->length == 0 && options->propensity == EVENTS_PROPENSITY_COLUMN && e->head.kind == EVENT_IMPRESSION)
        return buf_add_str(bad, "empty propensity");
    return 0;
}

static bool is_in(const struct opt_list *list, const char *action)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], action) == 0)
            return true;
    return false;
}

bool event_is_search(const struct csv_field *values)
{
    return values[EVENT_ROLE_ACTION].length == 0 && values[EVENT_ROLE_HITS].length > 0;
}

static enum event_kind kind_of(const struct events_options *o, bool is_ubi, const struct csv_field *values)
{
    const char *action = values[EVENT_ROLE_ACTION].text;

    if (!is_ubi || event_is_search(values))
        return EVENT_IMPRESSION;
    return is_in(&o->impression_actions, action) ? EVENT_IMPRESSION
           : is_in(&o->click_actions, action)    ? EVENT_CLICK
           : is_in(&o->cart_actions, action)     ? EVENT_CART
           : is_in(&o->order_actions, action)    ? EVENT_ORDER
                                                 : EVENT_OTHER;
}

static int read_time(struct event *e, bool is_ubi, const struct csv_field *time, struct buf *bad)
{
    if (time->length == 0)
        return is_ubi ? buf_add_str(bad, "empty time") : 0;
    if (!timestamp_parse(time->text, time->length, &e->head.time_us))
        return bad_value(bad, "time", time, "neither a number nor an ISO 8601 time");
    e->head.flags |= EVENT_HAS_TIME;
    return 0;
}

int event_read(struct event *e, const struct events_options *options, bool is_ubi, const struct csv_field *values,
               struct buf *bad)
{
    static const enum event_role text_roles[EVENT_TEXTS] = {EVENT_ROLE_QUERY,     EVENT_ROLE_QUERY_ID, EVENT_ROLE_USER,
                                                            EVENT_ROLE_SESSION,   EVENT_ROLE_ITEM,     EVENT_ROLE_DEPTH,
                                                            EVENT_ROLE_PROPENSITY};

    buf_clear(bad);
    e->head = (struct event_head){.order = e->head.order,
                                  .position = EVENT_NO_POSITION,
                                  .dwell_s = NAN,
                                  .propensity = NAN,
                                  .revenue = NAN,
                                  .delay_s = NAN,
                                  .kind = kind_of(options, is_ubi, values)};
    for (size_t i = 0; i < EVENT_TEXTS; i++)
        e->texts[i] = values[text_roles[i]];
    for (size_t i = EVENT_TEXTS; i < e->text_count; i++)
        e->texts[i] = values[EVENT_ROLES + i - EVENT_TEXTS];
    int rc = read_time(e, is_ubi, &values[EVENT_ROLE_TIME], bad);
    if (rc == 0 && bad->length == 0 && e->head.kind != EVENT_OTHER)
        rc = read_numbers(e, options, values, bad);
    if (rc == 0 && bad->length == 0 && e->head.kind != EVENT_OTHER)
        rc = read_flags(e, options, values, bad);
    if (rc == 0 && bad->length == 0 && !is_ubi && e->texts[EVENT_TEXT_ITEM].length == 0)
        rc = buf_add_str(bad, "empty item id");
    return rc;
}
