#include <string.h>
#include <zstd.h>

#include "core/buf.h"
#include "core/mem.h"
#include "data/dataset_internal.h"

/* Sizes that shape the files are constants, so that the bytes do not depend on the machine. */
enum {
    BATCH_BYTES = 8 * 1024 * 1024, /* texts waiting for the pool */
    BATCH_TEXTS = 65536,
    BLOCK_BYTES = 128 * 1024, /* a block of raw texts is closed when it reaches this */
    ZSTD_LEVEL = 3,
    FIRST_SLOTS = 1024
};

struct text_key {
    uint64_t low, high; /* XXH3 of the text with two seeds: 128 bits, equal keys are taken for equal texts */
};

struct lane { /* what a task of the pool owns */
    struct wordpiece_scratch *scratch;
    struct wordpiece_ids ids;
    ZSTD_CCtx *zstd;
};

struct block {
    size_t first, count; /* texts of the batch */
    struct buf packed;
};

struct dataset_texts {
    const struct wordpiece *wp;
    struct pool *pool;
    struct dataset_file ids_file, raw_file;
    uint64_t raw_bytes; /* of raw_file, header included */
    uint32_t width;

    struct text_key *keys; /* [count] */
    size_t keys_capacity, count;
    uint32_t *slots;   /* [slot_count] number + 1, 0: free */
    size_t slot_count; /* a power of two, or 0 */

    uint64_t *token_start; /* [done + 1] */
    size_t token_start_capacity, done;
    uint64_t *block_start; /* [block_count + 1] */
    uint32_t *block_text;  /* [block_count + 1] */
    size_t block_start_capacity, block_text_capacity, block_count;

    /* the batch: texts [done, count) */
    struct buf bytes;
    size_t *starts; /* [count - done + 1] into bytes */
    size_t starts_capacity;
    uint32_t *token_count; /* [batch] written by the lanes, each its own part */
    size_t token_count_capacity;
    struct lane *lanes;
    size_t lane_count;
    struct block *blocks;
    size_t blocks_capacity, blocks_used;
    struct buf narrow; /* ids as they go into the file */
};

