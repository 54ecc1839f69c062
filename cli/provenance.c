#include "cli/provenance.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "eval/provenance.h"

static int set(json_t *json, const char *key, json_t *value)
{
    return json_object_set_new(json, key, value) ? err_nomem() : 0;
}

json_t *provenance_new(const struct cmd_ctx *ctx)
{
    char *command = cmd_line_text(ctx);
    json_t *json = command ? json_pack("{soss}", "command", provenance_text(command), "reco", RECO_VERSION) : NULL;
    mem_free(command);
    return json;
}

static bool is_regular(const char *path)
{
    struct stat info;
    return path && strcmp(path, "-") != 0 && !stat(path, &info) && S_ISREG(info.st_mode);
}

int provenance_add_file(json_t *json, const char *what, const char *path)
{
    char key[64];
    char hex[HASH_HEX_SIZE];
    if (!path) {
        return 0;
    }
    int rc = set(json, what, provenance_text(path));
    if (rc || !is_regular(path)) {
        return rc;
    }
    rc = hash_file_hex(path, hex);
    (void)snprintf(key, sizeof key, "%s_hash", what);
    return rc ? rc : set(json, key, json_string(hex));
}

/* A file that was changed or exchanged may have kept its sidecar. */
int provenance_check(json_t *json, const char *hash_key, const char *path, const struct predictions *p)
{
    char labels[HASH_HEX_SIZE];
    const char *hash = json_string_value(json_object_get(json, hash_key));
    const char *written = json_string_value(json_object_get(json_object_get(p->sidecar, "hashes"), "predictions"));
    label_map_hash(&p->labels, labels);
    int rc = set(json, "label_map_hash", json_string(labels));
    if (rc || !hash || !written || !strcmp(hash, written)) {
        return rc;
    }
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

int provenance_add_unknown(json_t *json, const char *path, const struct predictions *p)
{
    const json_t *sidecar = p ? p->sidecar : NULL;
    const json_t *hashes = json_object_get(sidecar, "hashes");
    struct unknown u = {0};
    note_unknown(&u, "split", !p || json_object_get(sidecar, "split"));
    note_unknown(&u, "data", !p || json_object_get(hashes, "data"));
    note_unknown(&u, "vocabulary", !p || json_object_get(hashes, "vocabulary"));
    note_unknown(&u, "model", json_object_get(hashes, "model"));
    note_unknown(&u, "seeds", json_object_get(sidecar, "seeds"));
    if (!u.rc && u.names.length) {
        u.rc = set(json, "unknown", json_string(buf_str(&u.names)));
    }
    if (!u.rc && u.names.length) {
        u.rc = set(json, "unknown_because",
                   json_string(!p                    ? "a TREC run does not tell it"
                               : is_of_file(sidecar) ? "the sidecar does not tell it"
                               : is_regular(path)    ? "no sidecar is beside the predictions"
                                                     : "predictions from a pipe have no sidecar"));
    }
    buf_release(&u.names);
    return u.rc;
}
