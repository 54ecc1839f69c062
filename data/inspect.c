#include "data/inspect.h"

#include <string.h>

#include "core/file.h"
#include "core/hash.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "data/hfdir.h"
#include "data/safetensors.h"
#include "data/wordpiece.h"

static int has_file(bool *found, const char *dir, const char *name)
{
    char *path = path_join(dir, name);

    if (path == NULL) {
        return RECO_E_NOMEM;
    }
    *found = file_exists(path);
    mem_free(path);
    return 0;
}

/* Takes value; NULL is out of memory. */
static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) < 0 ? err_nomem() : 0;
}

/* ---- models ---- */

static json_t *config_json(const struct hf_config *c)
{
    static const char *const acts[] = {[HF_ACT_GELU] = "gelu", [HF_ACT_GELU_TANH] = "gelu_new", [HF_ACT_RELU] = "relu"};

    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f}", "model_type", "bert",
                     "num_hidden_layers", (json_int_t)c->num_hidden_layers, "hidden_size", (json_int_t)c->hidden_size,
                     "num_attention_heads", (json_int_t)c->num_attention_heads, "intermediate_size",
                     (json_int_t)c->intermediate_size, "max_position_embeddings",
                     (json_int_t)c->max_position_embeddings, "type_vocab_size", (json_int_t)c->type_vocab_size,
                     "vocab_size", (json_int_t)c->vocab_size, "hidden_act", acts[c->hidden_act], "hidden_dropout_prob",
                     c->hidden_dropout_prob, "attention_probs_dropout_prob", c->attention_probs_dropout_prob);
}

static bool is_float(enum safetensors_dtype dtype)
{
    return dtype == SAFETENSORS_F32 || dtype == SAFETENSORS_F16 || dtype == SAFETENSORS_BF16 ||
           dtype == SAFETENSORS_F64;
}

/* Parameters are the numbers of floating-point tensors: position_ids and the like are none. */
static json_t *tensors_json(const struct safetensors *st, const char *hash)
{
    uint64_t parameters = 0, bytes = 0;
    const char *dtype = NULL;

    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *t = safetensors_at(st, i);
        bytes += t->size_bytes;
        if (!is_float(t->dtype)) {
            continue;
        }
        parameters += t->size_bytes / safetensors_dtype_bytes(t->dtype);
        if (dtype == NULL) {
            dtype = safetensors_dtype_name(t->dtype);
        } else if (strcmp(dtype, safetensors_dtype_name(t->dtype)) != 0) {
            dtype = "mixed";
        }
    }
    return json_pack("{s:I, s:I, s:I, s:s?, s:b, s:s}", "parameters", (json_int_t)parameters, "tensors",
                     (json_int_t)safetensors_count(st), "bytes", (json_int_t)bytes, "dtype", dtype, "classifier",
                     safetensors_find(st, "classifier.weight") != NULL, "hash", hash);
}

static int add_weights(json_t *json, const char *dir)
{
    struct safetensors *st = NULL;
    char *path = NULL, hash[HASH_HEX_SIZE];
    int rc = hf_dir_weights_path(&path, dir);

    if (rc == RECO_E_MODEL) {
        rc = set(json, "weights", json_null());
        return rc < 0 ? rc : set(json, "weights_missing", json_string(err_message()));
    }
    rc = rc < 0 ? rc : safetensors_open(&st, path);
    rc = rc < 0 ? rc : hash_file_hex(path, hash);
    if (rc == 0) {
        rc = set(json, "weights", tensors_json(st, hash));
    }
    safetensors_close(st);
    mem_free(path);
    return rc;
}

static int add_tokenizer(json_t *json, const char *dir)
{
    struct wordpiece *wp = NULL;
    int rc = wordpiece_open_dir(&wp, dir, false);

    if (rc == RECO_E_MODEL) {
        rc = set(json, "tokenizer", json_null());
        return rc < 0 ? rc : set(json, "tokenizer_missing", json_string(err_message()));
    }
    if (rc == 0) {
        rc = set(json, "tokenizer",
                 json_pack("{s:I, s:b, s:s}", "tokens", (json_int_t)wordpiece_vocab_size(wp), "do_lower_case",
                           wordpiece_get_options(wp)->do_lower_case, "hash", wordpiece_hash(wp)));
        wordpiece_close(wp);
    }
    return rc;
}

static int add_model(json_t *json, const char *dir)
{
    struct hf_config config;
    int rc = hf_config_read(&config, dir);

    if (rc < 0) {
        return rc;
    }
    rc = set(json, "config", config_json(&config));
    rc = rc < 0 ? rc : add_weights(json, dir);
    rc = rc < 0 ? rc : set(json, "labels", config.has_labels ? label_map_to_json(&config.labels) : json_null());
    rc = rc < 0 ? rc : add_tokenizer(json, dir);
    hf_config_release(&config);
    return rc;
}

/* ---- checkpoints ---- */

static int add_checkpoint(json_t *json, const char *dir)
{
    json_t *state = NULL;
    char *path = path_join(dir, "trainer_state.json");
    bool done;
    int rc = path == NULL ? RECO_E_NOMEM : has_file(&done, dir, "DONE");

    if (rc == 0)
        rc = json_file_read(&state, path, 0, RECO_E_DATA);
    if (rc == 0) {
        json_t *step = json_object_get(state, "global_step");
        rc = json_is_integer(step) ? set(json, "step", json_incref(step))
                                   : err_set(RECO_E_DATA, "cannot read '%s': no global_step", path);
    }
    json_decref(state);
    mem_free(path);
    return rc < 0 ? rc : set(json, "complete", json_boolean(done));
}

/* ---- datasets ---- */

struct lengths {
    uint64_t total, longest;
};

