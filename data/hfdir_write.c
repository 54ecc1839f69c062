#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/hfdir.h"

static const char *const act_names[] = {
    [HF_ACT_GELU] = "gelu", [HF_ACT_GELU_TANH] = "gelu_new", [HF_ACT_RELU] = "relu"};

/* ---- config.json ---- */

static int set_sizes(json_t *json, const struct hf_config *c)
{
    const struct {
        const char *key;
        int64_t value;
    } sizes[] = {
        {"vocab_size", c->vocab_size},
        {"hidden_size", c->hidden_size},
        {"num_hidden_layers", c->num_hidden_layers},
        {"num_attention_heads", c->num_attention_heads},
        {"intermediate_size", c->intermediate_size},
        {"max_position_embeddings", c->max_position_embeddings},
        {"type_vocab_size", c->type_vocab_size},
    };
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"layer_norm_eps", c->layer_norm_eps},
        {"initializer_range", c->initializer_range},
        {"hidden_dropout_prob", c->hidden_dropout_prob},
        {"attention_probs_dropout_prob", c->attention_probs_dropout_prob},
        {"classifier_dropout", c->classifier_dropout},
    };
    int bad = 0;

    for (size_t i = 0; !bad && i < sizeof sizes / sizeof *sizes; i++) {
        bad = json_object_set_new(json, sizes[i].key, json_integer(sizes[i].value));
    }
    for (size_t i = 0; !bad && i < sizeof numbers / sizeof *numbers; i++) {
        bad = json_object_set_new(json, numbers[i].key,
                                  isnan(numbers[i].value) ? json_null() : json_real(numbers[i].value));
    }
    return bad ||
           json_object_set_new(json, "pad_token_id", c->pad_token_id < 0 ? json_null() : json_integer(c->pad_token_id));
}

/* Several spellings mean one activation: the one that was read stays. */
static int set_act(json_t *json, const struct hf_config *c)
{
    const char *old = json_string_value(json_object_get(json, "hidden_act"));
    bool tanh_kind = old != NULL && (strcmp(old, "gelu_pytorch_tanh") == 0 || strcmp(old, "gelu_python_tanh") == 0);
    bool erf_kind = old != NULL && strcmp(old, "gelu_python") == 0;

    if ((c->hidden_act == HF_ACT_GELU_TANH && tanh_kind) || (c->hidden_act == HF_ACT_GELU && erf_kind)) {
        return 0;
    }
    return json_object_set_new(json, "hidden_act", json_string(act_names[c->hidden_act]));
}

/* id2label, label2id and problem_type, and what reco knows beyond; one output is LABEL_0 as transformers names it. */
static int set_labels(json_t *json, const struct label_map *labels)
{
    static const char *const problems[] = {[LABEL_TASK_CLASSIFICATION] = "single_label_classification",
                                           [LABEL_TASK_REGRESSION] = "regression",
                                           [LABEL_TASK_BINARY_LOGIT] = NULL};
    const char *problem = problems[labels->task];
    int count = labels->task == LABEL_TASK_CLASSIFICATION ? labels->count : 1;
    json_t *id2label = json_object(), *label2id = json_object();
    int bad = id2label == NULL || label2id == NULL;

    for (int i = 0; !bad && i < count; i++) {
        const char *name = labels->task == LABEL_TASK_CLASSIFICATION ? labels->names[i] : "LABEL_0";
        char key[16];
        snprintf(key, sizeof key, "%d", i);
        bad = json_object_set_new(id2label, key, json_string(name)) ||
              json_object_set_new(label2id, name, json_integer(i));
    }
    bad = bad || json_object_set(json, "id2label", id2label) || json_object_set(json, "label2id", label2id) ||
          json_object_set_new(json, "problem_type", problem == NULL ? json_null() : json_string(problem)) ||
          json_object_set_new(json, "reco", json_pack("{s:i, s:o}", "version", 1, "labels", label_map_to_json(labels)));
    json_decref(id2label);
    json_decref(label2id);
    return bad;
}

/* What transformers would read beside the above, or would read wrongly: reco writes float32 weights. */
static int set_kind(json_t *json, const struct label_map *labels)
{
    static const char *const stale[] = {"num_labels", "torch_dtype", "id2label", "label2id", "problem_type", "reco"};
    const char *architecture = labels == NULL ? "BertModel" : "BertForSequenceClassification";

    for (size_t i = 0; i < sizeof stale / sizeof *stale; i++) {
        json_object_del(json, stale[i]);
    }
    return json_object_set_new(json, "model_type", json_string("bert")) ||
           json_object_set_new(json, "architectures", json_pack("[s]", architecture)) ||
           json_object_set_new(json, "dtype", json_string("float32"));
}

/* With as few digits as give every number back: 0.1 is not to become 0.10000000000000001. The caller frees; NULL:
 * memory. */
