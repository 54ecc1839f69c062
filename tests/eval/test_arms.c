/* Arms of an experiment against scipy and numpy (tests/reference/arms), the campaign's known rates, and what must hold
 * where there is little to tell. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/predictions_events.h"
#include "eval/arms.h"
#include "eval/report.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/arms/"
#define TOLERANCE 1e-9

struct made {
    struct predictions *p;
    struct eval_report *report;
};

static void evaluate(struct made *m)
{
    struct eval_options options;
    eval_options_init(&options);
    if (eval_run(&m->report, m->p, &options)) {
        fail_msg("%s", err_message());
    }
}

/* An impression a line: arm, clicked, converted, revenue. */
static void make(struct made *m, const char *lines)
{
    static const char *const extra[] = {"arm"};
    static const struct table_options table = {0};
    const struct predictions_event_columns columns = {
        .extra_names = extra, .extra_name_count = 1, .extra_option = "arm_column"};
    char path[] = "/tmp/reco-test-arms-XXXXXX";
    struct buf b = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(buf_printf(&b, "arm,clicked,converted,revenue\n%s", lines), 0);
    assert_int_equal(file_write_all(path, b.data, b.length), 0);
    if (predictions_read_events(&m->p, path, &table, &columns)) {
        fail_msg("%s", err_message());
    }
    unlink(path);
    buf_release(&b);
    evaluate(m);
}

static void made_release(struct made *m)
{
    eval_report_free(m->report);
    predictions_free(m->p);
}

static struct eval_arms *arms_of(const struct made *m, const char *control, const char *unit, double level)
{
    const struct eval_arms_options options = {"arm", control, unit, level};
    struct eval_arms *arms = NULL;
    if (eval_arms_new(&arms, m->report, &options)) {
        fail_msg("%s", err_message());
    }
    return arms;
}

static const struct eval_arm_figure *figure_of(const struct eval_arms *arms, const char *arm, const char *figure)
{
    for (size_t a = 0; a < arms->count; a++) {
        for (size_t i = 0; i < arms->figure_count; i++) {
            if (!strcmp(arms->names[a], arm) && !strcmp(arms->figures[i], figure)) {
                return &arms->values[a * arms->figure_count + i];
            }
        }
    }
    fail_msg("no figure %s of arm %s", figure, arm);
    return NULL;
}

/* ---- another implementation ---- */

static void same(const char *what, double found, const json_t *expected)
{
    double value = json_is_number(expected) ? json_number_value(expected) : NAN;
    if (isnan(value) != isnan(found) || fabs(value - found) > TOLERANCE * fmax(1, fabs(value))) {
        fail_msg("%s: %.17g, expected %.17g", what, found, value);
    }
}

static void same_interval(const char *what, const struct eval_interval *found, const json_t *expected)
{
    const double bounds[] = {found->value, found->low, found->high};
    char name[200];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof name, "%s[%zu]", what, i);
        same(name, bounds[i], json_array_get(expected, i));
    }
}

static void check_case(const json_t *expected)
{
    const char *unit = json_string_value(json_object_get(expected, "unit"));
    const char *file = json_string_value(json_object_get(expected, "file"));
    struct made m = {0};
    char path[512];
    (void)snprintf(path, sizeof path, FOLDER "%s.tsv", file);
    assert_int_equal(predictions_read(&m.p, path), 0);
    evaluate(&m);
    struct eval_arms *arms = arms_of(&m, "control", strcmp(unit, "user") ? NULL : "user",
                                     json_number_value(json_object_get(expected, "level")));
    assert_string_equal(arms->unit, unit);
    assert_true(arms->left_out > 0); /* rows of no arm */
    const char *figure;
    const char *arm;
    json_t *of_arms;
    json_t *of_arm;
    json_object_foreach(json_object_get(expected, "figures"), figure, of_arms)
    {
        json_object_foreach(of_arms, arm, of_arm)
        {
            const struct eval_arm_figure *f = figure_of(arms, arm, figure);
            char what[160];
            (void)snprintf(what, sizeof what, "%s by %s: %s of %s", file, unit, figure, arm);
            same_interval(what, &f->of_arm, json_object_get(of_arm, "value"));
            same_interval(what, &f->difference, json_object_get(of_arm, "difference"));
            same_interval(what, &f->ratio, json_object_get(of_arm, "ratio"));
        }
    }
    eval_arms_free(arms);
    made_release(&m);
}

