#include <float.h>
#include <string.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

/* Opening a dataset: nothing of the files is trusted. */

int dataset_damaged(const struct dataset *ds, const char *file, const char *what)
{
    return err_set(RECO_E_DATA, "bad dataset '%s': %s in '%s'; prepare it again", ds->dir, what, file);
}

/* places [count + 1] must not fall, and must go from first to end. Without a branch, at the speed of memory. */
static bool rises_to(const uint64_t *places, size_t count, uint64_t first, uint64_t end)
{
    uint64_t negative = 0; /* its highest bit: a place beyond 2^63, or a step back */

    for (size_t i = 0; i < count; i++)
        negative |= places[i] | (places[i + 1] - places[i]);
    return (negative | places[count]) >> 63 == 0 && places[0] == first && places[count] == end;
}

static bool ids_in_range(const struct dataset *ds, size_t tokens)
{
    uint32_t highest = 0;

    if (ds->id_width == sizeof(uint16_t)) {
        const uint16_t *ids = (const uint16_t *)(const void *)ds->ids;
        uint16_t highest_narrow = 0;
        for (size_t i = 0; i < tokens; i++)
            highest_narrow = ids[i] > highest_narrow ? ids[i] : highest_narrow;
        highest = highest_narrow;
    } else {
        const uint32_t *ids = (const uint32_t *)(const void *)ds->ids;
        for (size_t i = 0; i < tokens; i++)
            highest = ids[i] > highest ? ids[i] : highest;
    }
    return tokens == 0 || highest < (uint32_t)ds->vocab_size;
}

static int map_texts(struct dataset *ds)
{
    int rc = dataset_map_open(ds, &ds->ids_file, DATASET_IDS_FILE, DATASET_KIND_IDS);

    if (rc == 0)
        rc = dataset_map_open(ds, &ds->index_file, DATASET_INDEX_FILE, DATASET_KIND_INDEX);
    if (rc == 0)
        rc = dataset_map_open(ds, &ds->raw_file, DATASET_RAW_FILE, DATASET_KIND_RAW);
    return rc;
}

/* The parts of the mapped files of the texts. */
static int read_texts(struct dataset *ds)
{
    const struct dataset_header *header = (const struct dataset_header *)ds->index_file.data;
    uint64_t payload = ds->index_file.bytes - sizeof *header;

    if (header->count >= DATASET_NO_TEXT || header->blocks > header->count ||
        payload !=
            (header->count + 1) * sizeof(uint64_t) + (header->blocks + 1) * (sizeof(uint64_t) + sizeof(uint32_t)))
        return dataset_damaged(ds, DATASET_INDEX_FILE, "a wrong count");
    ds->texts = (size_t)header->count;
    ds->blocks = (size_t)header->blocks;
    ds->token_start = (const uint64_t *)(const void *)(header + 1);
    ds->block_start = ds->token_start + ds->texts + 1;
    ds->block_text = (const uint32_t *)(const void *)(ds->block_start + ds->blocks + 1);

    header = (const struct dataset_header *)ds->ids_file.data;
    ds->id_width = header->width;
    ds->ids = (const unsigned char *)(header + 1);
    payload = ds->ids_file.bytes - sizeof *header;
    if ((ds->id_width != sizeof(uint16_t) && ds->id_width != sizeof(uint32_t)) || payload % ds->id_width != 0)
        return dataset_damaged(ds, DATASET_IDS_FILE, "a wrong width");
    if (!rises_to(ds->token_start, ds->texts, 0, payload / ds->id_width) ||
        !rises_to(ds->block_start, ds->blocks, sizeof *header, ds->raw_file.bytes))
        return dataset_damaged(ds, DATASET_INDEX_FILE, "a wrong place");
    for (size_t i = 0; i < ds->blocks; i++)
        if (ds->block_text[i] >= ds->block_text[i + 1])
            return dataset_damaged(ds, DATASET_INDEX_FILE, "a wrong block");
    if ((ds->blocks > 0 && ds->block_text[0] != 0) || ds->block_text[ds->blocks] != ds->texts)
        return dataset_damaged(ds, DATASET_INDEX_FILE, "a wrong block");
    if (!ids_in_range(ds, (size_t)(payload / ds->id_width)))
        return dataset_damaged(ds, DATASET_IDS_FILE, "a token outside the vocabulary");
    return 0;
}

