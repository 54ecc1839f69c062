#include "core/json_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

json_t *json_finite(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

int buf_add_json(struct buf *b, const json_t *json, size_t flags)
{
    char *text = json == NULL ? NULL : json_dumps(json, flags);
    int rc = text == NULL ? err_nomem() : buf_reserve(b, strlen(text) + 1);

    if (rc == 0)
        rc = buf_add_str(b, text);
    if (rc == 0)
        rc = buf_add_char(b, '\n');
    free(text); /* jansson's */
    return rc;
}

int json_file_write(const char *path, const json_t *json, size_t flags)
{
    struct buf text = {0};
    int rc = buf_add_json(&text, json, flags);

    if (rc == 0)
        rc = file_write_all(path, text.data, text.length);
    buf_release(&text);
    return rc;
}

int json_file_error(const json_error_t *error, const char *path, int bad)
{
    if (json_error_code(error) == json_error_out_of_memory || error->text[0] == '\0')
        return err_nomem();
    return err_set(bad, "cannot parse '%s' line %d: %s", path, error->line, error->text);
}

int json_file_read(json_t **out, const char *path, size_t max_bytes, int bad)
{
    struct buf text = {0};
    json_error_t error;
    int rc = file_read_all(path, max_bytes, &text);

    *out = NULL;
    if (rc == 0) {
        *out = json_loadb(buf_str(&text), text.length, JSON_REJECT_DUPLICATES, &error);
        rc = *out == NULL ? json_file_error(&error, path, bad) : 0;
    }
    buf_release(&text);
    return rc;
}