static void as_scipy_has_them(void **state)
{
    (void)state;
    json_error_t error;
    json_t *expected = json_load_file(FOLDER "expected.json", 0, &error);
    size_t i;
    json_t *one;
    assert_non_null(expected);
    json_array_foreach(json_object_get(expected, "cases"), i, one)
    {
        check_case(one);
    }
    assert_int_equal(i, 5);
    json_decref(expected);
}

/* The rates of Hillstrom's e-mail campaign of 2008, as published with the data. */
static void campaign_has_its_known_rates(void **state)
{
    (void)state;
    static const struct {
        const char *arm;
        double visit, conversion, spend;
    } known[] = {{"No E-Mail", 0.1062, 0.0057, 0.6528},
                 {"Mens E-Mail", 0.1828, 0.0125, 1.4226},
                 {"Womens E-Mail", 0.1514, 0.0088, 1.0772}};
    static const char *const extra[] = {"segment"};
    static const struct table_options table = {0};
    const struct predictions_event_columns columns = {.clicked = "visit",
                                                      .converted = "conversion",
                                                      .revenue = "spend",
                                                      .extra_names = extra,
                                                      .extra_name_count = 1,
                                                      .extra_option = "arm_column"};
    const char *data = getenv("RECO_DATA_DIR");
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/hillstrom/hillstrom.csv", data ? data : RECO_SOURCE_DIR "/../shared/data");
    if (!file_exists(path)) {
        print_message("skipped: no '%s'\n", path);
        skip();
    }
    struct made m = {0};
    assert_int_equal(predictions_read_events(&m.p, path, &table, &columns), 0);
    evaluate(&m);
    const struct eval_arms_options options = {"segment", "No E-Mail", NULL, 0.95};
    struct eval_arms *arms;
    assert_int_equal(eval_arms_new(&arms, m.report, &options), 0);
    assert_int_equal(arms->count, 3);
    assert_string_equal(arms->names[0], "No E-Mail");
    for (size_t i = 0; i < 3; i++) {
        assert_true(fabs(figure_of(arms, known[i].arm, "ctr")->of_arm.value - known[i].visit) < 5e-5);
        assert_true(fabs(figure_of(arms, known[i].arm, "ctcvr")->of_arm.value - known[i].conversion) < 5e-5);
        assert_true(fabs(figure_of(arms, known[i].arm, "revenue_per_impression")->of_arm.value - known[i].spend) <
                    5e-5);
    }
    /* scipy.stats.contingency.relative_risk(3894, 21307, 2262, 21306) */
    const struct eval_interval *lift = &figure_of(arms, "Mens E-Mail", "ctr")->ratio;
    assert_true(fabs(lift->value - 1.7214) < 5e-5 && fabs(lift->low - 1.6404) < 5e-5 &&
                fabs(lift->high - 1.8064) < 5e-5);
    eval_arms_free(arms);
    made_release(&m);
}

/* ---- little to tell ---- */

static void none_of_few_is_not_zero_for_certain(void **state)
{
    (void)state;
    struct made m = {0};
    make(&m, "a,0,0,0\na,0,0,0\na,0,0,0\nb,1,0,2\nb,1,0,2\n,1,1,9\n");
    struct eval_arms *arms = arms_of(&m, NULL, NULL, 0.95);
    assert_string_equal(arms->control, "a");
    assert_int_equal(arms->left_out, 1);
    assert_int_equal(arms->rows[0], 3);
    const struct eval_arm_figure *none = figure_of(arms, "a", "ctr");
    const struct eval_arm_figure *all = figure_of(arms, "b", "ctr");
    assert_true(none->of_arm.value == 0 && none->of_arm.low == 0);
    assert_true(fabs(none->of_arm.high - 0.5614970317550454) < TOLERANCE); /* binomtest(0, 3).proportion_ci */
    assert_true(all->of_arm.high == 1 && fabs(all->of_arm.low - 0.3423802275) < 1e-9);
    assert_true(all->difference.value == 1 && all->difference.high <= 1 && all->difference.low > 0);
    assert_true(isnan(all->ratio.value)); /* nothing to divide by */
    const struct eval_arm_figure *revenue = figure_of(arms, "b", "revenue_per_impression");
    assert_true(revenue->of_arm.value == 2 && isnan(revenue->of_arm.low)); /* two alike tell no spread */
    eval_arms_free(arms);
    made_release(&m);
}

