#ifndef RECO_DATA_HFINIT_H
#define RECO_DATA_HFINIT_H

/*
 * A randomly initialised BERT as a Hugging Face directory, without torch.
 * Source: BertPreTrainedModel._init_weights of transformers: weights normal(0, initializer_range), the embedding of the
 * padding token 0, biases 0, LayerNorm 1 and 0.
 */

#include <stdint.h>

#include "core/err.h"
#include "data/hfdir.h"

/*
 * Makes out_dir (staged, renamed when complete; an existing one is replaced) with config.json, model.safetensors and
 * the tokeniser files: those of vocab when it is a directory, else vocab as vocab.txt with a tokenizer_config.json that
 * says do_lower_case. A classifier is there when config->has_labels. Every tensor has random numbers of its own, named
 * by seed and its place: the same seed and shapes give the same bytes. *parameters is the count of numbers written. The
 * weights are held in memory while they are written.
 */
int hf_dir_init(const char *out_dir, const struct hf_config *config, const char *vocab, bool do_lower_case,
                uint64_t seed, uint64_t *parameters) RECO_MUST_CHECK;

#endif
