#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "data/utf8.h"
#include "data/wordpiece_internal.h"

#define MAX_VOCAB ((size_t)1 << 24)
#define MAX_VOCAB_BYTES ((size_t)1 << 30)

static const char *const default_names[WORDPIECE_NAMES] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

void wordpiece_options_init(struct wordpiece_options *options)
{
    *options = (struct wordpiece_options){
        .do_lower_case = true, .strip_accents = -1, .tokenize_chinese_chars = true, .max_word_chars = 100};
}

void wordpiece_build_init(struct wordpiece_build *build, const char *source)
{
    *build = (struct wordpiece_build){.source = source};
    wordpiece_options_init(&build->options);
    memcpy(build->names, default_names, sizeof default_names);
}

static int trie_build(struct wordpiece *wp, const struct wordpiece_build *build)
{
    int rc = wordpiece_trie_build(&wp->trie, wp->tokens, wp->vocab_size);
    if (rc != 0)
        return rc == RECO_E_MODEL ? err_prepend(rc, "vocabulary '%s'", build->source) : rc;
    size_t repeated = 0;
    int first_repeated = 0;
    for (int id = 0; id < wp->vocab_size; id++) {
        const char *token = wp->tokens[id];
        if (token != NULL && token[0] != '\0' && wordpiece_find(wp, token, strlen(token)) != id && repeated++ == 0)
            first_repeated = id;
    }
    if (repeated > 0)
        log_warn("vocabulary '%s' lists %zu tokens more than once (first: '%s', line %d); the last line counts",
                 build->source, repeated, wp->tokens[first_repeated], first_repeated + 1);
    return 0;
}

int32_t wordpiece_find(const struct wordpiece *wp, const char *token, size_t length)
{
    return wordpiece_trie_find(&wp->trie, token, length);
}

/* Building ------------------------------------------------------------------------------------------------------ */

int wordpiece_build_new(struct wordpiece **out, const struct wordpiece_build *build, size_t vocab_size)
{
    *out = NULL;
    if (vocab_size == 0)
        return err_set(RECO_E_MODEL, "vocabulary '%s' is empty", build->source);
    if (vocab_size > MAX_VOCAB)
        return err_set(RECO_E_MODEL, "vocabulary '%s' is too large: %zu tokens", build->source, vocab_size);
    struct wordpiece *wp = mem_calloc(1, sizeof *wp);
    if (wp == NULL)
        return RECO_E_NOMEM;
    wp->options = build->options;
    wp->vocab_size = (int)vocab_size;
    wp->tokens = mem_calloc(vocab_size, sizeof *wp->tokens);
    if (wp->tokens == NULL) {
        wordpiece_close(wp);
        return RECO_E_NOMEM;
    }
    *out = wp;
    return 0;
}

int wordpiece_build_set(struct wordpiece *wp, size_t id, const char *token, size_t length)
{
    wp->tokens[id] = mem_arena_strndup(&wp->arena, token, length);
    return wp->tokens[id] == NULL ? RECO_E_NOMEM : 0;
}

int wordpiece_build_add(struct wordpiece *wp, long long id, const char *text)
{
    int32_t known = wordpiece_find(wp, text, strlen(text));
    for (size_t i = 0; i < wp->added_count; i++)
        if (strcmp(wp->added[i].text, text) == 0)
            return 0;
    struct wordpiece_added *added = mem_realloc_array(wp->added, wp->added_count + 1, sizeof *added);
    if (added == NULL)
        return RECO_E_NOMEM;
    wp->added = added;
    const char *copy = mem_arena_strndup(&wp->arena, text, strlen(text));
    if (copy == NULL)
        return RECO_E_NOMEM;
    if (known < 0) { /* known to the text search only: words are matched against the vocabulary itself */
        if (id != wp->vocab_size)
            return err_set(RECO_E_MODEL, "added token '%s' has id %lld; the next free id is %d", text, id,
                           wp->vocab_size);
        const char **tokens = mem_realloc_array(wp->tokens, (size_t)wp->vocab_size + 1, sizeof *tokens);
        if (tokens == NULL)
            return RECO_E_NOMEM;
        wp->tokens = tokens;
        tokens[wp->vocab_size] = copy;
        known = wp->vocab_size++;
    }
    added[wp->added_count++] = (struct wordpiece_added){.text = copy, .length_bytes = strlen(copy), .id = known};
    unsigned char first = (unsigned char)copy[0];
    if (wp->added_count == 1)
        wp->added_only_first = first;
    else if (wp->added_only_first != first)
        wp->added_only_first = -1;
    wp->added_first[first] = 1;
    return 0;
}

static int find_special(const struct wordpiece *wp, const struct wordpiece_build *build, enum wordpiece_name name,
                        bool required, int32_t *id)
{
    *id = wordpiece_find(wp, build->names[name], strlen(build->names[name]));
    if (*id < 0 && required)
        return err_set(RECO_E_MODEL, "vocabulary '%s' has no '%s': it is not a BERT vocabulary", build->source,
                       build->names[name]);
    return 0;
}

