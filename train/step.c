#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/rng.h"
#include "train/trainer.h"

/* Dropout draws from Philox blocks keyed by the seed, as core/rng.h does: another key keeps the streams apart. */
static const uint64_t dropout_key = 0x9E3779B97F4A7C15u;

enum { ROWS_NAMED = 16 };

double trainer_rate(const struct trainer *t, int64_t step)
{
    return t->options->learning_rate * t->options->schedule->factor(step, t->plan.warmup_steps, t->plan.total_steps);
}

double trainer_epoch(const struct trainer *t)
{
    return (double)t->state.step / (double)t->plan.steps_per_epoch;
}

double trainer_pairs_per_s(const struct trainer *t)
{
    return t->busy_s > 0 ? (double)t->busy_rows / t->busy_s : 0;
}

static void order_epoch(struct trainer *t, int64_t epoch)
{
    if (t->order_epoch == epoch)
        return;
    struct rng r;
    rng_init(&r, t->options->seed, RNG_STREAM_SHUFFLE, (uint32_t)epoch);
    for (size_t i = 0; i < t->plan.train_rows; i++)
        t->order[i] = (uint32_t)i;
    rng_shuffle_u32(&r, t->order, t->plan.train_rows);
    t->order_epoch = epoch;
}

/* The rows of an update, as they lie in t->order; the epoch must be the one in order. */
static const uint32_t *window_of(const struct trainer *t, int64_t step, size_t *count)
{
    const struct train_plan *plan = &t->plan;
    size_t begin = (size_t)(step % plan->steps_per_epoch * plan->window_rows), left = plan->train_rows - begin;
    *count = left < (size_t)plan->window_rows ? left : (size_t)plan->window_rows;
    return t->order + begin;
}

/* step: the update, counted from 0, whose loss or gradient norm is not finite. */
static int diverged(const struct trainer *t, int64_t step, double loss, double norm)
{
    struct buf names = {0};
    size_t count;
    const uint32_t *rows = window_of(t, step, &count);
    int rc = 0;
    for (size_t i = 0; i < count && i < ROWS_NAMED && rc == 0; i++) {
        size_t length;
        const char *columns = dataset_columns(t->plan.train, rows[i], &length);
        const char *end = memchr(columns, '\t', length);
        rc = buf_printf(&names, "%s%.*s", i > 0 ? ", " : "", (int)(end != NULL ? end - columns : (ptrdiff_t)length),
                        columns);
    }
    if (rc == 0 && count > ROWS_NAMED)
        rc = buf_printf(&names, " and %zu more", count - ROWS_NAMED);
    err_set(RECO_E_DIVERGED,
            "training diverged at step %" PRId64 ": loss %g, gradient norm %g; rows %s; "
            "checkpoints are as they were, a lower --learning_rate or a longer --warmup_steps may help",
            step + 1, loss, norm, buf_str(&names));
    buf_release(&names);
    return RECO_E_DIVERGED;
}

int trainer_read_loss(struct trainer *t)
{
    struct train_state *s = &t->state;
    double sum = 0, weight = 0;
    int rc = 0;
    for (size_t i = 0; i < t->pending_count && rc == 0; i++) {
        struct pending_loss *p = &t->pending[i];
        double loss = 0;
        if (tch_copy_out(p->loss, TCH_FLOAT64, &loss, sizeof loss) != 0)
            rc = err_set(RECO_E_MODEL, "cannot read the loss: %s", tch_last_error());
        else if (!isfinite(loss))
            rc = diverged(t, p->step, loss, s->grad_norm);
        sum += loss * p->weight;
        weight += p->weight;
    }
    for (size_t i = 0; i < t->pending_count; i++)
        tch_tensor_free(t->pending[i].loss);
    t->pending_count = 0;
    s->epoch_loss += sum;
    s->epoch_weight += weight;
    s->log_loss += sum;
    s->log_weight += weight;
    if (weight > 0)
        t->last_loss = sum / weight;
    return rc;
}

