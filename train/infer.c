#include "train/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "train/feed.h"

struct sorted_row {
    uint32_t row;
    uint32_t tokens;
};

struct window {
    struct sorted_row *sorted; /* [capacity] */
    uint32_t *rows;            /* [capacity] scratch of one batch */
    float *logits;             /* [capacity, K] by place in the window */
    float *batch_logits;       /* [capacity, K] */
    struct infer_row *results; /* [capacity] by place in the window */
    size_t first, count;
};

static int window_init(struct window *w, size_t capacity, size_t k)
{
    memset(w, 0, sizeof *w);
    w->sorted = mem_calloc(capacity, sizeof *w->sorted);
    w->rows = mem_calloc(capacity, sizeof *w->rows);
    w->logits = mem_calloc(capacity * k, sizeof *w->logits);
    w->batch_logits = mem_calloc(capacity * k, sizeof *w->batch_logits);
    w->results = mem_calloc(capacity, sizeof *w->results);
    if (w->sorted == NULL || w->rows == NULL || w->logits == NULL || w->batch_logits == NULL || w->results == NULL)
        return err_nomem();
    return 0;
}

static void window_release(struct window *w)
{
    mem_free(w->sorted);
    mem_free(w->rows);
    mem_free(w->logits);
    mem_free(w->batch_logits);
    mem_free(w->results);
}

static int longer_first(const void *a, const void *b)
{
    const struct sorted_row *x = a, *y = b;
    if (x->tokens != y->tokens)
        return x->tokens > y->tokens ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Lengths as they will be at most; exact ones come with the encoding. */
static void window_sort(struct window *w, const struct dataset_split *split, size_t max_length)
{
    enum { SPECIALS = 3 };
    for (size_t i = 0; i < w->count; i++) {
        size_t query = 0, description = 0;
        dataset_lengths(split, w->first + i, &query, &description);
        size_t tokens = query + description + SPECIALS;
        w->sorted[i].row = (uint32_t)(w->first + i);
        w->sorted[i].tokens = (uint32_t)(tokens < max_length ? tokens : max_length);
    }
    qsort(w->sorted, w->count, sizeof *w->sorted, longer_first);
}

static int run_batch(struct window *w, const struct bert *bert, struct feed *feed, size_t count, bool bf16)
{
    const size_t k = (size_t)bert->logits;
    int rc = feed_fill(feed, w->rows, count, 0, &bert->labels);
    if (rc != 0)
        return rc;
    struct tch_scope_options options = {.compute = bf16 ? TCH_BFLOAT16 : TCH_FLOAT32, .device = bert->device};
    struct tch_scope *s = tch_scope_begin(&options);
    struct bert_input input;
    batch_upload(&feed->batch, s, &input);
    struct tch_tensor *logits = bert_forward(s, bert, &input, NULL);
    int copied = tch_scope_status(s) != 0
                     ? 0
                     : tch_copy_out(logits, TCH_FLOAT32, w->batch_logits, count * k * sizeof *w->batch_logits);
    if (tch_scope_end(s) != 0 || copied != 0)
        return err_set(RECO_E_MODEL, "cannot run the model: %s", tch_last_error());

    for (size_t i = 0; i < count; i++) {
        size_t place = w->rows[i] - w->first;
        float *to = w->logits + place * k;
        memcpy(to, w->batch_logits + i * k, k * sizeof *to);
        w->results[place] = (struct infer_row){
            .row = w->rows[i],
            .logits = to,
            .label = feed->labels[i],
            .target = feed->targets[i],
            .weight = feed->weights[i],
            .tokens = (size_t)(feed->batch.cu[i + 1] - feed->batch.cu[i]),
            .lost = feed->lost[i],
        };
        for (size_t j = 0; j < k; j++)
            if (!isfinite(to[j]))
                return err_set(RECO_E_MODEL, "the model gives a value that is not finite for row %zu",
                               (size_t)w->rows[i] + 1);
    }
    return 0;
}

static int window_run(struct window *w, const struct bert *bert, struct feed *feed, const struct infer_options *o)
{
    const size_t usual = bert->device.cuda ? INFER_CUDA_TOKENS : INFER_CPU_TOKENS;
    const size_t batch_tokens = o->batch_tokens > 0 ? o->batch_tokens : usual;
    int rc = 0;
    for (size_t i = 0; i < w->count && rc == 0;) {
        size_t count = 0, tokens = 0;
        while (i < w->count && (count == 0 || tokens + w->sorted[i].tokens <= batch_tokens) &&
               (o->batch_rows == 0 || count < o->batch_rows)) {
            tokens += w->sorted[i].tokens;
            w->rows[count++] = w->sorted[i++].row;
        }
        rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped by a signal")
                              : run_batch(w, bert, feed, count, o->bf16);
    }
    return rc;
}

int infer_run(const struct bert *bert, const struct dataset_split *split, size_t rows,
              const struct infer_options *options, infer_row_fn *fn, void *arg)
{
    struct window w = {0};
    struct feed feed = {0};
    size_t capacity = options->window_rows > 0 ? options->window_rows : INFER_WINDOW_ROWS;
    if (capacity > rows)
        capacity = rows;
    if (rows == 0)
        return 0;
    int rc = window_init(&w, capacity, (size_t)bert->logits);
    if (rc == 0)
        rc = feed_init(&feed, split, options->max_length, options->truncation);
    for (w.first = 0; w.first < rows && rc == 0; w.first += w.count) {
        w.count = rows - w.first < capacity ? rows - w.first : capacity;
        window_sort(&w, split, options->max_length);
        rc = window_run(&w, bert, &feed, options);
        for (size_t i = 0; i < w.count && rc == 0; i++)
            rc = fn(arg, &w.results[i]);
    }
    feed_release(&feed);
    window_release(&w);
    return rc;
}

void infer_probabilities(const struct label_map *labels, const float *logits, double *p, double *value)
{
    if (labels->task == LABEL_TASK_REGRESSION) {
        *value = logits[0];
        return;
    }
    if (labels->task == LABEL_TASK_BINARY_LOGIT) {
        double positive = 1.0 / (1.0 + exp(-(double)logits[0]));
        p[labels->positive] = positive;
        p[1 - labels->positive] = 1.0 - positive;
    } else {
        double top = logits[0], sum = 0;
        for (int k = 1; k < labels->count; k++)
            top = fmax(top, logits[k]);
        for (int k = 0; k < labels->count; k++)
            sum += p[k] = exp(logits[k] - top);
        for (int k = 0; k < labels->count; k++)
            p[k] /= sum;
    }
    *value = label_map_score(labels, p, 0);
}

int infer_predicted(const struct label_map *labels, const double *p)
{
    int best = 0;
    for (int k = 1; k < labels->count; k++)
        if (p[k] > p[best])
            best = k;
    return best;
}
