#ifndef RECO_DATA_HFDIR_H
#define RECO_DATA_HFDIR_H

/*
 * A Hugging Face model directory, without tensors: config.json of a BERT sequence classifier read, checked and written.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "data/labels.h"

enum hf_act { HF_ACT_GELU, HF_ACT_GELU_TANH, HF_ACT_RELU }; /* "gelu", "gelu_new" / "gelu_pytorch_tanh", "relu" */

struct hf_config {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int64_t max_position_embeddings, type_vocab_size, pad_token_id;
    double layer_norm_eps, initializer_range;
    double hidden_dropout_prob, attention_probs_dropout_prob;
    double classifier_dropout;        /* NaN when null: hidden_dropout_prob is used */
    enum hf_act hidden_act;
    bool has_labels;                  /* the file names a classifier: architectures is *ForSequenceClassification */
    struct label_map labels;          /* from id2label / problem_type / "reco" key; empty when !has_labels */
    json_t *json;                     /* the file as read: unknown keys survive load and save */
};
void hf_config_release(struct hf_config *config);

/* RECO_E_MODEL: not found, not JSON, model_type not bert, decoder, unsupported hidden_act, position_embedding_type other
 * than absolute, multi-label, sizes that do not fit together (hidden % heads). The message says what is supported. */
int hf_config_read(struct hf_config *out, const char *model_dir) RECO_MUST_CHECK;

/* From a JSON file or text that need not be in a model directory (reco init). */
int hf_config_read_file(struct hf_config *out, const char *path) RECO_MUST_CHECK;

/*
 * Writes config.json (architectures BertForSequenceClassification, id2label, label2id, problem_type, num_labels in the way
 * transformers reads them, plus "reco": grades, positive label, label hash), and copies vocab.txt, tokenizer_config.json
 * and, where present, tokenizer.json, special_tokens_map.json, added_tokens.json from source_dir. A source_dir
 * without tokenizer_config.json gets one. out_dir exists. labels replaces the config's.
 */
int hf_dir_write(const char *out_dir, const struct hf_config *config, const struct label_map *labels,
                 const char *source_dir) RECO_MUST_CHECK;

/* The path of the weights: model.safetensors; RECO_E_MODEL that explains when only pytorch_model.bin or a sharded index is there. The caller frees. */
int hf_dir_weights_path(char **out, const char *model_dir) RECO_MUST_CHECK;

#endif
