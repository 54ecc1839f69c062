#ifndef RECO_MODEL_BERT_PARAMS_H
#define RECO_MODEL_BERT_PARAMS_H

/* Inside of model/: the parameter list of struct bert, from which loading, saving, optimiser and checkpoints work. */

#include "model/bert.h"

enum { BERT_QKV_PARTS = 3 };

/* Fills bert->layers (empty) and bert->params from bert->config and bert->logits; no tensor is made. */
int bert_params_build(struct bert *bert) RECO_MUST_CHECK;

/* One tensor of the file: parameter names with q, k and v apart. */
struct bert_file_tensor {
    char *name;
    int64_t shape[2];
    int dims;
    size_t numel;
};

/* How many file tensors a parameter is: 3 for query, key and value kept as one, else 1. */
int bert_param_parts(const struct bert_param *param);

/* The part-th file tensor of a parameter; the caller frees out->name. */
int bert_param_part(struct bert_file_tensor *out, const struct bert_param *param, int part) RECO_MUST_CHECK;

size_t bert_param_numel(const struct bert_param *param);

#endif
