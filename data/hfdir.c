#include "data/hfdir.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/json_file.h"
#include "core/mem.h"

enum { MAX_CONFIG_BYTES = 16 << 20, MAX_LABELS = 1 << 20 };

/* A vocabulary may be smaller than the embedding table by padding to a round number, and by no more. */
enum { MAX_VOCAB_PADDING = 128 };

void hf_config_release(struct hf_config *config)
{
    json_decref(config->json);
    label_map_release(&config->labels);
    memset(config, 0, sizeof *config);
}

/* ---- values; absent and null mean the default, as in transformers' BertConfig ---- */

static const json_t *find_value(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);

    return json_is_null(value) ? NULL : value;
}

static int read_size(const json_t *json, const char *key, int64_t fallback, int64_t max, int64_t *out)
{
    const json_t *value = find_value(json, key);

    if (value != NULL && !json_is_integer(value)) {
        return err_set(RECO_E_MODEL, "'%s' is not a whole number", key);
    }
    *out = value == NULL ? fallback : json_integer_value(value);
    if (*out < 1 || *out > max) {
        return err_set(RECO_E_MODEL, "'%s' is %" PRId64 ", not within 1 and %" PRId64, key, *out, max);
    }
    return 0;
}

/* Within [0, max), 0 itself allowed. */
static int read_number(const json_t *json, const char *key, double fallback, double max, double *out)
{
    const json_t *value = find_value(json, key);

    if (value != NULL && !json_is_number(value)) {
        return err_set(RECO_E_MODEL, "'%s' is not a number", key);
    }
    *out = value == NULL ? fallback : json_number_value(value);
    if (value != NULL && !(*out >= 0 && *out < max)) {
        return err_set(RECO_E_MODEL, "'%s' is %g, not within 0 and %g", key, *out, max);
    }
    return 0;
}

static int read_sizes(struct hf_config *c)
{
    static const int64_t max_width = 1 << 16, max_tokens = 1 << 24, max_layers = 1 << 10;
    const struct {
        const char *key;
        int64_t fallback, max;
        int64_t *out;
    } sizes[] = {
        {"vocab_size", 30522, max_tokens, &c->vocab_size},
        {"hidden_size", 768, max_width, &c->hidden_size},
        {"num_hidden_layers", 12, max_layers, &c->num_hidden_layers},
        {"num_attention_heads", 12, max_width, &c->num_attention_heads},
        {"intermediate_size", 3072, 8 * max_width, &c->intermediate_size},
        {"max_position_embeddings", 512, max_tokens, &c->max_position_embeddings},
        {"type_vocab_size", 2, max_width, &c->type_vocab_size},
    };
    const struct {
        const char *key;
        double fallback, max;
        double *out;
    } numbers[] = {
        {"layer_norm_eps", 1e-12, 1, &c->layer_norm_eps},
        {"initializer_range", 0.02, 100, &c->initializer_range},
        {"hidden_dropout_prob", 0.1, 1, &c->hidden_dropout_prob},
        {"attention_probs_dropout_prob", 0.1, 1, &c->attention_probs_dropout_prob},
        {"classifier_dropout", NAN, 1, &c->classifier_dropout},
    };
    const json_t *pad = json_object_get(c->json, "pad_token_id");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof sizes / sizeof *sizes; i++) {
        rc = read_size(c->json, sizes[i].key, sizes[i].fallback, sizes[i].max, sizes[i].out);
    }
    for (size_t i = 0; rc == 0 && i < sizeof numbers / sizeof *numbers; i++) {
        rc = read_number(c->json, numbers[i].key, numbers[i].fallback, numbers[i].max, numbers[i].out);
    }
    if (rc < 0) {
        return rc;
    }
    if (c->hidden_size % c->num_attention_heads != 0) {
        return err_set(RECO_E_MODEL, "'hidden_size' %" PRId64 " is not a multiple of 'num_attention_heads' %" PRId64,
                       c->hidden_size, c->num_attention_heads);
    }
    if (pad != NULL && !json_is_null(pad) && !json_is_integer(pad)) {
        return err_set(RECO_E_MODEL, "'pad_token_id' is not a whole number");
    }
    c->pad_token_id = pad == NULL ? 0 : json_is_null(pad) ? -1 : json_integer_value(pad);
    if (c->pad_token_id < -1 || c->pad_token_id >= c->vocab_size) {
        return err_set(RECO_E_MODEL, "'pad_token_id' %" PRId64 " is outside the vocabulary of %" PRId64,
                       c->pad_token_id, c->vocab_size);
    }
    return 0;
}

