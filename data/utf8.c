#include "data/utf8.h"

bool utf8_is_valid(const void *bytes, size_t length, size_t *bad)
{
    const unsigned char *start = bytes, *p = start, *end = start + length;
    while (p < end) {
        uint32_t code_point;
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