/* Loops that only gather, so that they run at the speed of memory. */
static int check_rows(const struct dataset *ds, const struct dataset_split *s)
{
    uint32_t query = 0, description = 0, lowest_description = DATASET_NO_TEXT;
    int32_t label = -1, lowest_label = -1;
    bool weights_ok = true;

    for (size_t i = 0; i < s->rows; i++)
        query = s->query[i] > query ? s->query[i] : query;
    for (size_t i = 0; i < s->rows; i++) {
        description = s->description[i] > description ? s->description[i] : description;
        lowest_description = s->description[i] < lowest_description ? s->description[i] : lowest_description;
    }
    for (size_t i = 0; i < s->rows; i++) {
        label = s->label[i] > label ? s->label[i] : label;
        lowest_label = s->label[i] < lowest_label ? s->label[i] : lowest_label;
    }
    for (size_t i = 0; s->weight != NULL && i < s->rows; i++)
        weights_ok &= s->weight[i] >= 0.0f && s->weight[i] <= FLT_MAX;
    if (s->rows == 0)
        return 0;
    if (query >= ds->texts || (ds->has_description ? description >= ds->texts : lowest_description != DATASET_NO_TEXT))
        return dataset_damaged(ds, s->pairs.name, "a wrong text number");
    if (lowest_label < -1 || label >= ds->labels.count)
        return dataset_damaged(ds, s->pairs.name, "a wrong label");
    return weights_ok ? 0 : dataset_damaged(ds, s->pairs.name, "a wrong weight");
}

/* The parts of the mapped files of a split. */
static int read_split(const struct dataset *ds, struct dataset_split *s)
{
    const struct dataset_header *header = (const struct dataset_header *)s->pairs.data;
    size_t row_bytes = sizeof(uint64_t) + 2 * sizeof(uint32_t) + sizeof(int32_t) +
                       ((header->flags & DATASET_HAS_TARGET) != 0 ? sizeof(double) : 0) +
                       ((header->flags & DATASET_HAS_WEIGHT) != 0 ? sizeof(float) : 0);
    uint64_t payload = s->pairs.bytes - sizeof *header;
    if (payload < sizeof(uint64_t) || header->count != (payload - sizeof(uint64_t)) / row_bytes ||
        (payload - sizeof(uint64_t)) % row_bytes != 0)
        return dataset_damaged(ds, s->pairs.name, "a wrong count");
    s->rows = (size_t)header->count;
    s->column_start = (const uint64_t *)(const void *)(header + 1);
    const unsigned char *at = (const unsigned char *)(s->column_start + s->rows + 1);
    if (header->flags & DATASET_HAS_TARGET) {
        s->target = (const double *)(const void *)at;
        at += s->rows * sizeof(double);
    }
    s->query = (const uint32_t *)(const void *)at;
    s->description = s->query + s->rows;
    s->label = (const int32_t *)(const void *)(s->description + s->rows);
    if (header->flags & DATASET_HAS_WEIGHT)
        s->weight = (const float *)(const void *)(s->label + s->rows);
    if (!rises_to(s->column_start, s->rows, 0, s->columns.bytes - sizeof(struct dataset_header)))
        return dataset_damaged(ds, s->pairs.name, "a wrong place");
    return check_rows(ds, s);
}

static int map_split(struct dataset *ds, struct dataset_split *s, const json_t *json)
{
    char hex[HASH_HEX_SIZE];

    s->ds = ds;
    s->name = json_string_value(json_object_get(json, "name"));
    s->hash = json_string_value(json_object_get(json, "hash"));
    s->column_names = json_object_get(json, "columns");
    if (s->name == NULL || s->hash == NULL || strchr(s->name, '/') != NULL || json_array_size(s->column_names) < 3)
        return dataset_damaged(ds, DATASET_JSON_FILE, "a bad split");
    for (size_t i = 0; i < json_array_size(s->column_names); i++)
        if (!json_is_string(json_array_get(s->column_names, i)))
            return dataset_damaged(ds, DATASET_JSON_FILE, "a bad column name");
    int rc = dataset_split_content_hash(ds->json, s->name, hex);
    if (rc < 0)
        return rc;
    if (strcmp(hex, s->hash) != 0)
        return dataset_damaged(ds, DATASET_JSON_FILE, "a wrong hash of a split");

    char *pairs = mem_printf("%s" DATASET_PAIRS_SUFFIX, s->name);
    char *columns = mem_printf("%s" DATASET_COLUMNS_SUFFIX, s->name);
    rc = pairs == NULL || columns == NULL ? RECO_E_NOMEM : dataset_map_open(ds, &s->pairs, pairs, DATASET_KIND_PAIRS);
    if (rc == 0)
        rc = dataset_map_open(ds, &s->columns, columns, DATASET_KIND_COLUMNS);
    mem_free(columns);
    mem_free(pairs);
    return rc;
}

static int read_special(const struct dataset *ds, const json_t *ids, const char *name, bool optional, int32_t *out)
{
    const json_t *value = json_object_get(ids, name);

    if (!json_is_integer(value) || json_integer_value(value) >= ds->vocab_size ||
        json_integer_value(value) < (optional ? -1 : 0))
        return dataset_damaged(ds, DATASET_JSON_FILE, "a bad special token");
    *out = (int32_t)json_integer_value(value);
    return 0;
}