/* ---- kind of model ---- */

static int read_act(struct hf_config *c)
{
    static const struct {
        const char *name;
        enum hf_act act;
    } acts[] = {
        {"gelu", HF_ACT_GELU},
        {"gelu_python", HF_ACT_GELU},
        {"gelu_new", HF_ACT_GELU_TANH},
        {"gelu_pytorch_tanh", HF_ACT_GELU_TANH},
        {"gelu_python_tanh", HF_ACT_GELU_TANH},
        {"relu", HF_ACT_RELU},
    };
    const json_t *value = find_value(c->json, "hidden_act");
    const char *name = value == NULL ? "gelu" : json_string_value(value);

    for (size_t i = 0; name != NULL && i < sizeof acts / sizeof *acts; i++) {
        if (strcmp(acts[i].name, name) == 0) {
            c->hidden_act = acts[i].act;
            return 0;
        }
    }
    return err_set(RECO_E_MODEL, "'hidden_act' is %s%s%s; supported are gelu, gelu_new, gelu_pytorch_tanh and relu",
                   name == NULL ? "no text" : "'", name == NULL ? "" : name, name == NULL ? "" : "'");
}

static int check_kind(const struct hf_config *c)
{
    const json_t *type = find_value(c->json, "model_type");
    const json_t *position = find_value(c->json, "position_embedding_type");
    const char *text = json_string_value(type);

    /* Files from before model_type was written have BERT's keys. */
    if (type == NULL &&
        (json_object_get(c->json, "hidden_size") == NULL || json_object_get(c->json, "num_attention_heads") == NULL)) {
        return err_set(RECO_E_MODEL, "it has no 'model_type'; supported is bert");
    }
    if (type != NULL && (text == NULL || strcmp(text, "bert") != 0)) {
        return err_set(RECO_E_MODEL, "'model_type' is '%s'; supported is bert", text == NULL ? "?" : text);
    }
    if (json_is_true(json_object_get(c->json, "is_decoder")) ||
        json_is_true(json_object_get(c->json, "add_cross_attention"))) {
        return err_set(RECO_E_MODEL,
                       "it describes a decoder ('is_decoder' or 'add_cross_attention'); supported are encoders");
    }
    text = json_string_value(position);
    if (position != NULL && (text == NULL || strcmp(text, "absolute") != 0)) {
        return err_set(RECO_E_MODEL, "'position_embedding_type' is '%s'; supported is absolute",
                       text == NULL ? "?" : text);
    }
    return 0;
}

/* ---- labels ---- */

static bool is_classifier(const json_t *json)
{
    static const char suffix[] = "ForSequenceClassification";
    const json_t *name;
    size_t index;

    json_array_foreach(json_object_get(json, "architectures"), index, name)
    {
        const char *text = json_string_value(name);
        size_t length = text == NULL ? 0 : strlen(text);
        if (length >= sizeof suffix - 1 && strcmp(text + length - (sizeof suffix - 1), suffix) == 0) {
            return true;
        }
    }
    return false;
}

/* "0".."n-1" -> the number, -1 for anything else. */
static int64_t label_index(const char *key, size_t count)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(key, &end, 10);
    return end == key || *end != '\0' || errno != 0 || value < 0 || (size_t)value >= count ? -1 : value;
}

