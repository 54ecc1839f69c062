#ifndef RECO_DATA_UTF8_H
#define RECO_DATA_UTF8_H

/*
 * UTF-8, one code point at a time. An invalid byte sequence reads as U+FFFD and is left behind by its maximal subpart,
 * as Python's bytes.decode("utf-8", "replace") does (The Unicode Standard, table 3-8): surrogates, overlong forms and
 * values over U+10FFFF are invalid, and a byte that can start a sequence is never swallowed by the one before.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/buf.h"
#include "core/err.h"

#define UTF8_MAX_BYTES 4

/* Reads the code point at p (p < end) into *code_point and returns the bytes it took, 1 to 4. */
static inline size_t utf8_decode(const unsigned char *p, const unsigned char *end, uint32_t *code_point)
{
    size_t left = (size_t)(end - p);
    uint32_t c = p[0];
    *code_point = 0xFFFD;
    if (c < 0x80) {
        *code_point = c;
        return 1;
    }
    if (c < 0xC2 || c > 0xF4)
        return 1;
    if (left < 2)
        return 1;
    uint32_t lowest = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    uint32_t highest = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < lowest || p[1] > highest)
        return 1;
    if (c < 0xE0) {
        *code_point = (c & 0x1F) << 6 | (p[1] & 0x3Fu);
        return 2;
    }
    if (left < 3 || (p[2] & 0xC0) != 0x80)
        return 2;
    if (c < 0xF0) {
        *code_point = (c & 0x0F) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
        return 3;
    }
    if (left < 4 || (p[3] & 0xC0) != 0x80)
        return 3;
    *code_point = (c & 0x07) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu);
    return 4;
}

/* Writes code_point (at most U+10FFFF) to out, which has room for UTF8_MAX_BYTES, and returns the bytes written. */
static inline size_t utf8_encode(uint32_t code_point, unsigned char *out)
{
    if (code_point < 0x80) {
        out[0] = (unsigned char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (unsigned char)(0xC0 | code_point >> 6);
        out[1] = (unsigned char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (unsigned char)(0xE0 | code_point >> 12);
        out[1] = (unsigned char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (unsigned char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (unsigned char)(0xF0 | code_point >> 18);
    out[1] = (unsigned char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (unsigned char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (unsigned char)(0x80 | (code_point & 0x3F));
    return 4;
}

/* How many of the first bytes are ASCII. */
static inline size_t utf8_ascii_length(const unsigned char *bytes, size_t length)
{
    size_t i = 0;
    uint64_t eight;

    for (; i + 8 <= length; i += 8) {
        memcpy(&eight, bytes + i, 8);
        if ((eight & 0x8080808080808080u) != 0)
            break;
    }
    while (i < length && bytes[i] < 0x80)
        i++;
    return i;
}

/* True when the bytes are valid UTF-8; otherwise *bad is the offset of the first invalid byte (bad may be NULL). */
bool utf8_is_valid(const void *bytes, size_t length, size_t *bad);

/* Appends text to b with U+FFFD for what is invalid: JSON and pages have no place for it. */
int utf8_add_valid(struct buf *b, const char *text) RECO_MUST_CHECK;
/* Code points of a text that is valid. */
size_t utf8_count(const char *text);

#endif
