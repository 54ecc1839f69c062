/* Spooled rows come back as they were; bytes that are no row are refused. Text sets: numbers, order, tokens, rewriting.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "core/pool.h"
#include "core/rng.h"
#include "data/spool.h"
#include "data/text_set.h"
#include "prepare_util.h"

static struct spool_text text_of(const char *text)
{
    return (struct spool_text){text, strlen(text)};
}

static void expect_text(struct spool_text found, const char *text)
{
    assert_int_equal(found.length, strlen(text));
    assert_memory_equal(found.text, text, found.length);
}

static struct spool_row make_row(uint64_t i)
{
    return (struct spool_row){.kind = (enum spool_kind)(i % 3),
                              .rule = (uint32_t)i,
                              .file = 2,
                              .query = (uint32_t)(i * 3),
                              .description = UINT32_MAX,
                              .label = (int32_t)(i % 5) - 2,
                              .weight = (float)i / 2,
                              .changed = i << 40,
                              .record = i,
                              .line = i * 2,
                              .query_key = i * 7,
                              .pair_key = ~i,
                              .item_key = 11,
                              .category_key = 12,
                              .id_key = 13,
                              .target = i % 2 == 0 ? NAN : (double)i,
                              .time_us = -(int64_t)i,
                              .order = text_of(i % 7 == 0 ? "" : "order"),
                              .columns = text_of("id\tquery\titem"),
                              .reason = text_of(""),
                              .raw = text_of("raw bytes")};
}

static void test_rows(void **state)
{
    enum { ROWS = 20000 };
    struct spool_writer *w = NULL;
    struct spool_reader r = {0};
    struct spool_row row;
    bool found;

    (void)state;
    assert_int_equal(spool_writer_open(&w, NULL), 0);
    for (uint64_t i = 0; i < ROWS; i++) {
        row = make_row(i);
        assert_int_equal(spool_write(w, &row), 0);
    }
    assert_int_equal(spool_rows(w), ROWS);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(spool_reader_open(&r, w), 0);
        for (uint64_t i = 0; i < ROWS; i++) {
            struct spool_row expected = make_row(i);
            assert_int_equal(spool_next(&r, &row, &found), 0);
            assert_true(found);
            assert_int_equal(row.kind, expected.kind);
            assert_int_equal(row.query, expected.query);
            assert_int_equal(row.label, expected.label);
            assert_true(row.weight == expected.weight);
            assert_true(row.changed == expected.changed && row.line == expected.line);
            assert_true(row.query_key == expected.query_key && row.pair_key == expected.pair_key);
            assert_true(isnan(expected.target) ? isnan(row.target) : row.target == expected.target);
            assert_true(row.time_us == expected.time_us);
            expect_text(row.order, i % 7 == 0 ? "" : "order");
            expect_text(row.columns, "id\tquery\titem");
            expect_text(row.reason, "");
            expect_text(row.raw, "raw bytes");
        }
        assert_int_equal(spool_next(&r, &row, &found), 0);
        assert_false(found);
        spool_reader_release(&r);
    }
    spool_writer_free(w);
    spool_writer_free(NULL);
}

static void test_damaged(void **state)
{
    struct spool_writer *w = NULL;
    struct spool_row row = make_row(4), back;
    const void *bytes;
    size_t length;

    (void)state;
    assert_int_equal(spool_writer_open(&w, NULL), 0);
    assert_int_equal(spool_pack(w, &row, &bytes, &length), 0);
    assert_int_equal(spool_unpack(bytes, length, &back), 0);
    for (size_t cut = 0; cut < length; cut++)
        assert_int_equal(spool_unpack(bytes, cut, &back), RECO_E_DATA);
    spool_writer_free(w);
}

/* ---- text sets ---- */

static void read_all(const char *dir, char **texts, size_t count, bool with_ids)
{
    struct text_set *set = NULL;
    struct text_set_text text;
    bool found;

    assert_int_equal(text_set_open(&set, util_path(dir), true), 0);
    assert_int_equal(text_set_count(set), count);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(text_set_next(set, with_ids, &text, &found), 0);
            assert_true(found);
            assert_int_equal(text.length, strlen(texts[i]));
            assert_memory_equal(text.text, texts[i], text.length);
            struct text_key key = text_set_key(set, (uint32_t)i), expected = text_key_of(texts[i], strlen(texts[i]));
            assert_true(key.low == expected.low && key.high == expected.high);
            if (with_ids)
                assert_int_equal(text.id_count, text_set_tokens(set, (uint32_t)i));
        }
        assert_int_equal(text_set_next(set, with_ids, &text, &found), 0);
        assert_false(found);
        text_set_rewind(set);
    }
    text_set_close(set);
}