/* names [count], zeroed; the caller frees every one of them, also on failure. */
static int read_names(const json_t *id2label, char **names, size_t count)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)id2label, key, value)
    {
        int64_t index = label_index(key, count);
        if (index < 0 || names[index] != NULL) {
            return err_set(RECO_E_MODEL, "'id2label' names the class '%s'; expected are 0 to %zu, once each", key,
                           count - 1);
        }
        if (json_is_string(value)) {
            names[index] = mem_strdup(json_string_value(value));
        } else if (json_is_integer(value)) {
            names[index] = mem_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        } else {
            return err_set(RECO_E_MODEL, "'id2label' of class %s is not a text", key);
        }
        if (names[index] == NULL) {
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

/* The number of outputs as transformers reads it: id2label alone where there is one, else num_labels, else 2. */
static int count_outputs(const json_t *json, size_t *count)
{
    const json_t *id2label = find_value(json, "id2label");
    int64_t number = 2;

    if (id2label == NULL) {
        int rc = read_size(json, "num_labels", 2, MAX_LABELS, &number);
        *count = (size_t)number;
        return rc;
    }
    *count = json_object_size(id2label);
    if (*count == 0 || *count > MAX_LABELS) {
        return err_set(RECO_E_MODEL, "'id2label' is not an object with 1 to %d labels", MAX_LABELS);
    }
    return 0;
}

static int read_class_names(struct label_map *out, const json_t *json, size_t count)
{
    const json_t *id2label = find_value(json, "id2label");
    char **names = mem_calloc(count, sizeof *names);
    int rc = 0;

    if (names == NULL) {
        return RECO_E_NOMEM;
    }
    if (id2label != NULL) {
        rc = read_names(id2label, names, count);
    }
    for (size_t i = 0; rc == 0 && id2label == NULL && i < count; i++) {
        names[i] = mem_printf("LABEL_%zu", i);
        rc = names[i] == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc == 0) {
        rc = label_map_from_list(out, (const char *const *)names, count);
        if (rc == RECO_E_USAGE) { /* a list that the user did not write */
            rc = err_prepend(RECO_E_MODEL, "bad 'id2label'");
        }
    }
    for (size_t i = 0; i < count; i++) {
        mem_free(names[i]);
    }
    mem_free(names);
    return rc;
}

static bool same_names(const struct label_map *a, const struct label_map *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (int i = 0; i < a->count; i++) {
        if (strcmp(a->names[i], b->names[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The task of one output: regression, as transformers trains it, unless something says that it is a reranker's logit.
 */
static enum label_task single_task(const json_t *json, const struct label_map *reco, bool regression)
{
    bool reranker = json_object_get(json, "sentence_transformers") != NULL ||
                    json_object_get(json, "sbert_ce_default_activation_function") != NULL ||
                    reco->task == LABEL_TASK_BINARY_LOGIT;

    return reranker && !regression ? LABEL_TASK_BINARY_LOGIT : LABEL_TASK_REGRESSION;
}

/* Fills c->labels. reco is the map that reco wrote, or empty; it counts where it says the same as id2label, and knows
 * more. */
static int read_labels(struct hf_config *c, struct label_map *reco)
{
    static const char *const binary_names[] = {"0", "1"};
    const json_t *problem = find_value(c->json, "problem_type");
    const char *text = json_string_value(problem);
    bool regression = text != NULL && strcmp(text, "regression") == 0;
    size_t outputs = 0;
    int rc = count_outputs(c->json, &outputs);

    if (rc < 0) {
        return rc;
    }
    if (text != NULL && strcmp(text, "multi_label_classification") == 0) {
        return err_set(RECO_E_MODEL, "'problem_type' is multi_label_classification; supported are one label a row "
                                     "(single_label_classification) and regression");
    }
    if (problem != NULL && !regression && (text == NULL || strcmp(text, "single_label_classification") != 0)) {
        return err_set(RECO_E_MODEL, "'problem_type' is '%s'; supported are single_label_classification and regression",
                       text == NULL ? "?" : text);
    }
    if (regression && outputs > 1) {
        return err_set(RECO_E_MODEL, "'problem_type' is regression with %zu outputs; supported is one", outputs);
    }
    if (problem != NULL && !regression && outputs == 1) {
        return err_set(RECO_E_MODEL, "'problem_type' single_label_classification needs at least 2 labels");
    }
    if (outputs == 1) {
        enum label_task task = single_task(c->json, reco, regression);
        if (task == reco->task && (reco->count == 2 || task == LABEL_TASK_REGRESSION)) {
            c->labels = *reco;
            memset(reco, 0, sizeof *reco);
            return 0;
        }
        rc = task == LABEL_TASK_REGRESSION ? 0 : label_map_from_list(&c->labels, binary_names, 2);
        c->labels.task = task;
        return rc;
    }
    rc = read_class_names(&c->labels, c->json, outputs);
    if (rc == 0 && reco->task == LABEL_TASK_CLASSIFICATION && same_names(&c->labels, reco)) {
        struct label_map plain = c->labels;
        c->labels = *reco;
        *reco = plain;
    }
    return rc;
}

static int read_classifier(struct hf_config *c)
{
    const json_t *written = json_object_get(json_object_get(c->json, "reco"), "labels");
    struct label_map reco = {.task = LABEL_TASK_CLASSIFICATION};
    int rc = 0;

    c->has_labels = is_classifier(c->json);
    if (!c->has_labels) {
        return 0;
    }
    if (written != NULL) {
        rc = label_map_from_json(&reco, written);
        rc = rc == RECO_E_DATA ? err_prepend(RECO_E_MODEL, "bad 'reco' key") : rc;
    }
    if (rc == 0) {
        rc = read_labels(c, &reco);
    }
    label_map_release(&reco);
    return rc;
}

/* ---- files ---- */

int hf_config_from_json(struct hf_config *out, json_t *json, const char *source)
{
    struct hf_config config = {.json = json};
    int rc = json_is_object(json) ? check_kind(&config) : err_set(RECO_E_MODEL, "it is not a JSON object");

    rc = rc < 0 ? rc : read_act(&config);
    rc = rc < 0 ? rc : read_sizes(&config);
    rc = rc < 0 ? rc : read_classifier(&config);
    if (rc < 0) {
        hf_config_release(&config);
        return err_prepend(rc, "cannot use '%s'", source);
    }
    *out = config;
    return 0;
}

int hf_config_read_file(struct hf_config *out, const char *path)
{
    json_t *json;
    int rc = json_file_read(&json, path, MAX_CONFIG_BYTES, RECO_E_MODEL);

    return rc < 0 ? rc : hf_config_from_json(out, json, path);
}

int hf_config_check_vocab(const struct hf_config *config, int64_t tokens, const char *source)
{
    if (tokens > config->vocab_size || tokens <= config->vocab_size - MAX_VOCAB_PADDING) {
        return err_set(RECO_E_MODEL,
                       "the vocabulary '%s' has %" PRId64 " tokens and the model %" PRId64
                       " ('vocab_size'): they do not belong together",
                       source, tokens, config->vocab_size);
    }
    return 0;
}

/* Lines of vocab.txt against vocab_size. A directory without vocab.txt passes: the tokeniser has its own word on that.
 */
static int check_vocab_file(const struct hf_config *config, const char *dir)
{
    char *path = path_join(dir, "vocab.txt");
    struct file_map map;
    int64_t lines = 0;
    int rc;

    if (path == NULL) {
        return RECO_E_NOMEM;
    }
    if (!file_exists(path)) {
        mem_free(path);
        return 0;
    }
    rc = file_map_open(&map, path);
    if (rc == 0) {
        for (size_t i = 0; i < map.size_bytes; i++) {
            lines += map.data[i] == '\n' || i + 1 == map.size_bytes;
        }
        file_map_close(&map);
        rc = hf_config_check_vocab(config, lines, path);
    }
    mem_free(path);
    return rc;
}

int hf_config_read(struct hf_config *out, const char *model_dir)
{
    struct hf_config config;
    char *path;
    int rc;

    if (!dir_exists(model_dir)) {
        return file_exists(model_dir)
                   ? err_set(RECO_E_MODEL, "'%s' is a file, not a model directory", model_dir)
                   : err_set(RECO_E_MODEL, "no model directory '%s'; scripts/fetch_model.sh fetches models", model_dir);
    }
    path = path_join(model_dir, "config.json");
    if (path == NULL) {
        return RECO_E_NOMEM;
    }
    if (!file_exists(path)) {
        rc = err_set(RECO_E_MODEL, "'%s' is not a model directory: it has no config.json", model_dir);
        mem_free(path);
        return rc;
    }
    rc = hf_config_read_file(&config, path);
    mem_free(path);
    if (rc < 0) {
        return rc;
    }
    rc = check_vocab_file(&config, model_dir);
    if (rc < 0) {
        hf_config_release(&config);
        return rc;
    }
    *out = config;
    return 0;
}
