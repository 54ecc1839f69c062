#include <string.h>
#include <strings.h>

#include "data/mask_internal.h"

enum { LONGEST = 15, SHORTEST = 7, INTERNATIONAL = 8 }; /* digits; ITU-T E.164 allows 15 */

/* Words before ------------------------------------------------------------------------------------------------- */

static bool ends_with_word(const char *start, const char *p, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(p - start) < length || strncasecmp(p - length, word, length) != 0)
        return false;
    /* words in letters of other scripts are found within others */
    return (*word & 0x80) != 0 || p - length == start || !mask_is_alnum(p[-(ptrdiff_t)length - 1]);
}

/* Behind the word before p: blanks, ':', '.', '#', '-', '=' and '(' may stand between. */
static const char *word_before(const char *start, const char *p)
{
    enum { GAP = 4 };
    for (int gap = 0; gap < GAP && p > start && strchr(" :.#-=(", p[-1]) != NULL; gap++)
        p--;
    return p;
}

static bool has_word_before(const char *start, const char *p, const char *const *words)
{
    const char *stop = word_before(start, p);
    for (; *words != NULL; words++)
        if (ends_with_word(start, stop, *words))
            return true;
    return false;
}

static const char *const phone_words[] = {
    "tel",     "tel no",     "telephone",     "telefon",    "telefono",   "phone",     "phone no", "phone number",
    "ph",      "call",       "call us",       "call us at", "call us on", "call now",  "call at",  "fax",
    "mobile",  "cell",       "handy",         "whatsapp",   "whatsap",    "whats app", "wa",       "sms",
    "viber",   "wechat",     "hotline",       "helpline",   "toll free",  "toll-free", "rufen",    "appel",
    "contact", "contact us", "contact us at", "dial",       "tlf",        "tfno",      "电话",     "手机",
    "热线",    "传真",       "電話",          "手機",       "联系电话",   "微信",      NULL};

static const char *const other_words[] = {
    "isbn",   "isbn-10", "isbn-13",     "issn",    "asin",        "ean",     "upc",      "gtin",
    "mpn",    "sku",     "item",        "item no", "item number", "model",   "model no", "model number",
    "part",   "part no", "part number", "pn",      "p/n",         "article", "art",      "ref",
    "serial", "no",      "nr",          "number",  "order",       "invoice", "patent",   "id",
    "code",   "lot",     "batch",       "imei",    "qq",          "qq群",    "version",  "v",
    "type",   "size",    "price",       "usd",     "rp",          "rm",      NULL};

/* Shapes -------------------------------------------------------------------------------------------------------- */

/*
 * National forms that are telephone numbers without a word before them. sizes: digits of the groups, in parentheses the
 * first where paren; separators: those allowed between the groups, the same everywhere but after a parenthesis.
 */
static const struct shape {
    const char *sizes;
    const char *separators;
    const char *first;  /* what the digits begin with: digits, or a class of digit_fits */
    const char *second; /* the same for the second group; NULL: anything */
    bool paren;
} shapes[] = {
    {"334", "-.", "N", "N", false},   /* North America: 212-555-0123 */
    {"334", " -.", "N", "N", true},   /* (212) 555-0123 */
    {"1334", "-.", "1", "N", false},  /* 1-800-555-0123 */
    {"38", "-", "0", NULL, false},    /* China: 010-12345678 */
    {"48", "-", "0", NULL, false},    /* 0755-12345678 */
    {"47", "-", "0", NULL, false},    /* 0755-1234567 */
    {"343", "-", "400", NULL, false}, /* 400-1234-567 */
    {"344", " -", "1M", NULL, false}, /* 138-0013-8000 */
    {"244", "-", "0", NULL, false},   /* Japan: 03-1234-5678 */
    {"344", "-", "0", NULL, false},   /* 090-1234-5678; Indonesia 0812-... below */
    {"434", "-", "08", NULL, false},  /* Indonesia */
    {"444", "-", "08", NULL, false},     {"443", "-", "08", NULL, false},
    {"22222", " .-", "0P", NULL, false}, /* France: 01 23 45 67 89 */
    {"344", " ", "02", NULL, false},     /* United Kingdom: 020 7946 0958 */
    {"434", " ", "01", NULL, false},     /* 0161 496 0000 */
    {"56", " ", "0U", NULL, false},      /* 01632 960001, 07700 900123 */
    {"533", " ", "0U", NULL, false},     /* 07700 900 123 */
    {"38", "/", "0", NULL, false},       /* Germany: 030/12345678 */
    {"37", "/", "0", NULL, false},       {"47", "/", "0", NULL, false},
    {"48", "/", "0", NULL, false},       {"38", " -", "0", NULL, true}, /* (030) 12345678 */
    {"37", " -", "0", NULL, true},       {"47", " -", "0", NULL, true},
    {"48", " -", "0", NULL, true},       {"244", " -", "P", NULL, true}, /* Brazil: (11) 3234-5678 */
    {"254", " -", "P", "9", true},
};

