/* CSV files to a dataset: which rows are good, what is written about bad ones, labels, samples, and failures at every
 * step. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>

#include "core/stop.h"
#include "data/dataset.h"
#include "prepare_util.h"

static struct prepare_summary summary;

static int run(struct prepare_options *o, const char *train, const char *test)
{
    char train_path[160], test_path[160];

    err_clear();
    memset(&summary, 0, sizeof summary);
    assert_int_equal(dir_remove(util_path("out")), 0);
    assert_int_equal(file_remove(util_path("out.rejects.tsv")), 0);
    if (train != NULL) {
        util_write("train.csv", train);
        snprintf(train_path, sizeof train_path, "%s", util_path("train.csv"));
        o->train_file = util_file(train_path);
    }
    if (test != NULL) {
        util_write("test.csv", test);
        snprintf(test_path, sizeof test_path, "%s", util_path("test.csv"));
        o->test_file = util_file(test_path);
    }
    int rc = prepare_run(o, util_wp, NULL, util_path("out"), &summary);
    static const char *const inputs[] = {"train.csv", "test.csv", "out", "out.rejects.tsv"};
    assert_int_equal(util_count_except(inputs, 4), 0);
    assert_int_equal(rc == 0, dir_exists(util_path("out")));
    o->train_file = o->test_file = (struct opt_list){0};
    return rc;
}

static void expect_ok(struct prepare_options *o, const char *train, const char *test, uint64_t kept, uint64_t bad)
{
    if (run(o, train, test) != 0)
        fail_msg("%s", err_message());
    assert_int_equal(summary.rows_kept, kept);
    assert_int_equal(summary.rows_bad, bad);
    assert_false(file_exists(util_path("out.rejects.tsv")));
}

/* message: a part of it */
static void expect_error(struct prepare_options *o, const char *train, const char *test, int code, const char *message)
{
    assert_int_equal(run(o, train, test), code);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err_message());
    assert_null(strchr(err_message(), '\n'));
}

static struct dataset *open_out(void)
{
    struct dataset *ds = NULL;

    assert_int_equal(dataset_open(&ds, util_path("out")), 0);
    return ds;
}

static void expect_text(const char *file, const char *expected)
{
    char *text = util_read(file, NULL);

    assert_string_equal(text, expected);
    mem_free(text);
}

