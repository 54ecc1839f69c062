#include "data/mask.h"

#include <string.h>

#include "data/mask_internal.h"

const char *mask_text(enum mask_kind kind)
{
    static const char *const texts[MASK_KINDS] = {"[email]", "[card]", "[phone]"};
    return texts[kind];
}

/* E-mail -------------------------------------------------------------------------------------------------------- */

/* Bytes of the at sign at p, 0: none. */
static size_t at_sign(const char *p, const char *end)
{
    static const char *const forms[] = {"@", "&#64;", "&#x40;", "&commat;", "%40"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t length = strlen(forms[i]);
        if ((size_t)(end - p) >= length && memcmp(p, forms[i], length) == 0)
            return length;
    }
    return 0;
}

static bool is_local(char c)
{
    return mask_is_alnum(c) || (c != '\0' && strchr("._+-'", c) != NULL);
}

/* The end of the domain at p, NULL: none. Labels of letters, digits and hyphens; the last has letters alone. */
static const char *domain_end(const char *p, const char *end)
{
    enum { LONGEST = 253, LONGEST_LABEL = 63 };
    const char *start = p, *good = NULL;
    size_t labels = 0;
    if (end - p > LONGEST)
        end = p + LONGEST;
    for (;;) {
        const char *label = p;
        bool letters = true;
        for (; p < end && (mask_is_alnum(*p) || *p == '-'); p++)
            letters = letters && mask_is_letter(*p);
        if (p == label || p - label > LONGEST_LABEL || *label == '-')
            break;
        if (++labels > 1 && p - label >= 2 && (letters || (p - label > 4 && memcmp(label, "xn--", 4) == 0)) &&
            p[-1] != '-')
            good = p;
        if (p == end || *p != '.')
            break;
        p++;
    }
    return good != NULL && good > start ? good : NULL;
}

static bool find_email(const char *text, size_t length, size_t from, struct mask_span *span)
{
    enum { LONGEST_LOCAL = 64 };
    const char *end = text + length;
    for (const char *p = text + from; p < end; p++) {
        if (*p != '@' && *p != '&' && *p != '%')
            continue;
        size_t at = at_sign(p, end);
        if (at == 0)
            continue;
        const char *local = p;
        while (local > text + from && p - local < LONGEST_LOCAL && is_local(local[-1]))
            local--;
        while (local < p && !mask_is_alnum(*local) && *local != '_')
            local++;
        const char *stop = local < p && p[-1] != '.' ? domain_end(p + at, end) : NULL;
        if (stop != NULL) {
            *span = (struct mask_span){(size_t)(local - text), (size_t)(stop - local)};
            return true;
        }
    }
    return false;
}

/* Numbers ------------------------------------------------------------------------------------------------------- */

void mask_groups_read(struct mask_groups *g, const char *p, const char *end)
{
    *g = (struct mask_groups){0};
    for (;;) {
        const char *group = p;
        while (p < end && mask_is_digit(*p) && g->digit_count < MASK_MAX_DIGITS)
            g->digits[g->digit_count++] = *p++;
        g->sizes[g->count] = (unsigned char)(p - group);
        g->ends[g->count++] = p;
        g->cut = p < end && mask_is_digit(*p);
        if (g->cut || end - p < 2 || strchr(" -./", *p) == NULL || *p == '\0' || !mask_is_digit(p[1]))
            return;
        if (g->count == MASK_MAX_GROUPS || g->digit_count == MASK_MAX_DIGITS) {
            g->cut = true;
            return;
        }
        g->separators[g->count] = *p++;
    }
}

bool mask_is_gtin(const char *digits, size_t count)
{
    unsigned sum = 0;
    if (count != 8 && count != 12 && count != 13 && count != 14)
        return false;
    for (size_t i = 0; i < count; i++)
        sum += (unsigned)(digits[count - 1 - i] - '0') * (i % 2 == 1 ? 3 : 1);
    return sum % 10 == 0;
}

static bool find_number(size_t (*at)(const char *, const char *, const char *), const char *text, size_t length,
                        size_t from, struct mask_span *span)
{
    const char *end = text + length, *p = text + from;
    while (p < end) {
        while (p < end && !mask_is_digit(*p) && *p != '+' && *p != '(')
            p++;
        if (p == end)
            break;
        size_t bytes = at(text, p, end);
        if (bytes > 0) {
            *span = (struct mask_span){(size_t)(p - text), bytes};
            return true;
        }
        if (!mask_is_digit(*p)) {
            p++;
            continue;
        }
        while (p < end && mask_is_digit(*p)) /* nothing begins within a group */
            p++;
    }
    return false;
}

bool mask_find(enum mask_kind kind, const char *text, size_t length, size_t from, struct mask_span *span)
{
    if (kind == MASK_EMAIL)
        return find_email(text, length, from, span);
    return find_number(kind == MASK_CARD ? mask_card_at : mask_phone_at, text, length, from, span);
}
