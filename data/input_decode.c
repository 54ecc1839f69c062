/* Latin-1, Windows-1252 and UTF-16 to UTF-8. */

#include <string.h>

#include "core/mem.h"
#include "data/input_internal.h"
#include "data/utf8.h"

enum { LOOKED_AT_BLOCKS = 64 };

/* https://encoding.spec.whatwg.org/index-windows-1252.txt, 0x80 to 0x9F; the five bytes that Microsoft left undefined
 * are C1 controls. All other bytes are the code point of their number. */
static const uint16_t windows1252[32] = {0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                         0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                         0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                         0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

uint32_t input_windows1252_character(unsigned char byte)
{
    return byte >= 0x80 && byte < 0xA0 ? windows1252[byte - 0x80] : byte;
}

int input_windows1252_byte(uint32_t character)
{
    if (character < 0x80 || (character >= 0xA0 && character <= 0xFF))
        return (int)character;
    for (int i = 0; i < 32; i++)
        if (windows1252[i] == character)
            return 0x80 + i;
    return -1;
}

struct bytes_decoder {
    struct input_filter filter;
    struct input_facts *facts;
    size_t looks_left; /* blocks to be looked at for UTF-8 */
    unsigned char utf8[256][UTF8_MAX_BYTES];
    unsigned char length[256];
};

/* Text in a language with accents is UTF-8 by accident only in theory. */
static void look_for_utf8(struct bytes_decoder *d)
{
    const struct input_filter *f = &d->filter;
    const unsigned char *block = f->in + f->in_start;
    size_t length = f->in_end - f->in_start, bad;

    if (d->looks_left == 0 || utf8_ascii_length(block, length) == length)
        return;
    for (int i = 0; i < UTF8_MAX_BYTES - 1 && length > 0 && (*block & 0xC0) == 0x80; i++, length--)
        block++; /* the rest of a character of the block before */
    bool is_utf8 = utf8_is_valid(block, length, &bad) || length - bad < UTF8_MAX_BYTES;
    d->facts->looks_like_utf8 = is_utf8;
    d->looks_left = is_utf8 ? d->looks_left - 1 : 0;
}

static int bytes_decoder_produce(struct input_filter *f)
{
    struct bytes_decoder *d = (struct bytes_decoder *)f;
    int rc = input_filter_fill(f, 1);

    if (rc == 0) /* four bytes are written for each, whatever its length */
        rc = buf_reserve(&f->out, 3 * INPUT_BLOCK_BYTES + UTF8_MAX_BYTES);
    if (rc < 0)
        return rc;
    look_for_utf8(d);
    unsigned char *to = (unsigned char *)f->out.data;
    for (; f->in_start < f->in_end; f->in_start++) {
        unsigned char byte = f->in[f->in_start];
        memcpy(to, d->utf8[byte], UTF8_MAX_BYTES);
        to += d->length[byte];
    }
    f->out.length = (size_t)(to - (unsigned char *)f->out.data);
    f->ended = f->in_at_end;
    return 0;
}

int input_bytes_decoder_add(struct input_stage **chain, const char *label, bool latin1, struct input_facts *facts)
{
    struct input_stage *from = *chain;
    struct bytes_decoder *d = mem_calloc(1, sizeof *d);

    *chain = NULL;
    if (d == NULL) {
        input_stage_free(from);
        return RECO_E_NOMEM;
    }
    for (unsigned i = 0; i < 256; i++)
        d->length[i] =
            (unsigned char)utf8_encode(latin1 ? i : input_windows1252_character((unsigned char)i), d->utf8[i]);
    d->facts = facts;
    d->looks_left = LOOKED_AT_BLOCKS;
    d->filter.produce = bytes_decoder_produce;
    int rc = input_filter_start(&d->filter, from, label);
    if (rc == 0)
        *chain = &d->filter.stage;
    return rc;
}

struct utf16_decoder {
    struct input_filter filter;
    unsigned upper; /* 1: the upper half of a unit comes second, 0: first */
    uint64_t *replaced;
};

static uint32_t unit(const struct utf16_decoder *d, size_t at)
{
    const unsigned char *p = d->filter.in + at;

    return (uint32_t)p[d->upper] << 8 | p[1 - d->upper];
}

/* The character at `at`, of which *taken bytes are read; 0: more input is needed. What is none reads as U+FFFD. */
static uint32_t utf16_character(const struct utf16_decoder *d, size_t at, size_t *taken)
{
    const struct input_filter *f = &d->filter;
    size_t left = f->in_end - at;

    *taken = 0;
    if (left < 4 && !f->in_at_end)
        return 0;
    *taken = left < 2 ? left : 2;
    uint32_t first = left >= 2 ? unit(d, at) : 0xDFFF; /* half a unit is as good as half a pair */
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    uint32_t second = first < 0xDC00 && left >= 4 ? unit(d, at + 2) : 0;
    if (second < 0xDC00 || second > 0xDFFF) {
        ++*d->replaced;
        return 0xFFFD;
    }
    *taken = 4;
    return 0x10000 + ((first - 0xD800) << 10 | (second - 0xDC00));
}

static int utf16_decoder_produce(struct input_filter *f)
{
    const struct utf16_decoder *d = (struct utf16_decoder *)f;
    int rc = input_filter_fill(f, 4);

    if (rc == 0) /* at most three bytes for two */
        rc = buf_reserve(&f->out, 3 * (INPUT_BLOCK_BYTES / 2) + UTF8_MAX_BYTES);
    if (rc < 0)
        return rc;
    unsigned char *to = (unsigned char *)f->out.data;
    while (f->in_start < f->in_end) {
        size_t taken;
        uint32_t character = utf16_character(d, f->in_start, &taken);
        if (taken == 0)
            break;
        to += utf8_encode(character, to);
        f->in_start += taken;
    }
    f->out.length = (size_t)(to - (unsigned char *)f->out.data);
    f->ended = f->in_at_end;
    return 0;
}

int input_utf16_decoder_add(struct input_stage **chain, const char *label, bool big_endian, uint64_t *replaced)
{
    struct input_stage *from = *chain;
    struct utf16_decoder *d = mem_calloc(1, sizeof *d);

    *chain = NULL;
    if (d == NULL) {
        input_stage_free(from);
        return RECO_E_NOMEM;
    }
    d->upper = big_endian ? 0 : 1;
    d->replaced = replaced;
    d->filter.produce = utf16_decoder_produce;
    int rc = input_filter_start(&d->filter, from, label);
    if (rc == 0)
        *chain = &d->filter.stage;
    return rc;
}
