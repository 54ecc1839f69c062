/*
 * Ids against the pinned library, whose answers scripts/reference/wordpiece_reference.py has written to
 * tests/reference: a stress list under a small vocabulary, every code point, the stress list and real files under
 * MiniLM's vocabulary.
 */

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/utf8.h"
#include "data/wordpiece_internal.h"

#define REFERENCE(name) RECO_SOURCE_DIR "/tests/reference/" name

struct variant {
    const char *name;
    bool lower;
    int strip;
    bool cjk, escape;
};
static const struct variant variants[] = {
    {"lower", true, -1, true, false},        {"cased", false, -1, true, false},
    {"lower_keep", true, 0, true, false},    {"cased_strip", false, 1, true, false},
    {"lower_nocjk", true, -1, false, false}, {"lower_escape", true, -1, true, true},
};
enum { VARIANTS = sizeof variants / sizeof variants[0] };

struct tokenizer {
    struct wordpiece *wp;
    struct wordpiece_scratch *scratch;
    struct wordpiece_ids ids;
};

static struct tokenizer tokenizer_open(const char *vocab, const struct variant *v)
{
    struct tokenizer t = {0};
    struct wordpiece_options options;
    wordpiece_options_init(&options);
    options.do_lower_case = v->lower;
    options.strip_accents = v->strip;
    options.tokenize_chinese_chars = v->cjk;
    options.escape_special = v->escape;
    if (wordpiece_open(&t.wp, vocab, &options) != 0 || wordpiece_scratch_new(&t.scratch, t.wp) != 0)
        fail_msg("%s", err_message());
    return t;
}

static void tokenizer_close(struct tokenizer *t)
{
    wordpiece_ids_release(&t->ids);
    wordpiece_scratch_free(t->scratch);
    wordpiece_close(t->wp);
}

static void encode(struct tokenizer *t, const char *text, size_t length)
{
    t->ids.count = 0;
    assert_int_equal(wordpiece_encode(t->wp, t->scratch, text, length, &t->ids), 0);
}

static uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length)
{
    static uint32_t table[256];
    if (table[1] == 0)
        for (uint32_t i = 0; i < 256; i++) {
            table[i] = i;
            for (int bit = 0; bit < 8; bit++)
                table[i] = table[i] & 1 ? table[i] >> 1 ^ 0xEDB88320u : table[i] >> 1;
        }
    crc = ~crc;
    for (size_t i = 0; i < length; i++)
        crc = table[(crc ^ ((const unsigned char *)bytes)[i]) & 255] ^ crc >> 8;
    return ~crc;
}

static uint32_t crc32_ids(uint32_t crc, const struct wordpiece_ids *ids)
{
    for (size_t i = 0; i <= ids->count; i++) {
        uint32_t id = i < ids->count ? (uint32_t)ids->ids[i] : UINT32_MAX;
        unsigned char bytes[4] = {(unsigned char)id, (unsigned char)(id >> 8), (unsigned char)(id >> 16),
                                  (unsigned char)(id >> 24)};
        crc = crc32_add(crc, bytes, sizeof bytes);
    }
    return crc;
}

/* Files of lines ------------------------------------------------------------------------------------------------ */

struct lines {
    struct buf text;
    size_t at;
};

static void lines_open(struct lines *l, const char *path)
{
    *l = (struct lines){0};
    if (file_read_all(path, 0, &l->text) != 0)
        fail_msg("%s", err_message());
}

/* NULL at the end; the line is NUL-terminated in place. */
static char *lines_next(struct lines *l, size_t *length)
{
    if (l->at >= l->text.length)
        return NULL;
    char *line = l->text.data + l->at, *end = memchr(line, '\n', l->text.length - l->at);
    *length = end != NULL ? (size_t)(end - line) : l->text.length - l->at;
    l->at += *length + (end != NULL);
    line[*length] = '\0';
    return line;
}

/* \xNN in place; returns the length. */
static size_t unescape(char *text)
{
    char *out = text;
    for (const char *p = text; *p != '\0';) {
        if (p[0] == '\\' && p[1] == 'x') {
            char hex[3] = {p[2], p[3], '\0'};
            *out++ = (char)strtoul(hex, NULL, 16);
            p += 4;
        } else {
            *out++ = *p++;
        }
    }
    return (size_t)(out - text);
}

/* Tests --------------------------------------------------------------------------------------------------------- */

static void check_ids(const struct variant *v, size_t line, const char *expected, const struct wordpiece_ids *ids)
{
    struct buf got = {0};
    for (size_t i = 0; i < ids->count; i++)
        assert_int_equal(buf_printf(&got, "%s%d", i > 0 ? " " : "", ids->ids[i]), 0);
    if (strcmp(buf_str(&got), expected) != 0)
        fail_msg("%s, stress text %zu:\n  expected %.300s\n  got      %.300s", v->name, line, expected, buf_str(&got));
    buf_release(&got);
}

