#include <string.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "data/dataset_internal.h"
#include "data/merge_internal.h"
#include "data/text_set_internal.h"

/* Opening shards: nothing of their files is trusted before their checksums fit. */

int merge_damaged(const struct merge_shard *s, const char *file, const char *what)
{
    return err_set(RECO_E_DATA, "bad shard '%s': %s in '%s'; prepare it again", s->dir, what, file);
}

/* Every block of a file against the checksums behind its content, and these against shard.json. */
static int check_blocks(const struct merge_shard *s, const char *name, const struct temp_file *file, uint64_t bytes,
                        const char *hash)
{
    size_t count = (size_t)dataset_sum_count(bytes);
    uint64_t *sums = mem_calloc(count, sizeof *sums);
    unsigned char *block = mem_alloc(DATASET_SUM_BYTES);
    unsigned char padding[8] = {0};
    char hex[HASH_HEX_SIZE];
    int rc = sums == NULL || block == NULL
                 ? RECO_E_NOMEM
                 : temp_file_read(file, dataset_sum_offset(bytes), sums, count * sizeof *sums);

    if (rc == 0)
        rc = temp_file_read(file, bytes, padding, (size_t)(dataset_sum_offset(bytes) - bytes));
    for (size_t i = 0; rc == 0 && i < sizeof padding; i++)
        if (padding[i] != 0)
            rc = merge_damaged(s, name, "altered content");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        uint64_t start = i * DATASET_SUM_BYTES, left = bytes - start;
        size_t length = (size_t)(left < DATASET_SUM_BYTES ? left : DATASET_SUM_BYTES);
        rc = temp_file_read(file, start, block, length);
        if (rc == 0 && hash_u64(block, length, 0) != sums[i])
            rc = merge_damaged(s, name, "altered content");
    }
    if (rc == 0) {
        hash_hex(sums, count * sizeof *sums, hex);
        if (strcmp(hex, hash) != 0)
            rc = merge_damaged(s, name, "the content of another shard");
    }
    mem_free(sums);
    mem_free(block);
    return rc;
}