static void bad_columns_and_arms(void **state)
{
    (void)state;
    struct made m = {0};
    struct eval_arms *arms = NULL;
    struct eval_arms_options options = {"group", NULL, NULL, 0.95};
    make(&m, "a,0,0,0\nbee,1,0,2\n");
    assert_int_equal(eval_arms_new(&arms, m.report, &options), RECO_E_USAGE);
    options.column = "arm";
    options.control = "be";
    assert_int_equal(eval_arms_new(&arms, m.report, &options), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "did you mean 'bee'?"));
    assert_null(arms);
    made_release(&m);
    make(&m, ",0,0,0\n,1,0,2\n");
    options.control = NULL;
    assert_int_equal(eval_arms_new(&arms, m.report, &options), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "empty"));
    made_release(&m);
}

/* Units that are all alike tell no spread, whatever rounding leaves of it. */
static void alike_units_have_no_interval(void **state)
{
    (void)state;
    struct made m = {0};
    struct buf b = {0};
    for (int i = 0; i < 90; i++) {
        assert_int_equal(buf_printf(&b, "%c,1,0,%s\n", i % 2 ? 'a' : 'b', i % 2 ? "0.1" : "1234.7"), 0);
    }
    make(&m, buf_str(&b));
    struct eval_arms *arms = arms_of(&m, "a", NULL, 0.95);
    const struct eval_arm_figure *f = figure_of(arms, "a", "revenue_per_impression");
    assert_true(fabs(f->of_arm.value - 0.1) < TOLERANCE && isnan(f->of_arm.low));
    f = figure_of(arms, "b", "revenue_per_impression");
    assert_true(isnan(f->of_arm.low) && isnan(f->difference.low) && isnan(f->ratio.low));
    assert_true(figure_of(arms, "b", "ctr")->of_arm.low > 0.9); /* a rate has one all the same */
    buf_release(&b);
    eval_arms_free(arms);
    made_release(&m);
}

/* A rate whose units are all alike, as one click a list, has no interval, and so none of its differences has. */
static void alike_lists_are_not_certain(void **state)
{
    (void)state;
    struct made m = {0};
    struct buf b = {0};
    static const char *const user[] = {"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8", "u9", "v0", "v1"};
    static const char *of_row[48];
    for (size_t i = 0; i < 48; i++) {
        of_row[i] = user[i % 12];
        bool clicked = i < 24 ? i < 12 : i % 9 < 4; /* a: one of the two rows of each user */
        assert_int_equal(buf_printf(&b, "%c,%d,0,0\n", i < 24 ? 'a' : 'b', clicked), 0);
    }
    make(&m, buf_str(&b));
    struct predictions_extra extra[] = {m.p->extra[0], {"user", of_row}};
    struct predictions_extra *own = m.p->extra;
    m.p->extra = extra;
    m.p->extra_count = 2;
    struct eval_arms *arms = arms_of(&m, "a", "user", 0.95);
    const struct eval_arm_figure *f = figure_of(arms, "b", "ctr");
    assert_true(figure_of(arms, "a", "ctr")->of_arm.value == 0.5 && isnan(figure_of(arms, "a", "ctr")->of_arm.low));
    assert_false(isnan(f->difference.value));
    assert_false(isnan(f->of_arm.low));
    assert_true(isnan(f->difference.low) && isnan(f->difference.high) && isnan(f->ratio.low));
    m.p->extra = own;
    m.p->extra_count = 1;
    buf_release(&b);
    eval_arms_free(arms);
    made_release(&m);
}

/* A name that is no UTF-8 is shown all the same, and goes into JSON. */
static void names_of_any_bytes(void **state)
{
    (void)state;
    struct made m = {0};
    make(&m, "a,0,0,0\na,1,0,0\n");
    m.p->extra[0].values[1] = "a\xff"; /* as a predictions file may hold */
    struct eval_arms *arms = arms_of(&m, "a\xff", NULL, 0.95);
    json_t *json = eval_arms_json(arms);
    assert_int_equal(arms->count, 2);
    assert_string_equal(arms->control, "a\xef\xbf\xbd");
    assert_non_null(json);
    json_decref(json);
    eval_arms_free(arms);
    made_release(&m);
}

