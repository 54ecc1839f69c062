/* Calibrations and reliability against scikit-learn and scipy (tests/reference/stats/calibration.json), the file, and
 * what is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/calibrate.h"
#include "eval/evaluate.h"

#define TOLERANCE 1e-9

static json_t *reference(void)
{
    json_t *json = json_load_file(RECO_SOURCE_DIR "/tests/reference/stats/calibration.json", 0, NULL);
    assert_non_null(json);
    return json;
}

static double at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

struct sample {
    struct predictions p;
    int16_t *label, *predicted;
    double *p_of, *score;
};

static void sample_new(struct sample *s, const json_t *item)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    const json_t *labels = json_object_get(item, "label");
    const json_t *p = json_object_get(item, "p");
    size_t rows = json_array_size(labels);
    size_t classes = json_array_size(json_array_get(p, 0));
    memset(s, 0, sizeof *s);
    assert_int_equal(label_map_from_list(&s->p.labels, names, classes), 0);
    s->p.rows = rows;
    s->p.label = s->label = mem_calloc(rows, sizeof *s->label);
    s->p.predicted = s->predicted = mem_calloc(rows, sizeof *s->predicted);
    s->p.p = s->p_of = mem_calloc(rows * classes, sizeof *s->p_of);
    s->p.score = s->score = mem_calloc(rows, sizeof *s->score);
    for (size_t row = 0; row < rows; row++) {
        s->label[row] = (int16_t)at(labels, row);
        for (size_t c = 0; c < classes; c++) {
            s->p_of[row * classes + c] = at(json_array_get(p, row), c);
        }
    }
}

static void sample_free(struct sample *s)
{
    label_map_release(&s->p.labels);
    json_decref(s->p.sidecar);
    mem_free(s->label);
    mem_free(s->predicted);
    mem_free(s->p_of);
    mem_free(s->score);
}

static void close_to(const char *what, double ours, double theirs, double tolerance)
{
    if (!(fabs(ours - theirs) <= tolerance * fmax(1, fabs(theirs)))) {
        fail_msg("%s: %.17g, reference %.17g", what, ours, theirs);
    }
}

/* One class against the rest is a binary sample: the curve of the positive class. */
static void check_curve(const struct sample *s, enum calibrate_method method, int class, const json_t *item,
                        const json_t *expected)
{
    size_t classes = (size_t)s->p.labels.count;
    struct sample two;
    json_t *pairs = json_array();
    json_t *labels = json_array();
    for (size_t row = 0; row < s->p.rows; row++) {
        double p = s->p_of[row * classes + (size_t) class];
        json_array_append_new(pairs, json_pack("[f, f]", 1 - p, p));
        json_array_append_new(labels, json_integer(s->label[row] == class));
    }
    json_t *binary = json_pack("{s:o, s:o}", "p", pairs, "label", labels);
    sample_new(&two, binary);
    struct calibration c;
    assert_int_equal(calibrate_fit(&c, method, &two.p), 0);
    assert_int_equal(c.curves, 1);
    const json_t *grid = json_object_get(item, "grid");
    if (method == CALIBRATE_PLATT) {
        close_to("a", c.a[0], json_number_value(json_object_get(expected, "a")), TOLERANCE);
        close_to("b", c.b[0], json_number_value(json_object_get(expected, "b")), TOLERANCE);
    }
    for (size_t i = 0; i < json_array_size(grid); i++) {
        double x[] = {1 - at(grid, i), at(grid, i)};
        calibrate_apply(&c, x);
        close_to(calibrate_method_names[method], x[1],
                 at(json_object_get(expected, method == CALIBRATE_PLATT ? "platt" : "isotonic"), i), TOLERANCE);
        close_to("sum", x[0] + x[1], 1, 1e-15);
    }
    calibrate_release(&c);
    sample_free(&two);
    json_decref(binary);
}