/* escape_special is left out: it is a way of reading texts, recorded with the texts, and no property of the model. */
int wordpiece_build_finish(struct wordpiece *wp)
{
    struct hash_stream *h = NULL;
    int rc = hash_stream_new(&h);
    if (rc != 0)
        return rc;
    const struct wordpiece_options *o = &wp->options;
    bool strip = o->strip_accents < 0 ? o->do_lower_case : o->strip_accents > 0;
    struct buf head = {0};
    rc = buf_printf(&head, "wordpiece 1\nlower %d\nstrip %d\ncjk %d\nword %d\nspecial %d %d %d %d %d\n",
                    o->do_lower_case, strip, o->tokenize_chinese_chars, o->max_word_chars, wp->special.pad,
                    wp->special.unk, wp->special.cls, wp->special.sep, wp->special.mask);
    for (size_t i = 0; rc == 0 && i < wp->added_count; i++)
        rc = buf_printf(&head, "added %d %s\n", wp->added[i].id, wp->added[i].text);
    if (rc == 0) {
        hash_stream_add(h, head.data, head.length);
        for (int id = 0; id < wp->vocab_size; id++) {
            if (wp->tokens[id] != NULL)
                hash_stream_add(h, wp->tokens[id], strlen(wp->tokens[id]));
            hash_stream_add(h, "\n", 1);
        }
        hash_stream_hex(h, wp->hash);
    }
    buf_release(&head);
    hash_stream_free(h);
    return rc;
}

int wordpiece_build_index(struct wordpiece *wp, const struct wordpiece_build *build)
{
    if (build->options.max_word_chars < 1)
        return err_set(RECO_E_USAGE, "max_word_chars must be at least 1");
    int rc = trie_build(wp, build);
    struct wordpiece_special *special = &wp->special;
    int32_t *ids[WORDPIECE_NAMES] = {&special->pad, &special->unk, &special->cls, &special->sep, &special->mask};
    for (int name = 0; rc == 0 && name < WORDPIECE_NAMES; name++) {
        bool required = name == WORDPIECE_UNK || name == WORDPIECE_CLS || name == WORDPIECE_SEP;
        rc = find_special(wp, build, (enum wordpiece_name)name, required, ids[name]);
        if (rc == 0 && *ids[name] >= 0)
            rc = wordpiece_build_add(wp, *ids[name], build->names[name]);
    }
    return rc != 0 ? rc : wordpiece_single_ids_build(wp);
}

/* The library's trim_end: Unicode white space at the end of a line of vocab.txt is no part of the token. */
static size_t trimmed_length(const char *line, size_t length)
{
    static const char *const spaces[] = {
        "\t",           "\n",           "\v",           "\f",           "\r",           " ",
        "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
        "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88",
        "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F",
        "\xE3\x80\x80"};
    for (size_t i = 0; length > 0 && i < sizeof spaces / sizeof spaces[0];) {
        size_t size = strlen(spaces[i]);
        if (size <= length && memcmp(line + length - size, spaces[i], size) == 0) {
            length -= size;
            i = 0;
        } else {
            i++;
        }
    }
    return length;
}

int wordpiece_build_vocab_text(struct wordpiece **out, const struct wordpiece_build *build, const struct buf *text)
{
    *out = NULL;
    const char *data = buf_str(text), *end = data + text->length;
    size_t bad = 0;
    if (!utf8_is_valid(data, text->length, &bad))
        return err_set(RECO_E_MODEL, "vocabulary '%s' is not UTF-8 at byte %zu", build->source, bad);
    size_t lines = 0, count = 0; /* blank lines at the end are no tokens; elsewhere they take an id */
    for (const char *p = data; p < end;) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline != NULL ? newline : end;
        lines++;
        if (memchr(p, '\0', (size_t)(stop - p)) != NULL)
            return err_set(RECO_E_MODEL, "vocabulary '%s' line %zu holds a NUL byte", build->source, lines);
        if (trimmed_length(p, (size_t)(stop - p)) > 0)
            count = lines;
        p = stop + 1;
    }
    struct wordpiece *wp = NULL;
    int rc = wordpiece_build_new(&wp, build, count);
    const char *p = data;
    for (size_t id = 0; rc == 0 && id < count; id++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline != NULL ? newline : end;
        rc = wordpiece_build_set(wp, id, p, trimmed_length(p, (size_t)(stop - p)));
        p = stop + 1;
    }
    if (rc != 0) {
        wordpiece_close(wp);
        return rc;
    }
    *out = wp;
    return 0;
}

int wordpiece_open(struct wordpiece **out, const char *vocab_path, const struct wordpiece_options *options)
{
    *out = NULL;
    struct wordpiece_build build;
    wordpiece_build_init(&build, vocab_path);
    build.options = *options;
    struct buf text = {0};
    struct wordpiece *wp = NULL;
    int rc = file_read_all(vocab_path, MAX_VOCAB_BYTES, &text);
    if (rc == 0)
        rc = wordpiece_build_vocab_text(&wp, &build, &text);
    if (rc == 0)
        rc = wordpiece_build_index(wp, &build);
    if (rc == 0)
        rc = wordpiece_build_finish(wp);
    buf_release(&text);
    if (rc != 0) {
        wordpiece_close(wp);
        return rc;
    }
    *out = wp;
    return 0;
}

void wordpiece_close(struct wordpiece *wp)
{
    if (wp == NULL)
        return;
    mem_arena_release(&wp->arena);
    mem_free(wp->tokens);
    wordpiece_trie_release(&wp->trie);
    mem_free(wp->single_ids);
    mem_free(wp->added);
    mem_free(wp);
}

/* Getters ------------------------------------------------------------------------------------------------------- */

int wordpiece_vocab_size(const struct wordpiece *wp)
{
    return wp->vocab_size;
}

const struct wordpiece_special *wordpiece_special_ids(const struct wordpiece *wp)
{
    return &wp->special;
}

const struct wordpiece_options *wordpiece_get_options(const struct wordpiece *wp)
{
    return &wp->options;
}

const char *wordpiece_token(const struct wordpiece *wp, int32_t id)
{
    return id >= 0 && id < wp->vocab_size ? wp->tokens[id] : NULL;
}

const char *wordpiece_hash(const struct wordpiece *wp)
{
    return wp->hash;
}
