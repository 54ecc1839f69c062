/* What prepare decides over the whole data: duplicates, contradictions, leaks, splits, negatives, balance, weights. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "prepare_util.h"

static char *rule_names[8];

static struct opt_list list_of(char **items, size_t count)
{
    return (struct opt_list){.items = items, .count = count};
}

static struct opt_list rules(const char *one, const char *other)
{
    rule_names[0] = (char *)one;
    rule_names[1] = (char *)other;
    return list_of(rule_names, other != NULL ? 2 : 1);
}

static int run(struct prepare_options *o, const char *train, const char *validation)
{
    char train_path[160], validation_path[160];

    err_clear();
    assert_int_equal(dir_remove(util_path("out")), 0);
    util_write("train.csv", train);
    snprintf(train_path, sizeof train_path, "%s", util_path("train.csv"));
    o->train_file = util_file(train_path);
    if (validation != NULL) {
        util_write("validation.csv", validation);
        snprintf(validation_path, sizeof validation_path, "%s", util_path("validation.csv"));
        o->validation_file = util_file(validation_path);
    }
    int rc = prepare_run(o, util_wp, NULL, util_path("out"), NULL);
    o->train_file = o->validation_file = (struct opt_list){0};
    return rc;
}

static struct dataset *make(struct prepare_options *o, const char *train, const char *validation)
{
    struct dataset *ds = NULL;

    if (run(o, train, validation) != 0 || dataset_open(&ds, util_path("out")) != 0)
        fail_msg("%s", err_message());
    return ds;
}

/* "id:label id:label ..." of a split, ids without the file's name; "-" where there is no such split. */
static void expect_rows(const struct dataset *ds, const char *split_name, const char *expected)
{
    const struct dataset_split *split = dataset_find_split(ds, split_name);
    struct buf b = {0};

    if (split == NULL)
        assert_int_equal(buf_add_char(&b, '-'), 0);
    for (size_t i = 0; split != NULL && i < dataset_rows(split); i++) {
        size_t length;
        const char *columns = dataset_columns(split, i, &length), *tab = memchr(columns, '\t', length);
        const char *colon = memchr(columns, ':', (size_t)(tab - columns));
        const char *id = colon != NULL ? colon + 1 : columns;
        int label = dataset_label(split, i);
        assert_int_equal(buf_printf(&b, "%s%.*s:%s", i > 0 ? " " : "", (int)(tab - id), id,
                                    label < 0 ? "" : dataset_labels(ds)->names[label]),
                         0);
    }
    assert_string_equal(buf_str(&b), expected);
    buf_release(&b);
}

static void expect_train(struct prepare_options *o, const char *train, const char *expected)
{
    struct dataset *ds = make(o, train, NULL);

    expect_rows(ds, "train", expected);
    dataset_close(ds);
}

static json_int_t reported(const char *object, const char *name)
{
    char *text = util_read("out/prepare.json", NULL);
    json_t *json = json_loads(text, 0, NULL);
    const json_t *value = json_object_get(json_object_get(json, object), name);

    assert_true(json_is_integer(value));
    json_int_t number = json_integer_value(value);
    json_decref(json);
    mem_free(text);
    return number;
}

/* ---- duplicates and contradictions ---- */

static const char doubled[] = "q,d,l\n"
                              "red,hat,1\n"  /* 1 */
                              "Red ,HAT,1\n" /* 2: the same after normalisation */
                              "red,hat,0\n"  /* 3: contradicts */
                              "blue,hat,0\n" /* 4 */
                              "blue,hat,1\n" /* 5: contradicts; a tie */
                              "a,b,0\n"      /* 6 */
                              "a,b,0\n";     /* 7 */

