/* gzip and zstd, as streams. */

#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/mem.h"
#include "data/input_internal.h"

enum { GZIP_WINDOW_BITS = 15 + 16 /* gzip's frame, and no other */ };

static int is_cut(const struct input_filter *f, const char *format)
{
    return err_set(RECO_E_DATA, "cannot read %s: its %s data is cut off at byte %llu", f->label, format,
                   (unsigned long long)f->in_offset);
}

static int is_damaged(const struct input_filter *f, const char *format, const char *what)
{
    return err_set(RECO_E_DATA, "cannot read %s: its %s data is damaged near byte %llu (%s)", f->label, format,
                   (unsigned long long)f->in_offset, what);
}

static void take(struct input_filter *f, size_t length)
{
    f->in_start += length;
    f->in_offset += length;
}

struct gunzip {
    struct input_filter filter;
    z_stream z;
    bool in_member; /* its end has not been seen */
};

static void *zlib_alloc(void *arg, unsigned count, unsigned size)
{
    (void)arg;
    return mem_calloc(count, size);
}

static void zlib_free(void *arg, void *bytes)
{
    (void)arg;
    mem_free(bytes);
}

/* Behind a member: the next one, or zeros up to the end as tapes and some tools add them. */
static int next_member(struct gunzip *g)
{
    struct input_filter *f = &g->filter;

    int rc = input_filter_fill(f, 2);
    if (rc < 0)
        return rc;
    size_t left = f->in_end - f->in_start;
    if (left >= 2 && memcmp(f->in + f->in_start, "\x1f\x8b", 2) == 0) {
        g->in_member = true;
        return inflateReset(&g->z) == Z_OK ? 0 : err_set(RECO_E_INTERNAL, "zlib did not restart");
    }
    for (size_t i = 0; i < left; i++, take(f, 1))
        if (f->in[f->in_start] != 0)
            return is_damaged(f, "gzip", "something else follows it");
    f->ended = f->in_at_end;
    return 0;
}

static int gunzip_produce(struct input_filter *f)
{
    struct gunzip *g = (struct gunzip *)f;

    if (!g->in_member)
        return next_member(g);
    int rc = input_filter_fill(f, 1);
    if (rc == 0 && f->in_start == f->in_end)
        rc = is_cut(f, "gzip");
    if (rc == 0)
        rc = buf_reserve(&f->out, INPUT_BLOCK_BYTES);
    if (rc < 0)
        return rc;
    g->z.next_in = f->in + f->in_start;
    g->z.avail_in = (unsigned)(f->in_end - f->in_start);
    g->z.next_out = (unsigned char *)f->out.data;
    g->z.avail_out = INPUT_BLOCK_BYTES;
    int status = inflate(&g->z, Z_NO_FLUSH);
    take(f, f->in_end - f->in_start - g->z.avail_in);
    f->out.length = INPUT_BLOCK_BYTES - g->z.avail_out;
    if (status == Z_MEM_ERROR)
        return err_nomem();
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return is_damaged(f, "gzip", g->z.msg != NULL ? g->z.msg : "a preset dictionary");
    g->in_member = status != Z_STREAM_END;
    return 0;
}

static void gunzip_release(struct input_filter *f)
{
    inflateEnd(&((struct gunzip *)f)->z);
}

int input_gunzip_add(struct input_stage **chain, const char *label)
{
    struct input_stage *from = *chain;
    struct gunzip *g = mem_calloc(1, sizeof *g);

    *chain = NULL;
    if (g != NULL) {
        g->z = (z_stream){.zalloc = zlib_alloc, .zfree = zlib_free};
        g->in_member = true;
    }
    if (g == NULL || inflateInit2(&g->z, GZIP_WINDOW_BITS) != Z_OK) {
        mem_free(g);
        input_stage_free(from);
        return err_nomem();
    }
    g->filter.produce = gunzip_produce;
    g->filter.release = gunzip_release;
    int rc = input_filter_start(&g->filter, from, label);
    if (rc == 0)
        *chain = &g->filter.stage;
    return rc;
}

struct unzstd {
    struct input_filter filter;
    ZSTD_DStream *stream;
    bool in_frame; /* its end has not been seen */
};

/* Frames follow one another without a sign; skippable ones yield nothing. */
static int unzstd_produce(struct input_filter *f)
{
    struct unzstd *u = (struct unzstd *)f;

    int rc = input_filter_fill(f, 1);
    if (rc < 0)
        return rc;
    f->ended = f->in_start == f->in_end && !u->in_frame;
    if (f->ended)
        return 0;
    rc = buf_reserve(&f->out, INPUT_BLOCK_BYTES);
    if (rc < 0)
        return rc;
    ZSTD_inBuffer in = {.src = f->in + f->in_start, .size = f->in_end - f->in_start};
    ZSTD_outBuffer out = {.dst = f->out.data, .size = INPUT_BLOCK_BYTES};
    bool was_empty = in.size == 0;
    size_t hint = ZSTD_decompressStream(u->stream, &out, &in);
    if (ZSTD_getErrorCode(hint) == ZSTD_error_frameParameter_windowTooLarge)
        return err_set(RECO_E_DATA,
                       "cannot read %s: its zstd window is over 128 MiB; pipe zstdcat --long=31's output into '-'",
                       f->label);
    if (ZSTD_isError(hint))
        return is_damaged(f, "zstd", ZSTD_getErrorName(hint));
    take(f, in.pos);
    f->out.length = out.pos;
    u->in_frame = hint != 0;
    return was_empty && out.pos == 0 ? is_cut(f, "zstd") : 0;
}

static void unzstd_release(struct input_filter *f)
{
    ZSTD_freeDStream(((struct unzstd *)f)->stream);
}

int input_unzstd_add(struct input_stage **chain, const char *label)
{
    struct input_stage *from = *chain;
    struct unzstd *u = mem_calloc(1, sizeof *u);

    *chain = NULL;
    if (u != NULL)
        u->stream = ZSTD_createDStream();
    if (u == NULL || u->stream == NULL) {
        mem_free(u);
        input_stage_free(from);
        return err_nomem();
    }
    u->filter.produce = unzstd_produce;
    u->filter.release = unzstd_release;
    int rc = input_filter_start(&u->filter, from, label);
    if (rc == 0)
        *chain = &u->filter.stage;
    return rc;
}
