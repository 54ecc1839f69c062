#ifndef RECO_MODEL_BERT_H
#define RECO_MODEL_BERT_H

/*
 * BERT with a sequence classifier, on packed tokens: a batch is [N, H] over the real tokens of its B sequences, without
 * padding; attention runs within each sequence.     Source: Devlin et al. 2019; names and details as in transformers'
 * BertForSequenceClassification (post-LayerNorm, pooler with tanh, dropout before the classifier).
 *
 * Shape letters: B sequences, N tokens, H hidden size, I intermediate size, A heads, V vocabulary, P positions, T token
 * types, L layers, K logits (1 for regression and one-logit models).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "data/hfdir.h"
#include "data/labels.h"
#include "tch/tch.h"

struct bert_layer {
    struct tch_tensor *qkv_w, *qkv_b;             /* [3H, H], [3H]: query, key, value one under the other */
    struct tch_tensor *attention_w, *attention_b; /* [H, H], [H] */
    struct tch_tensor *attention_ln_w, *attention_ln_b;
    struct tch_tensor *inner_w, *inner_b;   /* [I, H], [I] */
    struct tch_tensor *output_w, *output_b; /* [H, I], [H] */
    struct tch_tensor *output_ln_w, *output_ln_b;
};

/* One trainable tensor. name is Hugging Face's; for query, key and value kept as one it is
 * "...attention.self.qkv.weight". */
struct bert_param {
    char *name;
    struct tch_tensor **tensor; /* the field of struct bert or struct bert_layer */
    int64_t shape[2];
    int dims;
    bool decay; /* weight decay applies: neither a bias nor LayerNorm */
};

struct bert {
    struct hf_config config;
    struct label_map labels;
    int64_t logits; /* K */
    struct tch_device device;
    char *source_dir;                          /* where the tokeniser files are */
    struct tch_tensor *word, *position, *type; /* [V, H], [P, H], [T, H] */
    struct tch_tensor *embedding_ln_w, *embedding_ln_b;
    struct bert_layer *layers;                      /* [L] */
    struct tch_tensor *pooler_w, *pooler_b;         /* [H, H], [H] */
    struct tch_tensor *classifier_w, *classifier_b; /* [K, H], [K] */
    struct bert_param *params;                      /* [param_count], in the order of the file */
    size_t param_count;
};

struct bert_load_options {
    const struct label_map *labels; /* the classes wanted; NULL: those of the model, which must have a classifier */
    bool ignore_mismatched_sizes;   /* a classifier of another shape is replaced by a fresh one */
    uint64_t seed;                  /* of fresh weights: normal(0, initializer_range), biases 0 */
    struct tch_device device;
    const char *source_dir; /* the tokeniser files that bert_save copies; NULL: those of dir */
};

/*
 * Reads a Hugging Face directory. Tensors are found with and without the "bert." prefix and under the original names
 * (LayerNorm.gamma, LayerNorm.beta); F16 and BF16 are converted; position_ids and cls.* are ignored. A missing pooler
 * or (with options->labels) classifier is made fresh, and said so by log_info. RECO_E_MODEL names the tensor that is
 * missing or of a wrong shape.
 */
int bert_load(struct bert **out, const char *dir, const struct bert_load_options *options) RECO_MUST_CHECK;
void bert_free(struct bert *bert);

/*
 * Writes config.json, the tokeniser files and model.safetensors (F32, Hugging Face names, state_dict order) into an
 * existing directory. The weights come last and in one rename, so that a kill leaves the old ones or the new ones.
 */
int bert_save(const struct bert *bert, const char *dir) RECO_MUST_CHECK;

/* Bytes of all parameters in float32. */
uint64_t bert_bytes(const struct bert *bert);

/* A packed batch on the device: made from struct batch by batch_upload (batch.h). Tensors belong to a scope. */
struct bert_input {
    struct tch_tensor *ids, *types, *positions; /* [N] int64 */
    struct tch_tensor *units;                   /* [N] int64: dropout units */
    struct tch_tensor *first;                   /* [B] int64: index of each sequence's [CLS] */
    struct tch_tensor *first_units;             /* [B] int64: its dropout unit */
    struct tch_seqlens lens;
};

/* Which dropout masks: seed and step as in struct tch_dropout. NULL instead of this: no dropout. */
struct bert_dropout {
    uint64_t seed;
    uint32_t step;
};

/* Logits [B, K]; NULL if the scope has failed. */
struct tch_tensor *bert_forward(struct tch_scope *s, const struct bert *bert, const struct bert_input *input,
                                const struct bert_dropout *dropout);

#endif