static void test_duplicates(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    expect_train(&o, doubled, "1:1 2:1 3:0 4:0 5:1 6:0 7:0"); /* counted, not left out */
    assert_int_equal(reported("found", "duplicate_rows"), 2);
    assert_int_equal(reported("found", "contradictory_pairs"), 2);
    assert_int_equal(reported("found", "contradictory_rows"), 5);
    o.clean.clean = rules("duplicates", NULL);
    expect_train(&o, doubled, "1:1 3:0 4:0 5:1 6:0");
    o.clean.clean = rules("contradictions", NULL);
    o.clean.contradictions = CLEAN_CONTRADICTIONS_DROP;
    assert_int_equal(run(&o, doubled, NULL), RECO_E_DATA); /* only 6 and 7 are left: one class */
    o.clean.contradictions = CLEAN_CONTRADICTIONS_MAJORITY;
    expect_train(&o, doubled, "1:1 2:1 6:0 7:0"); /* of the tie nothing */
    o.clean.contradictions = CLEAN_CONTRADICTIONS_FIRST;
    expect_train(&o, doubled, "1:1 2:1 4:0 6:0 7:0");
    /* the votes are counted before duplicates go */
    o.clean.contradictions = CLEAN_CONTRADICTIONS_MAJORITY;
    o.clean.clean = rules("duplicates", "contradictions");
    expect_train(&o, doubled, "1:1 6:0");
}

static void test_near_duplicates(void **state)
{
    struct prepare_options o = util_options();
    static const char near[] = "q,d,l\n"
                               "q1,a red hat and a blue shoe for a b c d e f g h and more text,1\n"
                               "q1,A red hat and a blue shoe for a b c d e f g h and more text!,1\n"
                               "q1,a red hat and a blue shoe for a b c d e f g h and more text.,0\n"
                               "q2,a red hat and a blue shoe for a b c d e f g h and more text.,1\n"
                               "q1,something else,1\n";

    (void)state;
    o.clean.clean = rules("near_duplicates", NULL);
    expect_train(&o, near, "1:1 3:0 4:1 5:1");
}

/* ---- leaks ---- */

static void test_leaks(void **state)
{
    struct prepare_options o = util_options();
    static const char train[] = "q,d,l\nred,hat,1\nred,shoe,0\nblue,hat,1\na,b,0\n";
    static const char validation[] = "q,d,l\nRED,hat,0\nred,a,1\n";
    struct dataset *ds = make(&o, train, validation);

    (void)state;
    expect_rows(ds, "train", "1:1 2:0 3:1 4:0");
    dataset_close(ds);
    assert_int_equal(reported("found", "queries_on_several_sides"), 1);
    assert_int_equal(reported("found", "pairs_on_several_sides"), 1);
    assert_int_equal(reported("found", "training_rows_of_such_pairs"), 1);
    o.clean.clean = rules("leaks", NULL);
    ds = make(&o, train, validation);
    expect_rows(ds, "train", "2:0 3:1 4:0");
    expect_rows(ds, "validation", "1:0 2:1");
    dataset_close(ds);
    o.strict = true;
    assert_int_equal(run(&o, train, validation), RECO_E_DATA); /* the query is still on both sides */
    assert_non_null(strstr(err_message(), "1 queries and 0 pairs"));
    o.clean.clean.count = 0;
    assert_int_equal(run(&o, train, validation), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "1 queries and 1 pairs"));
    assert_false(dir_exists(util_path("out")));
    ds = make(&o, train, "q,d,l\nnew,hat,0\nnew,a,1\n");
    dataset_close(ds);
}

/* ---- splits ---- */

static void add_queries(struct buf *b, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++)
        for (int item = 0; item < 3; item++)
            assert_int_equal(buf_printf(b, "r%zux%d,query %zu,item %zu %d,%d,%zu\n", i, item, i, i, item,
                                        (int)(i + (size_t)item) % 2, 1000 + i),
                             0);
}

/* The side of every row: sides[query * 3 + item], 't', 'v' or 'e'. */
static void sides_of(struct prepare_options *o, const char *text, char *sides)
{
    static const char *const names[] = {"train", "validation", "test"};
    struct dataset *ds = make(o, text, NULL);

    for (int s = 0; s < 3; s++) {
        const struct dataset_split *split = dataset_find_split(ds, names[s]);
        for (size_t i = 0; split != NULL && i < dataset_rows(split); i++) {
            size_t length;
            unsigned query, item;
            assert_int_equal(sscanf(dataset_columns(split, i, &length), "r%ux%u\t", &query, &item), 2);
            sides[query * 3 + item] = "tve"[s];
        }
    }
    dataset_close(ds);
}

