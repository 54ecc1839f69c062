/*
 * Opening: directories as AutoTokenizer reads them (tests/reference/wordpiece_dirs.json, written by
 * scripts/reference/wordpiece_dirs.py), damaged ones, running out of memory; and how pairs are cut.
 */

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/wordpiece.h"

#define REFERENCE(name) RECO_SOURCE_DIR "/tests/reference/" name
#define VOCAB "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nred\n"

static char folder[] = "/tmp/reco-wordpiece.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_QUIET); /* a vocabulary with repeated tokens warns */
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void put(const char *name, const char *text, size_t length)
{
    char *path = path_join(folder, name);
    assert_non_null(path);
    assert_int_equal(file_write_all(path, text, length), 0);
    mem_free(path);
}

static void empty_folder(void)
{
    static const char *const names[] = {"vocab.txt", "tokenizer.json", "tokenizer_config.json",
                                        "special_tokens_map.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = path_join(folder, names[i]);
        assert_non_null(path);
        assert_int_equal(file_remove(path), 0);
        mem_free(path);
    }
}

static void check_case(const char *text, const json_t *expected, const char *name)
{
    struct wordpiece *wp = NULL;
    struct wordpiece_scratch *scratch = NULL;
    struct wordpiece_ids ids = {0};
    if (wordpiece_open_dir(&wp, folder, false) != 0)
        fail_msg("%s: %s", name, err_message());
    assert_int_equal(wordpiece_scratch_new(&scratch, wp), 0);
    assert_int_equal(wordpiece_encode(wp, scratch, text, strlen(text), &ids), 0);
    size_t same = 0;
    while (same < ids.count && ids.ids[same] == json_integer_value(json_array_get(expected, same)))
        same++;
    if (same != ids.count || same != json_array_size(expected))
        fail_msg("%s: id %zu of %zu differs", name, same, json_array_size(expected));
    for (size_t i = 0; i < ids.count; i++)
        assert_non_null(wordpiece_token(wp, ids.ids[i]));
    assert_null(wordpiece_token(wp, wordpiece_vocab_size(wp)));
    assert_null(wordpiece_token(wp, -1));
    wordpiece_ids_release(&ids);
    wordpiece_scratch_free(scratch);
    wordpiece_close(wp);
}

static void test_directories(void **state)
{
    (void)state;
    json_t *root = json_load_file(REFERENCE("wordpiece_dirs.json"), 0, NULL), *test;
    assert_non_null(root);
    size_t index;
    json_array_foreach(json_object_get(root, "cases"), index, test)
    {
        const char *name;
        json_t *content;
        empty_folder();
        json_object_foreach(json_object_get(test, "files"), name, content)
        {
            char *text = json_is_string(content) ? mem_strdup(json_string_value(content)) : json_dumps(content, 0);
            assert_non_null(text);
            put(name, text, strlen(text));
            mem_free(text);
        }
        check_case(json_string_value(json_object_get(root, "text")), json_object_get(test, "ids"),
                   json_string_value(json_object_get(test, "name")));
    }
    assert_true(index > 25);
    json_decref(root);
}

/* Writes the files and expects a refusal whose message holds words. */
static void refuse(const char *vocab, const char *file, const char *config, const char *words)
{
    struct wordpiece *wp = (struct wordpiece *)folder;
    empty_folder();
    if (vocab != NULL)
        put("vocab.txt", vocab, strlen(vocab));
    if (file != NULL)
        put("tokenizer.json", file, strlen(file));
    if (config != NULL)
        put("tokenizer_config.json", config, strlen(config));
    assert_int_equal(wordpiece_open_dir(&wp, folder, false), RECO_E_MODEL);
    assert_null(wp);
    if (strstr(err_message(), words) == NULL || strchr(err_message(), '\n') != NULL)
        fail_msg("message '%s' lacks '%s'", err_message(), words);
}

#define MODEL "\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"a\":3}}"
#define GENERIC "{\"tokenizer_class\":\"PreTrainedTokenizerFast\"}"

