/* What a report says of where its figures come from. */

#include <string.h>
#include <sys/stat.h>

#include "cli/eval_inputs.h"
#include "cli/provenance.h"
#include "core/hash.h"
#include "core/log.h"
#include "data/dataset.h"
#include "eval/provenance.h"

/* What came through a pipe cannot be read once more; NULL: a file that is gone. */
static bool is_regular(const char *path)
{
    struct stat info;
    return path && strcmp(path, "-") != 0 && !stat(path, &info) && S_ISREG(info.st_mode);
}

static int set(json_t *json, const char *key, json_t *value)
{
    return json_object_set_new(json, key, value) ? err_nomem() : 0;
}

static int add_file(json_t *json, const char *what, const char *path)
{
    return !path || is_regular(path) ? provenance_add_file(json, what, path) : set(json, what, provenance_text(path));
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
    return c->model || !path || !strcmp(path, "none") ? 0 : add_file(json, what, path);
}

static int add_sources(json_t *json, const struct eval_command *c, const struct predictions *p)
{
    const char *split = p ? json_string_value(json_object_get(p->sidecar, "split")) : NULL;
    int rc = add_file(json, "predictions", c->predictions ? c->predictions : c->predictions_output);
    rc = rc ? rc : add_file(json, "events", c->events);
    rc = rc ? rc : add_file(json, "item_popularity", c->item_popularity);
    rc = rc ? rc : add_file(json, "qrels", c->qrels);
    rc = rc ? rc : add_file(json, "run", c->run);
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

/* A file that was changed or exchanged may have kept its sidecar. */
static int check_sidecar(json_t *json, const struct eval_command *c, const struct predictions *p)
{
    const char *hash = json_string_value(json_object_get(json, "predictions_hash"));
    const char *written = json_string_value(json_object_get(json_object_get(p->sidecar, "hashes"), "predictions"));
    if (!hash || !written || !strcmp(hash, written)) {
        return 0;
    }
    const char *path = c->predictions ? c->predictions : c->predictions_output;
    log_warn(
        "'%s' was changed after '%s.json' was written with it: what that says of split, data and model may not hold",
        path, path);
    return set(json, "sidecar_warning", json_string("the predictions were changed after it was written"));
}

struct unknown {
    struct buf names;
    int rc;
};

static void note_unknown(struct unknown *u, const char *name, bool is_known)
{
    if (!is_known && !u->rc) {
        u->rc = buf_add_str(&u->names, u->names.length ? ", " : "");
        u->rc = u->rc ? u->rc : buf_add_str(&u->names, name);
    }
}

/* Was it read, or does it only hold what eval itself applied? */
static bool is_of_file(const json_t *sidecar)
{
    size_t own = (json_object_get(sidecar, "calibration") != NULL) + (json_object_get(sidecar, "threshold") != NULL);
    return json_object_size(sidecar) > own;
}

/* What a reader would want to know of predictions, and nothing tells. */
static int add_unknown(json_t *json, const struct eval_command *c, const json_t *sidecar)
{
    const json_t *hashes = json_object_get(sidecar, "hashes");
    struct unknown u = {0};
    note_unknown(&u, "split", c->run || json_object_get(sidecar, "split"));
    note_unknown(&u, "data", c->run || json_object_get(hashes, "data"));
    note_unknown(&u, "vocabulary", c->run || json_object_get(hashes, "vocabulary"));
    note_unknown(&u, "model", json_object_get(hashes, "model"));
    note_unknown(&u, "seeds", json_object_get(sidecar, "seeds"));
    if (!u.rc && u.names.length) {
        u.rc = set(json, "unknown", json_string(buf_str(&u.names)));
    }
    if (!u.rc && u.names.length) {
        u.rc = set(json, "unknown_because",
                   json_string(c->run                       ? "a TREC run does not tell it"
                               : is_of_file(sidecar)        ? "the sidecar does not tell it"
                               : is_regular(c->predictions) ? "no sidecar is beside the predictions"
                                                            : "predictions from a pipe have no sidecar"));
    }
    buf_release(&u.names);
    return u.rc;
}

static int add_labels(json_t *json, const struct predictions *p)
{
    char hex[HASH_HEX_SIZE];
    label_map_hash(&p->labels, hex);
    return set(json, "label_map_hash", json_string(hex));
}

int eval_add_provenance(struct eval_report *report, const struct cmd_ctx *ctx, const struct predictions *p)
{
    const struct eval_command *c = ctx->options;
    json_t *json = provenance_new(ctx);
    int rc = json ? add_sources(json, c, p) : err_nomem();
    if (!rc && p && !c->events) {
        rc = add_labels(json, p);
        rc = rc ? rc : check_sidecar(json, c, p);
    }
    rc = rc || c->events ? rc : add_unknown(json, c, p ? p->sidecar : NULL);
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