static void test_stress(void **state)
{
    (void)state;
    struct lines reference;
    lines_open(&reference, REFERENCE("wordpiece_ids.txt"));
    for (size_t i = 0; i < VARIANTS; i++) {
        size_t length, checked = 0;
        char *head = lines_next(&reference, &length), *text;
        assert_string_equal(head + 2, variants[i].name);
        struct tokenizer t = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &variants[i]);
        struct lines stress;
        lines_open(&stress, REFERENCE("wordpiece_stress.txt"));
        while ((text = lines_next(&stress, &length)) != NULL) {
            length = unescape(text);
            encode(&t, text, length);
            check_ids(&variants[i], ++checked, lines_next(&reference, &length), &t.ids);
        }
        assert_true(checked > 200);
        buf_release(&stress.text);
        tokenizer_close(&t);
    }
    assert_null(lines_next(&reference, &(size_t){0}));
    buf_release(&reference.text);
}

static void add_char(struct buf *text, uint32_t c)
{
    unsigned char bytes[UTF8_MAX_BYTES];
    assert_int_equal(buf_add(text, bytes, utf8_encode(c, bytes)), 0);
}

static void test_code_points(void **state)
{
    (void)state;
    struct lines reference;
    lines_open(&reference, REFERENCE("wordpiece_code_points.txt"));
    struct buf text = {0}, words = {0};
    size_t length, blocks = 0;
    char *line;
    struct variant open_as = {.name = ""};
    struct tokenizer t = {0};
    while ((line = lines_next(&reference, &length)) != NULL) {
        int lower, strip, cjk;
        uint32_t start, crc;
        assert_int_equal(sscanf(line, "%d %d %d %" SCNx32 " %" SCNx32, &lower, &strip, &cjk, &start, &crc), 5);
        if (t.wp == NULL || open_as.lower != lower || open_as.strip != strip || open_as.cjk != cjk) {
            tokenizer_close(&t);
            open_as = (struct variant){.name = "", .lower = lower, .strip = strip, .cjk = cjk};
            t = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &open_as);
        }
        buf_clear(&text);
        buf_clear(&words);
        for (uint32_t c = start; c < start + 0x1000; c++) {
            if (c >= 0xD800 && c < 0xE000)
                continue;
            add_char(&text, 'a');
            add_char(&text, c);
            assert_int_equal(buf_add_str(&text, "b "), 0);
            add_char(&text, c);
            assert_int_equal(buf_add_str(&text, "\u0301\u0323"), 0);
            add_char(&text, c);
            assert_int_equal(buf_add_str(&text, "A\n"), 0);
        }
        assert_int_equal(wordpiece_words(t.wp, t.scratch, text.data, text.length, &words), 0);
        uint32_t got = crc32_add(0, buf_str(&words), words.length);
        if (got != crc)
            fail_msg("lower %d strip %d cjk %d: words of U+%04X to U+%04X differ", lower, strip, cjk, start,
                     start + 0xFFF);
        blocks++;
    }
    assert_int_equal(blocks, 8 * 272);
    tokenizer_close(&t);
    buf_release(&text);
    buf_release(&words);
    buf_release(&reference.text);
}

static const char *directory(const char *variable, const char *otherwise)
{
    const char *dir = getenv(variable);
    return dir != NULL && dir[0] != '\0' ? dir : otherwise;
}

static char *minilm_vocab(void)
{
    return path_join(directory("RECO_MINILM_DIR", RECO_SOURCE_DIR "/models/minilm"), "vocab.txt");
}

static const struct variant *find_variant(const char *name)
{
    for (size_t i = 0; i < VARIANTS; i++)
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    fail_msg("no variant %s", name);
    return NULL;
}

/* Checks each line of wordpiece_hashes.txt that check accepts; returns how many. escaped: the file's lines hold \xNN.
 */
static size_t check_hashes(bool stress)
{
    char *minilm = minilm_vocab();
    assert_non_null(minilm);
    struct lines reference;
    lines_open(&reference, REFERENCE("wordpiece_hashes.txt"));
    size_t length, checked = 0;
    char *line;
    while ((line = lines_next(&reference, &length)) != NULL) {
        char vocab[16], variant[32], name[80];
        size_t rows, ids;
        uint32_t crc;
        assert_int_equal(sscanf(line, "%15s %31s %79s %zu %zu %" SCNx32, vocab, variant, name, &rows, &ids, &crc), 6);
        const char *vocab_path = strcmp(vocab, "small") == 0 ? REFERENCE("wordpiece_vocab.txt") : minilm;
        char *path = stress ? mem_strdup(REFERENCE("wordpiece_stress.txt"))
                            : path_join(directory("RECO_DATA_DIR", RECO_SOURCE_DIR "/../shared/data"), name);
        assert_non_null(path);
        if ((strcmp(name, "stress") == 0) == stress && file_exists(vocab_path) && file_exists(path)) {
            struct tokenizer t = tokenizer_open(vocab_path, find_variant(variant));
            struct lines texts;
            lines_open(&texts, path);
            size_t got_rows = 0, got_ids = 0;
            uint32_t got = 0;
            for (char *text; (text = lines_next(&texts, &length)) != NULL; got_rows++) {
                encode(&t, text, stress ? unescape(text) : length);
                got_ids += t.ids.count;
                got = crc32_ids(got, &t.ids);
            }
            if (got_rows != rows || got_ids != ids || got != crc)
                fail_msg("%s %s %s: %zu rows, %zu ids, hash %08x; expected %zu, %zu, %08x", vocab, variant, name,
                         got_rows, got_ids, got, rows, ids, crc);
            buf_release(&texts.text);
            tokenizer_close(&t);
            checked++;
        }
        mem_free(path);
    }
    buf_release(&reference.text);
    mem_free(minilm);
    return checked;
}

