/* Event logs to impressions: which events belong together, sessions, labels, weights; wrong logs; failures at every
 * step. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "assemble_util.h"
#include "data/events.h"

#define HEADER                                                                                                         \
    "query,query_id,user_id,session,item_id,position,time,clicked,carted,converted,dwell_s,depth,propensity,label,"    \
    "weight"

static char *impression_names[] = {"impression"}, *click_names[] = {"click"}, *cart_names[] = {"add_to_cart"},
            *order_names[] = {"purchase"};
static struct events_summary summary;

static struct events_options usual(void)
{
    return (struct events_options){.impression_actions = {impression_names, 1},
                                   .click_actions = {click_names, 1},
                                   .cart_actions = {cart_names, 1},
                                   .order_actions = {order_names, 1},
                                   .attribution_window = "30m",
                                   .session_gap = "30m",
                                   .smoothing = 0,
                                   .max_weight = 100,
                                   .tmp_dir = util_root};
}

static int collect(void *arg, const char *bytes, size_t length)
{
    return buf_add(arg, bytes, length);
}

static int run(struct buf *out, const struct events_options *o, const char *path)
{
    return events_run(&path, 1, o, NULL, &(struct events_output){.write = collect, .arg = out}, &summary);
}

/* The rows behind the header. */
static void expect(const struct events_options *o, const char *log, const char *expected)
{
    struct buf out = {0};

    if (run(&out, o, util_write("log.csv", log)) != 0)
        fail_msg("%s", err_message());
    const char *rows = strchr(buf_str(&out), '\n');
    assert_non_null(rows);
    assert_memory_equal(buf_str(&out), HEADER, strlen(HEADER));
    assert_string_equal(rows + 1, expected);
    buf_release(&out);
}

static void expect_error(const struct events_options *o, const char *log, int code, const char *message)
{
    struct buf out = {0};

    err_clear();
    assert_int_equal(run(&out, o, util_write("log.csv", log)), code);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err_message());
    buf_release(&out);
}

static void test_flat(void **state)
{
    struct events_options o = usual();
    char *carried[] = {"note"};

    (void)state;
    /* by time, equal times as they come; texts in quotes where they must be */
    o.carry = (struct opt_list){carried, 1};
    expect(&o,
           "time,query,item_id,position,click,note\n"
           "30,b,i1,1,0,\"x, \"\"y\"\"\"\n"
           "10,\"a\nz\",i2,2,1,\n"
           "30,b,i3,,true,n\n",
           "\"a\nz\",,,,i2,2,1970-01-01T00:00:10Z,1,,,,,,1,1,\n"
           "b,,,,i1,1,1970-01-01T00:00:30Z,0,,,,,,0,1,\"x, \"\"y\"\"\"\n"
           "b,,,,i3,,1970-01-01T00:00:30Z,1,,,,,,1,1,n\n");
    assert_int_equal(summary.impressions, 3);
    assert_int_equal(summary.clicked, 2);
    assert_false(summary.is_ubi);
    /* no time: the order of the input; depth by query id; a column of it instead */
    o = usual();
    o.label = EVENTS_LABEL_GRADED;
    expect(&o,
           "query_id,itemId,click,add_to_cart,purchase,dwell\nq2,b,1,0,0,1.5\nq1,a,1,1,0,\nq2,b,0,0,2,\nq2,c,0,0,0,\n",
           ",q2,,,b,,,1,0,0,1.5,3,,1,1\n,q1,,,a,,,1,1,0,,1,,2,1\n,q2,,,b,,,0,0,1,,3,,3,1\n,q2,,,c,,,0,0,0,,3,,0,1\n");
    o.label = EVENTS_LABEL_ORDER;
    expect(&o, "query_id,item_id,purchase,depth\nq,a,1,7\nq,b,0,9\n", ",q,,,a,,,,,1,,7,,1,1\n,q,,,b,,,,,0,,9,,0,1\n");
    o.item_id_column = "what";
    o.converted_column = "bought";
    expect(&o, "what,bought\na,3\n", ",,,,a,,,,,1,,,,1,1\n");
}

