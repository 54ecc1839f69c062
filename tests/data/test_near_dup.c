#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/near_dup.h"
#include "data/near_dup_internal.h"

static uint32_t *groups_of(double threshold, const char *const *texts, size_t count, int threads, size_t max_bytes,
                           size_t at_once)
{
    size_t *lengths = calloc(count, sizeof *lengths);
    struct near_dup *n = NULL;
    struct pool *pool = NULL;
    uint32_t *groups = NULL;
    assert_non_null(lengths);
    for (size_t i = 0; i < count; i++)
        lengths[i] = strlen(texts[i]);
    assert_int_equal(pool_new(&pool, threads), 0);
    assert_int_equal(near_dup_new(&n, threshold, NULL, max_bytes), 0);
    for (size_t i = 0; i < count; i += at_once)
        assert_int_equal(near_dup_add(n, pool, texts + i, lengths + i, count - i < at_once ? count - i : at_once), 0);
    assert_int_equal(near_dup_groups(n, &groups), 0);
    near_dup_free(n);
    pool_free(pool);
    free(lengths);
    return groups;
}

static void test_by_hand(void **state)
{
    static const char *const texts[] = {
        "Apple iPhone 6 16GB Space Gray factory unlocked smartphone with charger and cable in the box",
        "apple  IPHONE 6, 16gb (space gray) factory unlocked smartphone with charger and cable in the box!",
        "Apple iPhone 6 16GB Space Gray factory unlocked smartphone with charger and cable in the bag",
        "A garden hose of 20 metres with brass fittings at both ends, green, for the house and the yard",
        "",
        "!!!",
        "",
        "red shoes",
        "Red Shoes",
        "shoes red",
        "red",
        "苹果手机六代十六吉深空灰色解锁版带充电器和数据线全新未拆封",
        "苹果手机六代，十六吉，深空灰色解锁版，带充电器和数据线，全新未拆封！",
        "花园软管二十米黄铜接头绿色适合家庭和院子使用",
    };
    (void)state;
    uint32_t *groups = groups_of(0.8, texts, sizeof texts / sizeof texts[0], 1, 1 << 20, 100);
    static const uint32_t expected[] = {0, 0, 0, 3, 4, 5, 6, 7, 7, 7, 10, 11, 11, 13};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(groups[i], expected[i]);
    mem_free(groups);
}

