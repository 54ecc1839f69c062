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

const struct opt_list *prepare_files_of(const struct prepare_options *o, enum prepare_split split)
{
    return split == PREPARE_TRAIN ? &o->train_file : split == PREPARE_VALIDATION ? &o->validation_file : &o->test_file;
}

int64_t prepare_max_rows(const struct prepare_options *o, enum prepare_split split)
{
    return split == PREPARE_TRAIN        ? o->max_train_samples
           : split == PREPARE_VALIDATION ? o->max_eval_samples
                                         : o->max_predict_samples;
}

bool prepare_has_description(const struct prepare_options *o)
{
    return o->description_column.count > 0 || o->description != NULL;
}

bool prepare_positives_only(const struct prepare_options *o)
{
    return o->label_column == NULL && o->negative.negatives != NEGATIVE_NONE;
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

static int check_files(const struct prepare_options *o)
{
    int from_stdin = 0;
    size_t files = 0;

    for (int s = 0; s < PREPARE_SPLITS; s++) {
        const struct opt_list *list = prepare_files_of(o, (enum prepare_split)s);
        files += list->count;
        for (size_t i = 0; i < list->count; i++)
            from_stdin += strcmp(list->items[i], "-") == 0;
    }
    if (files == 0)
        return err_set(RECO_E_USAGE, "no data: give --train_file, --validation_file or --test_file");
    return from_stdin > 1 ? err_set(RECO_E_USAGE, "only one of the files can be '-'") : 0;
}

static int check_texts(const struct prepare_options *o)
{
    if (o->query_column == NULL && o->query == NULL)
        return err_set(RECO_E_USAGE, "--query_column is needed");
    if (o->query_column != NULL && o->query != NULL)
        return err_set(RECO_E_USAGE, "--query and --query_column exclude each other");
    if (o->description_column.count > 0 && o->description != NULL)
        return err_set(RECO_E_USAGE, "--description and --description_column exclude each other");
    return 0;
}

static int check_labels(const struct prepare_options *o)
{
    bool train = o->train_file.count > 0;

    if (prepare_positives_only(o) && (o->validation_file.count > 0 || o->test_file.count > 0 || o->regression))
        return err_set(RECO_E_USAGE, "without --label_column every row is positive, which fits --train_file alone");
    if (o->label_column == NULL && !prepare_positives_only(o) && (train || o->validation_file.count > 0))
        return err_set(RECO_E_USAGE, "--label_column is needed for %s%s", train ? "--train_file" : "--validation_file",
                       train ? "; data that hold only positives need --negatives" : "");
    if (o->regression && (o->label_list.count > 0 || o->grades.count > 0 || o->positive_label != NULL))
        return err_set(RECO_E_USAGE, "--regression has no labels: it excludes --labels, --grades and --positive_label");
    if (o->regression && o->negative.negatives != NEGATIVE_NONE)
        return err_set(RECO_E_USAGE, "--negatives are rows with a label: it excludes --regression");
    return label_rule_options_check(&o->label_rule, o->regression);
}

static int check_split(const struct prepare_options *o)
{
    struct split_options options = o->split;
    struct split split;

    options.time_column = o->assemble.time_column;
    int rc = split_init(&split, &options);
    if (rc < 0 || !split.on)
        return rc;
    if (o->train_file.count == 0)
        return err_set(RECO_E_USAGE, "--split is of --train_file");
    for (int s = PREPARE_VALIDATION; s < PREPARE_SPLITS; s++)
        if (split.sides[s] && prepare_files_of(o, (enum prepare_split)s)->count > 0)
            return err_set(RECO_E_USAGE, "both --split and --%s_file give the %s data", prepare_split_names[s],
                           prepare_split_names[s]);
    if (split.by == SPLIT_BY_STRATIFIED && o->regression)
        return err_set(RECO_E_USAGE, "--split_by stratified needs labels, and --regression has none");
    return 0;
}

int prepare_options_check(const struct prepare_options *o)
{
    struct assemble_options assemble = o->assemble;
    int rc = check_files(o);

    assemble.item_id_column = o->item_id_column;
    assemble.query_id_column = o->query_id_column;
    if (rc == 0)
        rc = check_texts(o);
    if (rc == 0)
        rc = check_labels(o);
    if (rc == 0)
        rc = table_options_check(&o->table);
    if (rc == 0)
        rc = assemble_options_check(&assemble);
    if (rc == 0)
        rc = clean_options_check(&o->clean);
    if (rc == 0)
        rc = check_split(o);
    if (rc == 0)
        rc = balance_options_check(&o->balance, o->regression);
    if (rc == 0 && o->negative.negatives != NEGATIVE_NONE)
        rc = negative_options_check(&o->negative);
    for (size_t i = 0; rc == 0 && i < o->carry.count; i++) {
        rc = check_carried_name(o->carry.items[i]);
        for (size_t j = 0; rc == 0 && j < i; j++)
            if (strcmp(o->carry.items[i], o->carry.items[j]) == 0)
                rc = err_set(RECO_E_USAGE, "column '%s' is twice in --carry", o->carry.items[i]);
    }
    return rc;
}

/* ---- columns of a file
 * ------------------------------------------------------------------------------------------------- */

/* A column that a file may lack: PREPARE_NO_COLUMN then. */
static int find_optional(const struct prepare_file *f, const char *option, const char *name, size_t *column)
{
    *column = PREPARE_NO_COLUMN;
    return name == NULL || !assembly_has(f->assembly, name) ? 0 : assembly_find(f->assembly, option, name, column);
}

struct template_find {
    const struct prepare_file *file;
    const char *option;
};

static int find_for_template(void *arg, const char *name, size_t *column)
{
    const struct template_find *find = arg;

    return assembly_find(find->file->assembly, find->option, name, column);
}

static int parse_template(struct text_template **out, const struct prepare_file *f, const char *option,
                          const char *text)
{
    struct template_find find = {f, option};

    return text == NULL ? 0 : text_template_parse(out, option, text, find_for_template, &find);
}

static int find_texts(struct prepare_file *f, const struct prepare_options *o)
{
    struct prepare_schema *s = &f->schema;
    int rc = 0;

    s->query = PREPARE_NO_COLUMN;
    if (o->query_column != NULL)
        rc = assembly_find(f->assembly, "query_column", o->query_column, &s->query);
    s->descriptions = mem_calloc(o->description_column.count, sizeof *s->descriptions);
    if (rc == 0 && s->descriptions == NULL)
        rc = RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < o->description_column.count; i++) {
        rc = assembly_find(f->assembly, "description_column", o->description_column.items[i], &s->descriptions[i]);
        s->description_count = i + 1;
    }
    if (rc == 0)
        rc = parse_template(&s->query_template, f, "query", o->query);
    return rc < 0 ? rc : parse_template(&s->description_template, f, "description", o->description);
}

