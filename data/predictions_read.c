#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/predictions_reader.h"

#define BLOCK_BYTES ((size_t)1 << 19)
#define LINE_BYTES_MAX ((size_t)1 << 30)
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

/* ---- blocks of whole lines from a file or a pipe ---- */

struct feed {
    const char *path;
    int fd;
    char *rest; /* [rest_length] begin of the next block's first line */
    size_t rest_length, rest_capacity;
    uint64_t lines; /* given out so far */
    bool at_end;
};

static int feed_open(struct feed *feed, const char *path, bool *is_stream)
{
    struct stat about = {0};
    feed->path = path;
    feed->fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (feed->fd < 0) {
        return err_set_errno("cannot read '%s'", path);
    }
    if (fstat(feed->fd, &about)) {
        return err_set_errno("cannot read '%s'", path);
    }
    if (S_ISDIR(about.st_mode)) {
        return err_set(RECO_E_IO, "cannot read '%s': it is a directory", path);
    }
    *is_stream = !S_ISREG(about.st_mode) || feed->fd == STDIN_FILENO;
    return 0;
}

static void feed_close(struct feed *feed)
{
    if (feed->fd > STDIN_FILENO) {
        close(feed->fd);
    }
    mem_free(feed->rest);
}

/* Reads until the block is full or the file ends. */
static int feed_fill(struct feed *feed, struct block *block)
{
    while (!feed->at_end && block->length < block->text_capacity) {
        ssize_t got = read(feed->fd, block->text + block->length, block->text_capacity - block->length);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return err_set_errno("cannot read '%s'", feed->path);
        }
        feed->at_end = got == 0;
        block->length += (size_t)got;
    }
    return 0;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
        count++;
    }
    return count + (length && text[length - 1] != '\n');
}

/* The next block of whole lines; length 0 at the end. */
static int feed_next(struct feed *feed, struct block *block)
{
    size_t capacity = feed->rest_length + BLOCK_BYTES;
    block->length = 0;
    block->rows = 0;
    for (;;) {
        if (block->text_capacity < capacity) {
            char *text = mem_realloc(block->text, capacity + 1);
            if (!text) {
                return RECO_E_NOMEM;
            }
            block->text = text;
            block->text_capacity = capacity;
        }
        if (!block->length && feed->rest_length) {
            memcpy(block->text, feed->rest, feed->rest_length);
            block->length = feed->rest_length;
            feed->rest_length = 0;
        }
        int rc = feed_fill(feed, block);
        if (rc) {
            return rc;
        }
        char *newline = feed->at_end ? NULL : memrchr(block->text, '\n', block->length);
        if (newline) {
            size_t whole = (size_t)(newline + 1 - block->text);
            feed->rest_length = block->length - whole;
            rc = mem_grow((void **)&feed->rest, &feed->rest_capacity, feed->rest_length + 1, 1);
            if (rc) {
                return rc;
            }
            memcpy(feed->rest, block->text + whole, feed->rest_length);
            block->length = whole;
        }
        if (newline || feed->at_end) {
            block->text[block->length] = '\0';
            block->first_line = feed->lines + 1;
            feed->lines += count_lines(block->text, block->length);
            return 0;
        }
        if (capacity > LINE_BYTES_MAX) {
            return err_set(RECO_E_DATA, "cannot read '%s': line %llu is over 1 GiB", feed->path,
                           (unsigned long long)feed->lines + 1);
        }
        capacity *= 2;
    }
}

/* ---- blocks parsed side by side while the batch before is taken over and the next is read ---- */

struct batch {
    struct block *blocks; /* [count] */
    size_t used;          /* of them with text */
};

struct pipeline {
    struct predictions_reader *r;
    struct feed *feed;
    struct batch batches[2];
    size_t count; /* blocks of a batch */
    int parsing;  /* the batch that is parsed */
};

static int fill_batch(struct pipeline *pipe, struct batch *batch)
{
    int rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped while reading '%s'", pipe->feed->path) : 0;
    batch->used = 0;
    while (!rc && batch->used < pipe->count) {
        rc = feed_next(pipe->feed, &batch->blocks[batch->used]);
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

/* Cuts the first line off the text that feeds. */
static int read_header(struct predictions_reader *r, struct feed *feed)
{
    struct block first = {0};
    char **fields = NULL;
    size_t *lengths = NULL;
    int rc = feed_next(feed, &first);
    if (rc) {
        goto done;
    }
    char *line = first.text;
    char *newline = memchr(line, '\n', first.length);
    size_t length = newline ? (size_t)(newline - line) : first.length;
    size_t whole = newline ? length + 1 : length;
    /* what follows goes back in front of what is left */
    size_t behind = first.length - whole;
    rc = mem_grow((void **)&feed->rest, &feed->rest_capacity, feed->rest_length + behind + 1, 1);
    if (rc) {
        goto done;
    }
    memmove(feed->rest + behind, feed->rest, feed->rest_length);
    memcpy(feed->rest, line + whole, behind);
    feed->rest_length += behind;
    feed->lines = 1;
    if (length && line[length - 1] == '\r') {
        length--;
    }
    if (memchr(line, '\0', length)) {
        rc = err_set(RECO_E_DATA, "cannot parse '%s' line 1: it holds a NUL byte", r->path);
        goto done;
    }
    line[length] = '\0';
    if (length >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
        line += 3;
        length -= 3;
    }
    if (!length) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': it is empty; the first line must name the columns", r->path);
        goto done;
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
done:
    mem_free(first.text);
    mem_free(fields);
    mem_free(lengths);
    return rc;
}

static int read_all(struct predictions_reader *r, struct feed *feed, struct pool *pool)
{
    struct pipeline pipe = {.r = r, .feed = feed};
    pipe.count = pool_threads(pool) > 1 ? BLOCKS_A_THREAD * (size_t)pool_threads(pool) : 1;
    int rc = feed_open(feed, r->path, &r->is_stream);
    if (!rc && strcmp(r->path, "-") != 0) {
        rc = predictions_read_sidecar(r);
    }
    if (!rc) {
        rc = read_header(r, feed);
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
    mem_free(r->columns);
    mem_free(r->header);
    mem_free(r->label_value);
    mem_free(r->predicted_value);
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
    struct predictions_reader r = {.path = path, .options = options};
    struct feed feed = {.fd = -1};
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
    feed_close(&feed);
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
