#include "data/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tensors are mapped as they lie in the file");

enum { LENGTH_BYTES = 8, HEADER_ALIGNMENT = 8 };
static const uint64_t max_header_bytes = 100000000; /* the limit of the safetensors library */

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {
    [SAFETENSORS_F64] = {"F64", 8},   [SAFETENSORS_F32] = {"F32", 4}, [SAFETENSORS_F16] = {"F16", 2},
    [SAFETENSORS_BF16] = {"BF16", 2}, [SAFETENSORS_I64] = {"I64", 8}, [SAFETENSORS_I32] = {"I32", 4},
    [SAFETENSORS_I16] = {"I16", 2},   [SAFETENSORS_I8] = {"I8", 1},   [SAFETENSORS_U8] = {"U8", 1},
    [SAFETENSORS_BOOL] = {"BOOL", 1},
};

size_t safetensors_dtype_bytes(enum safetensors_dtype dtype)
{
    return dtypes[dtype].bytes;
}

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
    return dtypes[dtype].name;
}

/* Bytes of a tensor of that shape; false when a dimension is negative or the product leaves 63 bits. */
static bool shape_bytes(enum safetensors_dtype dtype, const int64_t *shape, int dims, uint64_t *bytes)
{
    uint64_t product = dtypes[dtype].bytes;

    for (int i = 0; i < dims; i++) {
        if (shape[i] < 0 || __builtin_mul_overflow(product, (uint64_t)shape[i], &product) || product > INT64_MAX) {
            return false;
        }
    }
    *bytes = product;
    return true;
}

/* ---- reading ---- */

struct safetensors {
    struct file_map map;
    json_t *header; /* owns the names and the metadata */
    struct safetensors_tensor *tensors;
    size_t count;
};

static int read_dtype(struct safetensors_tensor *t, const json_t *entry)
{
    const char *text = json_string_value(json_object_get(entry, "dtype"));

    if (text == NULL) {
        return err_set(RECO_E_MODEL, "tensor '%s' has no dtype", t->name);
    }
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (strcmp(dtypes[i].name, text) == 0) {
            t->dtype = (enum safetensors_dtype)i;
            return 0;
        }
    }
    return err_set(RECO_E_MODEL, "tensor '%s' has the dtype '%s', which reco does not read", t->name, text);
}

static int read_shape(struct safetensors_tensor *t, const json_t *entry)
{
    const json_t *shape = json_object_get(entry, "shape");

    if (!json_is_array(shape)) {
        return err_set(RECO_E_MODEL, "tensor '%s' has no shape", t->name);
    }
    if (json_array_size(shape) > SAFETENSORS_MAX_DIMS) {
        return err_set(RECO_E_MODEL, "tensor '%s' has %zu dimensions; reco reads at most %d", t->name,
                       json_array_size(shape), SAFETENSORS_MAX_DIMS);
    }
    t->dims = (int)json_array_size(shape);
    for (int i = 0; i < t->dims; i++) {
        const json_t *size = json_array_get(shape, (size_t)i);
        if (!json_is_integer(size) || json_integer_value(size) < 0) {
            return err_set(RECO_E_MODEL, "dimension %d of tensor '%s' is not a natural number", i, t->name);
        }
        t->shape[i] = json_integer_value(size);
    }
    return 0;
}

/* data [data_bytes] is everything behind the header. */
static int read_extent(struct safetensors_tensor *t, const json_t *entry, const unsigned char *data,
                       uint64_t data_bytes)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    uint64_t bytes;

    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last)) {
        return err_set(RECO_E_MODEL, "tensor '%s' has no data_offsets", t->name);
    }
    if (begin < 0 || end < begin || (uint64_t)end > data_bytes) {
        return err_set(RECO_E_MODEL,
                       "tensor '%s' lies at bytes %" PRId64 " to %" PRId64 " of %" PRIu64
                       ": the file is cut short or damaged",
                       t->name, (int64_t)begin, (int64_t)end, data_bytes);
    }
    if (!shape_bytes(t->dtype, t->shape, t->dims, &bytes) || bytes != (uint64_t)(end - begin)) {
        return err_set(RECO_E_MODEL, "tensor '%s' has %" PRId64 " bytes, which its shape and dtype %s do not give",
                       t->name, (int64_t)(end - begin), dtypes[t->dtype].name);
    }
    t->data = data + begin;
    t->size_bytes = (size_t)bytes;
    return 0;
}

