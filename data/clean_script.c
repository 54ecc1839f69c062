/*
 * Script and style: elements with their content, and what is left of style sheets and scripts when a page was turned
 * into text by taking its tags away:
 *
 *     .Pa_Title{ font-size:20px; float:left;} ul, li { margin: 0 } @media print { ... }
 *     var x = 1; function f() { ... } $(document).ready(function () { ... });
 *
 * A CSS block needs a selector before it and declarations or nothing in it; a script starts at a word that only a
 * script has (function (...) {, var x =, document.x, $( ) and goes on as long as statements follow.
 */

#include <string.h>

#include "data/clean_internal.h"

enum { LONGEST_STATEMENT = 20000, LONGEST_SELECTOR = 4000, DEEPEST = 64 };

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '-' || (c & 0x80) != 0;
}

static bool is_white(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static const char *skip_white(const char *p, const char *end)
{
    while (p < end && is_white(*p))
        p++;
    return p;
}

static bool starts(const char *p, const char *end, const char *word)
{
    size_t length = strlen(word);
    return (size_t)(end - p) >= length && memcmp(p, word, length) == 0;
}

static const char *near_end(const char *p, const char *end, size_t limit)
{
    return (size_t)(end - p) > limit ? p + limit : end;
}

/* Elements ------------------------------------------------------------------------------------------------------ */

static bool starts_element(const char *p, const char *end, const char *name)
{
    size_t length = strlen(name);
    if ((size_t)(end - p) <= length || strncasecmp(p, name, length) != 0)
        return false;
    return p[length] == '>' || p[length] == '/' || is_white(p[length]);
}

/* The end of the script or style element at p, where '<' stands; a text that is cut off within it ends it. */
static const char *element_end(const char *p, const char *end)
{
    const char *name = starts_element(p + 1, end, "script") ? "script" : "style";
    if (!starts_element(p + 1, end, name))
        return NULL;
    const char *open = memchr(p, '>', (size_t)(end - p));
    if (open == NULL)
        return memchr(p, '=', (size_t)(end - p)) != NULL ? end : NULL;
    for (const char *at = open[-1] == '/' ? end : open + 1; at < end; at++) {
        at = memchr(at, '<', (size_t)(end - at));
        if (at == NULL)
            return end;
        if (at + 1 < end && at[1] == '/' && starts_element(at + 2, end, name)) {
            const char *close = memchr(at, '>', (size_t)(end - at));
            return close != NULL ? close + 1 : end;
        }
    }
    return open[-1] == '/' ? open + 1 : end;
}

/* Style sheets -------------------------------------------------------------------------------------------------- */

/* Behind white space and comments. */
static const char *skip_blank(const char *p, const char *end)
{
    for (p = skip_white(p, end); starts(p, end, "/*"); p = skip_white(p, end)) {
        const char *limit = near_end(p, end, LONGEST_STATEMENT);
        const char *close = memmem(p + 2, (size_t)(limit - p - 2), "*/", 2);
        if (close == NULL)
            break;
        p = close + 2;
    }
    return p;
}

/*
 * The end of the declarations at p, behind their '}': "name: value; name: value". NULL: they are none. A text that is
 * cut off behind a whole declaration ends them. *count: how many there are.
 */
static const char *declarations_end(const char *p, const char *end, size_t *count)
{
    const char *limit = near_end(p, end, LONGEST_STATEMENT);
    *count = 0;
    for (;;) {
        for (p = skip_blank(p, end); p < limit && (*p == ';' || (*p & 0x80) != 0); p = skip_blank(p, end))
            p++;
        if (p < limit && *p == '}')
            return p + 1;
        const char *name = p;
        while (p < limit &&
               (is_letter(*p) || *p == '-' || *p == '_' || *p == '*' || (p > name && *p >= '0' && *p <= '9')))
            p++;
        const char *colon = skip_white(p, limit);
        if (p == name || colon == limit || *colon != ':')
            return p == limit && limit == end && *count > 0 ? end : NULL;
        for (p = colon + 1; p < limit && strchr(";}{<", *p) == NULL; p++)
            if (*p == '(') { /* url(data:image/png;base64,...) */
                const char *close = memchr(p, ')', (size_t)(limit - p));
                p = close != NULL ? close : p;
            }
        if (p == limit)
            return limit == end && *count > 0 ? end : NULL;
        if (*p == '{' || *p == '<')
            return NULL;
        ++*count;
    }
}

static bool is_selector_char(char c)
{
    return is_word(c) || strchr(".#*:()[]=\"'@%+~>", c) != NULL;
}

enum selector { SELECTOR_NONE, SELECTOR_ELEMENT, SELECTOR_STRONG };

/* What a compound selector is: "li" an element, which is a word too; ".x", "#x", "a:hover", "*" nothing else. */
static enum selector selector_kind(const char *p, const char *end)
{
    if (p == end || (end - p == 1 && strchr(">+~", *p) != NULL))
        return SELECTOR_ELEMENT;
    if ((*p == '.' || *p == '#' || *p == '@' || *p == ':') && end - p > 1)
        return is_letter(p[1]) || strchr("_-:", p[1]) != NULL ? SELECTOR_STRONG : SELECTOR_NONE;
    if (*p == '*')
        return SELECTOR_STRONG;
    const char *stop = p;
    while (stop < end && (is_letter(*stop) || (*stop >= '0' && *stop <= '9')))
        stop++;
    if (!clean_html_is_element(p, (size_t)(stop - p)))
        return SELECTOR_NONE;
    if (stop == end)
        return SELECTOR_ELEMENT;
    return strchr(".#:[", *stop) != NULL ? SELECTOR_STRONG : SELECTOR_NONE;
}

/*
 * Where the selector list that ends before brace begins; NULL: there is none. Not before floor. Read backwards, one
 * compound at a time; words of a sentence before it that are names of elements too are left to the sentence.
 */
static const char *selector_start(const char *floor, const char *brace)
{
    const char *start = NULL, *p = brace;
    bool comma = false;
    if ((size_t)(brace - floor) > LONGEST_SELECTOR)
        floor = brace - LONGEST_SELECTOR;
    for (;;) {
        const char *stop = p;
        while (stop > floor && (is_white(stop[-1]) || stop[-1] == ',')) {
            comma = comma || stop[-1] == ',';
            stop--;
        }
        for (p = stop; p > floor && is_selector_char(p[-1]); p--)
            ;
        /* "<td>.x{": the compound is what follows the tag */
        for (const char *q = stop; q > p; q--)
            if (q[-1] == '>' && q - 1 > p) {
                p = q;
                break;
            }
        enum selector kind = p < stop ? selector_kind(p, stop) : SELECTOR_NONE;
        if (kind == SELECTOR_NONE)
            return start;
        bool bare = kind == SELECTOR_ELEMENT && start != NULL && !comma;
        const char *before = p;
        while (before > floor && is_white(before[-1]))
            before--;
        if (bare && before > floor && before < p && is_word(before[-1]) &&
            memchr(before, '\n', (size_t)(p - before)) == NULL) {
            /* part of a sentence, unless a compound that is surely one comes before it */
            const char *word = before;
            while (word > floor && is_selector_char(word[-1]))
                word--;
            if (selector_kind(word, before) != SELECTOR_STRONG)
                return start;
        }
        start = p;
        comma = false;
    }
}

/* The '}' that closes the block whose inside begins at p. */
static const char *block_end(const char *p, const char *end)
{
    const char *limit = near_end(p, end, LONGEST_STATEMENT);
    int depth = 1;
    for (; p < limit; p++) {
        depth += *p == '{';
        depth -= *p == '}';
        if (depth == 0)
            return p + 1;
    }
    return limit == end ? end : NULL;
}

/* The end of the style sheet block whose '{' is at brace; *start: where its selector begins. NULL: it is none. */
static const char *style_end(const char *floor, const char *brace, const char *end, const char **start)
{
    size_t count;
    const char *at = brace;
    while (at > floor && brace - at < LONGEST_SELECTOR && strchr("{};@", at[-1]) == NULL)
        at--;
    if (at > floor && at[-1] == '@') {
        static const char *const rules[] = {"media",          "supports",  "keyframes", "-webkit-keyframes",
                                            "-moz-keyframes", "font-face", "page"};
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
            if (starts(at, brace, rules[i])) {
                *start = at - 1;
                return block_end(brace + 1, end);
            }
    }
    const char *stop = declarations_end(brace + 1, end, &count);
    if (stop == NULL)
        return NULL;
    *start = selector_start(floor, brace);
    if (*start == NULL)
        return NULL;
    return stop;
}

/* Scripts ------------------------------------------------------------------------------------------------------- */

/* Behind the bracket that closes the one at p. The end of the text closes all; NULL: too long, or closed by another. */
static const char *bracket_end(const char *p, const char *end)
{
    char open[DEEPEST];
    size_t depth = 0;
    const char *limit = near_end(p, end, LONGEST_STATEMENT);
    for (; p < limit; p++) {
        switch (*p) {
        case '(':
        case '[':
        case '{':
            if (depth == DEEPEST)
                return NULL;
            open[depth++] = *p;
            break;
        case ')':
        case ']':
        case '}':
            if (depth == 0 || open[depth - 1] != (*p == ')' ? '(' : *p == ']' ? '[' : '{'))
                return NULL;
            if (--depth == 0)
                return p + 1;
            break;
        case '"':
        case '\'': {
            const char *stop = p + 1;
            while (stop < limit && *stop != *p && *stop != '\n')
                stop += *stop == '\\' ? 2 : 1;
            if (stop < limit && *stop == *p)
                p = stop;
            break;
        }
        default:
            break;
        }
    }
    return limit == end ? end : NULL;
}

static const char *word_end(const char *p, const char *end)
{
    while (p < end && (is_letter(*p) || *p == '_' || *p == '$' || (*p >= '0' && *p <= '9')))
        p++;
    return p;
}

/* The end of the statement at p: behind a ';' outside all brackets, or NULL. */
static const char *semicolon_end(const char *p, const char *end)
{
    const char *limit = near_end(p, end, LONGEST_STATEMENT);
    while (p < limit) {
        if (*p == ';')
            return p + 1;
        if (*p == '(' || *p == '[' || *p == '{') {
            p = bracket_end(p, end);
            if (p == NULL || p == end)
                return p;
            continue;
        }
        if (*p == ')' || *p == ']' || *p == '}' || *p == '<')
            return NULL;
        if (*p == '"' || *p == '\'') {
            const char *close = memchr(p + 1, *p, (size_t)(limit - p - 1));
            p = close != NULL ? close : p;
        }
        p++;
    }
    return NULL;
}

/* "function name(a, b) {": the end of its block. */
static const char *function_end(const char *p, const char *end)
{
    p = skip_white(word_end(skip_white(p + strlen("function"), end), end), end);
    if (p == end || *p != '(')
        return NULL;
    const char *limit = near_end(p, end, LONGEST_SELECTOR);
    for (p++; p < limit && (is_word(*p) || *p == ',' || is_white(*p)); p++)
        ;
    if (p == limit || *p != ')')
        return NULL;
    p = skip_white(p + 1, end);
    return p < end && *p == '{' ? bracket_end(p, end) : NULL;
}

/* "var x = ...;" */
static const char *variable_end(const char *p, const char *end)
{
    const char *name = skip_white(p, end), *stop = word_end(name, end);
    if (name == p || stop == name || (*name >= '0' && *name <= '9'))
        return NULL;
    stop = skip_white(stop, end);
    if (stop == end || *stop != '=')
        return NULL;
    return semicolon_end(stop + 1, end);
}

/* "document.write(...);" "$('#x').hide();" "window.x = 1;": p is behind the first word. */
static const char *call_end(const char *p, const char *end)
{
    const char *stop = semicolon_end(p, end);
    if (stop == NULL || memchr(p, '\n', (size_t)(near_end(p, stop, 80) - p)) == p)
        return NULL;
    return memchr(p, '(', (size_t)(stop - p)) != NULL || memchr(p, '=', (size_t)(stop - p)) != NULL ? stop : NULL;
}

/* The end of a script's statement at p, which must be one beyond doubt. NULL: it is none. */
static const char *statement_end(const char *p, const char *end)
{
    static const char *const variables[] = {"var ", "let ", "const "};
    static const char *const objects[] = {"document.", "window.",    "jQuery(",  "jQuery.",    "console.", "$(\"",
                                          "$('",       "$(document", "$(window", "$(function", "$(this"};
    if (starts(p, end, "(function")) {
        const char *stop = function_end(p + 1, end) != NULL ? bracket_end(p, end) : NULL;
        const char *call = stop != NULL ? skip_white(stop, end) : NULL;
        if (call != NULL && call < end && *call == '(' && (call = bracket_end(call, end)) != NULL)
            stop = call;
        return stop;
    }
    if (starts(p, end, "function"))
        return function_end(p, end);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (starts(p, end, variables[i]))
            return variable_end(p + strlen(variables[i]) - 1, end);
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++)
        if (starts(p, end, objects[i])) {
            const char *word = p + strlen(objects[i]);
            if (word[-1] == '.' && (word == end || !is_letter(*word)))
                return NULL;
            return call_end(*p == '$' ? p + 1 : p + strlen(objects[i]) - 1, end);
        }
    return NULL;
}

