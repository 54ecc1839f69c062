#include <string.h>

#include "core/mem.h"
#include "data/prepare_internal.h"
#include "data/utf8.h"

/* The options that the result depends on, as JSON and back: they are in dataset.json, and a shard brings them to the
 * merge. */

enum kind { KIND_TEXT, KIND_LIST, KIND_BOOL, KIND_INT, KIND_DOUBLE, KIND_AMOUNT, KIND_CHOICE };

struct field {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *const *choices;
    enum { ROW_NO, ROW_YES, ROW_MAY_LACK } row; /* what a model's input of its own needs, too; or a column of it */
};

static const char *const truncation_choices[] = {"longest_first", "only_second", NULL};

#define FIELD(kind_name, member, row_name, needed)                                                                     \
    {                                                                                                                  \
        .name = row_name, .kind = KIND_##kind_name, .offset = offsetof(struct prepare_options, member), .row = needed  \
    }
#define CHOICE(member, row_name, names, needed)                                                                        \
    {                                                                                                                  \
        .name = row_name, .kind = KIND_CHOICE, .offset = offsetof(struct prepare_options, member), .choices = names,   \
        .row = needed                                                                                                  \
    }

static const struct field fields[] = {
    FIELD(LIST, train_file, "train_file", ROW_NO),
    FIELD(LIST, validation_file, "validation_file", ROW_NO),
    FIELD(LIST, test_file, "test_file", ROW_NO),
    CHOICE(table.format, "input_format", table_format_choices, ROW_YES),
    FIELD(TEXT, table.delimiter, "delimiter", ROW_YES),
    FIELD(TEXT, table.quote, "quote", ROW_YES),
    FIELD(LIST, table.columns, "columns", ROW_YES),
    CHOICE(table.encoding, "encoding", table_encoding_choices, ROW_YES),
    FIELD(BOOL, table.repair_encoding, "repair_encoding", ROW_YES),
    FIELD(BOOL, table.trim_blanks, "trim_blanks", ROW_YES),
    FIELD(INT, table.max_field_bytes, "max_field_bytes", ROW_NO),
    FIELD(TEXT, assemble.items_file, "items_file", ROW_YES),
    FIELD(TEXT, assemble.users_file, "users_file", ROW_YES),
    FIELD(TEXT, assemble.queries_file, "queries_file", ROW_YES),
    FIELD(TEXT, assemble.items_key_column, "items_key_column", ROW_YES),
    FIELD(TEXT, assemble.users_key_column, "users_key_column", ROW_YES),
    FIELD(TEXT, assemble.queries_key_column, "queries_key_column", ROW_YES),
    FIELD(TEXT, assemble.user_id_column, "user_id_column", ROW_YES),
    FIELD(TEXT, assemble.time_column, "time_column", ROW_YES),
    FIELD(TEXT, assemble.history_file, "history_file", ROW_YES),
    FIELD(TEXT, assemble.history_user_column, "history_user_column", ROW_YES),
    FIELD(TEXT, assemble.history_item_column, "history_item_column", ROW_YES),
    FIELD(TEXT, assemble.history_time_column, "history_time_column", ROW_YES),
    FIELD(TEXT, assemble.history_action_column, "history_action_column", ROW_YES),
    FIELD(LIST, assemble.history_actions, "history_actions", ROW_YES),
    FIELD(INT, assemble.history_length, "history_length", ROW_YES),
    FIELD(TEXT, assemble.history_template, "history_template", ROW_YES),
    FIELD(TEXT, assemble.history_separator, "history_separator", ROW_YES),
    FIELD(TEXT, query_column, "query_column", ROW_YES),
    FIELD(LIST, description_column, "description_column", ROW_YES),
    FIELD(TEXT, query, "query", ROW_YES),
    FIELD(TEXT, description, "description", ROW_YES),
    FIELD(TEXT, label_column, "label_column", ROW_MAY_LACK),
    FIELD(TEXT, weight_column, "weight_column", ROW_NO),
    FIELD(TEXT, id_column, "id_column", ROW_MAY_LACK),
    FIELD(TEXT, query_id_column, "query_id_column", ROW_MAY_LACK),
    FIELD(TEXT, item_id_column, "item_id_column", ROW_MAY_LACK),
    FIELD(TEXT, position_column, "position_column", ROW_MAY_LACK),
    FIELD(TEXT, clicked_column, "clicked_column", ROW_MAY_LACK),
    FIELD(TEXT, converted_column, "converted_column", ROW_MAY_LACK),
    FIELD(TEXT, dwell_column, "dwell_column", ROW_MAY_LACK),
    FIELD(TEXT, depth_column, "depth_column", ROW_MAY_LACK),
    FIELD(TEXT, propensity_column, "propensity_column", ROW_MAY_LACK),
    FIELD(LIST, carry, "carry", ROW_NO),
    FIELD(LIST, label_rule.label_map, "label_map", ROW_NO),
    FIELD(TEXT, label_rule.label_threshold, "label_threshold", ROW_NO),
    FIELD(LIST, label_list, "labels", ROW_NO),
    FIELD(LIST, grades, "grades", ROW_NO),
    FIELD(TEXT, positive_label, "positive_label", ROW_NO),
    FIELD(BOOL, regression, "regression", ROW_NO),
    FIELD(LIST, clean.clean, "clean", ROW_YES),
    FIELD(LIST, clean.mask, "mask", ROW_YES),
    FIELD(INT, clean.min_query_chars, "min_query_chars", ROW_NO),
    FIELD(INT, clean.max_query_chars, "max_query_chars", ROW_NO),
    FIELD(INT, clean.min_description_chars, "min_description_chars", ROW_NO),
    FIELD(INT, clean.max_description_chars, "max_description_chars", ROW_NO),
    CHOICE(clean.contradictions, "contradictions", clean_contradictions_choices, ROW_NO),
    FIELD(DOUBLE, clean.near_duplicate_threshold, "near_duplicate_threshold", ROW_NO),
    FIELD(LIST, split.split, "split", ROW_NO),
    CHOICE(split.split_by, "split_by", split_by_choices, ROW_NO),
    FIELD(INT, split.split_seed, "split_seed", ROW_NO),
    FIELD(LIST, split.split_at, "split_at", ROW_NO),
    CHOICE(negative.negatives, "negatives", negative_method_choices, ROW_NO),
    FIELD(INT, negative.negatives_per_positive, "negatives_per_positive", ROW_NO),
    FIELD(DOUBLE, negative.negative_power, "negative_power", ROW_NO),
    FIELD(TEXT, negative.negative_label, "negative_label", ROW_NO),
    FIELD(TEXT, negative.category_column, "category_column", ROW_NO),
    FIELD(INT, negative.negative_rank_from, "negative_rank_from", ROW_NO),
    FIELD(INT, negative.negative_rank_to, "negative_rank_to", ROW_NO),
    FIELD(INT, negative.negative_seed, "negative_seed", ROW_NO),
    CHOICE(balance.balance, "balance", balance_method_choices, ROW_NO),
    FIELD(DOUBLE, balance.balance_ratio, "balance_ratio", ROW_NO),
    FIELD(TEXT, balance.class_weights, "class_weights", ROW_NO),
    FIELD(INT, balance.balance_seed, "balance_seed", ROW_NO),
    FIELD(BOOL, strict, "strict", ROW_NO),
    FIELD(AMOUNT, max_bad_rows, "max_bad_rows", ROW_NO),
    FIELD(BOOL, escape_special, "escape_special", ROW_YES),
    FIELD(INT, max_train_samples, "max_train_samples", ROW_NO),
    FIELD(INT, max_eval_samples, "max_eval_samples", ROW_NO),
    FIELD(INT, max_predict_samples, "max_predict_samples", ROW_NO),
    FIELD(INT, max_seq_length, "max_seq_length", ROW_NO),
    CHOICE(truncation, "truncation", truncation_choices, ROW_NO),
};
enum { FIELDS = sizeof fields / sizeof *fields };

