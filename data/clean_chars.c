#include <string.h>
#include <utf8proc.h>

#include "data/clean_internal.h"
#include "data/utf8.h"

static inline bool is_white(const struct clean_classes *classes, uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    return (clean_class_of(classes, c) & CLEAN_TRIGGER_SPACE) != 0;
}

/* The size of the valid character that ends before p; 0: none does. */
static size_t decode_before(const unsigned char *start, const unsigned char *p, uint32_t *c)
{
    for (size_t size = 1; size <= UTF8_MAX_BYTES && size <= (size_t)(p - start); size++)
        if ((p[-(ptrdiff_t)size] & 0xC0) != 0x80)
            return utf8_decode(p - size, p, c) == size ? size : 0;
    return 0;
}

/* Joiners belong to the spelling of Persian and Indic words, and to emoji. */
static bool joins_letters(const unsigned char *start, const unsigned char *p, size_t size, const unsigned char *end)
{
    uint32_t before = 0, after = 0;
    if (decode_before(start, p, &before) == 0 || before < 0x80 || p + size >= end)
        return false;
    (void)utf8_decode(p + size, end, &after);
    return after >= 0x80 && utf8proc_category((utf8proc_int32_t)before) != UTF8PROC_CATEGORY_CF &&
           utf8proc_category((utf8proc_int32_t)after) != UTF8PROC_CATEGORY_CF;
}

int clean_control(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    const unsigned char *start = (const unsigned char *)edit->text, *p = start, *end = p + edit->length;
    bool broken = false; /* the bytes before are no character */
    (void)lane;
    while (p < end) {
        uint32_t code_point;
        size_t size = utf8_decode(p, end, &code_point);
        size_t at = (size_t)(p - start);
        if ((clean_class_of(&c->classes, code_point) & CLEAN_TRIGGER_CONTROL) &&
            ((code_point != 0x200C && code_point != 0x200D) || !joins_letters(start, p, size, end))) {
            /* between broken bytes a blank, so that they do not become a character */
            unsigned char bytes[UTF8_MAX_BYTES] = {' '};
            uint32_t meant = code_point >= 0x80 && code_point < 0xA0 ? clean_windows_1252[code_point - 0x80] : 0;
            size_t length = meant != 0 ? utf8_encode(meant, bytes) : broken;
            clean_edit_replace(edit, at, at + size, (const char *)bytes, length);
        } else {
            broken = code_point == 0xFFFD && memcmp(p, "\xEF\xBF\xBD", size) != 0;
        }
        p += size;
    }
    return 0;
}

int clean_whitespace(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    const unsigned char *start = (const unsigned char *)edit->text, *p = start, *end = p + edit->length;
    (void)lane;
    while (p < end) {
        uint32_t code_point;
        if (*p > ' ' && *p < 0x7F) { /* nearly all */
            p++;
            continue;
        }
        size_t size = utf8_decode(p, end, &code_point);
        if (!is_white(&c->classes, code_point)) {
            p += size;
            continue;
        }
        const unsigned char *run = p;
        do
            p += size;
        while (p < end && (size = utf8_decode(p, end, &code_point), is_white(&c->classes, code_point)));
        bool inside = run > start && p < end;
        if (!inside || p - run > 1 || *run != ' ')
            clean_edit_replace(edit, (size_t)(run - start), (size_t)(p - start), " ", inside);
    }
    return 0;
}

int clean_quotes(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    const unsigned char *start = (const unsigned char *)edit->text, *p = start, *end = p + edit->length;
    (void)lane;
    while (p < end) {
        uint32_t code_point;
        size_t size = utf8_decode(p, end, &code_point);
        size_t at = (size_t)(p - start);
        p += size;
        if (code_point < 0x80 || (clean_class_of(&c->classes, code_point) & CLEAN_TRIGGER_QUOTES) == 0)
            continue;
        const char *ascii = "-";
        if (code_point == 0x2026)
            ascii = "...";
        else if (code_point == 0xAB || code_point == 0xBB || code_point == 0x2033 ||
                 (code_point >= 0x201C && code_point <= 0x201F))
            ascii = "\"";
        else if (code_point == 0x2032 || (code_point >= 0x2018 && code_point <= 0x201B) || code_point == 0x2039 ||
                 code_point == 0x203A)
            ascii = "'";
        clean_edit_replace(edit, at, at + size, ascii, strlen(ascii));
    }
    return 0;
}

/* Punctuation marks and symbols; not those whose number tells something: PA++++, *****, $$$$. */
static bool is_mark(uint32_t c)
{
    enum { BLACK_STAR = 0x2605, WHITE_STAR = 0x2606, STAR = 0x2B50 };
    if (c == '+' || c == '*' || c == BLACK_STAR || c == WHITE_STAR || c == STAR)
        return false;
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
        return true;
    default:
        return false;
    }
}

