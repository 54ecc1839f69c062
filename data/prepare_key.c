#include <utf8proc.h>

#include "data/prepare_internal.h"
#include "data/utf8.h"

static bool is_white(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP;
}

static inline unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
}

int prepare_normalise(struct buf *out, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    size_t start = out->length;
    bool gap = false;
    /* Lower case takes at most 3 bytes for 2 (U+023A), an invalid byte 3. */
    int rc = buf_reserve(out, length * 3 + 8);

    if (rc < 0)
        return rc;
    unsigned char *to = (unsigned char *)out->data + out->length;
    const unsigned char *first = to;
    while (p < end) {
        uint32_t c = *p;
        if (c < 0x80) {
            p++;
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                gap = to > first;
                continue;
            }
            if (gap)
                *to++ = ' ';
            gap = false;
            *to++ = ascii_lower((unsigned char)c);
            continue;
        }
        p += utf8_decode(p, end, &c);
        if (is_white(c)) {
            gap = to > first;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        to += utf8_encode((uint32_t)utf8proc_tolower((utf8proc_int32_t)c), to);
    }
    out->length = start + (size_t)(to - first);
    *to = '\0';
    return 0;
}
