#include "cli/eval_certainty.h"

#include <string.h>

#include "core/mem.h"
#include "data/dataset.h"

static bool holds(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(names[i], name)) {
            return true;
        }
    }
    return false;
}

/* Keeps a part of a gate's name and enters it where it is new. */
static int enter(struct eval_certainty *certainty, const char **list, size_t *count, char **part)
{
    char *name = *part;
    if (holds(list, *count, name)) {
        return 0;
    }
    certainty->names[certainty->name_count++] = name;
    *part = NULL;
    list[(*count)++] = name;
    return 0;
}

/* Slices that only a gate names are computed too. */
static int add_gate(struct eval_certainty *certainty, const struct eval_command *c, const char *gate)
{
    struct slice_name name = {0};
    char *text = eval_gate_metric(gate);
    int rc = text ? slice_name_parse(&name, text) : RECO_E_NOMEM;
    if (!rc && name.bound && !c->resamples) {
        rc = err_set(RECO_E_USAGE, "gate '%s' needs intervals: give --resamples 1000", gate);
    }
    if (!rc && name.slice && c->run) {
        rc = err_set(RECO_E_USAGE, "gate '%s': a TREC run has no slices", gate);
    }
    if (!rc && name.slice) {
        rc = enter(certainty, certainty->slice_names, &certainty->slices.count, &name.slice);
    }
    if (!rc && name.kind == SLICE_NAME_WORST) {
        rc = enter(certainty, certainty->also, &certainty->slices.also_count, &name.metric);
    }
    slice_name_release(&name);
    mem_free(text);
    return rc;
}

static int open_training(struct eval_certainty *certainty, const char *dir)
{
    const struct slice_options *slices = &certainty->slices;
    struct dataset *dataset = NULL;
    bool needed = false;
    for (size_t i = 0; i < slices->count; i++) {
        enum slice_training_use use = slice_training_use(slices->slices[i]);
        needed = needed || use != SLICE_TRAINING_NO;
        if (use == SLICE_TRAINING_MUST && !dir) {
            return err_set(RECO_E_USAGE, "slice '%s' needs --train_dataset", slices->slices[i]);
        }
    }
    if (!needed || !dir) {
        return 0;
    }
    int rc = dataset_open(&dataset, dir);
    if (!rc) {
        rc = slice_training_open(&certainty->training, dataset, slices->slices, slices->count);
    }
    dataset_close(dataset);
    return rc;
}

int eval_certainty_fill(struct eval_certainty *certainty, struct eval_options *options, const struct eval_command *c)
{
    struct interval_options *intervals = &certainty->intervals;
    struct slice_options *slices = &certainty->slices;
    bootstrap_options_init(&intervals->bootstrap);
    intervals->bootstrap.resamples = (size_t)c->resamples;
    intervals->bootstrap.seed = (uint64_t)c->seed;
    intervals->bootstrap.level = c->level;
    intervals->bootstrap.method = (enum bootstrap_method)c->interval;
    intervals->unit_column = c->resample_by;
    slice_options_init(slices);
    const struct opt_list *metrics = c->slice_metrics.count ? &c->slice_metrics : &c->metrics;
    slices->metrics = (const char *const *)metrics->items;
    slices->metric_count = metrics->count;
    slices->min_rows = (size_t)c->slice_min_rows;
    slices->max_groups = (size_t)c->slice_groups;
    slices->text_column = c->query_text;
    certainty->names = mem_calloc(2 * c->require.count + 1, sizeof *certainty->names);
    certainty->slice_names = mem_calloc(c->slices.count + c->require.count + 1, sizeof *certainty->slice_names);
    certainty->also = mem_calloc(c->require.count + 1, sizeof *certainty->also);
    int rc = certainty->names && certainty->slice_names && certainty->also ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < c->slices.count; i++) {
        if (!holds(certainty->slice_names, slices->count, c->slices.items[i])) {
            certainty->slice_names[slices->count++] = c->slices.items[i];
        }
    }
    for (size_t i = 0; !rc && i < c->require.count; i++) {
        rc = add_gate(certainty, c, c->require.items[i]);
    }
    slices->slices = certainty->slice_names;
    slices->also = certainty->also;
    if (!rc) {
        rc = open_training(certainty, c->train_dataset);
    }
    slices->training = certainty->training;
    options->intervals = c->resamples ? intervals : NULL;
    options->slices = slices->count ? slices : NULL;
    return rc;
}

void eval_certainty_release(struct eval_certainty *certainty)
{
    for (size_t i = 0; i < certainty->name_count; i++) {
        mem_free(certainty->names[i]);
    }
    mem_free(certainty->names);
    mem_free(certainty->slice_names);
    mem_free(certainty->also);
    slice_training_free(certainty->training);
    *certainty = (struct eval_certainty){0};
}
