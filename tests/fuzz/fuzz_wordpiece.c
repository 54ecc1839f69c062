/*
 * Any bytes have ids, the same ones each time: all inside the vocabulary, at most one a byte, none that a special token
 * would need when texts are escaped, the same with a warm and a cold word cache, and those of the text with its invalid
 * bytes taken out. A text and a space and a text give the ids of both.
 */

#include <string.h>

#include "core/mem.h"
#include "data/utf8.h"
#include "data/wordpiece_internal.h"
#include "tests/fuzz/fuzz.h"

static const char vocab[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n##\n#\na\n##a\nab\n##ab\nabc\n##b\n##bc\nb\nc\n##c\n0\n##0\n00\n##00\n,\n.\n"
    "[\n]\nsep\n##sep\n\xC3\xA9\n##\xC3\xA9\n\xCC\x81\n##\xCC\x81\ne\n##e\n\xE4\xB8\xAD\n##\xE4\xB8\xAD\n\xE6\x96\x87\n"
    "\xE1\x84\x80\n##\xE1\x85\xA1\n\xEA\xB0\x80\n\xF0\x9F\x98\x80\n##\xF0\x9F\x98\x80\n";

static struct wordpiece *tokenizers[8]; /* by lower case, strip_accents and escape_special */
static struct wordpiece_scratch *scratches[8];

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void open_all(void)
{
    char path[64];
    for (int i = 0; i < 8; i++) {
        struct wordpiece_options options;
        wordpiece_options_init(&options);
        options.do_lower_case = i & 1;
        options.strip_accents = i >> 1 & 1;
        options.escape_special = i >> 2;
        options.max_word_chars = i % 3 == 0 ? 7 : 100;
        int fd = fuzz_file((const uint8_t *)vocab, sizeof vocab - 1, path);
        check(wordpiece_open(&tokenizers[i], path, &options) == 0, err_message());
        check(wordpiece_scratch_new(&scratches[i], tokenizers[i]) == 0, err_message());
        close(fd);
    }
}

static int same(const int32_t *a, const int32_t *b, size_t count)
{
    return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

/* The text without its invalid bytes. */
static size_t remove_invalid(const uint8_t *data, size_t size, char *out)
{
    size_t length = 0;
    for (size_t at = 0; at < size;) {
        uint32_t c;
        size_t taken = utf8_decode(data + at, data + size, &c);
        if (c != 0xFFFD) {
            memcpy(out + length, data + at, taken);
            length += taken;
        }
        at += taken;
    }
    return length;
}

static void encode(int i, const char *text, size_t length, struct wordpiece_ids *ids)
{
    check(wordpiece_encode(tokenizers[i], scratches[i], text, length, ids) == 0, err_message());
}

static void check_text(int i, const uint8_t *data, size_t size, const char *text)
{
    const struct wordpiece *wp = tokenizers[i];
    const struct wordpiece_special *special = wordpiece_special_ids(wp);
    struct wordpiece_ids ids = {0}, again = {0};
    struct wordpiece_scratch *cold = NULL;
    encode(i, text, size, &ids);
    check(ids.count <= size, "more ids than bytes");
    for (size_t k = 0; k < ids.count; k++) {
        check(wordpiece_token(wp, ids.ids[k]) != NULL, "an id outside the vocabulary");
        check(!wp->options.escape_special ||
                  (ids.ids[k] != special->sep && ids.ids[k] != special->cls && ids.ids[k] != special->mask),
              "a special id from an escaped text");
    }
    if (size % 8 == (size_t)i) { /* one in eight: a cache is large to make */
        check(wordpiece_scratch_new(&cold, wp) == 0 && wordpiece_encode(wp, cold, text, size, &again) == 0, "cold");
        check(again.count == ids.count && same(again.ids, ids.ids, ids.count), "the word cache changes ids");
        again.count = 0;
    }

    char *valid = mem_alloc(size + 1);
    check(valid != NULL, "memory");
    size_t length = remove_invalid(data, size, valid);
    if (wp->options.escape_special) { /* else "[SE\xffP]" would become special */
        encode(i, valid, length, &again);
        check(again.count == ids.count && same(again.ids, ids.ids, ids.count), "invalid bytes change ids");
    }
    again.count = 0;
    memcpy(valid, text, size);
    valid[size] = ' ';
    encode(i, valid, size + 1, &again);
    check(again.count == ids.count && same(again.ids, ids.ids, ids.count), "a space at the end changes ids");
    encode(i, text, size, &again);
    check(again.count == 2 * ids.count && same(again.ids + ids.count, ids.ids, ids.count), "a second text differs");

    mem_free(valid);
    wordpiece_scratch_free(cold);
    wordpiece_ids_release(&ids);
    wordpiece_ids_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (tokenizers[0] == NULL)
        open_all();
    char *text = mem_alloc(size); /* exactly as long, so that reading past the end is seen */
    check(text != NULL, "memory");
    memcpy(text, data, size);
    for (int i = 0; i < 8; i++)
        check_text(i, data, size, text);
    mem_free(text);
    return 0;
}