/* Every kind of bad row, with its line and its reason. */
static void test_rejects(void **state)
{
    struct prepare_options o = util_options();
    struct buf expected = {0};
    static const char train[] = "q,d,l,w,p\n"
                                "a,b,no,1,1\n"         /* 2 good */
                                "a,\"b\n\",yes,0.5,\n" /* 3 good: line break, empty event */
                                "a,b\n"                /* 5 */
                                "a,\"b\"c,no,1,1\n"    /* 6 */
                                ",b,no,1,1\n"          /* 7 */
                                " \xc2\xa0,b,no,1,1\n" /* 8: white space only */
                                "a,b,,1,1\n"           /* 9 */
                                "a,b,no,,1\n"          /* 10 */
                                "a,b,no,-1,1\n"        /* 11 */
                                "a,b,no,1e999,1\n"     /* 12 */
                                "a,b,no,1,first\n"     /* 13 */
                                "a,b,n\xff,1,1\n"      /* 14 */
                                "a,b,no,1e300,1\n"     /* 15: too large for a float */
                                "a,,no,1,1\n"          /* 16 good: empty description */
                                "a,\"b,no,1,1\n";      /* 17 */
    static const char *const rows[] = {"5\t2 fields instead of 5\ta,b",
                                       "6\tbroken quote\ta,\"b\"c,no,1,1",
                                       "7\tempty query\t,b,no,1,1",
                                       "8\tempty query\t \xc2\xa0,b,no,1,1",
                                       "9\tempty label\ta,b,,1,1",
                                       "10\tweight '' is not a number\ta,b,no,,1",
                                       "11\tweight '-1' is negative\ta,b,no,-1,1",
                                       "12\tweight '1e999' is not a number\ta,b,no,1e999,1",
                                       "13\tposition 'first' is not a number\ta,b,no,1,first",
                                       "14\tthe label is not UTF-8\ta,b,n\xff,1,1",
                                       "15\tweight '1e300' is too large\ta,b,no,1e300,1",
                                       "17\ta quote is not closed\ta,\"b,no,1,1"};

    (void)state;
    assert_int_equal(buf_add_str(&expected, "file\tline\treason\trow\n"), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(buf_printf(&expected, "%s\t%s\n", util_path("train.csv"), rows[i]), 0);
    o.weight_column = "w";
    o.position_column = "p";
    o.max_bad_rows = (struct opt_amount){.value = 12};
    expect_ok(&o, train, NULL, 3, 12);
    expect_text("out/rejects.tsv", buf_str(&expected));
    o.max_bad_rows.value = 11;
    expect_error(&o, train, NULL, RECO_E_DATA, "12 of 15 rows are bad and 11 may be (--max_bad_rows); they are in '");
    expect_text("out.rejects.tsv", buf_str(&expected));
    buf_release(&expected);
}

static void test_reject_escapes_and_length(void **state)
{
    struct prepare_options o = util_options();
    struct buf train = {0}, expected = {0};
    static const char nul_row[] = "a\0b\t\\,x,1\n";

    (void)state;
    assert_int_equal(buf_add_str(&train, "q,d,l\na,b,1\na,b,0\n\"a\r\nb\",c\n"), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_add_char(&train, 'x'), 0);
    assert_int_equal(buf_add_char(&train, '\n'), 0);
    assert_int_equal(buf_add(&train, nul_row, sizeof nul_row - 1), 0);
    FILE *f = fopen(util_path("nul.csv"), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(train.data, 1, train.length, f), train.length);
    assert_int_equal(fclose(f), 0);
    char *path = mem_strdup(util_path("nul.csv"));
    o.train_file = util_file(path);
    o.max_bad_rows = (struct opt_amount){.value = 3};
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("out"), &summary), 0);
    assert_int_equal(buf_printf(&expected,
                                "file\tline\treason\trow\n%s\t4\t2 fields instead of 3\t\"a\\r\\nb\",c\n"
                                "%s\t6\t1 field instead of 3\t",
                                path, path),
                     0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(buf_add_char(&expected, 'x'), 0);
    assert_int_equal(buf_printf(&expected, "...\n%s\t7\tNUL byte\ta\\0b\\t\\\\,x,1\n", path), 0);
    expect_text("out/rejects.tsv", buf_str(&expected));
    assert_int_equal(file_remove(path), 0);
    mem_free(path);
    buf_release(&train);
    buf_release(&expected);
}

static void test_bad_row_limits(void **state)
{
    struct prepare_options o = util_options();
    struct buf train = {0};

    (void)state;
    /* one row is always allowed of a share, two of 2000 are 0.1 %, three are not */
    expect_ok(&o, "q,d,l\na,b,1\na,b,0\na,b\n", NULL, 2, 1);
    expect_error(&o, "q,d,l\na,b,1\na,b,0\na,b\na\n", NULL, RECO_E_DATA, "2 of 4 rows are bad and 1 may be");
    assert_int_equal(buf_add_str(&train, "q,d,l\n"), 0);
    for (int i = 0; i < 1998; i++)
        assert_int_equal(buf_printf(&train, "a,b,%d\n", i % 2), 0);
    assert_int_equal(buf_add_str(&train, "a\na\n"), 0);
    expect_ok(&o, buf_str(&train), NULL, 1998, 2);
    assert_int_equal(buf_add_str(&train, "a\n"), 0);
    expect_error(&o, buf_str(&train), NULL, RECO_E_DATA, "3 of 2001 rows are bad and 2 may be");
    /* a count is taken as it is */
    o.max_bad_rows = (struct opt_amount){.value = 0};
    expect_error(&o, "q,d,l\na,b,1\na,b,0\na,b\n", NULL, RECO_E_DATA, "1 of 3 rows are bad and 0 may be");
    expect_ok(&o, "q,d,l\na,b,1\na,b,0\n", NULL, 2, 0);
    /* each file has its own share */
    o.max_bad_rows = (struct opt_amount){.value = 0.5, .is_frac = true};
    expect_error(&o, "q,d,l\na,b,1\na,b,0\na,b,1\na,b,1\n", "q,d\na\na\na,b\n", RECO_E_DATA,
                 "2 of 3 rows are bad and 1 may be");
    o = util_options();
    expect_error(&o, "q,d,l\na\n", NULL, RECO_E_DATA, "every row is bad");
    buf_release(&train);
}