static void agrees_with_scikit_learn(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *item;
    json_t *expected;
    size_t i;
    size_t class;
    assert_int_equal(json_array_size(json_object_get(json, "cases")), 3);
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct sample s;
        struct calibration c;
        sample_new(&s, item);
        assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), 0);
        close_to("temperature", c.temperature, json_number_value(json_object_get(item, "temperature")), TOLERANCE);
        calibrate_release(&c);
        json_array_foreach(json_object_get(item, "classes"), class, expected)
        {
            check_curve(&s, CALIBRATE_PLATT, (int)class, item, expected);
            check_curve(&s, CALIBRATE_ISOTONIC, (int)class, item, expected);
        }
        sample_free(&s);
    }
    json_decref(json);
}

static void check_bins(const struct sample *s, int of_class, const json_t *expected)
{
    struct calibrate_bin bins[CALIBRATE_BINS];
    const json_t *counts = json_object_get(expected, "count");
    size_t found = 0;
    calibrate_reliability(bins, CALIBRATE_BINS, &s->p, of_class);
    for (size_t i = 0; i < CALIBRATE_BINS; i++) {
        if (bins[i].count > 0) {
            close_to("count", bins[i].count, at(counts, found), TOLERANCE);
            close_to("p", bins[i].p, at(json_object_get(expected, "p"), found), TOLERANCE);
            close_to("observed", bins[i].observed, at(json_object_get(expected, "observed"), found), TOLERANCE);
            found++;
        }
    }
    assert_int_equal(found, json_array_size(counts));
    close_to("ece", calibrate_error(bins, CALIBRATE_BINS), json_number_value(json_object_get(expected, "ece")),
             TOLERANCE);
}

/* The figures of a report and its bins, those of equal width and those of as many rows each. */
static void check_report(const struct sample *s, const json_t *top)
{
    static const char *const metrics[] = {"ece", "ece_adaptive"};
    static const char *const bins_of[] = {"equal_width", "equal_mass"};
    static const char *const expected_of[] = {"width", "mass"};
    struct eval_options options;
    struct eval_report *report = NULL;
    eval_options_init(&options);
    options.metrics = metrics;
    options.metric_count = 2;
    assert_int_equal(eval_run(&report, &s->p, &options), 0);
    json_t *json = eval_report_json(report);
    for (int kind = 0; kind < 2; kind++) {
        const json_t *expected = json_object_get(top, expected_of[kind]);
        const json_t *bins = json_object_get(json_object_get(json, "reliability"), bins_of[kind]);
        const char *const keys[] = {"p", "observed"};
        double value = NAN;
        assert_true(eval_report_get(report, metrics[kind], &value, NULL));
        close_to(metrics[kind], value, json_number_value(json_object_get(expected, "ece")), TOLERANCE);
        assert_int_equal(json_array_size(bins), json_array_size(json_object_get(expected, "count")));
        for (size_t i = 0; i < json_array_size(bins); i++) {
            const json_t *bin = json_array_get(bins, i);
            close_to("rows", json_number_value(json_object_get(bin, "rows")), at(json_object_get(expected, "count"), i),
                     TOLERANCE);
            for (int k = 0; k < 2; k++) {
                close_to(keys[k], json_number_value(json_object_get(bin, keys[k])),
                         at(json_object_get(expected, keys[k]), i), TOLERANCE);
            }
        }
    }
    json_decref(json);
    eval_report_free(report);
}

static void reliability_agrees(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *item;
    json_t *expected;
    size_t i;
    size_t class;
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        struct sample s;
        sample_new(&s, item);
        json_array_foreach(json_object_get(item, "classes"), class, expected)
        {
            check_bins(&s, (int)class, json_object_get(expected, "width"));
        }
        check_bins(&s, CALIBRATE_TOP, json_object_get(json_object_get(item, "top"), "width"));
        check_report(&s, json_object_get(item, "top"));
        sample_free(&s);
    }
    json_decref(json);
}

