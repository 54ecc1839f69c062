/* Users' histories: what is in them, how they read, and that nothing from the row's time on ever is. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assemble_util.h"
#include "core/pool.h"
#include "core/rng.h"

static const char *const small_log = "user,item,time,action\n"
                                     "u1,a,10,view\n"
                                     "u2,c,1,view\n"
                                     "u1,c,30,buy\n"
                                     "u1,b,20,view\n"
                                     "u1,a,30,view\n"
                                     ",a,1,view\n";

static struct assemble_options with_log(const char *log)
{
    return (struct assemble_options){.history_file = util_write("log.csv", log),
                                     .user_id_column = "user",
                                     .item_id_column = "item",
                                     .time_column = "time",
                                     .history_length = 10};
}

/* Rows before, at and after the times of the log; same-time actions are not history. */
static void test_strictly_before(void **state)
{
    struct assemble_options o = with_log(small_log);
    const char *rows = util_write("main.csv", "user,item,time\nu1,x,5\nu1,x,10\nu1,x,11\nu1,x,30\nu1,x,31\nu2,x,31\n"
                                              "u3,x,31\n,x,31\nu,x,31\nu11,x,31\n");

    (void)state;
    util_expect(&o, rows, "history_items,history", "|\n|\na|a\na b|a ; b\na b c a|a ; b ; c ; a\nc|c\n|\n|\n|\n|\n");
    o.history_length = 2;
    o.history_separator = ", ";
    util_expect(&o, rows, "history_items,history", "|\n|\na|a\na b|a, b\nc a|c, a\nc|c\n|\n|\n|\n|\n");
}

static void test_template(void **state)
{
    struct assemble_options o = with_log(small_log);
    const char *rows = util_write("main.csv", "user,item,time\nu1,a,31\nu2,a,31\n");

    (void)state;
    o.items_file = util_write("items.csv", "item,title,brand\na,Red shoe,Nike\nb,Hat,\nx,X,X\n");
    o.history_template = "{action}: {title} | by {brand}";
    util_expect(&o, rows, "history,title",
                "view: Red shoe | by Nike ; view: Hat ; buy: ; view: Red shoe | by Nike|Red shoe\nview:|Red shoe\n");
    o.history_template = "{title}"; /* an action that says nothing leaves no separator */
    util_expect(&o, rows, "history", "Red shoe ; Hat ; Red shoe\n\n");
    o.history_template = "{items.title} {item}";
    util_expect(&o, rows, "history", "Red shoe a ; Hat b ; c ; Red shoe a\nc\n");
    o.history_template = "{titel}";
    util_expect_error(&o, rows, "history", RECO_E_USAGE, "no column 'titel' (--history_template) in");
    util_expect_error(&o, rows, "history", RECO_E_USAGE, "did you mean 'title'?");
}

static void test_actions(void **state)
{
    char *wanted[] = {"buy", "cart"};
    struct assemble_options o = with_log(small_log);
    const char *rows = util_write("main.csv", "user,item,time\nu1,a,31\n");

    (void)state;
    o.history_action_column = "action";
    o.history_actions = (struct opt_list){.items = wanted, .count = 2};
    util_expect(&o, rows, "history_items", "c\n");
    wanted[0] = "steal";
    util_expect_error(&o, rows, "history_items", RECO_E_DATA, "no row is an action that counts (--history_actions)");
    o.history_action_column = NULL;
    util_expect_error(&o, rows, "history_items", RECO_E_USAGE, "--history_actions needs --history_action_column");
}

/* Rows of one user and time, one behind the other, and others between them. */
static void test_repeated(void **state)
{
    struct assemble_options o = with_log(small_log);

    (void)state;
    util_expect(&o,
                util_write("main.csv",
                           "user,item,time\nu1,x,25\nu1,y,25\nu1,y,15\nu1,y,25\nu2,y,25\nu1,x,25\n,x,25\nu1,x,25.0\n"),
                "item,history", "x|a ; b\ny|a ; b\ny|a\ny|a ; b\ny|c\nx|a ; b\nx|\nx|a ; b\n");
}

/* Other names in the log than in the rows, ISO times against epoch ones, ids of two columns. */
static void test_columns(void **state)
{
    struct assemble_options o = {
        .history_file =
            util_write("log.csv", "who,p,l,at\nu,A,us,1970-01-01T00:00:09Z\nu,A,es,1970-01-01 00:00:10.001\n"),
        .history_user_column = "who",
        .history_item_column = "p,l",
        .history_time_column = "at",
        .user_id_column = "user",
        .time_column = "time",
        .items_file = util_write("items.csv", "p,l,title\nA,us,one\nA,es,uno\n"),
        .item_id_column = "p,l",
        .history_template = "{title}",
        .history_length = 5};

    (void)state;
    util_expect(&o, util_write("main.csv", "user,p,l,time\nu,A,us,10\nu,A,us,10.002\n"), "history,history_items,title",
                "one|A,us|one\none ; uno|A,us A,es|one\n");
    o.history_template = NULL;
    util_expect(&o, util_path("main.csv"), "history", "A,us\nA,us ; A,es\n");
    o.history_time_column = "when";
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_USAGE, "no column 'when' (--history_time_column)");
}

