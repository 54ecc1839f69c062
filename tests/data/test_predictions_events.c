/* Events of impressions: what is refused with its line, by the reader of tables and by that of predictions; what late
 * conversions and large weights become. */

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

#include "core/file.h"
#include "core/mem.h"
#include "data/predictions_events.h"

static const struct predictions_event_columns own_names = {.extra_option = "arm_column"};

/* The table, or the predictions where they have a label and a score. */
static int read_text(struct predictions **p, const char *text, const struct predictions_event_columns *columns)
{
    static const struct table_options table = {0};
    char path[] = "/tmp/reco-test-events-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    struct predictions_options options;
    predictions_options_init(&options);
    options.position_shift = columns->position_shift;
    int rc =
        strstr(text, "label") ? predictions_open(p, path, &options) : predictions_read_events(p, path, &table, columns);
    unlink(path);
    return rc;
}

static void same(double found, double expected)
{
    assert_true(isnan(expected) ? isnan(found) : found == expected);
}

/* ---- numbers that no event can be ---- */

static void what_no_event_can_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *event, *value, *message;
    } bad[] = {{"propensity", "0", "line 3: propensity '0' is not above 0"},
               {"propensity", "-0.5", "is not above 0"},
               {"propensity", "inf", "is not a finite number"},
               {"propensity", "0.0", "is not above 0"},
               {"clicked", "-1", "line 3: clicked '-1' is below 0"},
               {"clicked", "maybe", "is not a number"},
               {"clicked", "nan", "is not a finite number"},
               {"converted", "inf", "is not a finite number"},
               {"carted", "-1", "is below 0"},
               {"ordered", "-2", "is below 0"},
               {"dwell_s", "-3.5", "line 3: dwell_s '-3.5' is below 0"},
               {"depth", "-1", "is below 0"},
               {"delay_s", "-60", "is below 0"},
               {"revenue", "inf", "is not a finite number"},
               {"position", "-1", "is below 0"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (int own = 0; own < 2; own++) {
            struct predictions *p = NULL;
            bool click = !strcmp(bad[i].event, "clicked");
            const char *name = click ? "" : "clicked";
            char *text = own ? mem_printf("label\tscore\t%s%s%s\n1\t0.5\t%s1\n0\t0.25\t%s%s\n", name, click ? "" : "\t",
                                          bad[i].event, click ? "" : "1\t", click ? "" : "0\t", bad[i].value)
                             : mem_printf("%s%s%s\n%s1\n%s%s\n", name, click ? "" : ",", bad[i].event,
                                          click ? "" : "1,", click ? "" : "0,", bad[i].value);
            assert_non_null(text);
            int rc = read_text(&p, text, &own_names);
            if (rc != RECO_E_DATA || !strstr(err_message(), bad[i].message)) {
                fail_msg("%s: %d, %s", text, rc, err_message());
            }
            assert_null(p);
            mem_free(text);
        }
    }
}

static void what_an_event_can_be_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "clicked,converted,revenue,position,propensity\n3,yes,-4.5,1,1.25\nFALSE,,0,,\n0,no,1e3,2,0.001\n",
        "label\tscore\tclicked\tconverted\trevenue\tposition\tpropensity\n1\t0.5\t3\tyes\t-4.5\t1\t1.25\n"
        "0\t0.25\tFALSE\t\t0\t\t\n0\t0.125\t0\tno\t1e3\t2\t0.001\n"};
    for (size_t i = 0; i < 2; i++) {
        struct predictions *p = NULL;
        if (read_text(&p, texts[i], &own_names)) {
            fail_msg("%s", err_message());
        }
        assert_int_equal(p->rows, 3);
        const double *const columns[] = {p->clicked, p->converted, p->revenue, p->position, p->propensity};
        const double expected[][3] = {{3, 0, 0}, {1, NAN, 0}, {-4.5, 0, 1000}, {1, NAN, 2}, {1.25, NAN, 0.001}};
        for (size_t c = 0; c < 5; c++) {
            for (size_t row = 0; row < 3; row++) {
                same(columns[c][row], expected[c][row]);
            }
        }
        predictions_free(p);
    }
}