static const char *const ubi = "timestamp,query_id,query,action,object_id,position\n"
                               "100,q1,shoe,impression,a,1\n"
                               "100,q1,shoe,impression,b,2\n"
                               "110,q1,,click,b,2\n"
                               "112,q1,,add_to_cart,b,2\n"
                               "130,q1,,click,b,2\n"
                               "150,q1,,purchase,b,2\n"
                               "90,q1,,click,a,1\n"       /* before it was shown */
                               "2000,q1,,click,a,1\n"     /* too late */
                               "105,q1,,impression,a,4\n" /* again */
                               "200,q2,,click,z,1\n"      /* never shown */
                               "200,q2,,impression,c,\n"
                               "201,q2,hat,search,,\n"
                               "203,q2,hats,search,,\n"
                               "200,q2,,click,c,3\n"
                               "300,,,click,c,3\n";

static void test_ubi(void **state)
{
    struct events_options o = usual();

    (void)state;
    /* q2 has its text from its first event with one; c its position from the click */
    o.label = EVENTS_LABEL_GRADED;
    expect(&o, ubi,
           "shoe,q1,,,a,1,1970-01-01T00:01:40Z,0,0,0,,2,,0,1\n"
           "shoe,q1,,,b,2,1970-01-01T00:01:40Z,1,1,1,22,2,,3,1\n"
           "hat,q2,,,c,3,1970-01-01T00:03:20Z,1,0,0,1,1,,1,1\n");
    assert_true(summary.is_ubi);
    assert_int_equal(summary.events, 15);
    assert_int_equal(summary.impressions, 3);
    assert_int_equal(summary.queries, 2);
    assert_int_equal(summary.unseen, 2);
    assert_int_equal(summary.late, 1);
    assert_int_equal(summary.repeated, 1);
    assert_int_equal(summary.without_ids, 1);
    o.label = EVENTS_LABEL_CLICK;
    o.attribution_window = "10s"; /* from the latest impression */
    expect(&o, ubi,
           "shoe,q1,,,a,1,1970-01-01T00:01:40Z,0,0,0,,2,,0,1\n"
           "shoe,q1,,,b,2,1970-01-01T00:01:40Z,1,0,0,2,2,,1,1\n"
           "hat,q2,,,c,3,1970-01-01T00:03:20Z,1,0,0,1,1,,1,1\n");
    assert_int_equal(summary.late, 4);
    o.label = EVENTS_LABEL_CART;
    o.attribution_window = "12s";
    expect(&o, ubi,
           "shoe,q1,,,a,1,1970-01-01T00:01:40Z,0,0,0,,2,,0,1\n"
           "shoe,q1,,,b,2,1970-01-01T00:01:40Z,1,1,0,2,2,,1,1\n"
           "hat,q2,,,c,3,1970-01-01T00:03:20Z,1,0,0,1,1,,0,1\n");
}

/* A session: by its id, by a user's pauses, by both; dwell ends with it. */
static void test_sessions(void **state)
{
    const char *log = "timestamp,query_id,action,object_id,client_id,session_id\n"
                      "0,q1,impression,a,u,s\n"
                      "10,q1,click,a,u,s\n"
                      "40,q1,other,,u,s\n"
                      "3000,q2,impression,a,u,s\n"
                      "3001,q2,click,a,u,s\n"
                      "9000,q3,impression,a,u,\n"
                      "9001,q3,click,a,u,\n"
                      "9001,q3,other,,u,\n"
                      "9004.5,q3,other,,u,\n"
                      "9001,q4,impression,a,v,\n";
    struct events_options o = usual();

    (void)state;
    expect(&o, log,
           ",q1,u,s,a,,1970-01-01T00:00:00Z,1,0,0,30,1,,1,1\n"
           ",q2,u,s,a,,1970-01-01T00:50:00Z,1,0,0,,1,,1,1\n"
           ",q3,u,u:1,a,,1970-01-01T02:30:00Z,1,0,0,3.5,1,,1,1\n"
           ",q4,v,v:1,a,,1970-01-01T02:30:01Z,0,0,0,,1,,0,1\n");
    assert_int_equal(summary.sessions, 3);
    o.sessions = EVENTS_SESSIONS_BOTH;
    expect(&o, log,
           ",q1,u,s:1,a,,1970-01-01T00:00:00Z,1,0,0,30,1,,1,1\n"
           ",q2,u,s:2,a,,1970-01-01T00:50:00Z,1,0,0,,1,,1,1\n"
           ",q3,u,u:1,a,,1970-01-01T02:30:00Z,1,0,0,3.5,1,,1,1\n"
           ",q4,v,v:1,a,,1970-01-01T02:30:01Z,0,0,0,,1,,0,1\n");
    o.sessions = EVENTS_SESSIONS_GAP;
    o.session_gap = "29s";
    expect(&o, log,
           ",q1,u,u:1,a,,1970-01-01T00:00:00Z,1,0,0,,1,,1,1\n"
           ",q2,u,u:3,a,,1970-01-01T00:50:00Z,1,0,0,,1,,1,1\n"
           ",q3,u,u:4,a,,1970-01-01T02:30:00Z,1,0,0,3.5,1,,1,1\n"
           ",q4,v,v:1,a,,1970-01-01T02:30:01Z,0,0,0,,1,,0,1\n");
    o.sessions = EVENTS_SESSIONS_ID;
    o.session_gap = "7d";
    expect(&o, log,
           ",q1,u,s,a,,1970-01-01T00:00:00Z,1,0,0,30,1,,1,1\n"
           ",q2,u,s,a,,1970-01-01T00:50:00Z,1,0,0,,1,,1,1\n"
           ",q3,u,,a,,1970-01-01T02:30:00Z,1,0,0,3.5,1,,1,1\n"
           ",q4,v,,a,,1970-01-01T02:30:01Z,0,0,0,,1,,0,1\n");
}

