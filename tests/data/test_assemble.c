/* Tables joined by id: which row, which column, what is wrong with one, failures at every step. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assemble_util.h"

static struct assemble_options with_items(const char *items)
{
    return (struct assemble_options){.items_file = util_write("items.csv", items), .item_id_column = "item"};
}

static void test_items(void **state)
{
    struct assemble_options o = with_items("item,title,price\nb,Blue hat,9\na,\"Red, \"\"big\"\" shoe\",\n");
    const char *main_file = util_write("main.csv", "q,item,price\nshoe,a,1\nhat,b,2\nhat,b,3\n");

    (void)state;
    util_expect(&o, main_file, "q,title,price,items.price,items.item",
                "shoe|Red, \"big\" shoe|1||a\nhat|Blue hat|2|9|b\nhat|Blue hat|3|9|b\n");
    o.items_key_column = "title";
    main_file = util_write("main.csv", "item\nBlue hat\n");
    util_expect(&o, main_file, "price,item,items.item", "9|Blue hat|b\n");
}

static void test_no_tables(void **state)
{
    struct assemble_options o = {.item_id_column = "item", .query_id_column = "q"};

    (void)state;
    util_expect(&o, util_write("main.csv", "q,item\nshoe,a\n"), "item,q", "a|shoe\n");
    util_expect_error(&o, util_path("main.csv"), "itme", RECO_E_USAGE, "no column 'itme' (--carry)");
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_USAGE, "there is no history without --history_file");
}

static void test_missing(void **state)
{
    struct assemble_options o = with_items("item,title\na,A\n");
    struct buf out = {0};
    char expected[512];

    (void)state;
    assert_int_equal(util_rows(&out, &o, util_write("main.csv", "item,x\na,1\nb,1\n,1\nA,1\n"), "title"), 0);
    snprintf(expected, sizeof expected,
             "A\nbad: item 'b' is not in '%s'\nbad: empty item id, looked up in '%s'\nbad: item 'A' is not in '%s'\n",
             o.items_file, o.items_file, o.items_file);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
}

static void test_users_and_queries(void **state)
{
    struct assemble_options o = {.users_file = util_write("users.csv", "user_id\tage\tname\nu1\t30\tAnn\n"),
                                 .queries_file = util_write("query.csv", "query_id\tquery\tname\n7\tred shoe\tn\n"),
                                 .user_id_column = "user_id",
                                 .query_id_column = "query_id"};
    const char *main_file = util_write("main.csv", "query_id\tuser_id\tlabel\n7\tu1\t1\n7\t\t0\n8\tu1\t0\n7\tu2\t0\n");
    struct buf out = {0};
    char expected[512];

    (void)state;
    assert_int_equal(util_rows(&out, &o, main_file, "query,age,users.name,queries.name,label"), 0);
    snprintf(expected, sizeof expected,
             "red shoe|30|Ann|n|1\nred shoe|||n|0\nbad: query '8' is not in '%s'\nbad: user 'u2' is not in '%s'\n",
             o.queries_file, o.users_file);
    assert_string_equal(buf_str(&out), expected);
    buf_release(&out);
    util_expect_error(&o, main_file, "name", RECO_E_USAGE, "write 'users.name' or 'queries.name'");
    util_expect_error(&o, main_file, "users.agee", RECO_E_USAGE, "no column 'users.agee' (--carry)");
    util_expect_error(&o, main_file, "qeury", RECO_E_USAGE, "did you mean 'query'?");
}

static void test_several_columns(void **state)
{
    struct assemble_options o = {
        .items_file = util_write("items.csv", "product_id,product_locale,title\nA,us,one\nA,es,uno\n\"A,us\",,odd\n"),
        .item_id_column = "product_id,product_locale"};
    const char *main_file = util_write("main.csv", "product_locale,product_id,label\nus,A,1\nes,A,0\n,\"A,us\",2\n");

    (void)state;
    util_expect(&o, main_file, "product_id,title,label", "A|one|1\nA|uno|0\nA,us|odd|2\n");
    o.items_key_column = "product_id,local";
    util_expect_error(&o, main_file, "title", RECO_E_USAGE, "no column 'local' (--items_key_column)");
}

/* The id of several columns is a column itself, with a table or without. */
static void test_several_columns_named(void **state)
{
    struct assemble_options o = {.item_id_column = "p,l"};
    const char *main_file = util_write("main.csv", "l,p\nus,A\n,\n");
    struct assembler *a = NULL;
    struct assembly *as = NULL;
    struct assembly_lane *lane = NULL;
    struct table_reader *reader = NULL;
    const struct csv_record *record;
    const struct csv_field *fields;
    struct buf bad = {0};
    size_t column;

    (void)state;
    assert_int_equal(assembler_open(&a, &o, NULL, util_root), 0);
    assert_int_equal(table_reader_open(&reader, main_file, NULL), 0);
    assert_int_equal(assembly_open(&as, a, reader, "'main.csv'"), 0);
    assert_int_equal(assembly_find(as, "item_id_column", "p,l", &column), 0);
    assert_true(assembly_has(as, "p,l"));
    assert_string_equal(assembly_column_name(as, column), "p,l");
    assert_int_equal(assembly_lane_new(&lane, as), 0);
    assert_int_equal(table_reader_next(reader, &record), 0);
    assert_int_equal(assembly_widen(lane, record->fields, &fields, &bad), 0);
    assert_string_equal(fields[column].text, "A,us");
    assert_int_equal(table_reader_next(reader, &record), 0);
    assert_int_equal(assembly_widen(lane, record->fields, &fields, &bad), 0);
    assert_string_equal(fields[column].text, "");
    assembly_lane_free(lane);
    assembly_close(as);
    table_reader_close(reader);
    assembler_close(a);
    buf_release(&bad);
}

