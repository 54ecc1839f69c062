/* A dataset read back: model input, texts, columns; bytes that do not depend on threads; damage of every byte. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "prepare_util.h"

static const char *const files[] = {"dataset.json", "texts.ids",     "texts.index",      "texts.zst",
                                    "train.pairs",  "train.columns", "validation.pairs", "validation.columns",
                                    "test.pairs",   "test.columns"};

static void prepare(struct prepare_options *options, const char *output)
{
    struct prepare_summary summary;
    int rc = prepare_run(options, util_wp, NULL, util_path(output), &summary);

    if (rc != 0)
        fail_msg("%s", err_message());
}

/* Three splits with weights, ids, events and texts that need escapes. */
static void make_small(const char *output)
{
    struct prepare_options o = util_options();
    static char *carry[] = {"note"};

    util_write("train.csv", "q,d,l,w,note,click\n"
                            "red shoe,blue hat,1,2.5,\"tab\there\",1\n"
                            "red shoe,,0,0,\"two\nlines\",\n"
                            "a b c d e f,g h red shoes,1,1,back\\slash,0\n");
    util_write("validation.csv", "q,d,l,note,click\nblue hat,red shoe,0,x,1\n");
    util_write("test.csv", "note,q,d,click\ny,hat 42,red shoe,0\n");
    o.train_file = util_file(util_path("train.csv"));
    o.validation_file = util_file(util_path("validation.csv"));
    o.test_file = util_file(util_path("test.csv"));
    o.weight_column = "w";
    o.clicked_column = "click";
    o.carry = (struct opt_list){.items = carry, .count = 1};
    prepare(&o, output);
}

static struct dataset *open_dataset(const char *name)
{
    struct dataset *ds = NULL;

    if (dataset_open(&ds, util_path(name)) != 0)
        fail_msg("%s", err_message());
    return ds;
}

static void expect_encoding(const struct dataset_split *split, size_t row, size_t max_length,
                            enum wordpiece_truncation strategy, const char *ids_expected, const char *types_expected,
                            size_t lost_expected)
{
    int32_t ids[64], types[64];
    size_t length = 0, lost = 0;
    char ids_text[256] = "", types_text[256] = "";

    assert_int_equal(dataset_encode(split, row, max_length, strategy, ids, types, &length, &lost), 0);
    assert_true(length <= max_length);
    for (size_t i = 0; i < length; i++) {
        const char *token = wordpiece_token(util_wp, ids[i]);
        snprintf(ids_text + strlen(ids_text), sizeof ids_text - strlen(ids_text), "%s ", token);
        snprintf(types_text + strlen(types_text), sizeof types_text - strlen(types_text), "%d", (int)types[i]);
    }
    assert_string_equal(ids_text, ids_expected);
    assert_string_equal(types_text, types_expected);
    assert_int_equal(lost, lost_expected);
}

static void test_encode(void **state)
{
    (void)state;
    make_small("ds");
    struct dataset *ds = open_dataset("ds");
    const struct dataset_split *train = dataset_find_split(ds, "train");
    const enum wordpiece_truncation longest = WORDPIECE_LONGEST_FIRST, second = WORDPIECE_ONLY_SECOND;
    int32_t ids[16], types[16];
    size_t length = 99, lost = 99;

    assert_int_equal(dataset_rows(train), 3);
    expect_encoding(train, 0, 16, longest, "[CLS] red shoe [SEP] blue hat [SEP] ", "0000111", 0);
    expect_encoding(train, 1, 16, longest, "[CLS] red shoe [SEP] [SEP] ", "00001", 0);
    expect_encoding(train, 2, 16, longest, "[CLS] a b c d e f [SEP] g h red shoe ##s [SEP] ", "00000000111111", 0);
    expect_encoding(train, 2, 10, longest, "[CLS] a b c d [SEP] g h red [SEP] ", "0000001111", 4);
    expect_encoding(train, 2, 10, second, "[CLS] a b c d e f [SEP] g [SEP] ", "0000000011", 4);
    assert_int_equal(dataset_encode(train, 2, 8, second, ids, types, &length, &lost), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "row 'train.csv:3'"));
    dataset_close(ds);
}

static void expect_columns(const struct dataset_split *split, size_t row, const char *expected)
{
    size_t length;
    const char *columns = dataset_columns(split, row, &length);
    char copy[256];

    snprintf(copy, sizeof copy, "%.*s", (int)length, columns);
    assert_string_equal(copy, expected);
}