static int compare_extent(const void *left, const void *right)
{
    const struct safetensors_tensor *a = left, *b = right;

    if (a->data != b->data) {
        return (const unsigned char *)a->data < (const unsigned char *)b->data ? -1 : 1;
    }
    if (a->size_bytes != b->size_bytes) {
        return a->size_bytes < b->size_bytes ? -1 : 1;
    }
    return strcmp(a->name, b->name); /* several empty tensors at one place: any fixed order */
}

/* The tensors, sorted, must cover the data exactly: an overlap or a hole is a sign of damage, or of something hidden.
 */
static int check_cover(const struct safetensors *st, const unsigned char *data, uint64_t data_bytes)
{
    const unsigned char *next = data;

    for (size_t i = 0; i < st->count; i++) {
        const struct safetensors_tensor *t = &st->tensors[i];
        if (t->data != next) {
            const char *what = (const unsigned char *)t->data < next ? "overlaps the tensor" : "leaves a hole";
            return err_set(RECO_E_MODEL, "tensor '%s' %s before it", t->name, what);
        }
        next += t->size_bytes;
    }
    if ((uint64_t)(next - data) != data_bytes) {
        return err_set(RECO_E_MODEL, "%" PRIu64 " bytes behind the last tensor", data_bytes - (uint64_t)(next - data));
    }
    return 0;
}

static int check_metadata(const json_t *metadata)
{
    const char *key;
    json_t *value;

    if (!json_is_object(metadata)) {
        return err_set(RECO_E_MODEL, "__metadata__ is not an object");
    }
    json_object_foreach((json_t *)metadata, key, value)
    {
        if (!json_is_string(value)) {
            return err_set(RECO_E_MODEL, "__metadata__ '%s' is not a string", key);
        }
    }
    return 0;
}

static int read_header(struct safetensors *st, uint64_t *header_bytes)
{
    uint64_t length = 0;
    json_error_t error;

    if (st->map.size_bytes < LENGTH_BYTES) {
        return err_set(RECO_E_MODEL, "%zu bytes, too short for a safetensors file", st->map.size_bytes);
    }
    memcpy(&length, st->map.data, LENGTH_BYTES);
    if (length > max_header_bytes) {
        return err_set(RECO_E_MODEL, "not a safetensors file: its first 8 bytes, the header's length, say %" PRIu64,
                       length);
    }
    if (length > st->map.size_bytes - LENGTH_BYTES) {
        return err_set(RECO_E_MODEL, "the header has %" PRIu64 " bytes, the file %zu: it is cut short", length,
                       st->map.size_bytes);
    }
    st->header = json_loadb((const char *)st->map.data + LENGTH_BYTES, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (st->header == NULL) {
        if (error.text[0] == '\0') { /* what jansson leaves when memory runs out */
            return err_nomem();
        }
        return err_set(RECO_E_MODEL, "bad header, byte %d: %s", error.position, error.text);
    }
    if (!json_is_object(st->header)) {
        return err_set(RECO_E_MODEL, "bad header: not a JSON object");
    }
    *header_bytes = length;
    return 0;
}

static int read_tensors(struct safetensors *st, const unsigned char *data, uint64_t data_bytes)
{
    const char *name;
    json_t *entry;

    st->tensors = mem_calloc(json_object_size(st->header) + 1, sizeof *st->tensors); /* + 1: never empty */
    if (st->tensors == NULL) {
        return RECO_E_NOMEM;
    }
    json_object_foreach(st->header, name, entry)
    {
        struct safetensors_tensor *t = &st->tensors[st->count];
        int rc;
        if (strcmp(name, "__metadata__") == 0) {
            rc = check_metadata(entry);
        } else {
            t->name = name;
            rc = read_dtype(t, entry);
            rc = rc < 0 ? rc : read_shape(t, entry);
            rc = rc < 0 ? rc : read_extent(t, entry, data, data_bytes);
            st->count++;
        }
        if (rc < 0) {
            return rc;
        }
    }
    qsort(st->tensors, st->count, sizeof *st->tensors, compare_extent);
    return check_cover(st, data, data_bytes);
}

int safetensors_open(struct safetensors **out, const char *path)
{
    uint64_t header_bytes = 0;
    struct safetensors *st = mem_calloc(1, sizeof *st);
    int rc;

    if (st == NULL) {
        return RECO_E_NOMEM;
    }
    rc = file_map_open(&st->map, path);
    if (rc < 0) {
        mem_free(st);
        return rc;
    }
    rc = read_header(st, &header_bytes);
    if (rc == 0) {
        const unsigned char *data = st->map.data + LENGTH_BYTES + header_bytes;
        rc = read_tensors(st, data, st->map.size_bytes - LENGTH_BYTES - header_bytes);
    }
    if (rc < 0) {
        safetensors_close(st);
        return err_prepend(rc, "cannot read '%s'", path);
    }
    *out = st;
    return 0;
}

void safetensors_close(struct safetensors *st)
{
    if (st == NULL) {
        return;
    }
    json_decref(st->header);
    mem_free(st->tensors);
    file_map_close(&st->map);
    mem_free(st);
}

size_t safetensors_count(const struct safetensors *st)
{
    return st->count;
}

const struct safetensors_tensor *safetensors_at(const struct safetensors *st, size_t index)
{
    return index < st->count ? &st->tensors[index] : NULL;
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name)
{
    for (size_t i = 0; i < st->count; i++) {
        if (strcmp(st->tensors[i].name, name) == 0) {
            return &st->tensors[i];
        }
    }
    return NULL;
}

const char *safetensors_metadata(const struct safetensors *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->header, "__metadata__"), key));
}