/* Adding rows moves none of the old ones, wherever the new ones stand. */
static void test_split_is_stable(void **state)
{
    enum { QUERIES = 400 };
    static char *shares[] = {"train=0.6", "validation=0.25", "test=0.15"};
    static const enum split_by ways[] = {SPLIT_BY_QUERY, SPLIT_BY_ROW, SPLIT_BY_STRATIFIED};

    (void)state;
    for (size_t w = 0; w < 3; w++) {
        struct prepare_options o = util_options();
        struct buf few = {0}, many = {0};
        char before[QUERIES * 3] = {0}, after[QUERIES * 3] = {0}, seeded[QUERIES * 3] = {0};
        size_t count[3] = {0}, moved = 0;
        o.id_column = "id";
        o.split.split = list_of(shares, 3);
        o.split.split_by = (int)ways[w];
        assert_int_equal(buf_add_str(&few, "id,q,d,l,t\n"), 0);
        assert_int_equal(buf_add_str(&many, "id,q,d,l,t\n"), 0);
        add_queries(&few, QUERIES / 4, QUERIES / 2);
        add_queries(&many, 0, QUERIES);
        sides_of(&o, buf_str(&few), before);
        sides_of(&o, buf_str(&many), after);
        o.split.split_seed = 7;
        sides_of(&o, buf_str(&many), seeded);
        for (size_t i = 0; i < (size_t)QUERIES * 3; i++) {
            assert_true(before[i] == 0 || before[i] == after[i]);
            assert_true(ways[w] != SPLIT_BY_QUERY || after[i] == after[i / 3 * 3]);
            count[strchr("tve", after[i]) - "tve"]++;
            moved += after[i] != seeded[i];
        }
        assert_in_range(count[0], QUERIES * 3 * 52 / 100, QUERIES * 3 * 68 / 100);
        assert_in_range(count[1], QUERIES * 3 * 18 / 100, QUERIES * 3 * 32 / 100);
        assert_true(moved > 300);
        if (ways[w] == SPLIT_BY_QUERY)
            assert_int_equal(reported("found", "queries_on_several_sides"), 0);
        buf_release(&few);
        buf_release(&many);
    }
}

static void test_split_by_time(void **state)
{
    struct prepare_options o = util_options();
    static char *shares[] = {"train=0.5", "validation=0.25", "test=0.25"};
    static char *days[] = {"2024-01-03", "2024-01-05"};
    static const char rows[] = "q,d,l,t\n"
                               "a,1,1,2024-01-05\na,2,0,2024-01-01\na,3,1,2024-01-02\na,4,0,2024-01-08\n"
                               "a,5,1,2024-01-03\na,6,0,2024-01-03T12:00:00\na,7,0,2024-01-02\na,8,1,2024-01-04\n";

    (void)state;
    o.split.split_by = SPLIT_BY_TIME;
    o.split.split = list_of(shares, 3);
    assert_int_equal(run(&o, rows, NULL), RECO_E_USAGE); /* no --time_column */
    o.assemble.time_column = "t";
    struct dataset *ds = make(&o, rows, NULL);
    expect_rows(ds, "train", "2:0 3:1 5:1 7:0");
    expect_rows(ds, "validation", "6:0 8:1");
    expect_rows(ds, "test", "1:1 4:0");
    dataset_close(ds);
    o.split.split.count = 0;
    o.split.split_at = list_of(days, 2);
    ds = make(&o, rows, NULL);
    expect_rows(ds, "train", "2:0 3:1 7:0");
    expect_rows(ds, "validation", "5:1 6:0 8:1");
    expect_rows(ds, "test", "1:1 4:0");
    dataset_close(ds);
    o.split.split_at.count = 1;
    ds = make(&o, rows, NULL);
    expect_rows(ds, "validation", "-");
    expect_rows(ds, "test", "1:1 4:0 5:1 6:0 8:1");
    dataset_close(ds);
    /* a time that cannot be read is a bad row */
    assert_int_equal(run(&o, "q,d,l,t\na,1,1,soon\na,1,1,later\na,2,0,2024-01-01\n", NULL), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "2 of 3 rows are bad"));
}

static void test_split_options(void **state)
{
    static char *bad[][3] = {
        {"train=0.5", "test=0.4", NULL},   {"train=1.2", NULL, NULL},   {"dev=0.5", "train=0.5", NULL},
        {"train=0.5", "train=0.5", NULL},  {"test=1", NULL, NULL},      {"train", NULL, NULL},
        {"train=x", "validation=1", NULL}, {"train=-1", "test=2", NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct prepare_options o = util_options();
        size_t count = 0;
        while (count < 3 && bad[i][count] != NULL)
            count++;
        o.split.split = list_of(bad[i], count);
        assert_int_equal(run(&o, "q,d,l\na,b,1\na,c,0\n", NULL), RECO_E_USAGE);
    }
    struct prepare_options o = util_options();
    static char *good[] = {"train=0.9", "validation=0.1"};
    o.split.split = list_of(good, 2);
    assert_int_equal(run(&o, "q,d,l\na,b,1\na,c,0\n", "q,d,l\na,b,1\n"), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "both --split and --validation_file give the validation data"));
}

