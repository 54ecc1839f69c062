#include <string.h>

#include "core/mem.h"
#include "data/dataset_internal.h"

/* Mapping the files of a dataset and proving every byte of them, by the checksums that end each file. */

/* Less than this is checked sooner by one thread than others are started. */
enum { PARALLEL_BYTES = 4 * 1024 * 1024 };

/* RECO_E_DATA: what is wrong with which bytes of a file. */
static int damaged_block(const struct dataset *ds, const struct dataset_map *m, uint64_t block)
{
    uint64_t first = block * DATASET_SUM_BYTES, end = first + DATASET_SUM_BYTES;

    return err_set(RECO_E_DATA, "bad dataset '%s': altered content in '%s', bytes %llu to %llu; prepare it again",
                   ds->dir, m->name, (unsigned long long)first,
                   (unsigned long long)(end < m->bytes ? end : m->bytes) - 1);
}

static const uint64_t *sums_of(const struct dataset_map *m)
{
    return (const uint64_t *)(const void *)(m->data + dataset_sum_offset(m->bytes));
}

static bool block_is_whole(const struct dataset_map *m, uint64_t block)
{
    uint64_t first = block * DATASET_SUM_BYTES, left = m->bytes - first;

    return hash_u64(m->data + first, (size_t)(left < DATASET_SUM_BYTES ? left : DATASET_SUM_BYTES), 0) ==
           sums_of(m)[block];
}

/*
 * The checksums are not those that dataset.json knows. If all of them fit the content, the file is whole and of another
 * dataset; else the content or the checksums themselves were altered.
 */
static int wrong_sums(const struct dataset *ds, const struct dataset_map *m)
{
    size_t unfit = 0, count = (size_t)dataset_sum_count(m->bytes), last = 0;

    for (size_t i = 0; i < count; i++)
        if (!block_is_whole(m, i)) {
            unfit++;
            last = i;
        }
    if (unfit == 0)
        return dataset_damaged(ds, m->name, "the content of another dataset");
    if (unfit == 1 && count > 1)
        return damaged_block(ds, m, last);
    return dataset_damaged(ds, m->name, "altered content or checksums");
}

int dataset_map_open(const struct dataset *ds, struct dataset_map *m, const char *name, enum dataset_kind kind)
{
    const json_t *entry = json_object_get(ds->files, name);
    const json_t *bytes = json_object_get(entry, "bytes");
    const char *hash = json_string_value(json_object_get(entry, "hash"));

    if (hash == NULL || !json_is_integer(bytes) || json_integer_value(bytes) < 0)
        return dataset_damaged(ds, DATASET_JSON_FILE, "a missing file entry");
    m->name = json_object_iter_key(json_object_iter_at((json_t *)ds->files, name));
    char *path = path_join(ds->dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : file_map_open(&m->file, path);
    mem_free(path);
    if (rc < 0)
        return rc;
    m->data = m->file.data;
    m->bytes = (uint64_t)json_integer_value(bytes);
    uint64_t whole = m->bytes > m->file.size_bytes
                         ? UINT64_MAX
                         : dataset_sum_offset(m->bytes) + dataset_sum_count(m->bytes) * sizeof(uint64_t);
    if (m->file.size_bytes != whole)
        return dataset_damaged(ds, name, "cut or grown file: a wrong size");
    const struct dataset_header *header = (const struct dataset_header *)m->data;
    if (m->bytes < sizeof *header || memcmp(header->magic, DATASET_MAGIC, sizeof header->magic) != 0 ||
        header->version != DATASET_VERSION || header->kind != (uint32_t)kind)
        return dataset_damaged(ds, name, "a wrong header");
    char hex[HASH_HEX_SIZE];
    hash_hex(sums_of(m), (size_t)dataset_sum_count(m->bytes) * sizeof(uint64_t), hex);
    if (strcmp(hex, hash) != 0)
        return wrong_sums(ds, m);
    for (uint64_t i = m->bytes; i < dataset_sum_offset(m->bytes); i++)
        if (m->data[i] != 0)
            return dataset_damaged(ds, name, "altered padding");
    return 0;
}

void dataset_map_close(struct dataset_map *m)
{
    file_map_close(&m->file);
}

/* ---- every block
 * ------------------------------------------------------------------------------------------------------------- */

struct check {
    const struct dataset *ds;
    const struct dataset_map **maps; /* [count] */
    size_t count, blocks;
};

/* Task: one block, counted through all files. */
static int check_block(void *arg, size_t task)
{
    const struct check *c = arg;
    size_t block = task, i = 0;

    for (; block >= dataset_sum_count(c->maps[i]->bytes); i++)
        block -= (size_t)dataset_sum_count(c->maps[i]->bytes);
    return block_is_whole(c->maps[i], block) ? 0 : damaged_block(c->ds, c->maps[i], block);
}

int dataset_check_blocks(const struct dataset *ds)
{
    enum { TEXT_FILES = 3, SPLIT_FILES = 2 };
    struct check c = {.ds = ds};
    struct pool *pool = NULL;
    uint64_t bytes = 0;
    int rc = 0;

    c.maps = mem_calloc(TEXT_FILES + SPLIT_FILES * ds->split_count, sizeof *c.maps);
    if (c.maps == NULL)
        return RECO_E_NOMEM;
    c.maps[c.count++] = &ds->ids_file;
    c.maps[c.count++] = &ds->index_file;
    c.maps[c.count++] = &ds->raw_file;
    for (size_t i = 0; i < ds->split_count; i++) {
        c.maps[c.count++] = &ds->splits[i].pairs;
        c.maps[c.count++] = &ds->splits[i].columns;
    }
    for (size_t i = 0; i < c.count; i++) {
        c.blocks += (size_t)dataset_sum_count(c.maps[i]->bytes);
        bytes += c.maps[i]->bytes;
    }
    if (bytes >= PARALLEL_BYTES)
        rc = pool_new(&pool, cpu_count());
    if (rc == 0 && pool != NULL)
        rc = pool_run(pool, c.blocks, check_block, &c);
    for (size_t i = 0; rc == 0 && pool == NULL && i < c.blocks; i++)
        rc = check_block(&c, i);
    pool_free(pool);
    mem_free(c.maps);
    return rc;
}
