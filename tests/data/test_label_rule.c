/* Rules from the labels of files to those of the task: what they make of every kind of label, and what they refuse. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "data/label_rule.h"

enum { MAX_ITEMS = 8 };

struct fixture {
    char *items[MAX_ITEMS];
    struct label_rule_options options;
};

/* The assignments, apart by blanks; NULL: none. */
static struct label_rule_options options_of(struct fixture *f, const char *map, const char *threshold)
{
    static char text[256];
    size_t count = 0;

    snprintf(text, sizeof text, "%s", map != NULL ? map : "");
    for (char *p = text; *p != '\0';) {
        char *end = p + strcspn(p, " ");
        f->items[count++] = p;
        p = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
    f->options = (struct label_rule_options){.label_map = {.items = f->items, .count = count},
                                             .label_threshold = (char *)threshold};
    return f->options;
}

static struct label_rule *make(const char *map, const char *threshold, const struct label_map *given)
{
    struct fixture f;
    struct label_rule_options o = options_of(&f, map, threshold);
    struct label_rule *rule = NULL;

    if (label_rule_new(&rule, &o, given) != 0)
        fail_msg("%s", err_message());
    return rule;
}

static void expect(const struct label_rule *rule, const char *from, const char *to, const char *reason)
{
    struct buf bad = {0};
    const char *out = NULL;
    size_t length = 0;

    assert_int_equal(label_rule_apply(rule, from, strlen(from), &out, &length, &bad), 0);
    assert_string_equal(buf_str(&bad), reason);
    if (reason[0] == '\0') {
        assert_int_equal(length, strlen(to));
        assert_memory_equal(out, to, length);
    }
    buf_release(&bad);
}

static void expect_classes(const struct label_rule *rule, const char *expected)
{
    char all[128] = "";
    size_t count;
    const char *const *names = label_rule_classes(rule, &count);

    for (size_t i = 0; i < count; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", names[i]);
    assert_string_equal(all, expected);
}

static void test_many_to_one(void **state)
{
    (void)state;
    struct label_rule *rule = make("4=relevant 3.0=relevant *=other", NULL, NULL);
    expect_classes(rule, "relevant other ");
    expect(rule, "4", "relevant", "");
    expect(rule, "4.0", "relevant", "");
    expect(rule, "3", "relevant", "");
    expect(rule, "2", "other", "");
    expect(rule, "Exact", "other", "");
    expect(rule, "*", "other", "");
    expect(rule, "", "", "");
    label_rule_free(rule);
    rule = make("Exact=2 Partial=1 a=b=1 =0", NULL, NULL);
    expect_classes(rule, "2 1 0 ");
    expect(rule, "Exact", "2", "");
    expect(rule, "a=b", "1", "");
    expect(rule, "", "0", "");
    expect(rule, "exact", NULL, "label 'exact' is not one of 'Exact', 'Partial', 'a=b', '' of --label_map");
    label_rule_free(rule);
}

static void test_threshold(void **state)
{
    (void)state;
    struct label_rule *rule = make(NULL, "2.5", NULL);
    expect_classes(rule, "0 1 ");
    expect(rule, "2.5", "1", "");
    expect(rule, "2.4999", "0", "");
    expect(rule, "-7", "0", "");
    expect(rule, "3e2", "1", "");
    expect(rule, "", "", "");
    expect(rule, "good", NULL, "label 'good' is not a number, as --label_threshold needs it");
    label_rule_free(rule);
}

static void test_as_they_are(void **state)
{
    (void)state;
    struct label_rule *rule = make(NULL, NULL, NULL);
    expect_classes(rule, "");
    expect(rule, "anything", "anything", "");
    expect(rule, "", "", "");
    label_rule_free(rule);
}

static void test_refused_options(void **state)
{
    static const struct {
        const char *map, *threshold, *message;
        bool regression;
    } cases[] = {
        {"4=a *=b", "2", "--label_map and --label_threshold exclude each other", false},
        {NULL, "2", "--label_threshold makes two classes, which --regression has not", true},
        {NULL, "two", "'two' is not a number", false},
        {"4", NULL, "bad assignment '4': expected label=class, as in 4=relevant", false},
        {"4=", NULL, "bad assignment '4=': expected label=class, as in 4=relevant", false},
        {"4=a 4.0=b", NULL, "--label_map names label '4.0' twice", false},
        {"*=a *=b", NULL, "--label_map names '*' twice", false},
        {"4=a *=a", NULL, "--label_map makes one class only, 'a', and at least 2 are needed", false},
        {"x=1 y=high", NULL, "--label_map makes 'high', which is not a number, and --regression needs numbers", true},
        {"x=1 y=0.5", NULL, NULL, true},
        {"x=1 y=0.5", NULL, NULL, false},
        {NULL, NULL, NULL, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        struct label_rule_options o = options_of(&f, cases[i].map, cases[i].threshold);
        int rc = label_rule_options_check(&o, cases[i].regression);
        assert_int_equal(rc, cases[i].message != NULL ? RECO_E_USAGE : 0);
        if (cases[i].message != NULL)
            assert_string_equal(err_message(), cases[i].message);
    }
}

/* A map with the classes of a rule, which says so. */
static struct label_map map_of(const struct label_rule *rule)
{
    struct label_map map;
    size_t count;
    const char *const *names = label_rule_classes(rule, &count);

    assert_int_equal(label_map_from_list(&map, names, count), 0);
    assert_int_equal(label_rule_enter(rule, &map), 0);
    return map;
}

static void test_part_of_the_map(void **state)
{
    static const char *const rules[][2] = {
        {"4=relevant *=other", NULL}, {"4=relevant 3=relevant *=other", NULL}, {NULL, "2"}, {NULL, "3"}};
    char hex[4][HASH_HEX_SIZE], plain_hex[HASH_HEX_SIZE];

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct label_rule *rule = make(rules[i][0], rules[i][1], NULL);
        struct label_map map = map_of(rule), back, copy;
        json_t *json = label_map_to_json(&map);
        assert_non_null(json);
        assert_int_equal(label_map_from_json(&back, json), 0);
        assert_string_equal(back.rule, map.rule);
        assert_int_equal(label_map_copy(&copy, &back), 0);
        label_map_hash(&copy, hex[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
        /* without its rule it is another map */
        mem_free(copy.rule);
        copy.rule = NULL;
        label_map_hash(&copy, plain_hex);
        assert_string_not_equal(hex[i], plain_hex);
        assert_int_equal(json_object_del(json, "rule"), 0);
        struct label_map altered;
        assert_int_equal(label_map_from_json(&altered, json), RECO_E_DATA);
        json_decref(json);
        label_map_release(&copy);
        label_map_release(&back);
        label_map_release(&map);
        label_rule_free(rule);
    }
    struct label_rule *a = make(NULL, "2", NULL), *b = make(NULL, "2.0", NULL);
    struct label_map map_a = map_of(a), map_b = map_of(b);
    assert_string_equal(map_a.rule, map_b.rule);
    label_map_release(&map_a);
    label_map_release(&map_b);
    label_rule_free(a);
    label_rule_free(b);
}

static void test_given_map(void **state)
{
    struct fixture f;
    struct label_rule *again = NULL, *rule = make("4=relevant a,b\\=x *=other", NULL, NULL);
    struct label_map given = map_of(rule), plain;
    static const char *const plain_names[] = {"0", "1"};

    (void)state;
    /* the rule comes from the map, commas and backslashes with it */
    struct label_rule_options o = options_of(&f, NULL, NULL);
    assert_int_equal(label_rule_new(&again, &o, &given), 0);
    expect_classes(again, "relevant x other ");
    expect(again, "4", "relevant", "");
    expect(again, "a,b\\", "x", "");
    expect(again, "z", "other", "");
    label_rule_free(again);
    again = make("4=relevant a,b\\=x *=other", NULL, &given); /* the same again is fine */
    label_rule_free(again);
    o = options_of(&f, "5=relevant *=other", NULL);
    assert_int_equal(label_rule_new(&again, &o, &given), RECO_E_USAGE);
    assert_string_equal(err_message(), "the labels of the model were made by --label_map "
                                       "'4=relevant,a\\,b\\\\=x,*=other': give the same, or nothing");
    o = options_of(&f, NULL, "1");
    assert_int_equal(label_rule_new(&again, &o, &given), RECO_E_USAGE);

    /* a map without a rule takes any rule that makes its classes */
    assert_int_equal(label_map_from_list(&plain, plain_names, 2), 0);
    again = make("4=1 *=0", NULL, &plain);
    label_rule_free(again);
    o = options_of(&f, "4=good *=0", NULL);
    assert_int_equal(label_rule_new(&again, &o, &plain), RECO_E_USAGE);
    assert_string_equal(err_message(), "the model has no label 'good', which --label_map makes");

    /* a rule that nobody could have written */
    static const char *const broken[] = {"map ", "map x", "map *=a,*=b", "threshold x", "other"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        plain.rule = (char *)broken[i];
        o = options_of(&f, NULL, NULL);
        assert_int_equal(label_rule_new(&again, &o, &plain), RECO_E_USAGE);
    }
    plain.rule = NULL;
    label_map_release(&plain);
    label_map_release(&given);
    label_rule_free(rule);
}

static void expect_positive(const char *rule_text, const char *expected)
{
    struct label_rule *rule = make(rule_text, NULL, NULL);
    struct label_map map = map_of(rule);

    assert_string_equal(map.names[map.positive], expected);
    label_map_release(&map);
    label_rule_free(rule);
}

/* The rest of the labels is what nobody is looking for. */
static void test_default_positive(void **state)
{
    (void)state;
    expect_positive("4=relevant *=other", "relevant");
    expect_positive("*=other 4=relevant", "relevant");
    expect_positive("1=bad 4=good", "good");
    expect_positive("1=bad 4=good *=unclear", "good");
    expect_positive("1=2 *=5", "5");
}

static void test_torture(void **state)
{
    bool finished = false;

    (void)state;
    for (long n = 1; !finished; n++) {
        struct fixture f;
        struct label_rule_options o = options_of(&f, "4=relevant 3=relevant a=b *=other", NULL);
        struct label_rule *rule = NULL;
        mem_fail_after(n);
        int rc = label_rule_new(&rule, &o, NULL);
        mem_fail_after(0);
        label_rule_free(rule);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_to_one),      cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_as_they_are),      cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_part_of_the_map),  cmocka_unit_test(test_given_map),
        cmocka_unit_test(test_default_positive), cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
