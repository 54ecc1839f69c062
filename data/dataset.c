#include "data/dataset.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <zstd.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

struct dataset_split {
    const struct dataset *ds;
    const char *name, *hash; /* in ds->json */
    const json_t *column_names;
    size_t rows;
    struct file_map pairs, columns;
    const uint64_t *column_start;
    const uint32_t *query, *description;
    const int32_t *label;
    const float *weight;  /* NULL: 1 */
    const double *target; /* NULL: none */
};

struct dataset {
    char *dir;
    json_t *json;
    const json_t *files;
    struct label_map labels;
    struct wordpiece_special special;
    int vocab_size;
    bool has_description;
    char hash[HASH_HEX_SIZE];

    struct file_map ids_file, index_file, raw_file;
    size_t texts, blocks;
    uint32_t id_width;
    const unsigned char *ids;
    const uint64_t *token_start, *block_start;
    const uint32_t *block_text;

    struct dataset_split *splits;
    size_t split_count;
};

/* ---- opening: nothing of the files is trusted
 * ---------------------------------------------------------------------------- */

static int damaged(const struct dataset *ds, const char *file, const char *what)
{
    return err_set(RECO_E_DATA, "bad dataset '%s': %s in '%s'; prepare it again", ds->dir, what, file);
}

/* Maps a file and checks it against its entry in dataset.json and its header. */
static int open_file(const struct dataset *ds, struct file_map *map, const char *name, enum dataset_kind kind)
{
    const json_t *entry = json_object_get(ds->files, name);
    const char *hash = json_string_value(json_object_get(entry, "hash"));
    char hex[HASH_HEX_SIZE];

    if (hash == NULL)
        return damaged(ds, DATASET_JSON_FILE, "a missing file entry");
    char *path = path_join(ds->dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : file_map_open(map, path);
    mem_free(path);
    if (rc < 0)
        return rc;
    if ((json_int_t)map->size_bytes != json_integer_value(json_object_get(entry, "bytes")))
        return damaged(ds, name, "cut or grown file: a wrong size");
    const struct dataset_header *header = (const struct dataset_header *)map->data;
    if (map->size_bytes < sizeof *header || memcmp(header->magic, DATASET_MAGIC, sizeof header->magic) != 0 ||
        header->version != DATASET_VERSION || header->kind != (uint32_t)kind)
        return damaged(ds, name, "a wrong header");
    /* Raw texts are large and seldom read; each of their blocks has a checksum of its own. */
    if (kind == DATASET_KIND_RAW)
        return 0;
    hash_hex(map->data, map->size_bytes, hex);
    return strcmp(hex, hash) == 0 ? 0 : damaged(ds, name, "altered content: a wrong hash");
}

/* places [count + 1] must not fall, and must end at end. */
static bool rises_to(const uint64_t *places, size_t count, uint64_t first, uint64_t end)
{
    for (size_t i = 0; i < count; i++)
        if (places[i] > places[i + 1])
            return false;
    return places[0] == first && places[count] == end;
}

static bool ids_in_range(const struct dataset *ds, size_t tokens)
{
    uint32_t highest = 0;

    if (ds->id_width == sizeof(uint16_t)) {
        const uint16_t *ids = (const uint16_t *)(const void *)ds->ids;
        for (size_t i = 0; i < tokens; i++)
            highest = ids[i] > highest ? ids[i] : highest;
    } else {
        const uint32_t *ids = (const uint32_t *)(const void *)ds->ids;
        for (size_t i = 0; i < tokens; i++)
            highest = ids[i] > highest ? ids[i] : highest;
    }
    return highest < (uint32_t)ds->vocab_size;
}

static int open_texts(struct dataset *ds)
{
    int rc = open_file(ds, &ds->ids_file, DATASET_IDS_FILE, DATASET_KIND_IDS);

    if (rc == 0)
        rc = open_file(ds, &ds->index_file, DATASET_INDEX_FILE, DATASET_KIND_INDEX);
    if (rc == 0)
        rc = open_file(ds, &ds->raw_file, DATASET_RAW_FILE, DATASET_KIND_RAW);
    if (rc < 0)
        return rc;

    const struct dataset_header *header = (const struct dataset_header *)ds->index_file.data;
    size_t payload = ds->index_file.size_bytes - sizeof *header;
    if (header->count >= DATASET_NO_TEXT || header->blocks > header->count ||
        payload !=
            (header->count + 1) * sizeof(uint64_t) + (header->blocks + 1) * (sizeof(uint64_t) + sizeof(uint32_t)))
        return damaged(ds, DATASET_INDEX_FILE, "a wrong count");
    ds->texts = (size_t)header->count;
    ds->blocks = (size_t)header->blocks;
    ds->token_start = (const uint64_t *)(const void *)(header + 1);
    ds->block_start = ds->token_start + ds->texts + 1;
    ds->block_text = (const uint32_t *)(const void *)(ds->block_start + ds->blocks + 1);

    header = (const struct dataset_header *)ds->ids_file.data;
    ds->id_width = header->width;
    ds->ids = (const unsigned char *)(header + 1);
    payload = ds->ids_file.size_bytes - sizeof *header;
    if ((ds->id_width != sizeof(uint16_t) && ds->id_width != sizeof(uint32_t)) || payload % ds->id_width != 0)
        return damaged(ds, DATASET_IDS_FILE, "a wrong width");
    if (!rises_to(ds->token_start, ds->texts, 0, payload / ds->id_width) ||
        !rises_to(ds->block_start, ds->blocks, sizeof *header, ds->raw_file.size_bytes))
        return damaged(ds, DATASET_INDEX_FILE, "a wrong place");
    for (size_t i = 0; i < ds->blocks; i++)
        if (ds->block_text[i] >= ds->block_text[i + 1])
            return damaged(ds, DATASET_INDEX_FILE, "a wrong block");
    if ((ds->blocks > 0 && ds->block_text[0] != 0) || ds->block_text[ds->blocks] != ds->texts)
        return damaged(ds, DATASET_INDEX_FILE, "a wrong block");
    if (!ids_in_range(ds, payload / ds->id_width))
        return damaged(ds, DATASET_IDS_FILE, "a token outside the vocabulary");
    return 0;
}

static int check_rows(const struct dataset *ds, const struct dataset_split *s, const char *file)
{
    for (size_t i = 0; i < s->rows; i++) {
        bool description_ok =
            ds->has_description ? s->description[i] < ds->texts : s->description[i] == DATASET_NO_TEXT;
        if (s->query[i] >= ds->texts || !description_ok)
            return damaged(ds, file, "a wrong text number");
        if (s->label[i] < -1 || s->label[i] >= ds->labels.count)
            return damaged(ds, file, "a wrong label");
        if (s->weight != NULL && !(s->weight[i] >= 0.0f && isfinite(s->weight[i])))
            return damaged(ds, file, "a wrong weight");
    }
    return 0;
}

static int open_pairs(struct dataset *ds, struct dataset_split *s, const char *file)
{
    int rc = open_file(ds, &s->pairs, file, DATASET_KIND_PAIRS);

    if (rc < 0)
        return rc;
    const struct dataset_header *header = (const struct dataset_header *)s->pairs.data;
    size_t row_bytes = sizeof(uint64_t) + 2 * sizeof(uint32_t) + sizeof(int32_t) +
                       ((header->flags & DATASET_HAS_TARGET) != 0 ? sizeof(double) : 0) +
                       ((header->flags & DATASET_HAS_WEIGHT) != 0 ? sizeof(float) : 0);
    size_t payload = s->pairs.size_bytes - sizeof *header;
    if (payload < sizeof(uint64_t) || header->count != (payload - sizeof(uint64_t)) / row_bytes ||
        (payload - sizeof(uint64_t)) % row_bytes != 0)
        return damaged(ds, file, "a wrong count");
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
    return check_rows(ds, s, file);
}

static int open_split(struct dataset *ds, struct dataset_split *s, const json_t *json)
{
    char hex[HASH_HEX_SIZE];

    s->ds = ds;
    s->name = json_string_value(json_object_get(json, "name"));
    s->hash = json_string_value(json_object_get(json, "hash"));
    s->column_names = json_object_get(json, "columns");
    if (s->name == NULL || s->hash == NULL || strchr(s->name, '/') != NULL || json_array_size(s->column_names) < 3)
        return damaged(ds, DATASET_JSON_FILE, "a bad split");
    for (size_t i = 0; i < json_array_size(s->column_names); i++)
        if (!json_is_string(json_array_get(s->column_names, i)))
            return damaged(ds, DATASET_JSON_FILE, "a bad column name");
    int rc = dataset_split_content_hash(ds->json, s->name, hex);
    if (rc < 0)
        return rc;
    if (strcmp(hex, s->hash) != 0)
        return damaged(ds, DATASET_JSON_FILE, "a wrong hash of a split");

    char *pairs = mem_printf("%s" DATASET_PAIRS_SUFFIX, s->name);
    char *columns = mem_printf("%s" DATASET_COLUMNS_SUFFIX, s->name);
    rc = pairs == NULL || columns == NULL ? RECO_E_NOMEM : open_pairs(ds, s, pairs);
    if (rc == 0)
        rc = open_file(ds, &s->columns, columns, DATASET_KIND_COLUMNS);
    if (rc == 0 && !rises_to(s->column_start, s->rows, 0, s->columns.size_bytes - sizeof(struct dataset_header)))
        rc = damaged(ds, pairs, "a wrong place");
    mem_free(columns);
    mem_free(pairs);
    return rc;
}

static int read_special(const struct dataset *ds, const json_t *ids, const char *name, bool optional, int32_t *out)
{
    const json_t *value = json_object_get(ids, name);

    if (!json_is_integer(value) || json_integer_value(value) >= ds->vocab_size ||
        json_integer_value(value) < (optional ? -1 : 0))
        return damaged(ds, DATASET_JSON_FILE, "a bad special token");
    *out = (int32_t)json_integer_value(value);
    return 0;
}

static int read_tokenizer(struct dataset *ds)
{
    const json_t *tokenizer = json_object_get(ds->json, "tokenizer");
    const json_t *ids = json_object_get(tokenizer, "special_ids");
    json_int_t size = json_integer_value(json_object_get(tokenizer, "vocab_size"));

    if (size < 1 || size > INT32_MAX || !json_is_string(json_object_get(tokenizer, "hash")))
        return damaged(ds, DATASET_JSON_FILE, "a bad tokenizer");
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
    struct buf text = {0};
    json_error_t error;
    char *path = path_join(ds->dir, DATASET_JSON_FILE);
    int rc = path == NULL ? RECO_E_NOMEM : 0;

    if (rc == 0 && dir_exists(ds->dir) && !file_exists(path))
        rc = err_set(RECO_E_DATA, "no dataset in '%s': it has no " DATASET_JSON_FILE, ds->dir);
    if (rc == 0)
        rc = file_read_all(path, JSON_MAX_BYTES, &text);
    if (rc == 0) {
        ds->json = json_loadb(buf_str(&text), text.length, JSON_REJECT_DUPLICATES, &error);
        if (ds->json == NULL)
            rc = json_error_code(&error) == json_error_out_of_memory
                     ? err_nomem()
                     : err_set(RECO_E_DATA, "cannot parse '%s' line %d: %s", path, error.line, error.text);
    }
    buf_release(&text);
    mem_free(path);
    return rc;
}

static int check_format(struct dataset *ds)
{
    const char *format = json_string_value(json_object_get(ds->json, "format"));
    const json_t *version = json_object_get(ds->json, "version");
    const char *hash = json_string_value(json_object_get(ds->json, "hash"));

    if (format == NULL || strcmp(format, DATASET_FORMAT_NAME) != 0 || !json_is_integer(version))
        return err_set(RECO_E_DATA, "no dataset in '%s': its " DATASET_JSON_FILE " is of something else", ds->dir);
    if (json_integer_value(version) != DATASET_VERSION)
        return err_set(RECO_E_DATA, "dataset '%s' has version %lld, and this reco reads %d; prepare it again", ds->dir,
                       (long long)json_integer_value(version), DATASET_VERSION);
    ds->files = json_object_get(ds->json, "files");
    ds->has_description = json_is_true(json_object_get(ds->json, "has_description"));
    int rc = dataset_content_hash(ds->json, ds->hash);
    if (rc == 0 && (hash == NULL || strcmp(hash, ds->hash) != 0))
        rc = damaged(ds, DATASET_JSON_FILE, "a wrong hash");
    return rc;
}

static int open_splits(struct dataset *ds)
{
    const json_t *splits = json_object_get(ds->json, "splits");
    size_t count = json_array_size(splits);
    int rc = 0;

    if (count == 0)
        return damaged(ds, DATASET_JSON_FILE, "no split");
    ds->splits = mem_calloc(count, sizeof *ds->splits);
    if (ds->splits == NULL)
        return RECO_E_NOMEM;
    for (; rc == 0 && ds->split_count < count; ds->split_count++)
        rc = open_split(ds, &ds->splits[ds->split_count], json_array_get(splits, ds->split_count));
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
        rc = open_texts(ds);
    if (rc == 0)
        rc = open_splits(ds);
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
        file_map_close(&ds->splits[i].pairs);
        file_map_close(&ds->splits[i].columns);
    }
    file_map_close(&ds->ids_file);
    file_map_close(&ds->index_file);
    file_map_close(&ds->raw_file);
    label_map_release(&ds->labels);
    json_decref(ds->json);
    mem_free(ds->splits);
    mem_free(ds->dir);
    mem_free(ds);
}