static void test_errors(void **state)
{
    struct assemble_options o = with_log(small_log);
    struct buf out = {0};

    (void)state;
    assert_int_equal(
        util_rows(&out, &o, util_write("main.csv", "user,item,time\nu1,a,\nu1,a,noon\nu1,a,11\n"), "history"), 0);
    assert_string_equal(buf_str(&out),
                        "bad: empty time\nbad: time 'noon' is neither a number nor an ISO 8601 time\na\n");
    buf_release(&out);
    util_expect_error(&o, util_write("main.csv", "user,item\nu1,a\n"), "history", RECO_E_USAGE,
                      "no column 'time' (--time_column)");
    o.time_column = NULL;
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_USAGE, "--history_file needs --time_column");
    o.time_column = "time";
    o.user_id_column = NULL;
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_USAGE, "--history_file needs --user_id_column");
    o = with_log("user,item,time\nu,a,1\nu,a,soon\nu,,2\n");
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_DATA,
                      "2 of 3 rows are bad and 0 may be (--max_bad_rows); the first is line 3: time 'soon'");
    o.history_length = 0;
    util_expect_error(&o, util_path("main.csv"), "history", RECO_E_USAGE, "--history_length must be at least 1");
    o = (struct assemble_options){.history_template = "{x}"};
    util_expect_error(&o, util_path("main.csv"), "item", RECO_E_USAGE, "--history_template needs --history_file");
}

/*
 * Random logs, in any order, with many equal times: every row's history equals the one by definition, so none holds an
 * action at or after its row's time.
 */
static void test_no_future(void **state)
{
    enum { ACTIONS = 400, ROWS = 200, USERS = 6, TIMES = 60 };
    struct {
        int user, time;
    } actions[ACTIONS];

    (void)state;
    for (uint32_t round = 0; round < 20; round++) {
        struct buf log = {0}, rows = {0}, expected = {0};
        struct rng rng;
        rng_init(&rng, 7, RNG_STREAM_SAMPLE, round);
        assert_int_equal(buf_add_str(&log, "time,user,item\n") | buf_add_str(&rows, "user,time,item\n"), 0);
        for (int i = 0; i < ACTIONS; i++) {
            actions[i].user = (int)rng_below(&rng, USERS);
            actions[i].time = (int)rng_below(&rng, TIMES) - 10;
            assert_int_equal(buf_printf(&log, "%d,u%d,i%d\n", actions[i].time, actions[i].user, i), 0);
        }
        struct assemble_options o = with_log(buf_str(&log));
        o.history_length = 1 + (int64_t)rng_below(&rng, 30);
        for (int i = 0; i < ROWS; i++) {
            int user = (int)rng_below(&rng, USERS + 1), time = (int)rng_below(&rng, TIMES + 4) - 12, past[ACTIONS];
            int count = 0;
            assert_int_equal(buf_printf(&rows, "u%d,%d,x\n", user, time), 0);
            for (int t = -10; t < time; t++)
                for (int k = 0; k < ACTIONS; k++)
                    if (actions[k].user == user && actions[k].time == t)
                        past[count++] = k;
            int start = count > o.history_length ? count - (int)o.history_length : 0;
            for (int k = start; k < count; k++)
                assert_int_equal(buf_printf(&expected, "%si%d", k > start ? " " : "", past[k]), 0);
            assert_int_equal(buf_add_char(&expected, '\n'), 0);
        }
        util_expect(&o, util_write("main.csv", buf_str(&rows)), "history_items", buf_str(&expected));
        buf_release(&log);
        buf_release(&rows);
        buf_release(&expected);
    }
}

/* ---- many threads, each with its lane ---- */

struct shared {
    const struct assembly *as;
    size_t column;
};

static int widen_many(void *arg, size_t task)
{
    const struct shared *shared = arg;
    struct assembly_lane *lane = NULL;
    struct buf bad = {0};
    const struct csv_field *fields;
    char time[16], user[16];
    int rc = assembly_lane_new(&lane, shared->as);

    for (size_t i = 0; rc == 0 && i < 500; i++) {
        size_t now = (i + task) % 100;
        snprintf(time, sizeof time, "%zu", now);
        snprintf(user, sizeof user, "u%zu", task % 2);
        struct csv_field record[] = {{user, 2}, {"x", 1}, {time, strlen(time)}};
        rc = assembly_widen(lane, record, &fields, &bad);
        char expected[16] = "";
        if (now > task % 2)
            snprintf(expected, sizeof expected, "i%zu", now - 1 - (now - 1 - task % 2) % 2);
        if (rc == 0 && strcmp(fields[shared->column].text, expected) != 0)
            rc = err_set(RECO_E_INTERNAL, "user %s at %s: '%s' instead of '%s'", user, time,
                         fields[shared->column].text, expected);
    }
    buf_release(&bad);
    assembly_lane_free(lane);
    return rc;
}

