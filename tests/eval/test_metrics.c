/* Every metric against scikit-learn, scipy and trec_eval's C (tests/reference/metrics), and what must hold besides. */

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
#include "core/rng.h"
#include "eval/evaluate.h"
#include "eval/metric.h"
#include "eval/report.h"

#define FOLDER RECO_SOURCE_DIR "/tests/reference/metrics/"
#define TOLERANCE 1e-9

static const char *const cases[] = {"binary",    "graded", "graded_from_1", "missing",
                                    "one_class", "utf8",   "regression",    "behaviour"};
#define CASE_COUNT (sizeof cases / sizeof cases[0])

static struct predictions *read_case(const char *name)
{
    char path[512];
    struct predictions *p = NULL;
    snprintf(path, sizeof path, FOLDER "%s.tsv", name);
    if (predictions_read(&p, path)) {
        fail_msg("%s", err_message());
    }
    return p;
}

static json_t *read_expected(const char *name)
{
    char path[512];
    json_error_t where;
    snprintf(path, sizeof path, FOLDER "%s.json", name);
    json_t *json = json_load_file(path, 0, &where);
    if (!json) {
        fail_msg("%s: %s", path, where.text);
    }
    return json;
}

static void options_of(struct eval_options *options, json_t *expected)
{
    eval_options_init(options);
    json_t *level = json_object_get(json_object_get(expected, "options"), "relevance_level");
    if (json_is_number(level)) {
        options->relevance_level = json_number_value(level);
    }
}

static struct eval_report *evaluate(const struct predictions *p, const struct eval_options *options)
{
    struct eval_report *report = NULL;
    if (eval_run(&report, p, options)) {
        fail_msg("%s", err_message());
    }
    return report;
}

static void compare(const struct eval_report *report, json_t *expected, const char *name)
{
    const char *metric;
    json_t *value;
    size_t compared = 0;
    json_object_foreach(json_object_get(expected, "metrics"), metric, value)
    {
        double ours = NAN;
        const char *reason = "";
        bool defined = eval_report_get(report, metric, &ours, &reason);
        if (defined == json_is_null(value)) {
            fail_msg("%s %s: %s, reason '%s'", name, metric, defined ? "defined" : "undefined", reason);
        }
        double theirs = json_number_value(value);
        if (defined && !(fabs(ours - theirs) <= TOLERANCE * fmax(1, fabs(theirs)))) {
            fail_msg("%s %s: %.17g, reference %.17g", name, metric, ours, theirs);
        }
        compared++;
    }
    assert_true(compared >= 5);
}

static void agrees_with_the_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct eval_options options;
        struct predictions *p = read_case(cases[i]);
        json_t *expected = read_expected(cases[i]);
        options_of(&options, expected);
        struct eval_report *report = evaluate(p, &options);
        compare(report, expected, cases[i]);
        json_t *text = json_object_get(expected, "report");
        if (text) {
            struct buf b = {0};
            assert_int_equal(report_text_classes(report, 4, &b), 0);
            assert_string_equal(buf_str(&b), json_string_value(text));
            buf_release(&b);
        }
        eval_report_free(report);
        predictions_free(p);
        json_decref(expected);
    }
}

/* Names asked for one by one give what they give together. */
static void agrees_one_metric_at_a_time(void **state)
{
    (void)state;
    struct eval_options options;
    struct predictions *p = read_case("graded");
    json_t *expected = read_expected("graded");
    const char *metric;
    json_t *value;
    json_object_foreach(json_object_get(expected, "metrics"), metric, value)
    {
        options_of(&options, expected);
        options.metrics = &metric;
        options.metric_count = 1;
        struct eval_report *report = evaluate(p, &options);
        double ours;
        assert_true(eval_report_get(report, metric, &ours, NULL));
        assert_true(fabs(ours - json_number_value(value)) <= TOLERANCE);
        eval_report_free(report);
    }
    predictions_free(p);
    json_decref(expected);
}

static size_t split_lines(char *text, char **lines, size_t max)
{
    size_t count = 0;
    for (char *at = text; *at && count < max; count++) {
        lines[count] = at;
        at += strcspn(at, "\n");
        *at++ = '\0';
    }
    return count;
}