/* ---- writing ---- */

/* New reference, NULL when out of memory or when a text is not UTF-8. */
static json_t *metadata_json(const char *const *metadata, size_t metadata_count)
{
    json_t *json = json_pack("{s:s}", "format", "pt");

    for (size_t i = 0; json != NULL && i < metadata_count; i++) {
        if (json_object_set_new(json, metadata[2 * i], json_string(metadata[2 * i + 1])) < 0) {
            json_decref(json);
            json = NULL;
        }
    }
    return json;
}

static json_t *tensor_json(const struct safetensors_tensor *t, uint64_t begin)
{
    json_t *shape = json_array();
    bool bad = shape == NULL;

    for (int i = 0; !bad && i < t->dims; i++) {
        bad = json_array_append_new(shape, json_integer(t->shape[i])) < 0;
    }
    if (bad) {
        json_decref(shape);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[t->dtype].name, "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)(begin + t->size_bytes));
}

static int make_header(char **out, const struct safetensors_tensor *tensors, size_t count, const char *const *metadata,
                       size_t metadata_count)
{
    json_t *header = json_object();
    uint64_t offset = 0;
    int rc = 0;

    if (header == NULL || json_object_set_new(header, "__metadata__", metadata_json(metadata, metadata_count)) < 0) {
        rc = err_nomem();
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const struct safetensors_tensor *t = &tensors[i];
        uint64_t bytes;
        if (!shape_bytes(t->dtype, t->shape, t->dims, &bytes) || bytes != t->size_bytes) {
            rc = err_set(RECO_E_INTERNAL, "tensor '%s' has another size than its shape", t->name);
        } else if (json_object_get(header, t->name) != NULL) {
            rc = err_set(RECO_E_INTERNAL, "tensor '%s' is there twice", t->name);
        } else if (json_object_set_new(header, t->name, tensor_json(t, offset)) < 0) {
            rc = err_nomem();
        }
        offset += t->size_bytes;
    }
    if (rc == 0) {
        *out = json_dumps(header, JSON_COMPACT);
        rc = *out == NULL ? err_nomem() : 0;
    }
    json_decref(header);
    return rc;
}

int safetensors_write(const char *path, const struct safetensors_tensor *tensors, size_t count,
                      const char *const *metadata, size_t metadata_count)
{
    static const char blanks[HEADER_ALIGNMENT] = "        ";
    struct file_writer *file = NULL;
    char *header = NULL;
    uint64_t length, padding;
    int rc = make_header(&header, tensors, count, metadata, metadata_count);

    if (rc < 0) {
        return err_prepend(rc, "cannot write '%s'", path);
    }
    length = strlen(header);
    padding = (HEADER_ALIGNMENT - length % HEADER_ALIGNMENT) % HEADER_ALIGNMENT;
    length += padding;
    rc = file_writer_open(&file, path);
    rc = rc < 0 ? rc : file_write(file, &length, LENGTH_BYTES);
    rc = rc < 0 ? rc : file_write(file, header, (size_t)(length - padding));
    rc = rc < 0 ? rc : file_write(file, blanks, (size_t)padding);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = file_write(file, tensors[i].data, tensors[i].size_bytes);
    }
    if (rc == 0) {
        rc = file_writer_commit(&file);
    }
    file_writer_abort(&file);
    free(header);
    return rc;
}
