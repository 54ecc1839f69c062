#include <string.h>

#include "core/mem.h"
#include "data/events_internal.h"

enum { CANDIDATES = 6 };

/* The usual names of each column, those of UBI first. */
static const struct role {
    const char *option;
    size_t member; /* offset of the char * in struct events_options */
    const char *names[CANDIDATES];
} roles[EVENT_ROLES] = {
    [EVENT_ROLE_ACTION] = {"action_column",
                           offsetof(struct events_options, action_column),
                           {"action_name", "action", "event_type"}},
    [EVENT_ROLE_QUERY] = {"query_column",
                          offsetof(struct events_options, query_column),
                          {"user_query", "query", "search_term"}},
    [EVENT_ROLE_QUERY_ID] = {"query_id_column",
                             offsetof(struct events_options, query_id_column),
                             {"query_id", "search_id"}},
    [EVENT_ROLE_USER] = {"user_id_column",
                         offsetof(struct events_options, user_id_column),
                         {"client_id", "user_id", "userId"}},
    [EVENT_ROLE_SESSION] = {"session_column",
                            offsetof(struct events_options, session_column),
                            {"session_id", "session", "event_attributes.session_id"}},
    [EVENT_ROLE_ITEM] = {"item_id_column",
                         offsetof(struct events_options, item_id_column),
                         {"event_attributes.object.object_id", "object_id", "item_id", "itemId", "product_id",
                          "docid"}},
    [EVENT_ROLE_POSITION] = {"position_column",
                             offsetof(struct events_options, position_column),
                             {"event_attributes.position.ordinal", "event_attributes.position.ordinal.index",
                              "event_attributes.position.index", "position", "rank"}},
    [EVENT_ROLE_TIME] = {"time_column", offsetof(struct events_options, time_column), {"timestamp", "time"}},
    [EVENT_ROLE_CLICKED] = {"clicked_column", offsetof(struct events_options, clicked_column), {"clicked", "click"}},
    [EVENT_ROLE_CARTED] = {"carted_column", offsetof(struct events_options, carted_column), {"carted", "add_to_cart"}},
    [EVENT_ROLE_CONVERTED] = {"converted_column",
                              offsetof(struct events_options, converted_column),
                              {"converted", "conversion", "purchase"}},
    [EVENT_ROLE_DWELL] = {"dwell_column",
                          offsetof(struct events_options, dwell_column),
                          {"dwell_s", "dwell", "event_attributes.dwell_time", "dwell_time"}},
    [EVENT_ROLE_DEPTH] = {"depth_column", offsetof(struct events_options, depth_column), {"depth"}},
    [EVENT_ROLE_PROPENSITY] = {"propensity_column",
                               offsetof(struct events_options, propensity_column),
                               {"propensity", "propensity_score"}},
    [EVENT_ROLE_RANDOMISED] = {"randomised_column", offsetof(struct events_options, randomised_column), {NULL}},
    [EVENT_ROLE_HITS] = {"hits_column",
                         offsetof(struct events_options, hits_column),
                         {"query_response_hit_ids", "query_response_object_ids", "query_response_objects_ids"}},
    [EVENT_ROLE_REVENUE] = {"revenue_column", offsetof(struct events_options, revenue_column), {NULL}},
};

static int add_path(struct event_source *source, const char *path)
{
    char *copy = mem_strdup(path);

    if (copy == NULL)
        return RECO_E_NOMEM;
    source->paths[source->path_count++] = copy;
    return 0;
}

static bool find_plain(const struct table_reader *reader, const char *name, size_t *column)
{
    for (size_t i = 0; i < table_reader_columns(reader); i++)
        if (join_name_matches(table_reader_column_name(reader, i), name)) {
            *column = i;
            return true;
        }
    return false;
}

