#include "train/train.h"

#include <inttypes.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/stop.h"
#include "train/tensorboard.h"
#include "train/trainer.h"

static void show_progress(struct trainer *t)
{
    progress_update(&t->progress, (double)t->state.step, "loss %.4f, lr %.2e, %.1f pairs/s", t->last_loss,
                    trainer_rate(t, t->state.step - 1), trainer_pairs_per_s(t));
}

/* After a signal: what is done is saved, unless the newest checkpoint has it already. */
static int stop(struct trainer *t)
{
    progress_clear(&t->progress);
    int rc = t->saved_step == t->state.step ? 0 : trainer_save(t);
    if (rc != 0)
        return rc;
    return err_set(RECO_E_STOPPED,
                   "stopped after %" PRId64 " of %" PRId64 " updates: --resume_from_checkpoint auto continues from "
                   "'%s/checkpoint-%" PRId64 "'",
                   t->state.step, t->plan.total_steps, t->options->output_dir, t->state.step);
}

static int loop(struct trainer *t)
{
    struct train_state *s = &t->state;
    int rc = 0;
    while (rc == 0) {
        if (s->closed_step < s->step)
            rc = trainer_close_step(t);
        if (rc == RECO_E_STOPPED || (rc == 0 && stop_requested()))
            return stop(t);
        if (rc != 0 || s->step >= t->plan.total_steps)
            break;
        rc = trainer_step(t);
        if (rc == 0 && t->hooks != NULL && t->hooks->step != NULL)
            rc = t->hooks->step(t->hooks->arg, s->step);
        if (rc == 0)
            show_progress(t);
    }
    return rc;
}

int train_run(const struct train_options *options, const struct train_hooks *hooks, struct train_result *result)
{
    struct trainer t;
    int rc = trainer_start(&t, options, hooks);
    if (rc == 0) {
        progress_start(&t.progress, "training", (double)t.plan.total_steps, (double)t.state.step);
        rc = loop(&t);
        progress_clear(&t.progress);
    }
    if (rc == 0)
        rc = trainer_finish(&t);
    if (rc == 0)
        *result = (struct train_result){.steps = t.state.step,
                                        .train_loss = t.epoch_loss,
                                        .has_best = t.state.has_best,
                                        .best_value = t.state.best_value,
                                        .best_step = t.state.best_step,
                                        .pairs_per_s = trainer_pairs_per_s(&t)};
    trainer_release(&t);
    return rc;
}

int train_clean(const char *output_dir)
{
    static const char *const files[] = {"model.safetensors", "train.jsonl", "config.resolved.yaml", "reco_data.json",
                                        TENSORBOARD_FILE_NAME};
    char *last = path_join(output_dir, "last"), *weights = path_join(output_dir, "last/model.safetensors");
    int rc = last == NULL || weights == NULL ? err_nomem() : checkpoint_remove_all(output_dir);
    if (rc == 0 && file_exists(weights)) /* else it is a directory of someone else */
        rc = dir_remove(last);
    for (size_t i = 0; i < sizeof files / sizeof files[0] && rc == 0; i++) {
        char *path = path_join(output_dir, files[i]);
        rc = path == NULL ? err_nomem() : file_remove(path);
        mem_free(path);
    }
    mem_free(last);
    mem_free(weights);
    return rc;
}
