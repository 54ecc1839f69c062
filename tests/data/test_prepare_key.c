#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/rng.h"
#include "data/prepare_internal.h"

static void check(const char *text, const char *expected)
{
    struct buf b = {0};
    assert_int_equal(prepare_normalise(&b, text, strlen(text)), 0);
    assert_string_equal(buf_str(&b), expected);
    assert_int_equal(b.length, strlen(expected));
    buf_release(&b);
}

static void test_by_hand(void **state)
{
    (void)state;
    check("", "");
    check(" \t\r\n ", "");
    check("  Two  WORDS ", "two words");
    check("Exactly 16 bytes", "exactly 16 bytes");
    check("A space is last. A space is last. ", "a space is last. a space is last.");
    check("A space is 16th  and another comes", "a space is 16th and another comes");
    check("A tab in a long\tText of many words", "a tab in a long text of many words");
    check("@[`{ AZ az 09 \x7f@[`{ AZ az 09 ", "@[`{ az az 09 \x7f@[`{ az az 09");
    check("\xC3\x89t\xC3\xA9\xC2\xA0 \xE3\x80\x80 IN Paris, and In Rome", "\xC3\xA9t\xC3\xA9 in paris, and in rome");
    check("\xC8\xBA\xC8\xBA", "\xE2\xB1\xA5\xE2\xB1\xA5"); /* lower case is longer */
    check("\xFF", "\xEF\xBF\xBD");
}

/* Long texts, read in steps of bytes, against the words one by one. */
static void test_words(void **state)
{
    static const char *const gaps[] = {" ", " ", " ", " ", "  ", "\t", " \n", "\xC2\xA0"};
    struct rng rng;
    (void)state;
    rng_init(&rng, 5, RNG_STREAM_SAMPLE, 0);
    for (int round = 0; round < 5000; round++) {
        struct buf text = {0}, expected = {0}, normal = {0};
        size_t words = (size_t)rng_below(&rng, 20);
        for (size_t w = 0; w < words; w++) {
            const char *gap = gaps[rng_below(&rng, sizeof gaps / sizeof gaps[0])];
            assert_int_equal(w == 0 ? 0 : buf_add_str(&text, gap), 0);
            assert_int_equal(w == 0 ? 0 : buf_add_str(&expected, " "), 0);
            for (size_t letters = 1 + (size_t)rng_below(&rng, 9); letters > 0; letters--) {
                char c = (char)('!' + rng_below(&rng, '\x7F' - '!')), lower = c;
                if (c >= 'A' && c <= 'Z')
                    lower = (char)(c - 'A' + 'a');
                assert_int_equal(buf_add(&text, &c, 1), 0);
                assert_int_equal(buf_add(&expected, &lower, 1), 0);
            }
        }
        assert_int_equal(prepare_normalise(&normal, buf_str(&text), text.length), 0);
        assert_string_equal(buf_str(&normal), buf_str(&expected));
        buf_release(&text);
        buf_release(&expected);
        buf_release(&normal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_words)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
