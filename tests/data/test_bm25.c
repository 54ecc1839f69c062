/* The index of texts: its ranking against the formula, words of many scripts, texts that look like queries. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/bm25.h"

static struct bm25 *index_of(const char *const *texts, size_t count)
{
    struct bm25 *b = NULL;

    if (bm25_new(&b, NULL) != 0)
        fail_msg("%s", err_message());
    for (size_t i = 0; i < count; i++)
        assert_int_equal(bm25_add(b, texts[i], strlen(texts[i])), 0);
    if (bm25_finish(b, 1) != 0)
        fail_msg("%s", err_message());
    return b;
}

static void expect_found(struct bm25 *b, const char *query, const char *expected)
{
    uint32_t numbers[16];
    size_t count = 99;
    char text[128] = "";

    if (bm25_search(b, 0, query, strlen(query), 16, numbers, &count) != 0)
        fail_msg("'%s': %s", query, err_message());
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", numbers[i]);
    if (strcmp(text, expected) != 0)
        fail_msg("'%s' finds %s and not %s", query, text, expected);
}

static void test_words(void **state)
{
    static const char *const texts[] = {
        "Red SHOE, size-42",                                            /* 0 */
        "caf\xc3\xa9 au lait",                                          /* 1 */
        "\xe7\xba\xa2\xe8\x89\xb2\xe8\xbf\x90\xe5\x8a\xa8\xe9\x9e\x8b", /* 2: red sports shoe */
        "\xe8\x93\x9d\xe8\x89\xb2\xe9\x9e\x8b nike",                    /* 3: blue shoe nike */
        "\xef\xbc\xb2\xef\xbc\xa5\xef\xbc\xa4 lamp",                    /* 4: full-width RED */
        "",                                                             /* 5 */
        "\xd0\x9a\xd0\xa0\xd0\x90\xd0\xa1\xd0\x9d\xd0\xab\xd0\x99",     /* 6: Russian red, capitals */
        "AND OR NOT NEAR(x y) \"quoted\" col:umn sta*r",                /* 7 */
        "\xff\xfe broken \x80 bytes",                                   /* 8 */
    };
    struct bm25 *b = index_of(texts, sizeof texts / sizeof *texts);

    (void)state;
    expect_found(b, "shoe", "0 ");
    expect_found(b, "Shoe!", "0 ");
    expect_found(b, "42", "0 ");
    expect_found(b, "size-42", "0 ");
    expect_found(b, "cafe", "1 ");
    expect_found(b, "CAF\xc3\x89", "1 ");
    expect_found(b, "\xe8\xbf\x90\xe5\x8a\xa8", "2 ");   /* sports */
    expect_found(b, "\xe8\x93\x9d", "3 ");               /* blue, the rarest of its characters */
    expect_found(b, "\xe9\x9e\x8bnike", "3 2 ");         /* shoe, and nike without a blank before */
    expect_found(b, "\xe8\x89\xb2\xe9\x9e\x8b", "3 2 "); /* color + shoe: the pair, then its characters */
    expect_found(b, "red", "4 0 ");
    expect_found(b, "\xd0\xba\xd1\x80\xd0\xb0\xd1\x81\xd0\xbd\xd1\x8b\xd0\xb9", "6 ");
    expect_found(b, "near", "7 ");
    expect_found(b, "NOT", "7 ");
    expect_found(b, "\"", "");
    expect_found(b, "\"quoted\" OR (", "7 ");
    expect_found(b, "col:", "7 ");
    expect_found(b, "sta*", "7 ");
    expect_found(b, "broken", "8 ");
    expect_found(b, "", "");
    expect_found(b, "- * ^ ( ) : + \xff", "");
    expect_found(b, "nothing", "");
    bm25_free(b);
}

/* ---- the formula ---- */

enum { TEXTS = 60, WORDS = 12, LONGEST = 9 };

static double score_of(int counts[TEXTS][WORDS], const int lengths[TEXTS], const bool asked[WORDS], int text)
{
    double score = 0, mean = 0;

    for (int t = 0; t < TEXTS; t++)
        mean += (double)lengths[t] / TEXTS;
    for (int w = 0; w < WORDS; w++) {
        int with = 0;
        for (int t = 0; t < TEXTS; t++)
            with += counts[t][w] > 0;
        double idf = log((TEXTS - with + 0.5) / (with + 0.5)), f = counts[text][w];
        if (idf <= 0)
            idf = 1e-6;
        if (asked[w])
            score += idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * lengths[text] / mean));
    }
    return score;
}