static bool digit_fits(char pattern, char digit)
{
    switch (pattern) {
    case 'N':
        return digit >= '2';
    case 'M': /* mobile networks of China */
        return digit >= '3';
    case 'P': /* regions of France and Brazil */
        return digit >= '1';
    case 'U': /* areas and mobiles of the United Kingdom */
        return digit == '1' || digit == '2' || digit == '7';
    default:
        return pattern == digit;
    }
}

static bool digits_fit(const char *pattern, const char *digits)
{
    for (; pattern != NULL && *pattern != '\0'; pattern++, digits++)
        if (!digit_fits(*pattern, *digits))
            return false;
    return true;
}

/* Groups that a shape takes, 0: it does not fit. after_paren: the separator behind ')', ' ' for none. */
static size_t shape_groups(const struct shape *s, const struct mask_groups *g, bool paren)
{
    size_t groups = strlen(s->sizes);
    if (s->paren != paren || g->count < groups)
        return 0;
    size_t same = paren ? 2 : 1; /* the separator that the others must equal */
    for (size_t i = 0; i < groups; i++) {
        if (g->sizes[i] != (unsigned char)(s->sizes[i] - '0'))
            return 0;
        if (i > 0 && strchr(s->separators, g->separators[i]) == NULL)
            return 0;
        if (i > same && g->separators[i] != g->separators[same])
            return 0;
    }
    if (!digits_fit(s->first, g->digits) || !digits_fit(s->second, g->digits + g->sizes[0]))
        return 0;
    if (groups == 3 && s->first[0] == 'N' && g->sizes[0] == 3 && memcmp(g->digits + 1, "11", 2) == 0)
        return 0; /* N11 is a service code */
    return groups;
}

/* Around -------------------------------------------------------------------------------------------------------- */

static bool starts_alone(const char *start, const char *p)
{
    if (p == start)
        return true;
    char before = p[-1];
    if (mask_is_alnum(before) || strchr("_-/+=#$*&%@", before) != NULL)
        return false;
    if ((before & 0x80) != 0 && p - start >= 2)
        return !(p[-2] == '\xC2' && (before == '\xA3' || before == '\xA5')) &&
               !(p - start >= 3 && memcmp(p - 3, "\xE2\x82\xAC", 3) == 0); /* pounds, yen, euros */
    return !((before == '.' || before == ':') && p - start > 1 && mask_is_digit(p[-2]));
}

static bool ends_alone(const char *stop, const char *end)
{
    if (stop == end)
        return true;
    if (mask_is_alnum(*stop) || strchr("_%$*", *stop) != NULL)
        return false;
    return !(end - stop > 1 && strchr("-./:+", *stop) != NULL && mask_is_alnum(stop[1]));
}

/* Whether the text near p is Chinese, where mobile numbers are written in one piece. */
static bool is_chinese_near(const char *start, const char *p, const char *stop, const char *end)
{
    enum { NEAR = 12 };
    for (const char *q = p; q > start && p - q < NEAR; q--)
        if ((unsigned char)q[-1] >= 0xE4 && (unsigned char)q[-1] <= 0xE9)
            return true;
    for (const char *q = stop; q < end && q - stop < NEAR; q++)
        if ((unsigned char)*q >= 0xE4 && (unsigned char)*q <= 0xE9)
            return true;
    return false;
}

