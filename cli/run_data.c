#include "cli/run_data.h"

#include <stdlib.h>
#include <string.h>

#include "cli/opts_data.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/clean.h"
#include "data/csv.h"

enum { RUN_DATA_VERSION = 1 };
static const char file_name[] = "reco_data.json";

int run_data_check_vocabulary(const struct dataset *ds, const char *model_dir)
{
    struct wordpiece *wp = NULL;
    int rc = wordpiece_open_dir(&wp, model_dir, false);
    if (rc == 0 && strcmp(wordpiece_hash(wp), dataset_vocab_hash(ds)) != 0)
        rc = err_set(
            RECO_E_DATA,
            "the dataset was prepared with another vocabulary or tokeniser than that of '%s': prepare it again with "
            "--model_name_or_path %s",
            model_dir, model_dir);
    wordpiece_close(wp);
    return rc;
}

int run_data_check_labels(const struct dataset *ds, const struct label_map *labels, const char *model_dir)
{
    const struct label_map *has = dataset_labels(ds);
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
    if (has->task == LABEL_TASK_CLASSIFICATION && has->count == 0)
        return 0;
    label_map_hash(has, a);
    label_map_hash(labels, b);
    if (strcmp(a, b) != 0)
        return err_set(RECO_E_DATA,
                       "the labels of the dataset are not those of the model '%s': prepare it again with "
                       "--model_name_or_path %s, or give predict the CSV file as --test_file",
                       model_dir, model_dir);
    return 0;
}

int run_data_write(const char *run_dir, const struct dataset *ds, const struct prepare_options *data, int64_t seed)
{
    char *path = path_join(run_dir, file_name), *text = NULL;
    json_t *json =
        json_pack("{s:i, s:O, s:I, s:s, s:I}", "version", RUN_DATA_VERSION, "options",
                  json_object_get(dataset_json(ds), "options"), "max_seq_length", (json_int_t)data->max_seq_length,
                  "truncation", data_truncation_choices[data->truncation], "seed", (json_int_t)seed);
    if (json != NULL)
        text = json_dumps(json, JSON_INDENT(1));
    int rc = path == NULL || text == NULL ? err_nomem() : file_write_all(path, text, strlen(text));
    json_decref(json);
    free(text);
    mem_free(path);
    return rc;
}

json_t *run_data_seed(const char *model_dir)
{
    char *path = path_join(model_dir, file_name);
    json_t *json = path != NULL ? json_load_file(path, 0, NULL) : NULL;
    json_t *seed = json_object_get(json, "seed");
    seed = json_is_integer(seed) ? json_incref(seed) : json_null();
    json_decref(json);
    mem_free(path);
    return seed;
}

/* How the text of a row is made: what training and prediction must have in common. The groups are headings of --help.
 */
static const char *const text_groups[] = {"input", "columns", "text", "cleaning", "tables", "history"};
/* In these groups, but about the model's input (which has entries of its own), about rows of training alone, or about
 * rules that leave out rows. */
static const char *const not_about_texts[] = {"max_seq_length",        "truncation",
                                              "weight_column",         "carry",
                                              "min_query_chars",       "max_query_chars",
                                              "min_description_chars", "max_description_chars",
                                              "contradictions",        "near_duplicate_threshold"};