/* Training and validation need their labels; a test file may come without, when another file shows that the name is
 * right. */
static int find_label(struct prepare_file *f, const struct prepare_options *o)
{
    bool may_lack = f->split == PREPARE_TEST && (o->train_file.count > 0 || o->validation_file.count > 0);

    f->schema.label = PREPARE_NO_COLUMN;
    if (o->label_column == NULL)
        return 0;
    return may_lack ? find_optional(f, "label_column", o->label_column, &f->schema.label)
                    : assembly_find(f->assembly, "label_column", o->label_column, &f->schema.label);
}

static int find_numbers(struct prepare_file *f, const struct prepare_options *o)
{
    bool timed = o->split.split_by == SPLIT_BY_TIME && f->split == PREPARE_TRAIN;
    int rc = find_label(f, o);

    f->schema.time = f->schema.category = PREPARE_NO_COLUMN;
    if (rc == 0 && f->split == PREPARE_TRAIN && o->weight_column != NULL)
        rc = assembly_find(f->assembly, "weight_column", o->weight_column, &f->schema.weight);
    else if (rc == 0)
        rc = find_optional(f, "weight_column", o->weight_column, &f->schema.weight);
    if (rc == 0 && timed && (o->split.split.count > 0 || o->split.split_at.count > 0))
        rc = assembly_find(f->assembly, "time_column", o->assemble.time_column, &f->schema.time);
    if (rc == 0 && o->negative.negatives == NEGATIVE_CATEGORY && f->split == PREPARE_TRAIN &&
        o->negative.category_column != NULL)
        rc = assembly_find(f->assembly, "category_column", o->negative.category_column, &f->schema.category);
    for (size_t i = 0; rc == 0 && i < PREPARE_KEYS; i++)
        rc = find_optional(f, key_columns[i].option, option_value(o, &key_columns[i]), &f->schema.keys[i]);
    return rc;
}

static int open_file(struct prepare_file *f, const struct assembler *assembler, const struct prepare_options *o)
{
    const char *slash = strrchr(f->path, '/');
    bool from_stdin = strcmp(f->path, "-") == 0;
    int rc = 0;

    f->base = from_stdin ? "stdin" : slash != NULL ? slash + 1 : f->path;
    f->label = from_stdin ? mem_strdup("stdin") : mem_printf("'%s'", f->path);
    if (f->label == NULL)
        return RECO_E_NOMEM;
    rc = table_reader_open(&f->reader, f->path, &o->table);
    if (rc == 0)
        rc = assembly_open(&f->assembly, assembler, f->reader, f->label);
    if (rc == 0)
        rc = find_texts(f, o);
    return rc < 0 ? rc : find_numbers(f, o);
}

/* A column that may be missing in some files must be in one of them: else it is a typing mistake. */
static int check_somewhere(const struct prepare_inputs *in, const char *option, const char *name)
{
    size_t column;

    if (name == NULL)
        return 0;
    for (size_t i = 0; i < in->count; i++)
        if (assembly_has(in->files[i].assembly, name))
            return 0;
    return assembly_find(in->files[in->count - 1].assembly, option, name, &column);
}