static void test_ranking(void **state)
{
    struct rng rng;

    (void)state;
    rng_init(&rng, 11, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 20; round++) {
        int counts[TEXTS][WORDS] = {0}, lengths[TEXTS];
        struct bm25 *b = NULL;
        assert_int_equal(bm25_new(&b, "/tmp"), 0);
        for (int t = 0; t < TEXTS; t++) {
            char text[256] = "";
            lengths[t] = (int)rng_below(&rng, LONGEST);
            for (int i = 0; i < lengths[t]; i++) {
                int w = (int)(rng_uniform(&rng) * rng_uniform(&rng) * WORDS);
                counts[t][w]++;
                snprintf(text + strlen(text), sizeof text - strlen(text), "word%d ", w);
            }
            assert_int_equal(bm25_add(b, text, strlen(text)), 0);
        }
        assert_int_equal(bm25_finish(b, 2), 0);
        for (int q = 0; q < 20; q++) {
            bool asked[WORDS] = {false};
            char query[128] = "";
            uint32_t numbers[TEXTS];
            size_t count, limit = 1 + (size_t)rng_below(&rng, TEXTS), matching = 0;
            for (int i = 0; i < 3; i++) {
                int w = (int)rng_below(&rng, WORDS);
                asked[w] = true;
                snprintf(query + strlen(query), sizeof query - strlen(query), "WORD%d ", w);
            }
            assert_int_equal(bm25_search(b, (size_t)q % 2, query, strlen(query), limit, numbers, &count), 0);
            for (int t = 0; t < TEXTS; t++) {
                bool match = false;
                for (int w = 0; w < WORDS; w++)
                    match = match || (asked[w] && counts[t][w] > 0);
                matching += match;
            }
            assert_int_equal(count, matching < limit ? matching : limit);
            for (size_t i = 1; i < count; i++) {
                double before = score_of(counts, lengths, asked, (int)numbers[i - 1]);
                double score = score_of(counts, lengths, asked, (int)numbers[i]);
                assert_true(before > score - 1e-9);
                /* equal texts have exactly equal scores */
                if (memcmp(counts[numbers[i]], counts[numbers[i - 1]], sizeof counts[0]) == 0)
                    assert_true(numbers[i - 1] < numbers[i]);
            }
        }
        bm25_free(b);
    }
}

/* A word in most of many texts is left out, unless there is no other. */
static void test_common_words(void **state)
{
    struct bm25 *b = NULL;
    char text[64];

    (void)state;
    assert_int_equal(bm25_new(&b, NULL), 0);
    for (int i = 0; i < 5000; i++) {
        int length = snprintf(text, sizeof text, "%s%s item%d", i % 2 == 0 ? "the " : "",
                              i == 7 || i == 8 ? "rare" : "usual", i);
        assert_int_equal(bm25_add(b, text, (size_t)length), 0);
    }
    assert_int_equal(bm25_finish(b, 1), 0);
    expect_found(b, "the rare", "7 8 ");
    expect_found(b, "the", "0 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 ");
    bm25_free(b);
}

static int left_overs(const char *dir)
{
    DIR *d = opendir(dir);
    int count = 0;

    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(d);
    return count;
}

static void test_errors_and_left_overs(void **state)
{
    struct bm25 *b = NULL;
    char dir[64];

    (void)state;
    assert_int_equal(bm25_new(&b, "/nonexistent"), RECO_E_IO);
    snprintf(dir, sizeof dir, "/tmp/reco_test_bm25.%ld", (long)getpid());
    assert_int_equal(dir_make(dir), 0);
    assert_int_equal(bm25_new(&b, dir), 0);
    assert_int_equal(left_overs(dir), 1);
    assert_int_equal(bm25_add(b, "x", 1), 0);
    bm25_free(b);
    assert_int_equal(left_overs(dir), 0);
    assert_int_equal(bm25_new(&b, dir), 0);
    assert_int_equal(bm25_finish(b, 2), 0);
    assert_int_equal(left_overs(dir), 0);
    expect_found(b, "x", "");
    bm25_free(b);
    bool finished = false;
    for (long n = 1; !finished; n++) {
        uint32_t numbers[4];
        size_t count;
        b = NULL;
        mem_fail_after(n);
        int rc = bm25_new(&b, dir);
        if (rc == 0)
            rc = bm25_add(b, "red shoe", 8);
        if (rc == 0)
            rc = bm25_finish(b, 2);
        if (rc == 0)
            rc = bm25_search(b, 1, "shoe", 4, 4, numbers, &count);
        mem_fail_after(0);
        bm25_free(b);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        assert_int_equal(left_overs(dir), 0);
        finished = rc == 0;
    }
    assert_int_equal(dir_remove(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_ranking),
        cmocka_unit_test(test_common_words),
        cmocka_unit_test(test_errors_and_left_overs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
