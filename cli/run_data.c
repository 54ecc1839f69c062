#include "cli/run_data.h"

#include <string.h>

#include "cli/opts_data.h"
#include "core/file.h"
#include "core/json_file.h"
#include "core/log.h"
#include "core/mem.h"

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
    char *path = path_join(run_dir, file_name);
    json_t *json =
        json_pack("{s:i, s:O, s:I, s:s, s:I}", "version", RUN_DATA_VERSION, "options",
                  json_object_get(dataset_json(ds), "options"), "max_seq_length", (json_int_t)data->max_seq_length,
                  "truncation", data_truncation_choices[data->truncation], "seed", (json_int_t)seed);
    int rc = path == NULL ? RECO_E_NOMEM : json_file_write(path, json, JSON_INDENT(1));
    json_decref(json);
    mem_free(path);
    return rc;
}

/* ---- recalling ---- */

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

static bool is_set(void *arg, const char *option)
{
    return opt_is_set(arg, option);
}

static void dropped(void *arg, const char *file, const char *option, const char *column)
{
    (void)arg;
    log_info("'%s' has no column '%s' (%s of training)", file, column, option);
}

static int recall_all(struct prepare_options *data, const struct opt_set *set, const json_t *json)
{
    const json_t *options = json_object_get(json, "options");
    const json_t *length = json_object_get(json, "max_seq_length");
    const char *truncation = json_string_value(json_object_get(json, "truncation"));
    if (!opt_is_set(set, "max_seq_length") && json_integer_value(length) > 0)
        data->max_seq_length = json_integer_value(length);
    for (int i = 0; truncation != NULL && data_truncation_choices[i] != NULL && !opt_is_set(set, "truncation"); i++)
        if (strcmp(truncation, data_truncation_choices[i]) == 0)
            data->truncation = i;
    if (data->test_file.count == 0)
        return 0;
    int rc = prepare_options_recall(data, options, is_set, (void *)set);
    return rc < 0 ? rc : prepare_options_drop_missing(data, is_set, dropped, (void *)set);
}

int run_data_recall(struct prepare_options *data, const struct opt_set *set, const char *model_dir)
{
    char *path = path_join(model_dir, file_name);
    if (path == NULL)
        return err_nomem();
    json_t *json = NULL;
    int rc = file_exists(path) ? json_file_read(&json, path, 0, RECO_E_MODEL) : 0;
    if (json != NULL)
        rc = json_integer_value(json_object_get(json, "version")) == RUN_DATA_VERSION
                 ? recall_all(data, set, json)
                 : err_set(RECO_E_MODEL, "'%s' is not of version %d", path, RUN_DATA_VERSION);
    json_decref(json);
    mem_free(path);
    return rc;
}
