/* The label map: order, grades, lookup, hash, JSON and the errors of each. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mem.h"
#include "data/labels.h"
#include "data/number.h"

static void expect_names(const struct label_map *map, const char *expected)
{
    char all[256] = "";

    for (int i = 0; i < map->count; i++) {
        assert_true(strlen(all) + strlen(map->names[i]) + 2 < sizeof all);
        strncat(all, map->names[i], sizeof all - strlen(all) - 1);
        strncat(all, " ", sizeof all - strlen(all) - 1);
    }
    assert_string_equal(all, expected);
}

static int find(const struct label_map *map, const char *name)
{
    return label_map_find(map, name, strlen(name));
}

static void test_numbers_sort_and_grade(void **state)
{
    static const char *const values[] = {"10", "9", "-1", "2.50", "2.5", "9.0"};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_values(&map, values, 6), 0);
    expect_names(&map, "-1 2.5 9 10 ");
    assert_true(map.graded);
    assert_true(map.grades[0] == -1.0 && map.grades[1] == 2.5 && map.grades[2] == 9.0 && map.grades[3] == 10.0);
    assert_int_equal(map.positive, 3);
    assert_int_equal(find(&map, "2.50"), 1);
    assert_int_equal(find(&map, "1e1"), 3);
    assert_int_equal(find(&map, "3"), -1);
    assert_int_equal(find(&map, ""), -1);
    label_map_release(&map);
}

static void test_words_sort_by_bytes(void **state)
{
    static const char *const values[] = {"yes", "no", "10", "Maybe", "no"};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_values(&map, values, 5), 0);
    expect_names(&map, "10 Maybe no yes ");
    assert_false(map.graded);
    assert_null(map.grades);
    assert_int_equal(map.positive, 3);
    assert_int_equal(find(&map, "No"), -1);
    assert_int_equal(find(&map, "10.0"), 0);
    label_map_release(&map);
}

static void test_one_class(void **state)
{
    static const char *const values[] = {"1", "1.0"};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_values(&map, values, 2), RECO_E_DATA);
    assert_string_equal(err_message(), "only one class: every label is '1', and at least 2 are needed");
    assert_int_equal(label_map_from_values(&map, values, 0), RECO_E_DATA);
}

static void test_explicit_order(void **state)
{
    static const char *const names[] = {"irrelevant", "exact", "complement"};
    static const char *const twice[] = {"1", "0", "1.0"};
    static const char *const empty[] = {"a", ""};
    static const char *const numbers[] = {"4", "1", "3"};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_list(&map, names, 3), 0);
    expect_names(&map, "irrelevant exact complement ");
    assert_false(map.graded);
    assert_int_equal(label_map_set_positive(&map, "exact"), 0);
    assert_int_equal(map.positive, 1);
    assert_int_equal(label_map_set_positive(&map, "exakt"), RECO_E_USAGE);
    assert_string_equal(err_message(), "label 'exakt' is not in the data, did you mean 'exact'?");
    label_map_release(&map);
    assert_int_equal(label_map_from_list(&map, twice, 3), RECO_E_USAGE);
    assert_string_equal(err_message(), "label '1.0' is twice in the list of labels");
    assert_int_equal(label_map_from_list(&map, empty, 2), RECO_E_USAGE);
    assert_int_equal(label_map_from_list(&map, names, 1), RECO_E_USAGE);
    assert_int_equal(label_map_from_list(&map, numbers, 3), 0);
    expect_names(&map, "4 1 3 ");
    assert_true(map.graded);
    assert_int_equal(map.positive, 0); /* the highest grade, not the last */
    label_map_release(&map);
}

static void test_grades(void **state)
{
    static const char *const names[] = {"E", "S=x", "I"};
    static const char *const good[] = {"I=0", "E=1", "S=x=0.1"};
    static const char *const missing[] = {"I=0", "E=1"};
    static const char *const unknown[] = {"I=0", "E=1", "Q=2"};
    static const char *const doubled[] = {"I=0", "E=1", "E=2"};
    static const char *const no_number[] = {"I=0", "E=high", "S=x=1"};
    static const char *const no_equals[] = {"I"};
    const double p[] = {0.5, 0.25, 0.25};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_list(&map, names, 3), 0);
    assert_true(label_map_score(&map, p, 7.0) == 0.25); /* the last, ungraded */
    assert_int_equal(label_map_set_grades(&map, missing, 2), RECO_E_USAGE);
    assert_string_equal(err_message(), "no grade for label 'S=x': every label needs one");
    assert_int_equal(label_map_set_grades(&map, unknown, 3), RECO_E_USAGE);
    assert_int_equal(label_map_set_grades(&map, doubled, 3), RECO_E_USAGE);
    assert_string_equal(err_message(), "two grades for label 'E'");
    assert_int_equal(label_map_set_grades(&map, no_number, 3), RECO_E_USAGE);
    assert_string_equal(err_message(), "bad grade 'E=high': 'high' is not a number");
    assert_int_equal(label_map_set_grades(&map, no_equals, 1), RECO_E_USAGE);
    assert_false(map.graded);
    assert_int_equal(label_map_set_grades(&map, good, 3), 0);
    assert_true(map.grades[0] == 1.0 && map.grades[1] == 0.1 && map.grades[2] == 0.0);
    assert_int_equal(map.positive, 0);
    assert_true(label_map_score(&map, p, 7.0) == 0.5 * 1.0 + 0.25 * 0.1);
    label_map_release(&map);
}

