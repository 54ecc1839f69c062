#include "data/hfinit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/safetensors.h"

enum { TENSORS_OUTSIDE_LAYERS = 9, TENSORS_PER_LAYER = 16 };

struct tensors {
    const struct hf_config *config;
    const char *prefix; /* of all but the classifier; a plain BertModel has none */
    uint64_t seed;
    struct safetensors_tensor *list; /* names and data owned */
    size_t count;
    uint64_t parameters;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static void fill(const struct tensors *ts, const char *name, const int64_t *shape, int dims, float *data)
{
    size_t numel = (size_t)shape[0] * (size_t)(dims == 2 ? shape[1] : 1);
    int64_t pad = ts->config->pad_token_id;
    struct rng r;

    if (dims == 1) {
        for (size_t i = 0; i < numel; i++) {
            data[i] = ends_with(name, "LayerNorm.weight") ? 1.0f : 0.0f;
        }
        return;
    }
    rng_init(&r, ts->seed, RNG_STREAM_INIT, (uint32_t)ts->count);
    for (size_t i = 0; i < numel; i++) {
        data[i] = (float)(rng_normal(&r) * ts->config->initializer_range);
    }
    if (ends_with(name, "word_embeddings.weight") && pad >= 0) {
        memset(data + pad * shape[1], 0, (size_t)shape[1] * sizeof *data);
    }
}

/* columns 0: a vector of rows numbers. */
static int add(struct tensors *ts, const char *module, const char *part, int64_t rows, int64_t columns)
{
    struct safetensors_tensor *t = &ts->list[ts->count];
    int dims = columns > 0 ? 2 : 1;
    size_t numel = (size_t)rows * (size_t)(columns > 0 ? columns : 1);
    float *data = mem_realloc_array(NULL, numel, sizeof *data);
    char *name = mem_printf("%s%s%s", strcmp(module, "classifier") == 0 ? "" : ts->prefix, module, part);

    if (data == NULL || name == NULL) {
        mem_free(data);
        mem_free(name);
        return RECO_E_NOMEM;
    }
    *t = (struct safetensors_tensor){.name = name,
                                     .dtype = SAFETENSORS_F32,
                                     .dims = dims,
                                     .shape = {rows, columns},
                                     .data = data,
                                     .size_bytes = numel * sizeof *data};
    fill(ts, name, t->shape, dims, data);
    ts->count++;
    ts->parameters += numel;
    return 0;
}

/* A weight [rows, columns] and a bias [rows]; columns 0: LayerNorm's. */
static int add_module(struct tensors *ts, const char *module, int64_t rows, int64_t columns)
{
    int rc = add(ts, module, ".weight", rows, columns);

    return rc < 0 ? rc : add(ts, module, ".bias", rows, 0);
}

static int add_layer(struct tensors *ts, int64_t layer)
{
    const int64_t h = ts->config->hidden_size, wide = ts->config->intermediate_size;
    const struct {
        const char *name;
        int64_t rows, columns;
    } parts[] = {
        {"attention.self.query", h, h},   {"attention.self.key", h, h},         {"attention.self.value", h, h},
        {"attention.output.dense", h, h}, {"attention.output.LayerNorm", h, 0}, {"intermediate.dense", wide, h},
        {"output.dense", h, wide},        {"output.LayerNorm", h, 0},
    };
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof parts / sizeof *parts; i++) {
        char *module = mem_printf("encoder.layer.%" PRId64 ".%s", layer, parts[i].name);
        rc = module == NULL ? RECO_E_NOMEM : add_module(ts, module, parts[i].rows, parts[i].columns);
        mem_free(module);
    }
    return rc;
}