static void test_shingles(void **state)
{
    struct near_dup_scratch s = {0};
    (void)state;
    static const struct {
        const char *text;
        size_t count;
    } cases[] = {
        {"one two three four", 2},
        {"one two three", 1},
        {"one two", 2},
        {"one", 1},
        {" - ", 0},
        {"", 0},
        {"中文字", 1},
        {"中文字很多的", 2},
        {"中文 usb cable with long plug", 5}, /* 7 words, mostly Latin */
        {"\xff\xfe", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(near_dup_shingles(&s, cases[i].text, strlen(cases[i].text)), 0);
        assert_int_equal(s.word_count, cases[i].count);
    }
    near_dup_scratch_release(&s);
}

/* Synthetic texts ---------------------------------------------------------------------------------------------------
 */

enum { BASES = 3000, VARIANTS = 2, TEXTS = BASES * VARIANTS };

struct texts {
    char *texts[TEXTS];
    uint64_t *shingles[TEXTS]; /* sorted, distinct */
    size_t counts[TEXTS];
};

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Each text, and one that differs from it by up to 12 % of its words. */
static void make_texts(struct texts *t, bool chinese)
{
    struct near_dup_scratch scratch = {0};
    struct rng rng;
    rng_init(&rng, 5, RNG_STREAM_SAMPLE, chinese);
    for (size_t base = 0; base < BASES; base++) {
        uint32_t words[200];
        size_t count = 30 + rng_below(&rng, 150);
        for (size_t w = 0; w < count; w++)
            words[w] = (uint32_t)rng_below(&rng, 3000);
        for (size_t v = 0; v < VARIANTS; v++) {
            struct buf b = {0};
            size_t changes = v == 0 ? 0 : rng_below(&rng, 1 + count * 12 / 100);
            for (size_t change = 0; change < changes; change++)
                words[rng_below(&rng, count)] = (uint32_t)rng_below(&rng, 3000);
            for (size_t w = 0; w < count; w++) {
                uint32_t c = 0x4E00 + words[w];
                if (chinese)
                    assert_int_equal(buf_printf(&b, "%c%c%c", (int)(0xE0 | c >> 12), (int)(0x80 | (c >> 6 & 63)),
                                                (int)(0x80 | (c & 63))),
                                     0);
                else
                    assert_int_equal(buf_printf(&b, "w%u ", words[w]), 0);
            }
            size_t i = base * VARIANTS + v;
            assert_int_equal(near_dup_shingles(&scratch, buf_str(&b), b.length), 0);
            t->shingles[i] = calloc(scratch.word_count + 1, sizeof(uint64_t));
            assert_non_null(t->shingles[i]);
            memcpy(t->shingles[i], scratch.words, scratch.word_count * sizeof(uint64_t));
            qsort(t->shingles[i], scratch.word_count, sizeof(uint64_t), compare_u64);
            for (size_t k = 0; k < scratch.word_count; k++)
                if (k == 0 || t->shingles[i][k] != t->shingles[i][k - 1])
                    t->shingles[i][t->counts[i]++] = t->shingles[i][k];
            t->texts[i] = buf_take(&b);
        }
    }
    near_dup_scratch_release(&scratch);
}

static double jaccard(const struct texts *t, size_t a, size_t b)
{
    size_t i = 0, j = 0, both = 0;
    while (i < t->counts[a] && j < t->counts[b]) {
        uint64_t x = t->shingles[a][i], y = t->shingles[b][j];
        both += x == y;
        i += x <= y;
        j += y <= x;
    }
    return (double)both / (double)(t->counts[a] + t->counts[b] - both);
}

static void free_texts(struct texts *t)
{
    for (size_t i = 0; i < TEXTS; i++) {
        mem_free(t->texts[i]);
        free(t->shingles[i]);
    }
    free(t);
}

/*
 * Against the exact similarity: of the pairs well above the threshold (two standard errors) nearly all are found, of
 * those at it or above most, and few of those found are well below it.
 */
static void check_recall(bool chinese)
{
    struct texts *t = calloc(1, sizeof *t);
    assert_non_null(t);
    make_texts(t, chinese);
    uint32_t *groups = groups_of(0.8, (const char *const *)t->texts, TEXTS, 1, 1 << 24, 1000);
    size_t above = 0, above_found = 0, at = 0, at_found = 0, found = 0, found_below = 0;
    for (size_t i = 0; i < TEXTS; i += VARIANTS) {
        bool same = groups[i + 1] == groups[i];
        double exact = jaccard(t, i, i + 1);
        assert_int_equal(groups[i], i); /* strangers are not joined */
        assert_true(same || groups[i + 1] == i + 1);
        above += exact >= 0.87;
        above_found += exact >= 0.87 && same;
        at += exact >= 0.8;
        at_found += exact >= 0.8 && same;
        found += same;
        found_below += same && exact < 0.73;
    }
    print_message("%s: recall %.4f of %zu pairs at 0.8 or more, %.4f of %zu at 0.87 or more; %zu of %zu found below "
                  "0.73\n",
                  chinese ? "characters" : "words", (double)at_found / (double)at, at,
                  (double)above_found / (double)above, above, found_below, found);
    assert_true(above > 400);
    assert_true((double)above_found / (double)above >= 0.995);
    assert_true((double)at_found / (double)at >= 0.92);
    assert_true((double)found_below / (double)found <= 0.02);

    /* the same for other threads, memory and portions */
    uint32_t *other = groups_of(0.8, (const char *const *)t->texts, TEXTS, 3, 1, 77);
    assert_memory_equal(groups, other, TEXTS * sizeof *groups);
    mem_free(other);
    mem_free(groups);
    free_texts(t);
}

static void test_recall_words(void **state)
{
    (void)state;
    check_recall(false);
}

static void test_recall_characters(void **state)
{
    (void)state;
    check_recall(true);
}

static void test_sort(void **state)
{
    enum { COUNT = 5000 };
    struct near_dup_entry *entries = calloc(COUNT, sizeof *entries), *scratch = calloc(COUNT, sizeof *scratch);
    struct rng rng;
    (void)state;
    assert_non_null(entries);
    assert_non_null(scratch);
    rng_init(&rng, 5, RNG_STREAM_SAMPLE, 0);
    /* few upper and few lower bits: equal hashes, and hashes that differ in what the radix sort does not look at */
    for (uint32_t i = 0; i < COUNT; i++)
        entries[i] = (struct near_dup_entry){rng_below(&rng, 40) << 58 | rng_below(&rng, 40), i};
    near_dup_sort(&entries, &scratch, COUNT);
    for (size_t i = 1; i < COUNT; i++) {
        const struct near_dup_entry *a = &entries[i - 1], *b = &entries[i];
        assert_true(a->hash < b->hash || (a->hash == b->hash && a->number < b->number));
    }
    near_dup_sort(&entries, &scratch, 0);
    free(entries);
    free(scratch);
}

static void test_threshold_one(void **state)
{
    static const char *const texts[] = {"a b c d e f g", "A, b; c d e f g", "a b c d e f h"};
    (void)state;
    uint32_t *groups = groups_of(1, texts, 3, 1, 0, 3);
    assert_int_equal(groups[1], 0);
    assert_int_equal(groups[2], 2);
    mem_free(groups);
    struct near_dup *n = NULL;
    assert_int_equal(near_dup_new(&n, 0, NULL, 0), RECO_E_USAGE);
    assert_int_equal(near_dup_new(&n, 1.5, NULL, 0), RECO_E_USAGE);
    assert_null(n);
}

static void test_out_of_memory(void **state)
{
    static const char *const texts[] = {"one two three four five", "one two three four five", "中文字很多的"};
    static const size_t lengths[] = {23, 23, 18};
    (void)state;
    for (long n = 1;; n++) {
        struct near_dup *dup = NULL;
        struct pool *pool = NULL;
        uint32_t *groups = NULL;
        assert_int_equal(pool_new(&pool, 1), 0);
        mem_fail_after(n);
        int rc = near_dup_new(&dup, 0.8, NULL, 0);
        if (rc == 0)
            rc = near_dup_add(dup, pool, texts, lengths, 3);
        if (rc == 0)
            rc = near_dup_groups(dup, &groups);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        near_dup_free(dup);
        pool_free(pool);
        mem_free(groups);
        if (rc == 0)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),       cmocka_unit_test(test_shingles),
        cmocka_unit_test(test_recall_words),  cmocka_unit_test(test_recall_characters),
        cmocka_unit_test(test_threshold_one), cmocka_unit_test(test_sort),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
