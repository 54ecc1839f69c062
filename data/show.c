#include "data/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/predictions_reader.h"
#include "data/prepare_internal.h"

enum { KEYS = 3, NAME_WIDTH = 12 };

/* json_object_set_new that tells an allocation that failed, of the value too. */
static int set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) < 0 ? err_nomem() : 0;
}

/* ---- JSON
 * ------------------------------------------------------------------------------------------------------------------ */

static json_t *ids_json(const int32_t *ids, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < count; i++)
        if (json_array_append_new(array, json_integer(ids[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *tokens_json(const struct wordpiece *wp, const int32_t *ids, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < count; i++)
        if (json_array_append_new(array, prepare_text_json(wordpiece_token(wp, ids[i]))) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static int set_ids(json_t *object, const struct show_options *o, const int32_t *ids, size_t count)
{
    int rc = set(object, "ids", ids_json(ids, count));

    return rc == 0 && o->wp != NULL ? set(object, "tokens", tokens_json(o->wp, ids, count)) : rc;
}

/* The columns of a row: the keys in json itself, the others in an object of theirs. */
static int set_columns(json_t *json, const struct dataset_split *split, size_t row)
{
    size_t length;
    const char *bytes = dataset_columns(split, row, &length);
    char *copy = mem_strndup(bytes, length), *at = copy;
    json_t *others = json_object();
    int rc = copy == NULL || others == NULL ? err_nomem() : 0;

    for (size_t i = 0; rc == 0 && i < dataset_column_count(split) && at != NULL; i++) {
        char *tab = strchr(at, '\t');
        if (tab != NULL)
            *tab = '\0';
        predictions_unescape(at, strlen(at));
        rc = set(i < KEYS ? json : others, dataset_column_name(split, i), prepare_text_json(at));
        at = tab != NULL ? tab + 1 : NULL;
    }
    if (rc == 0)
        rc = json_object_set(json, "columns", others) < 0 ? err_nomem() : 0;
    json_decref(others);
    mem_free(copy);
    return rc;
}

static json_t *label_json(const struct label_map *map, const struct dataset_split *split, size_t row)
{
    int label = dataset_label(split, row);
    double target = dataset_target(split, row);

    if (map->task == LABEL_TASK_REGRESSION)
        return isfinite(target) ? json_real(target) : json_null();
    return label >= 0 ? json_string(map->names[label]) : json_null();
}

static int set_text(json_t *json, const char *name, const struct show_options *o, const char *text,
                    const struct wordpiece_ids *ids)
{
    json_t *object = json_object();
    int rc = object == NULL ? err_nomem() : set(object, "text", prepare_text_json(text));

    if (rc == 0)
        rc = set_ids(object, o, ids->ids, ids->count);
    if (rc == 0)
        rc = json_object_set(json, name, object) < 0 ? err_nomem() : 0;
    json_decref(object);
    return rc;
}

static int set_input(json_t *json, const struct dataset_split *split, size_t row, const struct show_options *o)
{
    json_t *object = json_object();
    size_t length = 0, lost = 0;
    int32_t *ids = mem_calloc((size_t)o->max_seq_length, sizeof *ids);
    int32_t *types = mem_calloc((size_t)o->max_seq_length, sizeof *types);
    int rc = object == NULL || ids == NULL || types == NULL ? err_nomem() : 0;

    if (rc == 0) {
        rc = dataset_encode(split, row, (size_t)o->max_seq_length, (enum wordpiece_truncation)o->truncation, ids, types,
                            &length, &lost);
        if (rc == RECO_E_DATA) {
            rc = set(json, "error", prepare_text_json(err_message()));
            goto done;
        }
    }
    if (rc == 0)
        rc = set_ids(object, o, ids, length);
    if (rc == 0)
        rc = set(object, "type_ids", ids_json(types, length));
    if (rc == 0)
        rc = set(object, "lost", json_integer((json_int_t)lost));
    if (rc == 0)
        rc = set(object, "max_seq_length", json_integer(o->max_seq_length));
    if (rc == 0)
        rc = json_object_set(json, "input", object) < 0 ? err_nomem() : 0;
done:
    mem_free(types);
    mem_free(ids);
    json_decref(object);
    return rc;
}

int show_row_json(json_t **out, const struct dataset_split *split, size_t row, const struct show_options *o)
{
    const struct dataset *ds = dataset_split_owner(split);
    struct wordpiece_ids query_ids = {0}, description_ids = {0};
    struct buf query = {0}, description = {0};
    json_t *json = json_object();
    int rc = json == NULL ? err_nomem() : 0;

    if (rc == 0)
        rc = dataset_texts(split, row, &query, &description);
    if (rc == 0)
        rc = dataset_ids(split, row, &query_ids, &description_ids);
    if (rc == 0)
        rc = set(json, "split", json_string(dataset_split_name(split)));
    if (rc == 0)
        rc = set(json, "row", json_integer((json_int_t)row + 1));
    if (rc == 0)
        rc = set_columns(json, split, row);
    if (rc == 0)
        rc = set(json, "label", label_json(dataset_labels(ds), split, row));
    if (rc == 0)
        rc = set(json, "weight", json_real((double)dataset_weight(split, row)));
    if (rc == 0)
        rc = set_text(json, "query", o, buf_str(&query), &query_ids);
    if (rc == 0 && dataset_has_description(ds))
        rc = set_text(json, "description", o, buf_str(&description), &description_ids);
    if (rc == 0)
        rc = set_input(json, split, row, o);
    wordpiece_ids_release(&query_ids);
    wordpiece_ids_release(&description_ids);
    buf_release(&query);
    buf_release(&description);
    if (rc < 0) {
        json_decref(json);
        return rc;
    }
    *out = json;
    return 0;
}

/* ---- text
 * ------------------------------------------------------------------------------------------------------------------ */

/* Line ends, tabs and what could command a terminal, as escapes. */
static int add_escaped(struct buf *b, const char *text)
{
    int rc = 0;

    for (const unsigned char *p = (const unsigned char *)text; rc == 0 && *p != '\0'; p++) {
        const char *letter = *p == '\n' ? "\\n" : *p == '\t' ? "\\t" : *p == '\r' ? "\\r" : *p == '\\' ? "\\\\" : NULL;
        if (letter != NULL)
            rc = buf_add_str(b, letter);
        else if (*p < 0x20 || *p == 0x7f)
            rc = buf_printf(b, "\\x%02x", *p);
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* the C1 controls */
            rc = buf_printf(b, "\\x%02x", *++p);
        else
            rc = buf_add_char(b, (char)*p);
    }
    return rc;
}

static int add_field(struct buf *b, const char *name, const char *text)
{
    int rc = text[0] == '\0' ? buf_printf(b, "  %s", name) : buf_printf(b, "  %-*s ", NAME_WIDTH, name);

    if (rc == 0)
        rc = add_escaped(b, text);
    return rc < 0 ? rc : buf_add_char(b, '\n');
}

static int add_number(struct buf *b, const char *name, const json_t *value)
{
    return buf_printf(b, "  %-*s %.9g\n", NAME_WIDTH, name, json_number_value(value));
}

/* Under the line before: the tokens where there are any, then the ids. */
static int add_ids(struct buf *b, const json_t *object)
{
    const json_t *ids = json_object_get(object, "ids"), *tokens = json_object_get(object, "tokens"), *value;
    size_t i;
    int rc = buf_printf(b, "  %-*s %zu token%s:", NAME_WIDTH, "", json_array_size(ids),
                        json_array_size(ids) == 1 ? "" : "s");

    json_array_foreach(tokens, i, value)
    {
        if (rc == 0)
            rc = buf_add_char(b, ' ');
        if (rc == 0)
            rc = add_escaped(b, json_string_value(value));
    }
    if (rc == 0 && tokens != NULL)
        rc = buf_printf(b, "\n  %-*s ids:", NAME_WIDTH, "");
    json_array_foreach(ids, i, value)
    {
        if (rc == 0)
            rc = buf_printf(b, " %" JSON_INTEGER_FORMAT, json_integer_value(value));
    }
    return rc < 0 ? rc : buf_add_char(b, '\n');
}

static int add_text(struct buf *b, const char *name, const json_t *object)
{
    int rc = add_field(b, name, json_string_value(json_object_get(object, "text")));

    return rc < 0 ? rc : add_ids(b, object);
}

static int add_input(struct buf *b, const json_t *json)
{
    const json_t *input = json_object_get(json, "input"), *error = json_object_get(json, "error");
    json_int_t lost = json_integer_value(json_object_get(input, "lost"));

    if (error != NULL)
        return add_field(b, "input", json_string_value(error));
    int rc = buf_printf(
        b, "  %-*s %" JSON_INTEGER_FORMAT " token%s lost at --max_seq_length %" JSON_INTEGER_FORMAT "\n", NAME_WIDTH,
        "input", lost, lost == 1 ? "" : "s", json_integer_value(json_object_get(input, "max_seq_length")));
    return rc < 0 ? rc : add_ids(b, input);
}

int show_row_text(struct buf *b, const json_t *json)
{
    static const char *const keys[KEYS] = {"row_id", "query_id", "item_id"};
    const json_t *label = json_object_get(json, "label"), *query = json_object_get(json, "query"),
                 *description = json_object_get(json, "description");
    const char *name;
    json_t *value;
    int rc = buf_printf(b, "%s row %" JSON_INTEGER_FORMAT "\n", json_string_value(json_object_get(json, "split")),
                        json_integer_value(json_object_get(json, "row")));

    for (int i = 0; rc == 0 && i < KEYS; i++) {
        const char *text = json_string_value(json_object_get(json, keys[i]));
        if (text != NULL && text[0] != '\0')
            rc = add_field(b, keys[i], text);
    }
    if (rc == 0)
        rc = json_is_real(label) ? add_number(b, "label", label)
                                 : add_field(b, "label", json_is_null(label) ? "none" : json_string_value(label));
    if (rc == 0)
        rc = add_number(b, "weight", json_object_get(json, "weight"));
    json_object_foreach(json_object_get(json, "columns"), name, value)
    {
        if (rc == 0)
            rc = add_field(b, name, json_string_value(value));
    }
    if (rc == 0)
        rc = add_text(b, "query", query);
    if (rc == 0 && description != NULL)
        rc = add_text(b, "description", description);
    return rc < 0 ? rc : add_input(b, json);
}
