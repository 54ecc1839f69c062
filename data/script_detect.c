#include "data/script_detect.h"

#include <string.h>

#include "data/utf8.h"

struct script_range {
    uint32_t first, last;
    uint8_t script;
};

#include "data/script_ranges.inc"

enum { LOOKED_AT = 1000, KANA_SHARE = 10, SCRIPTS = sizeof script_names / sizeof script_names[0] };
enum { LATIN = 1, KANA = 28, HAN = 30 }; /* numbers in the table; tested by their names */
_Static_assert((int)SCRIPTS <= (int)SCRIPTS_MAX, "arrays have room");

size_t script_count(void)
{
    return SCRIPTS;
}

const char *script_name(size_t script)
{
    return script_names[script];
}

bool script_is_spaceless(size_t script)
{
    static const char *const names[] = {"han", "kana", "thai", "lao", "khmer", "myanmar", "tibetan", "other"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(script_names[script], names[i]) == 0)
            return true;
    return false;
}

size_t script_of(uint32_t c)
{
    if (c < 0x80)
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? LATIN : 0;
    if (c >= 0x4E00 && c <= 0x9FFF)
        return HAN;
    size_t low = 0, high = sizeof script_ranges / sizeof script_ranges[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > script_ranges[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == sizeof script_ranges / sizeof script_ranges[0] || c < script_ranges[low].first)
        return 0;
    return script_ranges[low].script;
}

size_t script_detect(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + (length < LOOKED_AT ? length : LOOKED_AT);
    unsigned counts[SCRIPTS] = {0}, letters = 0;
    size_t best = 0;
    while (p < end) {
        uint32_t c;
        p += utf8_decode(p, end, &c);
        size_t script = script_of(c);
        counts[script]++;
        letters += script != 0;
    }
    for (size_t i = 1; i < SCRIPTS; i++)
        if (counts[i] > (best == 0 ? 0 : counts[best]))
            best = i;
    return best == HAN && counts[KANA] * KANA_SHARE >= letters ? KANA : best;
}
