#include <string.h>
#include <yaml.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/opt_internal.h"

enum { CONFIG_MAX_BYTES = 1 << 20 };

/* ---- reading: a flat map of scalars and lists of scalars ---- */

struct config {
    struct opt_set *set;
    const char *path;
    int source_id;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; deleted by next_event */
    bool has_event;
};

static size_t event_line(const struct config *c)
{
    return c->event.start_mark.line + 1;
}

static int next_event(struct config *c)
{
    if (c->has_event)
        yaml_event_delete(&c->event);
    c->has_event = yaml_parser_parse(&c->parser, &c->event) == 1;
    if (c->has_event)
        return 0;
    if (c->parser.error == YAML_MEMORY_ERROR)
        return err_nomem();
    const char *problem = c->parser.problem != NULL ? c->parser.problem : "not YAML";
    size_t line = c->parser.problem_mark.line + 1;
    return err_set(RECO_E_USAGE, "%s:%zu: cannot parse YAML: %s", c->path, line, problem);
}

static int wrong_shape(const struct config *c, const char *what)
{
    return err_set(RECO_E_USAGE, "%s:%zu: %s: a config file is one flat list of 'option: value'", c->path,
                   event_line(c), what);
}

/* The current event as text: a scalar without anchor or embedded NUL; *text is borrowed from the event. */
static int scalar_text(const struct config *c, const char *where, const char **text)
{
    if (c->event.type == YAML_ALIAS_EVENT)
        return wrong_shape(c, "anchors and aliases are not supported");
    if (c->event.type != YAML_SCALAR_EVENT)
        return wrong_shape(c, where);
    if (c->event.data.scalar.anchor != NULL)
        return wrong_shape(c, "anchors and aliases are not supported");
    *text = (const char *)c->event.data.scalar.value;
    if (strlen(*text) != c->event.data.scalar.length)
        return err_set(RECO_E_USAGE, "%s:%zu: a NUL character in a value", c->path, event_line(c));
    return 0;
}

/* An unquoted nothing, "~" or "null" unsets an option. */
static bool is_null(const struct config *c)
{
    const char *text = (const char *)c->event.data.scalar.value;
    return c->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text[0] == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static int unset(struct config *c, const struct opt_spec *spec, const struct opt_source *source)
{
    bool may_be_unset = spec->type != OPT_BOOL && spec->default_text == NULL;
    if (!may_be_unset && spec->type != OPT_STRING && spec->type != OPT_LIST)
        return err_set(RECO_E_USAGE, "%s:%zu: option %s needs a value", c->path, event_line(c), spec->name);
    return opt_assign(c->set, spec, NULL, false, source);
}

static int read_list(struct config *c, const struct opt_spec *spec, struct opt_source *source)
{
    if (spec->type != OPT_LIST)
        return err_set(RECO_E_USAGE, "%s:%zu: option %s takes one value, not a list", c->path, event_line(c),
                       spec->name);
    if (c->event.data.sequence_start.anchor != NULL)
        return wrong_shape(c, "anchors and aliases are not supported");
    int status = opt_assign(c->set, spec, NULL, false, source); /* an empty list is a value too */
    while (status == 0) {
        const char *text;
        status = next_event(c);
        if (status != 0 || c->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        source->line = event_line(c);
        status = scalar_text(c, "a list in a list, or a map in a list", &text);
        if (status == 0)
            status = opt_assign(c->set, spec, text, true, source);
    }
    return status;
}

static const struct opt_spec *find_key(const struct config *c, const char *key)
{
    const struct opt_spec *spec = opt_find(c->set->specs, key);
    return spec != NULL && (spec->flags & OPT_FLAG_NO_CONFIG) == 0 ? spec : NULL;
}

static bool (*shared_key)(const char *key);

void opt_config_shared(bool (*knows)(const char *key))
{
    shared_key = knows;
}

bool opt_table_has(const struct opt_spec *specs, const char *name)
{
    return opt_find(specs, name) != NULL;
}

/* The value of another command's option: one scalar, or a list of them. */
static int skip_value(struct config *c)
{
    const char *text;
    int status = next_event(c);
    if (status != 0)
        return status;
    if (c->event.type != YAML_SEQUENCE_START_EVENT)
        return scalar_text(c, "a map in a map", &text);
    while ((status = next_event(c)) == 0 && c->event.type != YAML_SEQUENCE_END_EVENT) {
        status = scalar_text(c, "a list in a list, or a map in a list", &text);
        if (status != 0)
            return status;
    }
    return status;
}

static int unknown_key(const struct config *c, const char *key)
{
    if (opt_find(c->set->specs, key) != NULL)
        return err_set(RECO_E_USAGE, "%s:%zu: option %s can be given on the command line only", c->path, event_line(c),
                       key);
    struct buf b = {0};
    int status = err_set(RECO_E_USAGE, "%s:%zu: unknown option '%s'%s", c->path, event_line(c), key,
                         opt_suggestion(c->set->specs, key, "", &b));
    buf_release(&b);
    return status;
}

static int read_pair(struct config *c)
{
    const char *text;
    int status = scalar_text(c, "a key that is not a word", &text);
    if (status != 0)
        return status;
    const struct opt_spec *spec = find_key(c, text);
    if (spec == NULL)
        return opt_find(c->set->specs, text) == NULL && shared_key != NULL && shared_key(text) ? skip_value(c)
                                                                                               : unknown_key(c, text);
    struct opt_source source = {OPT_ORIGIN_CONFIG, c->source_id, c->path, event_line(c)};
    if (c->set->states[spec - c->set->specs].source_id == c->source_id)
        return err_set(RECO_E_USAGE, "%s:%zu: option %s is given twice", c->path, event_line(c), spec->name);
    status = next_event(c);
    if (status != 0)
        return status;
    if (c->event.type == YAML_SEQUENCE_START_EVENT)
        return read_list(c, spec, &source);
    status = scalar_text(c, "a map in a map", &text);
    if (status != 0)
        return status;
    return is_null(c) ? unset(c, spec, &source) : opt_assign(c->set, spec, text, false, &source);
}

static int read_document(struct config *c)
{
    int status = next_event(c); /* stream start */
    if (status == 0)
        status = next_event(c);
    if (status != 0 || c->event.type == YAML_STREAM_END_EVENT)
        return status;      /* an empty file sets nothing */
    status = next_event(c); /* the document's root */
    if (status != 0)
        return status;
    if (c->event.type == YAML_SCALAR_EVENT && is_null(c)) {
        status = next_event(c);
    } else if (c->event.type != YAML_MAPPING_START_EVENT) {
        return wrong_shape(c, "not a map");
    } else if (c->event.data.mapping_start.anchor != NULL) {
        return wrong_shape(c, "anchors and aliases are not supported");
    } else {
        while ((status = next_event(c)) == 0 && c->event.type != YAML_MAPPING_END_EVENT) {
            status = read_pair(c);
            if (status != 0)
                return status;
        }
        if (status == 0)
            status = next_event(c);
    }
    if (status == 0)
        status = next_event(c);
    if (status == 0 && c->event.type != YAML_STREAM_END_EVENT)
        return wrong_shape(c, "a second document");
    return status;
}

int opt_read_config(struct opt_set *set, const char *path, int source_id)
{
    struct buf text = {0};
    struct config c = {.set = set, .path = path, .source_id = source_id};
    int status = file_read_all(path, CONFIG_MAX_BYTES, &text);
    if (status != 0)
        return status;
    if (yaml_parser_initialize(&c.parser) != 1) {
        buf_release(&text);
        return err_nomem();
    }
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)buf_str(&text), text.length);
    status = read_document(&c);
    if (c.has_event)
        yaml_event_delete(&c.event);
    yaml_parser_delete(&c.parser);
    buf_release(&text);
    return status;
}