int clean_repeated(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    enum { KEPT = 3 };
    const unsigned char *start = (const unsigned char *)edit->text, *p = start, *end = p + edit->length;
    (void)c, (void)lane;
    while (p < end) {
        uint32_t code_point;
        size_t size = utf8_decode(p, end, &code_point), count = 1;
        bool valid = size > 1 || *p < 0x80;
        while ((size_t)(end - p) >= (count + 1) * size && memcmp(p, p + count * size, size) == 0)
            count++;
        if (valid && count > KEPT && is_mark(code_point))
            clean_edit_replace(edit, (size_t)(p - start) + KEPT * size, (size_t)(p - start) + count * size, "", 0);
        p += count * size;
    }
    return 0;
}

/* Unicode normal forms ------------------------------------------------------------------------------------------ */

static int grow(int32_t **array, size_t *capacity, size_t need)
{
    void *memory = *array;
    int rc = mem_grow(&memory, capacity, need, sizeof **array);
    *array = memory;
    return rc;
}

/* The characters of the valid text from p on; bytes: up to where an invalid one begins. */
static int read_valid(struct clean_lane *lane, const unsigned char *p, const unsigned char *end, size_t *count,
                      size_t *bytes)
{
    const unsigned char *start = p;
    int rc = grow(&lane->code_points, &lane->code_point_capacity, (size_t)(end - p) + 1);
    if (rc < 0)
        return rc;
    *count = 0;
    while (p < end) {
        uint32_t c;
        size_t size = utf8_decode(p, end, &c);
        if (c == 0xFFFD && !(size == 3 && p[0] == 0xEF && p[2] == 0xBD))
            break;
        lane->code_points[(*count)++] = (int32_t)c;
        p += size;
    }
    *bytes = (size_t)(p - start);
    return 0;
}

/* Canonical order: marks between starters by combining class, stably. False: a run of marks too long to be text. */
static bool order_marks(int32_t *text, size_t length)
{
    enum { LONGEST_RUN = 64 };
    utf8proc_propval_t classes[LONGEST_RUN];
    for (size_t i = 0, run = 0; i < length; i++) {
        utf8proc_propval_t class = utf8proc_get_property(text[i])->combining_class;
        if (class == 0) {
            run = 0;
            continue;
        }
        if (run == LONGEST_RUN)
            return false;
        int32_t moved = text[i];
        size_t at = run++;
        for (; at > 0 && classes[at - 1] > class; at--) {
            classes[at] = classes[at - 1];
            text[i + at - run + 1] = text[i + at - run];
        }
        classes[at] = class;
        text[i + at - run + 1] = moved;
    }
    return true;
}

/* *done false: left as it is. */
static int normalise_span(struct clean_lane *lane, size_t count, utf8proc_option_t form, struct buf *out, bool *done)
{
    enum { LONGEST = 32 }; /* the longest decomposition has 18 characters */
    size_t length = 0;
    int boundary = 0;
    for (size_t i = 0; i < count; i++) {
        int rc = grow(&lane->decomposed, &lane->decomposed_capacity, length + LONGEST);
        if (rc < 0)
            return rc;
        utf8proc_ssize_t more =
            utf8proc_decompose_char(lane->code_points[i], lane->decomposed + length, LONGEST, form, &boundary);
        if (more < 0 || more > LONGEST)
            return err_set(RECO_E_INTERNAL, "cannot decompose U+%04X", (unsigned)lane->code_points[i]);
        length += (size_t)more;
    }
    *done = order_marks(lane->decomposed, length);
    if (!*done)
        return 0;
    utf8proc_ssize_t composed = utf8proc_normalize_utf32(lane->decomposed, (utf8proc_ssize_t)length, form);
    if (composed < 0)
        return err_set(RECO_E_INTERNAL, "cannot normalise a text");
    int rc = buf_reserve(out, (size_t)composed * UTF8_MAX_BYTES);
    for (utf8proc_ssize_t i = 0; rc == 0 && i < composed; i++) {
        unsigned char bytes[UTF8_MAX_BYTES];
        rc = buf_add(out, bytes, utf8_encode((uint32_t)lane->decomposed[i], bytes));
    }
    return rc;
}

static int normalise(struct clean_lane *lane, struct clean_edit *edit, utf8proc_option_t form)
{
    const unsigned char *start = (const unsigned char *)edit->text, *p = start, *end = p + edit->length;
    while (p < end) {
        size_t count, bytes;
        bool done = false;
        int rc = read_valid(lane, p, end, &count, &bytes);
        buf_clear(&lane->scratch);
        if (rc == 0 && count > 0)
            rc = normalise_span(lane, count, form, &lane->scratch, &done);
        if (rc < 0)
            return rc;
        if (done && (lane->scratch.length != bytes || memcmp(lane->scratch.data, p, bytes) != 0))
            clean_edit_replace(edit, (size_t)(p - start), (size_t)(p - start) + bytes, buf_str(&lane->scratch),
                               lane->scratch.length);
        p += bytes;
        if (p < end) {
            uint32_t c;
            p += utf8_decode(p, end, &c);
        }
    }
    return 0;
}

int clean_unicode(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    (void)c;
    return normalise(lane, edit, UTF8PROC_COMPOSE | UTF8PROC_STABLE);
}

int clean_nfkc(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    (void)c;
    return normalise(lane, edit, UTF8PROC_COMPOSE | UTF8PROC_STABLE | UTF8PROC_COMPAT);
}
