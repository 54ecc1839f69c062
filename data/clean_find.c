#include <string.h>

#include "data/clean_internal.h"
#include "data/mask.h"
#include "data/utf8.h"

/* The Windows-1252 byte of a character, 0: none from 0x80 on. */
static unsigned char windows_1252_byte(uint32_t c)
{
    if (c >= 0x80 && c <= 0xFF)
        return (unsigned char)c;
    for (unsigned i = 0; i < 32 && c >= 0x100; i++)
        if (clean_windows_1252[i] == c)
            return (unsigned char)(0x80 + i);
    return 0;
}

/* Whether characters of the text, as Windows-1252, are the bytes of a UTF-8 character: text that was encoded twice. */
static bool has_mojibake(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    unsigned char bytes[UTF8_MAX_BYTES];
    size_t have = 0, need = 0;
    if (memchr(text, 0xC3, length) == NULL) /* begins every first one, U+00C2 to U+00F4 */
        return false;
    while (p < end) {
        uint32_t c;
        if (*p < 0x80) {
            have = 0;
            p++;
            continue;
        }
        p += utf8_decode(p, end, &c);
        unsigned char byte = windows_1252_byte(c);
        if (have > 0 && byte >= 0x80 && byte < 0xC0) {
            bytes[have++] = byte;
            uint32_t meant;
            if (have == need && utf8_decode(bytes, bytes + have, &meant) == need && meant != 0xFFFD)
                return true;
            have = have == need ? 0 : have;
            continue;
        }
        have = byte >= 0xC2 && byte <= 0xF4;
        need = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
        bytes[0] = byte;
    }
    return false;
}

static bool has_replacement(const char *text, size_t length)
{
    return memmem(text, length, "\xEF\xBF\xBD", 3) != NULL || !utf8_is_valid(text, length, NULL);
}

static bool is_ascii(const char *text, size_t length)
{
    unsigned char all = 0;
    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)text[i];
    return all < 0x80;
}

/* Whether a text rule would change the text. */
static int changes(struct clean_lane *lane, clean_text_fn *rule, const char *text, size_t length, bool *changed)
{
    struct clean_edit edit = {.out = &lane->text[CLEAN_FIND_BUFFER][0], .text = text, .length = length};
    buf_clear(edit.out);
    int rc = rule(lane->cleaner, lane, &edit);
    *changed = edit.changed;
    return rc != 0 ? rc : edit.rc;
}

int clean_find(struct clean_lane *lane, const char *text, size_t length, unsigned *findings)
{
    static const struct {
        uint32_t triggers;
        clean_text_fn *rule;
        unsigned finding;
    } by_rule[] = {
        {CLEAN_TRIGGER_TAG | CLEAN_TRIGGER_CODE, clean_script, CLEAN_FOUND_SCRIPT},
        {CLEAN_TRIGGER_CONTROL, clean_control, CLEAN_FOUND_CONTROL},
        {CLEAN_TRIGGER_SPACE, clean_whitespace, CLEAN_FOUND_BLANKS},
    };
    static const struct {
        uint32_t triggers;
        enum mask_kind kind;
        unsigned finding;
    } by_mask[] = {{CLEAN_TRIGGER_AT | CLEAN_TRIGGER_ENTITY, MASK_EMAIL, CLEAN_FOUND_EMAIL},
                   {CLEAN_TRIGGER_DIGITS, MASK_PHONE, CLEAN_FOUND_PHONE},
                   {CLEAN_TRIGGER_DIGITS, MASK_CARD, CLEAN_FOUND_CARD}};
    uint32_t triggers = clean_scan(&lane->cleaner->classes, text, length);
    unsigned found = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof by_rule / sizeof by_rule[0]; i++) {
        bool changed = false;
        if ((triggers & by_rule[i].triggers) == 0)
            continue;
        rc = changes(lane, by_rule[i].rule, text, length, &changed);
        found |= changed ? by_rule[i].finding : 0;
    }
    if (rc == 0 && (triggers & (CLEAN_TRIGGER_TAG | CLEAN_TRIGGER_ENTITY)) != 0) {
        struct clean_edit edit = {.out = &lane->text[CLEAN_FIND_BUFFER][0], .text = text, .length = length};
        bool tags = false, entities = false;
        buf_clear(edit.out);
        rc = clean_html_run(&edit, &tags, &entities);
        rc = rc != 0 ? rc : edit.rc;
        found |= (tags ? CLEAN_FOUND_HTML : 0) | (entities ? CLEAN_FOUND_ENTITY : 0);
    }
    for (size_t i = 0; i < sizeof by_mask / sizeof by_mask[0]; i++) {
        struct mask_span span;
        if ((triggers & by_mask[i].triggers) != 0 && mask_find(by_mask[i].kind, text, length, 0, &span))
            found |= by_mask[i].finding;
    }
    if (!is_ascii(text, length)) {
        found |= has_mojibake(text, length) ? CLEAN_FOUND_MOJIBAKE : 0;
        found |= has_replacement(text, length) ? CLEAN_FOUND_REPLACEMENT : 0;
    }
    found |= clean_text_is_anomalous(text, length, CLEAN_LONGEST_DESCRIPTION) ? CLEAN_FOUND_REPEATED : 0;
    *findings = found;
    return rc;
}
