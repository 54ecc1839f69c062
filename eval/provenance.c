#include "eval/provenance.h"

#include <string.h>

#include "core/mem.h"
#include "data/utf8.h"
#include "eval/try.h"

enum { DEPTH_MAX = 4 };

json_t *provenance_text(const char *text)
{
    struct buf b = {0};
    int rc = utf8_add_valid(&b, text);
    json_t *json = rc ? NULL : json_string(buf_str(&b));
    buf_release(&b);
    return json;
}

static int add_scalar(const char *key, const json_t *value, provenance_add_fn *add, struct buf *b)
{
    if (json_is_string(value)) {
        return add(b, key, json_string_value(value));
    }
    struct buf text = {0};
    int rc = json_is_integer(value) ? buf_printf(&text, "%lld", (long long)json_integer_value(value))
             : json_is_real(value)  ? buf_printf(&text, "%g", json_real_value(value))
                                    : buf_add_str(&text, json_is_true(value) ? "true" : "false");
    rc = rc ? rc : add(b, key, buf_str(&text));
    buf_release(&text);
    return rc;
}

static int add_rows(const json_t *object, const char *prefix, int depth, provenance_add_fn *add, struct buf *b)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        char *key = mem_printf("%s%s%s", prefix, *prefix ? " " : "", name);
        int rc = key ? 0 : RECO_E_NOMEM;
        if (!rc && (json_is_string(value) || json_is_number(value) || json_is_boolean(value))) {
            rc = add_scalar(key, value, add, b);
        } else if (!rc && json_is_object(value) && strcmp(name, "labels") != 0 && depth < DEPTH_MAX) {
            rc = add_rows(value, key, depth + 1, add, b);
        }
        mem_free(key);
        TRY(rc);
    }
    return 0;
}

int provenance_rows(const json_t *provenance, provenance_add_fn *add, struct buf *b)
{
    return add_rows(provenance, "", 0, add, b);
}