/* ---- what it holds
 * --------------------------------------------------------------------------------------------------------- */

const struct label_map *dataset_labels(const struct dataset *ds)
{
    return &ds->labels;
}

const char *dataset_vocab_hash(const struct dataset *ds)
{
    return json_string_value(json_object_get(json_object_get(ds->json, "tokenizer"), "hash"));
}

const char *dataset_hash(const struct dataset *ds)
{
    return ds->hash;
}

int dataset_vocab_size(const struct dataset *ds)
{
    return ds->vocab_size;
}

const struct wordpiece_special *dataset_special_ids(const struct dataset *ds)
{
    return &ds->special;
}

const json_t *dataset_json(const struct dataset *ds)
{
    return ds->json;
}

const struct dataset_split *dataset_find_split(const struct dataset *ds, const char *name)
{
    for (size_t i = 0; i < ds->split_count; i++)
        if (strcmp(ds->splits[i].name, name) == 0)
            return &ds->splits[i];
    return NULL;
}

size_t dataset_split_count(const struct dataset *ds)
{
    return ds->split_count;
}

const struct dataset_split *dataset_split_at(const struct dataset *ds, size_t index)
{
    return &ds->splits[index];
}

const char *dataset_split_name(const struct dataset_split *split)
{
    return split->name;
}