static void test_bad_files(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    expect_error(&o, "", NULL, RECO_E_DATA, "it is empty, and a header line is needed");
    expect_error(&o, "q,d,l\n", NULL, RECO_E_DATA, "it has a header and no rows");
    expect_error(&o, "q,\"d,l\na,b,1\n", NULL, RECO_E_DATA, "line 1, the header: a quote is not closed");
    expect_error(&o, "q,d,l\na,b,1\na,c,1\n", NULL, RECO_E_DATA, "only one class: every label is '1'");
    expect_error(&o, "q,d,l\na,b,1\na,c,1.0\n", NULL, RECO_E_DATA, "only one class: every label is '1'");
    expect_error(&o, "q,d,l\na,b,1\na,c,0\n", "q,d,l\n", RECO_E_DATA, "it has a header and no rows");
    expect_error(&o, "query,d,l\na,b,1\n", NULL, RECO_E_USAGE, "no column 'q' (--query_column)");
    expect_error(&o, "q,d,label\na,b,1\n", NULL, RECO_E_USAGE, "no column 'l' (--label_column)");
    expect_error(&o, "q,d,l,l\na,b,1,0\n", NULL, RECO_E_DATA, "two columns 'l' (--label_column)");
    o.train_file = util_file("/nonexistent.csv");
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("out"), NULL), RECO_E_IO);
    assert_string_equal(err_message(), "cannot open '/nonexistent.csv': No such file or directory");
    o.train_file = util_file("/tmp");
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("out"), NULL), RECO_E_IO);
    assert_string_equal(err_message(), "cannot read '/tmp': it is a directory, not a file");
}

static void test_bad_options(void **state)
{
    struct prepare_options o = util_options();
    static char *carry[] = {"x", "x"}, *taken[] = {"score"}, *labels[] = {"a", "b"};

    (void)state;
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE); /* no file */
    o.train_file = util_file("-");
    assert_int_equal(prepare_options_check(&o), 0);
    o.test_file = util_file("-");
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
    o.test_file = (struct opt_list){0};
    o.carry = (struct opt_list){.items = carry, .count = 2};
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
    o.carry = (struct opt_list){.items = taken, .count = 1};
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
    assert_string_equal(err_message(), "cannot carry column 'score': the predictions have a column of that name");
    o.carry.count = 0;
    o.regression = true;
    o.label_list = (struct opt_list){.items = labels, .count = 2};
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
    o = util_options();
    o.train_file = util_file("x.csv");
    o.label_column = NULL;
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
    o.query_column = NULL;
    assert_int_equal(prepare_options_check(&o), RECO_E_USAGE);
}

/* A column that may be missing in a file must be in one of them. */
static void test_columns_over_files(void **state)
{
    struct prepare_options o = util_options();
    static char *carry[] = {"note"};

    (void)state;
    o.carry = (struct opt_list){.items = carry, .count = 1};
    o.item_id_column = "item";
    expect_ok(&o, "q,d,l\na,b,1\na,c,0\n", "q,d,item,note\na,b,i1,n1\n", 3, 0);
    struct dataset *ds = open_out();
    assert_int_equal(dataset_column_count(dataset_split_at(ds, 0)), 3);
    assert_int_equal(dataset_column_count(dataset_split_at(ds, 1)), 4);
    dataset_close(ds);
    carry[0] = "nota";
    expect_error(&o, "q,d,l\na,b,1\na,c,0\n", "q,d,item,note\na,b,i1,n1\n", RECO_E_USAGE, "no column 'nota' (--carry)");
    carry[0] = "note";
    o.weight_column = "w";
    expect_error(&o, "q,d,l\na,b,1\na,c,0\n", "q,d,item,note,w\na,b,i1,n1,1\n", RECO_E_USAGE,
                 "no column 'w' (--weight_column)");
}