/* Nested events, as the index holds them, and as documents exported from it. */
static void test_json(void **state)
{
    struct events_options o = usual();
    char *carried[] = {"event_attributes.device", "application"};
    const char *plain =
        "{\"action_name\":\"impression\",\"query_id\":\"q\",\"client_id\":\"u\",\"session_id\":\"s\",\"timestamp\":"
        "\"2024-12-10T00:00:00Z\",\"user_query\":\"red, "
        "shoe\",\"application\":\"shop\",\"event_attributes\":{\"object\":{\"object_id\":"
        "17,\"object_id_field\":\"sku\"},\"position\":{\"ordinal\":3},\"device\":\"tv\"}}\n"
        "{\"action_name\":\"click\",\"query_id\":\"q\",\"client_id\":\"u\",\"session_id\":\"s\",\"timestamp\":"
        "\"2024-12-10T00:00:02.5Z\",\"user_query\":null,\"application\":null,\"event_attributes\":{\"object\":{"
        "\"object_id\":\"17\"},"
        "\"position\":{\"ordinal\":{\"index\":3}},\"dwell_time\":4.25}}\n";
    const char *path = util_write("ubi.jsonl", plain);
    struct buf out = {0};

    (void)state;
    o.carry = (struct opt_list){carried, 2};
    if (run(&out, &o, path) != 0)
        fail_msg("%s", err_message());
    assert_string_equal(buf_str(&out),
                        HEADER ",event_attributes.device,application\n"
                               "\"red, shoe\",q,u,s,17,3,2024-12-10T00:00:00Z,1,0,0,4.25,1,,1,1,tv,shop\n");
    buf_clear(&out);
    path = util_write(
        "dump.jsonl",
        "{\"_index\":\"ubi_events\",\"_source\":{\"action_name\":\"impression\",\"query_id\":\"q\",\"timestamp\":"
        "1717527762129,\"event_attributes\":{\"object\":{\"object_id\":\"x\"},\"position\":{\"ordinal\":1}}}}\n");
    o.carry.count = 0;
    if (run(&out, &o, path) != 0)
        fail_msg("%s", err_message());
    assert_string_equal(buf_str(&out), HEADER "\n,q,,,x,1,2024-06-04T19:02:42.129Z,0,0,0,,1,,0,1\n");
    buf_release(&out);
}

