#include <string.h>

#include "data/utf8.h"
#include "data/wordpiece_internal.h"

/*
 * The vocabulary of a tokenizer.json is most of the file, an object of tens of thousands of members, of which a JSON
 * library makes a tree. Here it is cut out of the text and read by itself. What is not as every writer writes it (an
 * escape other than of a quote or backslash, ids that do not rise) is left to the library.
 */

static const char *skip_white(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* The object behind the only "vocab": of the text, NULL: there is none, or more of them. */
static const char *find_vocab(const char *text, const char *end)
{
    static const char key[] = "\"vocab\"";
    const char *found = NULL;
    for (const char *p = text; (p = memmem(p, (size_t)(end - p), key, sizeof key - 1)) != NULL;) {
        p = skip_white(p + sizeof key - 1, end);
        if (p == end || *p != ':')
            continue;
        p = skip_white(p + 1, end);
        if (p == end || *p != '{')
            continue;
        if (found != NULL)
            return NULL;
        found = p;
    }
    return found;
}

/* The text of the string at p, appended with a NUL; its end, NULL where it is left to the library. */
static const char *read_key(const char *p, const char *end, struct buf *texts, int *rc)
{
    if (p == end || *p != '"')
        return NULL;
    for (p++; *rc == 0;) {
        const char *stop = p;
        while (stop < end && *stop != '"' && *stop != '\\' && (unsigned char)*stop >= 0x20)
            stop++;
        *rc = buf_add(texts, p, (size_t)(stop - p));
        if (end - stop < 2 || (unsigned char)*stop < 0x20)
            return NULL;
        if (*stop == '"') {
            *rc = *rc == 0 ? buf_add_char(texts, '\0') : *rc;
            return stop + 1;
        }
        if (stop[1] != '"' && stop[1] != '\\')
            return NULL;
        *rc = *rc == 0 ? buf_add_char(texts, stop[1]) : *rc;
        p = stop + 2;
    }
    return NULL;
}

int wordpiece_json_cut(struct buf *text, struct wordpiece_json_vocab *vocab, bool *cut)
{
    const char *start = buf_str(text), *end = start + text->length, *object = find_vocab(start, end), *p = object;
    long long last = -1;
    int rc = 0;
    *cut = false;
    while (p != NULL && rc == 0) {
        p = skip_white(p + 1, end); /* behind '{' or ',' */
        size_t at = vocab->texts.length;
        p = read_key(p, end, &vocab->texts, &rc);
        p = p != NULL && rc == 0 ? skip_white(p, end) : NULL;
        if (p == NULL || p == end || *p != ':')
            break;
        long long id = 0;
        const char *digit = skip_white(p + 1, end);
        for (p = digit; p < end && *p >= '0' && *p <= '9' && p - digit < 9; p++)
            id = id * 10 + (*p - '0');
        if (p == digit || (*digit == '0' && p - digit > 1) || id <= last)
            break;
        last = id;
        void *memory = vocab->entries;
        rc = mem_grow(&memory, &vocab->capacity, vocab->count + 1, sizeof *vocab->entries);
        vocab->entries = memory;
        if (rc == 0)
            vocab->entries[vocab->count++] = (struct wordpiece_json_entry){at, id};
        p = skip_white(p, end);
        if (p == end || (*p != ',' && *p != '}'))
            break;
        if (*p == '}') {
            *cut = rc == 0;
            break;
        }
    }
    *cut = *cut && utf8_is_valid(vocab->texts.data, vocab->texts.length, NULL);
    if (!*cut) {
        wordpiece_json_vocab_release(vocab);
        return rc;
    }
    size_t from = (size_t)(object + 1 - start), to = (size_t)(p - start);
    memmove(text->data + from, text->data + to, text->length - to + 1);
    text->length -= to - from;
    return 0;
}

void wordpiece_json_vocab_release(struct wordpiece_json_vocab *vocab)
{
    buf_release(&vocab->texts);
    mem_free(vocab->entries);
    *vocab = (struct wordpiece_json_vocab){0};
}
