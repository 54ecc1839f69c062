#include "cli/gates.h"

#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/junit.h"
#include "eval/provenance.h"

void gates_release(struct gates *gates)
{
    for (size_t i = 0; gates->lines && i < gates->count; i++) {
        mem_free(gates->lines[i]);
    }
    mem_free(gates->lines);
    mem_free(gates->passed);
    *gates = (struct gates){0};
}

int gates_check(struct gates *out, const struct opt_list *asked, gate_fn *fn, const void *of)
{
    *out = (struct gates){.asked = asked, .count = asked->count};
    out->lines = mem_calloc(asked->count + 1, sizeof *out->lines);
    out->passed = mem_calloc(asked->count + 1, sizeof *out->passed);
    int rc = out->lines && out->passed ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < asked->count; i++) {
        struct buf line = {0};
        rc = fn(of, asked->items[i], &line);
        if (!rc || rc == RECO_E_GATE) {
            out->passed[i] = rc == 0;
            out->missed += rc != 0;
            out->lines[i] = mem_strndup(buf_str(&line), strcspn(buf_str(&line), "\n"));
            rc = out->lines[i] ? 0 : RECO_E_NOMEM;
        }
        buf_release(&line);
    }
    return rc;
}

int gates_result(const struct gates *gates)
{
    return gates->missed ? err_set(RECO_E_GATE, "%zu of %zu gates not met", gates->missed, gates->count) : 0;
}

int gates_text(const struct gates *gates, const char *title, const char *before, struct buf *b)
{
    int rc = gates->count ? buf_add_str(b, title) : 0;
    for (size_t i = 0; !rc && i < gates->count; i++) {
        rc = buf_printf(b, "%s%s\n", before, gates->lines[i]);
    }
    return rc;
}

int gates_json(const struct gates *gates, json_t *out)
{
    json_t *array = gates->count ? json_array() : NULL;
    int rc = !gates->count || (array && !json_object_set_new(out, "gates", array)) ? 0 : err_nomem();
    for (size_t i = 0; !rc && i < gates->count; i++) {
        rc = json_array_append_new(array,
                                   json_pack("{sosbso}", "gate", provenance_text(gates->asked->items[i]), "passed",
                                             (int)gates->passed[i], "line", provenance_text(gates->lines[i])))
                 ? err_nomem()
                 : 0;
    }
    return rc;
}

int gates_junit(const struct gates *gates, const char *path, const char *suite, const json_t *provenance)
{
    struct buf b = {0};
    int rc = junit_write(&b, suite, provenance, (const char *const *)gates->asked->items,
                         (const char *const *)gates->lines, gates->passed, gates->count);
    if (!rc) {
        rc = file_write_all(path, b.data, b.length);
    }
    buf_release(&b);
    return rc;
}