static void positions_are_from_1_whatever_the_first_is_called(void **state)
{
    (void)state;
    struct predictions_event_columns columns = own_names;
    columns.position_shift = 1;
    static const char *const texts[] = {"clicked,position\n1,0\n0,1\n0,\n",
                                        "label\tscore\tclicked\tposition\n1\t1\t1\t0\n0\t0\t0\t1\n0\t0\t0\t\n"};
    for (size_t i = 0; i < 2; i++) {
        struct predictions *p = NULL;
        assert_int_equal(read_text(&p, texts[i], &columns), 0);
        same(p->position[0], 1);
        same(p->position[1], 2);
        same(p->position[2], NAN);
        predictions_free(p);
    }
}

/* ---- columns ---- */

static void empty_columns_are_none_unless_named(void **state)
{
    (void)state;
    struct predictions *p = NULL;
    const char *text = "clicked,converted,propensity\n1,,\n0,,\n";
    assert_int_equal(read_text(&p, text, &own_names), 0);
    assert_true(p->clicked && !p->converted && !p->propensity);
    predictions_free(p);
    struct predictions_event_columns columns = own_names;
    columns.propensity = "propensity";
    assert_int_equal(read_text(&p, text, &columns), 0);
    assert_non_null(p->propensity);
    predictions_free(p);
    assert_int_equal(read_text(&p, "position,propensity\n1,1\n", &own_names), RECO_E_USAGE);
    assert_int_equal(read_text(&p, "clicked,position\n,1\n,2\n", &own_names), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "are empty in all of its 2 rows"));
    columns.propensity = "weight";
    assert_int_equal(read_text(&p, text, &columns), RECO_E_USAGE);
}

/* ---- late conversions, large weights ---- */

static void late_conversions_do_not_count(void **state)
{
    (void)state;
    struct predictions *p = NULL;
    size_t late;
    size_t without_delay;
    assert_int_equal(read_text(&p,
                               "clicked,converted,ordered,revenue,delay_s\n1,1,1,5,3600\n1,1,1,7,3600.5\n1,1,,9,\n"
                               "1,0,0,0,99999\n0,,,,99999\n",
                               &own_names),
                     0);
    predictions_attribute(p, 3600, &late, &without_delay);
    assert_int_equal(late, 1);
    assert_int_equal(without_delay, 1);
    static const double converted[] = {1, 0, 1, 0, NAN};
    static const double ordered[] = {1, 0, NAN, 0, NAN};
    static const double revenue[] = {5, 0, 9, 0, NAN};
    for (size_t row = 0; row < 5; row++) {
        same(p->converted[row], converted[row]);
        same(p->ordered[row], ordered[row]);
        same(p->revenue[row], revenue[row]);
        same(p->clicked[row], row < 4);
    }
    predictions_free(p);
    /* orders alone are conversions too */
    assert_int_equal(read_text(&p, "ordered,delay_s\n1,20\n1,5\n", &own_names), 0);
    predictions_attribute(p, 10, &late, &without_delay);
    assert_int_equal(late, 1);
    same(p->ordered[0], 0);
    same(p->ordered[1], 1);
    predictions_free(p);
}

static void weights_are_cut(void **state)
{
    (void)state;
    struct predictions *p = NULL;
    assert_int_equal(read_text(&p, "clicked,propensity\n1,0.5\n0,0.01\n0,\n1,0.1\n", &own_names), 0);
    assert_int_equal(predictions_cut_weights(p, 10), 1);
    same(p->propensity[0], 0.5);
    same(p->propensity[1], 0.1);
    same(p->propensity[2], NAN);
    same(p->propensity[3], 0.1);
    predictions_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_event_can_be_is_refused),
        cmocka_unit_test(what_an_event_can_be_is_read),
        cmocka_unit_test(positions_are_from_1_whatever_the_first_is_called),
        cmocka_unit_test(empty_columns_are_none_unless_named),
        cmocka_unit_test(late_conversions_do_not_count),
        cmocka_unit_test(weights_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