const char *dataset_split_hash(const struct dataset_split *split)
{
    return split->hash;
}

size_t dataset_rows(const struct dataset_split *split)
{
    return split->rows;
}

int dataset_label(const struct dataset_split *split, size_t row)
{
    return split->label[row];
}

double dataset_target(const struct dataset_split *split, size_t row)
{
    return split->target == NULL ? NAN : split->target[row];
}

float dataset_weight(const struct dataset_split *split, size_t row)
{
    return split->weight == NULL ? 1.0f : split->weight[row];
}

size_t dataset_column_count(const struct dataset_split *split)
{
    return json_array_size(split->column_names);
}

const char *dataset_column_name(const struct dataset_split *split, size_t column)
{
    return json_string_value(json_array_get(split->column_names, column));
}

const char *dataset_columns(const struct dataset_split *split, size_t row, size_t *length)
{
    const char *bytes = (const char *)split->columns.data + sizeof(struct dataset_header);

    *length = (size_t)(split->column_start[row + 1] - split->column_start[row]);
    return bytes + split->column_start[row];
}

/* ---- rows as model input
 * ------------------------------------------------------------------------------------------------- */

static size_t text_tokens(const struct dataset *ds, uint32_t text)
{
    return text == DATASET_NO_TEXT ? 0 : (size_t)(ds->token_start[text + 1] - ds->token_start[text]);
}