/* A log of searches with what they found beside a log of clicks; also as exported documents, in one file. */
static void test_searches(void **state)
{
    struct events_options o = usual();
    const char *const paths[] = {
        util_write("events.jsonl", "{\"action_name\":\"click\",\"query_id\":\"q\",\"client_id\":\"u\",\"timestamp\":12,"
                                   "\"event_attributes\":{\"object\":{\"object_id\":\"7\"}}}\n"),
        util_write("queries.jsonl", "{\"query_id\":\"q\",\"client_id\":\"u\",\"user_query\":\"hat\",\"timestamp\":10,"
                                    "\"query_response_hit_ids\":"
                                    "[\"x\",7]}\n"
                                    "{\"query_id\":\"r\",\"client_id\":\"u\",\"user_query\":\"boot\",\"timestamp\":11,"
                                    "\"query_response_hit_ids\":"
                                    "[]}\n")};
    const char *dump = util_write(
        "dump.jsonl",
        "{\"_source\":{\"action_name\":\"click\",\"query_id\":\"q\",\"timestamp\":12,\"event_attributes\":{"
        "\"object\":{\"object_id\":\"7\"}}}}\n"
        "{\"_source\":{\"query_id\":\"q\",\"user_query\":\"hat\",\"timestamp\":10,\"query_response_hit_ids\":"
        "[\"x\",7]}}\n");
    struct buf out = {0};

    (void)state;
    if (events_run(paths, 2, &o, NULL, &(struct events_output){.write = collect, .arg = &out}, &summary) != 0)
        fail_msg("%s", err_message());
    assert_string_equal(buf_str(&out), HEADER "\nhat,q,u,u:1,x,1,1970-01-01T00:00:10Z,0,0,0,,2,,0,1\n"
                                              "hat,q,u,u:1,7,2,1970-01-01T00:00:10Z,1,0,0,,2,,1,1\n");
    assert_int_equal(summary.queries, 1);
    buf_clear(&out);
    assert_int_equal(run(&out, &o, dump), 0);
    assert_string_equal(buf_str(&out), HEADER "\nhat,q,,,x,1,1970-01-01T00:00:10Z,0,0,0,,2,,0,1\n"
                                              "hat,q,,,7,2,1970-01-01T00:00:10Z,1,0,0,,2,,1,1\n");
    buf_release(&out);
    expect_error(&o, "query_id,timestamp,query_response_hit_ids\nq,1,x y\n", RECO_E_DATA,
                 "the hits are not a JSON list");
}

/* Clicks, carts and orders by themselves: by time, also those without an impression or a query. */
static void test_actions(void **state)
{
    struct events_options o = usual();
    struct buf table = {0}, actions = {0};
    const struct events_output output = {collect, &table, collect, &actions};
    const char *path = util_write("log.csv", "timestamp,query_id,action,object_id,client_id\n"
                                             "30,q,purchase,a,u\n"
                                             "10,q,impression,a,u\n"
                                             "20,q,click,a,u\n"
                                             "25,,add_to_cart,b,u\n"
                                             "20,,click,\"x,y\",v\n"
                                             "20,q,click,,v\n");

    (void)state;
    assert_int_equal(events_run(&path, 1, &o, NULL, &output, &summary), 0);
    assert_string_equal(buf_str(&actions), "user_id,session,query_id,item_id,time,action,dwell_s\n"
                                           "u,u:1,q,a,1970-01-01T00:00:20Z,click,5\n"
                                           "v,v:1,,\"x,y\",1970-01-01T00:00:20Z,click,\n"
                                           "u,u:1,,b,1970-01-01T00:00:25Z,cart,\n"
                                           "u,u:1,q,a,1970-01-01T00:00:30Z,order,\n");
    assert_non_null(strstr(buf_str(&table), "\n,q,u,u:1,a,,1970-01-01T00:00:10Z,1,0,1,5,1,,1,1\n"));
    path = util_write("flat.csv", "item_id,click\na,1\n");
    assert_int_equal(events_run(&path, 1, &o, NULL, &output, &summary), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "--actions_output needs a log of events"));
    buf_release(&table);
    buf_release(&actions);
}

/* ---- weights ---- */

static int add_rows(struct buf *log, int position, int impressions, int clicks, int randomised)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < impressions; i++)
        rc = buf_printf(log, "i,%d,%d,%d\n", position, i < clicks, randomised);
    return rc;
}

/* The weights of the first clicked row and of the first other row of a position. */
static void expect_weights(const struct events_options *o, const char *log, int position, const char *clicked,
                           const char *other)
{
    struct buf out = {0};
    char row[128];

    if (run(&out, o, util_write("log.csv", log)) != 0)
        fail_msg("%s", err_message());
    snprintf(row, sizeof row, "\n,,,,i,%d,,1,,,,,%s\n", position, clicked);
    if (strstr(buf_str(&out), row) == NULL)
        fail_msg("no row '%s'", row);
    snprintf(row, sizeof row, "\n,,,,i,%d,,0,,,,,%s\n", position, other);
    if (strstr(buf_str(&out), row) == NULL)
        fail_msg("no row '%s'", row);
    buf_release(&out);
}