/* name as "<column>.<path>"; a document exported from an index may lie in "_source" as a whole. */
static int find_json(struct event_source *source, const struct table_reader *reader, const char *name)
{
    const char *dot = strchr(name, '.');
    size_t column;

    for (size_t i = 0; dot != NULL && i < table_reader_columns(reader); i++) {
        const char *container = table_reader_column_name(reader, i);
        size_t length = (size_t)(dot - name);
        if (strncmp(container, name, length) != 0 || container[length] != '\0' ||
            (source->is_there && source->column != i))
            continue;
        source->is_there = source->is_json = true;
        source->column = i;
        return add_path(source, dot + 1);
    }
    if (!find_plain(reader, "_source", &column) || (source->is_there && source->column != column))
        return 0;
    source->is_there = source->is_json = true;
    source->column = column;
    return add_path(source, name);
}

static int find_source(struct event_source *source, const struct table_reader *reader, const char *const *names,
                       size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && names[i] != NULL && !source->is_there; i++)
        source->is_there = find_plain(reader, names[i], &source->column);
    for (size_t i = 0; rc == 0 && !(source->is_there && !source->is_json) && i < count && names[i] != NULL; i++)
        rc = find_json(source, reader, names[i]);
    return rc;
}

static int find_role(struct event_schema *s, const struct events_options *options, const struct table_reader *reader,
                     enum event_role role)
{
    struct event_source *source = &s->sources[role];
    const char *wanted;

    memcpy(&wanted, (const char *)options + roles[role].member, sizeof wanted);
    if (wanted == NULL)
        return find_source(source, reader, roles[role].names, CANDIDATES);
    int rc = find_source(source, reader, &wanted, 1);
    return rc < 0 || source->is_there ? rc : join_find_column(reader, roles[role].option, wanted, &source->column);
}

static int need(const struct event_schema *s, const char *label, enum event_role role)
{
    struct buf names = {0};
    int rc = 0;

    if (s->sources[role].is_there)
        return 0;
    for (size_t i = 0; rc == 0 && i < CANDIDATES && roles[role].names[i] != NULL; i++)
        rc = buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", roles[role].names[i]);
    if (rc == 0)
        rc = err_set(RECO_E_USAGE, "no column %s in %s: name it by --%s", buf_str(&names), label, roles[role].option);
    buf_release(&names);
    return rc;
}

/* A log of events, of searches with what they found, or of both. */
static int check_events(struct event_schema *s, const char *label)
{
    static const enum event_role needed[] = {EVENT_ROLE_QUERY_ID, EVENT_ROLE_TIME, EVENT_ROLE_ITEM, EVENT_ROLE_ACTION};
    static const enum event_role said_by_events[] = {EVENT_ROLE_CLICKED, EVENT_ROLE_CARTED, EVENT_ROLE_CONVERTED,
                                                     EVENT_ROLE_DEPTH};
    size_t count = s->sources[EVENT_ROLE_HITS].is_there ? 2 : sizeof needed / sizeof needed[0];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = need(s, label, needed[i]);
    for (size_t i = 0; i < sizeof said_by_events / sizeof said_by_events[0]; i++)
        s->sources[said_by_events[i]].is_there = s->sources[said_by_events[i]].is_json = false;
    return rc;
}

/* What each format cannot do without. */
static int check_needs(struct event_schema *s, const struct events_options *o, const char *label)
{
    const struct event_source *clicked = &s->sources[EVENT_ROLE_CLICKED];
    bool has_events = s->sources[EVENT_ROLE_ACTION].is_there || s->sources[EVENT_ROLE_HITS].is_there;
    bool has_clicked = clicked->is_there && (!clicked->is_json || o->clicked_column != NULL); /* in JSON: it might be */

    s->is_ubi = o->format == EVENTS_FORMAT_UBI || (o->format == EVENTS_FORMAT_AUTO && has_events && !has_clicked);
    if (s->is_ubi)
        return check_events(s, label);
    int rc = need(s, label, EVENT_ROLE_ITEM);
    enum event_role outcome = o->label == EVENTS_LABEL_CART    ? EVENT_ROLE_CARTED
                              : o->label == EVENTS_LABEL_ORDER ? EVENT_ROLE_CONVERTED
                                                               : EVENT_ROLE_CLICKED;
    if (rc == 0)
        rc = need(s, label, outcome);
    if (rc == 0 && o->propensity == EVENTS_PROPENSITY_LEARN)
        rc = need(s, label, EVENT_ROLE_CLICKED);
    return rc;
}