void dataset_lengths(const struct dataset_split *split, size_t row, size_t *query_tokens, size_t *description_tokens)
{
    *query_tokens = text_tokens(split->ds, split->query[row]);
    *description_tokens = text_tokens(split->ds, split->description[row]);
}

static void copy_ids(const struct dataset *ds, uint32_t text, size_t count, int32_t *out)
{
    if (count == 0)
        return;
    size_t start = (size_t)ds->token_start[text];
    if (ds->id_width == sizeof(uint16_t)) {
        const uint16_t *ids = (const uint16_t *)(const void *)ds->ids + start;
        for (size_t i = 0; i < count; i++)
            out[i] = ids[i];
    } else {
        memcpy(out, (const uint32_t *)(const void *)ds->ids + start, count * sizeof *out);
    }
}

/* The row_id of a row: its first column. */
static int row_id_length(const struct dataset_split *split, size_t row, const char **id)
{
    size_t length;

    *id = dataset_columns(split, row, &length);
    const char *tab = memchr(*id, '\t', length);
    length = tab != NULL ? (size_t)(tab - *id) : length;
    return length > 256 ? 256 : (int)length;
}

int dataset_encode(const struct dataset_split *split, size_t row, size_t max_length, enum wordpiece_truncation strategy,
                   int32_t *ids, int32_t *types, size_t *length, size_t *lost)
{
    const struct dataset *ds = split->ds;
    size_t first, second, at = 0;

    dataset_lengths(split, row, &first, &second);
    size_t all = first + second;
    int rc = wordpiece_truncate(&first, &second, ds->has_description, max_length, strategy);
    if (rc < 0) {
        const char *id;
        int id_length = row_id_length(split, row, &id);
        return err_prepend(rc, "row '%.*s'", id_length, id);
    }
    ids[at++] = ds->special.cls;
    copy_ids(ds, split->query[row], first, ids + at);
    at += first;
    ids[at++] = ds->special.sep;
    memset(types, 0, at * sizeof *types);
    if (ds->has_description) {
        size_t begin = at;
        copy_ids(ds, split->description[row], second, ids + at);
        at += second;
        ids[at++] = ds->special.sep;
        for (size_t i = begin; i < at; i++)
            types[i] = 1;
    }
    *length = at;
    *lost = all - first - second;
    return 0;
}