static void test_learn(void **state)
{
    struct events_options o = usual();
    struct buf log = {0};

    (void)state;
    /* rates 0.5, 0.2, 0.25; half of them not randomised and quite different */
    assert_int_equal(buf_add_str(&log, "item_id,position,click,explored\n"), 0);
    assert_int_equal(add_rows(&log, 1, 20, 10, 1) | add_rows(&log, 2, 40, 8, 1) | add_rows(&log, 4, 40, 10, 1) |
                         add_rows(&log, 1, 50, 50, 0) | add_rows(&log, 3, 10, 5, 0),
                     0);
    o.propensity = EVENTS_PROPENSITY_LEARN;
    o.randomised_column = "explored";
    expect_weights(&o, buf_str(&log), 1, "1,1,1", "1,0,1");
    expect_weights(&o, buf_str(&log), 2, "0.4,1,2.5", "0.4,0,1");
    expect_weights(&o, buf_str(&log), 3, "0.4,1,2.5", "0.4,0,1"); /* never randomised: as the one above */
    expect_weights(&o, buf_str(&log), 4, "0.5,1,2", "0.5,0,1");
    assert_int_equal(summary.position_count, 3);
    assert_int_equal(summary.positions[1].position, 2);
    assert_int_equal(summary.positions[1].impressions, 40);
    assert_int_equal(summary.positions[1].clicks, 8);
    o.monotone = true; /* 2 and 4 together: 18 clicks in 80 */
    expect_weights(&o, buf_str(&log), 2, "0.45,1,2.22222222", "0.45,0,1");
    expect_weights(&o, buf_str(&log), 4, "0.45,1,2.22222222", "0.45,0,1");
    o.weighted = EVENTS_WEIGHTED_ALL;
    o.max_weight = 2;
    expect_weights(&o, buf_str(&log), 2, "0.45,1,2", "0.45,0,2");
    assert_int_equal(summary.clipped, 90);
    o.monotone = false;
    o.max_weight = 100;
    o.smoothing = 20; /* overall 28 in 100: 15.6/40, 13.6/60 */
    expect_weights(&o, buf_str(&log), 2, "0.581196581,1,1.72058824", "0.581196581,0,1.72058824");
    buf_release(&log);
    o.smoothing = 0;
    expect_error(&o, "item_id,position,click,explored\ni,1,1,0\n", RECO_E_DATA,
                 "no impression with a position is randomised");
    expect_error(&o, "item_id,position,click,explored\ni,1,0,1\ni,2,1,1\ni,2,0,1\n", RECO_E_DATA,
                 "the first position has no click in 1 impressions");
    const char *none_at_3 = "item_id,position,click,explored\ni,1,1,1\ni,3,0,1\ni,3,0,1\n";
    expect_error(&o, none_at_3, RECO_E_DATA, "position 3 has no click in 2 impressions");
    expect_error(&o, "item_id,click,explored\ni,0,1\n", RECO_E_USAGE, "name it by --position_column");
}

static void test_given_propensities(void **state)
{
    struct events_options o = usual();
    const char *log = "item_id,click,propensity_score\na,1,0.25\nb,0,0.029411764705882353\nc,0,0.001\n";

    (void)state;
    expect(&o, log, ",,,,a,,,1,,,,,0.25,1,1\n,,,,b,,,0,,,,,0.029411764705882353,0,1\n,,,,c,,,0,,,,,0.001,0,1\n");
    o.propensity = EVENTS_PROPENSITY_COLUMN;
    expect(&o, log, ",,,,a,,,1,,,,,0.25,1,4\n,,,,b,,,0,,,,,0.029411764705882353,0,34\n,,,,c,,,0,,,,,0.001,0,100\n");
    assert_int_equal(summary.clipped, 1);
    o.weighted = EVENTS_WEIGHTED_POSITIVES;
    expect(&o, log, ",,,,a,,,1,,,,,0.25,1,4\n,,,,b,,,0,,,,,0.029411764705882353,0,1\n,,,,c,,,0,,,,,0.001,0,1\n");
    expect_error(&o, "item_id,click,propensity\na,1,0\n", RECO_E_DATA, "propensity '0' is not in (0, 1]");
    expect_error(&o, "item_id,click,propensity\na,1,\n", RECO_E_DATA, "empty propensity");
    expect_error(&o, "item_id,click\na,1\n", RECO_E_USAGE, "name it by --propensity_column");
}

