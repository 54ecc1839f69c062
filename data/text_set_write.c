#include <stdbool.h>
#include <string.h>
#include <zstd.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/dataset_internal.h"
#include "data/text_set.h"
#include "data/text_set_internal.h"

/* Sizes that shape the files are constants, so that the bytes do not depend on the machine. */
enum {
    BATCH_BYTES = 8 * 1024 * 1024, /* texts waiting for the pool */
    BATCH_TEXTS = 65536,
    BLOCK_BYTES = 128 * 1024, /* a block of raw texts is closed when it reaches this */
    ZSTD_LEVEL = 1,
    ZSTD_DRAFT_LEVEL = -5,
    SHARE_TEXTS = 256, /* encoded by one task */
    COPY_BYTES = 64 * 1024
};

struct lane { /* what a task of the pool owns while it runs */
    struct wordpiece_scratch *scratch;
    ZSTD_CCtx *zstd;
    struct buf plain;
};

struct share { /* the ids of some texts of the batch */
    struct wordpiece_ids ids;
    struct buf narrow; /* as they go into the file */
};

struct block {
    size_t first, count; /* texts of the batch */
    struct buf packed;
};

struct text_set_writer {
    const struct wordpiece *wp;
    struct pool *pool;
    char *dir;
    struct dataset_file ids_file, raw_file;
    uint64_t raw_bytes; /* of raw_file, header included */
    uint32_t width;
    uint64_t tokens;
    struct temp_file *counts; /* uint32 ids of each text */

    struct text_keys keys;
    size_t count, done;
    uint64_t *block_start; /* [block_count + 1] */
    uint32_t *block_text;  /* [block_count + 1] */
    size_t block_start_capacity, block_text_capacity, block_count;

    /* the batch: texts [done, count) */
    struct buf bytes;
    size_t *starts; /* [count - done + 1] into bytes */
    size_t starts_capacity;
    uint32_t *token_count; /* [batch] */
    size_t token_count_capacity;
    struct buf put_ids; /* of text_set_put */
    struct lane *lanes;
    size_t lane_count;
    struct share *shares;
    size_t shares_capacity, share_count;
    struct block *blocks;
    size_t blocks_capacity, block_used;
    struct lane_stack free_lanes;
};

uint32_t text_set_id_bytes(const struct wordpiece *wp)
{
    return wordpiece_vocab_size(wp) <= 65536 ? sizeof(uint16_t) : sizeof(uint32_t);
}

static int open_lanes(struct text_set_writer *w, int level)
{
    size_t threads = (size_t)pool_threads(w->pool);
    int rc = lane_stack_init(&w->free_lanes, threads);

    w->lanes = mem_calloc(threads, sizeof *w->lanes);
    if (rc == 0 && w->lanes == NULL)
        rc = RECO_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < threads; i++) {
        w->lane_count++;
        rc = w->wp == NULL ? 0 : wordpiece_scratch_new(&w->lanes[i].scratch, w->wp);
        w->lanes[i].zstd = ZSTD_createCCtx();
        if (rc == 0 && w->lanes[i].zstd == NULL)
            rc = err_nomem();
        if (rc == 0) {
            ZSTD_CCtx_setParameter(w->lanes[i].zstd, ZSTD_c_compressionLevel, level);
            ZSTD_CCtx_setParameter(w->lanes[i].zstd, ZSTD_c_checksumFlag, 1);
        }
    }
    return rc;
}

static int open_writer(struct text_set_writer **out, const char *dir, const struct wordpiece *wp, uint32_t id_bytes,
                       struct pool *pool, const char *tmp_dir, int level)
{
    struct text_set_writer *w = mem_calloc(1, sizeof *w);