static void shuffle_file(const char *from, const char *to, uint32_t seed)
{
    enum { MAX = 1000 };
    char *lines[MAX];
    uint32_t order[MAX];
    struct buf text = {0};
    struct buf shuffled = {0};
    struct rng rng;
    assert_int_equal(file_read_all(from, 0, &text), 0);
    size_t count = split_lines(text.data, lines, MAX);
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_init(&rng, 7, RNG_STREAM_SHUFFLE, seed);
    rng_shuffle_u32(&rng, order + 1, (uint32_t)count - 1); /* the header stays */
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(buf_printf(&shuffled, "%s\n", lines[order[i]]), 0);
    }
    assert_int_equal(file_write_all(to, shuffled.data, shuffled.length), 0);
    buf_release(&text);
    buf_release(&shuffled);
}

static void does_not_depend_on_the_order_of_rows(void **state)
{
    (void)state;
    char path[] = "/tmp/reco-test-metrics-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < CASE_COUNT; i++) {
        json_t *expected = read_expected(cases[i]);
        for (uint32_t seed = 0; seed < 3; seed++) {
            struct eval_options options;
            char from[512];
            struct predictions *p = NULL;
            snprintf(from, sizeof from, FOLDER "%s.tsv", cases[i]);
            shuffle_file(from, path, seed);
            assert_int_equal(predictions_read(&p, path), 0);
            options_of(&options, expected);
            struct eval_report *report = evaluate(p, &options);
            compare(report, expected, cases[i]);
            eval_report_free(report);
            predictions_free(p);
        }
        json_decref(expected);
    }
    unlink(path);
}

/* No row has a label: nothing is defined, everything has a reason, and nothing is 0. */
static void nothing_is_defined_without_labels(void **state)
{
    (void)state;
    struct eval_options options;
    struct predictions *p = read_case("binary");
    for (size_t row = 0; row < p->rows; row++) {
        p->label[row] = -1;
    }
    eval_options_init(&options);
    struct eval_report *report = evaluate(p, &options);
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        bool behaviour = v->metric->needs & (METRIC_NEEDS_EVENTS | METRIC_NEEDS_ITEM);
        assert_true(isnan(v->value) != behaviour);
        assert_true((v->reason != NULL) != behaviour);
    }
    eval_report_free(report);
    p->rows = 0; /* an empty dev set */
    report = evaluate(p, &options);
    for (size_t i = 0; i < report->value_count; i++) {
        assert_true(isnan(report->values[i].value) && report->values[i].reason);
    }
    eval_report_free(report);
    predictions_free(p);
}

static void a_level_is_needed_when_the_lowest_grade_is_above_0(void **state)
{
    (void)state;
    struct eval_options options;
    struct eval_report *report = NULL;
    struct predictions *p = read_case("graded_from_1");
    double value;
    const char *reason = NULL;
    eval_options_init(&options);
    report = evaluate(p, &options);
    assert_true(eval_report_get(report, "ndcg@10", &value, NULL));
    assert_false(eval_report_get(report, "map", &value, &reason));
    assert_string_equal(reason, "the lowest grade is above 0 and no relevance level is given");
    eval_report_free(report);
    report = NULL;
    options.need_relevance = true;
    assert_int_equal(eval_run(&report, p, &options), RECO_E_USAGE);
    assert_null(report);
    assert_non_null(strstr(err_message(), "--relevance_level"));
    predictions_free(p);
}

static void gains_are_taken_by_name(void **state)
{
    (void)state;
    static const char *const texts[] = {"2=0.5", "1=0", "3=1", "0=0"};
    struct eval_options options;
    struct predictions *p = read_case("graded");
    double gains[4];
    double linear;
    double steep;
    assert_int_equal(eval_gains_parse(gains, &p->labels, texts, 4), 0);
    assert_true(gains[0] == 0 && gains[1] == 0 && gains[2] == 0.5 && gains[3] == 1);
    assert_int_equal(eval_gains_parse(gains, &p->labels, texts, 3), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "label '0'"));
    static const char *const twice[] = {"2=0.5", "1=0", "3=1", "0=0", "2=0.7"};
    assert_int_equal(eval_gains_parse(gains, &p->labels, twice, 5), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "two gains are named for label '2'"));
    static const char *const unknown[] = {"4=0.5"};
    assert_int_equal(eval_gains_parse(gains, &p->labels, unknown, 1), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "the labels are '0', '1', '2', '3'"));
    assert_int_equal(eval_gains_parse(gains, &p->labels, texts, 4), 0);
    eval_options_init(&options);
    struct eval_report *report = evaluate(p, &options);
    assert_true(eval_report_get(report, "ndcg@5", &steep, NULL));
    eval_report_free(report);
    options.gains = gains;
    report = evaluate(p, &options);
    assert_true(eval_report_get(report, "ndcg@5", &linear, NULL));
    assert_true(linear != steep);
    eval_report_free(report);
    predictions_free(p);
}