int event_schema_open(struct event_schema *s, const struct events_options *options, const struct table_reader *reader,
                      const char *label)
{
    int rc = 0;

    *s = (struct event_schema){.count = EVENT_ROLES + options->carry.count, .json_column = SIZE_MAX};
    s->sources = mem_calloc(s->count, sizeof *s->sources);
    if (s->sources == NULL)
        return RECO_E_NOMEM;
    for (int role = 0; rc == 0 && role < EVENT_ROLES; role++)
        rc = find_role(s, options, reader, role);
    for (size_t i = 0; rc == 0 && i < options->carry.count; i++) {
        struct event_source *source = &s->sources[EVENT_ROLES + i];
        const char *name = options->carry.items[i];
        rc = find_source(source, reader, &name, 1);
        if (rc == 0 && !source->is_there)
            rc = join_find_column(reader, "carry", name, &source->column);
    }
    if (rc == 0)
        rc = check_needs(s, options, label);
    if (rc == 0 && options->propensity == EVENTS_PROPENSITY_COLUMN)
        rc = need(s, label, EVENT_ROLE_PROPENSITY);
    if (rc == 0 && options->propensity == EVENTS_PROPENSITY_LEARN && !s->sources[EVENT_ROLE_HITS].is_there)
        rc = need(s, label, EVENT_ROLE_POSITION);
    return rc;
}

void event_schema_close(struct event_schema *s)
{
    for (size_t i = 0; s->sources != NULL && i < s->count; i++) {
        for (size_t k = 0; k < s->sources[i].path_count; k++)
            mem_free(s->sources[i].paths[k]);
        buf_release(&s->sources[i].text);
    }
    mem_free(s->sources);
    json_decref(s->json);
    *s = (struct event_schema){.count = 0};
}

/* ---- values ---- */

/* The value at path below root, NULL when there is none. A key with dots in it, flattened half-way, is found too. */
static const json_t *walk(const json_t *root, const char *path)
{
    while (root != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        const json_t *whole = json_object_get(root, path);
        if (whole != NULL)
            return whole;
        root = json_object_getn(root, path, length);
        path += length + (path[length] == '.');
    }
    return root;
}

static int add_bytes(const char *bytes, size_t length, void *arg)
{
    return buf_add(arg, bytes, length);
}

int event_json_text(struct buf *b, const json_t *value)
{
    buf_clear(b);
    if (json_is_array(value))
        return json_dump_callback(value, add_bytes, b, JSON_COMPACT) == 0 ? 0 : err_nomem();
    if (json_is_string(value))
        return buf_add(b, json_string_value(value), json_string_length(value));
    if (json_is_integer(value))
        return buf_printf(b, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        return buf_printf(b, "%.17g", json_real_value(value));
    return json_is_boolean(value) ? buf_add_str(b, json_is_true(value) ? "1" : "0") : 0;
}

static int read_json(struct event_schema *s, struct event_source *source, const struct csv_record *record,
                     struct csv_field *value)
{
    const struct csv_field *field = &record->fields[source->column];
    int rc = 0;

    if (s->json_column != source->column) {
        json_decref(s->json);
        s->json = json_loadb(field->text, field->length, JSON_DECODE_ANY, NULL); /* no JSON: no values */
        s->json_column = source->column;
    }
    buf_clear(&source->text);
    for (size_t i = 0; rc == 0 && source->text.length == 0 && i < source->path_count; i++)
        rc = event_json_text(&source->text, walk(s->json, source->paths[i]));
    *value = (struct csv_field){.text = buf_str(&source->text), .length = source->text.length};
    return rc;
}

int event_schema_read(struct event_schema *s, const struct csv_record *record, struct csv_field *values)
{
    int rc = 0;

    s->json_column = SIZE_MAX;
    for (size_t i = 0; rc == 0 && i < s->count; i++) {
        struct event_source *source = &s->sources[i];
        values[i] = (struct csv_field){.text = "", .length = 0};
        if (source->is_json)
            rc = read_json(s, source, record, &values[i]);
        else if (source->is_there)
            values[i] = record->fields[source->column];
    }
    return rc;
}