static void test_scores(void **state)
{
    const double p[] = {0.25, 0.75};
    static const char *const names[] = {"0", "1"};
    struct label_map regression = {.task = LABEL_TASK_REGRESSION};
    struct label_map logit;

    (void)state;
    assert_true(label_map_score(&regression, NULL, 7.0) == 7.0);
    assert_int_equal(label_map_from_list(&logit, names, 2), 0);
    logit.task = LABEL_TASK_BINARY_LOGIT;
    assert_true(label_map_score(&logit, p, 7.0) == 0.75);
    label_map_release(&logit);
}

static void check_json_round_trip(const struct label_map *map)
{
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    struct label_map back;
    json_t *json = label_map_to_json(map);

    assert_non_null(json);
    assert_int_equal(label_map_from_json(&back, json), 0);
    json_decref(json);
    label_map_hash(map, before);
    label_map_hash(&back, after);
    assert_string_equal(before, after);
    assert_int_equal(back.task, map->task);
    assert_int_equal(back.count, map->count);
    assert_int_equal(back.graded, map->graded);
    assert_int_equal(back.positive, map->positive);
    for (int i = 0; i < map->count; i++) {
        assert_string_equal(back.names[i], map->names[i]);
        assert_true(!map->graded || back.grades[i] == map->grades[i]);
    }
    label_map_release(&back);
}

static void test_json(void **state)
{
    static const char *const words[] = {"nein", "jein", "ja \xe2\x9c\x93"};
    static const char *const numbers[] = {"0.1", "0", "-3e-7"};
    struct label_map map, copy, regression = {.task = LABEL_TASK_REGRESSION};

    (void)state;
    check_json_round_trip(&regression);
    assert_int_equal(label_map_from_list(&map, words, 3), 0);
    check_json_round_trip(&map);
    label_map_release(&map);
    assert_int_equal(label_map_from_values(&map, numbers, 3), 0);
    assert_int_equal(label_map_set_positive(&map, "0"), 0);
    check_json_round_trip(&map);
    assert_int_equal(label_map_copy(&copy, &map), 0);
    check_json_round_trip(&copy);
    assert_int_equal(copy.positive, map.positive);
    label_map_release(&copy);
    label_map_release(&map);
}

static void test_hash_sees_every_part(void **state)
{
    static const char *const texts[] = {
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"]}",
        "{\"task\":\"classification\",\"names\":[\"b\",\"a\"]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\",\"c\"]}",
        "{\"task\":\"classification\",\"names\":[\"ab\",\"\"]}",
        "{\"task\":\"binary_logit\",\"names\":[\"a\",\"b\"]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"grades\":[0,1]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"grades\":[1,0]}",
        "{\"task\":\"regression\",\"names\":[]}",
    };
    enum { COUNT = sizeof texts / sizeof *texts };
    char hex[COUNT][HASH_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        struct label_map map;
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_non_null(json);
        assert_int_equal(label_map_from_json(&map, json), 0);
        label_map_hash(&map, hex[i]);
        json_decref(json);
        label_map_release(&map);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
    }
}

static void test_bad_json(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{\"task\":\"ranking\",\"names\":[\"a\",\"b\"]}",
        "{\"task\":\"classification\",\"names\":[\"a\"]}",
        "{\"task\":\"classification\",\"names\":\"a\"}",
        "{\"task\":\"classification\",\"names\":[\"a\",1]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"a\"]}",
        "{\"task\":\"regression\",\"names\":[\"a\",\"b\"]}",
        "{\"task\":\"binary_logit\",\"names\":[\"a\",\"b\",\"c\"]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"grades\":[1]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"grades\":[1,\"2\"]}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"positive\":\"c\"}",
        "{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"hash\":\"00000000000000000000000000000000\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct label_map map;
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_non_null(json);
        assert_int_equal(label_map_from_json(&map, json), RECO_E_DATA);
        json_decref(json);
    }
}

static void test_torture(void **state)
{
    static const char *const values[] = {"3", "1", "2"};
    static const char *const grades[] = {"1=5", "2=6", "3=7"};
    bool finished = false;

    (void)state;
    for (long n = 1; !finished; n++) {
        struct label_map map = {0}, copy = {0}, list = {0};
        json_t *json = NULL;
        mem_fail_after(n);
        int rc = label_map_from_values(&map, values, 3);
        rc = rc == 0 ? label_map_set_grades(&map, grades, 3) : rc;
        rc = rc == 0 ? label_map_copy(&copy, &map) : rc;
        json = rc == 0 ? label_map_to_json(&copy) : NULL;
        label_map_release(&copy);
        rc = rc == 0 && json == NULL ? RECO_E_NOMEM : rc;
        rc = rc == 0 ? label_map_from_json(&copy, json) : rc;
        rc = rc == 0 ? label_map_from_list(&list, values, 3) : rc;
        mem_fail_after(0);
        json_decref(json);
        label_map_release(&list);
        label_map_release(&copy);
        label_map_release(&map);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 1000);
    }
}

static void test_number_parse(void **state)
{
    static const char *const good[] = {"0", "-1", "+2.5", "1e-3", ".5", "1.", "1e308", "-0"};
    static const char *const bad[] = {"",      " 1",  "1 ", "0x10", "inf", "nan",
                                      "1e999", "1,5", "1e", "--1",  "1-1", "\xef\xbc\x91"};
    double value = 42.0;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(number_parse(good[i], strlen(good[i]), &value));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        value = 42.0;
        assert_false(number_parse(bad[i], strlen(bad[i]), &value));
        assert_true(value == 42.0);
    }
    assert_false(number_parse("1\0", 2, &value));
    assert_true(number_parse("123", 2, &value) && value == 12.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_sort_and_grade),
        cmocka_unit_test(test_words_sort_by_bytes),
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_explicit_order),
        cmocka_unit_test(test_grades),
        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_hash_sees_every_part),
        cmocka_unit_test(test_bad_json),
        cmocka_unit_test(test_torture),
        cmocka_unit_test(test_number_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
