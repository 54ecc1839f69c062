/* Rows shown: what was stored comes back, whatever bytes it has; regression, single texts, no memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "data/show.h"
#include "prepare_util.h"

static struct dataset *make(struct prepare_options *o, const char *text)
{
    struct dataset *ds = NULL;

    util_write("show.csv", text);
    o->train_file = util_file(util_path("show.csv"));
    if (prepare_run(o, util_wp, NULL, util_path("show"), NULL) != 0 || dataset_open(&ds, util_path("show")) != 0)
        fail_msg("%s", err_message());
    return ds;
}

static json_t *row_of(const struct dataset *ds, size_t row, const struct show_options *o)
{
    json_t *json = NULL;

    if (show_row_json(&json, dataset_split_at(ds, 0), row, o) != 0)
        fail_msg("%s", err_message());
    return json;
}

static void expect_json(const json_t *json, const char *expected)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9));

    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void test_any_bytes(void **state)
{
    struct prepare_options o = util_options();
    static char *carry[] = {"note"};
    const struct show_options options = {.max_seq_length = 6, .wp = util_wp};
    struct buf b = {0};

    (void)state;
    o.carry = (struct opt_list){.items = carry, .count = 1};
    struct dataset *ds = make(&o, "q,d,l,note\n"
                                  "red shoe,blue hats,1,\"\x1b[31m\ttab\"\n"
                                  "a \xff b,\"two\nlines\\\",0,\xc2\x9b\n");
    json_t *json = row_of(ds, 0, &options);
    expect_json(json, "{\"split\":\"train\",\"row\":1,\"row_id\":\"show.csv:1\",\"query_id\":\"bc9d2b11f3e5262e\","
                      "\"item_id\":\"\",\"columns\":{\"note\":\"\\u001B[31m\\ttab\"},\"label\":\"1\",\"weight\":1.0,"
                      "\"query\":{\"text\":\"red shoe\",\"ids\":[13,14],\"tokens\":[\"red\",\"shoe\"]},"
                      "\"description\":{\"text\":\"blue hats\",\"ids\":[15,16,17],\"tokens\":[\"blue\",\"hat\","
                      "\"##s\"]},"
                      "\"input\":{\"ids\":[2,13,3,15,16,3],\"tokens\":[\"[CLS]\",\"red\",\"[SEP]\",\"blue\",\"hat\","
                      "\"[SEP]\"],\"type_ids\":[0,0,0,1,1,1],\"lost\":2,\"max_seq_length\":6}}");
    assert_int_equal(show_row_text(&b, json), 0);
    assert_string_equal(buf_str(&b), "train row 1\n"
                                     "  row_id       show.csv:1\n"
                                     "  query_id     bc9d2b11f3e5262e\n"
                                     "  label        1\n"
                                     "  weight       1\n"
                                     "  note         \\x1b[31m\\ttab\n"
                                     "  query        red shoe\n"
                                     "               2 tokens: red shoe\n"
                                     "               ids: 13 14\n"
                                     "  description  blue hats\n"
                                     "               3 tokens: blue hat ##s\n"
                                     "               ids: 15 16 17\n"
                                     "  input        2 tokens lost at --max_seq_length 6\n"
                                     "               6 tokens: [CLS] red [SEP] blue hat [SEP]\n"
                                     "               ids: 2 13 3 15 16 3\n");
    json_decref(json);
    buf_clear(&b);
    json = row_of(ds, 1, &options);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "query"), "text")), "a \xef\xbf\xbd b");
    assert_int_equal(show_row_text(&b, json), 0);
    assert_non_null(strstr(buf_str(&b), "  note         \\x9b\n"));
    assert_non_null(strstr(buf_str(&b), "  description  two\\nlines\\\\\n"));
    json_decref(json);
    buf_release(&b);
    dataset_close(ds);
}

static void test_regression_and_single_texts(void **state)
{
    struct prepare_options o = util_options();
    const struct show_options options = {.max_seq_length = 8};
    struct buf b = {0};

    (void)state;
    o.regression = true;
    o.description_column.count = 0;
    struct dataset *ds = make(&o, "q,d,l\nred shoe,x,1.25\n");
    json_t *json = row_of(ds, 0, &options);
    assert_true(json_real_value(json_object_get(json, "label")) == 1.25);
    assert_null(json_object_get(json, "description"));
    assert_null(json_object_get(json_object_get(json, "query"), "tokens"));
    assert_int_equal(show_row_text(&b, json), 0);
    assert_non_null(strstr(buf_str(&b), "  label        1.25\n"));
    assert_non_null(strstr(buf_str(&b), "               4 tokens: 2 13 14 3\n"));
    json_decref(json);
    buf_release(&b);
    dataset_close(ds);
}

static void test_torture(void **state)
{
    struct prepare_options o = util_options();
    const struct show_options options = {.max_seq_length = 8, .wp = util_wp};
    bool finished = false;

    (void)state;
    struct dataset *ds = make(&o, "q,d,l\nred shoe,blue hat,1\nblue hat,red,0\n");
    for (long n = 1; !finished; n++) {
        json_t *json = NULL;
        struct buf b = {0};
        mem_fail_after(n);
        int rc = show_row_json(&json, dataset_split_at(ds, 0), 0, &options);
        if (rc == 0)
            rc = show_row_text(&b, json);
        mem_fail_after(0);
        json_decref(json);
        buf_release(&b);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        finished = rc == 0;
        assert_true(n < 200);
    }
    dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_regression_and_single_texts),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