int dataset_texts_open(struct dataset_texts **out, const char *dir, const struct wordpiece *wp, struct pool *pool)
{
    struct dataset_texts *t = mem_calloc(1, sizeof *t);
    int rc;

    if (t == NULL)
        return RECO_E_NOMEM;
    t->wp = wp;
    t->pool = pool;
    t->width = wordpiece_vocab_size(wp) <= 65536 ? sizeof(uint16_t) : sizeof(uint32_t);
    t->raw_bytes = sizeof(struct dataset_header);
    t->lanes = mem_calloc((size_t)pool_threads(pool), sizeof *t->lanes);
    rc = t->lanes == NULL ? RECO_E_NOMEM : 0;
    for (int i = 0; rc == 0 && i < pool_threads(pool); i++) {
        t->lane_count++;
        rc = wordpiece_scratch_new(&t->lanes[i].scratch, wp);
        t->lanes[i].zstd = ZSTD_createCCtx();
        if (rc == 0 && t->lanes[i].zstd == NULL)
            rc = err_nomem();
        if (rc == 0) {
            ZSTD_CCtx_setParameter(t->lanes[i].zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
            ZSTD_CCtx_setParameter(t->lanes[i].zstd, ZSTD_c_checksumFlag, 1);
        }
    }
    if (rc == 0)
        rc = mem_grow((void **)&t->token_start, &t->token_start_capacity, 1, sizeof *t->token_start);
    if (rc == 0)
        rc = mem_grow((void **)&t->starts, &t->starts_capacity, 1, sizeof *t->starts);
    if (rc == 0) {
        t->token_start[0] = 0;
        t->starts[0] = 0;
        rc = dataset_file_open(&t->ids_file, dir, DATASET_IDS_FILE, "",
                               (struct dataset_header){.kind = DATASET_KIND_IDS, .width = t->width});
    }
    if (rc == 0)
        rc = dataset_file_open(&t->raw_file, dir, DATASET_RAW_FILE, "",
                               (struct dataset_header){.kind = DATASET_KIND_RAW});
    if (rc < 0) {
        dataset_texts_free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void dataset_texts_free(struct dataset_texts *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->lane_count; i++) {
        wordpiece_scratch_free(t->lanes[i].scratch);
        wordpiece_ids_release(&t->lanes[i].ids);
        ZSTD_freeCCtx(t->lanes[i].zstd);
    }
    for (size_t i = 0; i < t->blocks_capacity; i++)
        buf_release(&t->blocks[i].packed);
    dataset_file_release(&t->ids_file);
    dataset_file_release(&t->raw_file);
    buf_release(&t->bytes);
    buf_release(&t->narrow);
    mem_free(t->keys);
    mem_free(t->slots);
    mem_free(t->token_start);
    mem_free(t->block_start);
    mem_free(t->block_text);
    mem_free(t->starts);
    mem_free(t->token_count);
    mem_free(t->lanes);
    mem_free(t->blocks);
    mem_free(t);
}

/* ---- which texts are known
 * -------------------------------------------------------------------------------------------- */

static struct text_key key_of(const char *text, size_t length)
{
    return (struct text_key){.low = hash_u64(text, length, 0), .high = hash_u64(text, length, 0x7465787473ull)};
}

static size_t find_slot(const struct dataset_texts *t, struct text_key key)
{
    size_t slot = (size_t)key.low & (t->slot_count - 1);

    while (t->slots[slot] != 0) {
        struct text_key other = t->keys[t->slots[slot] - 1];
        if (other.low == key.low && other.high == key.high)
            break;
        slot = (slot + 1) & (t->slot_count - 1);
    }
    return slot;
}

/* Keeps a third of the slots free. */
static int grow_slots(struct dataset_texts *t)
{
    size_t old_count = t->slot_count;
    uint32_t *old = t->slots;

    if ((t->count + 1) * 3 <= t->slot_count * 2)
        return 0;
    size_t new_count = old_count == 0 ? FIRST_SLOTS : old_count * 2;
    uint32_t *slots = mem_calloc(new_count, sizeof *slots);
    if (slots == NULL)
        return RECO_E_NOMEM;
    t->slots = slots;
    t->slot_count = new_count;
    for (size_t i = 0; i < t->count; i++)
        t->slots[find_slot(t, t->keys[i])] = (uint32_t)i + 1;
    mem_free(old);
    return 0;
}

int dataset_texts_add(struct dataset_texts *t, const char *text, size_t length, uint32_t *number)
{
    struct text_key key = key_of(text, length);
    size_t waiting = t->count - t->done;
    int rc = grow_slots(t);

    if (rc < 0)
        return rc;
    size_t slot = find_slot(t, key);
    if (t->slots[slot] != 0) {
        *number = t->slots[slot] - 1;
        return 0;
    }
    if (t->count >= UINT32_MAX - 1)
        return err_set(RECO_E_DATA, "more than %u distinct texts", UINT32_MAX - 1);
    rc = mem_grow((void **)&t->keys, &t->keys_capacity, t->count + 1, sizeof *t->keys);
    if (rc == 0)
        rc = mem_grow((void **)&t->starts, &t->starts_capacity, waiting + 2, sizeof *t->starts);
    if (rc == 0)
        rc = buf_add(&t->bytes, text, length);
    if (rc < 0)
        return rc;
    t->starts[waiting + 1] = t->bytes.length;
    t->keys[t->count] = key;
    *number = (uint32_t)t->count++;
    t->slots[slot] = *number + 1;
    return t->bytes.length >= BATCH_BYTES || waiting + 1 >= BATCH_TEXTS ? dataset_texts_flush(t) : 0;
}

/* ---- a batch: ids and compressed blocks
 * -------------------------------------------------------------------------------- */

/* Task lane: the ids of its share of the batch, one text after the other. */
static int encode_share(void *arg, size_t lane)
{
    struct dataset_texts *t = arg;
    struct lane *own = &t->lanes[lane];
    size_t waiting = t->count - t->done;
    size_t first = waiting * lane / t->lane_count, end = waiting * (lane + 1) / t->lane_count;

    own->ids.count = 0;
    for (size_t i = first; i < end; i++) {
        size_t before = own->ids.count;
        int rc = wordpiece_encode(t->wp, own->scratch, t->bytes.data + t->starts[i], t->starts[i + 1] - t->starts[i],
                                  &own->ids);
        if (rc < 0)
            return rc;
        t->token_count[i] = (uint32_t)(own->ids.count - before);
    }
    return 0;
}

static int write_ids(struct dataset_texts *t, const struct wordpiece_ids *ids)
{
    if (t->width == sizeof(uint32_t))
        return dataset_file_add(&t->ids_file, ids->ids, ids->count * sizeof *ids->ids);
    buf_clear(&t->narrow);
    int rc = buf_reserve(&t->narrow, ids->count * sizeof(uint16_t));
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ids->count; i++) {
        uint16_t id = (uint16_t)ids->ids[i];
        memcpy(t->narrow.data + i * sizeof id, &id, sizeof id);
    }
    return dataset_file_add(&t->ids_file, t->narrow.data, ids->count * sizeof(uint16_t));
}

static int flush_ids(struct dataset_texts *t)
{
    size_t waiting = t->count - t->done;
    int rc = mem_grow((void **)&t->token_count, &t->token_count_capacity, waiting, sizeof *t->token_count);

    if (rc == 0)
        rc = mem_grow((void **)&t->token_start, &t->token_start_capacity, t->count + 1, sizeof *t->token_start);
    if (rc == 0)
        rc = pool_run(t->pool, t->lane_count, encode_share, t);
    for (size_t i = 0; rc == 0 && i < t->lane_count; i++)
        rc = write_ids(t, &t->lanes[i].ids);
    for (size_t i = 0; rc == 0 && i < waiting; i++)
        t->token_start[t->done + i + 1] = t->token_start[t->done + i] + t->token_count[i];
    return rc;
}

/* Task lane: every lane_count-th block of the batch. */
static int pack_blocks(void *arg, size_t lane)
{
    struct dataset_texts *t = arg;
    struct buf plain = {0};
    int rc = 0;

    for (size_t b = lane; rc == 0 && b < t->blocks_used; b += t->lane_count) {
        struct block *block = &t->blocks[b];
        size_t start = t->starts[block->first], end = t->starts[block->first + block->count];

        buf_clear(&plain);
        buf_clear(&block->packed);
        for (size_t i = block->first; rc == 0 && i < block->first + block->count; i++) {
            uint32_t length = (uint32_t)(t->starts[i + 1] - t->starts[i]);
            rc = buf_add(&plain, &length, sizeof length);
        }
        if (rc == 0)
            rc = buf_add(&plain, t->bytes.data + start, end - start);
        if (rc == 0)
            rc = buf_reserve(&block->packed, ZSTD_compressBound(plain.length));
        if (rc < 0)
            break;
        size_t length = ZSTD_compress2(t->lanes[lane].zstd, block->packed.data, ZSTD_compressBound(plain.length),
                                       plain.data, plain.length);
        if (ZSTD_isError(length))
            rc = err_set(RECO_E_NOMEM, "cannot compress texts: %s", ZSTD_getErrorName(length));
        else
            block->packed.length = length;
    }
    buf_release(&plain);
    return rc;
}

/* Cuts the batch into blocks: a block ends with the text that fills it. */
static int cut_blocks(struct dataset_texts *t)
{
    size_t waiting = t->count - t->done;

    t->blocks_used = 0;
    for (size_t first = 0, i = 0; i < waiting; i++) {
        if (t->starts[i + 1] - t->starts[first] < BLOCK_BYTES && i + 1 < waiting)
            continue;
        size_t before = t->blocks_capacity;
        int rc = mem_grow((void **)&t->blocks, &t->blocks_capacity, t->blocks_used + 1, sizeof *t->blocks);
        if (rc < 0)
            return rc;
        memset(t->blocks + before, 0, (t->blocks_capacity - before) * sizeof *t->blocks);
        t->blocks[t->blocks_used].first = first;
        t->blocks[t->blocks_used].count = i + 1 - first;
        t->blocks_used++;
        first = i + 1;
    }
    return 0;
}

static int flush_blocks(struct dataset_texts *t)
{
    int rc = cut_blocks(t);
    size_t need = t->block_count + t->blocks_used + 1;

    if (rc == 0)
        rc = mem_grow((void **)&t->block_start, &t->block_start_capacity, need, sizeof *t->block_start);
    if (rc == 0)
        rc = mem_grow((void **)&t->block_text, &t->block_text_capacity, need, sizeof *t->block_text);
    if (rc == 0)
        rc = pool_run(t->pool, t->lane_count, pack_blocks, t);
    for (size_t i = 0; rc == 0 && i < t->blocks_used; i++) {
        struct block *block = &t->blocks[i];

        rc = dataset_file_add(&t->raw_file, block->packed.data, block->packed.length);
        t->block_start[t->block_count] = t->raw_bytes;
        t->block_text[t->block_count] = (uint32_t)(t->done + block->first);
        t->raw_bytes += block->packed.length;
        t->block_count++;
    }
    return rc;
}

int dataset_texts_flush(struct dataset_texts *t)
{
    if (t->count == t->done)
        return 0;
    int rc = flush_ids(t);
    if (rc == 0)
        rc = flush_blocks(t);
    if (rc < 0)
        return rc;
    t->done = t->count;
    buf_clear(&t->bytes);
    return 0;
}

size_t dataset_texts_count(const struct dataset_texts *t)
{
    return t->count;
}

uint64_t dataset_texts_tokens(const struct dataset_texts *t, uint32_t number)
{
    return t->token_start[number + 1] - t->token_start[number];
}

uint64_t dataset_texts_all_tokens(const struct dataset_texts *t)
{
    return t->token_start[t->done];
}

int dataset_texts_commit(struct dataset_texts *t, const char *dir, json_t *files)
{
    struct dataset_file index = {0};
    int rc = dataset_texts_flush(t);

    if (rc == 0)
        rc = mem_grow((void **)&t->block_start, &t->block_start_capacity, t->block_count + 1, sizeof *t->block_start);
    if (rc == 0)
        rc = mem_grow((void **)&t->block_text, &t->block_text_capacity, t->block_count + 1, sizeof *t->block_text);
    if (rc < 0)
        return rc;
    t->block_start[t->block_count] = t->raw_bytes;
    t->block_text[t->block_count] = (uint32_t)t->count;
    rc = dataset_file_open(
        &index, dir, DATASET_INDEX_FILE, "",
        (struct dataset_header){.kind = DATASET_KIND_INDEX, .count = t->count, .blocks = t->block_count});
    if (rc == 0)
        rc = dataset_file_add(&index, t->token_start, (t->count + 1) * sizeof *t->token_start);
    if (rc == 0)
        rc = dataset_file_add(&index, t->block_start, (t->block_count + 1) * sizeof *t->block_start);
    if (rc == 0)
        rc = dataset_file_add(&index, t->block_text, (t->block_count + 1) * sizeof *t->block_text);
    if (rc == 0)
        rc = dataset_file_commit(&index, files);
    if (rc == 0)
        rc = dataset_file_commit(&t->ids_file, files);
    if (rc == 0)
        rc = dataset_file_commit(&t->raw_file, files);
    dataset_file_release(&index);
    return rc;
}
