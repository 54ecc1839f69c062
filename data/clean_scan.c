#include <string.h>
#include <utf8proc.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "data/clean_internal.h"
#include "data/utf8.h"

enum {
    /* Digits in two steps of 16 bytes that can be part of a number to mask: such a number has 7 within 17 bytes, of
     * which two steps hold 6. */
    DIGITS = 6,
    RUN = 4 /* equal characters that are a run */
};

const uint16_t clean_windows_1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                         0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                         0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                         0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/* Characters ---------------------------------------------------------------------------------------------------- */

static bool is_quotes(uint32_t c)
{
    return c == 0xAB || c == 0xBB || (c >= 0x2010 && c <= 0x2015) || (c >= 0x2018 && c <= 0x201F) || c == 0x2026 ||
           c == 0x2032 || c == 0x2033 || c == 0x2039 || c == 0x203A || c == 0x2212;
}

/* Whether a normal form of the character alone is another one. */
static bool changes(uint32_t c, const utf8proc_property_t *property, utf8proc_option_t form)
{
    utf8proc_int32_t text[32];                                                   /* the longest decomposition has 18 */
    if (property->decomp_seqindex == UINT16_MAX || (c >= 0xAC00 && c <= 0xD7A3)) /* Hangul syllables are composed */
        return false;
    utf8proc_ssize_t count = utf8proc_decompose_char((utf8proc_int32_t)c, text, 32, form, NULL);
    if (count <= 0 || count > 32)
        return true;
    count = utf8proc_normalize_utf32(text, count, form);
    return count != 1 || (uint32_t)text[0] != c;
}

/* Whether a character may change with its neighbours: a mark that has an order, or one that composes with what is
 * before it. */
static bool may_compose(uint32_t c, const utf8proc_property_t *property)
{
    if (property->combining_class != 0)
        return true;
    if ((c >= 0x1161 && c <= 0x1175) || (c >= 0x11A8 && c <= 0x11C2)) /* Hangul vowels and finals */
        return true;
    return (property->category == UTF8PROC_CATEGORY_MC || property->category == UTF8PROC_CATEGORY_MN) &&
           property->comb_index != UINT16_MAX;
}

static uint32_t class_of(uint32_t c)
{
    const utf8proc_property_t *property = utf8proc_get_property((utf8proc_int32_t)c);
    uint32_t class = 0;
    if (property->category == UTF8PROC_CATEGORY_ZS || c == 0x2028 || c == 0x2029)
        class |= c != ' ' ? CLEAN_TRIGGER_SPACE : 0;
    else if ((property->category == UTF8PROC_CATEGORY_CC && !(c >= '\t' && c <= '\r')) ||
             (property->category == UTF8PROC_CATEGORY_CF && !(c >= 0x600 && c <= 0x605) && c != 0x6DD && c != 0x70F))
        class |= CLEAN_TRIGGER_CONTROL;
    if (may_compose(c, property) || changes(c, property, UTF8PROC_COMPOSE | UTF8PROC_STABLE))
        class |= CLEAN_TRIGGER_NFC;
    if (changes(c, property, UTF8PROC_COMPOSE | UTF8PROC_STABLE | UTF8PROC_COMPAT))
        class |= CLEAN_TRIGGER_NFKC;
    if (is_quotes(c))
        class |= CLEAN_TRIGGER_QUOTES;
    return class;
}

void clean_classes_init(struct clean_classes *classes)
{
    for (uint32_t c = 0; c < 0x10000; c++)
        classes->of[c] = (uint16_t)(c >= 0xD800 && c < 0xE000 ? 0 : class_of(c));
}

uint32_t clean_class_of(const struct clean_classes *classes, uint32_t code_point)
{
    return code_point < 0x10000 ? classes->of[code_point] : class_of(code_point);
}

/* Scan ---------------------------------------------------------------------------------------------------------- */

/* The character at p, whose first byte is not ASCII. */
static uint32_t scan_high(const struct clean_classes *classes, const unsigned char *p, const unsigned char *end)
{
    uint32_t c;
    size_t size = utf8_decode(p, end, &c);
    uint32_t found = clean_class_of(classes, c);
    if (size > 1 && (size_t)(end - p) >= RUN * size && memcmp(p, p + size, (RUN - 1) * size) == 0)
        found |= CLEAN_TRIGGER_REPEATED;
    return found;
}

#if defined(__SSE2__)
enum { STEP = 16 };

/* Bytes in [first, first + count), unsigned, by a signed comparison of values shifted down by 128. */
static inline __m128i in_range(__m128i v, int first, int count)
{
    return _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(-128 - first))), _mm_set1_epi8((char)(-128 + count)));
}

static inline __m128i equals(__m128i v, char byte)
{
    return _mm_cmpeq_epi8(v, _mm_set1_epi8(byte));
}

static inline __m128i load(const unsigned char *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}

/* What was found so far, a byte each. */
struct scan {
    __m128i tag, entity, code, at, space, control, run;
    unsigned digits; /* of the step before */
    uint32_t found;
};