/* Scores may be infinite, and a query may have one item. */
static void infinite_scores_rank(void **state)
{
    (void)state;
    static const char text[] = "row_id\tquery_id\titem_id\tlabel\tpredicted\tscore\n"
                               "a\tq\tx\t1\t1\tinf\nb\tq\ty\t0\t0\t-inf\nc\tq\tz\t0\t1\t1e300\nd\tr\tx\t1\t1\t0\n";
    char path[] = "/tmp/reco-test-metrics-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    struct predictions *p = NULL;
    struct eval_options options;
    double value;
    assert_int_equal(predictions_read(&p, path), 0);
    eval_options_init(&options);
    struct eval_report *report = evaluate(p, &options);
    assert_true(eval_report_get(report, "ndcg@10", &value, NULL) && value == 1);
    assert_true(eval_report_get(report, "auc", &value, NULL) && value == 0.75);
    eval_report_free(report);
    predictions_free(p);
    unlink(path);
}

/* The n-th allocation fails, for all n: an error comes back, and nothing leaks (under AddressSanitizer). */
static void survives_failing_allocations(void **state)
{
    (void)state;
    static const char *const torture[] = {"one_class", "utf8", "regression"};
    for (size_t i = 0; i < sizeof torture / sizeof torture[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, FOLDER "%s.tsv", torture[i]);
        int rc = -1;
        long n = 0;
        while (rc && n < 100000) {
            struct predictions *p = NULL;
            struct eval_report *report = NULL;
            struct buf b = {0};
            struct eval_options options;
            eval_options_init(&options);
            options.by_query = true;
            mem_fail_after(++n);
            rc = predictions_read(&p, path);
            if (!rc) {
                rc = eval_run(&report, p, &options);
            }
            if (!rc) {
                rc = eval_report_text(report, &b);
            }
            if (!rc) {
                rc = eval_report_per_query(report, &b);
            }
            if (!rc) {
                rc = eval_gate(report, "mse<100", &b);
                rc = rc == RECO_E_GATE ? 0 : rc;
            }
            mem_fail_after(0);
            assert_true(rc == 0 || rc == RECO_E_NOMEM);
            buf_release(&b);
            eval_report_free(report);
            predictions_free(p);
        }
        assert_true(n > 20);
    }
}

static void json_holds_what_was_computed(void **state)
{
    (void)state;
    struct eval_options options;
    struct predictions *p = read_case("missing");
    eval_options_init(&options);
    struct eval_report *report = evaluate(p, &options);
    assert_int_equal(eval_report_set_provenance(report, json_pack("{ss}", "command", "x")), 0);
    json_t *json = eval_report_json(report);
    assert_non_null(json);
    json_t *metrics = json_object_get(json, "metrics");
    json_t *undefined = json_object_get(json, "undefined");
    const char *name;
    json_t *value;
    json_object_foreach(metrics, name, value)
    {
        assert_true(json_is_null(value) == (json_object_get(undefined, name) != NULL));
    }
    assert_true(json_is_null(json_object_get(metrics, "precision_d")));
    assert_int_equal(json_array_size(json_object_get(json, "classes")), 5);
    assert_int_equal(json_array_size(json_object_get(json, "confusion")), 5);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "provenance"), "command")), "x");
    json_decref(json);
    eval_report_free(report);
    predictions_free(p);
}

/* The table itself: unique names, all fields filled, one function each; and a file of its own in the sources. */
static void each_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; metric_table[i]; i++) {
        const struct metric *m = metric_table[i];
        assert_true(m->name && *m->name && m->help && *m->help && m->formula && *m->formula && m->citation &&
                    *m->citation);
        assert_true(m->version >= 1 && m->needs && m->forms && (m->direction == 1 || m->direction == -1));
        assert_int_equal((m->value != NULL) + (m->query != NULL) + (m->event != NULL) + (m->catalogue != NULL), 1);
        assert_true((m->value == NULL) == (m->query_reason != NULL));
        assert_true((m->event != NULL) == ((m->needs & METRIC_NEEDS_EVENTS) != 0));
        assert_true((m->catalogue != NULL) == ((m->needs & METRIC_NEEDS_ITEM) != 0));
        assert_true((m->query != NULL) == ((m->needs & METRIC_NEEDS_QUERY) != 0));
        char name[64];
        snprintf(name, sizeof name, "%s", m->name);
        if (!(m->forms & METRIC_FORM_PLAIN)) {
            snprintf(name, sizeof name, "%.*s@10", (int)strcspn(m->name, "@"), m->name);
        } else if (m->parameters) {
            snprintf(name, sizeof name, "%s%s", m->name, m->parameters[0]);
        }
        struct metric_variant variant;
        const char *label;
        assert_ptr_equal(metric_find(name, &variant, &label), m);
        assert_int_equal(eval_metric_direction(name), m->direction);
    }
}

