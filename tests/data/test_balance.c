/* Balance: targets by their definition, keys, weights against scikit-learn's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "data/balance.h"

static void expect_targets(int method, double ratio, const uint64_t *counts, const uint64_t *expected, int classes)
{
    const struct balance_options o = {.balance = method, .balance_ratio = ratio};
    uint64_t targets[8];

    balance_targets(&o, counts, classes, targets);
    for (int i = 0; i < classes; i++)
        assert_int_equal(targets[i], expected[i]);
}

static void test_targets(void **state)
{
    const uint64_t counts[] = {100, 10, 0, 37};

    (void)state;
    expect_targets(BALANCE_NONE, 1, counts, counts, 4);
    expect_targets(BALANCE_UNDER, 1, counts, (const uint64_t[]){10, 10, 0, 10}, 4);
    expect_targets(BALANCE_UNDER, 2.5, counts, (const uint64_t[]){25, 10, 0, 25}, 4);
    expect_targets(BALANCE_UNDER, 3.99, counts, (const uint64_t[]){39, 10, 0, 37}, 4);
    expect_targets(BALANCE_UNDER, 10, counts, counts, 4);
    expect_targets(BALANCE_OVER, 1, counts, (const uint64_t[]){100, 100, 0, 100}, 4);
    expect_targets(BALANCE_OVER, 3, counts, (const uint64_t[]){100, 34, 0, 37}, 4);
    expect_targets(BALANCE_OVER, 10, counts, counts, 4);
    expect_targets(BALANCE_UNDER, 1, (const uint64_t[]){0, 0}, (const uint64_t[]){0, 0}, 2);
}

static void test_options(void **state)
{
    struct balance_options o = {.balance_ratio = 1};

    (void)state;
    assert_int_equal(balance_options_check(&o, true), 0);
    o.balance = BALANCE_UNDER;
    assert_int_equal(balance_options_check(&o, false), 0);
    assert_int_equal(balance_options_check(&o, true), RECO_E_USAGE);
    o = (struct balance_options){.balance_ratio = 1, .class_weights = "balanced"};
    assert_int_equal(balance_options_check(&o, true), RECO_E_USAGE);
    o = (struct balance_options){.balance = BALANCE_OVER, .balance_ratio = 0.5};
    assert_int_equal(balance_options_check(&o, false), RECO_E_USAGE);
    o.balance_ratio = NAN;
    assert_int_equal(balance_options_check(&o, false), RECO_E_USAGE);
}

/* The key of a row depends on its id and the seed alone. */
static void test_keys(void **state)
{
    const struct balance_options o = {.balance_seed = 3}, other = {.balance_seed = 4};

    (void)state;
    assert_int_equal(balance_key(&o, "row 1", 5), balance_key(&o, "row 12", 5));
    assert_int_not_equal(balance_key(&o, "row 1", 5), balance_key(&o, "row 2", 5));
    assert_int_not_equal(balance_key(&o, "row 1", 5), balance_key(&other, "row 1", 5));
}

/* ---- weights ---- */

static char *names[] = {"a", "b", "c", "4"};

static struct label_map map_of(int classes)
{
    return (struct label_map){.count = classes, .names = names};
}

/* scikit-learn 1.9.1, compute_class_weight("balanced", classes=unique(y), y=y) */
static void test_balanced_weights(void **state)
{
    static const struct {
        uint64_t counts[4];
        int classes;
        double expected[4];
    } cases[] = {
        {{30, 10, 60}, 3, {1.1111111111111112, 3.3333333333333335, 0.5555555555555556}},
        {{1, 999}, 2, {500.0, 0.5005005005005005}},
        {{7, 0, 3, 13}, 4, {1.0952380952380953, 1.0, 2.5555555555555554, 0.5897435897435898}},
    };
    const struct balance_options o = {.balance_ratio = 1, .class_weights = "balanced"}, none = {.balance_ratio = 1};
    double weights[4];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct label_map map = map_of(cases[i].classes);
        assert_int_equal(balance_weights(&o, &map, cases[i].counts, weights), 0);
        for (int c = 0; c < map.count; c++)
            assert_true(fabs(weights[c] - cases[i].expected[c]) <= 1e-15 * cases[i].expected[c]);
        assert_int_equal(balance_weights(&none, &map, cases[i].counts, weights), 0);
        for (int c = 0; c < map.count; c++)
            assert_true(weights[c] == 1.0);
    }
}

static void test_weights_from_files(void **state)
{
    static const struct {
        const char *text, *message; /* message NULL: 2, 0.5, 0, 1 */
    } cases[] = {
        {"{\"a\": 2, \"b\": 0.5, \"c\": 0, \"4.0\": 1}", NULL},
        {" \n{\"4\": 1, \"b\": 5e-1, \"a\": 2, \"c\": 0}\n", NULL},
        {"label,weight\na,2\nb,0.5\nc,0\n4,1\n", NULL},
        {"\xef\xbb\xbfnote,weight, label\nx,2,a\ny,\"0.5\",b\nz,0,c\n,1.0,4\n", NULL},
        {"{\"a\": 2, \"b\": 0.5, \"c\": 0}", "no weight for label '4'"},
        {"{\"a\": 2, \"b\": 0.5, \"c\": 0, \"4\": 1, \"d\": 1}", "label 'd' is not one of the data"},
        {"{\"a\": \"2\", \"b\": 0.5, \"c\": 0, \"4\": 1}", "the weight of 'a' is not a number of at least 0"},
        {"{\"a\": -2, \"b\": 0.5, \"c\": 0, \"4\": 1}", "the weight of 'a' is not a number of at least 0"},
        {"{\"4\": 2, \"4.0\": 0.5}", "label '4' is there twice"},
        {"{\"a\": 2,", "line 1"},
        {"label,weight\na,2\nb,heavy\n", "the weight of 'b' is not a number of at least 0"},
        {"label,weight\na,2\nb\n", "line 3: 1 field instead of 2"},
        {"label,weight\na,2\na,3\n", "label 'a' is there twice"},
        {"label,wight\na,2\n", "weight"},
        {"", "empty"},
    };
    static const double expected[] = {2, 0.5, 0, 1};
    const uint64_t counts[] = {1, 1, 1, 1};
    struct label_map map = map_of(4);
    double weights[4];
    char path[64];

    (void)state;
    snprintf(path, sizeof path, "/tmp/reco_test_balance.%ld", (long)getpid());
    struct balance_options o = {.balance_ratio = 1, .class_weights = path};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(file_write_all(path, cases[i].text, strlen(cases[i].text)), 0);
        int rc = balance_weights(&o, &map, counts, weights);
        if (cases[i].message == NULL) {
            if (rc != 0)
                fail_msg("%s", err_message());
            for (int c = 0; c < 4; c++)
                assert_true(weights[c] == expected[c]);
        } else {
            assert_true(rc == RECO_E_DATA || rc == RECO_E_USAGE);
            if (strstr(err_message(), cases[i].message) == NULL)
                fail_msg("'%s' is not in: %s", cases[i].message, err_message());
        }
    }
    assert_int_equal(file_remove(path), 0);
    assert_int_equal(balance_weights(&o, &map, counts, weights), RECO_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_balanced_weights),
        cmocka_unit_test(test_weights_from_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
