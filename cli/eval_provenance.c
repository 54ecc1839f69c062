/* What a report says of where its figures come from. */

#include <string.h>

#include "cli/eval_inputs.h"
#include "cli/provenance.h"
#include "data/dataset.h"
#include "eval/provenance.h"

static int set(json_t *json, const char *key, json_t *value)
{
    return json_object_set_new(json, key, value) ? err_nomem() : 0;
}

/* A split of a prepared dataset; NULL dir: nothing. */
static int add_split(json_t *json, const char *what, const char *hash_key, const char *dir, const char *name)
{
    struct dataset *dataset = NULL;
    if (!dir) {
        return 0;
    }
    int rc = dataset_open(&dataset, dir);
    rc = rc ? rc : set(json, what, provenance_text(dir));
    const struct dataset_split *split = rc ? NULL : dataset_find_split(dataset, name);
    if (split) {
        rc = set(json, hash_key, json_string(dataset_split_hash(split)));
    }
    dataset_close(dataset);
    return rc;
}

/* What eval applied; what reco predict applied is in the sidecar. */
static int add_decision(json_t *json, const char *what, const struct eval_command *c, const char *path)
{
    return c->model || !path || !strcmp(path, "none") ? 0 : provenance_add_file(json, what, path);
}

static int add_sources(json_t *json, const struct eval_command *c, const struct predictions *p)
{
    const char *split = p ? json_string_value(json_object_get(p->sidecar, "split")) : NULL;
    int rc = provenance_add_file(json, "predictions", c->predictions ? c->predictions : c->predictions_output);
    rc = rc ? rc : provenance_add_file(json, "events", c->events);
    rc = rc ? rc : provenance_add_file(json, "item_popularity", c->item_popularity);
    rc = rc ? rc : provenance_add_file(json, "qrels", c->qrels);
    rc = rc ? rc : provenance_add_file(json, "run", c->run);
    rc = rc ? rc : add_decision(json, "calibration", c, c->calibration);
    rc = rc ? rc : add_decision(json, "threshold", c, c->threshold);
    /* A config file may name datasets that nothing here looks at. */
    if (!rc && !c->model && c->output_dir) {
        rc = add_split(json, "dataset", "dataset_hash", c->dataset, split ? split : c->split);
    }
    if (!rc && (c->slices.count || c->require.count)) {
        rc = add_split(json, "train_dataset", "train_dataset_hash", c->train_dataset, "train");
    }
    return rc;
}

int eval_add_provenance(struct eval_report *report, const struct cmd_ctx *ctx, const struct predictions *p)
{
    const struct eval_command *c = ctx->options;
    json_t *json = provenance_new(ctx);
    int rc = json ? add_sources(json, c, p) : err_nomem();
    const char *path = c->predictions ? c->predictions : c->predictions_output;
    if (!rc && p && !c->events) {
        rc = provenance_check(json, "predictions_hash", path, p);
    }
    if (!rc && !c->events) {
        rc = provenance_add_unknown(json, path, p);
    }
    rc = rc ? rc : set(json, "hash_function", json_string("XXH3, 128 bits"));
    if (!rc && p && p->sidecar && json_object_set(json, "sidecar", p->sidecar)) {
        rc = err_nomem();
    }
    if (rc) {
        json_decref(json);
        return rc;
    }
    return eval_report_set_provenance(report, json);
}