/* ---- negatives, balance, weights ---- */

static void test_positives_only(void **state)
{
    struct prepare_options o = util_options();
    static const char rows[] = "q,d,item\nred,hat,1\nred,shoe,2\nblue,a,3\nblue,b,4\nblue,hat,1\n";

    (void)state;
    o.label_column = NULL;
    assert_int_equal(run(&o, rows, NULL), RECO_E_USAGE); /* no --negatives */
    o.negative.negatives = NEGATIVE_UNIFORM;
    o.item_id_column = "item";
    struct dataset *ds = make(&o, rows, NULL);
    const struct dataset_split *train = dataset_find_split(ds, "train");
    assert_int_equal(dataset_labels(ds)->count, 2);
    assert_string_equal(dataset_labels(ds)->names[1], "1");
    size_t negatives = 0;
    for (size_t i = 0; i < dataset_rows(train); i++) {
        struct buf query = {0}, description = {0};
        size_t length;
        const char *columns = dataset_columns(train, i, &length);
        assert_int_equal(dataset_texts(train, i, &query, &description), 0);
        bool red = strcmp(buf_str(&query), "red") == 0, positive = dataset_label(train, i) == 1;
        bool known = strcmp(buf_str(&description), "hat") == 0 ||
                     (red ? strcmp(buf_str(&description), "shoe") == 0 : strlen(buf_str(&description)) == 1);
        assert_int_equal(known, positive); /* never a known positive */
        if (!positive) {
            negatives++;
            assert_non_null(memmem(columns, length, "-1\t", 3)); /* id of the positive, and its number */
        }
        buf_release(&query);
        buf_release(&description);
    }
    /* blue has three positives, and one item that is none of them */
    assert_int_equal(negatives, 3);
    assert_int_equal(reported("negatives", "added"), 3);
    assert_int_equal(reported("negatives", "missing"), 2);
    dataset_close(ds);
}

static const char uneven[] = "q,d,l\na,1,x\na,2,x\na,3,x\na,4,x\na,5,x\na,6,x\na,7,y\na,8,y\n";

static void test_balance(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    o.balance.balance = BALANCE_UNDER;
    struct dataset *ds = make(&o, uneven, NULL);
    const struct dataset_split *train = dataset_find_split(ds, "train");
    assert_int_equal(dataset_rows(train), 4);
    dataset_close(ds);
    assert_int_equal(reported("balance", "rows_left_out"), 4);
    o.balance.balance = BALANCE_OVER;
    o.balance.balance_ratio = 2;
    ds = make(&o, uneven, NULL);
    train = dataset_find_split(ds, "train");
    assert_int_equal(dataset_rows(train), 9);
    size_t length, again = 0;
    for (size_t i = 0; i < dataset_rows(train); i++) {
        const char *columns = dataset_columns(train, i, &length);
        again += memmem(columns, length, "#2\t", 3) != NULL;
    }
    assert_int_equal(again, 1);
    dataset_close(ds);
}

static void test_class_weights(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    o.balance.class_weights = "balanced";
    struct dataset *ds = make(&o, uneven, NULL);
    const struct dataset_split *train = dataset_find_split(ds, "train");
    assert_true(dataset_weight(train, 0) == (float)(8.0 / (2 * 6)));
    assert_true(dataset_weight(train, 7) == (float)(8.0 / (2 * 2)));
    dataset_close(ds);
    /* it multiplies a weight of the row's own; validation keeps its weights */
    o.weight_column = "w";
    ds = make(&o, "q,d,l,w\na,1,x,3\na,2,y,1\na,3,y,1\n", "q,d,l,w\nb,1,x,5\n");
    train = dataset_find_split(ds, "train");
    assert_true(dataset_weight(train, 0) == (float)(3 * 3.0 / 2));
    assert_true(dataset_weight(dataset_find_split(ds, "validation"), 0) == 5.0f);
    dataset_close(ds);
}

