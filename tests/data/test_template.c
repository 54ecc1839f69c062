/* Text templates and times: rendering by the rules of the header, every way to write one wrongly, all spellings of a
 * time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/mem.h"
#include "data/assemble.h"
#include "data/timestamp.h"

static const char *const columns[] = {"title", "brand", "description", "a b"};

static int find(void *arg, const char *name, size_t *column)
{
    (void)arg;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (strcmp(columns[i], name) == 0) {
            *column = i;
            return 0;
        }
    return err_set(RECO_E_USAGE, "no column '%s'", name);
}

static void expect(const char *text, const char *title, const char *brand, const char *description,
                   const char *expected)
{
    struct csv_field fields[] = {
        {title, strlen(title)}, {brand, strlen(brand)}, {description, strlen(description)}, {"x", 1}};
    struct text_template *t = NULL;
    struct buf out = {0};

    if (text_template_parse(&t, "description", text, find, NULL) != 0)
        fail_msg("%s", err_message());
    assert_int_equal(buf_add_str(&out, "+"), 0); /* rendering appends */
    assert_int_equal(text_template_render(t, fields, &out), 0);
    assert_string_equal(buf_str(&out) + 1, expected);
    buf_release(&out);
    text_template_free(t);
}

static void test_render(void **state)
{
    const char *usual = "{title} | brand: {brand} | {description}";

    (void)state;
    expect(usual, "T", "B", "D", "T | brand: B | D");
    expect(usual, "T", "", "D", "T | D");
    expect(usual, "", "B", "D", "brand: B | D");
    expect(usual, "T", "B", "", "T | brand: B");
    expect(usual, "", "", "D", "D");
    expect(usual, "", "", "", "");
    expect(usual, "T", " \t", "D", "T | D");
    expect("{title}|{brand}", "T", "B", "", "T|B");
    expect("{title}|{brand}", "", "B", "", "B");
    expect("{title}", " T ", "", "", " T ");
    expect("{a b}{title}", "T", "", "", "xT");
    expect("item: {title}", "T", "", "", "item: T");
    expect("item: {title}", "", "", "", "");
}

/* Empty columns beside others. */
static void test_blanks(void **state)
{
    (void)state;
    expect("{title} {brand} {description}", "T", "B", "D", "T B D");
    expect("{title} {brand} {description}", "T", "", "D", "T D");
    expect("{title} {brand} {description}", "", "B", "D", "B D");
    expect("{title} {brand} {description}", "T", "B", "", "T B");
    expect("{title} {brand} {description}", "T", "", "", "T");
    expect("{title} {brand} {description}", "", "", "D", "D");
    expect("{title} ({brand})", "T", "", "", "T ()");
    expect("all {title} | {brand} by {description} |{title}", "T", "", "", "all T |T");
}

static void test_escapes(void **state)
{
    (void)state;
    expect("{{{title}}}", "T", "", "", "{T}");
    expect("{{x}} {title}", "T", "", "", "{x} T");
    expect("{title}||{brand}", "T", "B", "", "T|B");
    expect("{title}||{brand}", "T", "", "", "T|");
    expect("a || b | {title}", "T", "", "", "a | b | T");
    expect("words only | {title}", "", "", "", "words only");
    expect("\xc3\xa9: {title}", "\xe4\xba\xac", "", "", "\xc3\xa9: \xe4\xba\xac");
}

static void expect_bad(const char *text, const char *message)
{
    struct text_template *t = NULL;

    assert_int_equal(text_template_parse(&t, "description", text, find, NULL), RECO_E_USAGE);
    if (strstr(err_message(), message) == NULL)
        fail_msg("'%s' is not in '%s'", message, err_message());
    assert_null(t);
}

static void test_bad(void **state)
{
    (void)state;
    expect_bad("{title", "a '{' is not closed");
    expect_bad("title", "it names no column");
    expect_bad("", "it names no column");
    expect_bad("{}", "a column without a name");
    expect_bad("{title} }", "a '}' without '{'");
    expect_bad("{titel}", "no column 'titel'");
}