/* ---- writing ---- */

/* Double-quoted, which needs no knowledge of YAML's plain scalars; bytes that are not UTF-8 cannot be in YAML. */
static int add_quoted(struct buf *b, const char *text)
{
    int status = buf_add_char(b, '"');
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && status == 0; p++) {
        if (*p == '"' || *p == '\\')
            status = buf_printf(b, "\\%c", *p);
        else if (*p < 0x20 || *p == 0x7f)
            status = buf_printf(b, "\\x%02x", *p);
        else
            status = buf_add_char(b, (char)*p);
    }
    return status == 0 ? buf_add_char(b, '"') : status;
}

static int dump_value(const struct opt_set *set, const struct opt_spec *spec, struct buf *b)
{
    const void *field = (const char *)set->values + spec->offset;
    if (!set->states[spec - set->specs].has_value && spec->type != OPT_BOOL && spec->type != OPT_LIST)
        return buf_add_str(b, "null");
    if (spec->type == OPT_STRING)
        return add_quoted(b, *(char *const *)field);
    if (spec->type != OPT_LIST)
        return opt_value_print(spec, set->values, b);
    const struct opt_list *list = field;
    int status = buf_add_char(b, '[');
    for (size_t i = 0; i < list->count && status == 0; i++) {
        if (i > 0)
            status = buf_add_str(b, ", ");
        if (status == 0)
            status = add_quoted(b, list->items[i]);
    }
    return status == 0 ? buf_add_char(b, ']') : status;
}

static int dump_row(const struct opt_set *set, const struct opt_spec *spec, struct buf *b)
{
    int status = buf_printf(b, "%s: ", spec->name);
    if (status == 0)
        status = dump_value(set, spec, b);
    return status == 0 ? buf_printf(b, " # %s\n", opt_origin_text(set, spec->name)) : status;
}

/* True for the first row of its group. */
static bool begins_group(const struct opt_set *set, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(set->specs[i].group, set->specs[row].group) == 0)
            return false;
    return true;
}

int opt_dump_yaml(const struct opt_set *set, struct buf *b)
{
    int status = 0;
    for (size_t i = 0; i < set->count && status == 0; i++) {
        if (!begins_group(set, i))
            continue;
        status = buf_printf(b, "%s# %s\n", b->length > 0 ? "\n" : "", set->specs[i].group);
        for (size_t j = i; j < set->count && status == 0; j++)
            if (strcmp(set->specs[j].group, set->specs[i].group) == 0 &&
                (set->specs[j].flags & OPT_FLAG_NO_CONFIG) == 0)
                status = dump_row(set, &set->specs[j], b);
    }
    return status;
}