static void test_refusals(void **state)
{
    (void)state;
    refuse(NULL, NULL, NULL, "neither 'vocab.txt' nor 'tokenizer.json'");
    refuse("", NULL, NULL, "is empty");
    refuse("\n \n\n", NULL, NULL, "is empty");
    refuse("[PAD]\n[CLS]\n[SEP]\n", NULL, NULL, "has no '[UNK]'");
    refuse("[PAD]\n[UNK]\n[SEP]\n", NULL, NULL, "has no '[CLS]'");
    refuse("[PAD]\n[UNK]\n[CLS]\n", NULL, NULL, "has no '[SEP]'");
    refuse(VOCAB "\xE9t\xE9\n", NULL, NULL, "is not UTF-8 at byte 35");
    refuse("\xEF\xBB\xBF[UNK]\n[CLS]\n[SEP]\n", NULL, NULL, "has no '[UNK]'");
    refuse(VOCAB, NULL, "{\"do_lower_case\": true", "cannot parse");
    refuse(VOCAB, NULL, "[]", "is not a JSON object");
    refuse(VOCAB, NULL, "{\"do_lower_case\": \"yes\"}", "'do_lower_case' is neither true nor false");
    refuse(VOCAB, NULL, "{\"strip_accents\": 1}", "'strip_accents' is neither true nor false");
    refuse(VOCAB, NULL, "{\"tokenizer_class\": \"BertJapaneseTokenizer\"}", "'BertJapaneseTokenizer' is not supported");
    refuse(VOCAB, NULL, GENERIC, "needs a 'tokenizer.json'");
    refuse(VOCAB, NULL, "{\"unk_token\": \"<unk>\"}", "has no '<unk>'");
    refuse(VOCAB, NULL, "{\"added_tokens_decoder\": {\"6\": {\"content\": \"new\", \"normalized\": true}}}",
           "'new' is 'normalized', which is not supported");
    refuse(VOCAB, NULL, "{\"added_tokens_decoder\": {\"4\": {\"content\": \"[MASK]\", \"lstrip\": true}}}",
           "'[MASK]' is 'lstrip', which is not supported");
    refuse(VOCAB, NULL, "{\"added_tokens_decoder\": {\"9\": {\"content\": \"new\"}}}",
           "'new' has id 9; the next free id is 6");
    refuse(VOCAB, NULL, "{\"added_tokens_decoder\": {\"six\": {\"content\": \"new\"}}}", "names 'six', which is no id");
    refuse(VOCAB, NULL, "{\"added_tokens_decoder\": {\"6\": {}}}", "an added token has no text");
    refuse(VOCAB, "{}", NULL, "holds no WordPiece model");
    refuse(NULL, "{\"model\":{\"type\":\"BPE\",\"vocab\":{}}}", NULL, "holds no WordPiece model");
    refuse(NULL, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", NULL, "is empty");
    refuse(NULL, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":1,\"b\":1}}}", NULL, "have the same id 1");
    refuse(NULL, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":99999}}}", NULL, "'a' has no proper id");
    refuse(NULL, "{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":-1}}}", NULL, "'a' has no proper id");
    refuse(NULL, "{" MODEL ",\"normalizer\":{\"type\":\"Lowercase\"}}", GENERIC, "its normalizer is Lowercase");
    refuse(NULL,
           "{" MODEL ",\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":false},"
           "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"}}",
           GENERIC, "clean_text");

    struct wordpiece *wp = NULL;
    struct wordpiece_options options;
    wordpiece_options_init(&options);
    assert_int_equal(wordpiece_open(&wp, "/nonexistent/vocab.txt", &options), RECO_E_IO);
    assert_int_equal(wordpiece_open(&wp, folder, &options), RECO_E_IO);
    assert_int_equal(wordpiece_open_dir(&wp, "/nonexistent", false), RECO_E_MODEL);
    empty_folder();
    put("vocab.txt", VOCAB "a\0b\n", sizeof VOCAB + 3);
    assert_int_equal(wordpiece_open_dir(&wp, folder, false), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "line 7 holds a NUL byte"));
}