static int add_all(struct tensors *ts)
{
    const struct hf_config *c = ts->config;
    const int64_t h = c->hidden_size;
    int rc = add(ts, "embeddings.word_embeddings", ".weight", c->vocab_size, h);

    rc = rc < 0 ? rc : add(ts, "embeddings.position_embeddings", ".weight", c->max_position_embeddings, h);
    rc = rc < 0 ? rc : add(ts, "embeddings.token_type_embeddings", ".weight", c->type_vocab_size, h);
    rc = rc < 0 ? rc : add_module(ts, "embeddings.LayerNorm", h, 0);
    for (int64_t layer = 0; rc == 0 && layer < c->num_hidden_layers; layer++) {
        rc = add_layer(ts, layer);
    }
    rc = rc < 0 ? rc : add_module(ts, "pooler.dense", h, h);
    if (rc == 0 && c->has_labels) {
        rc = add_module(ts, "classifier", c->labels.task == LABEL_TASK_CLASSIFICATION ? c->labels.count : 1, h);
    }
    return rc;
}

static int put_file(const char *dir, const char *name, const struct buf *b)
{
    char *path = path_join(dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : file_write_all(path, buf_str(b), b->length);

    mem_free(path);
    return rc;
}

/* vocab.txt and what transformers needs to read it in the same way. */
static int put_tokenizer(const char *dir, const struct hf_config *config, const char *vocab, bool do_lower_case)
{
    struct buf b = {0};
    int rc = file_read_all(vocab, 0, &b);

    rc = rc < 0 ? rc : put_file(dir, "vocab.txt", &b);
    buf_clear(&b);
    if (rc == 0) {
        rc = buf_printf(&b,
                        "{\n  \"tokenizer_class\": \"BertTokenizer\",\n  \"do_lower_case\": %s,\n"
                        "  \"model_max_length\": %" PRId64 "\n}\n",
                        do_lower_case ? "true" : "false", config->max_position_embeddings);
    }
    rc = rc < 0 ? rc : put_file(dir, "tokenizer_config.json", &b);
    buf_release(&b);
    return rc;
}

static int put_weights(const char *dir, const struct hf_config *config, uint64_t seed, uint64_t *parameters)
{
    struct tensors ts = {.config = config, .prefix = config->has_labels ? "bert." : "", .seed = seed};
    size_t capacity = TENSORS_OUTSIDE_LAYERS + TENSORS_PER_LAYER * (size_t)config->num_hidden_layers;
    char *path = path_join(dir, "model.safetensors");
    int rc = 0;

    ts.list = mem_calloc(capacity, sizeof *ts.list);
    if (path == NULL || ts.list == NULL) {
        rc = RECO_E_NOMEM;
    }
    rc = rc < 0 ? rc : add_all(&ts);
    rc = rc < 0 ? rc : safetensors_write(path, ts.list, ts.count, NULL, 0);
    *parameters = ts.parameters;
    for (size_t i = 0; i < ts.count; i++) {
        mem_free((void *)(uintptr_t)ts.list[i].name);
        mem_free((void *)(uintptr_t)ts.list[i].data);
    }
    mem_free(ts.list);
    mem_free(path);
    return rc;
}

int hf_dir_init(const char *out_dir, const struct hf_config *config, const char *vocab, bool do_lower_case,
                uint64_t seed, uint64_t *parameters)
{
    bool from_dir = dir_exists(vocab);
    char *stage = NULL;
    uint64_t count = 0;
    int rc = dir_stage_begin(&stage, out_dir);

    if (rc == 0 && !from_dir) {
        rc = put_tokenizer(stage, config, vocab, do_lower_case);
    }
    rc = rc < 0 ? rc
                : hf_dir_write(stage, config, config->has_labels ? &config->labels : NULL, from_dir ? vocab : stage);
    rc = rc < 0 ? rc : put_weights(stage, config, seed, &count);
    rc = rc < 0 ? rc : dir_stage_commit(stage, out_dir);
    if (rc < 0) {
        dir_stage_abort(stage);
    } else {
        *parameters = count;
    }
    mem_free(stage);
    return rc;
}
