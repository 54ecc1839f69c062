#include "data/mask_internal.h"

enum { SHORTEST = 13, LONGEST = 19 };

/* Source: ISO/IEC 7812-1, annex B. */
static bool passes_luhn(const char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(digits[count - 1 - i] - '0');
        if (i % 2 == 1)
            digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* Prefixes (of as many digits as first has) and lengths of the issuers. */
static const struct issuer {
    int first, last;
    unsigned lengths; /* bit n - 13: n digits */
} issuers[] = {
#define LENGTH(n) (1u << ((n)-SHORTEST))
#define LENGTHS_16_TO_19 (LENGTH(16) | LENGTH(17) | LENGTH(18) | LENGTH(19))
    {4, 4, LENGTH(13) | LENGTH(16) | LENGTH(19)}, /* Visa */
    {51, 55, LENGTH(16)},                         /* Mastercard */
    {2221, 2720, LENGTH(16)},
    {34, 34, LENGTH(15)}, /* American Express */
    {37, 37, LENGTH(15)},
    {300, 305, LENGTH(14)}, /* Diners Club */
    {36, 36, LENGTH(14)},
    {38, 39, LENGTH(14)},
    {6011, 6011, LENGTHS_16_TO_19}, /* Discover */
    {644, 649, LENGTHS_16_TO_19},
    {65, 65, LENGTHS_16_TO_19},
    {3528, 3589, LENGTHS_16_TO_19},                     /* JCB */
    {62, 62, LENGTHS_16_TO_19},                         /* UnionPay */
    {5018, 5018, LENGTH(16) | LENGTH(18) | LENGTH(19)}, /* Maestro */
    {5020, 5020, LENGTH(16) | LENGTH(18) | LENGTH(19)},
    {5038, 5038, LENGTH(16) | LENGTH(18) | LENGTH(19)},
    {6304, 6304, LENGTH(16) | LENGTH(18) | LENGTH(19)},
    {6759, 6763, LENGTH(16) | LENGTH(18) | LENGTH(19)},
};

static bool is_issued(const char *digits, size_t count)
{
    for (size_t i = 0; i < sizeof issuers / sizeof issuers[0]; i++) {
        int prefix = 0;
        const char *digit = digits;
        for (int first = issuers[i].first; first > 0; first /= 10)
            prefix = prefix * 10 + (*digit++ - '0');
        if (prefix >= issuers[i].first && prefix <= issuers[i].last && (issuers[i].lengths >> (count - SHORTEST) & 1))
            return true;
    }
    return false;
}

/* Groups as on a card, with one separator throughout: 4-4-4-4 (and up to 3 more), 4-6-5, 4-6-4, 4-3-3-3. */
static size_t card_groups(const struct mask_groups *g, size_t *digits)
{
    static const unsigned char forms[][6] = {
        {4, 4, 4, 4, 3, 0}, {4, 4, 4, 4, 2, 0}, {4, 4, 4, 4, 1, 0}, {4, 4, 4, 4, 0, 0},
        {4, 6, 5, 0, 0, 0}, {4, 6, 4, 0, 0, 0}, {4, 3, 3, 3, 0, 0}, {6, 13, 0, 0, 0, 0},
    };
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        size_t count = 0;
        *digits = 0;
        while (forms[f][count] != 0 && count < g->count && g->sizes[count] == forms[f][count] &&
               (count == 0 || g->separators[count] == ' ' || g->separators[count] == '-') &&
               (count < 2 || g->separators[count] == g->separators[1]))
            *digits += forms[f][count++];
        if (forms[f][count] == 0 && passes_luhn(g->digits, *digits) && is_issued(g->digits, *digits))
            return count;
    }
    return 0;
}

/* Whether nothing around the number makes it a part of something. Commas may: the record of a CSV file is a text too.
 */
static bool stands_alone(const char *start, const char *p, const char *stop, const char *end)
{
    if (p > start && (mask_is_alnum(p[-1]) || p[-1] == '_' || p[-1] == '-' || p[-1] == '/' || p[-1] == '='))
        return false;
    if (p - start > 1 && p[-1] == '.' && mask_is_digit(p[-2]))
        return false;
    if (stop == end)
        return true;
    if (mask_is_alnum(*stop) || *stop == '_')
        return false;
    return !(end - stop > 1 && (*stop == '-' || *stop == '.' || *stop == '/') && mask_is_alnum(stop[1]));
}

size_t mask_card_at(const char *start, const char *p, const char *end)
{
    struct mask_groups g;
    size_t digits;
    if (!mask_is_digit(*p))
        return 0;
    mask_groups_read(&g, p, end);
    size_t groups = card_groups(&g, &digits);
    if (groups > 0)
        return stands_alone(start, p, g.ends[groups - 1], end) ? (size_t)(g.ends[groups - 1] - p) : 0;
    digits = g.sizes[0];
    if (digits < SHORTEST || digits > LONGEST || !passes_luhn(g.digits, digits) || !is_issued(g.digits, digits) ||
        mask_is_gtin(g.digits, digits) || !stands_alone(start, p, g.ends[0], end))
        return 0;
    return digits;
}