static void test_threads(void **state)
{
    struct buf log = {0};
    struct assembler *a = NULL;
    struct assembly *as = NULL;
    struct table_reader *reader = NULL;
    struct pool *pool = NULL;
    struct shared shared;

    (void)state;
    assert_int_equal(buf_add_str(&log, "user,item,time\n"), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(buf_printf(&log, "u%d,i%d,%d\n", i % 2, i, i), 0);
    struct assemble_options o = with_log(buf_str(&log));
    o.history_length = 1;
    assert_int_equal(assembler_open(&a, &o, NULL, NULL), 0);
    assert_int_equal(table_reader_open(&reader, util_write("main.csv", "user,item,time\n"), NULL), 0);
    assert_int_equal(assembly_open(&as, a, reader, "'main.csv'"), 0);
    shared.as = as;
    assert_int_equal(assembly_find(as, "carry", "history", &shared.column), 0);
    assert_int_equal(pool_new(&pool, 4), 0);
    if (pool_run(pool, 16, widen_many, &shared) != 0)
        fail_msg("%s", err_message());
    pool_free(pool);
    assembly_close(as);
    table_reader_close(reader);
    assembler_close(a);
    buf_release(&log);
}

/* ---- MovieLens 100K: ratings to the titles of the films rated before ---- */

struct rating {
    int user, item, time, place;
};

static int by_user_and_time(const void *x, const void *y)
{
    const struct rating *a = x, *b = y;

    if (a->user != b->user)
        return a->user < b->user ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->place - b->place;
}

static void test_movielens(void **state)
{
    enum { RATINGS = 100000, LENGTH = 5 };
    struct assemble_options o = {.items_file = (char *)util_real("ml-100k/ml-100k.item"),
                                 .history_file = (char *)util_real("ml-100k/ml-100k.inter"),
                                 .users_file = (char *)util_real("ml-100k/ml-100k.user"),
                                 .item_id_column = "item_id",
                                 .user_id_column = "user_id",
                                 .time_column = "timestamp",
                                 .history_length = LENGTH,
                                 .history_template = "{movie_title} ({rating})"};
    struct rating *ratings = mem_calloc(RATINGS, sizeof *ratings);
    struct buf rows = {0}, expected = {0}, file = {0};
    size_t *place_of = mem_calloc(RATINGS, sizeof *place_of), count = 0;

    (void)state;
    assert_true(ratings != NULL && place_of != NULL);
    if (o.history_file[0] == '\0') {
        mem_free(ratings);
        mem_free(place_of);
        print_message("skipped: no MovieLens 100K in the data directory\n");
        skip();
    }
    assert_int_equal(file_read_all(o.history_file, 0, &file), 0);
    for (const char *at = strchr(buf_str(&file), '\n') + 1; *at != '\0' && count < RATINGS; count++) {
        int rating;
        assert_int_equal(
            sscanf(at, "%d %d %d %d", &ratings[count].user, &ratings[count].item, &rating, &ratings[count].time), 4);
        ratings[count].place = (int)count;
        at = strchr(at, '\n') + 1;
    }
    qsort(ratings, count, sizeof *ratings, by_user_and_time);
    for (size_t i = 0; i < count; i++)
        place_of[ratings[i].place] = i;
    for (size_t k = 0; k < count; k++) {
        size_t end = place_of[k], i;
        while (end > 0 && ratings[end - 1].user == ratings[end].user && ratings[end - 1].time == ratings[end].time)
            end--;
        for (i = end; i > 0 && end - i < LENGTH && ratings[i - 1].user == ratings[end].user; i--)
            continue;
        for (size_t first = i; i < end; i++)
            assert_int_equal(buf_printf(&expected, "%s%d", i > first ? " " : "", ratings[i].item), 0);
        assert_int_equal(buf_add_char(&expected, '\n'), 0);
    }
    assert_int_equal(util_rows(&rows, &o, o.history_file, "history_items"), 0);
    assert_string_equal(buf_str(&rows), buf_str(&expected));
    buf_clear(&rows);
    assert_int_equal(util_rows(&rows, &o, o.history_file, "occupation,movie_title,history"), 0);
    assert_memory_equal(buf_str(&rows), "writer|Kolya|", 13); /* user 196, item 242 */
    assert_non_null(strstr(buf_str(&rows), " (5) ; "));
    buf_release(&file);
    buf_release(&rows);
    buf_release(&expected);
    mem_free(ratings);
    mem_free(place_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strictly_before), cmocka_unit_test(test_template), cmocka_unit_test(test_actions),
        cmocka_unit_test(test_repeated),        cmocka_unit_test(test_columns),  cmocka_unit_test(test_errors),
        cmocka_unit_test(test_no_future),       cmocka_unit_test(test_threads),  cmocka_unit_test(test_movielens),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