static char *dump_json(const json_t *json)
{
    static const size_t max_digits = 17;

    for (size_t digits = 15;; digits++) {
        char *text = json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(digits));
        json_t *again = text == NULL ? NULL : json_loads(text, 0, NULL);
        bool same = json_equal(json, again);
        json_decref(again);
        if (text == NULL || same || digits == max_digits) {
            return text;
        }
        free(text);
    }
}

static int write_json(const char *dir, const char *name, const json_t *json)
{
    char *path = path_join(dir, name);
    char *text = dump_json(json);
    struct buf b = {0};
    int rc = path == NULL || text == NULL ? err_nomem() : buf_printf(&b, "%s\n", text);

    if (rc == 0) {
        rc = file_write_all(path, b.data, b.length);
    }
    buf_release(&b);
    free(text);
    mem_free(path);
    return rc;
}

static int write_config(const char *dir, const struct hf_config *config, const struct label_map *labels)
{
    json_t *json = config->json == NULL ? json_object() : json_deep_copy(config->json);
    int rc = 0;

    if (json == NULL || set_kind(json, labels) || set_act(json, config) || set_sizes(json, config) ||
        (labels != NULL && set_labels(json, labels))) {
        rc = err_nomem();
    }
    if (rc == 0) {
        rc = write_json(dir, "config.json", json);
    }
    json_decref(json);
    return rc;
}

/* ---- tokeniser files ---- */

/* *copied is false when the source is not there. */
static int copy_file(const char *out_dir, const char *source_dir, const char *name, bool *copied)
{
    char *from = path_join(source_dir, name), *to = path_join(out_dir, name);
    struct buf b = {0};
    int rc = from == NULL || to == NULL ? err_nomem() : 0;

    *copied = rc == 0 && file_exists(from);
    if (*copied) {
        rc = file_read_all(from, 0, &b);
        rc = rc < 0 ? rc : file_write_all(to, buf_str(&b), b.length);
    }
    buf_release(&b);
    mem_free(from);
    mem_free(to);
    return rc;
}

/* What reco reads where there is none (lower case), said so that transformers reads it too. */
static int write_tokenizer_config(const char *dir, const struct hf_config *config)
{
    json_t *json = json_pack("{s:s, s:b, s:I}", "tokenizer_class", "BertTokenizer", "do_lower_case", 1,
                             "model_max_length", (json_int_t)config->max_position_embeddings);
    int rc = json == NULL ? err_nomem() : write_json(dir, "tokenizer_config.json", json);

    json_decref(json);
    return rc;
}

static int copy_tokenizer(const char *out_dir, const struct hf_config *config, const char *source_dir)
{
    static const char *const names[] = {"vocab.txt", "tokenizer_config.json", "tokenizer.json",
                                        "special_tokens_map.json", "added_tokens.json"};
    bool copied[sizeof names / sizeof *names];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int rc = copy_file(out_dir, source_dir, names[i], &copied[i]);
        if (rc < 0) {
            return rc;
        }
    }
    if (!copied[0] && !copied[2]) {
        return err_set(RECO_E_MODEL, "'%s' holds neither vocab.txt nor tokenizer.json", source_dir);
    }
    return copied[1] ? 0 : write_tokenizer_config(out_dir, config);
}

int hf_dir_write(const char *out_dir, const struct hf_config *config, const struct label_map *labels,
                 const char *source_dir)
{
    int rc = copy_tokenizer(out_dir, config, source_dir);

    return rc < 0 ? rc : write_config(out_dir, config, labels);
}

/* ---- weights ---- */

int hf_dir_weights_path(char **out, const char *model_dir)
{
    static const struct {
        const char *name, *what;
    } others[] = {
        {"model.safetensors.index.json",
         "its weights are in several files; save it as one: model.save_pretrained(DIR, max_shard_size=\"100GB\")"},
        {"pytorch_model.bin",
         "its weights are only in pytorch_model.bin, which can run code when it is opened; convert it "
         "with transformers: AutoModel.from_pretrained(DIR).save_pretrained(DIR)"},
        {"pytorch_model.bin.index.json",
         "its weights are in several pytorch_model-*.bin, which can run code when they are opened; convert them with "
         "transformers: AutoModel.from_pretrained(DIR).save_pretrained(DIR, max_shard_size=\"100GB\")"},
        {"tf_model.h5", "its weights are in TensorFlow's format"},
        {"flax_model.msgpack", "its weights are in Flax's format"},
    };
    char *path = path_join(model_dir, "model.safetensors");

    if (path == NULL) {
        return RECO_E_NOMEM;
    }
    if (file_exists(path)) {
        *out = path;
        return 0;
    }
    mem_free(path);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        bool there;
        path = path_join(model_dir, others[i].name);
        if (path == NULL) {
            return RECO_E_NOMEM;
        }
        there = file_exists(path);
        mem_free(path);
        if (there) {
            return err_set(RECO_E_MODEL, "cannot read '%s': it has no model.safetensors; %s", model_dir,
                           others[i].what);
        }
    }
    return err_set(RECO_E_MODEL, "cannot read '%s': it has no weights (model.safetensors)", model_dir);
}