/* ---- several files, templates, label rules, masks ---- */

static void test_several_files(void **state)
{
    struct prepare_options o = util_options();
    char one[160], two[160];
    char *files[] = {one, two};
    static char *carry[] = {"note"};

    (void)state;
    assert_int_equal(dir_remove(util_path("out")), 0);
    util_write("one.csv", "q,d,l\nred,hat,1\nblue,hat,0\n");
    util_write("two.tsv", "note\tl\td\tq\nhello\t1\tshoe\ta\n");
    snprintf(one, sizeof one, "%s", util_path("one.csv"));
    snprintf(two, sizeof two, "%s", util_path("two.tsv"));
    o.carry = list_of(carry, 1);
    o.train_file = list_of(files, 2);
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("out"), NULL), 0);
    struct dataset *ds = NULL;
    assert_int_equal(dataset_open(&ds, util_path("out")), 0);
    const struct dataset_split *train = dataset_find_split(ds, "train");
    assert_int_equal(dataset_rows(train), 3);
    size_t length;
    const char *columns = dataset_columns(train, 2, &length);
    assert_memory_equal(columns, "two.tsv:1\t", 10);
    assert_memory_equal(columns + length - 6, "\thello", 6);
    columns = dataset_columns(train, 0, &length);
    assert_int_equal(columns[length - 1], '\t'); /* the first file has no notes */
    dataset_close(ds);
}

static void test_templates_and_masks(void **state)
{
    struct prepare_options o = util_options();
    struct buf query = {0}, description = {0};
    static char *masks[] = {"email"}, *map[] = {"2=yes", "*=no"};

    (void)state;
    o.query_column = NULL;
    o.query = "{q} for {who}";
    o.description_column.count = 0;
    o.description = "{d} | brand: {brand}";
    o.clean.mask = list_of(masks, 1);
    o.label_rule.label_map = list_of(map, 2);
    struct dataset *ds = make(&o, "q,who,d,brand,l\nred,me,mail a@b.org,,2\nblue,you,hat,X,1\n", NULL);
    const struct dataset_split *train = dataset_find_split(ds, "train");
    assert_int_equal(dataset_texts(train, 0, &query, &description), 0);
    assert_string_equal(buf_str(&query), "red for me");
    assert_null(strstr(buf_str(&description), "a@b.org"));
    assert_null(strstr(buf_str(&description), "brand"));
    expect_rows(ds, "train", "1:yes 2:no");
    dataset_close(ds);
    buf_release(&query);
    buf_release(&description);
    /* what is listed of a bad row is masked as well */
    o.max_bad_rows = (struct opt_amount){.value = 1};
    ds = make(&o, "q,who,d,brand,l\nred,me,a@b.org\nred,me,d,,2\nblue,you,hat,X,1\n", NULL);
    dataset_close(ds);
    char *rejects = util_read("out/rejects.tsv", NULL);
    assert_non_null(strstr(rejects, "red,me,"));
    assert_null(strstr(rejects, "a@b.org"));
    mem_free(rejects);
}

/* Options go into the dataset and come back as they were. */
static void test_options_json(void **state)
{
    struct prepare_options o = util_options(), back;

    (void)state;
    o.train_file = util_file("x.csv");
    o.split.split_by = SPLIT_BY_TIME;
    o.max_bad_rows = (struct opt_amount){.value = 0.25, .is_frac = true};
    o.clean.clean = rules("html", "duplicates");
    json_t *json = prepare_options_json(&o);
    assert_int_equal(prepare_options_from_json(&back, json), 0);
    assert_int_equal(back.split.split_by, SPLIT_BY_TIME);
    assert_string_equal(back.clean.clean.items[1], "duplicates");
    assert_null(back.weight_column);
    json_t *again = prepare_options_json(&back);
    assert_true(json_equal(json, again));
    prepare_options_release(&back);
    json_object_del(json, "grades");
    assert_int_equal(prepare_options_from_json(&back, json), RECO_E_DATA);
    json_decref(json);
    json_decref(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_near_duplicates),
        cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_split_is_stable),
        cmocka_unit_test(test_split_by_time),
        cmocka_unit_test(test_split_options),
        cmocka_unit_test(test_positives_only),
        cmocka_unit_test(test_balance),
        cmocka_unit_test(test_class_weights),
        cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_templates_and_masks),
        cmocka_unit_test(test_options_json),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
