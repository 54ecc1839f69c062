/*
 * The members of a line's object. jansson says whether the line is JSON, but for plain ones; the texts are then taken
 * from the line itself, so that numbers keep their spelling (1.0, and integers of any length).
 */

#include <jansson.h>
#include <string.h>

#include "data/bytes16.h"
#include "data/jsonl_internal.h"
#include "data/utf8.h"

struct scan { /* of a line that is valid JSON: nothing is checked again */
    const char *at;
    char *to;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct scan *s)
{
    while (is_space(*s->at))
        s->at++;
}

static uint32_t four_digits(const char *digits)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        char c = digits[i];
        value = value << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static void copy_escape(struct scan *s)
{
    static const char escapes[] = "b\bf\fn\nr\rt\t";
    char c = s->at[1];

    s->at += 2;
    if (c != 'u') {
        for (size_t i = 0; i < sizeof escapes - 1; i += 2)
            c = c == escapes[i] ? escapes[i + 1] : c;
        *s->to++ = c;
        return;
    }
    uint32_t code = four_digits(s->at);
    s->at += 4;
    if (code >= 0xD800 && code < 0xDC00) { /* its other half follows */
        code = 0x10000 + ((code - 0xD800) << 10 | (four_digits(s->at + 2) - 0xDC00));
        s->at += 6;
    }
    s->to += utf8_encode(code, (unsigned char *)s->to);
}

/* Copies the string's text; `at` goes behind its closing quote. */
static void copy_string(struct scan *s)
{
    for (s->at++; *s->at != '"';) {
        bytes16 bytes = bytes16_load(s->at);
        size_t found = bytes16_first(bytes16_equal(bytes, '"') | bytes16_equal(bytes, '\\'));
        bytes16_store(s->to, bytes);
        s->at += found;
        s->to += found;
        if (found < BYTES16_SIZE && *s->at == '\\')
            copy_escape(s);
    }
    s->at++;
}

/* Copies an array or an object without the blanks between its parts. */
static void copy_compound(struct scan *s)
{
    size_t depth = 0;

    do {
        char c = *s->at++;
        if (is_space(c))
            continue;
        *s->to++ = c;
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        if (c != '"')
            continue;
        do {
            *s->to++ = c = *s->at++;
            if (c == '\\')
                *s->to++ = *s->at++;
        } while (c != '"');
    } while (depth > 0);
}

static void copy_value(struct scan *s, struct jsonl_member *m)
{
    m->text = s->to;
    m->is_string = *s->at == '"';
    if (m->is_string)
        copy_string(s);
    else if (*s->at == '[' || *s->at == '{')
        copy_compound(s);
    else
        while (*s->at != ',' && *s->at != '}' && !is_space(*s->at))
            *s->to++ = *s->at++;
    m->length = (size_t)(s->to - m->text);
    *s->to++ = '\0';
    if (!m->is_string && strcmp(m->text, "null") == 0) {
        m->length = 0;
        m->text[0] = '\0';
    }
}

static int scan_members(struct scan *s, jsonl_on_member *on_member, void *arg)
{
    struct jsonl_member member;
    int rc = 0;

    skip_space(s);
    s->at++; /* { */
    skip_space(s);
    while (rc == 0 && *s->at != '}') {
        member.name = s->to;
        copy_string(s);
        *s->to++ = '\0';
        skip_space(s);
        s->at++; /* : */
        skip_space(s);
        copy_value(s, &member);
        rc = on_member(&member, arg);
        skip_space(s);
        s->at += *s->at == ',';
        skip_space(s);
    }
    return rc;
}

/*
 * The quick way to know that a line is an object that jansson takes: most are plain, of strings, short numbers, true,
 * false and null. What is not is left to jansson; the fuzz target compares the two. Each of these returns where it
 * stopped, NULL for jansson. Behind the line is no '"' or digit.
 */
static const char *plain_string(const char *p)
{
    if (*p != '"')
        return NULL;
    for (p++; *p != '"';) {
        bytes16 bytes = bytes16_load(p);
        p +=
            bytes16_first(bytes16_equal(bytes, '"') | bytes16_equal(bytes, '\\') | (bytes16)(bytes < bytes16_all(' ')));
        if ((unsigned char)*p < ' ')
            return NULL;
        if (*p == '\\') {
            if (strchr("\"\\/bfnrt", p[1]) == NULL || p[1] == '\0')
                return NULL; /* \u is rare enough */
            p += 2;
        }
    }
    return p + 1;
}

static const char *plain_digits(const char *p)
{
    const char *start = p;

    while (*p >= '0' && *p <= '9')
        p++;
    return p > start && p - start < 100 ? p : NULL; /* far from double's range */
}

static const char *plain_value(const char *p)
{
    static const char *const words[] = {"true", "false", "null"};

    if (*p == '"')
        return plain_string(p);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    p += *p == '-';
    p = *p == '0' ? p + 1 : plain_digits(p);
    return p != NULL && *p == '.' ? plain_digits(p + 1) : p; /* an exponent is left to jansson, by what follows */
}

static const char *skip(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

static bool is_plain_object(const char *line, size_t length)
{
    const char *p = skip(line), *end = line + length;

    if (*p != '{')
        return false;
    for (char next = ','; next == ',';) {
        p = plain_string(skip(p + 1));
        p = p != NULL ? skip(p) : NULL;
        if (p == NULL || *p != ':')
            return false;
        p = plain_value(skip(p + 1));
        p = p != NULL ? skip(p) : NULL;
        if (p == NULL || p >= end || (*p != ',' && *p != '}'))
            return false;
        next = *p;
    }
    return skip(p + 1) >= end && utf8_is_valid(line, length, NULL);
}

static int ask_jansson(const char *line, size_t length, struct buf *bad_text, const char **bad)
{
    json_error_t error;
    json_t *value = json_loadb(line, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    bool is_json = value != NULL;
    int rc = 0;

    *bad = json_is_object(value) ? NULL : "not an object";
    json_decref(value);
    if (!is_json && json_error_code(&error) == json_error_out_of_memory)
        return err_nomem();
    if (!is_json) {
        rc = buf_printf(bad_text, "not JSON: %s (byte %d)", error.text, error.position);
        *bad = buf_str(bad_text);
    }
    return rc;
}

int jsonl_members(const char *line, size_t length, struct buf *text, jsonl_on_member *on_member, void *arg,
                  struct buf *bad_text, const char **bad)
{
    int rc = 0;

    *bad = NULL;
    if (memchr(line, '\0', length) != NULL) /* jansson takes it for a blank */
        *bad = "NUL byte";
    else if (!is_plain_object(line, length))
        rc = ask_jansson(line, length, bad_text, bad);
    if (rc < 0 || *bad != NULL)
        return rc;
    /* What is decoded is never longer than its spelling, quotes or the sign behind it making room for the NUL. */
    buf_clear(text);
    rc = buf_reserve(text, length + BYTES16_SIZE);
    struct scan scan = {.at = line, .to = text->data};
    return rc < 0 ? rc : scan_members(&scan, on_member, arg);
}