/* A statement that may follow one: assignments, calls, what is left of blocks, comments. */
static const char *next_statement_end(const char *p, const char *end)
{
    static const char *const words[] = {"if", "for", "while", "else", "try", "catch", "return", "switch", "do"};
    const char *stop = statement_end(p, end);
    if (stop != NULL)
        return stop;
    if (p < end && strchr(";})]", *p) != NULL)
        return p + 1;
    if (starts(p, end, "/*")) {
        stop = skip_blank(p, end);
        return stop > p ? stop : NULL;
    }
    stop = word_end(p, end);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((size_t)(stop - p) == strlen(words[i]) && starts(p, end, words[i])) {
            const char *next = skip_white(stop, end);
            if (next < end && *next == '(')
                next = bracket_end(next, end);
            next = next != NULL ? skip_white(next, end) : NULL;
            if (next != NULL && next < end && *next == '{')
                return bracket_end(next, end);
            return NULL;
        }
    while (stop > p && stop < end && *stop == '.')
        stop = word_end(stop + 1, end);
    if (stop == p || stop == end)
        return NULL;
    const char *next = skip_white(stop, end);
    if (next < end && (*next == '=' || (*next == '(' && next == stop)))
        return semicolon_end(next, end);
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------------- */

static bool may_start_script(const char *start, const char *p)
{
    switch (*p) { /* the first characters of statement_end's words */
    case '(':
    case '$':
    case 'f':
    case 'v':
    case 'l':
    case 'c':
    case 'd':
    case 'w':
    case 'j':
        return p == start || !(is_word(p[-1]) || p[-1] == '.');
    default:
        return false;
    }
}

int clean_script(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit)
{
    const char *text = edit->text, *p = text, *end = p + edit->length, *floor = text;
    (void)c, (void)lane;
    while (p < end) {
        const char *from = p, *stop = NULL;
        if (*p == '<') {
            stop = element_end(p, end);
        } else if (*p == '{') {
            stop = style_end(floor, p, end, &from);
            for (const char *next = stop; next != NULL && next < end; stop = next) /* comments between blocks */
                if ((next = skip_blank(stop, end)) == stop || next == skip_white(stop, end))
                    break;
        } else if (may_start_script(text, p)) {
            stop = statement_end(p, end);
            for (const char *next = stop; next != NULL; stop = next)
                if ((next = next_statement_end(skip_white(stop, end), end)) == NULL)
                    break;
        }
        if (stop == NULL) {
            p++;
            continue;
        }
        clean_edit_blank(edit, (size_t)(from - text), (size_t)(stop - text));
        p = floor = stop;
    }
    return 0;
}
