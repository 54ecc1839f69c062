/* UTF-8 that was taken for Windows-1252 and encoded once more, undone. */

#include <string.h>

#include "core/mem.h"
#include "data/input_internal.h"
#include "data/utf8.h"

enum {
    SAMPLE_BYTES = 4 * 1024 * 1024,
    RUN_BYTES = 64 * 1024, /* a longer run of characters outside ASCII is decided in parts of this */
    PLAIN_SHARE = 10       /* of the sample's runs at most one in this may be no doubly encoded one */
};

struct repair {
    struct input_filter filter;
    struct input_facts *facts;
    struct buf held; /* text not yet passed on: from the first character outside ASCII while undecided, then the run at
                        the end of what was read */
    struct buf undone;
    bool decided, started;
};

/*
 * Decodes the run's leading doubly encoded characters into undone. Returns how many bytes of the run they took: all of
 * them in a run that was encoded twice; *open: it ends within such a character.
 */
static int undo_run(struct repair *r, const unsigned char *run, size_t length, size_t *taken, bool *open)
{
    const unsigned char *at = run, *end = run + length;
    unsigned char bytes[UTF8_MAX_BYTES];
    size_t count = 0;

    buf_clear(&r->undone);
    *taken = 0;
    *open = false;
    while (at < end) {
        uint32_t character;
        size_t size = utf8_decode(at, end, &character);
        /* C1 controls of any byte come from files taken for Latin-1. */
        int byte = character >= 0x80 && character < 0xA0 ? (int)character : input_windows1252_byte(character);
        if (byte < 0)
            return 0;
        at += size;
        bytes[count++] = (unsigned char)byte;
        size_t decoded = utf8_decode(bytes, bytes + count, &character);
        if (character == 0xFFFD && !(count == 3 && memcmp(bytes, "\xef\xbf\xbd", 3) == 0)) {
            if (decoded < count || bytes[0] < 0xC2 || count == UTF8_MAX_BYTES)
                return 0;
            continue; /* a sequence that may go on */
        }
        int rc = buf_add(&r->undone, bytes, count);
        if (rc < 0)
            return rc;
        *taken = (size_t)(at - run);
        count = 0;
    }
    *open = count > 0;
    return 0;
}

static size_t run_length(const unsigned char *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && bytes[i] >= 0x80)
        i++;
    return i;
}

static int decide(struct repair *r)
{
    const unsigned char *bytes = (const unsigned char *)buf_str(&r->held);
    size_t length = r->held.length, doubled = 0, plain = 0, taken;
    bool open;

    for (size_t at = 0; at < length;) {
        size_t run = run_length(bytes + at, length - at);
        int rc = undo_run(r, bytes + at, run, &taken, &open);
        if (rc < 0)
            return rc;
        doubled += run > 0 && taken == run;
        plain += taken < run && (at + run < length || !open); /* the sample's last run may be cut */
        at += run;
        at += utf8_ascii_length(bytes + at, length - at);
    }
    r->decided = true;
    r->facts->repaired = doubled > 0 && plain * PLAIN_SHARE <= doubled + plain;
    return 0;
}

/* Where a run that is decided in parts may be cut: before the last character of the part. */
static size_t whole_characters(const unsigned char *run, size_t length)
{
    size_t i = length;

    while (i > 0 && length - i < UTF8_MAX_BYTES)
        if ((run[--i] & 0xC0) != 0x80)
            return i;
    return length;
}

/* Passes on the run, or its first part; *done: the bytes of it, 0 when more must be read to tell its end. */
static int pass_run(struct repair *r, const unsigned char *run, size_t length, bool ends, size_t *done)
{
    bool part = length > RUN_BYTES, open;
    size_t taken;

    *done = 0;
    if (!part && !ends)
        return 0;
    if (part)
        length = RUN_BYTES;
    int rc = undo_run(r, run, length, &taken, &open);
    if (rc < 0)
        return rc;
    if (taken == length || (part && open && taken > 0)) {
        *done = taken;
        return buf_add(&r->filter.out, buf_str(&r->undone), r->undone.length);
    }
    r->facts->unrepaired_runs++;
    *done = part ? whole_characters(run, length) : length;
    return buf_add(&r->filter.out, run, *done);
}

static int pass_held(struct repair *r, bool at_end)
{
    const unsigned char *bytes = (const unsigned char *)buf_str(&r->held);
    size_t length = r->held.length, at = 0;
    int rc = 0;

    if (!r->facts->repaired) {
        rc = buf_add(&r->filter.out, bytes, length);
        at = length;
    }
    while (rc == 0 && at < length) {
        size_t ascii = utf8_ascii_length(bytes + at, length - at), done;
        rc = buf_add(&r->filter.out, bytes + at, ascii);
        at += ascii;
        if (rc < 0 || at == length)
            break;
        size_t run = run_length(bytes + at, length - at);
        rc = pass_run(r, bytes + at, run, at + run < length || at_end, &done);
        at += done;
        if (done == 0)
            break;
    }
    if (at > 0)
        memmove(r->held.data, bytes + at, length - at);
    r->held.length -= at;
    return rc;
}

/* A byte order mark may have been encoded twice too. */
static void skip_mark(struct repair *r)
{
    struct input_filter *f = &r->filter;

    if (!r->started && f->out.length >= 3) {
        f->out_start = memcmp(f->out.data, "\xef\xbb\xbf", 3) == 0 && r->facts->repaired ? 3 : 0;
        r->facts->bom = r->facts->bom || f->out_start > 0;
    }
    r->started = r->started || f->out.length > 0;
}

static int repair_produce(struct input_filter *f)
{
    struct repair *r = (struct repair *)f;
    int rc = input_filter_fill(f, 1);

    if (rc < 0)
        return rc;
    size_t length = f->in_end - f->in_start;
    if (!r->decided && r->held.length == 0) {
        size_t ascii = utf8_ascii_length(f->in + f->in_start, length);
        rc = buf_add(&f->out, f->in + f->in_start, ascii);
        f->in_start += ascii;
        length -= ascii;
    }
    if (!r->decided && length > SAMPLE_BYTES - r->held.length)
        length = SAMPLE_BYTES - r->held.length;
    if (rc == 0)
        rc = buf_add(&r->held, f->in + f->in_start, length);
    f->in_start += length;
    bool at_end = f->in_at_end && f->in_start == f->in_end;
    if (rc == 0 && !r->decided && (r->held.length == SAMPLE_BYTES || at_end))
        rc = decide(r);
    if (rc == 0 && r->decided)
        rc = pass_held(r, at_end);
    skip_mark(r);
    f->ended = at_end;
    return rc;
}

static void repair_release(struct input_filter *f)
{
    buf_release(&((struct repair *)f)->held);
    buf_release(&((struct repair *)f)->undone);
}

int input_repair_add(struct input_stage **chain, const char *label, struct input_facts *facts)
{
    struct input_stage *from = *chain;
    struct repair *r = mem_calloc(1, sizeof *r);

    *chain = NULL;
    if (r == NULL) {
        input_stage_free(from);
        return RECO_E_NOMEM;
    }
    r->facts = facts;
    r->filter.produce = repair_produce;
    r->filter.release = repair_release;
    int rc = input_filter_start(&r->filter, from, label);
    if (rc == 0)
        *chain = &r->filter.stage;
    return rc;
}