static int check_file(const struct merge_shard *s, const char *name, uint32_t kind, uint64_t *bytes)
{
    const json_t *entry = json_object_get(json_object_get(s->json, "files"), name);
    const char *hash = json_string_value(json_object_get(entry, "hash"));
    struct temp_file *file = NULL;
    struct dataset_header header;

    *bytes = (uint64_t)json_integer_value(json_object_get(entry, "bytes"));
    if (hash == NULL || *bytes < sizeof header)
        return merge_damaged(s, SHARD_JSON_FILE, "a missing file entry");
    char *path = path_join(s->dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : temp_file_open_named(&file, path);
    mem_free(path);
    if (rc < 0)
        return rc;
    if (temp_file_bytes(file) != dataset_sum_offset(*bytes) + dataset_sum_count(*bytes) * sizeof(uint64_t))
        rc = merge_damaged(s, name, "cut or grown file: a wrong size");
    if (rc == 0)
        rc = temp_file_read(file, 0, &header, sizeof header);
    if (rc == 0 && (memcmp(header.magic, DATASET_MAGIC, sizeof header.magic) != 0 ||
                    header.version != DATASET_VERSION || header.kind != kind))
        rc = merge_damaged(s, name, "a wrong header");
    if (rc == 0)
        rc = check_blocks(s, name, file, *bytes, hash);
    temp_file_close(file);
    return rc;
}

static int read_json(struct merge_shard *s)
{
    enum { JSON_MAX_BYTES = 64 * 1024 * 1024 };
    char hex[HASH_HEX_SIZE];
    char *path = path_join(s->dir, SHARD_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : 0;

    if (rc == 0 && dir_exists(s->dir) && !file_exists(path))
        rc = err_set(RECO_E_DATA, "no shard in '%s': it has no " SHARD_JSON_FILE, s->dir);
    if (rc == 0)
        rc = json_file_read(&s->json, path, JSON_MAX_BYTES, RECO_E_DATA);
    mem_free(path);
    if (rc < 0)
        return rc;
    const char *format = json_string_value(json_object_get(s->json, "format"));
    const char *checksum = json_string_value(json_object_get(s->json, "checksum"));
    if (format == NULL || strcmp(format, SHARD_FORMAT_NAME) != 0 || checksum == NULL)
        return merge_damaged(s, SHARD_JSON_FILE, "a wrong format");
    if (json_integer_value(json_object_get(s->json, "version")) != SHARD_VERSION)
        return err_set(RECO_E_DATA, "shard '%s' is of another version of reco: prepare it again", s->dir);
    rc = dataset_json_checksum(s->json, hex);
    return rc == 0 && strcmp(hex, checksum) != 0 ? merge_damaged(s, SHARD_JSON_FILE, "altered content") : rc;
}

int merge_shard_open(struct merge_shard *s, const char *dir)
{
    uint64_t bytes;

    s->dir = dir;
    int rc = read_json(s);
    if (rc == 0)
        rc = check_file(s, DATASET_IDS_FILE, DATASET_KIND_IDS, &bytes);
    if (rc == 0)
        rc = check_file(s, DATASET_INDEX_FILE, DATASET_KIND_INDEX, &bytes);
    if (rc == 0)
        rc = check_file(s, DATASET_RAW_FILE, DATASET_KIND_RAW, &bytes);
    if (rc == 0)
        rc = check_file(s, TEXT_SET_KEYS_FILE, DATASET_KIND_KEYS, &bytes);
    if (rc == 0)
        rc = check_file(s, SHARD_ROWS_FILE, SHARD_KIND_ROWS, &s->rows_bytes);
    if (rc == 0) {
        char *path = path_join(dir, SHARD_ROWS_FILE);
        rc = path == NULL ? RECO_E_NOMEM : temp_file_open_named(&s->rows, path);
        mem_free(path);
    }
    s->plan = json_object_get(s->json, "plan");
    s->values = json_object_get(s->json, "values");
    s->number = (uint64_t)json_integer_value(json_object_get(s->json, "shard"));
    return rc < 0 ? rc : text_set_open(&s->texts, dir, true);
}

void merge_shard_close(struct merge_shard *s)
{
    text_set_close(s->texts);
    temp_file_close(s->rows);
    json_decref(s->json);
    *s = (struct merge_shard){0};
}

/* ---- do they belong together
 * --------------------------------------------------------------------------------------------- */

/* The first name whose values differ. */
static const char *differing(const json_t *a, const json_t *b)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)a, name, value)
    {
        if (!json_equal(value, json_object_get(b, name)))
            return name;
    }
    return NULL;
}

int merge_check(const struct merge_shard *shards, size_t count)
{
    uint64_t all = (uint64_t)json_integer_value(json_object_get(shards[0].plan, "shards"));
    uint64_t missing = 0;

    for (size_t i = 1; i < count; i++) {
        const char *part = differing(shards[0].plan, shards[i].plan);
        if (part == NULL)
            continue;
        const char *option =
            differing(json_object_get(shards[0].plan, "options"), json_object_get(shards[i].plan, "options"));
        return err_set(RECO_E_DATA, "shards '%s' and '%s' do not belong together: they differ in %s%s", shards[0].dir,
                       shards[i].dir, option != NULL ? "--" : "the ", option != NULL ? option : part);
    }
    for (uint64_t number = 1; number <= all; number++) {
        const struct merge_shard *found = NULL;
        for (size_t i = 0; i < count; i++) {
            if (shards[i].number != number)
                continue;
            if (found != NULL)
                return err_set(RECO_E_DATA, "shard %llu is there twice: '%s' and '%s'", (unsigned long long)number,
                               found->dir, shards[i].dir);
            found = &shards[i];
        }
        missing = found == NULL && missing == 0 ? number : missing;
    }
    if (missing > 0)
        return err_set(RECO_E_DATA, "shard %llu of %llu is missing", (unsigned long long)missing,
                       (unsigned long long)all);
    return count == all ? 0 : err_set(RECO_E_DATA, "bad shards: their numbers are wrong");
}