static void test_labels(void **state)
{
    struct prepare_options o = util_options();
    static char *order[] = {"no", "maybe", "yes"}, *grades[] = {"yes=3", "maybe=1", "no=0"};

    (void)state;
    /* later files must fit the map of the first; an empty label is allowed in the test file alone */
    expect_ok(&o, "q,d,l\na,b,2\na,c,10\n", "q,d,l\na,b,10.0\na,b,\na,b,3\n", 4, 1);
    struct dataset *ds = open_out();
    assert_string_equal(dataset_labels(ds)->names[1], "10");
    assert_int_equal(dataset_label(dataset_split_at(ds, 1), 0), 1);
    assert_int_equal(dataset_label(dataset_split_at(ds, 1), 1), -1);
    dataset_close(ds);
    char *rejects = util_read("out/rejects.tsv", NULL);
    assert_non_null(strstr(rejects, "\t4\tlabel '3' is not one of '2', '10'\ta,b,3\n"));
    mem_free(rejects);
    o.label_list = (struct opt_list){.items = order, .count = 3};
    o.grades = (struct opt_list){.items = grades, .count = 3};
    o.positive_label = "maybe";
    expect_ok(&o, "q,d,l\na,b,yes\na,c,no\na,c,perhaps\n", NULL, 2, 1);
    ds = open_out();
    assert_int_equal(dataset_labels(ds)->count, 3);
    assert_int_equal(dataset_label(dataset_split_at(ds, 0), 0), 2);
    assert_int_equal(dataset_label(dataset_split_at(ds, 0), 1), 0);
    assert_true(dataset_labels(ds)->grades[2] == 3.0);
    assert_int_equal(dataset_labels(ds)->positive, 1);
    dataset_close(ds);
    expect_error(&o, "q,d,l\na,b,yes\na,c,yes\n", NULL, RECO_E_DATA, "only one class: every label is 'yes'");
    o.grades.count = 2;
    expect_error(&o, "q,d,l\na,b,yes\na,c,no\n", NULL, RECO_E_USAGE, "no grade for label 'no'");
}

static void test_too_many_labels(void **state)
{
    struct prepare_options o = util_options();
    struct buf train = {0};

    (void)state;
    assert_int_equal(buf_add_str(&train, "q,d,l\n"), 0);
    for (int i = 0; i < 1001; i++)
        assert_int_equal(buf_printf(&train, "a,b,id%d\n", i), 0);
    expect_error(&o, buf_str(&train), NULL, RECO_E_DATA, "more than 1000 different values");
    buf_release(&train);
}

static void test_given_map(void **state)
{
    struct prepare_options o = util_options();
    static const char *const names[] = {"no", "yes"};
    struct label_map map;

    (void)state;
    assert_int_equal(label_map_from_list(&map, names, 2), 0);
    util_write("test.csv", "q,d,l\na,b,yes\na,b,\na,b,other\n");
    o.test_file = util_file(mem_strdup(util_path("test.csv")));
    assert_int_equal(prepare_run(&o, util_wp, &map, util_path("out"), &summary), 0);
    assert_int_equal(summary.rows_kept, 2);
    assert_int_equal(summary.rows_bad, 1);
    struct dataset *ds = open_out();
    assert_int_equal(dataset_label(dataset_split_at(ds, 0), 0), 1);
    assert_int_equal(dataset_label(dataset_split_at(ds, 0), 1), -1);
    dataset_close(ds);
    o.label_column = NULL; /* predict without labels */
    assert_int_equal(prepare_run(&o, util_wp, &map, util_path("out"), &summary), 0);
    assert_int_equal(summary.rows_kept, 3);
    o.regression = true;
    assert_int_equal(prepare_run(&o, util_wp, &map, util_path("out"), &summary), RECO_E_USAGE);
    o.regression = false;
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("out"), &summary), RECO_E_USAGE); /* no labels at all */
    mem_free(o.test_file.items[0]);
    label_map_release(&map);
}