static int copy_text(struct text_set_writer *w, struct text_set *set)
{
    struct text_set_text text;
    bool found;
    int rc = text_set_next(set, true, &text, &found);

    return rc < 0 || !found ? rc : text_set_put(w, text.text, text.length, text.ids, text.id_count);
}

/* Written with 1 thread, with 4, as a draft, and copied from the draft: the same files but for the draft. */
static void test_text_set(void **state)
{
    enum { TEXTS = 70000 };
    static const char *const dirs[] = {"set1", "set4", "draft", "copy"};
    char **texts = mem_calloc(TEXTS, sizeof *texts);
    struct rng rng;

    (void)state;
    assert_non_null(texts);
    rng_init(&rng, 1, RNG_STREAM_SAMPLE, 0);
    for (size_t i = 0; i < TEXTS; i++) {
        struct buf b = {0};
        assert_int_equal(buf_printf(&b, "red shoe %zu", i), 0);
        for (uint64_t words = rng_below(&rng, i % 1000 == 0 ? 30000 : 12); words > 0; words--)
            assert_int_equal(buf_add_str(&b, words % 2 == 0 ? " blue" : " hat"), 0);
        texts[i] = buf_take(&b);
    }
    for (size_t d = 0; d < 4; d++) {
        struct text_set_writer *w = NULL;
        struct text_set *draft = NULL;
        struct pool *pool = NULL;
        json_t *files = json_object();
        uint32_t number;
        assert_int_equal(dir_make(util_path(dirs[d])), 0);
        assert_int_equal(pool_new(&pool, d == 1 ? 4 : 1), 0);
        if (d == 3) {
            assert_int_equal(text_set_writer_open_put(&w, util_path(dirs[d]), text_set_id_bytes(util_wp), pool, NULL),
                             0);
            assert_int_equal(text_set_open(&draft, util_path("draft"), false), 0);
        } else {
            assert_int_equal(text_set_writer_open(&w, util_path(dirs[d]), util_wp, pool, NULL, d == 2), 0);
        }
        for (size_t i = 0; i < TEXTS; i++) {
            if (d == 3) {
                assert_int_equal(copy_text(w, draft), 0);
                continue;
            }
            size_t length = strlen(texts[i]);
            assert_int_equal(text_set_add(w, text_key_of(texts[i], length), texts[i], length, &number), 0);
            assert_int_equal(number, i);
            size_t known = i / 2;
            length = strlen(texts[known]);
            assert_int_equal(text_set_add(w, text_key_of(texts[known], length), texts[known], length, &number), 0);
            assert_int_equal(number, known);
        }
        assert_int_equal(text_set_commit(w, files, d != 3), 0);
        assert_int_equal(text_set_writer_count(w), TEXTS);
        assert_int_equal(json_object_size(files), d == 3 ? 3 : 4);
        text_set_writer_free(w);
        text_set_close(draft);
        pool_free(pool);
        json_decref(files);
        if (d != 3)
            read_all(dirs[d], texts, TEXTS, d != 1);
    }
    static const char *const names[] = {"texts.ids", "texts.index", "texts.zst"};
    for (size_t n = 0; n < 3; n++) {
        char one[64], other[64];
        size_t one_length, other_length;
        snprintf(one, sizeof one, "set1/%s", names[n]);
        char *expected = util_read(one, &one_length);
        for (size_t d = 1; d < 4; d += 2) {
            snprintf(other, sizeof other, "%s/%s", dirs[d], names[n]);
            char *bytes = util_read(other, &other_length);
            assert_int_equal(one_length, other_length);
            assert_memory_equal(expected, bytes, one_length);
            mem_free(bytes);
        }
        mem_free(expected);
    }
    for (size_t i = 0; i < TEXTS; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_text_set),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