/* The hash tells tokenisers apart exactly when they can give other ids; how texts are escaped is no part of it. */
static void test_hash(void **state)
{
    (void)state;
    static const char *const configs[] = {"{}", "{\"do_lower_case\": false}", "{\"strip_accents\": false}",
                                          "{\"tokenize_chinese_chars\": false}",
                                          "{\"additional_special_tokens\": [\"red\"]}"};
    enum { CONFIGS = sizeof configs / sizeof configs[0] };
    char hashes[CONFIGS][HASH_HEX_SIZE];
    struct wordpiece *wp = NULL;
    empty_folder();
    put("vocab.txt", VOCAB, strlen(VOCAB));
    for (size_t i = 0; i < CONFIGS; i++) {
        put("tokenizer_config.json", configs[i], strlen(configs[i]));
        assert_int_equal(wordpiece_open_dir(&wp, folder, false), 0);
        memcpy(hashes[i], wordpiece_hash(wp), HASH_HEX_SIZE);
        wordpiece_close(wp);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
    }
    put("tokenizer_config.json", "{\"strip_accents\": true}", 23); /* what null means for lower case */
    assert_int_equal(wordpiece_open_dir(&wp, folder, true), 0);
    assert_string_equal(wordpiece_hash(wp), hashes[0]);
    assert_true(wordpiece_get_options(wp)->escape_special);
    wordpiece_close(wp);
    put("vocab.txt", VOCAB "blue\n", strlen(VOCAB) + 5);
    assert_int_equal(wordpiece_open_dir(&wp, folder, false), 0);
    assert_string_not_equal(wordpiece_hash(wp), hashes[0]);
    wordpiece_close(wp);
}

/* A vocabulary is the same in whatever way its tokenizer.json is written. */
static void test_spellings(void **state)
{
    static const char *const spellings[] = {
        "{\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"\\\"\":5,\"\\\\\":6,\"é\":7,\"##x\":9}",
        "{ \"[PAD]\" : 0 ,\n\t\"[UNK]\":1, \"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\r\n\"\\\"\":5,\"\\\\\":6,\"é\" "
        ":7,\"##x\":9 }",
        "{\"##x\":9,\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"\\u0022\":5,\"\\u005c\":6,"
        "\"\\u00e9\":7}",
        "{\"[PAD]\":0,\"[UNK]\":1,\"[CLS]\":2,\"[SEP]\":3,\"[MASK]\":4,\"\\\"\":5,\"\\\\\":6,\"é\":7,\"\\u0023#x\":9}",
    };
    char first[HASH_HEX_SIZE] = "";
    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        struct wordpiece *wp = NULL;
        char *file =
            mem_printf("{\"added_tokens\":[],\"model\":{\"type\":\"WordPiece\",\"vocab\":%s,\"unk_token\":\"[UNK]\"}}",
                       spellings[i]);
        assert_non_null(file);
        empty_folder();
        put("tokenizer.json", file, strlen(file));
        if (wordpiece_open_dir(&wp, folder, false) != 0)
            fail_msg("%s", err_message());
        assert_int_equal(wordpiece_vocab_size(wp), 10);
        assert_string_equal(wordpiece_token(wp, 5), "\"");
        assert_string_equal(wordpiece_token(wp, 6), "\\");
        assert_string_equal(wordpiece_token(wp, 7), "é");
        assert_null(wordpiece_token(wp, 8));
        if (i == 0)
            memcpy(first, wordpiece_hash(wp), sizeof first);
        assert_string_equal(wordpiece_hash(wp), first);
        wordpiece_close(wp);
        mem_free(file);
    }
    refuse(NULL, "{\n\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0,\n\"b\":1}},\n?}", NULL, "line 4");
    refuse(NULL, "{\"vocab\":{\"a\":0}}", NULL, "holds no WordPiece model");
    refuse(NULL, "{\"model\":{\"vocab\":{\"a\":0,\"b\":99999}}}", NULL, "has no proper id");
    refuse(NULL, "{\"model\":{\"vocab\":{\"a\":0,\"\xff\":1}}}", NULL, "cannot parse");
    refuse(NULL, "{\"model\":{\"vocab\":{\"a\":0,\"b\":0}}}", NULL, "same id");
    refuse(NULL, "{\"model\":{\"vocab\":{\"a\":0,", NULL, "cannot parse");
}

