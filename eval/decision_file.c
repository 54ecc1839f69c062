#include "eval/decision_file.h"

#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/json_file.h"
#include "core/mem.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)

json_t *decision_numbers(const double *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, isinf(values[i]) ? json_null() : json_real(values[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

int decision_numbers_read(double **out, const json_t *array, size_t count, bool or_infinity)
{
    if (!json_is_array(array) || json_array_size(array) != count) {
        return RECO_E_DATA;
    }
    double *values = mem_realloc_array(NULL, count + 1, sizeof *values);
    *out = values;
    if (!values) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        bool infinity = or_infinity && json_is_null(item);
        values[i] = infinity ? INFINITY : json_number_value(item);
        if (!infinity && (!json_is_number(item) || !isfinite(values[i]))) {
            return RECO_E_DATA;
        }
    }
    return 0;
}

int decision_file_write(json_t *json, const char *path)
{
    int rc = json_file_write(path, json, JSON_INDENT(2));
    json_decref(json);
    return rc;
}

static int check(const json_t *json, const char *what, int version)
{
    const char *format = json_string_value(json_object_get(json, "format"));
    if (!format || strncmp(format, "reco ", 5) != 0 || strcmp(format + 5, what) != 0) {
        return err_set(RECO_E_DATA, "it is no %s of reco", what);
    }
    if (json_integer_value(json_object_get(json, "version")) != version) {
        return err_set(RECO_E_DATA, "its version is not %d", version);
    }
    return 0;
}

int decision_file_read(const char *path, const char *what, int version, int (*take)(void *out, const json_t *json),
                       void *out)
{
    json_t *json;
    int rc = json_file_read(&json, path, FILE_BYTES_MAX, RECO_E_DATA);
    if (rc) {
        return rc;
    }
    rc = check(json, what, version);
    rc = rc ? rc : take(out, json);
    json_decref(json);
    return rc ? err_prepend(rc, "cannot read '%s'", path) : 0;
}