/* Written, read and applied: the same probabilities to the last bit; they sum to one; score and class follow. */
static void survives_its_file(void **state)
{
    (void)state;
    json_t *json = reference();
    for (size_t i = 0; i < 3; i++) {
        for (int method = 0; calibrate_method_names[method]; method++) {
            struct sample s;
            struct calibration c;
            struct calibration again;
            char path[] = "/tmp/reco-calibration-XXXXXX";
            int fd = mkstemp(path);
            assert_true(fd >= 0);
            close(fd);
            sample_new(&s, json_array_get(json_object_get(json, "cases"), i));
            assert_int_equal(calibrate_fit(&c, (enum calibrate_method)method, &s.p), 0);
            c.fitted_on = json_pack("{s:i}", "rows", (int)s.p.rows);
            assert_int_equal(calibrate_write(&c, path), 0);
            assert_int_equal(calibrate_read(&again, path), 0);
            assert_true(json_equal(c.fitted_on, again.fitted_on));
            assert_int_equal(calibrate_check_labels(&again, &s.p.labels, "p.tsv"), 0);
            size_t classes = (size_t)s.p.labels.count;
            double row[4];
            memcpy(row, s.p_of, classes * sizeof *row);
            calibrate_apply(&c, row);
            assert_int_equal(calibrate_predictions(&again, &s.p, "p.tsv"), 0);
            assert_non_null(calibrate_stamp_hash(s.p.sidecar));
            assert_int_equal(calibrate_predictions(&again, &s.p, "p.tsv"), RECO_E_DATA); /* not twice */
            assert_memory_equal(row, s.p_of, classes * sizeof *row);
            for (size_t r = 0; r < s.p.rows; r++) {
                double sum = 0;
                for (size_t k = 0; k < classes; k++) {
                    sum += s.p_of[r * classes + k];
                    assert_true(s.p_of[r * classes + k] <= s.p_of[r * classes + (size_t)s.predicted[r]]);
                }
                close_to("sum", sum, 1, 1e-12);
                close_to("score", s.score[r], label_map_score(&s.p.labels, s.p_of + r * classes, 0), 0);
            }
            calibrate_release(&c);
            calibrate_release(&again);
            sample_free(&s);
            unlink(path);
        }
    }
    json_decref(json);
}

static void refuses_what_it_cannot_fit(void **state)
{
    (void)state;
    json_t *item = json_pack("{s:[i,i,i], s:[[f,f],[f,f],[f,f]]}", "label", 1, 1, 1, "p", 0.5, 0.5, 0.1, 0.9, 0.3, 0.7);
    struct sample s;
    struct calibration c;
    sample_new(&s, item);
    assert_int_equal(calibrate_fit(&c, CALIBRATE_PLATT, &s.p), RECO_E_DATA);
    assert_string_equal(err_message(), "cannot calibrate: every row has the label 'b'");
    assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), RECO_E_DATA); /* the surer the better */
    assert_string_equal(err_message(), "cannot calibrate: the most probable label is right in all 3 rows, so that no "
                                       "temperature is best");
    s.p_of[0] = 0.6; /* a mistake */
    s.p_of[1] = 0.4;
    assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), 0);
    assert_true(c.temperature > 0.01 && c.temperature < 100);
    calibrate_release(&c);
    for (int i = 0; i < 6; i++) {
        s.p_of[i] = 0.5; /* nothing to be learnt */
    }
    assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), 0);
    assert_true(c.temperature == 1);
    calibrate_release(&c);
    s.label[0] = s.label[1] = s.label[2] = -1;
    assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), RECO_E_DATA);
    s.p.p = NULL;
    assert_int_equal(calibrate_fit(&c, CALIBRATE_TEMPERATURE, &s.p), RECO_E_DATA);
    s.p.sidecar = json_pack("{s:s}", "split", "test");
    assert_int_equal(calibrate_check_split(&s.p, "p.tsv", "a calibration"), RECO_E_USAGE);
    json_object_set_new(s.p.sidecar, "split", json_string("validation"));
    assert_int_equal(calibrate_check_split(&s.p, "p.tsv", "a calibration"), 0);
    sample_free(&s);
    json_decref(item);
}