static void expect_query_id(const struct dataset_split *split, size_t row, size_t same_as, bool same)
{
    size_t length_a, length_b;
    const char *a = dataset_columns(split, row, &length_a), *b = dataset_columns(split, same_as, &length_b);

    a = strchr(a, '\t') + 1;
    b = strchr(b, '\t') + 1;
    assert_int_equal(memcmp(a, b, 16) == 0, same);
}

static void test_keys(void **state)
{
    struct prepare_options o = util_options();
    size_t length;

    (void)state;
    expect_ok(&o,
              "q,d,l\nred shoe,b,1\n\"  Red\t\nSHOE \",b,0\nredshoe,b,1\n"
              "\xd0\x9d\xd0\x9e,b,0\n\xd0\xbd\xd0\xbe,b,0\nred\xe3\x80\x80shoe,b,1\n",
              NULL, 6, 0);
    struct dataset *ds = open_out();
    const struct dataset_split *train = dataset_split_at(ds, 0);
    expect_query_id(train, 1, 0, true);  /* white space and case */
    expect_query_id(train, 2, 0, false); /* but not none at all */
    expect_query_id(train, 4, 3, true);  /* Cyrillic */
    expect_query_id(train, 5, 0, true);  /* an ideographic space */
    dataset_close(ds);
    o.id_column = "id";
    o.query_id_column = "qid";
    o.item_id_column = "item";
    expect_ok(&o, "id,qid,item,q,d,l\nr1,q1,i1,a,b,1\nr2,q1,,a,b,0\n", NULL, 2, 0);
    ds = open_out();
    const char *columns = dataset_columns(dataset_split_at(ds, 0), 1, &length);
    assert_int_equal(length, 6);
    assert_memory_equal(columns, "r2\tq1\t", 6);
    dataset_close(ds);
}

static void test_row_ids_are_unique(void **state)
{
    struct prepare_options o = util_options();
    struct buf train = {0};

    (void)state;
    o.id_column = "id";
    assert_int_equal(buf_add_str(&train, "id,q,d,l\n"), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_printf(&train, "r%d,a,b,%d\n", i, i % 2), 0);
    expect_ok(&o, buf_str(&train), "id,q,d\nr1,a,b\n", 5001, 0); /* each file has its own */
    assert_int_equal(buf_add_str(&train, "r17,a,b,1\n"), 0);
    expect_ok(&o, buf_str(&train), NULL, 5000, 1);
    char *rejects = util_read("out/rejects.tsv", NULL);
    assert_non_null(strstr(rejects, "\t5002\trow id 'r17' was there before\t"));
    mem_free(rejects);
    buf_release(&train);
}

static void test_descriptions_join(void **state)
{
    struct prepare_options o = util_options();
    static char *three[] = {"x", "z", "y"};
    struct buf query = {0}, description = {0};
    static const char *const expected[] = {"a c b", "a b", "", "c", " "};

    (void)state;
    o.description_column = (struct opt_list){.items = three, .count = 3};
    expect_ok(&o, "q,x,y,z,l\nh,a,b,c,1\nh,a,b,,0\nh,,,,1\nh,,,c,1\nh,\" \",,,1\n", NULL, 5, 0);
    struct dataset *ds = open_out();
    for (size_t row = 0; row < 5; row++) {
        buf_clear(&description);
        assert_int_equal(dataset_texts(dataset_split_at(ds, 0), row, &query, &description), 0);
        assert_string_equal(buf_str(&description), expected[row]);
    }
    dataset_close(ds);
    buf_release(&query);
    buf_release(&description);
}