/* --------------------------------------------------------------------------------------------------------------- */

/* "(212) 555-0123": the groups, with the parentheses left out. false: no such thing at p. */
static bool read_paren(struct mask_groups *g, const char *p, const char *end)
{
    struct mask_groups rest;
    const char *digit = p + 1;
    *g = (struct mask_groups){0};
    while (digit < end && mask_is_digit(*digit) && g->digit_count < 5)
        g->digits[g->digit_count++] = *digit++;
    if (g->digit_count < 2 || end - digit < 3 || *digit != ')')
        return false;
    g->sizes[0] = (unsigned char)g->digit_count;
    g->ends[0] = ++digit;
    g->count = 1;
    char separator = strchr(" -", *digit) != NULL ? *digit : ' ';
    digit += strchr(" -", *digit) != NULL;
    if (!mask_is_digit(*digit))
        return false;
    mask_groups_read(&rest, digit, end);
    for (size_t i = 0; i < rest.count && g->count < MASK_MAX_GROUPS; i++) {
        if (g->digit_count + rest.sizes[i] > MASK_MAX_DIGITS)
            return false;
        g->separators[g->count] = i == 0 ? separator : rest.separators[i];
        g->sizes[g->count] = rest.sizes[i];
        g->ends[g->count++] = rest.ends[i];
        size_t before = (size_t)g->digit_count;
        size_t taken = 0;
        for (size_t j = 0; j < i; j++)
            taken += rest.sizes[j];
        memcpy(g->digits + before, rest.digits + taken, rest.sizes[i]);
        g->digit_count += rest.sizes[i];
    }
    return true;
}

/* "+49 (0) 30 123456", "+1-800-555-0123": behind the last digit, NULL: no number. */
static const char *international_end(const char *p, const char *end)
{
    const char *good = NULL;
    size_t digits = 0, group = 0;
    for (p++; p < end && digits <= LONGEST; p++) {
        if (mask_is_digit(*p)) {
            digits++;
            group++;
            good = p + 1;
            continue;
        }
        if (group == 0 && !(p > good && *p == '('))
            break;
        if (strchr(" -./()", *p) == NULL || *p == '\0')
            break;
        if (end - p > 1 && !mask_is_digit(p[1]) && strchr("()", *p) == NULL && strchr("(", p[1]) == NULL)
            break;
        group = strchr("()", *p) != NULL ? 1 : 0;
        if (group == 0 && end - p > 1 && p[1] == '(')
            group = 1;
    }
    return digits >= INTERNATIONAL && digits <= LONGEST ? good : NULL;
}

size_t mask_phone_at(const char *start, const char *p, const char *end)
{
    struct mask_groups g;
    bool paren = *p == '(', plus = *p == '+';
    if (plus && starts_alone(start, p)) {
        if (end - p < INTERNATIONAL + 1 || p[1] < '1' || p[1] > '9')
            return 0;
        const char *stop = international_end(p, end);
        return stop != NULL && ends_alone(stop, end) ? (size_t)(stop - p) : 0;
    }
    if (plus || (paren && !read_paren(&g, p, end)))
        return 0;
    if (!paren)
        mask_groups_read(&g, p, end);
    if (g.digit_count < SHORTEST || !starts_alone(start, p))
        return 0;
    if (has_word_before(start, p, phone_words)) {
        size_t digits = 0, groups = 0;
        const char *stop = NULL;
        for (; groups < g.count && digits + g.sizes[groups] <= LONGEST; groups++) {
            digits += g.sizes[groups];
            stop = digits >= SHORTEST && ends_alone(g.ends[groups], end) ? g.ends[groups] : stop;
        }
        if (stop != NULL)
            return (size_t)(stop - p);
    }
    if (has_word_before(start, p, other_words))
        return 0;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        size_t groups = shape_groups(&shapes[i], &g, paren);
        if (groups > 0 && ends_alone(g.ends[groups - 1], end))
            return (size_t)(g.ends[groups - 1] - p);
    }
    if (!paren && g.sizes[0] == 11 && digits_fit("1M", g.digits) && ends_alone(g.ends[0], end) &&
        is_chinese_near(start, p, g.ends[0], end))
        return 11;
    return 0;
}
