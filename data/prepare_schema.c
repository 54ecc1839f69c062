#include <string.h>

#include "core/mem.h"
#include "data/prepare_internal.h"

const char *const prepare_split_names[PREPARE_SPLITS] = {"train", "validation", "test"};

/* The names that event columns and keys have in the dataset and in the predictions, and the options that choose them.
 */
struct wanted_column {
    const char *name, *option;
    size_t member; /* offset of the char * in struct prepare_options */
};
static const struct wanted_column key_columns[PREPARE_KEYS] = {
    {"row_id", "id_column", offsetof(struct prepare_options, id_column)},
    {"query_id", "query_id_column", offsetof(struct prepare_options, query_id_column)},
    {"item_id", "item_id_column", offsetof(struct prepare_options, item_id_column)}};
static const struct wanted_column event_columns[PREPARE_EVENTS] = {
    {"position", "position_column", offsetof(struct prepare_options, position_column)},
    {"clicked", "clicked_column", offsetof(struct prepare_options, clicked_column)},
    {"converted", "converted_column", offsetof(struct prepare_options, converted_column)},
    {"dwell_s", "dwell_column", offsetof(struct prepare_options, dwell_column)},
    {"depth", "depth_column", offsetof(struct prepare_options, depth_column)},
    {"propensity", "propensity_column", offsetof(struct prepare_options, propensity_column)}};

static const char *option_value(const struct prepare_options *options, const struct wanted_column *wanted)
{
    const char *value;

    memcpy(&value, (const char *)options + wanted->member, sizeof value);
    return value;
}

/* ---- the options alone
 * ------------------------------------------------------------------------------------------------ */

/* A carried column must not look like one that the predictions file has already. */
static int check_carried_name(const char *name)
{
    static const char *const taken[] = {"row_id",    "query_id", "item_id", "label",
                                        "predicted", "score",    "tokens",  "truncated"};
    bool bad = strncmp(name, "p_", 2) == 0;

    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        bad = bad || strcmp(name, taken[i]) == 0;
    for (size_t i = 0; i < PREPARE_EVENTS; i++)
        bad = bad || strcmp(name, event_columns[i].name) == 0;
    if (bad)
        return err_set(RECO_E_USAGE, "cannot carry column '%s': the predictions have a column of that name", name);
    return 0;
}

int prepare_options_check(const struct prepare_options *o)
{
    const char *const paths[] = {o->train_file, o->validation_file, o->test_file};
    int from_stdin = 0, files = 0;

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        files += paths[i] != NULL;
        from_stdin += paths[i] != NULL && strcmp(paths[i], "-") == 0;
    }
    if (files == 0)
        return err_set(RECO_E_USAGE, "no data: give --train_file, --validation_file or --test_file");
    if (from_stdin > 1)
        return err_set(RECO_E_USAGE, "only one of the files can be '-'");
    if (o->query_column == NULL)
        return err_set(RECO_E_USAGE, "--query_column is needed");
    if (o->label_column == NULL && (o->train_file != NULL || o->validation_file != NULL))
        return err_set(RECO_E_USAGE, "--label_column is needed for %s",
                       o->train_file != NULL ? "--train_file" : "--validation_file");
    if (o->regression && (o->label_list.count > 0 || o->grades.count > 0 || o->positive_label != NULL))
        return err_set(RECO_E_USAGE, "--regression has no labels: it excludes --labels, --grades and --positive_label");
    for (size_t i = 0; i < o->carry.count; i++) {
        int rc = check_carried_name(o->carry.items[i]);
        if (rc < 0)
            return rc;
        for (size_t j = 0; j < i; j++)
            if (strcmp(o->carry.items[i], o->carry.items[j]) == 0)
                return err_set(RECO_E_USAGE, "column '%s' is twice in --carry", o->carry.items[i]);
    }
    return 0;
}

/* ---- columns of a file
 * ------------------------------------------------------------------------------------------------- */

/* A column that a file may lack: PREPARE_NO_COLUMN then. */
static int find_optional(const struct prepare_file *f, const char *option, const char *name, size_t *column)
{
    *column = PREPARE_NO_COLUMN;
    return name == NULL || !csv_reader_has(f->reader, name) ? 0 : csv_reader_find(f->reader, option, name, column);
}

static int find_texts(struct prepare_file *f, const struct prepare_options *o)
{
    struct prepare_schema *s = &f->schema;
    int rc = csv_reader_find(f->reader, "query_column", o->query_column, &s->query);

    s->descriptions = mem_calloc(o->description_column.count, sizeof *s->descriptions);
    if (rc == 0 && s->descriptions == NULL)
        rc = RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < o->description_column.count; i++) {
        rc = csv_reader_find(f->reader, "description_column", o->description_column.items[i], &s->descriptions[i]);
        s->description_count = i + 1;
    }
    return rc;
}

/* Training and validation need their labels; a test file may come without, when another file shows that the name is
 * right. */