static void refuses_damaged_files(void **state)
{
    (void)state;
    static const char labels[] = "\"labels\":{\"task\":\"classification\",\"names\":[\"a\",\"b\"],\"positive\":1}";
    static const char *const bodies[] = {
        "",
        "[]",
        "{\"format\":\"reco report\",\"version\":1}",
        "{\"format\":\"reco calibration\",\"version\":9}",
        "{\"format\":\"reco calibration\",\"version\":1,\"method\":\"platt\"}",
        "{\"format\":\"reco calibration\",\"version\":1,\"method\":\"magic\",%s}",
        "{\"format\":\"reco calibration\",\"version\":1,\"method\":\"temperature\",\"temperature\":-1,%s}",
        "{\"format\":\"reco calibration\",\"version\":1,\"method\":\"platt\",\"a\":[1,2],\"b\":[1],%s}",
        ("{\"format\":\"reco calibration\",\"version\":1,\"method\":\"isotonic\","
         "\"curves\":[{\"x\":[1,0],\"y\":[0,1]}],%s}"),
        "{\"format\":\"reco calibration\",\"version\":1,\"method\":\"isotonic\",\"curves\":[{\"x\":[],\"y\":[]}],%s}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        char path[] = "/tmp/reco-calibration-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        const char *mark = strstr(bodies[i], "%s");
        if (mark) {
            dprintf(fd, "%.*s%s%s", (int)(mark - bodies[i]), bodies[i], labels, mark + 2);
        } else {
            dprintf(fd, "%s", bodies[i]);
        }
        close(fd);
        struct calibration c;
        assert_int_equal(calibrate_read(&c, path), RECO_E_DATA);
        unlink(path);
    }
}

/* Rows backwards give the same calibrations. */
static void does_not_depend_on_the_order_of_rows(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(json, "cases"), i, item)
    {
        for (int method = 0; calibrate_method_names[method]; method++) {
            struct sample s;
            struct calibration forth;
            struct calibration back;
            double p[2][4];
            sample_new(&s, item);
            size_t n = (size_t)s.p.labels.count;
            assert_int_equal(calibrate_fit(&forth, (enum calibrate_method)method, &s.p), 0);
            for (size_t a = 0, b = s.p.rows - 1; a < b; a++, b--) {
                int16_t label = s.label[a];
                s.label[a] = s.label[b];
                s.label[b] = label;
                memcpy(p[0], s.p_of + a * n, n * sizeof *p[0]);
                memcpy(s.p_of + a * n, s.p_of + b * n, n * sizeof *p[0]);
                memcpy(s.p_of + b * n, p[0], n * sizeof *p[0]);
            }
            assert_int_equal(calibrate_fit(&back, (enum calibrate_method)method, &s.p), 0);
            for (size_t row = 0; row < s.p.rows; row++) {
                memcpy(p[0], s.p_of + row * n, n * sizeof *p[0]);
                memcpy(p[1], p[0], sizeof p[0]);
                calibrate_apply(&forth, p[0]);
                calibrate_apply(&back, p[1]);
                for (size_t c = 0; c < n; c++) {
                    close_to(calibrate_method_names[method], p[1][c], p[0][c], TOLERANCE);
                }
            }
            calibrate_release(&forth);
            calibrate_release(&back);
            sample_free(&s);
        }
    }
    json_decref(json);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    json_t *json = reference();
    struct sample s;
    sample_new(&s, json_array_get(json_object_get(json, "cases"), 2));
    for (int method = 0; calibrate_method_names[method]; method++) {
        for (long n = 1;; n++) {
            struct calibration c;
            mem_fail_after(n);
            int rc = calibrate_fit(&c, (enum calibrate_method)method, &s.p);
            if (!rc) {
                calibrate_release(&c);
            }
            mem_fail_after(0);
            if (!rc) {
                break;
            }
            assert_int_equal(rc, RECO_E_NOMEM);
        }
    }
    sample_free(&s);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scikit_learn),
        cmocka_unit_test(reliability_agrees),
        cmocka_unit_test(survives_its_file),
        cmocka_unit_test(refuses_what_it_cannot_fit),
        cmocka_unit_test(refuses_damaged_files),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(does_not_depend_on_the_order_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
