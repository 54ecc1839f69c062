#include <string.h>
#include <utf8proc.h>

#include "data/clean_internal.h"
#include "data/utf8.h"

static size_t count_chars(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    size_t count = 0;
    for (uint32_t c; p < end; count++)
        p += utf8_decode(p, end, &c);
    return count;
}

static bool is_outside(const char *text, size_t length, int64_t min, int64_t max)
{
    if (min <= 0 && (max <= 0 || length <= (size_t)max))
        return false;
    size_t chars = count_chars(text, length);
    return (min > 0 && chars < (size_t)min) || (max > 0 && chars > (size_t)max);
}

bool clean_empty(const struct cleaner *c, const struct clean_pair *pair)
{
    (void)c;
    return pair->query_length == 0 || (pair->description != NULL && pair->description_length == 0);
}

bool clean_length(const struct cleaner *c, const struct clean_pair *pair)
{
    const struct clean_options *o = &c->options;
    return is_outside(pair->query, pair->query_length, o->min_query_chars, o->max_query_chars) ||
           (pair->description != NULL && is_outside(pair->description, pair->description_length,
                                                    o->min_description_chars, o->max_description_chars));
}

/* Anomalies ----------------------------------------------------------------------------------------------------- */

static bool is_white(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000;
}

/* Whether one word makes up the whole text: "test test test". Four times at least. */
static bool is_one_word(const char *text, size_t length)
{
    enum { TIMES = 4 };
    const char *end = text + length, *gap = memchr(text, ' ', length);
    if (gap == NULL || gap == text)
        return false;
    size_t word = (size_t)(gap - text), times = 1;
    for (const char *p = gap; p < end; times++) {
        while (p < end && *p == ' ')
            p++;
        if (p == end)
            break;
        if ((size_t)(end - p) < word || memcmp(p, text, word) != 0 || (p + word < end && p[word] != ' '))
            return false;
        p += word;
    }
    return times >= TIMES;
}

/* Over one in ten characters cannot be read. */
static bool is_unreadable(const char *text, size_t length)
{
    enum { BAD_SHARE = 10 };
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    size_t chars = 0, bad = 0;
    if (memmem(text, length, "\xEF\xBF\xBD", 3) == NULL && utf8_is_valid(text, length, NULL))
        return false;
    while (p < end) {
        uint32_t c;
        p += utf8_decode(p, end, &c);
        chars += !is_white(c);
        bad += c == 0xFFFD;
    }
    return bad * BAD_SHARE > chars;
}

bool clean_text_is_anomalous(const char *text, size_t length, size_t max_chars)
{
    enum { SAME = 5 };
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    size_t chars = 0;
    uint32_t first = 0;
    bool speaks = false, same = true;
    while (p < end && (!speaks || same)) {
        uint32_t c;
        p += utf8_decode(p, end, &c);
        if (is_white(c))
            continue;
        chars++;
        first = chars == 1 ? c : first;
        same = same && c == first;
        if (!speaks && c < 0x80) {
            speaks = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        } else if (!speaks && c != 0xFFFD) {
            utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
            speaks = (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) ||
                     category == UTF8PROC_CATEGORY_SO; /* an emoji is a query */
        }
    }
    if (chars == 0)
        return false; /* empty: another rule */
    return !speaks || (same && chars >= SAME) || is_one_word(text, length) || is_unreadable(text, length) ||
           (length > max_chars && count_chars(text, length) > max_chars);
}

bool clean_anomalies(const struct cleaner *c, const struct clean_pair *pair)
{
    (void)c;
    return clean_text_is_anomalous(pair->query, pair->query_length, CLEAN_LONGEST_QUERY) ||
           (pair->description != NULL &&
            clean_text_is_anomalous(pair->description, pair->description_length, CLEAN_LONGEST_DESCRIPTION));
}