static int find_label(struct prepare_file *f, const struct prepare_options *o)
{
    bool may_lack = f->split == PREPARE_TEST && (o->train_file != NULL || o->validation_file != NULL);

    f->schema.label = PREPARE_NO_COLUMN;
    if (o->label_column == NULL)
        return 0;
    return may_lack ? find_optional(f, "label_column", o->label_column, &f->schema.label)
                    : csv_reader_find(f->reader, "label_column", o->label_column, &f->schema.label);
}

static int find_travelling(struct prepare_file *f, const struct prepare_options *o)
{
    struct prepare_schema *s = &f->schema;
    int rc = 0;

    s->carried = mem_calloc(o->carry.count, sizeof *s->carried);
    s->names = mem_calloc(PREPARE_KEYS + PREPARE_EVENTS + o->carry.count, sizeof *s->names);
    if (s->carried == NULL || s->names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < PREPARE_KEYS; i++) {
        rc = find_optional(f, key_columns[i].option, option_value(o, &key_columns[i]), &s->keys[i]);
        s->names[s->name_count++] = key_columns[i].name;
    }
    for (size_t i = 0; rc == 0 && i < PREPARE_EVENTS; i++) {
        rc = find_optional(f, event_columns[i].option, option_value(o, &event_columns[i]), &s->events[i]);
        if (rc == 0 && s->events[i] != PREPARE_NO_COLUMN)
            s->names[s->name_count++] = event_columns[i].name;
    }
    for (size_t i = 0; rc == 0 && i < o->carry.count; i++) {
        size_t column;
        rc = find_optional(f, "carry", o->carry.items[i], &column);
        if (rc == 0 && column != PREPARE_NO_COLUMN) {
            s->carried[s->carried_count++] = column;
            s->names[s->name_count++] = o->carry.items[i];
        }
    }
    return rc;
}

/* A column that may be missing in some files must be in one of them: else it is a typing mistake. */
static int check_somewhere(const struct prepare_file *files, size_t count, const char *option, const char *name)
{
    size_t column;

    if (name == NULL)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (csv_reader_has(files[i].reader, name))
            return 0;
    return csv_reader_find(files[count - 1].reader, option, name, &column);
}

static int check_all_somewhere(const struct prepare_file *files, size_t count, const struct prepare_options *o)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < PREPARE_KEYS; i++)
        rc = check_somewhere(files, count, key_columns[i].option, option_value(o, &key_columns[i]));
    for (size_t i = 0; rc == 0 && i < PREPARE_EVENTS; i++)
        rc = check_somewhere(files, count, event_columns[i].option, option_value(o, &event_columns[i]));
    for (size_t i = 0; rc == 0 && i < o->carry.count; i++)
        rc = check_somewhere(files, count, "carry", o->carry.items[i]);
    return rc;
}

static int open_file(struct prepare_file *f, const struct prepare_options *o)
{
    const char *slash = strrchr(f->path, '/');
    bool from_stdin = strcmp(f->path, "-") == 0;
    struct csv_options csv = {.trim_blanks = o->trim_blanks, .max_field_bytes = (size_t)o->max_field_bytes};
    int rc = o->delimiter == NULL ? 0 : csv_delimiter_parse(o->delimiter, &csv.delimiter);

    f->base = from_stdin ? "stdin" : slash != NULL ? slash + 1 : f->path;
    f->label = from_stdin ? mem_strdup("stdin") : mem_printf("'%s'", f->path);
    if (rc == 0 && f->label == NULL)
        rc = RECO_E_NOMEM;
    if (rc == 0)
        rc = csv_reader_open(&f->reader, f->path, &csv);
    if (rc == 0)
        rc = find_texts(f, o);
    if (rc == 0)
        rc = find_label(f, o);
    if (rc == 0 && f->split == PREPARE_TRAIN && o->weight_column != NULL)
        rc = csv_reader_find(f->reader, "weight_column", o->weight_column, &f->schema.weight);
    else if (rc == 0)
        rc = find_optional(f, "weight_column", o->weight_column, &f->schema.weight);
    return rc == 0 ? find_travelling(f, o) : rc;
}

int prepare_files_open(struct prepare_file files[PREPARE_SPLITS], size_t *count, const struct prepare_options *o)
{
    const char *const paths[PREPARE_SPLITS] = {o->train_file, o->validation_file, o->test_file};
    const int64_t limits[PREPARE_SPLITS] = {o->max_train_samples, o->max_eval_samples, o->max_predict_samples};
    int rc = 0;

    *count = 0;
    for (int i = 0; rc == 0 && i < PREPARE_SPLITS; i++) {
        if (paths[i] == NULL)
            continue;
        struct prepare_file *f = &files[(*count)++];
        *f = (struct prepare_file){.split = (enum prepare_split)i, .path = paths[i], .max_rows = limits[i]};
        rc = open_file(f, o);
    }
    if (rc == 0)
        rc = check_all_somewhere(files, *count, o);
    return rc;
}

void prepare_files_close(struct prepare_file files[PREPARE_SPLITS], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        csv_reader_close(files[i].reader);
        mem_free(files[i].label);
        mem_free(files[i].schema.descriptions);
        mem_free(files[i].schema.carried);
        mem_free(files[i].schema.names);
    }
}
