#include "model/bert.h"

#include <math.h>

#include "core/mem.h"
#include "model/bert_params.h"

/* Dropout sites, numbered through the network; part of what a seed means, never renumbered. */
enum { SITE_EMBEDDINGS = 0, SITE_LAYER_0 = 1, SITES_PER_LAYER = 3, SITE_CLASSIFIER = 1 << 20 };
enum { SITE_PROBABILITIES, SITE_ATTENTION, SITE_OUTPUT };

static uint32_t layer_site(int64_t layer, int which)
{
    return (uint32_t)(SITE_LAYER_0 + layer * SITES_PER_LAYER + which);
}

static enum tch_act activation_of(enum hf_act act)
{
    switch (act) {
    case HF_ACT_GELU_TANH:
        return TCH_ACT_GELU_TANH;
    case HF_ACT_RELU:
        return TCH_ACT_RELU;
    default:
        return TCH_ACT_GELU;
    }
}

static struct tch_dropout dropout_of(const struct bert_dropout *d, double p, struct tch_tensor *units)
{
    if (d == NULL)
        return (struct tch_dropout){.p = 0};
    return (struct tch_dropout){.seed = d->seed, .step = d->step, .p = p, .unit_ids = units};
}

struct tch_tensor *bert_forward(struct tch_scope *s, const struct bert *bert, const struct bert_input *input,
                                const struct bert_dropout *dropout)
{
    const struct hf_config *c = &bert->config;
    const double eps = c->layer_norm_eps;
    const double classifier_p = isnan(c->classifier_dropout) ? c->hidden_dropout_prob : c->classifier_dropout;
    struct tch_dropout hidden = dropout_of(dropout, c->hidden_dropout_prob, input->units);
    const struct tch_dropout attention = dropout_of(dropout, c->attention_probs_dropout_prob, input->units);
    const struct tch_dropout pooled = dropout_of(dropout, classifier_p, input->first_units);

    const size_t mark = tch_scope_mark(s);
    struct tch_tensor *x = /* [N, H] */
        tch_embed(s, bert->word, bert->position, bert->type, input->ids, input->positions, input->types);
    x = tch_layer_norm(s, x, bert->embedding_ln_w, bert->embedding_ln_b, eps);
    x = tch_dropout(s, x, &hidden, SITE_EMBEDDINGS);

    for (int64_t i = 0; i < c->num_hidden_layers; i++) {
        const struct bert_layer *l = &bert->layers[i];
        struct tch_tensor *h = tch_linear(s, x, l->qkv_w, l->qkv_b); /* [N, 3H] */
        h = tch_attention(s, h, &input->lens, (int)c->num_attention_heads, &attention,
                          layer_site(i, SITE_PROBABILITIES));
        if (i == c->num_hidden_layers - 1) {
            /* Only [CLS] is read from the last layer: from here on its rows alone, [B, H]. */
            h = tch_index_rows(s, h, input->first);
            x = tch_index_rows(s, x, input->first);
            hidden.unit_ids = pooled.unit_ids;
        }
        h = tch_linear(s, h, l->attention_w, l->attention_b);
        x = tch_dropout_add_layer_norm(s, h, x, l->attention_ln_w, l->attention_ln_b, eps, &hidden,
                                       layer_site(i, SITE_ATTENTION));
        h = tch_linear_act(s, x, l->inner_w, l->inner_b, activation_of(c->hidden_act)); /* [N, I] */
        h = tch_linear(s, h, l->output_w, l->output_b);
        x = tch_dropout_add_layer_norm(s, h, x, l->output_ln_w, l->output_ln_b, eps, &hidden,
                                       layer_site(i, SITE_OUTPUT));
        tch_scope_release(s, mark, x);
    }

    x = tch_tanh(s, tch_linear(s, x, bert->pooler_w, bert->pooler_b)); /* [B, H] */
    x = tch_dropout(s, x, &pooled, SITE_CLASSIFIER);
    return tch_linear(s, x, bert->classifier_w, bert->classifier_b); /* [B, K] */
}

uint64_t bert_bytes(const struct bert *bert)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < bert->param_count; i++)
        bytes += bert_param_numel(&bert->params[i]) * sizeof(float);
    return bytes;
}

void bert_free(struct bert *bert)
{
    if (bert == NULL)
        return;
    for (size_t i = 0; i < bert->param_count; i++) {
        tch_tensor_free(*bert->params[i].tensor);
        mem_free(bert->params[i].name);
    }
    mem_free(bert->params);
    mem_free(bert->layers);
    mem_free(bert->source_dir);
    label_map_release(&bert->labels);
    hf_config_release(&bert->config);
    mem_free(bert);
}
