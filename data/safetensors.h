#ifndef RECO_DATA_SAFETENSORS_H
#define RECO_DATA_SAFETENSORS_H

/*
 * The safetensors format: 8 bytes little-endian header length, a JSON header, raw little-endian tensors.
 * Source: "Format" in the README of huggingface/safetensors. What is read of a file of that library and written again
 * is equal to it byte by byte.
 * Reading maps the file and checks everything before use: header size and JSON, offsets in range, non-overlapping,
 * without holes, dtype * shape = size. RECO_E_MODEL with the file and the tensor named; RECO_E_IO when it cannot be
 * opened. An open file is read-only: any number of threads may use it.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define SAFETENSORS_MAX_DIMS 8

enum safetensors_dtype {
    SAFETENSORS_F64,
    SAFETENSORS_F32,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_I64,
    SAFETENSORS_I32,
    SAFETENSORS_I16,
    SAFETENSORS_I8,
    SAFETENSORS_U8,
    SAFETENSORS_BOOL
};
size_t safetensors_dtype_bytes(enum safetensors_dtype dtype);
const char *safetensors_dtype_name(enum safetensors_dtype dtype); /* "F32" */

struct safetensors_tensor {
    const char *name;
    enum safetensors_dtype dtype;
    int dims;
    int64_t shape[SAFETENSORS_MAX_DIMS];
    const void *data; /* into the map; alignment 1 */
    size_t size_bytes;
};

struct safetensors;
int safetensors_open(struct safetensors **out, const char *path) RECO_MUST_CHECK;
void safetensors_close(struct safetensors *st);
size_t safetensors_count(const struct safetensors *st);
const struct safetensors_tensor *safetensors_at(const struct safetensors *st,
                                                size_t index); /* by place in the file; NULL past the end */
const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name);
const char *safetensors_metadata(const struct safetensors *st, const char *key); /* "__metadata__" entry or NULL */

/*
 * Writes path atomically, tensors in the given order, header padded with spaces to 8 bytes, __metadata__
 * {"format":"pt"} plus metadata [2 * metadata_count] (key, value, key, value; NULL when none). RECO_E_INTERNAL: a name
 * that is there twice, a size that is not the shape's.
 */
int safetensors_write(const char *path, const struct safetensors_tensor *tensors, size_t count,
                      const char *const *metadata, size_t metadata_count) RECO_MUST_CHECK;

#endif