/* The window is complete: its loss waits to be read. */
static int push_loss(struct trainer *t, double weight)
{
    int rc = mem_grow((void **)&t->pending, &t->pending_capacity, t->pending_count + 1, sizeof *t->pending);
    if (rc == 0) {
        t->pending[t->pending_count++] = (struct pending_loss){t->window_loss, weight, t->state.step};
        t->window_loss = NULL;
    }
    return rc;
}

/* Forward and backward of one batch of the window; first: its place in the window; weight: of the whole window. */
static int accumulate(struct trainer *t, const uint32_t *rows, size_t count, uint64_t first, double weight)
{
    const struct train_options *o = t->options;
    int rc = feed_fill(&t->feed, rows, count, first, &t->bert->labels);
    if (rc != 0)
        return rc;
    struct tch_scope_options options = {
        .grad = true, .compute = o->bf16 ? TCH_BFLOAT16 : TCH_FLOAT32, .device = o->device};
    const struct bert_dropout dropout = {.seed = o->seed ^ dropout_key, .step = (uint32_t)t->state.step};
    struct tch_scope *s = tch_scope_begin(&options);
    struct bert_input input;
    batch_upload(&t->feed.batch, s, &input);
    struct tch_tensor *logits = bert_forward(s, t->bert, &input, &dropout);
    struct tch_tensor *loss = feed_loss(&t->feed, s, logits, t->bert->labels.task, weight);
    if (t->window_loss == NULL)
        t->window_loss = tch_keep(s, tch_zeros(s, TCH_FLOAT64, NULL, 0));
    tch_accumulate(s, t->window_loss, loss);
    tch_backward(s, loss);
    if (tch_scope_end(s) != 0)
        return err_set(RECO_E_MODEL, "cannot train at step %" PRId64 ": %s", t->state.step + 1, tch_last_error());
    return 0;
}

/*
 * Reading loss and norm waits for a GPU, so there it is done when they are needed: for a line of the log, and at the
 * end of an epoch, after which the order of the rows is another.
 */
static bool reads_device(const struct trainer *t)
{
    int64_t done = t->state.step + 1;
    return !t->options->device.cuda || done % t->options->logging_steps == 0 || done % t->plan.steps_per_epoch == 0 ||
           done == t->plan.total_steps;
}

/* The update and, where it is due, the check of what the device has done since the last one. */
static int update(struct trainer *t)
{
    const struct train_options *o = t->options;
    const bool reads = reads_device(t);
    double norm = 0;
    if (tch_adamw_step(t->adamw, trainer_rate(t, t->state.step), o->max_grad_norm, reads ? &norm : NULL) != 0)
        return err_set(RECO_E_MODEL, "cannot update the weights at step %" PRId64 ": %s", t->state.step + 1,
                       tch_last_error());
    if (!reads)
        return 0;
    t->state.grad_norm = norm;
    int rc = trainer_read_loss(t);
    if (rc == 0 && !isfinite(norm))
        rc = diverged(t, t->state.step, t->last_loss, norm);
    if (rc == 0 && tch_adamw_steps(t->adamw) != t->state.step + 1)
        rc = err_set(RECO_E_DIVERGED, "training diverged before step %" PRId64 ": a gradient was not finite",
                     t->state.step + 1);
    return rc;
}

int trainer_step(struct trainer *t)
{
    const struct train_options *o = t->options;
    const double started = clock_now_s();
    order_epoch(t, t->state.step / t->plan.steps_per_epoch);
    size_t count;
    const uint32_t *rows = window_of(t, t->state.step, &count);
    double weight = 0;
    for (size_t i = 0; i < count; i++)
        weight += dataset_weight(t->plan.train, rows[i]);

    int rc = 0;
    for (size_t done = 0; done < count && rc == 0;) {
        size_t batch = count - done < (size_t)o->batch_rows ? count - done : (size_t)o->batch_rows;
        /* A window of weight 0 has the loss 0; any other denominator than 0 gives it. */
        rc = accumulate(t, rows + done, batch, done, weight > 0 ? weight : 1.0);
        done += batch;
    }
    if (rc == 0)
        rc = push_loss(t, weight);
    if (rc == 0)
        rc = update(t);
    if (rc == 0) {
        t->state.step++;
        t->busy_rows += (int64_t)count;
        t->busy_s += clock_now_s() - started;
    }
    return rc;
}