static void test_column_names(void **state)
{
    struct assemble_options o = {.items_file = util_write("items.csv", "item,title,name\na,A,n\n"),
                                 .users_file = util_write("users.csv", "user,name\nu,U\n"),
                                 .item_id_column = "item",
                                 .user_id_column = "user"};
    static const char *const expected[] = {"item",  "user",       "price",      "items.item",
                                           "title", "items.name", "users.user", "users.name"};
    struct assembler *a = NULL;
    struct assembly *as = NULL;
    struct table_reader *reader = NULL;

    (void)state;
    assert_int_equal(assembler_open(&a, &o, NULL, util_root), 0);
    assert_int_equal(table_reader_open(&reader, util_write("main.csv", "item,user,price\na,u,1\n"), NULL), 0);
    assert_int_equal(assembly_open(&as, a, reader, "'main.csv'"), 0);
    assert_int_equal(assembly_columns(as), 8);
    for (size_t i = 0; i < 8; i++) {
        size_t column;
        assert_string_equal(assembly_column_name(as, i), expected[i]);
        assert_int_equal(assembly_find(as, "carry", expected[i], &column), 0);
        assert_int_equal(column, i);
    }
    assert_false(assembly_has(as, "name"));
    assert_false(assembly_has(as, "nothing"));
    assembly_close(as);
    table_reader_close(reader);
    assembler_close(a);
}

/* RecBole headers carry types. */
static void test_typed_names(void **state)
{
    struct assemble_options o = {.items_file =
                                     util_write("ml.item", "item_id:token\tmovie_title:token_seq\n1\tToy Story\n"),
                                 .item_id_column = "item_id"};

    (void)state;
    util_expect(&o, util_write("ml.inter", "user_id:token\titem_id:token\trating:float\n7\t1\t4\n"),
                "movie_title,rating,user_id:token,items.item_id", "Toy Story|4|7|1\n");
}

static void test_duplicates(void **state)
{
    struct assemble_options o = with_items("item,title\na,A\nb,B\na,A\na,A\n");
    const char *main_file = util_write("main.csv", "item\na\n");

    (void)state;
    util_expect(&o, main_file, "title", "A\n");
    o = with_items("item,title\na,A\nb,\"B\nB\"\nb,B\n");
    util_expect_error(&o, main_file, "title", RECO_E_DATA, "lines 3 and 5 are both item 'b' and differ in 'title'");
}

static void test_bad_rows_of_a_table(void **state)
{
    struct assemble_options o = with_items("item,title\na,A\nb\n,C\n");
    const char *main_file = util_write("main.csv", "item\na\n");

    (void)state;
    util_expect_error(&o, main_file, "title", RECO_E_DATA,
                      "2 of 3 rows are bad and 0 may be (--max_bad_rows); the first is line 3: 1 field instead of 2");
    o.max_bad_rows = (struct opt_amount){.value = 2};
    util_expect(&o, main_file, "title", "A\n");
    o.max_bad_rows = (struct opt_amount){.value = 0.5, .is_frac = true};
    util_expect_error(&o, main_file, "title", RECO_E_DATA, "2 of 3 rows are bad and 1 may be");
    o = with_items("item,title\n");
    util_expect_error(&o, main_file, "title", RECO_E_DATA, "it has a header and no rows");
}