json_t *prepare_text_json(const char *text)
{
    struct buf clean = {0};
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    json_t *json = NULL;
    int rc = 0;

    while (rc == 0 && p < end) {
        uint32_t c;
        unsigned char bytes[UTF8_MAX_BYTES];
        p += utf8_decode(p, end, &c);
        rc = buf_add(&clean, bytes, utf8_encode(c, bytes));
    }
    if (rc == 0)
        json = json_stringn(buf_str(&clean), clean.length);
    buf_release(&clean);
    return json;
}

static json_t *list_json(const struct opt_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < list->count; i++)
        if (json_array_append_new(array, prepare_text_json(list->items[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *field_json(const struct field *f, const struct prepare_options *o)
{
    const void *at = (const char *)o + f->offset;
    const struct opt_amount *amount = at;
    const char *text = f->kind == KIND_TEXT ? *(char *const *)at : NULL;

    switch (f->kind) {
    case KIND_TEXT:
        return text == NULL ? json_null() : prepare_text_json(text);
    case KIND_LIST:
        return list_json(at);
    case KIND_BOOL:
        return json_boolean(*(const bool *)at);
    case KIND_INT:
        return json_integer((json_int_t) * (const int64_t *)at);
    case KIND_DOUBLE:
        return json_real(*(const double *)at);
    case KIND_AMOUNT:
        return json_pack("{s:f, s:b}", "value", amount->value, "is_frac", (int)amount->is_frac);
    case KIND_CHOICE:
        return json_string(f->choices[*(const int *)at]);
    }
    return NULL;
}

json_t *prepare_options_json(const struct prepare_options *o)
{
    json_t *json = json_object();

    for (size_t i = 0; json != NULL && i < FIELDS; i++)
        if (json_object_set_new(json, fields[i].name, field_json(&fields[i], o)) < 0) {
            json_decref(json);
            json = NULL;
        }
    if (json == NULL)
        err_nomem();
    return json;
}

/* ---- and back
 * ------------------------------------------------------------------------------------------------------------ */

static int copy_text(char **out, const json_t *value)
{
    *out = json_is_string(value) ? mem_strdup(json_string_value(value)) : NULL;
    return json_is_string(value) && *out == NULL ? RECO_E_NOMEM : 0;
}

static int read_list(struct opt_list *list, const json_t *value)
{
    size_t count = json_array_size(value);

    list->items = mem_calloc(count, sizeof *list->items);
    if (list->items == NULL)
        return RECO_E_NOMEM;
    for (; list->count < count; list->count++) {
        int rc = copy_text(&list->items[list->count], json_array_get(value, list->count));
        if (rc < 0)
            return rc;
        if (list->items[list->count] == NULL)
            return err_set(RECO_E_DATA, "an item that is no text");
    }
    return 0;
}

static int read_choice(const struct field *f, int *out, const json_t *value)
{
    const char *name = json_string_value(value);

    for (int i = 0; name != NULL && f->choices[i] != NULL; i++)
        if (strcmp(f->choices[i], name) == 0) {
            *out = i;
            return 0;
        }
    return err_set(RECO_E_DATA, "an unknown choice");
}

static int read_field(const struct field *f, struct prepare_options *o, const json_t *value)
{
    void *at = (char *)o + f->offset;
    struct opt_amount *amount = at;

    if (value == NULL)
        return err_set(RECO_E_DATA, "it is missing");
    switch (f->kind) {
    case KIND_TEXT:
        return copy_text(at, value);
    case KIND_LIST:
        return read_list(at, value);
    case KIND_BOOL:
        *(bool *)at = json_is_true(value);
        return 0;
    case KIND_INT:
        *(int64_t *)at = json_integer_value(value);
        return 0;
    case KIND_DOUBLE:
        *(double *)at = json_number_value(value);
        return 0;
    case KIND_AMOUNT:
        amount->value = json_number_value(json_object_get(value, "value"));
        amount->is_frac = json_is_true(json_object_get(value, "is_frac"));
        return 0;
    case KIND_CHOICE:
        return read_choice(f, at, value);
    }
    return 0;
}

int prepare_options_from_json(struct prepare_options *o, const json_t *json)
{
    memset(o, 0, sizeof *o);
    for (size_t i = 0; i < FIELDS; i++) {
        int rc = read_field(&fields[i], o, json_object_get(json, fields[i].name));
        if (rc < 0) {
            prepare_options_release(o);
            return err_prepend(rc, "option '%s'", fields[i].name);
        }
    }
    return 0;
}

static void release_field(const struct field *f, struct prepare_options *o)
{
    void *at = (char *)o + f->offset;
    struct opt_list *list = at;

    if (f->kind == KIND_TEXT) {
        mem_free(*(char **)at);
        *(char **)at = NULL;
    } else if (f->kind == KIND_LIST) {
        for (size_t i = 0; i < list->count; i++)
            mem_free(list->items[i]);
        mem_free(list->items);
        *list = (struct opt_list){0};
    }
}

void prepare_options_release(struct prepare_options *o)
{
    for (size_t i = 0; i < FIELDS; i++)
        release_field(&fields[i], o);
    memset(o, 0, sizeof *o);
}

/* ---- what a model remembers of its training data, for input of the same shape
 * ------------------------------------------------ */

/* Of the cleaning rules those that change texts: no row of the input is left out. */
static int keep_text_rules(struct opt_list *list)
{
    struct opt_list kept = {0};
    int rc = 0;

    kept.items = mem_calloc(clean_rule_count(), sizeof *kept.items);
    if (kept.items == NULL)
        return RECO_E_NOMEM;
    for (size_t r = 0; rc == 0 && r < clean_rule_count(); r++) {
        const struct clean_rule_info *info = clean_rule_at(r);
        bool on = false;
        for (size_t i = 0; i < list->count; i++)
            on = on || strcmp(list->items[i], info->name) == 0 || (info->in_all && strcmp(list->items[i], "all") == 0);
        if (!on || info->mask || info->stage != CLEAN_STAGE_TEXT)
            continue;
        kept.items[kept.count] = mem_strdup(info->name);
        rc = kept.items[kept.count++] == NULL ? RECO_E_NOMEM : 0;
    }
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
    *list = kept;
    return rc;
}

/* The texts come from columns or from a template: what the user gave of one keeps the other away. */
static bool is_replaced(const struct field *f, const struct prepare_options *o)
{
    return (strcmp(f->name, "query_column") == 0 && o->query != NULL) ||
           (strcmp(f->name, "query") == 0 && o->query_column != NULL) ||
           (strcmp(f->name, "description_column") == 0 && o->description != NULL) ||
           (strcmp(f->name, "description") == 0 && o->description_column.count > 0);
}

static bool fits(const struct field *f, const json_t *value)
{
    return (f->kind != KIND_LIST || json_is_array(value)) && (f->kind != KIND_TEXT || json_is_string(value));
}

int prepare_options_recall(struct prepare_options *o, const json_t *json, prepare_is_set_fn *is_set, void *arg)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *f = &fields[i];
        const json_t *value = json_object_get(json, f->name);
        if (f->row == ROW_NO || value == NULL || !fits(f, value) || is_set(arg, f->name) || is_replaced(f, o))
            continue;
        release_field(f, o); /* a default */
        int rc = read_field(f, o, value);
        if (rc == 0 && f->offset == offsetof(struct prepare_options, clean.clean))
            rc = keep_text_rules(&o->clean.clean);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int prepare_options_drop_missing(struct prepare_options *o, prepare_is_set_fn *is_set, prepare_dropped_fn *dropped,
                                 void *arg)
{
    struct table_reader *reader = NULL;
    struct assembler *assembler = NULL;
    struct assembly *assembly = NULL;
    struct assemble_options assemble = o->assemble;

    if (o->test_file.count == 0 || strcmp(o->test_file.items[0], "-") == 0)
        return 0;
    assemble.item_id_column = o->item_id_column;
    assemble.query_id_column = o->query_id_column;
    assemble.max_bad_rows = o->max_bad_rows;
    int rc = assembler_open(&assembler, &assemble, &o->table, o->tmp_dir);
    if (rc == 0)
        rc = table_reader_open(&reader, o->test_file.items[0], &o->table);
    if (rc == 0)
        rc = assembly_open(&assembly, assembler, reader, o->test_file.items[0]);
    for (size_t i = 0; rc == 0 && i < FIELDS; i++) {
        char **name = (char **)((char *)o + fields[i].offset);
        if (fields[i].row != ROW_MAY_LACK || *name == NULL || is_set(arg, fields[i].name) ||
            assembly_has(assembly, *name))
            continue;
        dropped(arg, o->test_file.items[0], fields[i].name, *name);
        release_field(&fields[i], o);
    }
    assembly_close(assembly);
    table_reader_close(reader);
    assembler_close(assembler);
    return rc;
}