static void test_columns_labels_and_texts(void **state)
{
    (void)state;
    make_small("ds");
    struct dataset *ds = open_dataset("ds");
    const struct dataset_split *train = dataset_find_split(ds, "train"), *test = dataset_find_split(ds, "test");
    struct buf query = {0}, description = {0};

    assert_int_equal(dataset_split_count(ds), 3);
    assert_null(dataset_find_split(ds, "dev"));
    assert_string_equal(dataset_split_name(dataset_split_at(ds, 1)), "validation");
    assert_int_equal(dataset_column_count(train), 5);
    assert_string_equal(dataset_column_name(train, 0), "row_id");
    assert_string_equal(dataset_column_name(train, 3), "clicked");
    assert_string_equal(dataset_column_name(train, 4), "note");
    expect_columns(train, 0, "train.csv:1\tbc9d2b11f3e5262e\t\t1\ttab\\there");
    expect_columns(train, 1, "train.csv:2\tbc9d2b11f3e5262e\t\t\ttwo\\nlines");
    assert_int_equal(dataset_label(train, 0), 1);
    assert_int_equal(dataset_label(train, 1), 0);
    assert_int_equal(dataset_label(test, 0), -1);
    assert_true(dataset_weight(train, 0) == 2.5f && dataset_weight(train, 1) == 0.0f);
    assert_true(dataset_weight(test, 0) == 1.0f);
    assert_true(isnan(dataset_target(train, 0)));
    assert_int_equal(dataset_labels(ds)->count, 2);
    assert_true(dataset_labels(ds)->graded);
    assert_string_equal(dataset_vocab_hash(ds), wordpiece_hash(util_wp));
    assert_int_equal(dataset_vocab_size(ds), wordpiece_vocab_size(util_wp));
    assert_int_equal(dataset_special_ids(ds)->sep, 3);
    assert_string_not_equal(dataset_split_hash(train), dataset_split_hash(test));
    assert_int_equal(dataset_texts(train, 2, &query, &description), 0);
    assert_string_equal(buf_str(&query), "a b c d e f");
    assert_string_equal(buf_str(&description), "g h red shoes");
    /* texts are stored once: red shoe, blue hat, "", a b c d e f, g h red shoes, hat 42 */
    assert_int_equal(json_integer_value(json_object_get(dataset_json(ds), "texts")), 6);
    buf_release(&query);
    buf_release(&description);
    dataset_close(ds);
}

static void test_single_texts(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    util_write("single.csv", "q,l\nred shoe,a\nblue hat a,b\n");
    o.train_file = util_file(util_path("single.csv"));
    o.description_column.count = 0;
    prepare(&o, "single");
    struct dataset *ds = open_dataset("single");
    const struct dataset_split *train = dataset_split_at(ds, 0);
    expect_encoding(train, 0, 16, WORDPIECE_LONGEST_FIRST, "[CLS] red shoe [SEP] ", "0000", 0);
    expect_encoding(train, 1, 4, WORDPIECE_LONGEST_FIRST, "[CLS] blue hat [SEP] ", "0000", 1);
    dataset_close(ds);
}

static void test_regression(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    util_write("regression.csv", "q,d,l\na,b,1.5\na,c,-2e-3\n");
    util_write("regression_test.csv", "q,d,l\na,b,\na,c,4\n");
    o.train_file = util_file(util_path("regression.csv"));
    o.test_file = util_file(util_path("regression_test.csv"));
    o.regression = true;
    prepare(&o, "regression");
    struct dataset *ds = open_dataset("regression");
    assert_int_equal(dataset_labels(ds)->task, LABEL_TASK_REGRESSION);
    assert_int_equal(dataset_label(dataset_split_at(ds, 0), 0), -1);
    assert_true(dataset_target(dataset_split_at(ds, 0), 1) == -2e-3);
    assert_true(isnan(dataset_target(dataset_split_at(ds, 1), 0)));
    assert_true(dataset_target(dataset_split_at(ds, 1), 1) == 4.0);
    dataset_close(ds);
}