static int read_tokenizer(struct dataset *ds)
{
    const json_t *tokenizer = json_object_get(ds->json, "tokenizer");
    const json_t *ids = json_object_get(tokenizer, "special_ids");
    json_int_t size = json_integer_value(json_object_get(tokenizer, "vocab_size"));

    if (size < 1 || size > INT32_MAX || !json_is_string(json_object_get(tokenizer, "hash")))
        return dataset_damaged(ds, DATASET_JSON_FILE, "a bad tokenizer");
    ds->vocab_size = (int)size;
    int rc = read_special(ds, ids, "pad", true, &ds->special.pad);
    if (rc == 0)
        rc = read_special(ds, ids, "unk", false, &ds->special.unk);
    if (rc == 0)
        rc = read_special(ds, ids, "cls", false, &ds->special.cls);
    if (rc == 0)
        rc = read_special(ds, ids, "sep", false, &ds->special.sep);
    if (rc == 0)
        rc = read_special(ds, ids, "mask", true, &ds->special.mask);
    return rc;
}

static int read_json(struct dataset *ds)
{
    enum { JSON_MAX_BYTES = 64 * 1024 * 1024 };
    char *path = path_join(ds->dir, DATASET_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : 0;

    if (rc == 0 && dir_exists(ds->dir) && !file_exists(path))
        rc = err_set(RECO_E_DATA, "no dataset in '%s': it has no " DATASET_JSON_FILE, ds->dir);
    if (rc == 0)
        rc = json_file_read(&ds->json, path, JSON_MAX_BYTES, RECO_E_DATA);
    mem_free(path);
    return rc;
}

static int check_format(struct dataset *ds)
{
    const char *format = json_string_value(json_object_get(ds->json, "format"));
    const json_t *version = json_object_get(ds->json, "version");
    const char *hash = json_string_value(json_object_get(ds->json, "hash"));
    const char *checksum = json_string_value(json_object_get(ds->json, "checksum"));
    char hex[HASH_HEX_SIZE];

    if (format == NULL || strcmp(format, DATASET_FORMAT_NAME) != 0 || !json_is_integer(version))
        return err_set(RECO_E_DATA, "no dataset in '%s': its " DATASET_JSON_FILE " is of something else", ds->dir);
    if (json_integer_value(version) != DATASET_VERSION)
        return err_set(RECO_E_DATA, "dataset '%s' has version %lld, and this reco reads %d; prepare it again", ds->dir,
                       (long long)json_integer_value(version), DATASET_VERSION);
    ds->files = json_object_get(ds->json, "files");
    ds->has_description = json_is_true(json_object_get(ds->json, "has_description"));
    int rc = dataset_content_hash(ds->json, ds->hash);
    if (rc == 0 && (hash == NULL || strcmp(hash, ds->hash) != 0))
        rc = dataset_damaged(ds, DATASET_JSON_FILE, "a wrong hash");
    if (rc == 0)
        rc = dataset_json_checksum(ds->json, hex);
    if (rc == 0 && (checksum == NULL || strcmp(checksum, hex) != 0))
        rc = dataset_damaged(ds, DATASET_JSON_FILE, "altered content");
    return rc;
}

static int map_splits(struct dataset *ds)
{
    const json_t *splits = json_object_get(ds->json, "splits");
    size_t count = json_array_size(splits);
    int rc = 0;

    if (count == 0)
        return dataset_damaged(ds, DATASET_JSON_FILE, "no split");
    ds->splits = mem_calloc(count, sizeof *ds->splits);
    if (ds->splits == NULL)
        return RECO_E_NOMEM;
    for (; rc == 0 && ds->split_count < count; ds->split_count++)
        rc = map_split(ds, &ds->splits[ds->split_count], json_array_get(splits, ds->split_count));
    return rc;
}

int dataset_open(struct dataset **out, const char *dir)
{
    struct dataset *ds = mem_calloc(1, sizeof *ds);

    if (ds == NULL)
        return RECO_E_NOMEM;
    ds->dir = mem_strdup(dir);
    int rc = ds->dir == NULL ? RECO_E_NOMEM : read_json(ds);
    if (rc == 0)
        rc = check_format(ds);
    if (rc == 0) {
        rc = label_map_from_json(&ds->labels, json_object_get(ds->json, "labels"));
        if (rc < 0)
            rc = err_prepend(rc, "bad dataset '%s'", dir);
    }
    if (rc == 0)
        rc = read_tokenizer(ds);
    if (rc == 0)
        rc = map_texts(ds);
    if (rc == 0)
        rc = map_splits(ds);
    if (rc == 0)
        rc = dataset_check_blocks(ds);
    if (rc == 0)
        rc = read_texts(ds);
    for (size_t i = 0; rc == 0 && i < ds->split_count; i++)
        rc = read_split(ds, &ds->splits[i]);
    if (rc < 0) {
        dataset_close(ds);
        return rc;
    }
    *out = ds;
    return 0;
}

void dataset_close(struct dataset *ds)
{
    if (ds == NULL)
        return;
    for (size_t i = 0; i < ds->split_count; i++) {
        dataset_map_close(&ds->splits[i].pairs);
        dataset_map_close(&ds->splits[i].columns);
    }
    dataset_map_close(&ds->ids_file);
    dataset_map_close(&ds->index_file);
    dataset_map_close(&ds->raw_file);
    label_map_release(&ds->labels);
    json_decref(ds->json);
    mem_free(ds->splits);
    mem_free(ds->dir);
    mem_free(ds);
}
