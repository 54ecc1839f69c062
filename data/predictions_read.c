#include <string.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/predictions_feed.h"
#include "data/predictions_names.h"

#define BLOCKS_A_THREAD 2

void predictions_options_init(struct predictions_options *options)
{
    *options = (struct predictions_options){.row_ids = true, .tokens = true, .extra = true, .threads = 1};
}

/* The highest bit of each byte of word that is a tab. */
static uint64_t tabs_in(uint64_t word)
{
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    word ^= 0x0909090909090909;
    return ~(((word & low) + low) | word | low);
}

size_t predictions_cut(char *text, size_t length, char **fields, size_t *lengths, size_t max)
{
    size_t count = 0;
    size_t begin = 0;
    for (size_t at = 0; at <= length; at += 8) {
        size_t left = length - at;
        uint64_t word = 0;
        if (left >= 8) {
            memcpy(&word, text + at, 8);
        } else {
            memcpy(&word, text + at, left);
        }
        for (uint64_t tabs = tabs_in(le64toh(word)); tabs || left < 8; tabs &= tabs - 1) {
            size_t end = tabs ? at + (size_t)__builtin_ctzll(tabs) / 8 : length;
            if (count < max) {
                fields[count] = text + begin;
                lengths[count] = end - begin;
                text[end] = '\0';
            }
            begin = end + 1;
            count++;
            if (!tabs) {
                break;
            }
        }
    }
    return count;
}

/* ---- blocks parsed side by side while the batch before is taken over and the next is read ---- */

struct batch {
    struct block *blocks; /* [count] */
    size_t used;          /* of them with text */
};

struct pipeline {
    struct predictions_reader *r;
    struct predictions_feed *feed;
    struct batch batches[2];
    size_t count; /* blocks of a batch */
    int parsing;  /* the batch that is parsed */
};

static int fill_batch(struct pipeline *pipe, struct batch *batch)
{
    int rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while reading '%s'", pipe->r->path) : 0;
    batch->used = 0;
    while (!rc && batch->used < pipe->count) {
        rc = predictions_feed_next(pipe->feed, &batch->blocks[batch->used]);
        if (rc || !batch->blocks[batch->used].length) {
            break;
        }
        batch->used++;
    }
    return rc;
}

static int merge_batch(struct pipeline *pipe, struct batch *batch)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < batch->used; i++) {
        rc = predictions_block_merge(pipe->r, &batch->blocks[i]);
        if (!rc) {
            rc = predictions_hand_over(pipe->r, false);
        }
    }
    batch->used = 0;
    return rc;
}

/* Task 0 takes the other batch over and fills it again; the others parse a block each. */
static int run_task(void *arg, size_t task)
{
    struct pipeline *pipe = arg;
    if (task) {
        return predictions_block_parse(&pipe->batches[pipe->parsing].blocks[task - 1], pipe->r);
    }
    struct batch *other = &pipe->batches[!pipe->parsing];
    int rc = merge_batch(pipe, other);
    return rc ? rc : fill_batch(pipe, other);
}

static int run_pipeline(struct pipeline *pipe, struct pool *pool)
{
    int rc = 0;
    for (int b = 0; !rc && b < 2; b++) {
        pipe->batches[b].blocks = mem_calloc(pipe->count, sizeof *pipe->batches[b].blocks);
        rc = pipe->batches[b].blocks ? 0 : RECO_E_NOMEM;
        for (size_t i = 0; !rc && i < pipe->count; i++) {
            rc = predictions_block_init(&pipe->batches[b].blocks[i], pipe->r);
        }
    }
    if (!rc) {
        rc = fill_batch(pipe, &pipe->batches[0]);
    }
    while (!rc && pipe->batches[pipe->parsing].used) {
        rc = pool_run(pool, pipe->batches[pipe->parsing].used + 1, run_task, pipe);
        pipe->parsing = !pipe->parsing;
    }
    if (!rc) {
        rc = merge_batch(pipe, &pipe->batches[!pipe->parsing]);
    }
    for (int b = 0; b < 2; b++) {
        for (size_t i = 0; pipe->batches[b].blocks && i < pipe->count; i++) {
            predictions_block_release(&pipe->batches[b].blocks[i], pipe->r);
        }
        mem_free(pipe->batches[b].blocks);
    }
    return rc;
}

/* ---- the header line ---- */