/* Many batches and blocks, with texts from 0 to some 100,000 bytes. */
static void write_large(const char *name, int rows)
{
    FILE *f = fopen(util_path(name), "w");

    assert_non_null(f);
    fputs("q,d,l\n", f);
    for (int i = 0; i < rows; i++) {
        fprintf(f, "query %d,", i / 7);
        for (int j = 0; j < (i % 1000 == 5 ? 20000 : i % 90); j++)
            fprintf(f, "text %d ", i * 31 + j);
        fprintf(f, ",%d\n", i % 3);
    }
    assert_int_equal(fclose(f), 0);
}

static void test_threads_do_not_matter(void **state)
{
    enum { ROWS = 30000 };
    struct prepare_options o = util_options();
    struct buf query = {0}, description = {0};
    static const char *const names[] = {"dataset.json", "texts.ids",     "texts.index", "texts.zst",
                                        "train.pairs",  "train.columns", "prepare.json"};
    char name[64], expected[64];

    (void)state;
    write_large("large.csv", ROWS);
    o.train_file = util_file(util_path("large.csv"));
    prepare(&o, "one");
    o.threads = 5;
    prepare(&o, "five");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length_a, length_b;
        snprintf(name, sizeof name, "one/%s", names[i]);
        char *a = util_read(name, &length_a);
        snprintf(name, sizeof name, "five/%s", names[i]);
        char *b = util_read(name, &length_b);
        assert_int_equal(length_a, length_b);
        assert_memory_equal(a, b, length_a);
        mem_free(a);
        mem_free(b);
    }
    struct dataset *ds = open_dataset("five");
    const struct dataset_split *train = dataset_split_at(ds, 0);
    assert_int_equal(dataset_rows(train), ROWS);
    for (size_t row = 0; row < ROWS; row += 97) {
        buf_clear(&query);
        buf_clear(&description);
        assert_int_equal(dataset_texts(train, row, &query, &description), 0);
        snprintf(expected, sizeof expected, "query %zu", row / 7);
        assert_string_equal(buf_str(&query), expected);
        if (row % 90 > 0) {
            snprintf(expected, sizeof expected, "text %zu ", row * 31);
            assert_memory_equal(buf_str(&description), expected, strlen(expected));
        }
        size_t query_tokens, description_tokens;
        struct wordpiece_scratch *scratch = NULL;
        struct wordpiece_ids ids = {0};
        assert_int_equal(wordpiece_scratch_new(&scratch, util_wp), 0);
        assert_int_equal(wordpiece_encode(util_wp, scratch, buf_str(&description), description.length, &ids), 0);
        dataset_lengths(train, row, &query_tokens, &description_tokens);
        assert_int_equal(description_tokens, ids.count);
        wordpiece_ids_release(&ids);
        wordpiece_scratch_free(scratch);
    }
    dataset_close(ds);
    buf_release(&query);
    buf_release(&description);
}

/* A vocabulary that two bytes cannot number. */
static void test_wide_ids(void **state)
{
    enum { WORDS = 70000 };
    struct prepare_options o = util_options();
    struct wordpiece_options wp_options;
    struct wordpiece *wide = NULL;
    FILE *f = fopen(util_path("wide.txt"), "w");
    int32_t ids[8], types[8];
    size_t length, lost;

    (void)state;
    assert_non_null(f);
    fputs("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", f);
    for (int i = 0; i < WORDS; i++)
        fprintf(f, "w%d\n", i);
    assert_int_equal(fclose(f), 0);
    wordpiece_options_init(&wp_options);
    assert_int_equal(wordpiece_open(&wide, util_path("wide.txt"), &wp_options), 0);
    util_write("wide.csv", "q,d,l\nw69999,w65531 w3,0\nw0,,1\n");
    o.train_file = util_file(util_path("wide.csv"));
    assert_int_equal(prepare_run(&o, wide, NULL, util_path("wide"), NULL), 0);
    wordpiece_close(wide);
    struct dataset *ds = open_dataset("wide");
    assert_int_equal(dataset_encode(dataset_split_at(ds, 0), 0, 8, WORDPIECE_LONGEST_FIRST, ids, types, &length, &lost),
                     0);
    assert_int_equal(length, 6);
    assert_int_equal(ids[1], 70004);
    assert_int_equal(ids[3], 65536);
    assert_int_equal(ids[4], 8);
    dataset_close(ds);
}