/* specials: [CLS] and [SEP]s of a row. */
static struct lengths measure(const struct dataset_split *split, size_t specials)
{
    struct lengths lengths = {0};

    for (size_t row = 0; row < dataset_rows(split); row++) {
        size_t query, description;
        dataset_lengths(split, row, &query, &description);
        query += description + specials;
        lengths.total += query;
        if (query > lengths.longest) {
            lengths.longest = query;
        }
    }
    return lengths;
}

/* Rows of each class, in the order of the label map, and those without a label. */
static json_t *count_labels(const struct dataset_split *split, const struct label_map *labels)
{
    json_t *json = json_array();
    size_t *counts = mem_calloc((size_t)labels->count + 1, sizeof *counts);
    bool bad = json == NULL || counts == NULL;

    for (size_t row = 0; !bad && row < dataset_rows(split); row++) {
        counts[dataset_label(split, row) + 1]++;
    }
    for (int i = 0; !bad && i < labels->count; i++) {
        bad = json_array_append_new(
                  json, json_pack("{s:s, s:I}", "label", labels->names[i], "rows", (json_int_t)counts[i + 1])) < 0;
    }
    mem_free(counts);
    if (bad) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *split_json(const struct dataset_split *split, const struct label_map *labels, size_t specials)
{
    const struct lengths lengths = measure(split, specials);
    size_t rows = dataset_rows(split), labelled = 0;
    json_t *columns = json_array();

    for (size_t row = 0; row < rows; row++) {
        double target = dataset_target(split, row);
        labelled += labels->count > 0 ? dataset_label(split, row) >= 0 : target == target;
    }
    for (size_t i = 0; columns != NULL && i < dataset_column_count(split); i++) {
        json_array_append_new(columns, json_string(dataset_column_name(split, i)));
    }
    return json_pack("{s:s, s:I, s:I, s:o?, s:f, s:I, s:o, s:s}", "name", dataset_split_name(split), "rows",
                     (json_int_t)rows, "labelled", (json_int_t)labelled, "labels",
                     labels->count > 0 ? count_labels(split, labels) : NULL, "mean_tokens",
                     rows > 0 ? (double)lengths.total / (double)rows : 0.0, "longest_tokens",
                     (json_int_t)lengths.longest, "columns", columns, "hash", dataset_split_hash(split));
}

static int add_dataset(json_t *json, const char *dir)
{
    static const char *const kept[] = {"version", "texts", "tokens", "has_description", "tokenizer", "options"};
    struct dataset *ds;
    json_t *splits;
    size_t specials;
    int rc = dataset_open(&ds, dir);

    if (rc < 0) {
        return rc;
    }
    rc = set(json, "hash", json_string(dataset_hash(ds)));
    for (size_t i = 0; rc == 0 && i < sizeof kept / sizeof *kept; i++) {
        rc = set(json, kept[i], json_incref(json_object_get(dataset_json(ds), kept[i])));
    }
    rc = rc < 0 ? rc : set(json, "labels", label_map_to_json(dataset_labels(ds)));
    splits = json_array();
    specials = json_is_true(json_object_get(dataset_json(ds), "has_description")) ? 3 : 2;
    for (size_t i = 0; rc == 0 && i < dataset_split_count(ds); i++) {
        if (json_array_append_new(splits, split_json(dataset_split_at(ds, i), dataset_labels(ds), specials)) < 0) {
            rc = err_nomem();
        }
    }
    if (rc == 0) {
        rc = set(json, "splits", json_incref(splits));
    }
    json_decref(splits);
    dataset_close(ds);
    return rc;
}

/* ---- any directory ---- */

static int add_run(json_t *json, const char *dir)
{
    json_t *training;
    bool model;
    int rc = has_file(&model, dir, "config.json"); /* there once the first best model was saved */

    if (rc == 0 && model) {
        rc = add_model(json, dir);
    }
    rc = rc < 0 ? rc : inspect_training(&training, dir);
    return rc < 0 ? rc : set(json, "training", training);
}

static int add_saved_state(json_t *json, const char *dir)
{
    int rc = add_checkpoint(json, dir);

    return rc < 0 ? rc : add_model(json, dir);
}

int inspect_dir(json_t **out, const char *dir)
{
    static const struct {
        const char *file, *kind;
        int (*add)(json_t *json, const char *dir);
    } kinds[] = {
        {"dataset.json", "dataset", add_dataset},
        {"train.jsonl", "run", add_run},
        {"trainer_state.json", "checkpoint", add_saved_state},
        {"config.json", "model", add_model},
    };
    json_t *json;
    bool shard;
    int rc;

    if (!dir_exists(dir)) {
        return err_set(RECO_E_IO, "cannot read '%s': %s", dir,
                       file_exists(dir) ? "it is a file, not a directory" : "no such directory");
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool found;
        rc = has_file(&found, dir, kinds[i].file);
        if (rc < 0) {
            return rc;
        }
        if (!found) {
            continue;
        }
        json = json_pack("{s:s, s:s}", "kind", kinds[i].kind, "path", dir);
        rc = json == NULL ? err_nomem() : kinds[i].add(json, dir);
        if (rc < 0) {
            json_decref(json);
            return rc;
        }
        *out = json;
        return 0;
    }
    rc = has_file(&shard, dir, "shard.json");
    if (rc == 0 && shard) {
        rc = err_set(RECO_E_DATA, "'%s' is a shard of a dataset: reco merge makes the dataset of all of them", dir);
    }
    if (rc < 0) {
        return rc;
    }
    return err_set(RECO_E_DATA, "'%s' is no model (config.json), dataset (dataset.json) or run (train.jsonl) directory",
                   dir);
}