/* ---- wrong logs ---- */

static void test_errors(void **state)
{
    struct events_options o = usual();

    (void)state;
    expect_error(&o, "item_id,click\na,1\nb\n", RECO_E_DATA,
                 "1 of 2 rows are bad and 0 may be (--max_bad_rows); the first is line 3");
    o.max_bad_rows = (struct opt_amount){.value = 4};
    expect(&o, "item_id,click,position,time\na,1,1,1\nb,maybe,1,1\n,1,1,1\nc,1,1.5,1\nd,1,1,noon\n",
           ",,,,a,1,1970-01-01T00:00:01Z,1,,,,,,1,1\n");
    assert_int_equal(summary.bad_rows, 4);
    o = usual();
    expect_error(&o, "item_id,clik\na,1\n", RECO_E_USAGE, "no column 'clicked', 'click' in");
    o.clicked_column = "click";
    expect_error(&o, "item_id,clik\na,1\n", RECO_E_USAGE, "no column 'click' (--clicked_column)");
    expect_error(&o, "x,click\na,1\n", RECO_E_USAGE, "name it by --item_id_column");
    o = usual();
    expect_error(&o, "action,object_id,timestamp\nclick,a,1\n", RECO_E_USAGE, "name it by --query_id_column");
    expect_error(&o, "action,object_id,timestamp,query_id\nclick,a,1,q\n", RECO_E_DATA,
                 "there is no impression among 1 events (--impression_actions)");
    expect_error(&o, "action,object_id,timestamp,query_id\nclick,a,,q\n", RECO_E_DATA, "empty time");
    o.session_gap = "half an hour";
    assert_int_equal(events_options_check(&o), RECO_E_USAGE);
    o = usual();
    o.propensity = EVENTS_PROPENSITY_LEARN;
    assert_int_equal(events_options_check(&o), RECO_E_USAGE);
    o = usual();
    o.monotone = true;
    assert_int_equal(events_options_check(&o), RECO_E_USAGE);
    assert_string_equal(err_message(), "--monotone is for --propensity learn");
    const char *const paths[] = {util_write("a.csv", "item_id,click\na,1\n"),
                                 util_write("b.csv", "action,object_id,timestamp,query_id\nclick,a,1,q\n")};
    struct buf out = {0};
    o = usual();
    assert_int_equal(events_run(paths, 2, &o, NULL, &(struct events_output){.write = collect, .arg = &out}, NULL),
                     RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "is a log of events and the files before are not"));
    buf_release(&out);
}

/* Shards of a log give what the whole gives. */
static void test_shards(void **state)
{
    struct events_options o = usual();
    struct buf whole = {0}, parts[2] = {{0}, {0}}, log = {0};
    static const char *const header = "timestamp,query_id,query,action,object_id,position\n";

    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(buf_add_str(&parts[i], header), 0);
    assert_int_equal(buf_add_str(&log, header), 0);
    for (int i = 0; i < 3000; i++) {
        char row[96];
        snprintf(row, sizeof row, "%d,q%d,t%d,%s,i%d,%d\n", i / 3, i / 100, i / 100, i % 7 < 5 ? "impression" : "click",
                 i * 31 % 17, i % 10);
        assert_int_equal(buf_add_str(&log, row) | buf_add_str(&parts[i >= 1200], row), 0);
    }
    assert_int_equal(run(&whole, &o, util_write("log.csv", buf_str(&log))), 0);
    const char *const paths[] = {util_write("1.csv", buf_str(&parts[0])), util_write("2.csv", buf_str(&parts[1]))};
    buf_clear(&log);
    assert_int_equal(events_run(paths, 2, &o, NULL, &(struct events_output){.write = collect, .arg = &log}, NULL), 0);
    assert_string_equal(buf_str(&log), buf_str(&whole));
    assert_true(summary.clicked > 100 && summary.unseen > 0);
    buf_release(&whole);
    buf_release(&log);
    buf_release(&parts[0]);
    buf_release(&parts[1]);
}

