#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/wordpiece.h"
#include "model/bert_params.h"
#include "train/trainer.h"

static int64_t divide_up(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

static int make_plan(struct train_plan *plan, const struct train_options *o)
{
    memset(plan, 0, sizeof *plan);
    plan->train = dataset_find_split(o->dataset, "train");
    plan->dev = dataset_find_split(o->dataset, "validation");
    if (plan->train == NULL || dataset_rows(plan->train) == 0)
        return err_set(RECO_E_DATA, "the dataset has no rows to train on");
    if (plan->dev != NULL && dataset_rows(plan->dev) == 0)
        plan->dev = NULL;
    if (o->eval_strategy == TRAIN_STRATEGY_NO)
        plan->dev = NULL;
    plan->train_rows = dataset_rows(plan->train);
    if (o->max_train_samples > 0 && o->max_train_samples < plan->train_rows)
        plan->train_rows = o->max_train_samples;
    if (plan->train_rows > UINT32_MAX)
        return err_set(RECO_E_DATA, "%zu training rows are more than %" PRIu32, plan->train_rows, UINT32_MAX);
    plan->window_rows = o->batch_rows * o->accumulation;
    plan->steps_per_epoch = divide_up((int64_t)plan->train_rows, plan->window_rows);
    plan->total_steps =
        o->max_steps > 0 ? o->max_steps : (int64_t)ceil(o->num_train_epochs * (double)plan->steps_per_epoch);
    plan->warmup_steps = schedule_warmup(o->warmup, plan->total_steps);
    return 0;
}

/* Every training row needs its label: a loss without one would be no loss. */
static int check_labels(const struct train_plan *plan, const struct label_map *labels)
{
    for (size_t row = 0; row < plan->train_rows; row++) {
        bool missing = labels->task == LABEL_TASK_REGRESSION ? isnan(dataset_target(plan->train, row))
                                                             : dataset_label(plan->train, row) < 0;
        size_t length = 0;
        if (missing) {
            const char *columns = dataset_columns(plan->train, row, &length);
            const char *end = memchr(columns, '\t', length);
            return err_set(RECO_E_DATA, "training row '%.*s' has no label",
                           (int)(end != NULL ? end - columns : (ptrdiff_t)length), columns);
        }
    }
    return 0;
}

/* The tokeniser of the model must be the one that made the dataset's ids, and every id must have its row in the table.
 */
static int check_vocabulary(const struct train_options *o, const struct bert *bert)
{
    const struct hf_config *c = &bert->config;
    if (dataset_vocab_size(o->dataset) > c->vocab_size)
        return err_set(RECO_E_MODEL, "the dataset's vocabulary has %d tokens, the model '%s' knows %" PRId64,
                       dataset_vocab_size(o->dataset), o->model_dir, c->vocab_size);
    if (o->max_seq_length > (size_t)c->max_position_embeddings || o->max_seq_length > BATCH_UNITS_PER_ROW)
        return err_set(RECO_E_USAGE, "--max_seq_length %zu is more than the %" PRId64 " positions of the model '%s'",
                       o->max_seq_length, c->max_position_embeddings, o->model_dir);
    if (c->type_vocab_size < 2)
        return err_set(RECO_E_MODEL, "the model '%s' has %" PRId64 " token types, pairs need 2", o->model_dir,
                       c->type_vocab_size);
    return 0;
}

/* Weights of this run that are on the disk at one time: best and last, checkpoints with two moments each. */
static int check_space(const struct trainer *t)
{
    const struct train_options *o = t->options;
    const struct train_plan *plan = &t->plan;
    int64_t checkpoints = 0;
    uint64_t free_bytes = 0, weights = bert_bytes(t->bert);
    if (o->save_strategy == TRAIN_STRATEGY_EPOCH)
        checkpoints = divide_up(plan->total_steps - t->state.step, plan->steps_per_epoch);
    else if (o->save_strategy == TRAIN_STRATEGY_STEPS)
        checkpoints = divide_up(plan->total_steps - t->state.step, o->save_steps);
    if (o->save_total_limit > 0 && checkpoints > o->save_total_limit + 1)
        checkpoints = o->save_total_limit + 1; /* the new one is complete before the oldest goes */
    if (checkpoints == 0)
        checkpoints = 1; /* a signal saves one */
    uint64_t need = weights * (uint64_t)(2 + 3 * checkpoints);
    int rc = file_free_bytes(o->output_dir, &free_bytes);
    if (rc == 0 && free_bytes < need)
        rc = err_set(RECO_E_IO,
                     "not enough space for '%s': up to %.1f GiB of weights and checkpoints, %.1f GiB free "
                     "(--save_total_limit keeps fewer checkpoints)",
                     o->output_dir, (double)need / 0x1p30, (double)free_bytes / 0x1p30);
    return rc;
}

static int make_optimiser(struct trainer *t)
{
    const struct bert *bert = t->bert;
    const struct train_options *o = t->options;
    const struct tch_adamw_options adamw = {.beta1 = o->adam_beta1, .beta2 = o->adam_beta2, .eps = o->adam_epsilon};
    struct tch_tensor **params = mem_calloc(bert->param_count, sizeof *params);
    double *decay = mem_calloc(bert->param_count, sizeof *decay);
    int rc = params == NULL || decay == NULL ? err_nomem() : 0;
    for (size_t i = 0; i < bert->param_count && rc == 0; i++) {
        params[i] = *bert->params[i].tensor;
        decay[i] = bert->params[i].decay ? o->weight_decay : 0.0;
    }
    if (rc == 0 && tch_adamw_new(&t->adamw, params, decay, bert->param_count, &adamw) != 0)
        rc = err_set(RECO_E_MODEL, "cannot make the optimiser: %s", tch_last_error());
    mem_free(params);
    mem_free(decay);
    return rc;
}

/* The checkpoint to go on from; NULL for a new run. The caller frees. */
static int choose_checkpoint(char **path, const struct train_options *o)
{
    *path = NULL;
    if (o->resume == NULL)
        return 0;
    if (strcmp(o->resume, "auto") != 0) {
        *path = mem_strdup(o->resume);
        return *path != NULL ? 0 : err_nomem();
    }
    int rc = checkpoint_find_last(path, o->output_dir);
    if (rc == 0 && *path == NULL)
        log_info("no checkpoint in '%s': starting from the beginning", o->output_dir);
    return rc;
}

/* The best weights lie in output_dir; a checkpoint of another directory comes without them. */
static int check_best(struct trainer *t)
{
    char *weights = path_join(t->options->output_dir, "model.safetensors");
    if (weights == NULL)
        return err_nomem();
    if (t->state.has_best && t->options->load_best_model_at_end && !file_exists(weights)) {
        log_warn("the best weights of step %" PRId64 " are not in '%s': the best of the steps to come is kept",
                 t->state.best_step, t->options->output_dir);
        t->state.has_best = false;
    }
    mem_free(weights);
    return 0;
}

static int load(struct trainer *t, const char *checkpoint)
{
    const struct train_options *o = t->options;
    json_t *saved = NULL;
    struct bert_load_options load_options = {.labels = dataset_labels(o->dataset),
                                             .ignore_mismatched_sizes = o->ignore_mismatched_sizes,
                                             .seed = o->seed,
                                             .device = o->device,
                                             .source_dir = o->model_dir};
    int rc = checkpoint != NULL ? checkpoint_read_state(checkpoint, &t->state, &saved) : 0;
    if (rc == 0)
        rc = settings_compare(saved != NULL ? saved : t->settings, t->settings, checkpoint);
    if (rc == 0)
        rc = bert_load(&t->bert, checkpoint != NULL ? checkpoint : o->model_dir, &load_options);
    if (rc == 0)
        rc = check_vocabulary(o, t->bert);
    if (rc == 0)
        rc = make_optimiser(t);
    if (rc == 0 && checkpoint != NULL)
        rc = checkpoint_read_moments(checkpoint, t->bert, t->adamw, t->state.step);
    if (rc == 0 && checkpoint != NULL)
        rc = check_best(t);
    if (rc == 0 && checkpoint != NULL) {
        t->saved_step = t->state.step;
        log_info("resuming '%s' after %" PRId64 " of %" PRId64 " updates", checkpoint, t->state.step,
                 t->plan.total_steps);
    }
    json_decref(saved);
    return rc;
}

static int write_resolved(const struct train_options *o)
{
    if (o->resolved_yaml == NULL)
        return 0;
    char *path = path_join(o->output_dir, "config.resolved.yaml");
    int rc = path == NULL ? err_nomem() : file_write_all(path, o->resolved_yaml, strlen(o->resolved_yaml));
    mem_free(path);
    return rc;
}

int trainer_start(struct trainer *t, const struct train_options *options, const struct train_hooks *hooks)
{
    char *checkpoint = NULL;
    memset(t, 0, sizeof *t);
    t->options = options;
    t->hooks = hooks;
    t->order_epoch = -1;
    t->saved_step = -1;
    int rc = make_plan(&t->plan, options);
    if (rc == 0)
        rc = check_labels(&t->plan, dataset_labels(options->dataset));
    if (rc == 0)
        rc = choose_checkpoint(&checkpoint, options);
    if (rc == 0) {
        t->settings = settings_json(options, &t->plan);
        rc = t->settings == NULL ? err_nomem() : load(t, checkpoint);
    }
    if (rc == 0)
        rc = check_space(t);
    if (rc == 0)
        rc = checkpoint_rotate(options->output_dir, 0);
    if (rc == 0 && t->plan.dev != NULL)
        rc = devset_new(&t->dev, t->plan.dev, options->max_eval_samples, &t->bert->labels);
    if (rc == 0 && t->dev != NULL)
        rc = devset_check(t->dev, options->metric_for_best_model);
    if (rc == 0)
        rc = feed_init(&t->feed, t->plan.train, options->max_seq_length, options->truncation);
    if (rc == 0) {
        t->order = mem_realloc_array(NULL, t->plan.train_rows, sizeof *t->order);
        rc = t->order == NULL ? err_nomem() : write_resolved(options);
    }
    if (rc == 0)
        rc = runlog_open(&t->log, options->output_dir, t->state.log_bytes, t->state.step);
    if (rc == 0)
        rc = runlog_write(t->log, json_pack("{s:s, s:I, s:O}", "event", "start", "step", (json_int_t)t->state.step,
                                            "settings", t->settings));
    if (rc == 0)
        settings_show(t->settings, t->bert);
    mem_free(checkpoint);
    return rc;
}

void trainer_release(struct trainer *t)
{
    runlog_close(t->log);
    tch_tensor_free(t->window_loss);
    for (size_t i = 0; i < t->pending_count; i++)
        tch_tensor_free(t->pending[i].loss);
    mem_free(t->pending);
    mem_free(t->order);
    feed_release(&t->feed);
    devset_free(t->dev);
    tch_adamw_free(t->adamw);
    bert_free(t->bert);
    json_decref(t->settings);
}