static void test_trim_and_delimiter(void **state)
{
    struct prepare_options o = util_options();
    struct buf query = {0}, description = {0};

    (void)state;
    /* kept: " 1" is a word and not the number 1 */
    expect_ok(&o, "q,d,l\n a ,b, 1\n a ,b,2\n", NULL, 2, 0);
    struct dataset *ds = open_out();
    assert_string_equal(dataset_labels(ds)->names[0], " 1");
    assert_false(dataset_labels(ds)->graded);
    assert_int_equal(dataset_texts(dataset_split_at(ds, 0), 0, &query, &description), 0);
    assert_string_equal(buf_str(&query), " a ");
    dataset_close(ds);
    o.table.trim_blanks = true;
    o.table.delimiter = ";";
    expect_ok(&o, " q;d ;l\n a ;b; 1\n\" a \";b;2\n", NULL, 2, 0);
    ds = open_out();
    assert_string_equal(dataset_labels(ds)->names[0], "1");
    assert_int_equal(json_integer_value(json_object_get(dataset_json(ds), "texts")), 2);
    dataset_close(ds);
    buf_release(&query);
    buf_release(&description);
}

static void test_samples(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    o.max_train_samples = 2;
    o.max_predict_samples = 1;
    expect_ok(&o, "q,d,l\na\nb,b,1\nc,b,0\nd,b,1\n", "q,d\na,b\nc,d\n", 3, 1);
}

static void test_report(void **state)
{
    struct prepare_options o = util_options();
    struct buf text = {0};

    (void)state;
    expect_ok(&o, "q,d,l\na,b,1\na b,c d e f g,1\na,b c d e f g,0\n", NULL, 3, 0);
    assert_int_equal(summary.rows_truncated, 2); /* 10 and 10 tokens at 8 */
    assert_int_equal(summary.tokens_lost, 4);
    assert_int_equal(summary.distinct_texts, 5);
    assert_int_equal(summary.tokens, 1 + 1 + 2 + 5 + 6);
    assert_int_equal(prepare_report_text(util_path("out"), &text), 0);
    assert_non_null(strstr(buf_str(&text), "3 kept, 0 bad"));
    assert_non_null(strstr(buf_str(&text), "tokens lost: query 0, description 4"));
    assert_non_null(strstr(buf_str(&text), "at most 10"));
    o.truncation = WORDPIECE_ONLY_SECOND;
    expect_ok(&o, "q,d,l\na,b,1\na b c d e f g h,c,0\n", NULL, 2, 0);
    buf_clear(&text);
    assert_int_equal(prepare_report_text(util_path("out"), &text), 0);
    assert_non_null(strstr(buf_str(&text), "query alone too long, which training would refuse: 1"));
    buf_release(&text);
}

static const char torture_train[] = "q,d,l,w\na,\"b\nc\",1,1\nred shoe,,0,2\nbad\nblue hat,red shoe,1,0.5\n";
static const char torture_test[] = "q,d,l\na,hat,1\na,hat,\n";

/* The n-th allocation, then the n-th write, fails, for every n: the old dataset stays, nothing is left over. */
static void torture(void (*fail_after)(long), int code)
{
    struct prepare_options o = util_options();
    static const char *const known[] = {"out", "train.csv", "test.csv"};
    bool finished = false;

    expect_ok(&o, "q,d,l\nold,b,1\nold,b,0\n", NULL, 2, 0);
    struct dataset *ds = open_out();
    char old_hash[HASH_HEX_SIZE];
    snprintf(old_hash, sizeof old_hash, "%s", dataset_hash(ds));
    dataset_close(ds);
    util_write("train.csv", torture_train);
    util_write("test.csv", torture_test);
    o.train_file = util_file(mem_strdup(util_path("train.csv")));
    o.test_file = util_file(mem_strdup(util_path("test.csv")));
    o.weight_column = "w";
    o.threads = 2;
    for (long n = 1; !finished; n++) {
        err_clear();
        fail_after(n);
        int rc = prepare_run(&o, util_wp, NULL, util_path("out"), NULL);
        fail_after(0);
        assert_true(rc == 0 || rc == code);
        assert_true(rc == 0 || strlen(err_message()) > 0);
        assert_int_equal(util_count_except(known, 3), 0);
        ds = open_out();
        assert_int_equal(strcmp(dataset_hash(ds), old_hash) != 0, rc == 0);
        dataset_close(ds);
        finished = rc == 0;
        assert_true(n < 5000);
    }
    mem_free(o.train_file.items[0]);
    mem_free(o.test_file.items[0]);
}

static void test_allocation_torture(void **state)
{
    (void)state;
    torture(mem_fail_after, RECO_E_NOMEM);
}

