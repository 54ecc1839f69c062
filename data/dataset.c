#include "data/dataset.h"

#include <math.h>
#include <string.h>
#include <zstd.h>

#include "core/mem.h"
#include "data/dataset_internal.h"

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

bool dataset_has_description(const struct dataset *ds)
{
    return ds->has_description;
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

const struct dataset *dataset_split_owner(const struct dataset_split *split)
{
    return split->ds;
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

static int append_ids(const struct dataset *ds, uint32_t text, struct wordpiece_ids *out)
{
    size_t count = text_tokens(ds, text);

    if (count == 0)
        return 0;
    int rc = mem_grow((void **)&out->ids, &out->capacity, out->count + count, sizeof *out->ids);

    if (rc < 0)
        return rc;
    copy_ids(ds, text, count, out->ids + out->count);
    out->count += count;
    return 0;
}

int dataset_ids(const struct dataset_split *split, size_t row, struct wordpiece_ids *query,
                struct wordpiece_ids *description)
{
    int rc = append_ids(split->ds, split->query[row], query);

    return rc < 0 ? rc : append_ids(split->ds, split->description[row], description);
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
        return dataset_damaged(ds, DATASET_RAW_FILE, "a damaged block");
    char *plain = mem_alloc((size_t)plain_length);
    if (plain == NULL)
        return RECO_E_NOMEM;
    int rc = 0;
    if (ZSTD_decompress(plain, (size_t)plain_length, packed, packed_length) != plain_length) {
        rc = dataset_damaged(ds, DATASET_RAW_FILE, "a damaged block");
    } else {
        uint64_t start = count * sizeof(uint32_t);
        uint32_t length = 0;
        for (size_t i = 0; i <= number; i++) {
            start += length;
            memcpy(&length, plain + i * sizeof length, sizeof length);
        }
        rc = start + length > plain_length ? dataset_damaged(ds, DATASET_RAW_FILE, "a damaged block")
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
