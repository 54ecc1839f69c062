#include <utf8proc.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

#if defined(__SSE2__)
enum { STEP = 16 };

static inline __m128i in_range(__m128i v, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(v, _mm_set1_epi8((char)(last + 1))));
}

/* The STEP bytes at p in lower case, where they are ASCII and their white space is single spaces between others, the
 * last byte apart: whether it is a space goes into *ends. False: they are not. */
static inline bool take_step(const unsigned char *p, unsigned char *to, bool *ends)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    unsigned spaces = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')));
    if (_mm_movemask_epi8(_mm_or_si128(v, in_range(v, '\t', '\r'))) != 0 || (spaces & (spaces << 1 | 1)) != 0)
        return false;
    v = _mm_or_si128(v, _mm_and_si128(in_range(v, 'A', 'Z'), _mm_set1_epi8(0x20)));
    _mm_storeu_si128((__m128i *)to, v);
    *ends = spaces >> (STEP - 1) != 0;
    return true;
}
#endif

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
#if defined(__SSE2__)
    const unsigned char *slow = p; /* up to here one by one */
#endif
    while (p < end) {
#if defined(__SSE2__)
        if (p >= slow && end - p >= STEP) {
            bool ends;
            if (take_step(p, to + gap, &ends)) {
                if (gap)
                    *to++ = ' ';
                to += STEP - ends;
                gap = ends;
                p += STEP;
                continue;
            }
            slow = p + STEP;
        }
#endif
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