static void test_write_torture(void **state)
{
    (void)state;
    torture(file_fail_after, RECO_E_IO);
}

/* The same where there are too many bad rows: the list of them is whole or not there. */
static void test_reject_torture(void **state)
{
    struct prepare_options o = util_options();
    static const char *const known[] = {"train.csv", "test.csv", "out.rejects.tsv"};
    bool finished = false;

    (void)state;
    assert_int_equal(dir_remove(util_path("out")), 0);
    util_write("train.csv", "q,d,l\nbad\nbad\na,b,1\n");
    o.train_file = util_file(mem_strdup(util_path("train.csv")));
    for (long n = 1; !finished; n++) {
        file_fail_after(n);
        int rc = prepare_run(&o, util_wp, NULL, util_path("out"), NULL);
        file_fail_after(0);
        assert_true(rc == RECO_E_IO || rc == RECO_E_DATA);
        assert_int_equal(util_count_except(known, 3), 0);
        assert_int_equal(rc == RECO_E_DATA, file_exists(util_path("out.rejects.tsv")));
        finished = rc == RECO_E_DATA;
        assert_true(n < 100);
    }
    mem_free(o.train_file.items[0]);
}

/* kill -9 at any moment leaves the old dataset or the new one. */
static void test_kill(void **state)
{
    enum { KILLS = 30 };
    struct prepare_options o = util_options();
    struct buf train = {0};
    char old_hash[HASH_HEX_SIZE], new_hash[HASH_HEX_SIZE];
    int seen_old = 0, seen_new = 0;

    (void)state;
    expect_ok(&o, "q,d,l\nold,b,1\nold,b,0\n", NULL, 2, 0);
    struct dataset *ds = open_out();
    snprintf(old_hash, sizeof old_hash, "%s", dataset_hash(ds));
    dataset_close(ds);
    assert_int_equal(buf_add_str(&train, "q,d,l\n"), 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(buf_printf(&train, "a %d,b c %d,%d\n", i, i * 7, i % 2), 0);
    util_write("train.csv", buf_str(&train));
    o.train_file = util_file(mem_strdup(util_path("train.csv")));
    double start_s = clock_now_s();
    assert_int_equal(prepare_run(&o, util_wp, NULL, util_path("new"), NULL), 0);
    double whole_s = clock_now_s() - start_s;
    assert_int_equal(dataset_open(&ds, util_path("new")), 0);
    snprintf(new_hash, sizeof new_hash, "%s", dataset_hash(ds));
    dataset_close(ds);
    for (int i = 0; i < KILLS; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            _exit(prepare_run(&o, util_wp, NULL, util_path("out"), NULL) == 0 ? 0 : 1);
        usleep((useconds_t)(1.5e6 * whole_s * i / KILLS));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        ds = open_out();
        bool is_old = strcmp(dataset_hash(ds), old_hash) == 0;
        assert_true(is_old || strcmp(dataset_hash(ds), new_hash) == 0);
        *(is_old ? &seen_old : &seen_new) += 1;
        dataset_close(ds);
    }
    print_message("killed %d times: %d times the old dataset, %d times the new one\n", KILLS, seen_old, seen_new);
    assert_true(seen_old > 0);
    mem_free(o.train_file.items[0]);
    buf_release(&train);
}

static void test_stop(void **state)
{
    struct prepare_options o = util_options();

    (void)state;
    stop_install();
    assert_int_equal(raise(SIGTERM), 0);
    expect_error(&o, "q,d,l\na,b,1\na,c,0\n", NULL, RECO_E_STOPPED, "stopped while reading");
    stop_install();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rejects),
        cmocka_unit_test(test_reject_escapes_and_length),
        cmocka_unit_test(test_bad_row_limits),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_columns_over_files),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_too_many_labels),
        cmocka_unit_test(test_given_map),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_row_ids_are_unique),
        cmocka_unit_test(test_descriptions_join),
        cmocka_unit_test(test_trim_and_delimiter),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_allocation_torture),
        cmocka_unit_test(test_write_torture),
        cmocka_unit_test(test_reject_torture),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