static void write_bytes(const char *name, const char *bytes, size_t length)
{
    FILE *f = fopen(util_path(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
}

/* Reads everything there is; whatever was damaged must not lead outside the maps (ASan sees it). */
static int walk(const char *name)
{
    struct dataset *ds = NULL;
    struct buf query = {0}, description = {0};
    int32_t ids[16], types[16];
    size_t length, lost;
    int rc = dataset_open(&ds, util_path(name));

    if (rc < 0) {
        assert_null(ds);
        assert_true(strlen(err_message()) > 0);
        return rc;
    }
    for (size_t s = 0; s < dataset_split_count(ds); s++) {
        const struct dataset_split *split = dataset_split_at(ds, s);
        for (size_t row = 0; row < dataset_rows(split); row++) {
            assert_int_equal(dataset_encode(split, row, 16, WORDPIECE_LONGEST_FIRST, ids, types, &length, &lost), 0);
            (void)dataset_columns(split, row, &length);
            int texts = dataset_texts(split, row, &query, &description);
            rc = rc == 0 ? texts : rc;
        }
    }
    buf_release(&query);
    buf_release(&description);
    dataset_close(ds);
    return rc;
}

static void test_damage(void **state)
{
    (void)state;
    make_small("ds");
    assert_int_equal(walk("ds"), 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        size_t length, undetected = 0;
        snprintf(name, sizeof name, "ds/%s", files[i]);
        char *original = util_read(name, &length), *bytes = util_read(name, NULL);
        for (size_t at = 0; at < length; at++) {
            bytes[at] = (char)(original[at] ^ (1 << (at % 8)));
            write_bytes(name, bytes, length);
            undetected += walk("ds") == 0;
            bytes[at] = original[at];
        }
        /* White space between the values of dataset.json may change (its indent is a third of it), and nothing else. */
        if (i == 0)
            assert_true(undetected < length / 3);
        else
            assert_int_equal(undetected, 0);
        for (size_t cut = 0; cut < length; cut += 1 + cut / 7) {
            write_bytes(name, original, cut);
            assert_true(walk("ds") == RECO_E_DATA);
        }
        for (size_t more = 1; more < 20; more++) {
            char *grown = mem_calloc(length + more, 1);
            assert_non_null(grown);
            memcpy(grown, original, length);
            write_bytes(name, grown, length + more);
            assert_true(walk("ds") == RECO_E_DATA);
            mem_free(grown);
        }
        assert_int_equal(file_remove(util_path(name)), 0);
        assert_true(walk("ds") < 0);
        write_bytes(name, original, length);
        mem_free(original);
        mem_free(bytes);
    }
    assert_int_equal(walk("ds"), 0);
}

/* Every file of another dataset in the place of its namesake. */
static void test_exchanged_files(void **state)
{
    struct prepare_options o = util_options();
    char one[64], other[64];

    (void)state;
    /* equal sizes everywhere, so that nothing but the content tells */
    util_write("train.csv", "q,d,l\nred shoe,blue hat,1\na b c,d e,0\n");
    o.train_file = util_file(util_path("train.csv"));
    prepare(&o, "one");
    util_write("train.csv", "q,d,l\nblue hat,red shoe,0\nf g c,d a,1\n");
    o.train_file = util_file(util_path("train.csv"));
    prepare(&o, "other");
    for (size_t i = 0; i < 6; i++) {
        size_t length, other_length;
        snprintf(one, sizeof one, "one/%s", files[i]);
        snprintf(other, sizeof other, "other/%s", files[i]);
        char *original = util_read(one, &length), *bytes = util_read(other, &other_length);
        bool differ = length != other_length || memcmp(original, bytes, length) != 0;
        write_bytes(one, bytes, other_length);
        assert_int_equal(walk("one"), differ ? RECO_E_DATA : 0);
        if (i == 1) {
            assert_int_equal(length, other_length);
            assert_non_null(strstr(err_message(), "the content of another dataset in 'texts.ids'"));
        }
        write_bytes(one, original, length);
        mem_free(bytes);
        mem_free(original);
    }
}

static void test_damaged_block_is_named(void **state)
{
    enum { ROWS = 20000, BLOCK = 1 << 20 };
    struct prepare_options o = util_options();
    size_t length;
    char expected[96];

    (void)state;
    write_large("large.csv", ROWS);
    o.train_file = util_file(util_path("large.csv"));
    prepare(&o, "large");
    for (size_t i = 1; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "large/%s", files[i]);
        char *bytes = util_read(name, &length);
        size_t blocks = 0, content = length;
        while (blocks * 8 + blocks * BLOCK < length)
            blocks++;
        content -= blocks * 8;
        size_t at = blocks > 1 ? (blocks - 2) * BLOCK + 12345 : content / 2;
        bytes[at] = (char)(bytes[at] ^ 16);
        write_bytes(name, bytes, length);
        assert_int_equal(walk("large"), RECO_E_DATA);
        snprintf(expected, sizeof expected, "altered content in '%s', bytes %zu to ", files[i], at / BLOCK * BLOCK);
        assert_non_null(strstr(err_message(), expected));
        bytes[at] = (char)(bytes[at] ^ 16);
        if (blocks > 1) { /* a checksum of it */
            bytes[length - 16] = (char)(bytes[length - 16] ^ 1);
            write_bytes(name, bytes, length);
            assert_int_equal(walk("large"), RECO_E_DATA);
            bytes[length - 16] = (char)(bytes[length - 16] ^ 1);
        }
        write_bytes(name, bytes, length);
        mem_free(bytes);
    }
    assert_int_equal(walk("large"), 0);
}

/* A dataset.json whose entries were changed by hand, one by one. */
static void test_changed_json(void **state)
{
    static const struct {
        const char *from, *to, *said;
    } changes[] = {
        {"\"vocab_size\": ", "\"vocab_size\": 1", "dataset.json"},
        {"\"positive\": \"1\"", "\"positive\": \"0\"", "altered content in 'dataset.json'"},
        {"\"query_column\": \"q\"", "\"query_column\": \"d\"", "altered content in 'dataset.json'"},
        {"\"name\": \"test\"", "\"name\": \"rest\"", "altered content in 'dataset.json'"},
    };

    (void)state;
    make_small("ds");
    char *original = util_read("ds/dataset.json", NULL);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct buf text = {0};
        const char *at = strstr(original, changes[i].from);
        assert_non_null(at);
        assert_int_equal(buf_add(&text, original, (size_t)(at - original)), 0);
        assert_int_equal(buf_add_str(&text, changes[i].to), 0);
        assert_int_equal(buf_add_str(&text, at + strlen(changes[i].from)), 0);
        util_write("ds/dataset.json", buf_str(&text));
        assert_int_equal(walk("ds"), RECO_E_DATA);
        assert_non_null(strstr(err_message(), changes[i].said));
        buf_release(&text);
    }
    /* the hash of the vocabulary, digit by digit */
    char *at = strstr(strstr(original, "\"tokenizer\""), "\"hash\": \"");
    for (size_t i = 9; i < 9 + 32; i++) {
        at[i] = at[i] == '0' ? '1' : '0';
        util_write("ds/dataset.json", original);
        assert_int_equal(walk("ds"), RECO_E_DATA);
        at[i] = at[i] == '0' ? '1' : '0';
    }
    mem_free(original);
}

