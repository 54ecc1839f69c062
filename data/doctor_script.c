#include "data/doctor_script.h"

#include <stdbool.h>
#include <stdint.h>

#include "data/utf8.h"

enum { LETTERS_LOOKED_AT = 400, KANA_SHARE = 10 };

static const struct {
    uint32_t first, last;
    enum doctor_script script;
} blocks[] = {
    {0x00C0, 0x024F, DOCTOR_SCRIPT_LATIN},      {0x0370, 0x03FF, DOCTOR_SCRIPT_GREEK},
    {0x0400, 0x052F, DOCTOR_SCRIPT_CYRILLIC},   {0x0530, 0x058F, DOCTOR_SCRIPT_OTHER},
    {0x0590, 0x05FF, DOCTOR_SCRIPT_HEBREW},     {0x0600, 0x077F, DOCTOR_SCRIPT_ARABIC},
    {0x0900, 0x097F, DOCTOR_SCRIPT_DEVANAGARI}, {0x0980, 0x0DFF, DOCTOR_SCRIPT_OTHER},
    {0x0E00, 0x0E7F, DOCTOR_SCRIPT_THAI},       {0x0E80, 0x10FF, DOCTOR_SCRIPT_OTHER},
    {0x1100, 0x11FF, DOCTOR_SCRIPT_HANGUL},     {0x1200, 0x1DFF, DOCTOR_SCRIPT_OTHER},
    {0x1E00, 0x1EFF, DOCTOR_SCRIPT_LATIN},      {0x1F00, 0x1FFF, DOCTOR_SCRIPT_GREEK},
    {0x3040, 0x30FF, DOCTOR_SCRIPT_KANA},       {0x3130, 0x318F, DOCTOR_SCRIPT_HANGUL},
    {0x3400, 0x4DBF, DOCTOR_SCRIPT_HAN},        {0x4E00, 0x9FFF, DOCTOR_SCRIPT_HAN},
    {0xA000, 0xABFF, DOCTOR_SCRIPT_OTHER},      {0xAC00, 0xD7AF, DOCTOR_SCRIPT_HANGUL},
    {0xF900, 0xFAFF, DOCTOR_SCRIPT_HAN},        {0xFB50, 0xFDFF, DOCTOR_SCRIPT_ARABIC},
    {0xFE70, 0xFEFF, DOCTOR_SCRIPT_ARABIC},     {0xFF66, 0xFF9F, DOCTOR_SCRIPT_KANA},
    {0x20000, 0x323AF, DOCTOR_SCRIPT_HAN},
};

const char *doctor_script_name(enum doctor_script script)
{
    static const char *const names[DOCTOR_SCRIPTS] = {"none",       "latin", "greek", "cyrillic", "hebrew", "arabic",
                                                      "devanagari", "thai",  "han",   "kana",     "hangul", "other"};

    return names[script];
}

static enum doctor_script script_of(uint32_t c)
{
    size_t low = 0, high = sizeof blocks / sizeof *blocks;

    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c > blocks[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sizeof blocks / sizeof *blocks && c >= blocks[low].first ? blocks[low].script : DOCTOR_SCRIPT_NONE;
}

enum doctor_script doctor_script_of(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    unsigned counts[DOCTOR_SCRIPTS] = {0}, letters = 0;
    enum doctor_script best = DOCTOR_SCRIPT_NONE;

    while (p < end && letters < LETTERS_LOOKED_AT) {
        uint32_t c;
        unsigned latin = 0;
        for (; p < end && *p < 0x80; p++)
            latin += (unsigned)((*p | 0x20) - 'a') < 26u;
        counts[DOCTOR_SCRIPT_LATIN] += latin;
        letters += latin;
        if (p == end)
            break;
        p += utf8_decode(p, end, &c);
        enum doctor_script script = script_of(c);
        counts[script]++;
        letters += script != DOCTOR_SCRIPT_NONE;
    }
    for (size_t i = DOCTOR_SCRIPT_LATIN; i < DOCTOR_SCRIPTS; i++) {
        if (counts[i] > (best == DOCTOR_SCRIPT_NONE ? 0 : counts[best]))
            best = (enum doctor_script)i;
    }
    return best == DOCTOR_SCRIPT_HAN && counts[DOCTOR_SCRIPT_KANA] * KANA_SHARE >= letters ? DOCTOR_SCRIPT_KANA : best;
}