static int check_all_somewhere(const struct prepare_inputs *in, const struct prepare_options *o)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < PREPARE_KEYS; i++)
        rc = check_somewhere(in, key_columns[i].option, option_value(o, &key_columns[i]));
    for (size_t i = 0; rc == 0 && i < PREPARE_EVENTS; i++)
        rc = check_somewhere(in, event_columns[i].option, option_value(o, &event_columns[i]));
    for (size_t i = 0; rc == 0 && i < o->carry.count; i++)
        rc = check_somewhere(in, "carry", o->carry.items[i]);
    return rc;
}

/* ---- the columns that travel with the rows of a split: those that any of its files has
 * ------------------------------------ */

static int add_name(struct prepare_names *names, const char *name)
{
    names->names[names->count] = mem_strdup(name);
    return names->names[names->count++] == NULL ? RECO_E_NOMEM : 0;
}

static int add_travelling(struct prepare_inputs *in, enum prepare_split split, const char *option, const char *name,
                          const char *column_name, bool *added)
{
    struct prepare_names *names = &in->names[split];
    size_t place = names->count - PREPARE_KEYS;
    int rc = 0;

    *added = false;
    for (size_t i = 0; i < in->count; i++)
        *added = *added || (column_name != NULL && in->files[i].split == split &&
                            assembly_has(in->files[i].assembly, column_name));
    if (!*added)
        return 0;
    for (size_t i = 0; rc == 0 && i < in->count; i++)
        if (in->files[i].split == split)
            rc = find_optional(&in->files[i], option, column_name, &in->files[i].schema.travelling[place]);
    return rc < 0 ? rc : add_name(names, name);
}

static int find_travelling(struct prepare_inputs *in, enum prepare_split split, const struct prepare_options *o)
{
    struct prepare_names *names = &in->names[split];
    bool added, any = false;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        struct prepare_file *f = &in->files[i];
        if (f->split != split)
            continue;
        any = true;
        in->has_weight[split] = in->has_weight[split] || f->schema.weight != PREPARE_NO_COLUMN;
        in->has_label[split] = in->has_label[split] || f->schema.label != PREPARE_NO_COLUMN;
        f->schema.travelling = mem_calloc(PREPARE_EVENTS + o->carry.count, sizeof *f->schema.travelling);
        rc = f->schema.travelling == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc < 0 || !any)
        return rc;
    names->names = mem_calloc(PREPARE_KEYS + PREPARE_EVENTS + o->carry.count, sizeof *names->names);
    if (names->names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < PREPARE_KEYS; i++)
        rc = add_name(names, key_columns[i].name);
    for (size_t i = 0; rc == 0 && i < PREPARE_EVENTS; i++) {
        rc = add_travelling(in, split, event_columns[i].option, event_columns[i].name,
                            option_value(o, &event_columns[i]), &added);
        names->event_count += added;
    }
    for (size_t i = 0; rc == 0 && i < o->carry.count; i++)
        rc = add_travelling(in, split, "carry", o->carry.items[i], o->carry.items[i], &added);
    return rc;
}

int prepare_inputs_open(struct prepare_inputs *in, const struct prepare_options *o)
{
    size_t files = o->train_file.count + o->validation_file.count + o->test_file.count;

    *in = (struct prepare_inputs){.assemble = o->assemble};
    in->assemble.item_id_column = o->item_id_column;
    in->assemble.query_id_column = o->query_id_column;
    in->assemble.max_bad_rows = o->max_bad_rows;
    in->files = mem_calloc(files, sizeof *in->files);
    int rc = in->files == NULL ? RECO_E_NOMEM : assembler_open(&in->assembler, &in->assemble, &o->table, o->tmp_dir);
    for (int s = 0; rc == 0 && s < PREPARE_SPLITS; s++) {
        const struct opt_list *list = prepare_files_of(o, (enum prepare_split)s);
        for (size_t i = 0; rc == 0 && i < list->count; i++) {
            struct prepare_file *f = &in->files[in->count++];
            f->split = (enum prepare_split)s;
            f->path = list->items[i];
            rc = open_file(f, in->assembler, o);
        }
    }
    for (int s = 0; rc == 0 && s < PREPARE_SPLITS; s++)
        rc = find_travelling(in, (enum prepare_split)s, o);
    return rc < 0 ? rc : check_all_somewhere(in, o);
}

void prepare_inputs_close(struct prepare_inputs *in)
{
    for (size_t i = 0; i < in->count; i++) {
        struct prepare_file *f = &in->files[i];
        text_template_free(f->schema.query_template);
        text_template_free(f->schema.description_template);
        assembly_close(f->assembly);
        table_reader_close(f->reader);
        mem_free(f->label);
        mem_free(f->schema.descriptions);
        mem_free(f->schema.travelling);
    }
    for (int s = 0; s < PREPARE_SPLITS; s++) {
        for (size_t i = 0; i < in->names[s].count; i++)
            mem_free(in->names[s].names[i]);
        mem_free(in->names[s].names);
    }
    assembler_close(in->assembler);
    mem_free(in->files);
    *in = (struct prepare_inputs){0};
}
