#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

int dataset_file_open(struct dataset_file *f, const char *dir, const char *name, const char *suffix,
                      struct dataset_header header)
{
    memset(f, 0, sizeof *f);
    f->name = mem_printf("%s%s", name, suffix);
    char *path = f->name == NULL ? NULL : path_join(dir, f->name);
    int rc = path == NULL ? RECO_E_NOMEM : file_writer_open(&f->writer, path);

    mem_free(path);
    memcpy(header.magic, DATASET_MAGIC, sizeof header.magic);
    header.version = DATASET_VERSION;
    if (rc == 0)
        rc = dataset_file_add(f, &header, sizeof header);
    if (rc < 0)
        dataset_file_release(f);
    return rc;
}

static int add_sum(struct dataset_file *f, const void *bytes, size_t length)
{
    int rc = mem_grow((void **)&f->sums, &f->sums_capacity, f->sum_count + 1, sizeof *f->sums);

    if (rc == 0)
        f->sums[f->sum_count++] = hash_u64(bytes, length, 0);
    return rc;
}

int dataset_file_add(struct dataset_file *f, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    size_t left = length;
    int rc = 0;

    while (rc == 0 && left > 0) {
        size_t part = DATASET_SUM_BYTES - f->block.length < left ? DATASET_SUM_BYTES - f->block.length : left;

        if (part == DATASET_SUM_BYTES) {
            rc = add_sum(f, at, part);
        } else {
            rc = buf_add(&f->block, at, part);
            if (rc == 0 && f->block.length == DATASET_SUM_BYTES) {
                rc = add_sum(f, f->block.data, f->block.length);
                buf_clear(&f->block);
            }
        }
        at += part;
        left -= part;
    }
    return rc < 0 ? rc : file_write(f->writer, bytes, length);
}

int dataset_file_commit(struct dataset_file *f, json_t *files)
{
    static const unsigned char zeros[8];
    char hex[HASH_HEX_SIZE];
    uint64_t bytes = file_writer_tell(f->writer);
    int rc = f->block.length > 0 ? add_sum(f, f->block.data, f->block.length) : 0;

    if (rc == 0)
        rc = file_write(f->writer, zeros, (size_t)(dataset_sum_offset(bytes) - bytes));
    if (rc == 0)
        rc = file_write(f->writer, f->sums, f->sum_count * sizeof *f->sums);
    if (rc == 0)
        rc = file_writer_commit(&f->writer);
    if (rc < 0)
        return rc;
    hash_hex(f->sums, f->sum_count * sizeof *f->sums, hex);
    json_t *entry = json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "hash", hex);
    return json_object_set_new(files, f->name, entry) < 0 ? err_nomem() : 0;
}

void dataset_file_release(struct dataset_file *f)
{
    file_writer_abort(&f->writer);
    buf_release(&f->block);
    mem_free(f->sums);
    mem_free(f->name);
    memset(f, 0, sizeof *f);
}

/* ---- hashes of the content
 * -------------------------------------------------------------------------------------------- */

static int add_hash(struct hash_stream *stream, const char *name, const json_t *owner)
{
    const char *hex = json_string_value(json_object_get(owner, "hash"));

    if (hex == NULL)
        return err_set(RECO_E_DATA, "bad " DATASET_JSON_FILE ": no hash of %s", name);
    hash_stream_add(stream, name, strlen(name) + 1);
    hash_stream_add(stream, hex, strlen(hex) + 1);
    return 0;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int add_files(struct hash_stream *stream, const json_t *files)
{
    size_t count = json_object_size(files), i = 0;
    const char **names = mem_calloc(count, sizeof *names);
    int rc = names == NULL ? RECO_E_NOMEM : 0;

    if (rc == 0) {
        for (void *at = json_object_iter((json_t *)files); at != NULL; at = json_object_iter_next((json_t *)files, at))
            names[i++] = json_object_iter_key(at);
        qsort(names, count, sizeof *names, compare_names);
    }
    for (i = 0; rc == 0 && i < count; i++)
        rc = add_hash(stream, names[i], json_object_get(files, names[i]));
    mem_free(names);
    return rc;
}

int dataset_content_hash(const json_t *json, char hex[HASH_HEX_SIZE])
{
    struct hash_stream *stream = NULL;
    int rc = hash_stream_new(&stream);

    if (rc == 0)
        rc = add_files(stream, json_object_get(json, "files"));
    if (rc == 0)
        rc = add_hash(stream, "labels", json_object_get(json, "labels"));
    if (rc == 0)
        rc = add_hash(stream, "tokenizer", json_object_get(json, "tokenizer"));
    if (rc == 0)
        hash_stream_hex(stream, hex);
    hash_stream_free(stream);
    return rc;
}

int dataset_split_content_hash(const json_t *json, const char *split, char hex[HASH_HEX_SIZE])
{
    static const char *const suffixes[] = {DATASET_PAIRS_SUFFIX, DATASET_COLUMNS_SUFFIX};
    const json_t *files = json_object_get(json, "files");
    struct hash_stream *stream = NULL;
    int rc = hash_stream_new(&stream);

    if (rc == 0)
        rc = add_hash(stream, DATASET_IDS_FILE, json_object_get(files, DATASET_IDS_FILE));
    if (rc == 0)
        rc = add_hash(stream, DATASET_INDEX_FILE, json_object_get(files, DATASET_INDEX_FILE));
    if (rc == 0)
        rc = add_hash(stream, "labels", json_object_get(json, "labels"));
    for (size_t i = 0; rc == 0 && i < sizeof suffixes / sizeof *suffixes; i++) {
        char *name = mem_printf("%s%s", split, suffixes[i]);
        rc = name == NULL ? RECO_E_NOMEM : add_hash(stream, name, json_object_get(files, name));
        mem_free(name);
    }
    if (rc == 0)
        hash_stream_hex(stream, hex);
    hash_stream_free(stream);
    return rc;
}

/* ---- dataset.json itself
 * ---------------------------------------------------------------------------------------------- */

int dataset_json_checksum(const json_t *json, char hex[HASH_HEX_SIZE])
{
    json_t *copy = json_copy((json_t *)json);
    char *text = NULL;

    if (copy != NULL) {
        json_object_del(copy, "checksum");
        text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    }
    json_decref(copy);
    if (text == NULL)
        return err_nomem();
    hash_hex(text, strlen(text), hex);
    mem_free(text);
    return 0;
}

static int set_hex(json_t *json, const char *name, const char *hex)
{
    return json_object_set_new(json, name, json_string(hex)) < 0 ? err_nomem() : 0;
}

int dataset_json_seal(json_t *json)
{
    const json_t *splits = json_object_get(json, "splits");
    char hex[HASH_HEX_SIZE];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(splits); i++) {
        json_t *split = json_array_get(splits, i);

        rc = dataset_split_content_hash(json, json_string_value(json_object_get(split, "name")), hex);
        if (rc == 0)
            rc = set_hex(split, "hash", hex);
    }
    if (rc == 0)
        rc = dataset_content_hash(json, hex);
    if (rc == 0)
        rc = set_hex(json, "hash", hex);
    if (rc == 0)
        rc = dataset_json_checksum(json, hex);
    return rc < 0 ? rc : set_hex(json, "checksum", hex);
}