static void test_not_a_dataset(void **state)
{
    struct dataset *ds = NULL;

    (void)state;
    assert_int_equal(dataset_open(&ds, "/nonexistent/ds"), RECO_E_IO);
    assert_int_equal(dataset_open(&ds, "/tmp"), RECO_E_DATA);
    assert_string_equal(err_message(), "no dataset in '/tmp': it has no dataset.json");
    assert_int_equal(dir_make(util_path("other")), 0);
    util_write("other/dataset.json", "{\"format\": \"reco dataset\", \"version\": 1}");
    assert_int_equal(dataset_open(&ds, util_path("other")), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "has version 1, and this reco reads 2; prepare it again"));
    util_write("other/dataset.json", "{");
    assert_int_equal(dataset_open(&ds, util_path("other")), RECO_E_DATA);
    assert_null(ds);
}

static void test_open_torture(void **state)
{
    bool finished = false;

    (void)state;
    make_small("ds");
    for (long n = 1; !finished; n++) {
        struct dataset *ds = NULL;
        mem_fail_after(n);
        int rc = dataset_open(&ds, util_path("ds"));
        mem_fail_after(0);
        dataset_close(ds);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encode),
        cmocka_unit_test(test_columns_labels_and_texts),
        cmocka_unit_test(test_single_texts),
        cmocka_unit_test(test_regression),
        cmocka_unit_test(test_wide_ids),
        cmocka_unit_test(test_threads_do_not_matter),
        cmocka_unit_test(test_not_a_dataset),
        cmocka_unit_test(test_open_torture),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_exchanged_files),
        cmocka_unit_test(test_damaged_block_is_named),
        cmocka_unit_test(test_changed_json),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