    if (w == NULL)
        return RECO_E_NOMEM;
    w->wp = wp;
    w->pool = pool;
    w->width = id_bytes;
    w->raw_bytes = sizeof(struct dataset_header);
    w->dir = mem_strdup(dir);
    int rc = w->dir == NULL ? RECO_E_NOMEM : open_lanes(w, level);
    if (rc == 0)
        rc = mem_grow((void **)&w->starts, &w->starts_capacity, 1, sizeof *w->starts);
    if (rc == 0) {
        w->starts[0] = 0;
        rc = temp_file_open(&w->counts, tmp_dir);
    }
    if (rc == 0)
        rc = dataset_file_open(&w->ids_file, dir, DATASET_IDS_FILE, "",
                               (struct dataset_header){.kind = DATASET_KIND_IDS, .width = w->width});
    if (rc == 0)
        rc = dataset_file_open(&w->raw_file, dir, DATASET_RAW_FILE, "",
                               (struct dataset_header){.kind = DATASET_KIND_RAW});
    if (rc < 0) {
        text_set_writer_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

int text_set_writer_open(struct text_set_writer **out, const char *dir, const struct wordpiece *wp, struct pool *pool,
                         const char *tmp_dir, bool draft)
{
    return open_writer(out, dir, wp, text_set_id_bytes(wp), pool, tmp_dir, draft ? ZSTD_DRAFT_LEVEL : ZSTD_LEVEL);
}

int text_set_writer_open_put(struct text_set_writer **out, const char *dir, uint32_t id_bytes, struct pool *pool,
                             const char *tmp_dir)
{
    return open_writer(out, dir, NULL, id_bytes, pool, tmp_dir, ZSTD_LEVEL);
}

void text_set_writer_free(struct text_set_writer *w)
{
    if (w == NULL)
        return;
    for (size_t i = 0; i < w->lane_count; i++) {
        wordpiece_scratch_free(w->lanes[i].scratch);
        ZSTD_freeCCtx(w->lanes[i].zstd);
        buf_release(&w->lanes[i].plain);
    }
    for (size_t i = 0; i < w->shares_capacity; i++) {
        wordpiece_ids_release(&w->shares[i].ids);
        buf_release(&w->shares[i].narrow);
    }
    for (size_t i = 0; i < w->blocks_capacity; i++)
        buf_release(&w->blocks[i].packed);
    lane_stack_release(&w->free_lanes);
    dataset_file_release(&w->ids_file);
    dataset_file_release(&w->raw_file);
    temp_file_close(w->counts);
    text_keys_release(&w->keys);
    buf_release(&w->bytes);
    buf_release(&w->put_ids);
    mem_free(w->block_start);
    mem_free(w->block_text);
    mem_free(w->starts);
    mem_free(w->token_count);
    mem_free(w->lanes);
    mem_free(w->shares);
    mem_free(w->blocks);
    mem_free(w->dir);
    mem_free(w);
}

/* ---- a batch: ids and compressed blocks
 * -------------------------------------------------------------------------------- */

static int encode(struct text_set_writer *w, struct lane *lane, struct share *share, size_t first, size_t end)
{
    int rc = 0;

    share->ids.count = 0;
    for (size_t i = first; rc == 0 && i < end; i++) {
        size_t before = share->ids.count;
        rc = wordpiece_encode(w->wp, lane->scratch, w->bytes.data + w->starts[i], w->starts[i + 1] - w->starts[i],
                              &share->ids);
        w->token_count[i] = (uint32_t)(share->ids.count - before);
    }
    buf_clear(&share->narrow);
    if (rc < 0 || share->ids.count == 0)
        return rc;
    rc = buf_reserve(&share->narrow, share->ids.count * w->width);
    if (rc < 0)
        return rc;
    if (w->width == sizeof(uint32_t)) {
        memcpy(share->narrow.data, share->ids.ids, share->ids.count * sizeof(uint32_t));
    } else {
        for (size_t i = 0; i < share->ids.count; i++) {
            uint16_t id = (uint16_t)share->ids.ids[i];
            memcpy(share->narrow.data + i * sizeof id, &id, sizeof id);
        }
    }
    share->narrow.length = share->ids.count * w->width;
    return 0;
}

static int pack(struct text_set_writer *w, struct lane *lane, struct block *block)
{
    size_t start = w->starts[block->first], end = w->starts[block->first + block->count];
    int rc = 0;

    buf_clear(&lane->plain);
    buf_clear(&block->packed);
    for (size_t i = block->first; rc == 0 && i < block->first + block->count; i++) {
        uint32_t length = (uint32_t)(w->starts[i + 1] - w->starts[i]);
        rc = buf_add(&lane->plain, &length, sizeof length);
    }
    if (rc == 0)
        rc = buf_add(&lane->plain, w->bytes.data + start, end - start);
    if (rc == 0)
        rc = buf_reserve(&block->packed, ZSTD_compressBound(lane->plain.length));
    if (rc < 0)
        return rc;
    size_t length = ZSTD_compress2(lane->zstd, block->packed.data, ZSTD_compressBound(lane->plain.length),
                                   lane->plain.data, lane->plain.length);
    if (ZSTD_isError(length))
        return err_set(RECO_E_NOMEM, "cannot compress texts: %s", ZSTD_getErrorName(length));
    block->packed.length = length;
    return 0;
}

/* The tasks: first the blocks, each of which takes longer, then the shares. */
static int work(void *arg, size_t task)
{
    struct text_set_writer *w = arg;
    size_t waiting = w->count - w->done, number = lane_stack_take(&w->free_lanes);
    struct lane *lane = &w->lanes[number];
    int rc;

    if (task < w->block_used) {
        rc = pack(w, lane, &w->blocks[task]);
    } else {
        size_t share = task - w->block_used, first = share * SHARE_TEXTS;
        rc = encode(w, lane, &w->shares[share], first, first + SHARE_TEXTS < waiting ? first + SHARE_TEXTS : waiting);
    }
    lane_stack_give(&w->free_lanes, number);
    return rc;
}

static int grow_zeroed(void **array, size_t *capacity, size_t need, size_t size_bytes)
{
    size_t before = *capacity;
    int rc = mem_grow(array, capacity, need, size_bytes);

    if (rc == 0 && *capacity > before)
        memset((char *)*array + before * size_bytes, 0, (*capacity - before) * size_bytes);
    return rc;
}

/* Cuts the batch into blocks: a block ends with the text that fills it. */
static int cut_blocks(struct text_set_writer *w)
{
    size_t waiting = w->count - w->done;

    w->block_used = 0;
    for (size_t first = 0, i = 0; i < waiting; i++) {
        if (w->starts[i + 1] - w->starts[first] < BLOCK_BYTES && i + 1 < waiting)
            continue;
        int rc = grow_zeroed((void **)&w->blocks, &w->blocks_capacity, w->block_used + 1, sizeof *w->blocks);
        if (rc < 0)
            return rc;
        w->blocks[w->block_used].first = first;
        w->blocks[w->block_used].count = i + 1 - first;
        w->block_used++;
        first = i + 1;
    }
    return 0;
}

static int write_batch(struct text_set_writer *w)
{
    size_t waiting = w->count - w->done;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < w->share_count; i++)
        rc = dataset_file_add(&w->ids_file, w->shares[i].narrow.data, w->shares[i].narrow.length);
    if (rc == 0 && w->put_ids.length > 0)
        rc = dataset_file_add(&w->ids_file, w->put_ids.data, w->put_ids.length);
    if (rc == 0)
        rc = temp_file_write(w->counts, w->token_count, waiting * sizeof *w->token_count);
    for (size_t i = 0; rc == 0 && i < w->block_used; i++) {
        struct block *block = &w->blocks[i];

        rc = dataset_file_add(&w->raw_file, block->packed.data, block->packed.length);
        w->block_start[w->block_count] = w->raw_bytes;
        w->block_text[w->block_count] = (uint32_t)(w->done + block->first);
        w->raw_bytes += block->packed.length;
        w->block_count++;
    }
    return rc;
}

static int grow_blocks(struct text_set_writer *w, size_t need)
{
    int rc = mem_grow((void **)&w->block_start, &w->block_start_capacity, need, sizeof *w->block_start);

    return rc < 0 ? rc : mem_grow((void **)&w->block_text, &w->block_text_capacity, need, sizeof *w->block_text);
}

/* put: the batch has its ids already. */
static int flush(struct text_set_writer *w, bool put)
{
    size_t waiting = w->count - w->done;

    if (waiting == 0)
        return 0;
    w->share_count = put ? 0 : (waiting + SHARE_TEXTS - 1) / SHARE_TEXTS;
    int rc = mem_grow((void **)&w->token_count, &w->token_count_capacity, waiting, sizeof *w->token_count);
    if (rc == 0)
        rc = grow_zeroed((void **)&w->shares, &w->shares_capacity, w->share_count, sizeof *w->shares);
    if (rc == 0)
        rc = cut_blocks(w);
    if (rc == 0)
        rc = grow_blocks(w, w->block_count + w->block_used + 1);
    if (rc == 0)
        rc = pool_run(w->pool, w->block_used + w->share_count, work, w);
    if (rc == 0)
        rc = write_batch(w);
    w->done = w->count;
    buf_clear(&w->bytes);
    buf_clear(&w->put_ids);
    return rc;
}

/* The text goes into the batch, as the next one. */
static int append(struct text_set_writer *w, const char *text, size_t length)
{
    size_t waiting = w->count - w->done;
    int rc = mem_grow((void **)&w->starts, &w->starts_capacity, waiting + 2, sizeof *w->starts);

    if (rc == 0)
        rc = buf_add(&w->bytes, text, length);
    if (rc < 0)
        return rc;
    w->starts[waiting + 1] = w->bytes.length;
    w->count++;
    return 0;
}

static bool batch_is_full(const struct text_set_writer *w)
{
    return w->bytes.length >= BATCH_BYTES || w->count - w->done >= BATCH_TEXTS;
}

int text_set_add(struct text_set_writer *w, struct text_key key, const char *text, size_t length, uint32_t *number)
{
    bool is_new;
    int rc = text_keys_enter(&w->keys, key, number, &is_new);

    if (rc < 0 || !is_new)
        return rc;
    rc = append(w, text, length);
    return rc == 0 && batch_is_full(w) ? flush(w, false) : rc;
}

int text_set_put(struct text_set_writer *w, const char *text, size_t length, const void *ids, size_t id_count)
{
    size_t waiting = w->count - w->done;
    int rc = mem_grow((void **)&w->token_count, &w->token_count_capacity, waiting + 1, sizeof *w->token_count);

    if (rc == 0)
        rc = buf_add(&w->put_ids, ids, id_count * w->width);
    if (rc == 0)
        rc = append(w, text, length);
    if (rc < 0)
        return rc;
    w->token_count[waiting] = (uint32_t)id_count;
    return batch_is_full(w) ? flush(w, true) : 0;
}

size_t text_set_writer_count(const struct text_set_writer *w)
{
    return w->count;
}

uint64_t text_set_writer_tokens(const struct text_set_writer *w)
{
    return w->tokens;
}

/* ---- the end
 * ------------------------------------------------------------------------------------------------------------ */

/* token_start from the counts. */
static int write_starts(struct text_set_writer *w, struct dataset_file *index)
{
    struct temp_reader counts = {.file = w->counts, .end = temp_file_bytes(w->counts)};
    const unsigned char *bytes;
    uint64_t starts[COPY_BYTES / sizeof(uint64_t)], start = 0;
    size_t filled = 1;
    int rc = temp_file_flush(w->counts);

    starts[0] = 0;
    for (size_t i = 0; rc == 0 && i < w->count; i++) {
        uint32_t count;
        if (filled == sizeof starts / sizeof *starts) {
            rc = dataset_file_add(index, starts, sizeof starts);
            filled = 0;
        }
        if (rc == 0)
            rc = temp_reader_get(&counts, sizeof count, &bytes);
        if (rc < 0)
            break;
        memcpy(&count, bytes, sizeof count);
        start += count;
        starts[filled++] = start;
    }
    if (rc == 0)
        rc = dataset_file_add(index, starts, filled * sizeof *starts);
    w->tokens = start;
    temp_reader_release(&counts);
    return rc;
}

static int write_index(struct text_set_writer *w, json_t *files)
{
    struct dataset_file index = {0};
    int rc = dataset_file_open(
        &index, w->dir, DATASET_INDEX_FILE, "",
        (struct dataset_header){.kind = DATASET_KIND_INDEX, .count = w->count, .blocks = w->block_count});

    if (rc == 0)
        rc = write_starts(w, &index);
    if (rc == 0)
        rc = dataset_file_add(&index, w->block_start, (w->block_count + 1) * sizeof *w->block_start);
    if (rc == 0)
        rc = dataset_file_add(&index, w->block_text, (w->block_count + 1) * sizeof *w->block_text);
    if (rc == 0)
        rc = dataset_file_commit(&index, files);
    dataset_file_release(&index);
    return rc;
}

static int write_keys(struct text_set_writer *w, json_t *files)
{
    struct dataset_file file = {0};
    int rc = dataset_file_open(&file, w->dir, TEXT_SET_KEYS_FILE, "",
                               (struct dataset_header){.kind = DATASET_KIND_KEYS, .count = w->count});

    if (rc == 0)
        rc = dataset_file_add(&file, w->keys.keys, w->count * sizeof *w->keys.keys);
    if (rc == 0)
        rc = dataset_file_commit(&file, files);
    dataset_file_release(&file);
    return rc;
}

int text_set_commit(struct text_set_writer *w, json_t *files, bool keep_keys)
{
    int rc = flush(w, w->keys.count == 0);

    if (rc == 0)
        rc = grow_blocks(w, w->block_count + 1);
    if (rc < 0)
        return rc;
    w->block_start[w->block_count] = w->raw_bytes;
    w->block_text[w->block_count] = (uint32_t)w->count;
    if (keep_keys)
        rc = write_keys(w, files);
    text_keys_release(&w->keys);
    if (rc == 0)
        rc = write_index(w, files);
    if (rc == 0)
        rc = dataset_file_commit(&w->ids_file, files);
    return rc < 0 ? rc : dataset_file_commit(&w->raw_file, files);
}
