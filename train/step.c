#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/buf.h"
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

int trainer_read_loss(struct trainer *t)
{
    double sum = 0;
    if (t->loss_sum == NULL)
        return 0;
    if (tch_copy_out(t->loss_sum, TCH_FLOAT64, &sum, sizeof sum) != 0)
        return err_set(RECO_E_MODEL, "cannot read the loss: %s", tch_last_error());
    tch_tensor_free(t->loss_sum);
    t->loss_sum = NULL;
    t->state.epoch_loss += sum;
    t->state.epoch_weight += t->unread_weight;
    t->state.log_loss += sum;
    t->state.log_weight += t->unread_weight;
    t->last_loss = t->unread_weight > 0 ? sum / t->unread_weight : 0;
    t->unread_weight = 0;
    return 0;
}

/* loss_sum += loss * weight, on the device and outside the graph. */
static void add_loss(struct trainer *t, struct tch_tensor *loss, double weight)
{
    struct tch_scope_options options = {.device = t->options->device};
    struct tch_scope *s = tch_scope_begin(&options);
    struct tch_tensor *sum = tch_scale(s, tch_to_dtype(s, loss, TCH_FLOAT64), weight);
    if (t->loss_sum != NULL)
        sum = tch_add(s, t->loss_sum, sum);
    sum = tch_keep(s, sum);
    if (tch_scope_end(s) == 0) {
        tch_tensor_free(t->loss_sum);
        t->loss_sum = sum;
    }
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
    if (tch_scope_status(s) == 0)
        add_loss(t, loss, weight);
    tch_backward(s, loss);
    if (tch_scope_end(s) != 0)
        return err_set(RECO_E_MODEL, "cannot train at step %" PRId64 ": %s", t->state.step + 1, tch_last_error());
    return 0;
}

static int diverged(const struct trainer *t, const uint32_t *rows, size_t count, double norm)
{
    struct buf names = {0};
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
            t->state.step + 1, t->last_loss, norm, buf_str(&names));
    buf_release(&names);
    return RECO_E_DIVERGED;
}

int trainer_step(struct trainer *t)
{
    const struct train_options *o = t->options;
    const struct train_plan *plan = &t->plan;
    const double started = clock_now_s();
    order_epoch(t, t->state.step / plan->steps_per_epoch);
    size_t begin = (size_t)(t->state.step % plan->steps_per_epoch * plan->window_rows);
    size_t count =
        plan->train_rows - begin < (size_t)plan->window_rows ? plan->train_rows - begin : (size_t)plan->window_rows;
    const uint32_t *rows = t->order + begin;
    double weight = 0;
    for (size_t i = 0; i < count; i++)
        weight += dataset_weight(plan->train, rows[i]);

    int rc = 0;
    for (size_t done = 0; done < count && rc == 0;) {
        size_t batch = count - done < (size_t)o->batch_rows ? count - done : (size_t)o->batch_rows;
        /* A window of weight 0 has the loss 0; any other denominator than 0 gives it. */
        rc = accumulate(t, rows + done, batch, done, weight > 0 ? weight : 1.0);
        done += batch;
    }
    if (rc != 0)
        return rc;
    t->unread_weight += weight;
    double norm = 0;
    if (tch_adamw_step(t->adamw, trainer_rate(t, t->state.step), o->max_grad_norm, &norm) != 0)
        return err_set(RECO_E_MODEL, "cannot update the weights at step %" PRId64 ": %s", t->state.step + 1,
                       tch_last_error());
    t->state.grad_norm = norm;
    /* Reading the loss waits for a GPU: there only when it is shown. */
    if (!o->device.cuda || !isfinite(norm))
        rc = trainer_read_loss(t);
    if (rc == 0 && (!isfinite(norm) || !isfinite(t->last_loss)))
        rc = diverged(t, rows, count, norm);
    if (rc == 0) {
        t->state.step++;
        t->busy_rows += (int64_t)count;
        t->busy_s += clock_now_s() - started;
    }
    return rc;
}
