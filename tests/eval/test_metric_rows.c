/* What the rows of the metrics say of themselves, labels that are called like means, and numbers at the edges. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/calibrate.h"
#include "eval/evaluate.h"
#include "eval/metric.h"
#include "eval/picture.h"
#include "eval/report.h"

static struct predictions *read_text(const char *text, const char *sidecar)
{
    char path[] = "/tmp/reco-test-rows-XXXXXX";
    char beside[sizeof path + 5];
    struct predictions *p = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    snprintf(beside, sizeof beside, "%s.json", path);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    if (sidecar) {
        assert_int_equal(file_write_all(beside, sidecar, strlen(sidecar)), 0);
    }
    if (predictions_read(&p, path)) {
        fail_msg("%s", err_message());
    }
    unlink(path);
    unlink(beside);
    return p;
}

static struct eval_report *evaluate(const struct predictions *p, const struct eval_options *options)
{
    struct eval_options all;
    struct eval_report *report = NULL;
    eval_options_init(&all);
    if (eval_run(&report, p, options ? options : &all)) {
        fail_msg("%s", err_message());
    }
    return report;
}

static void all_are_listed_and_defined(void **state)
{
    (void)state;
    struct buf list = {0};
    json_t *all = NULL;
    assert_int_equal(eval_metrics_text(NULL, 0, &list), 0);
    assert_int_equal(eval_metrics_json(&all, NULL, 0), 0);
    for (size_t i = 0; metric_table[i]; i++) {
        const struct metric *m = metric_table[i];
        const json_t *definition = json_object_get(all, m->name);
        struct buf text = {0};
        char line[64];
        snprintf(line, sizeof line, "\n  %-22s%s", m->name, m->direction > 0 ? "higher" : "lower");
        assert_non_null(strstr(buf_str(&list), line));
        assert_true(json_array_size(json_object_get(definition, "needs")) > 0);
        assert_string_equal(json_string_value(json_object_get(definition, "formula")), m->formula);
        assert_string_equal(json_string_value(json_object_get(definition, "citation")), m->citation);
        assert_int_equal(json_integer_value(json_object_get(definition, "version")), m->version);
        assert_int_equal(json_integer_value(json_object_get(definition, "direction")), m->direction);
        assert_int_equal(eval_metrics_text(&m->name, 1, &text), 0);
        assert_int_equal(strncmp(buf_str(&text), m->name, strlen(m->name)), 0);
        static const char *const fields[] = {"\n  names ", "\n  formula ", "\n  source ", "\n  needs "};
        for (size_t f = 0; f < sizeof fields / sizeof fields[0]; f++) {
            assert_non_null(strstr(buf_str(&text), fields[f]));
        }
        buf_release(&text);
    }
    json_decref(all);
    const char *wrong = "acuracy";
    assert_int_equal(eval_metrics_text(&wrong, 1, &list), RECO_E_USAGE);
    assert_int_equal(eval_metrics_json(&all, &wrong, 1), RECO_E_USAGE);
    assert_null(all);
    buf_release(&list);
}

static double value_of(const struct eval_report *report, const char *name)
{
    double value = NAN;
    assert_true(eval_report_get(report, name, &value, NULL));
    return value;
}

/* A label 'macro' takes nothing from f1_macro; its own figure has another name, in a whole report and asked for. */
static void labels_may_be_called_like_means(void **state)
{
    (void)state;
    struct predictions *p = read_text("row_id\tlabel\tp_macro\tp_ovo\tp_x\n1\tmacro\t0.7\t0.2\t0.1\n"
                                      "2\tovo\t0.5\t0.4\t0.1\n3\tx\t0.2\t0.2\t0.6\n4\tx\t0.5\t0.2\t0.3\n",
                                      NULL);
    struct eval_report *report = evaluate(p, NULL);
    for (size_t i = 0; i < eval_report_count(report); i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(report->values[i].name, report->values[k].name);
        }
    }
    assert_true(fabs(value_of(report, "f1_macro") - (0.5 + 0 + 2.0 / 3) / 3) < 1e-12);
    assert_true(value_of(report, "f1_label_macro") == 0.5);
    eval_report_free(report);
    static const char *const names[] = {"f1_macro", "f1_label_macro", "auc_ovo", "auc_label_ovo", "f1_label_x"};
    struct eval_options options;
    eval_options_init(&options);
    options.metrics = names;
    options.metric_count = 5;
    report = evaluate(p, &options);
    assert_true(fabs(value_of(report, "f1_macro") - (0.5 + 0 + 2.0 / 3) / 3) < 1e-12);
    assert_true(value_of(report, "f1_label_macro") == 0.5);
    assert_true(fabs(value_of(report, "f1_label_x") - 2.0 / 3) < 1e-12);
    eval_report_free(report);
    predictions_free(p);
}

/* Correlations do not depend on the unit of the numbers, though their squares overflow or vanish. */
static void pearson_knows_no_scale(void **state)
{
    (void)state;
    static const double targets[] = {1.5, 2.25, -1, 0.5, 4};
    static const double values[] = {1, 2.5, -2, 1.25, 3};
    static const char *const exponents[] = {"", "e-161", "e-290", "e200", "e300"};
    double first = NAN;
    for (size_t e = 0; e < sizeof exponents / sizeof exponents[0]; e++) {
        struct buf b = {0};
        assert_int_equal(buf_add_str(&b, "row_id\tlabel\tpredicted\n"), 0);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(buf_printf(&b, "%d\t%g%s\t%g%s\n", i, targets[i], exponents[e], values[i], exponents[e]),
                             0);
        }
        struct predictions *p = read_text(buf_str(&b), "{\"labels\": {\"task\": \"regression\"}}");
        struct eval_report *report = evaluate(p, NULL);
        first = e ? first : value_of(report, "pearson");
        assert_true(fabs(value_of(report, "pearson") - first) < 1e-12);
        eval_report_free(report);
        predictions_free(p);
        buf_release(&b);
    }
}

