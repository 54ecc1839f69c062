/*
 * A safetensors file of any bytes is refused with a message of one line, or opened: then every byte of every tensor can
 * be read, the tensors fill the data without gap or overlap, and what is written of them reads back the same.
 */

#include <string.h>

#include "core/err.h"
#include "core/file.h"
#include "data/safetensors.h"
#include "tests/fuzz/fuzz.h"

static void require(int fact)
{
    if (!fact) {
        abort();
    }
}

static size_t check_tensors(const struct safetensors *st)
{
    const unsigned char *next = NULL;
    size_t total = 0;
    volatile unsigned char sum = 0;

    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *t = safetensors_at(st, i);
        const unsigned char *bytes = t->data;
        uint64_t numel = 1;
        require(next == NULL || bytes == next);
        require(t->dims >= 0 && t->dims <= SAFETENSORS_MAX_DIMS);
        for (int d = 0; d < t->dims; d++) {
            numel *= (uint64_t)t->shape[d];
        }
        require(numel * safetensors_dtype_bytes(t->dtype) == t->size_bytes);
        for (size_t b = 0; b < t->size_bytes; b++) {
            sum = (unsigned char)(sum + bytes[b]);
        }
        next = bytes + t->size_bytes;
        total += t->size_bytes;
    }
    return total;
}

static void check_written(const struct safetensors *st, size_t total)
{
    struct safetensors *again = NULL;
    char path[64];

    snprintf(path, sizeof path, "/tmp/fuzz-safetensors.%ld", (long)getpid());
    require(safetensors_write(path, safetensors_at(st, 0), safetensors_count(st), NULL, 0) == 0);
    require(safetensors_open(&again, path) == 0);
    require(file_remove(path) == 0);
    require(safetensors_count(again) == safetensors_count(st) && check_tensors(again) == total);
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *before = safetensors_at(st, i), *after = safetensors_find(again, before->name);
        require(after != NULL && after->dtype == before->dtype && after->dims == before->dims);
        require(memcmp(after->shape, before->shape, sizeof after->shape) == 0);
        require(after->size_bytes == before->size_bytes && memcmp(after->data, before->data, after->size_bytes) == 0);
    }
    safetensors_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors *st = NULL;
    char path[64];
    int fd = fuzz_file(data, size, path);

    if (safetensors_open(&st, path) == 0) {
        size_t total = check_tensors(st);
        require(total <= size);
        (void)safetensors_metadata(st, "format");
        require(safetensors_find(st, "__metadata__") == NULL);
        check_written(st, total);
        safetensors_close(st);
    } else {
        require(st == NULL && err_message()[0] != '\0' && strchr(err_message(), '\n') == NULL);
    }
    close(fd);
    return 0;
}