static void test_no_memory(void **state)
{
    struct text_template *t = NULL;
    int rc = RECO_E_NOMEM;

    (void)state;
    for (long n = 1; rc != 0; n++) {
        mem_fail_after(n);
        rc = text_template_parse(&t, "o", "a {title} | b: {brand} || {{ | {description}", find, NULL);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        assert_true(n < 100);
    }
    text_template_free(t);
}

/* ---- times ---- */

static void expect_time(const char *text, const char *iso)
{
    struct buf out = {0};
    int64_t us = 42;

    if (iso == NULL) {
        if (timestamp_parse(text, strlen(text), &us))
            fail_msg("'%s' is read as a time", text);
        assert_int_equal(us, 42);
        return;
    }
    if (!timestamp_parse(text, strlen(text), &us))
        fail_msg("'%s' is not read as a time", text);
    assert_int_equal(timestamp_add(&out, us), 0);
    assert_string_equal(buf_str(&out), iso);
    buf_release(&out);
}

static void test_times(void **state)
{
    (void)state;
    expect_time("2024-12-10T00:01:29.378Z", "2024-12-10T00:01:29.378Z");
    expect_time("2019-11-24 00:01:03.979311+00:00", "2019-11-24T00:01:03.979311Z");
    expect_time("2018-11-13T20:20:39+01:30", "2018-11-13T18:50:39Z");
    expect_time("2018-11-13T20:20:39-0130", "2018-11-13T21:50:39Z");
    expect_time("2018-11-13T20:20:39.1234567+02", "2018-11-13T18:20:39.123456Z");
    expect_time("2018-11-13 20:20:39 UTC", "2018-11-13T20:20:39Z");
    expect_time("2018-11-13 20:20", "2018-11-13T20:20:00Z");
    expect_time("2018/11/13 20:20:39,5", "2018-11-13T20:20:39.500Z");
    expect_time("20181113T202039Z", "2018-11-13T20:20:39Z");
    expect_time("2024-02-29", "2024-02-29T00:00:00Z");
    expect_time("1600-03-01", "1600-03-01T00:00:00Z");
    expect_time("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z");
    expect_time("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
    expect_time("881250949", "1997-12-04T15:55:49Z");
    expect_time("1717527762129", "2024-06-04T19:02:42.129Z");
    expect_time("1717527762129123", "2024-06-04T19:02:42.129123Z");
    expect_time("1717527762129123999", "2024-06-04T19:02:42.129123Z");
    expect_time("1717527762.129", "2024-06-04T19:02:42.129Z");
    expect_time("1.717527762129e12", "2024-06-04T19:02:42.129Z");
    expect_time("0.29", "1970-01-01T00:00:00.290Z");
    expect_time("0", "1970-01-01T00:00:00Z");
    expect_time("-1", "1969-12-31T23:59:59Z");
    expect_time("-0.5", "1969-12-31T23:59:59.500Z");
    static const char *const bad[] = {"",
                                      " ",
                                      "yesterday",
                                      "2024-13-01",
                                      "2023-02-29",
                                      "2024-1-1",
                                      "2024-01-01T",
                                      "2024-01-01T25:00",
                                      "2024-01-01T10:61",
                                      "2024-01-01T10:00:00.Z",
                                      "2024-01-01T10:00+1",
                                      "2024-01-01 10:00 PM",
                                      "12 3",
                                      "0x10",
                                      "nan",
                                      "1e400",
                                      "2024-01/01",
                                      "2024-01-01T10:00:00Zx",
                                      "1e19",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_time(bad[i], NULL);
}

static void test_durations(void **state)
{
    int64_t us;

    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } good[] = {{"30m", 1800000000},  {"90", 90000000}, {"1.5h", 5400000000}, {"500ms", 500000},
                {"7d", 604800000000}, {"0", 0},         {"2min", 120000000},  {"3s", 3000000}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(duration_parse(good[i].text, &us), 0);
        assert_int_equal(us, good[i].us);
    }
    static const char *const bad[] = {"", "m", "-1", "3 m", "30w", "1e3", "1.2.3s"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(duration_parse(bad[i], &us), RECO_E_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_render),    cmocka_unit_test(test_blanks),    cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_bad),       cmocka_unit_test(test_no_memory), cmocka_unit_test(test_times),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