static void names_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {
        "accuracy", "f1",         "f1_macro",  "precision_weighted", "recall_some label", "auc_4",    "ndcg@10",
        "ndcg",     "map@1",      "loss",      "recall@3",           "mrr@100",           "log_loss", "kappa_quadratic",
        "f2",       "f0.5_macro", "rbp0.95@5", "ctr_lists@3",        "ctr_ips",           "auc_ovo",  "auc_weighted",
        "f3_yes",   "dar",        "dar_lists"};
    static const char *const bad[] = {
        "",       "f",       "f0",       "f-1",     "f2@3",       "ctr_macro",      "ctr_ips@3",        "ndcg@",
        "ndcg@0", "ndcg@-1", "ndcg@1.5", "f1@3",    "precision@", "accuracy_macro", "ndcg@99999999999", "kappa_x",
        "f1_",    "NDCG@10", "darling",  "dar_ips_"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (eval_metric_check(good[i])) {
            fail_msg("%s: %s", good[i], err_message());
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!eval_metric_check(bad[i])) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_int_equal(eval_metric_check("acuracy"), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "did you mean 'accuracy'?"));
    assert_int_equal(eval_metric_direction("log_loss"), -1);
    assert_int_equal(eval_metric_direction("loss"), -1);
    assert_int_equal(eval_metric_direction("nothing"), 0);
    struct predictions *p = read_case("binary");
    struct eval_report *report = NULL;
    struct eval_options options;
    const char *name = "auc_maybe";
    eval_options_init(&options);
    options.metrics = &name;
    options.metric_count = 1;
    assert_int_equal(eval_run(&report, p, &options), RECO_E_USAGE);
    assert_non_null(strstr(err_message(), "unknown label 'maybe'"));
    predictions_free(p);
}

static void gates_hold_or_do_not(void **state)
{
    (void)state;
    static const struct {
        const char *gate;
        int result;
    } gates[] = {{"accuracy>=0.0", 0},        {"accuracy > 1", RECO_E_GATE}, {" accuracy <= 1 ", 0},
                 {"accuracy<0", RECO_E_GATE}, {"accuracy==2", RECO_E_GATE},  {"precision_d>=0", RECO_E_GATE},
                 {"log_loss<1e9", 0},         {"accuracy=1", RECO_E_USAGE},  {"accuracy>=", RECO_E_USAGE},
                 {">=1", RECO_E_USAGE},       {"accuracy", RECO_E_USAGE},    {"accuracy>=nan", RECO_E_USAGE}};
    struct eval_options options;
    struct predictions *p = read_case("missing");
    eval_options_init(&options);
    struct eval_report *report = evaluate(p, &options);
    for (size_t i = 0; i < sizeof gates / sizeof gates[0]; i++) {
        struct buf b = {0};
        int rc = eval_gate(report, gates[i].gate, &b);
        if (rc != gates[i].result) {
            fail_msg("'%s' gave %d", gates[i].gate, rc);
        }
        if (rc == RECO_E_USAGE) {
            assert_int_equal(eval_gate_check(gates[i].gate), RECO_E_USAGE);
        } else {
            assert_int_equal(eval_gate_check(gates[i].gate), 0);
            assert_int_equal(strncmp(buf_str(&b), rc ? "FAIL " : "pass ", 5), 0);
        }
        buf_release(&b);
    }
    assert_int_equal(eval_gate_check("acuracy>=1"), RECO_E_USAGE);
    assert_int_equal(eval_gate_check("accuracy>==1"), RECO_E_USAGE);
    eval_report_free(report);
    predictions_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_references),
        cmocka_unit_test(agrees_one_metric_at_a_time),
        cmocka_unit_test(does_not_depend_on_the_order_of_rows),
        cmocka_unit_test(nothing_is_defined_without_labels),
        cmocka_unit_test(a_level_is_needed_when_the_lowest_grade_is_above_0),
        cmocka_unit_test(gains_are_taken_by_name),
        cmocka_unit_test(infinite_scores_rank),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(json_holds_what_was_computed),
        cmocka_unit_test(each_row_is_whole),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(gates_hold_or_do_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
