#include "train/feed.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

int feed_init(struct feed *f, const struct dataset_split *split, size_t max_length,
              enum wordpiece_truncation truncation)
{
    memset(f, 0, sizeof *f);
    f->split = split;
    f->max_length = max_length;
    f->truncation = truncation;
    f->ids = mem_calloc(max_length, sizeof *f->ids);
    f->types = mem_calloc(max_length, sizeof *f->types);
    return f->ids != NULL && f->types != NULL ? 0 : err_nomem();
}

void feed_release(struct feed *f)
{
    batch_release(&f->batch);
    mem_free(f->labels);
    mem_free(f->targets);
    mem_free(f->weights);
    mem_free(f->lost);
    mem_free(f->ids);
    mem_free(f->types);
    memset(f, 0, sizeof *f);
}

static int reserve(struct feed *f, size_t rows)
{
    if (rows <= f->row_capacity)
        return 0;
    int64_t *labels = mem_realloc_array(f->labels, rows, sizeof *labels);
    if (labels != NULL)
        f->labels = labels;
    float *targets = mem_realloc_array(f->targets, rows, sizeof *targets);
    if (targets != NULL)
        f->targets = targets;
    float *weights = mem_realloc_array(f->weights, rows, sizeof *weights);
    if (weights != NULL)
        f->weights = weights;
    size_t *lost = mem_realloc_array(f->lost, rows, sizeof *lost);
    if (lost != NULL)
        f->lost = lost;
    if (labels == NULL || targets == NULL || weights == NULL || lost == NULL)
        return err_nomem();
    f->row_capacity = rows;
    return 0;
}

int feed_fill(struct feed *f, const uint32_t *rows, size_t count, uint64_t first_row, const struct label_map *labels)
{
    int rc = reserve(f, count);
    batch_clear(&f->batch);
    for (size_t i = 0; i < count && rc == 0; i++) {
        size_t length = 0;
        rc = dataset_encode(f->split, rows[i], f->max_length, f->truncation, f->ids, f->types, &length, &f->lost[i]);
        if (rc == 0)
            rc = batch_add(&f->batch, f->ids, f->types, length, first_row + i);
        if (rc != 0)
            break;
        int label = dataset_label(f->split, rows[i]);
        f->labels[i] = label;
        f->weights[i] = dataset_weight(f->split, rows[i]);
        if (labels->task == LABEL_TASK_REGRESSION)
            f->targets[i] = (float)dataset_target(f->split, rows[i]);
        else
            f->targets[i] = label < 0 ? NAN : (float)(label == labels->positive);
    }
    return rc;
}

struct tch_tensor *feed_loss(const struct feed *f, struct tch_scope *s, struct tch_tensor *logits, enum label_task task,
                             double denominator)
{
    const int64_t rows = (int64_t)f->batch.rows;
    struct tch_tensor *weights = tch_from_data(s, f->weights, TCH_FLOAT32, &rows, 1);
    if (task == LABEL_TASK_CLASSIFICATION) {
        struct tch_tensor *labels = tch_from_data(s, f->labels, TCH_INT64, &rows, 1);
        return tch_cross_entropy(s, logits, labels, weights, denominator);
    }
    struct tch_tensor *targets = tch_from_data(s, f->targets, TCH_FLOAT32, &rows, 1);
    if (task == LABEL_TASK_REGRESSION)
        return tch_mse(s, logits, targets, weights, denominator);
    return tch_bce_logits(s, logits, targets, weights, denominator);
}

double feed_row_loss(const float *logits, const struct label_map *labels, int64_t label, double target)
{
    if (labels->task == LABEL_TASK_REGRESSION)
        return (logits[0] - target) * (logits[0] - target);
    if (label < 0)
        return NAN;
    if (labels->task == LABEL_TASK_BINARY_LOGIT) {
        double x = label == labels->positive ? -(double)logits[0] : (double)logits[0];
        return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); /* log(1 + e^x) */
    }
    double top = logits[0], sum = 0;
    for (int k = 1; k < labels->count; k++)
        top = fmax(top, logits[k]);
    for (int k = 0; k < labels->count; k++)
        sum += exp(logits[k] - top);
    return log(sum) + top - logits[label];
}