/* The STEP bytes at p; RUN - 1 more can be read. Characters that are not ASCII are looked at up to end. */
static inline void scan_step(struct scan *s, const struct clean_classes *classes, const unsigned char *p,
                             const unsigned char *end)
{
    __m128i v = load(p), next = load(p + 1), same = _mm_cmpeq_epi8(v, next), white = in_range(v, '\t', 5);
    s->tag = _mm_or_si128(s->tag, equals(v, '<'));
    s->entity = _mm_or_si128(s->entity, equals(v, '&'));
    s->code = _mm_or_si128(s->code, _mm_or_si128(equals(v, '{'), equals(v, ';')));
    s->at = _mm_or_si128(s->at, _mm_or_si128(equals(v, '@'), _mm_and_si128(equals(v, '%'), equals(next, '4'))));
    s->space = _mm_or_si128(s->space, _mm_or_si128(white, _mm_and_si128(equals(v, ' '), same)));
    s->control = _mm_or_si128(s->control, _mm_or_si128(_mm_andnot_si128(white, in_range(v, 0, 0x20)), equals(v, 0x7F)));
    s->run = _mm_or_si128(
        s->run, _mm_and_si128(same, _mm_and_si128(_mm_cmpeq_epi8(v, load(p + 2)), _mm_cmpeq_epi8(v, load(p + 3)))));
    __m128i ones = _mm_sad_epu8(_mm_and_si128(in_range(v, '0', 10), _mm_set1_epi8(1)), _mm_setzero_si128());
    unsigned digits = (unsigned)(_mm_cvtsi128_si32(ones) + _mm_extract_epi16(ones, 4));
    s->found |= s->digits + digits >= DIGITS ? CLEAN_TRIGGER_DIGITS : 0;
    s->digits = digits;
    if (_mm_movemask_epi8(v) == 0)
        return;
    __m128i plain = _mm_or_si128(_mm_or_si128(equals(v, (char)0xC3), in_range(v, 0xD0, 2)),
                                 _mm_or_si128(in_range(v, 0xE4, 6), in_range(v, 0xEB, 2)));
    unsigned leads = (unsigned)_mm_movemask_epi8(_mm_andnot_si128(plain, in_range(v, 0xC0, 0x40)));
    for (; leads != 0; leads &= leads - 1)
        s->found |= scan_high(classes, p + __builtin_ctz(leads), end);
}

static inline uint32_t any(__m128i bytes, uint32_t trigger)
{
    return _mm_movemask_epi8(bytes) != 0 ? trigger : 0;
}

static uint32_t scan_bytes(const struct clean_classes *classes, const unsigned char *p, const unsigned char *end)
{
    const __m128i zero = _mm_setzero_si128();
    struct scan s = {zero, zero, zero, zero, zero, zero, zero, 0, 0};
    for (; end - p >= STEP + RUN - 1; p += STEP)
        scan_step(&s, classes, p, end);
    /* the rest, padded with what triggers nothing; a character stays whole in it */
    unsigned char rest[2 * STEP + RUN - 1];
    const size_t left = (size_t)(end - p) < sizeof rest ? (size_t)(end - p) : 0; /* at most STEP + RUN - 2 */
    memset(rest, 'x', sizeof rest);
    for (size_t i = left; i < sizeof rest; i += 2)
        rest[i] = 'y';
    memcpy(rest, p, left);
    for (size_t i = 0; i < left; i += STEP)
        scan_step(&s, classes, rest + i, rest + left);
    return s.found | any(s.tag, CLEAN_TRIGGER_TAG) | any(s.entity, CLEAN_TRIGGER_ENTITY) |
           any(s.code, CLEAN_TRIGGER_CODE) | any(s.at, CLEAN_TRIGGER_AT) | any(s.space, CLEAN_TRIGGER_SPACE) |
           any(s.control, CLEAN_TRIGGER_CONTROL) | any(s.run, CLEAN_TRIGGER_REPEATED);
}
#else
enum { STEP = 16 };

/* The first bytes whose characters have no class and are no marks: accented Latin, Cyrillic and Chinese letters. */
static bool is_plain_lead(unsigned char byte)
{
    return byte == 0xC3 || byte == 0xD0 || byte == 0xD1 || (byte >= 0xE4 && byte <= 0xE9) || byte == 0xEB ||
           byte == 0xEC;
}

static uint32_t scan_byte(const struct clean_classes *classes, const unsigned char *p, const unsigned char *end)
{
    unsigned char byte = *p;
    if (byte >= 0xC0)
        return is_plain_lead(byte) ? 0 : scan_high(classes, p, end);
    if (byte >= 0x80)
        return 0;
    uint32_t found = end - p >= RUN && p[1] == byte && p[2] == byte && p[3] == byte ? CLEAN_TRIGGER_REPEATED : 0;
    switch (byte) {
    case '<':
        return found | CLEAN_TRIGGER_TAG;
    case '&':
        return found | CLEAN_TRIGGER_ENTITY;
    case '{':
    case ';':
        return found | CLEAN_TRIGGER_CODE;
    case '@':
        return found | CLEAN_TRIGGER_AT;
    case '%':
        return found | (end - p > 1 && p[1] == '4' ? CLEAN_TRIGGER_AT : 0);
    case ' ':
        return found | (end - p > 1 && p[1] == ' ' ? CLEAN_TRIGGER_SPACE : 0);
    default:
        if (byte >= '\t' && byte <= '\r')
            return found | CLEAN_TRIGGER_SPACE;
        return found | (byte < 0x20 || byte == 0x7F ? CLEAN_TRIGGER_CONTROL : 0);
    }
}

static uint32_t scan_bytes(const struct clean_classes *classes, const unsigned char *p, const unsigned char *end)
{
    uint32_t found = 0;
    unsigned before = 0, digits = 0;
    for (size_t i = 0; p < end; p++, i++) {
        if (i % STEP == 0) {
            before = digits;
            digits = 0;
        }
        digits += *p >= '0' && *p <= '9';
        found |= before + digits >= DIGITS ? CLEAN_TRIGGER_DIGITS : 0;
        found |= scan_byte(classes, p, end);
    }
    return found;
}
#endif

uint32_t clean_scan(const struct clean_classes *classes, const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text;
    if (length == 0)
        return 0;
    uint32_t ends = text[0] == ' ' || text[length - 1] == ' ' ? CLEAN_TRIGGER_SPACE : 0;
    return ends | scan_bytes(classes, p, p + length);
}