static void test_minilm_stress(void **state)
{
    (void)state;
    if (check_hashes(true) == 0) {
        print_message("skipped: no models/minilm and no RECO_MINILM_DIR\n");
        skip();
    }
}

static void test_real_files(void **state)
{
    (void)state;
    size_t checked = check_hashes(false);
    if (checked == 0) {
        print_message("skipped: no ../shared/data and no RECO_DATA_DIR\n");
        skip();
    }
    print_message("%zu files checked\n", checked);
}

/* Words of ASCII take a path of their own: for every two bytes in every place of a word it agrees with the general one.
 */
static void test_ascii_path(void **state)
{
    (void)state;
    for (int escape = 0; escape < 2; escape++) {
        struct tokenizer t = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &variants[escape]);
        struct buf words = {0};
        for (unsigned pair = 0; pair < 128 * 128; pair++) {
            char text[24];
            size_t before = pair % 19, length = before;
            memset(text, 'a', sizeof text);
            text[length++] = (char)(pair / 128);
            text[length++] = (char)(pair % 128);
            length += pair % 3;
            buf_clear(&words);
            assert_int_equal(wordpiece_words(t.wp, t.scratch, text, length, &words), 0);
            encode(&t, text, length);
            size_t at = 0;
            for (const char *word = buf_str(&words), *end; *word != '\0'; word = end + 1) {
                int32_t ids[sizeof text];
                end = strchr(word, '\n');
                size_t count = wordpiece_match(t.wp, (const unsigned char *)word, (size_t)(end - word), ids);
                assert_true(at + count <= t.ids.count);
                assert_memory_equal(t.ids.ids + at, ids, count * sizeof *ids);
                at += count;
            }
            assert_int_equal(at, t.ids.count);
        }
        buf_release(&words);
        tokenizer_close(&t);
    }
}

/* The word cache must not change an answer: the same texts again, in reverse order, and after many other words. */
static void test_cache(void **state)
{
    (void)state;
    struct tokenizer t = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &variants[0]);
    struct tokenizer fresh = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &variants[0]);
    for (unsigned i = 0; i < 200000; i++) {
        unsigned n = i * 2654435761u >> 8;
        char text[64];
        int length = snprintf(text, sizeof text, "ab%x %u shoe%uing \xC3\xA9%x", n, n % 1000, n % 10000, n % 5000);
        encode(&t, text, (size_t)length);
        if (i % 1000 != 0)
            continue;
        struct wordpiece_scratch *scratch = NULL;
        assert_int_equal(wordpiece_scratch_new(&scratch, fresh.wp), 0);
        fresh.ids.count = 0;
        assert_int_equal(wordpiece_encode(fresh.wp, scratch, text, (size_t)length, &fresh.ids), 0);
        assert_int_equal(fresh.ids.count, t.ids.count);
        assert_memory_equal(fresh.ids.ids, t.ids.ids, t.ids.count * sizeof *t.ids.ids);
        wordpiece_scratch_free(scratch);
    }
    tokenizer_close(&t);
    tokenizer_close(&fresh);
}

/* A text's ids end where it ends: every prefix of a buffer gives the ids of a copy of that prefix alone. */
static void test_prefixes(void **state)
{
    (void)state;
    static const char text[] =
        "The unhappy-caf\xC3\xA9 \xE4\xB8\xAD[SEP] running0123456789abcdef \xF0\x9F\x98\x80[MASK";
    struct tokenizer t = tokenizer_open(REFERENCE("wordpiece_vocab.txt"), &variants[0]);
    for (size_t length = 0; length < sizeof text; length++) {
        char *copy = mem_alloc(length);
        struct wordpiece_ids ids = {0};
        assert_non_null(copy);
        memcpy(copy, text, length);
        assert_int_equal(wordpiece_encode(t.wp, t.scratch, copy, length, &ids), 0);
        encode(&t, text, length);
        assert_int_equal(ids.count, t.ids.count);
        if (ids.count > 0)
            assert_memory_equal(ids.ids, t.ids.ids, ids.count * sizeof *ids.ids);
        wordpiece_ids_release(&ids);
        mem_free(copy);
    }
    tokenizer_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stress),     cmocka_unit_test(test_code_points), cmocka_unit_test(test_minilm_stress),
        cmocka_unit_test(test_real_files), cmocka_unit_test(test_ascii_path),  cmocka_unit_test(test_cache),
        cmocka_unit_test(test_prefixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