static void test_options(void **state)
{
    struct assemble_options o = {.items_file = "items.csv"};

    (void)state;
    assert_int_equal(assemble_options_check(&o), RECO_E_USAGE);
    assert_string_equal(err_message(), "--items_file needs --item_id_column, the column that it is joined by");
    o = (struct assemble_options){.users_key_column = "id"};
    assert_int_equal(assemble_options_check(&o), RECO_E_USAGE);
    assert_string_equal(err_message(), "--users_key_column needs --users_file");
    o = (struct assemble_options){.items_file = "-", .item_id_column = "item"};
    util_expect_error(&o, util_write("main.csv", "item\na\n"), "item", RECO_E_USAGE, "--items_file cannot be stdin");
    o.items_file = util_path("none.csv");
    util_expect_error(&o, util_path("main.csv"), "item", RECO_E_IO, "none.csv");
    o = with_items("id,title\na,A\n");
    util_expect_error(&o, util_path("main.csv"), "item", RECO_E_USAGE, "no column 'item' (--items_key_column)");
    o.items_key_column = "id";
    util_expect_error(&o, util_write("main.csv", "itm\na\n"), "title", RECO_E_USAGE,
                      "no column 'item' (--item_id_column)");
}

/* Many rows: every key is found, none that is not there. */
static void test_many(void **state)
{
    enum { ROWS = 20000 };
    struct buf items = {0}, main_file = {0}, out = {0}, expected = {0};

    (void)state;
    assert_int_equal(buf_add_str(&items, "item,title\n") | buf_add_str(&main_file, "item\n"), 0);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(buf_printf(&items, "k%d,\"title, %d\"\n", i, i), 0);
        assert_int_equal(buf_printf(&main_file, "k%d\n", i * 7919 % ROWS), 0);
        assert_int_equal(buf_printf(&expected, "title, %d\n", i * 7919 % ROWS), 0);
    }
    struct assemble_options o = with_items(buf_str(&items));
    assert_int_equal(util_rows(&out, &o, util_write("main.csv", buf_str(&main_file)), "title"), 0);
    assert_string_equal(buf_str(&out), buf_str(&expected));
    buf_release(&items);
    buf_release(&main_file);
    buf_release(&out);
    buf_release(&expected);
}

/* The n-th allocation fails, for all n; then the n-th write. */
static void test_failures(void **state)
{
    struct assemble_options o = with_items("item,p,title\na,1,A\nb,1,B\na,1,A\n");
    struct buf out = {0};
    int rc = RECO_E_NOMEM;

    (void)state;
    o.item_id_column = "item,p";
    o.users_file = util_write("users.csv", "u,age\n1,30\n");
    o.user_id_column = "u";
    o.history_file = util_write("log.csv", "u,item,p,time\n1,a,1,5\n1,b,1,6\n");
    o.time_column = "time";
    o.history_length = 5;
    o.history_template = "{title} at {time}";
    char *main_file = util_write("main.csv", "u,item,p,time\n1,a,1,7\n");
    for (long n = 1; rc != 0; n++) {
        buf_clear(&out);
        mem_fail_after(n);
        rc = util_rows(&out, &o, main_file, "title,age,history,history_items");
        mem_fail_after(0);
        if (rc != 0 && rc != RECO_E_NOMEM)
            fail_msg("allocation %ld: %s", n, err_message());
        assert_true(n < 10000);
    }
    assert_string_equal(buf_str(&out), "A|30|A at 5 ; B at 6|a,1 b,1\n");
    rc = RECO_E_IO;
    for (long n = 1; rc != 0; n++) {
        buf_clear(&out);
        file_fail_after(n);
        rc = util_rows(&out, &o, main_file, "title,age,history,history_items");
        file_fail_after(0);
        if (rc != 0 && rc != RECO_E_IO)
            fail_msg("write %ld: %s", n, err_message());
        assert_true(n < 1000);
    }
    assert_string_equal(buf_str(&out), "A|30|A at 5 ; B at 6|a,1 b,1\n");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),           cmocka_unit_test(test_no_tables),
        cmocka_unit_test(test_missing),         cmocka_unit_test(test_users_and_queries),
        cmocka_unit_test(test_several_columns), cmocka_unit_test(test_several_columns_named),
        cmocka_unit_test(test_column_names),    cmocka_unit_test(test_typed_names),
        cmocka_unit_test(test_duplicates),      cmocka_unit_test(test_bad_rows_of_a_table),
        cmocka_unit_test(test_options),         cmocka_unit_test(test_many),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