static int read_header(struct predictions_reader *r, struct predictions_feed *feed)
{
    char **fields = NULL;
    size_t *lengths = NULL;
    char *line;
    size_t length;
    int rc = predictions_feed_header(feed, &line, &length);
    if (rc) {
        return rc;
    }
    r->column_count = 1;
    for (size_t i = 0; i < length; i++) {
        r->column_count += line[i] == '\t';
    }
    r->header = mem_strndup(line, length);
    fields = mem_calloc(r->column_count, sizeof *fields);
    lengths = mem_calloc(r->column_count, sizeof *lengths);
    rc = r->header && fields && lengths ? 0 : RECO_E_NOMEM;
    if (!rc) {
        predictions_cut(line, length, fields, lengths, r->column_count);
        rc = predictions_read_header(r, fields, lengths);
    }
    mem_free(fields);
    mem_free(lengths);
    return rc;
}

static int read_all(struct predictions_reader *r, struct predictions_feed **feed, struct pool *pool)
{
    struct pipeline pipe = {.r = r};
    pipe.count = pool_threads(pool) > 1 ? BLOCKS_A_THREAD * (size_t)pool_threads(pool) : 1;
    int rc = predictions_feed_open(feed, r->path, r->options->source);
    if (rc) {
        return rc;
    }
    pipe.feed = *feed;
    r->is_stream = predictions_feed_is_stream(*feed);
    if (strcmp(r->path, "-") != 0) {
        rc = predictions_read_sidecar(r);
    }
    if (!rc) {
        rc = read_header(r, *feed);
    }
    if (!rc) {
        rc = run_pipeline(&pipe, pool);
    }
    if (!rc && r->taken) {
        rc = predictions_hand_over(r, true);
    }
    return rc ? rc : predictions_finish(r, pool);
}

static void reader_release(struct predictions_reader *r)
{
    predictions_columns_free(r->columns, r->column_count);
    mem_free(r->header);
    mem_free(r->label_value);
    mem_free(r->predicted_value);
    row_runs_release(&r->id_runs);
    mem_free(r->row_hash);
    mem_free(r->row_hash_2);
    mem_free(r->renumber);
    text_store_release(&r->row_texts);
    sorter_free(r->row_hashes);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        mem_free(r->event[i]);
    }
    dictionary_release(&r->values);
    dictionary_release(&r->queries);
    dictionary_release(&r->items);
}

int predictions_open(struct predictions **out, const char *path, const struct predictions_options *options)
{
    *out = NULL;
    struct predictions_reader r = {.path = path, .options = options, .line_a_row = true, .in_runs = true};
    struct predictions_feed *feed = NULL;
    struct pool *pool = NULL;
    struct predictions_memory *memory = mem_calloc(1, sizeof *memory);
    r.p = mem_calloc(1, sizeof *r.p);
    int rc = memory && r.p ? pool_new(&pool, options->threads) : RECO_E_NOMEM;
    if (r.p) {
        r.p->memory = memory;
        memory = NULL;
    }
    if (!rc) {
        r.texts = &((struct predictions_memory *)r.p->memory)->texts;
        rc = read_all(&r, &feed, pool);
    }
    pool_free(pool);
    mem_free(memory);
    predictions_feed_close(feed);
    reader_release(&r);
    if (rc) {
        predictions_free(r.p);
        return rc;
    }
    *out = r.p;
    return 0;
}

int predictions_read(struct predictions **out, const char *path)
{
    struct predictions_options options;
    predictions_options_init(&options);
    return predictions_open(out, path, &options);
}

void predictions_free(struct predictions *p)
{
    if (!p) {
        return;
    }
    label_map_release(&p->labels);
    void *const arrays[] = {p->label,      p->predicted, p->target,  p->value,     p->p,        p->score,
                            p->query,      p->query_ids, p->row_ids, p->item,      p->item_ids, p->truncated,
                            p->tokens,     p->position,  p->clicked, p->converted, p->dwell_s,  p->depth,
                            p->propensity, p->carted,    p->ordered, p->revenue,   p->delay_s};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        mem_free(arrays[i]);
    }
    packed_release(&p->packed_p);
    packed_release(&p->packed_score);
    for (size_t i = 0; i < p->extra_count; i++) {
        mem_free(p->extra[i].values);
    }
    mem_free(p->extra);
    json_decref(p->sidecar);
    if (p->memory) {
        text_store_release(&((struct predictions_memory *)p->memory)->texts);
        mem_free(p->memory);
    }
    mem_free(p);
}
