#include "cli/provenance.h"

#include <stdio.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "eval/provenance.h"

json_t *provenance_new(const struct cmd_ctx *ctx)
{
    char *command = cmd_line_text(ctx);
    json_t *json = command ? json_pack("{soss}", "command", provenance_text(command), "reco", RECO_VERSION) : NULL;
    mem_free(command);
    return json;
}

int provenance_add_file(json_t *json, const char *what, const char *path)
{
    char key[64];
    char hex[HASH_HEX_SIZE];
    if (!path) {
        return 0;
    }
    if (json_object_set_new(json, what, provenance_text(path))) {
        return err_nomem();
    }
    if (!strcmp(path, "-")) {
        return 0;
    }
    int rc = hash_file_hex(path, hex);
    if (!rc) {
        (void)snprintf(key, sizeof key, "%s_hash", what);
        rc = json_object_set_new(json, key, json_string(hex)) ? err_nomem() : 0;
    }
    return rc;
}
