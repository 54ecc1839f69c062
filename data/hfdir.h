#ifndef RECO_DATA_HFDIR_H
#define RECO_DATA_HFDIR_H

/*
 * A Hugging Face model directory, without tensors: config.json of a BERT sequence classifier read, checked and written.
 * Absent keys have the defaults of transformers' BertConfig. Source: transformers 5.23, configuration_utils.py and
 * models/bert.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "data/labels.h"

enum hf_act { HF_ACT_GELU, HF_ACT_GELU_TANH, HF_ACT_RELU }; /* "gelu", "gelu_new" / "gelu_pytorch_tanh", "relu" */

struct hf_config {
    int64_t vocab_size, hidden_size, num_hidden_layers, num_attention_heads, intermediate_size;
    int64_t max_position_embeddings, type_vocab_size;
    int64_t pad_token_id; /* -1 when null */
    double layer_norm_eps, initializer_range;
    double hidden_dropout_prob, attention_probs_dropout_prob;
    double classifier_dropout; /* NaN when null: hidden_dropout_prob is used */
    enum hf_act hidden_act;
    bool has_labels;         /* the file names a classifier: architectures is *ForSequenceClassification */
    struct label_map labels; /* from id2label / problem_type / "reco" key; empty when !has_labels */
    json_t *json;            /* the file as read: unknown keys survive load and save */
};
void hf_config_release(struct hf_config *config);

/*
 * RECO_E_MODEL: not found, not JSON, model_type not bert, decoder, unsupported hidden_act, position_embedding_type
 * other than absolute, multi-label, sizes that do not fit together (hidden % heads), a vocab.txt that is not of
 * vocab_size tokens. The message says what is supported. RECO_E_IO: there, and cannot be read. One output is
 * regression, as transformers trains it; it is a one-logit model when problem_type is null and sentence-transformers (a
 * "sentence_transformers" or "sbert_ce_default_activation_function" key) or reco wrote it.
 */
int hf_config_read(struct hf_config *out, const char *model_dir) RECO_MUST_CHECK;

/*
 * RECO_E_MODEL when a vocabulary of so many tokens does not belong to the model: more than vocab_size, or fewer by 128
 * and more (a table padded to a round number is fine). source names the vocabulary in the message.
 */
int hf_config_check_vocab(const struct hf_config *config, int64_t tokens, const char *source) RECO_MUST_CHECK;

/* From JSON that need not be in a model directory (reco init): no vocabulary is looked at. json is taken, also on
 * failure; source names it in messages. */
int hf_config_from_json(struct hf_config *out, json_t *json, const char *source) RECO_MUST_CHECK;
int hf_config_read_file(struct hf_config *out, const char *path) RECO_MUST_CHECK;

/*
 * Writes config.json (architectures BertForSequenceClassification, id2label, label2id, problem_type in the way
 * transformers reads them, plus "reco": grades, positive label, label hash), and copies vocab.txt,
 * tokenizer_config.json, tokenizer.json, special_tokens_map.json and added_tokens.json from source_dir where they are
 * there. A source_dir without tokenizer_config.json gets one; RECO_E_MODEL when it has no vocabulary. out_dir exists,
 * and may be source_dir. labels replaces the config's; NULL: no classifier (BertModel). dtype is written as float32,
 * for that is how reco writes weights.
 */
int hf_dir_write(const char *out_dir, const struct hf_config *config, const struct label_map *labels,
                 const char *source_dir) RECO_MUST_CHECK;

/* The path of the weights: model.safetensors; RECO_E_MODEL that explains when only pytorch_model.bin or a sharded index
 * is there. The caller frees. */
int hf_dir_weights_path(char **out, const char *model_dir) RECO_MUST_CHECK;

#endif
