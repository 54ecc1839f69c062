#include "data/utf8.h"

#include <string.h>

/* Bytes of the valid characters of three bytes at the start; most of the world's longer text is made of them. */
static size_t three_byte_length(const unsigned char *start, size_t length)
{
    const unsigned char *p = start, *end = start + length;

    for (; end - p >= 3; p += 3) {
        bool shape = (p[0] & 0xF0) == 0xE0 && ((p[1] ^ 0x80) & 0xC0) == 0 && ((p[2] ^ 0x80) & 0xC0) == 0;
        if (!shape || (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] >= 0xA0))
            break;
    }
    return (size_t)(p - start);
}

bool utf8_is_valid(const void *bytes, size_t length, size_t *bad)
{
    const unsigned char *start = bytes, *p = start, *end = start + length;

    while (p < end) {
        uint32_t code_point;

        p += utf8_ascii_length(p, (size_t)(end - p));
        p += three_byte_length(p, (size_t)(end - p));
        if (p == end || *p < 0x80)
            continue;
        size_t size = utf8_decode(p, end, &code_point);
        /* U+FFFD itself is a valid character, of three bytes EF BF BD. */
        if (code_point == 0xFFFD && !(size == 3 && p[0] == 0xEF && p[2] == 0xBD)) {
            if (bad != NULL)
                *bad = (size_t)(p - start);
            return false;
        }
        p += size;
    }
    return true;
}

int utf8_add_valid(struct buf *b, const char *text)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + strlen(text);
    int rc = 0;

    while (!rc && p < end) {
        unsigned char bytes[UTF8_MAX_BYTES];
        uint32_t code_point;

        p += utf8_decode(p, end, &code_point);
        rc = buf_add(b, bytes, utf8_encode(code_point, bytes));
    }
    return rc;
}

size_t utf8_count(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}