/* ---- raw texts
 * ------------------------------------------------------------------------------------------------------------- */

/* The last block whose first text is not behind text. */
static size_t block_of(const struct dataset *ds, uint32_t text)
{
    size_t low = 0, high = ds->blocks;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ds->block_text[middle] <= text)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int append_text(const struct dataset *ds, uint32_t text, struct buf *out)
{
    if (text == DATASET_NO_TEXT)
        return 0;
    size_t block = block_of(ds, text);
    const unsigned char *packed = ds->raw_file.data + ds->block_start[block];
    size_t packed_length = (size_t)(ds->block_start[block + 1] - ds->block_start[block]);
    size_t count = ds->block_text[block + 1] - ds->block_text[block], number = text - ds->block_text[block];
    unsigned long long plain_length = ZSTD_getFrameContentSize(packed, packed_length);

    /* zstd cannot pack tighter than this: a frame that claims more is damaged, and must not make us allocate it. */
    if (plain_length == ZSTD_CONTENTSIZE_ERROR || plain_length == ZSTD_CONTENTSIZE_UNKNOWN ||
        plain_length / 65536 > packed_length || plain_length < count * sizeof(uint32_t))
        return damaged(ds, DATASET_RAW_FILE, "a damaged block");
    char *plain = mem_alloc((size_t)plain_length);
    if (plain == NULL)
        return RECO_E_NOMEM;
    int rc = 0;
    if (ZSTD_decompress(plain, (size_t)plain_length, packed, packed_length) != plain_length) {
        rc = damaged(ds, DATASET_RAW_FILE, "a damaged block");
    } else {
        uint64_t start = count * sizeof(uint32_t);
        uint32_t length = 0;
        for (size_t i = 0; i <= number; i++) {
            start += length;
            memcpy(&length, plain + i * sizeof length, sizeof length);
        }
        rc = start + length > plain_length ? damaged(ds, DATASET_RAW_FILE, "a damaged block")
                                           : buf_add(out, plain + start, length);
    }
    mem_free(plain);
    return rc;
}

int dataset_texts(const struct dataset_split *split, size_t row, struct buf *query, struct buf *description)
{
    int rc = append_text(split->ds, split->query[row], query);

    return rc < 0 ? rc : append_text(split->ds, split->description[row], description);
}
