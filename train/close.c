#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "train/trainer.h"

static bool at_end_of_epoch(const struct trainer *t)
{
    return t->state.step % t->plan.steps_per_epoch == 0 || t->state.step == t->plan.total_steps;
}

/* Whether something of this rhythm is due after the last update; the end of the run counts. */
static bool is_due(const struct trainer *t, enum train_strategy strategy, int64_t every)
{
    if (strategy == TRAIN_STRATEGY_EPOCH)
        return at_end_of_epoch(t);
    return strategy == TRAIN_STRATEGY_STEPS && (t->state.step % every == 0 || t->state.step == t->plan.total_steps);
}

static int print(struct trainer *t, const char *line)
{
    progress_clear(&t->progress);
    return t->hooks != NULL && t->hooks->print != NULL ? t->hooks->print(t->hooks->arg, line) : 0;
}

static int log_step(struct trainer *t)
{
    struct train_state *s = &t->state;
    if (s->step % t->options->logging_steps != 0 && s->step != t->plan.total_steps)
        return 0;
    int rc = trainer_read_loss(t);
    if (rc != 0)
        return rc;
    double loss = s->log_weight > 0 ? s->log_loss / s->log_weight : 0;
    s->log_loss = s->log_weight = 0;
    return runlog_write(t->log, json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f}", "event", "train", "step",
                                          (json_int_t)s->step, "epoch", trainer_epoch(t), "loss", loss, "learning_rate",
                                          trainer_rate(t, s->step - 1), "grad_norm", s->grad_norm, "pairs_per_s",
                                          trainer_pairs_per_s(t)));
}

/* Higher or lower is better, as eval's table says; the loss is the lower the better. */
static bool is_better(const struct trainer *t, double value)
{
    const char *metric = t->options->metric_for_best_model;
    int direction = strcmp(metric, "loss") == 0 ? -1 : eval_metric_direction(metric);
    return !t->state.has_best || (direction < 0 ? value < t->state.best_value : value > t->state.best_value);
}

static int take_best(struct trainer *t, const struct devset_result *result, bool *best)
{
    const struct train_options *o = t->options;
    *best = false;
    for (size_t i = 0; i < result->count; i++) {
        const struct devset_value *v = &result->values[i];
        if (strcmp(v->name, o->metric_for_best_model) != 0)
            continue;
        if (isnan(v->value))
            return err_set(RECO_E_DATA, "cannot choose the best model by '%s': %s", v->name, v->reason);
        if (!is_better(t, v->value))
            return 0;
        t->state.has_best = true;
        t->state.best_value = v->value;
        t->state.best_step = t->state.step;
        *best = true;
        return o->load_best_model_at_end ? bert_save(t->bert, o->output_dir) : 0;
    }
    return err_set(RECO_E_DATA, "cannot choose the best model by '%s': it was not computed", o->metric_for_best_model);
}

static int evaluate(struct trainer *t, struct buf *line)
{
    const struct train_options *o = t->options;
    struct devset_result result;
    struct infer_options options = {.max_length = o->max_seq_length,
                                    .truncation = o->truncation,
                                    .batch_tokens = o->eval_batch_tokens,
                                    .bf16 = o->bf16};
    bool best = false;
    int rc = devset_run(t->dev, t->bert, &options, o->metric_for_best_model, &result);
    if (rc == 0)
        rc = take_best(t, &result, &best);
    if (rc != 0)
        return rc;
    json_t *json = json_pack("{s:s, s:I, s:f, s:b}", "event", "eval", "step", (json_int_t)t->state.step, "epoch",
                             trainer_epoch(t), "best", best);
    for (size_t i = 0; i < result.count && rc == 0; i++) {
        const struct devset_value *v = &result.values[i];
        char name[64];
        snprintf(name, sizeof name, "eval_%s", v->name);
        json_object_set_new(json, name, isnan(v->value) ? json_null() : json_real(v->value));
        if (!isnan(v->value))
            rc = buf_printf(line, "  dev %s %.4f", v->name, v->value);
    }
    if (rc == 0 && best)
        rc = buf_add_str(line, "  (best)");
    if (rc != 0)
        json_decref(json);
    return rc != 0 ? rc : runlog_write(t->log, json);
}

static int end_epoch(struct trainer *t)
{
    struct train_state *s = &t->state;
    t->epoch_loss = s->epoch_weight > 0 ? s->epoch_loss / s->epoch_weight : 0;
    s->epoch_loss = s->epoch_weight = 0;
    return runlog_write(t->log, json_pack("{s:s, s:I, s:f, s:f}", "event", "epoch", "step", (json_int_t)s->step,
                                          "epoch", trainer_epoch(t), "train_loss", t->epoch_loss));
}

int trainer_close_step(struct trainer *t)
{
    const struct train_options *o = t->options;
    struct train_state *s = &t->state;
    struct buf line = {0};
    const bool evaluates = t->dev != NULL && is_due(t, o->eval_strategy, o->eval_steps), ends = at_end_of_epoch(t);
    int rc = 0;
    if (evaluates || ends) {
        rc = trainer_read_loss(t);
        if (rc == 0)
            rc = buf_printf(&line, "epoch %.4g  step %" PRId64, trainer_epoch(t), s->step);
        if (rc == 0 && ends)
            rc = buf_printf(&line, "  train loss %.4f", s->epoch_weight > 0 ? s->epoch_loss / s->epoch_weight : 0);
    }
    /* Evaluation first: a signal during it leaves the step open, and all of this is done again after resuming. */
    if (rc == 0 && evaluates)
        rc = evaluate(t, &line);
    if (rc == 0)
        rc = log_step(t);
    if (rc == 0 && ends)
        rc = end_epoch(t);
    if (rc == 0 && (evaluates || ends))
        rc = print(t, buf_str(&line));
    if (rc == 0) {
        s->closed_step = s->step;
        if (is_due(t, o->save_strategy, o->save_steps))
            rc = trainer_save(t);
    }
    buf_release(&line);
    return rc;
}

int trainer_save(struct trainer *t)
{
    int rc = trainer_read_loss(t);
    t->state.log_bytes = runlog_bytes(t->log);
    if (rc == 0)
        rc = checkpoint_save(t->options->output_dir, t->bert, t->adamw, &t->state, t->settings);
    if (rc == 0) {
        t->saved_step = t->state.step;
        rc = checkpoint_rotate(t->options->output_dir, t->options->save_total_limit);
    }
    return rc;
}

int trainer_finish(struct trainer *t)
{
    const struct train_options *o = t->options;
    int rc = 0;
    if (!o->load_best_model_at_end || !t->state.has_best) {
        rc = bert_save(t->bert, o->output_dir);
    } else {
        char *last = path_join(o->output_dir, "last");
        rc = last == NULL ? err_nomem() : dir_make(last);
        if (rc == 0)
            rc = bert_save(t->bert, last);
        mem_free(last);
    }
    return rc;
}
