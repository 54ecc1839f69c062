#include "model/bert_params.h"

#include <string.h>

#include "core/mem.h"

enum { PARAMS_OUTSIDE_LAYERS = 9, PARAMS_PER_LAYER = 12 };

static const char qkv_infix[] = ".self.qkv.";

static int add(struct bert *bert, struct tch_tensor **field, int64_t rows, int64_t columns, char *name)
{
    if (name == NULL)
        return err_nomem();
    struct bert_param *p = &bert->params[bert->param_count++];
    p->name = name;
    p->tensor = field;
    p->shape[0] = rows;
    p->shape[1] = columns;
    p->dims = columns > 0 ? 2 : 1;
    size_t length = strlen(name);
    bool bias = length >= 5 && strcmp(name + length - 5, ".bias") == 0;
    p->decay = !bias && strstr(name, "LayerNorm") == NULL;
    return 0;
}

static int add_layer(struct bert *bert, int64_t index)
{
    const int64_t h = bert->config.hidden_size, inner = bert->config.intermediate_size;
    struct bert_layer *l = &bert->layers[index];
    const struct {
        const char *name;
        struct tch_tensor **field;
        int64_t rows, columns;
    } rows[PARAMS_PER_LAYER] = {
        {"attention.self.qkv.weight", &l->qkv_w, BERT_QKV_PARTS * h, h},
        {"attention.self.qkv.bias", &l->qkv_b, BERT_QKV_PARTS * h, 0},
        {"attention.output.dense.weight", &l->attention_w, h, h},
        {"attention.output.dense.bias", &l->attention_b, h, 0},
        {"attention.output.LayerNorm.weight", &l->attention_ln_w, h, 0},
        {"attention.output.LayerNorm.bias", &l->attention_ln_b, h, 0},
        {"intermediate.dense.weight", &l->inner_w, inner, h},
        {"intermediate.dense.bias", &l->inner_b, inner, 0},
        {"output.dense.weight", &l->output_w, h, inner},
        {"output.dense.bias", &l->output_b, h, 0},
        {"output.LayerNorm.weight", &l->output_ln_w, h, 0},
        {"output.LayerNorm.bias", &l->output_ln_b, h, 0},
    };
    int rc = 0;
    for (int i = 0; i < PARAMS_PER_LAYER && rc == 0; i++)
        rc = add(bert, rows[i].field, rows[i].rows, rows[i].columns,
                 mem_printf("bert.encoder.layer.%lld.%s", (long long)index, rows[i].name));
    return rc;
}

int bert_params_build(struct bert *bert)
{
    const struct hf_config *c = &bert->config;
    const int64_t h = c->hidden_size;
    bert->layers = mem_calloc((size_t)c->num_hidden_layers, sizeof *bert->layers);
    bert->params =
        mem_calloc((size_t)c->num_hidden_layers * PARAMS_PER_LAYER + PARAMS_OUTSIDE_LAYERS, sizeof *bert->params);
    if (bert->layers == NULL || bert->params == NULL)
        return err_nomem();

    static const char embeddings[] = "bert.embeddings.";
    const struct {
        const char *prefix, *name;
        struct tch_tensor **field;
        int64_t rows, columns;
    } outside[PARAMS_OUTSIDE_LAYERS] = {
        {embeddings, "word_embeddings.weight", &bert->word, c->vocab_size, h},
        {embeddings, "position_embeddings.weight", &bert->position, c->max_position_embeddings, h},
        {embeddings, "token_type_embeddings.weight", &bert->type, c->type_vocab_size, h},
        {embeddings, "LayerNorm.weight", &bert->embedding_ln_w, h, 0},
        {embeddings, "LayerNorm.bias", &bert->embedding_ln_b, h, 0},
        {"bert.pooler.", "dense.weight", &bert->pooler_w, h, h},
        {"bert.pooler.", "dense.bias", &bert->pooler_b, h, 0},
        {"classifier.", "weight", &bert->classifier_w, bert->logits, h},
        {"classifier.", "bias", &bert->classifier_b, bert->logits, 0},
    };
    int rc = 0;
    for (int i = 0; i < PARAMS_OUTSIDE_LAYERS && rc == 0; i++) {
        if (outside[i].field == &bert->pooler_w)
            for (int64_t layer = 0; layer < c->num_hidden_layers && rc == 0; layer++)
                rc = add_layer(bert, layer);
        if (rc == 0)
            rc = add(bert, outside[i].field, outside[i].rows, outside[i].columns,
                     mem_printf("%s%s", outside[i].prefix, outside[i].name));
    }
    return rc;
}

int bert_param_parts(const struct bert_param *param)
{
    return strstr(param->name, qkv_infix) != NULL ? BERT_QKV_PARTS : 1;
}

int bert_param_part(struct bert_file_tensor *out, const struct bert_param *param, int part)
{
    static const char *const part_names[BERT_QKV_PARTS] = {"query", "key", "value"};
    const char *infix = strstr(param->name, qkv_infix);
    memset(out, 0, sizeof *out);
    out->dims = param->dims;
    out->shape[0] = param->shape[0];
    out->shape[1] = param->shape[1];
    out->numel = bert_param_numel(param);
    if (infix == NULL) {
        out->name = mem_strdup(param->name);
    } else {
        out->shape[0] /= BERT_QKV_PARTS;
        out->numel /= BERT_QKV_PARTS;
        out->name = mem_printf("%.*s.self.%s.%s", (int)(infix - param->name), param->name, part_names[part],
                               infix + strlen(qkv_infix));
    }
    return out->name != NULL ? 0 : err_nomem();
}

size_t bert_param_numel(const struct bert_param *param)
{
    return (size_t)param->shape[0] * (size_t)(param->dims == 2 ? param->shape[1] : 1);
}