/* An infinite number has no distance, but a rank. */
static void infinite_numbers_have_ranks(void **state)
{
    (void)state;
    struct predictions *p = read_text("row_id\tlabel\tpredicted\n1\t0.5\t-inf\n2\t1\t2\n3\tinf\t3\n",
                                      "{\"labels\": {\"task\": \"regression\"}}");
    struct eval_report *report = evaluate(p, NULL);
    double value;
    const char *reason = NULL;
    assert_true(fabs(value_of(report, "spearman") - 1) < 1e-12 && fabs(value_of(report, "kendall") - 1) < 1e-12);
    assert_false(eval_report_get(report, "pearson", &value, &reason));
    assert_string_equal(reason, "a target or a value is infinite");
    eval_report_free(report);
    predictions_free(p);
}

/* Bins hold their upper edge, though p times the bins is rounded; the curve and the figure agree. */
static void bins_hold_their_upper_edge(void **state)
{
    (void)state;
    assert_int_equal(metric_bin(0, 15), 0);
    assert_int_equal(metric_bin(1, 15), 14);
    for (size_t b = 1; b < 15; b++) {
        double edge = (double)b / 15;
        assert_int_equal(metric_bin(edge, 15), b - 1);
        assert_int_equal(metric_bin(nextafter(edge, 0), 15), b - 1);
        assert_int_equal(metric_bin(nextafter(edge, 1), 15), b);
    }
    struct predictions *p = read_text("row_id\tlabel\tp_a\tp_b\n1\ta\t0.7333333333333334\t0.2666666666666666\n"
                                      "2\tb\t0.7333333333333333\t0.2666666666666667\n3\ta\t0.6\t0.4\n",
                                      NULL);
    struct eval_report *report = evaluate(p, NULL);
    struct calibrate_bin bins[CALIBRATE_BINS];
    calibrate_reliability(bins, CALIBRATE_BINS, p, CALIBRATE_TOP);
    assert_true(fabs(value_of(report, "ece") - calibrate_error(bins, CALIBRATE_BINS)) < 1e-12);
    assert_true(fabs(value_of(report, "ece") - (0.7333333333333333 + 0.2666666666666666 + 0.4) / 3) < 1e-12);
    eval_report_free(report);
    predictions_free(p);
}

static double gap_of(const json_t *bins)
{
    const json_t *bin;
    size_t i;
    double rows = 0;
    double gap = 0;
    json_array_foreach(bins, i, bin)
    {
        double of_bin = json_number_value(json_object_get(bin, "rows"));
        rows += of_bin;
        gap += of_bin *
               fabs(json_number_value(json_object_get(bin, "p")) - json_number_value(json_object_get(bin, "observed")));
    }
    return gap / rows;
}

/* The bins in the report are those of the figures. */
static void reliability_is_in_the_report(void **state)
{
    (void)state;
    static const char *const files[] = {"graded", "binary", "missing", "one_class"};
    for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
        char path[512];
        struct predictions *p = NULL;
        snprintf(path, sizeof path, RECO_SOURCE_DIR "/tests/reference/metrics/%s.tsv", files[f]);
        assert_int_equal(predictions_read(&p, path), 0);
        struct eval_report *report = evaluate(p, NULL);
        json_t *json = eval_report_json(report);
        const json_t *curves = json_object_get(json, "reliability");
        assert_int_equal(curves != NULL, predictions_has_p(p));
        if (curves) {
            assert_true(fabs(gap_of(json_object_get(curves, "equal_width")) - value_of(report, "ece")) < 1e-12);
            assert_true(fabs(gap_of(json_object_get(curves, "equal_mass")) - value_of(report, "ece_adaptive")) < 1e-12);
        }
        json_decref(json);
        eval_report_free(report);
        predictions_free(p);
    }
}

/* The page says 'expected calibration error' of the figure ece alone; the curve of one class has another gap. */
static void one_figure_has_one_name(void **state)
{
    (void)state;
    static const char *const files[] = {"graded", "binary"};
    for (size_t f = 0; f < 2; f++) {
        char path[512];
        char said[64];
        struct predictions *p = NULL;
        struct eval_pictures pictures = {0};
        bool found = false;
        snprintf(path, sizeof path, RECO_SOURCE_DIR "/tests/reference/metrics/%s.tsv", files[f]);
        assert_int_equal(predictions_read(&p, path), 0);
        struct eval_report *report = evaluate(p, NULL);
        snprintf(said, sizeof said, "Expected calibration error %.4f", value_of(report, "ece"));
        assert_int_equal(eval_pictures_plan(&pictures, report), 0);
        for (size_t i = 0; i < pictures.count; i++) {
            const char *says = buf_str(&pictures.about[i].says);
            found = found || strstr(says, said);
            assert_true(!strstr(says, "Expected calibration error") || strstr(says, said));
        }
        assert_int_equal(found, p->labels.count > 2);
        eval_pictures_release(&pictures);
        eval_report_free(report);
        predictions_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_listed_and_defined), cmocka_unit_test(labels_may_be_called_like_means),
        cmocka_unit_test(pearson_knows_no_scale),     cmocka_unit_test(infinite_numbers_have_ranks),
        cmocka_unit_test(bins_hold_their_upper_edge), cmocka_unit_test(reliability_is_in_the_report),
        cmocka_unit_test(one_figure_has_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