/* Two ways to say one thing: when the user gives either, the other is not recalled. */
static const char *const instead[][2] = {{"query", "query_column"}, {"description", "description_column"}};
/* Columns that the test file may lack. */
static const char *const optional_columns[] = {
    "label_column",    "id_column",      "query_id_column",  "item_id_column", "user_id_column", "time_column",
    "position_column", "clicked_column", "converted_column", "dwell_column",   "depth_column",   "propensity_column"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool is_about_texts(const struct opt_spec *spec)
{
    return spec->group != NULL && is_one_of(spec->group, text_groups, COUNT(text_groups)) &&
           !is_one_of(spec->name, not_about_texts, COUNT(not_about_texts));
}

static bool other_is_set(const struct opt_set *set, const char *name)
{
    for (size_t i = 0; i < COUNT(instead); i++)
        for (size_t j = 0; j < 2; j++)
            if (strcmp(instead[i][j], name) == 0 && opt_is_set(set, instead[i][1 - j]))
                return true;
    return false;
}

/* ---- a value in JSON, as it would be typed ---- */

struct typed {
    char **texts; /* [count] */
    size_t count;
};

static void typed_release(struct typed *t)
{
    for (size_t i = 0; i < t->count; i++)
        mem_free(t->texts[i]);
    mem_free(t->texts);
    memset(t, 0, sizeof *t);
}

static char *value_text(const json_t *value)
{
    if (json_is_string(value))
        return mem_strdup(json_string_value(value));
    if (json_is_integer(value))
        return mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (json_is_real(value))
        return mem_printf("%.17g", json_real_value(value));
    return mem_strdup(json_is_true(value) ? "true" : "false");
}

/* No texts for null, nothing and objects. */
static int typed_of(struct typed *t, const json_t *value)
{
    bool list = json_is_array(value);
    size_t count = list ? json_array_size(value) : value != NULL && !json_is_null(value) && !json_is_object(value);
    memset(t, 0, sizeof *t);
    t->texts = mem_calloc(count + 1, sizeof *t->texts);
    if (t->texts == NULL)
        return RECO_E_NOMEM;
    for (; t->count < count; t->count++) {
        t->texts[t->count] = value_text(list ? json_array_get(value, t->count) : value);
        if (t->texts[t->count] == NULL) {
            typed_release(t);
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

/* ---- checking ---- */

/* As opt_value_text writes it: items with commas between them. */
static int typed_line(struct buf *b, const struct typed *t, bool list)
{
    int rc = 0;
    for (size_t i = 0; i < t->count && rc == 0; i++) {
        rc = i > 0 ? buf_add_char(b, ',') : 0;
        for (const char *p = t->texts[i]; *p != '\0' && rc == 0; p++) {
            if (list && (*p == ',' || *p == '\\'))
                rc = buf_add_char(b, '\\');
            if (rc == 0)
                rc = buf_add_char(b, *p);
        }
    }
    return rc;
}

static int check_option(const struct opt_set *set, const struct opt_spec *spec, const json_t *value)
{
    struct typed typed;
    struct buf was = {0}, is = {0};
    int rc = typed_of(&typed, value);
    if (rc == 0)
        rc = typed_line(&was, &typed, json_is_array(value));
    if (rc == 0)
        rc = opt_value_text(set, spec->name, &is);
    if (rc == 0 && strcmp(buf_str(&was), buf_str(&is)) != 0)
        rc = err_set(RECO_E_USAGE,
                     "--%s was '%s' when the dataset of this run was made and is '%s' now: leave it out, or start a "
                     "new run",
                     spec->name, buf_str(&was), buf_str(&is));
    typed_release(&typed);
    buf_release(&was);
    buf_release(&is);
    return rc;
}

int run_data_check_options(const struct cmd_ctx *ctx, const struct dataset *ds)
{
    const json_t *options = json_object_get(dataset_json(ds), "options");
    int rc = 0;
    for (const struct opt_spec *spec = ctx->cmd->options; spec->name != NULL && rc == 0; spec++) {
        const json_t *value = json_object_get(options, spec->name);
        bool comparable = spec->type == OPT_STRING || spec->type == OPT_LIST || spec->type == OPT_CHOICE ||
                          spec->type == OPT_BOOL || spec->type == OPT_INT;
        if (value != NULL && comparable && opt_is_set(ctx->set, spec->name) &&
            (is_about_texts(spec) || strcmp(spec->group, "labels") == 0))
            rc = check_option(ctx->set, spec, value);
    }
    return rc;
}

/* ---- recalling ---- */

/* Of the rules of --clean, those that change texts. */
static json_t *text_rules(const json_t *names)
{
    json_t *kept = json_array();
    for (size_t i = 0; i < clean_rule_count() && kept != NULL; i++) {
        const struct clean_rule_info *rule = clean_rule_at(i);
        bool named = false;
        for (size_t j = 0; j < json_array_size(names); j++) {
            const char *name = json_string_value(json_array_get(names, j));
            named = named ||
                    (name != NULL && (strcmp(name, rule->name) == 0 || (rule->in_all && strcmp(name, "all") == 0)));
        }
        if (named && !rule->mask && rule->stage == CLEAN_STAGE_TEXT &&
            json_array_append_new(kept, json_string(rule->name)) != 0) {
            json_decref(kept);
            kept = NULL;
        }
    }
    return kept;
}

static int recall_option(const struct opt_set *set, const char *name, const json_t *value)
{
    struct typed typed;
    json_t *rules = NULL;
    if (strcmp(name, "clean") == 0) {
        rules = text_rules(value);
        if (rules == NULL)
            return err_nomem();
        value = rules;
    }
    int rc = typed_of(&typed, value);
    if (rc == 0)
        rc = opt_recall(set, name, (const char *const *)typed.texts, typed.count);
    typed_release(&typed);
    json_decref(rules);
    return rc;
}

/* A recalled column that the test file has not is left out, where rows are complete without it. */
static int recall_column(const struct cmd_ctx *ctx, const struct prepare_options *data, const struct csv_reader *reader,
                         const char *name, const json_t *value)
{
    const char *column = json_string_value(value);
    if (column == NULL || opt_origin_of(ctx->set, name) != OPT_ORIGIN_DEFAULT)
        return 0;
    if (reader != NULL && !csv_reader_has(reader, column)) {
        log_info("'%s' has no column '%s' (%s of training)", data->test_file, column, name);
        return 0;
    }
    return opt_recall(ctx->set, name, &column, 1);
}

/* After the options that say how the file is read. */
static int recall_columns(const struct cmd_ctx *ctx, const struct prepare_options *data, const json_t *options)
{
    struct csv_reader *reader = NULL;
    struct csv_options csv = {.trim_blanks = data->trim_blanks, .max_field_bytes = (size_t)data->max_field_bytes};
    int rc = data->delimiter == NULL ? 0 : csv_delimiter_parse(data->delimiter, &csv.delimiter);
    if (rc == 0 && strcmp(data->test_file, "-") != 0)
        rc = csv_reader_open(&reader, data->test_file, &csv);
    for (size_t i = 0; i < COUNT(optional_columns) && rc == 0; i++)
        rc = recall_column(ctx, data, reader, optional_columns[i], json_object_get(options, optional_columns[i]));
    csv_reader_close(reader);
    return rc;
}

static int recall_all(const struct cmd_ctx *ctx, struct prepare_options *data, const json_t *json)
{
    static const char *const lengths[] = {"max_seq_length", "truncation"};
    const json_t *options = json_object_get(json, "options");
    int rc = 0;
    for (size_t i = 0; i < COUNT(lengths) && rc == 0; i++)
        rc = recall_option(ctx->set, lengths[i], json_object_get(json, lengths[i]));
    if (data->test_file == NULL || rc != 0)
        return rc;
    for (const struct opt_spec *spec = ctx->cmd->options; spec->name != NULL && rc == 0; spec++)
        if (is_about_texts(spec) && !is_one_of(spec->name, optional_columns, COUNT(optional_columns)) &&
            !other_is_set(ctx->set, spec->name))
            rc = recall_option(ctx->set, spec->name, json_object_get(options, spec->name));
    return rc == 0 ? recall_columns(ctx, data, options) : rc;
}

int run_data_recall(const struct cmd_ctx *ctx, struct prepare_options *data, const char *model_dir)
{
    json_error_t error;
    char *path = path_join(model_dir, file_name);
    if (path == NULL)
        return err_nomem();
    int rc = 0;
    if (file_exists(path)) {
        json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
        if (json == NULL)
            rc = err_set(RECO_E_MODEL, "cannot parse '%s': %s", path, error.text);
        else if (json_integer_value(json_object_get(json, "version")) != RUN_DATA_VERSION)
            rc = err_set(RECO_E_MODEL, "'%s' is not of version %d", path, RUN_DATA_VERSION);
        else
            rc = recall_all(ctx, data, json);
        json_decref(json);
    }
    mem_free(path);
    return rc;
}
