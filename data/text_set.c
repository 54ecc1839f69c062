#include "data/text_set.h"

#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/dataset_format.h"
#include "data/text_set_internal.h"

struct text_set {
    struct file_map index, keys;
    size_t count, blocks;
    const uint64_t *token_start, *block_start;
    const uint32_t *block_text;
    uint32_t width;
    struct temp_file *ids_file, *raw_file;

    /* where reading stands */
    size_t next, block; /* text; block read last, blocks: none yet */
    struct temp_reader ids, raw;
    struct buf plain;
    size_t at; /* of the next text in plain */
};

static int map_file(struct file_map *map, const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : file_map_open(map, path);

    mem_free(path);
    return rc;
}

static int open_file(struct temp_file **file, const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : temp_file_open_named(file, path);

    mem_free(path);
    return rc;
}

static bool rises(const uint64_t *places, size_t count, uint64_t first, uint64_t end)
{
    for (size_t i = 0; i < count; i++)
        if (places[i] > places[i + 1])
            return false;
    return places[0] == first && places[count] <= end;
}

/* A set from elsewhere: no place in it may lead out of its files. */
static bool fits_its_files(const struct text_set *s)
{
    const uint64_t header = sizeof(struct dataset_header);
    uint64_t index =
        header + (s->count + 1) * sizeof(uint64_t) + (s->blocks + 1) * (sizeof(uint64_t) + sizeof(uint32_t));

    if (s->count >= TEXT_SET_NONE || s->blocks > s->count || index > s->index.size_bytes ||
        header + s->count * sizeof(struct text_key) > s->keys.size_bytes ||
        (s->width != sizeof(uint16_t) && s->width != sizeof(uint32_t)))
        return false;
    for (size_t i = 0; i < s->blocks; i++)
        if (s->block_text[i] >= s->block_text[i + 1])
            return false;
    return (s->blocks == 0 || s->block_text[0] == 0) && s->block_text[s->blocks] == s->count &&
           rises(s->token_start, s->count, 0, (temp_file_bytes(s->ids_file) - header) / s->width) &&
           rises(s->block_start, s->blocks, header, temp_file_bytes(s->raw_file));
}

int text_set_open(struct text_set **out, const char *dir, bool with_keys)
{
    struct text_set *s = mem_calloc(1, sizeof *s);
    struct dataset_header header;

    if (s == NULL)
        return RECO_E_NOMEM;
    int rc = map_file(&s->index, dir, DATASET_INDEX_FILE);
    if (rc == 0 && with_keys)
        rc = map_file(&s->keys, dir, TEXT_SET_KEYS_FILE);
    if (rc == 0)
        rc = open_file(&s->ids_file, dir, DATASET_IDS_FILE);
    if (rc == 0)
        rc = open_file(&s->raw_file, dir, DATASET_RAW_FILE);
    if (rc == 0)
        rc = temp_file_read(s->ids_file, 0, &header, sizeof header);
    if (rc < 0) {
        text_set_close(s);
        return rc;
    }
    s->width = header.width;
    memcpy(&header, s->index.data, sizeof header);
    s->count = (size_t)header.count;
    s->blocks = (size_t)header.blocks;
    s->token_start = (const uint64_t *)(const void *)(s->index.data + sizeof header);
    s->block_start = s->token_start + s->count + 1;
    s->block_text = (const uint32_t *)(const void *)(s->block_start + s->blocks + 1);
    if (with_keys && !fits_its_files(s)) {
        text_set_close(s);
        return err_set(RECO_E_DATA, "damaged texts in '%s'", dir);
    }
    text_set_rewind(s);
    *out = s;
    return 0;
}

void text_set_close(struct text_set *s)
{
    if (s == NULL)
        return;
    temp_reader_release(&s->ids);
    temp_reader_release(&s->raw);
    temp_file_close(s->ids_file);
    temp_file_close(s->raw_file);
    file_map_close(&s->index);
    file_map_close(&s->keys);
    buf_release(&s->plain);
    mem_free(s);
}

size_t text_set_count(const struct text_set *s)
{
    return s->count;
}

uint32_t text_set_width(const struct text_set *s)
{
    return s->width;
}

uint64_t text_set_tokens(const struct text_set *s, uint32_t number)
{
    return s->token_start[number + 1] - s->token_start[number];
}

struct text_key text_set_key(const struct text_set *s, uint32_t number)
{
    struct text_key key;

    memcpy(&key, s->keys.data + sizeof(struct dataset_header) + number * sizeof key, sizeof key);
    return key;
}

void text_set_rewind(struct text_set *s)
{
    temp_reader_release(&s->ids);
    temp_reader_release(&s->raw);
    s->ids = (struct temp_reader){.file = s->ids_file,
                                  .at = sizeof(struct dataset_header),
                                  .end = sizeof(struct dataset_header) + s->token_start[s->count] * s->width};
    s->raw = (struct temp_reader){
        .file = s->raw_file, .at = sizeof(struct dataset_header), .end = s->block_start[s->blocks]};
    s->next = 0;
    s->block = s->blocks;
}

static int next_block(struct text_set *s)
{
    const unsigned char *packed;

    s->block = s->block == s->blocks ? 0 : s->block + 1;
    size_t length = (size_t)(s->block_start[s->block + 1] - s->block_start[s->block]);
    size_t texts = s->block_text[s->block + 1] - s->block_text[s->block];
    int rc = temp_reader_get(&s->raw, length, &packed);
    if (rc < 0)
        return rc;
    unsigned long long plain = ZSTD_getFrameContentSize(packed, length);
    if (plain == ZSTD_CONTENTSIZE_ERROR || plain == ZSTD_CONTENTSIZE_UNKNOWN || plain < texts * sizeof(uint32_t))
        return err_set(RECO_E_DATA, "damaged texts");
    buf_clear(&s->plain);
    rc = buf_reserve(&s->plain, (size_t)plain);
    if (rc < 0)
        return rc;
    if (ZSTD_decompress(s->plain.data, (size_t)plain, packed, length) != plain)
        return err_set(RECO_E_DATA, "damaged texts");
    s->plain.length = (size_t)plain;
    s->at = texts * sizeof(uint32_t);
    return 0;
}

int text_set_next(struct text_set *s, bool with_ids, struct text_set_text *text, bool *found)
{
    const unsigned char *ids;
    uint32_t length;

    *found = s->next < s->count;
    if (!*found)
        return 0;
    if (s->block == s->blocks || s->next == s->block_text[s->block + 1]) {
        int rc = next_block(s);
        if (rc < 0)
            return rc;
    }
    memcpy(&length, s->plain.data + (s->next - s->block_text[s->block]) * sizeof length, sizeof length);
    if (length > s->plain.length - s->at)
        return err_set(RECO_E_DATA, "damaged texts");
    *text = (struct text_set_text){.text = s->plain.data + s->at, .length = length};
    s->at += length;
    if (with_ids) {
        text->id_count = (size_t)text_set_tokens(s, (uint32_t)s->next);
        int rc = temp_reader_get(&s->ids, text->id_count * s->width, &ids);
        if (rc < 0)
            return rc;
        text->ids = ids;
    }
    s->next++;
    return 0;
}