/* Every table has as many cells in a row as its head, whatever the arms are called and whether a lift is defined. */
static void markdown_has_whole_rows(void **state)
{
    (void)state;
    struct made m = {0};
    struct buf b = {0};
    make(&m, "a|x,0,0,0\na|x,1,0,0\nb,0,0,0\nb,0,0,1\n");
    struct eval_arms *arms = arms_of(&m, NULL, NULL, 0.95);
    assert_int_equal(eval_arms_markdown(arms, &b), 0);
    size_t rows = 0;
    for (const char *line = strstr(buf_str(&b), "\n|") + 1; *line == '|'; line = strchr(line, '\n') + 1) {
        size_t bars = 0;
        for (const char *at = line; *at != '\n'; at++) {
            bars += *at == '|' && at[-(at > line)] != '\\';
        }
        assert_int_equal(bars, 7);
        rows++;
    }
    assert_int_equal(rows, 2 + 2 * arms->figure_count);
    buf_release(&b);
    eval_arms_free(arms);
    made_release(&m);
}

static void order_of_rows_changes_nothing(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    char *lines[ROWS];
    struct buf text[2] = {{0}, {0}};
    struct rng rng;
    rng_init(&rng, 7, RNG_STREAM_SAMPLE, 0);
    for (size_t i = 0; i < ROWS; i++) {
        int clicked = (int)rng_below(&rng, 2);
        lines[i] = mem_printf("%c,%d,%d,%u.25\n", 'a' + (char)rng_below(&rng, 4), clicked,
                              clicked && !rng_below(&rng, 3), (unsigned)rng_below(&rng, 50));
        assert_non_null(lines[i]);
    }
    struct buf found[2] = {{0}, {0}};
    for (int round = 0; round < 2; round++) {
        struct made m = {0};
        for (size_t i = 0; i < ROWS; i++) {
            assert_int_equal(buf_add_str(&text[round], lines[i]), 0);
        }
        make(&m, buf_str(&text[round]));
        struct eval_arms *arms = arms_of(&m, "c", NULL, 0.95);
        assert_int_equal(eval_arms_text(arms, &found[round]), 0);
        eval_arms_free(arms);
        made_release(&m);
        for (size_t i = ROWS - 1; i > 0; i--) {
            size_t other = (size_t)rng_below(&rng, i + 1);
            char *line = lines[i];
            lines[i] = lines[other];
            lines[other] = line;
        }
    }
    assert_string_equal(buf_str(&found[0]), buf_str(&found[1]));
    for (size_t i = 0; i < ROWS; i++) {
        mem_free(lines[i]);
    }
    for (int round = 0; round < 2; round++) {
        buf_release(&text[round]);
        buf_release(&found[round]);
    }
}

/* Each allocation fails once: nothing is lost, nothing leaks. */
static void survives_failing_allocations(void **state)
{
    (void)state;
    struct made m = {0};
    int rc = RECO_E_NOMEM;
    assert_int_equal(predictions_read(&m.p, FOLDER "lists.tsv"), 0);
    evaluate(&m);
    for (long n = 1; rc; n++) {
        const struct eval_arms_options options = {"arm", "red", "user", 0.95};
        struct eval_arms *arms = NULL;
        struct buf b = {0};
        mem_fail_after(n);
        rc = eval_arms_new(&arms, m.report, &options);
        rc = rc ? rc : eval_arms_markdown(arms, &b);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
        mem_fail_after(0);
        buf_release(&b);
        eval_arms_free(arms);
        assert_true(n < 10000);
    }
    made_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scipy_has_them),
        cmocka_unit_test(campaign_has_its_known_rates),
        cmocka_unit_test(none_of_few_is_not_zero_for_certain),
        cmocka_unit_test(bad_columns_and_arms),
        cmocka_unit_test(alike_units_have_no_interval),
        cmocka_unit_test(alike_lists_are_not_certain),
        cmocka_unit_test(names_of_any_bytes),
        cmocka_unit_test(markdown_has_whole_rows),
        cmocka_unit_test(order_of_rows_changes_nothing),
        cmocka_unit_test(survives_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