static void test_special_ids(void **state)
{
    (void)state;
    struct wordpiece *wp = NULL;
    empty_folder();
    put("vocab.txt", "[CLS]\n[UNK]\n[SEP]\nred\n", 22);
    assert_int_equal(wordpiece_open_dir(&wp, folder, false), 0);
    const struct wordpiece_special *special = wordpiece_special_ids(wp);
    assert_int_equal(special->cls, 0);
    assert_int_equal(special->unk, 1);
    assert_int_equal(special->sep, 2);
    assert_int_equal(special->pad, -1);
    assert_int_equal(special->mask, -1);
    assert_int_equal(wordpiece_vocab_size(wp), 4);
    assert_string_equal(wordpiece_token(wp, 3), "red");
    wordpiece_close(wp);
}

static int open_and_encode(void)
{
    struct wordpiece *wp = NULL;
    struct wordpiece_scratch *scratch = NULL;
    struct wordpiece_ids ids = {0};
    int rc = wordpiece_open_dir(&wp, folder, false);
    if (rc == 0)
        rc = wordpiece_scratch_new(&scratch, wp);
    if (rc == 0)
        rc = wordpiece_encode(wp, scratch, "red [SEP]", 9, &ids);
    wordpiece_ids_release(&ids);
    wordpiece_scratch_free(scratch);
    wordpiece_close(wp);
    return rc;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    static const char *const vocabs[] = {"vocab.txt", "tokenizer.json"};
    for (int i = 0; i < 2; i++) {
        const char *text = i == 0 ? VOCAB : "{" MODEL "}";
        empty_folder();
        put(vocabs[i], text, strlen(text));
        text = "{\"additional_special_tokens\": [\"new\"]}";
        put("tokenizer_config.json", text, strlen(text));
        long n = 1;
        int rc;
        do {
            mem_fail_after(n++);
            rc = open_and_encode();
            if (rc != 0 && rc != RECO_E_NOMEM)
                fail_msg("allocation %ld: %s", n - 1, err_message());
        } while (rc != 0);
        mem_fail_after(0);
        assert_true(n > 15);
    }
}

static void test_truncation(void **state)
{
    (void)state;
    FILE *reference = fopen(REFERENCE("wordpiece_truncation.txt"), "r");
    assert_non_null(reference);
    char line[512];
    size_t checked = 0;
    while (fgets(line, sizeof line, reference) != NULL) {
        size_t max_length, first;
        char name[16];
        int at = 0, used = 0;
        assert_int_equal(sscanf(line, "%zu %15s %zu%n", &max_length, name, &first, &at), 3);
        enum wordpiece_truncation strategy =
            strcmp(name, "only_second") == 0 ? WORDPIECE_ONLY_SECOND : WORDPIECE_LONGEST_FIRST;
        char kept[32], got[64];
        for (int column = 0; sscanf(line + at, "%31s%n", kept, &used) == 1; column++, at += used) {
            size_t a = first, b = column > 0 ? (size_t)column - 1 : 0;
            int rc = wordpiece_truncate(&a, &b, column > 0, max_length, strategy);
            snprintf(got, sizeof got, rc == 0 ? "%zu,%zu" : "-", a, b);
            if (strcmp(got, kept) != 0)
                fail_msg("%s, at most %zu tokens, first %zu, column %d: %s, expected %s", name, max_length, first,
                         column, got, kept);
            assert_true(rc == 0 || rc == RECO_E_DATA);
            checked++;
        }
    }
    (void)fclose(reference);
    assert_int_equal(checked, 2 * 10 * 12 * 13);

    size_t a = 1, b = 1;
    assert_int_equal(wordpiece_truncate(&a, &b, true, 2, WORDPIECE_LONGEST_FIRST), RECO_E_USAGE);
    assert_int_equal(wordpiece_truncate(&a, &b, false, 1, WORDPIECE_LONGEST_FIRST), RECO_E_USAGE);
    a = b = SIZE_MAX;
    assert_int_equal(wordpiece_truncate(&a, &b, true, 128, WORDPIECE_LONGEST_FIRST), 0);
    assert_int_equal(a, 62);
    assert_int_equal(b, 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directories), cmocka_unit_test(test_refusals),  cmocka_unit_test(test_hash),
        cmocka_unit_test(test_special_ids), cmocka_unit_test(test_spellings), cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_truncation),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