static void test_failures(void **state)
{
    struct events_options o = usual();
    char *path = util_write("log.csv", ubi);
    struct buf out = {0}, expected = {0};
    int rc = RECO_E_NOMEM;

    (void)state;
    assert_int_equal(run(&expected, &o, path), 0);
    for (long n = 1; rc != 0; n++) {
        buf_clear(&out);
        mem_fail_after(n);
        rc = run(&out, &o, path);
        mem_fail_after(0);
        if (rc != 0 && rc != RECO_E_NOMEM)
            fail_msg("allocation %ld: %s", n, err_message());
        assert_true(n < 10000);
    }
    assert_string_equal(buf_str(&out), buf_str(&expected));
    rc = RECO_E_IO;
    for (long n = 1; rc != 0; n++) {
        buf_clear(&out);
        file_fail_after(n);
        rc = run(&out, &o, path);
        file_fail_after(0);
        if (rc != 0 && rc != RECO_E_IO)
            fail_msg("write %ld: %s", n, err_message());
        assert_true(n < 1000);
    }
    assert_string_equal(buf_str(&out), buf_str(&expected));
    buf_release(&out);
    buf_release(&expected);
}

/* ---- real logs ---- */

/* The expected counts come from pandas: scripts/reference/ubi_events.py. */
static void test_esci_ubi(void **state)
{
    struct events_options o = usual();
    char *clicks[] = {"click", "click_through", "item_click", "product_click"};
    const char *path = util_real("esci_ubi/events.csv");
    struct buf out = {0};

    (void)state;
    if (path[0] == '\0') {
        print_message("skipped: no esci_ubi in the data directory\n");
        skip();
    }
    o.click_actions = (struct opt_list){clicks, 4};
    if (run(&out, &o, path) != 0)
        fail_msg("%s", err_message());
    assert_int_equal(summary.impressions, 1999);
    assert_int_equal(summary.clicked, 163);
    assert_int_equal(summary.carted, 103);
    assert_int_equal(summary.queries, 262);

    /* its judgments are a table of items with the key of two columns: 72 impressions are judged */
    struct assemble_options join = {.items_file = (char *)util_real("esci_ubi/judgments.csv"),
                                    .items_key_column = "query,asin",
                                    .item_id_column = "query,item_id"};
    struct buf rows = {0};
    size_t judged = 0;
    if (util_rows(&rows, &join, util_write("impressions.csv", buf_str(&out)), "rating,clicked") != 0)
        fail_msg("%s", err_message());
    for (const char *at = buf_str(&rows); *at != '\0'; at = strchr(at, '\n') + 1)
        judged += strncmp(at, "bad: ", 5) != 0;
    assert_int_equal(judged, 72);
    buf_release(&rows);
    buf_release(&out);
}

/* Impressions with the propensity of each. */
static void test_open_bandit(void **state)
{
    struct events_options o = usual();
    const char *path = util_real("open_bandit/random_men.csv");
    struct buf out = {0};
    double weights = 0;
    size_t rows = 0;

    (void)state;
    if (path[0] == '\0') {
        print_message("skipped: no open_bandit in the data directory\n");
        skip();
    }
    o.propensity = EVENTS_PROPENSITY_COLUMN;
    if (run(&out, &o, path) != 0)
        fail_msg("%s", err_message());
    for (const char *at = strchr(buf_str(&out), '\n') + 1; *at != '\0'; at = strchr(at, '\n') + 1) {
        const char *end = strchr(at, '\n'), *comma = end;
        while (comma[-1] != ',')
            comma--;
        weights += strtod(comma, NULL);
        rows++;
    }
    assert_int_equal(rows, 10000);
    assert_int_equal(summary.clicked, 46);
    assert_true(weights > 339999.0 && weights < 340001.0); /* 34 items, shown alike */
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat),        cmocka_unit_test(test_ubi),
        cmocka_unit_test(test_sessions),    cmocka_unit_test(test_json),
        cmocka_unit_test(test_searches),    cmocka_unit_test(test_actions),
        cmocka_unit_test(test_learn),       cmocka_unit_test(test_given_propensities),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_shards),
        cmocka_unit_test(test_failures),    cmocka_unit_test(test_esci_ubi),
        cmocka_unit_test(test_open_bandit),
    };
    return cmocka_run_group_tests(tests, util_setup, util_teardown);
}
