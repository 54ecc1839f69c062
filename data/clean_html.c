#include <string.h>

#include "data/clean_internal.h"
#include "data/utf8.h"

/* Elements ------------------------------------------------------------------------------------------------------ */

/* Of HTML 5 and before, sorted. A tag of these alone is a tag: "<none>", "<3" and "<John Smith>" are text. */
static const struct element {
    const char *name;
    bool block; /* its tags part words */
} elements[] = {
    {"a", 0},        {"abbr", 0},     {"acronym", 0},  {"address", 1}, {"applet", 1},     {"area", 0},
    {"article", 1},  {"aside", 1},    {"audio", 1},    {"b", 0},       {"base", 1},       {"basefont", 0},
    {"bdi", 0},      {"bdo", 0},      {"big", 0},      {"blink", 0},   {"blockquote", 1}, {"body", 1},
    {"br", 1},       {"button", 1},   {"canvas", 1},   {"caption", 1}, {"center", 1},     {"cite", 0},
    {"code", 0},     {"col", 1},      {"colgroup", 1}, {"data", 0},    {"datalist", 1},   {"dd", 1},
    {"del", 0},      {"details", 1},  {"dfn", 0},      {"dialog", 1},  {"dir", 1},        {"div", 1},
    {"dl", 1},       {"dt", 1},       {"em", 0},       {"embed", 1},   {"fieldset", 1},   {"figcaption", 1},
    {"figure", 1},   {"font", 0},     {"footer", 1},   {"form", 1},    {"frame", 1},      {"frameset", 1},
    {"h1", 1},       {"h2", 1},       {"h3", 1},       {"h4", 1},      {"h5", 1},         {"h6", 1},
    {"head", 1},     {"header", 1},   {"hgroup", 1},   {"hr", 1},      {"html", 1},       {"i", 0},
    {"iframe", 1},   {"img", 1},      {"input", 1},    {"ins", 0},     {"kbd", 0},        {"label", 0},
    {"legend", 1},   {"li", 1},       {"link", 1},     {"main", 1},    {"map", 1},        {"mark", 0},
    {"marquee", 1},  {"menu", 1},     {"meta", 1},     {"meter", 1},   {"nav", 1},        {"nobr", 0},
    {"noframes", 1}, {"noscript", 1}, {"object", 1},   {"ol", 1},      {"optgroup", 1},   {"option", 1},
    {"output", 1},   {"p", 1},        {"param", 1},    {"picture", 1}, {"pre", 1},        {"progress", 1},
    {"q", 0},        {"rp", 0},       {"rt", 0},       {"ruby", 0},    {"s", 0},          {"samp", 0},
    {"script", 1},   {"section", 1},  {"select", 1},   {"small", 0},   {"source", 1},     {"span", 0},
    {"strike", 0},   {"strong", 0},   {"style", 1},    {"sub", 0},     {"summary", 1},    {"sup", 0},
    {"svg", 1},      {"table", 1},    {"tbody", 1},    {"td", 1},      {"template", 1},   {"textarea", 1},
    {"tfoot", 1},    {"th", 1},       {"thead", 1},    {"time", 0},    {"title", 1},      {"tr", 1},
    {"track", 1},    {"tt", 0},       {"u", 0},        {"ul", 1},      {"var", 0},        {"video", 1},
    {"wbr", 0},      {"xmp", 1},
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static const struct element *element_find(const char *name, size_t length)
{
    enum { LONGEST = 10 };
    char key[LONGEST + 1] = {0};
    if (length == 0 || length > LONGEST)
        return NULL;
    for (size_t i = 0; i < length; i++)
        key[i] = lower(name[i]);
    size_t low = 0, high = sizeof elements / sizeof elements[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(key, elements[middle].name);
        if (order == 0)
            return &elements[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

bool clean_html_is_element(const char *name, size_t length)
{
    return element_find(name, length) != NULL;
}

/* Tags ---------------------------------------------------------------------------------------------------------- */

/*
 * The '>' that ends a tag whose attributes begin at p, beyond quoted values; a quote that is not closed is no quote.
 * NULL: there is none, or another tag begins first. *attributes: a '=' was seen.
 */
static const char *tag_end(const char *p, const char *end, bool *attributes)
{
    for (; p < end; p++) {
        if (*p == '>')
            return p;
        if (*p == '<')
            return NULL;
        if (*p == '=') {
            *attributes = true;
            const char *value = p + 1;
            while (value < end && is_white(*value))
                value++;
            if (value < end && (*value == '"' || *value == '\'')) {
                const char *close = memchr(value + 1, *value, (size_t)(end - value - 1));
                p = close != NULL ? close : value;
            }
        }
    }
    return NULL;
}

/* The end of "<!DOCTYPE ...>", "<![if ...]>", "<?xml ...?>" at p; NULL when it is none. */
static const char *declaration_end(const char *p, const char *end)
{
    enum { LONGEST = 1000 };
    if (end - p < 4 || !(is_letter(p[2]) || (p[1] == '!' && p[2] == '[')))
        return NULL;
    if (end - p > LONGEST)
        end = p + LONGEST;
    for (p += 2; p < end && *p != '<'; p++)
        if (*p == '>')
            return p + 1;
    return NULL;
}

static const char *find_text(const char *p, const char *end, const char *what)
{
    return memmem(p, (size_t)(end - p), what, strlen(what));
}

/* What is known of the rest of a text, so that no end is looked for again and again. */
struct html_rest {
    bool no_comment_end, no_cdata_end;
    const char *cdata_end;
};

/* The end of the tag or comment at p, where '<' stands; NULL: it is text. *block: it parts words. */
static const char *markup_end(const char *p, const char *end, struct html_rest *rest, bool *block)
{
    *block = true;
    if (end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
        const char *close = rest->no_comment_end ? NULL : find_text(p + 4, end, "-->");
        rest->no_comment_end = close == NULL;
        return close != NULL ? close + 3 : p + 4;
    }
    if (end - p >= 9 && memcmp(p, "<![CDATA[", 9) == 0) {
        rest->cdata_end = rest->no_cdata_end ? NULL : find_text(p + 9, end, "]]>");
        rest->no_cdata_end = rest->cdata_end == NULL;
        return p + 9;
    }
    if (end - p >= 2 && (p[1] == '!' || p[1] == '?'))
        return declaration_end(p, end);
    const char *name = p + 1, *stop;
    bool closing = name < end && *name == '/', attributes = false;
    name += closing;
    for (stop = name; stop < end && is_alnum(*stop); stop++)
        ;
    if (stop == name || !is_letter(*name))
        return NULL;
    if (stop + 1 < end && *stop == ':' && is_letter(stop[1])) { /* <o:p> */
        for (stop++; stop < end && is_alnum(*stop); stop++)
            ;
        *block = false;
    } else {
        const struct element *element = element_find(name, (size_t)(stop - name));
        if (element == NULL)
            return NULL;
        *block = element->block;
    }
    if (stop < end && *stop != '>' && *stop != '/' && !is_white(*stop))
        return NULL;
    const char *close = tag_end(stop, end, &attributes);
    if (close != NULL && stop - name == 1 && !attributes && *stop != '>' && *stop != '/' && close - stop > 1)
        return NULL; /* "a <b and c> d" */
    if (close != NULL)
        return close + 1;
    /* A text cut off within a tag: its attributes show that it was one. */
    return attributes && memchr(stop, '<', (size_t)(end - stop)) == NULL ? end : NULL;
}

/* Character references ------------------------------------------------------------------------------------------ */

struct entity {
    const char *name;
    uint32_t code_point;
    bool bare; /* also read without its semicolon */
};

#include "data/clean_entities.inc"

enum { LONGEST_NAME = 31 };

static const struct entity *entity_find(const char *name, size_t length)
{
    size_t low = 0, high = sizeof entities / sizeof entities[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strncmp(name, entities[middle].name, length);
        if (order == 0 && entities[middle].name[length] == '\0')
            return &entities[middle];
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* "&Nbsp;", "&AMP;": texts are put in title case or capitals by people who do not see the references. */
static const struct entity *entity_find_any_case(const char *name, size_t length)
{
    const struct entity *entity = entity_find(name, length);
    if (entity != NULL)
        return entity;
    char folded[LONGEST_NAME];
    for (size_t i = 0; i < length; i++)
        folded[i] = lower(name[i]);
    return entity_find(folded, length);
}

/* The end of the numeric reference at p ("&#"), NULL: none. */
static const char *number_end(const char *p, const char *end, uint32_t *code_point)
{
    bool hex = end - p > 2 && lower(p[2]) == 'x';
    const char *digit = p + 2 + hex, *start = digit;
    uint32_t value = 0;
    for (; digit < end && digit - start < 8; digit++) {
        char c = lower(*digit);
        if (c >= '0' && c <= '9')
            value = value * (hex ? 16 : 10) + (uint32_t)(c - '0');
        else if (hex && c >= 'a' && c <= 'f')
            value = value * 16 + (uint32_t)(c - 'a') + 10;
        else
            break;
    }
    bool closed = digit < end && *digit == ';';
    if (digit == start || (!closed && (digit - start < 2 || (digit < end && is_alnum(*digit)))))
        return NULL;
    if (value >= 0x80 && value < 0xA0 && clean_windows_1252[value - 0x80] != 0)
        value = clean_windows_1252[value - 0x80];
    bool blank = value == '\t' || value == '\n' || value == '\r';
    if ((value < 0x20 && !blank) || (value >= 0x7F && value < 0xA0) || value > 0x10FFFF ||
        (value >= 0xD800 && value < 0xE000))
        return NULL;
    *code_point = value;
    return digit + closed;
}

/* The end of the reference at p, where '&' stands, NULL: none. */
static const char *reference_end(const char *p, const char *end, uint32_t *code_point)
{
    if (end - p > 2 && p[1] == '#')
        return number_end(p, end, code_point);
    const char *stop = p + 1;
    while (stop < end && is_alnum(*stop))
        stop++;
    size_t length = (size_t)(stop - p - 1);
    if (length == 0 || length > LONGEST_NAME)
        return NULL;
    bool closed = stop < end && *stop == ';';
    const struct entity *entity = closed ? entity_find_any_case(p + 1, length) : entity_find(p + 1, length);
    if (entity == NULL || (!closed && (!entity->bare || (stop < end && *stop == '='))))
        return NULL;
    *code_point = entity->code_point;
    return stop + closed;
}

/* --------------------------------------------------------------------------------------------------------------- */

int clean_html_run(struct clean_edit *edit, bool *tags, bool *entities_found)
{
    const char *start = edit->text, *p = start, *end = p + edit->length;
    struct html_rest rest = {0};
    while (p < end) {
        const char *stop = NULL;
        if (*p == '<') {
            bool block;
            stop = markup_end(p, end, &rest, &block);
            if (stop != NULL) {
                *tags = true;
                if (block)
                    clean_edit_blank(edit, (size_t)(p - start), (size_t)(stop - start));
                else
                    clean_edit_replace(edit, (size_t)(p - start), (size_t)(stop - start), "", 0);
            }
        } else if (p == rest.cdata_end) {
            stop = p + 3;
            clean_edit_blank(edit, (size_t)(p - start), (size_t)(stop - start));
        } else if (*p == '&') {
            uint32_t c;
            stop = reference_end(p, end, &c);
            if (stop != NULL) {
                /* "&amp;amp;lt;": a text that was escaped several times. */
                static const char again[] = "amp;";
                while (c == '&' && end - stop >= 4 && memcmp(stop, again, 4) == 0)
                    stop += 4;
                *entities_found = true;
                unsigned char bytes[UTF8_MAX_BYTES] = {' '};
                size_t size = c == 0xA0 ? 1 : utf8_encode(c, bytes);
                clean_edit_replace(edit, (size_t)(p - start), (size_t)(stop - start), (const char *)bytes, size);
            }
        }
        p = stop != NULL ? stop : p + 1;
    }
    return 0;
}

int clean_html(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    bool tags = false, references = false;
    (void)c, (void)lane;
    return clean_html_run(edit, &tags, &references);
}
