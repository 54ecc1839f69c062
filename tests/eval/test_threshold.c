/* Thresholds against scikit-learn's precision_recall_curve and every cut tried (tests/reference/stats/threshold.json).
 */

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

#include "core/mem.h"
#include "core/rng.h"
#include "eval/evaluate.h"
#include "eval/threshold.h"

#define TOLERANCE 1e-9

static json_t *reference(void)
{
    json_t *json = json_load_file(RECO_SOURCE_DIR "/tests/reference/stats/threshold.json", 0, NULL);
    assert_non_null(json);
    return json;
}

static double at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

/* Binary p are those of the second class; score_only: they are scores. */
static void sample_new(struct predictions *p, const json_t *item, bool score_only)
{
    static const char *const names[] = {"no", "yes", "it=is:so"};
    const json_t *numbers = json_object_get(item, "p");
    const json_t *labels = json_object_get(item, "label");
    bool many = json_is_array(json_array_get(numbers, 0));
    size_t classes = many ? 3 : 2;
    memset(p, 0, sizeof *p);
    assert_int_equal(label_map_from_list(&p->labels, names, classes), 0);
    p->rows = json_array_size(labels);
    p->label = mem_calloc(p->rows, sizeof *p->label);
    p->predicted = mem_calloc(p->rows, sizeof *p->predicted);
    p->score = mem_calloc(p->rows, sizeof *p->score);
    p->p = score_only ? NULL : mem_calloc(p->rows * classes, sizeof *p->p);
    for (size_t row = 0; row < p->rows; row++) {
        p->label[row] = (int16_t)at(labels, row);
        p->score[row] = many ? 0 : at(numbers, row);
        for (size_t c = 0; p->p && c < classes; c++) {
            p->p[row * classes + c] = many ? at(json_array_get(numbers, row), c)
                                      : c  ? p->score[row]
                                           : 1 - p->score[row];
        }
    }
}

static void sample_free(struct predictions *p)
{
    label_map_release(&p->labels);
    json_decref(p->sidecar);
    mem_free(p->label);
    mem_free(p->predicted);
    mem_free(p->score);
    mem_free(p->p);
}

static void close_to(const char *what, double ours, double theirs)
{
    if (!(fabs(ours - theirs) <= TOLERANCE * fmax(1, fabs(theirs)))) {
        fail_msg("%s: %.17g, reference %.17g", what, ours, theirs);
    }
}

static double chosen(const struct threshold *t, const char *key)
{
    return json_number_value(json_object_get(t->chosen, key));
}

/* A hair below the number that is cut. */
static void cut_of(const char *name, const struct threshold *t, double number)
{
    if (!(t->cuts[0] <= number && t->cuts[0] >= number * (1 - 2e-8))) {
        fail_msg("%s: cut %.17g, reference %.17g", name, t->cuts[0], number);
    }
}

static void check_case(const struct predictions *p, const char *name, const json_t *expected)
{
    const char *objective = json_string_value(json_object_get(expected, "objective"));
    double parameter = json_number_value(json_object_get(expected, "parameter"));
    struct threshold_options o = {.beta = parameter, .floor = parameter};
    struct threshold t;
    while (strcmp(threshold_objective_names[o.objective], objective) != 0) {
        o.objective++;
    }
    int rc = threshold_choose(&t, &o, p);
    if (json_is_null(json_object_get(expected, "cut"))) {
        assert_int_equal(rc, RECO_E_DATA);
        assert_non_null(strstr(err_message(), "the greatest is"));
        return;
    }
    assert_int_equal(rc, 0);
    cut_of(name, &t, json_number_value(json_object_get(expected, "cut")));
    close_to(name, chosen(&t, "precision"), json_number_value(json_object_get(expected, "precision")));
    close_to(name, chosen(&t, "recall"), json_number_value(json_object_get(expected, "recall")));
    threshold_release(&t);
}

static void check_cost(struct predictions *p, const char *name, const json_t *expected)
{
    char texts[2][64];
    const char *const assignments[] = {texts[0], texts[1]};
    double costs[4];
    struct threshold t;
    struct threshold_options o = {.objective = THRESHOLD_COST, .costs = costs};
    snprintf(texts[0], sizeof texts[0], "yes:no=%g", json_number_value(json_object_get(expected, "missed")));
    snprintf(texts[1], sizeof texts[1], "no:yes=%g", json_number_value(json_object_get(expected, "alarm")));
    assert_int_equal(threshold_costs_parse(costs, &p->labels, assignments, 2), 0);
    assert_int_equal(threshold_choose(&t, &o, p), 0);
    close_to(name, chosen(&t, "cost"), json_number_value(json_object_get(expected, "cost")));
    if (json_is_null(json_object_get(expected, "cut"))) {
        assert_true(isinf(t.cuts[0]));
    } else {
        cut_of(name, &t, json_number_value(json_object_get(expected, "cut")));
    }
    assert_int_equal(threshold_predictions(&t, p, "p.tsv"), 0);
    close_to(name, threshold_cost(p, costs), json_number_value(json_object_get(expected, "cost")));
    threshold_release(&t);
}

static void agrees_with_scikit_learn(void **state)
{
    (void)state;
    json_t *json = reference();
    json_t *item;
    json_t *expected;
    size_t i;
    size_t j;
    assert_int_equal(json_array_size(json_object_get(json, "binary")), 3);
    json_array_foreach(json_object_get(json, "binary"), i, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        for (int score_only = 0; score_only < 2; score_only++) {
            struct predictions p;
            sample_new(&p, item, score_only);
            json_array_foreach(json_object_get(item, "cases"), j, expected)
            {
                check_case(&p, name, expected);
            }
            json_array_foreach(json_object_get(item, "costs"), j, expected)
            {
                check_cost(&p, name, expected);
            }
            sample_free(&p);
        }
    }
    json_decref(json);
}

/*
 * The mean F-beta of many classes: no less than that of the most probable class and of each class cut for itself, as
 * much as a search without gradients finds, and what the rule reaches when it is applied.
 */
static void reaches_the_greatest_mean_f_beta(void **state)
{
    (void)state;
    json_t *json = reference();
    const json_t *many = json_object_get(json, "many");
    struct predictions p;
    json_t *item;
    size_t i;
    sample_new(&p, many, false);
    assert_int_equal(json_array_size(json_object_get(many, "f_beta")), 3);
    json_array_foreach(json_object_get(many, "f_beta"), i, item)
    {
        struct threshold t;
        double beta = json_number_value(json_object_get(item, "beta"));
        const struct threshold_options o = {.objective = THRESHOLD_F_BETA, .beta = beta};
        assert_int_equal(threshold_choose(&t, &o, &p), 0);
        assert_int_equal(t.rule, THRESHOLD_RULE_RATIOS);
        close_to("sum of the cuts", t.cuts[0] + t.cuts[1] + t.cuts[2], 1);
        double reached = chosen(&t, "f_beta_macro");
        const json_t *without = json_object_get(t.chosen, "without");
        close_to("most probable", json_number_value(json_object_get(without, "f_beta_macro")),
                 json_number_value(json_object_get(item, "most_probable")));
        assert_true(reached >= json_number_value(json_object_get(item, "most_probable")) - 1e-12);
        assert_true(reached >= json_number_value(json_object_get(item, "alone")) - 1e-12);
        if (!(reached >= json_number_value(json_object_get(item, "searched")) - 0.005)) {
            fail_msg("beta %g: %.9g, a search finds %.9g", beta, reached,
                     json_number_value(json_object_get(item, "searched")));
        }
        char name[32];
        const char *const names[] = {name};
        struct eval_options options;
        struct eval_report *report = NULL;
        double value = NAN;
        snprintf(name, sizeof name, "f%g_macro", beta);
        eval_options_init(&options);
        options.metrics = names;
        options.metric_count = 1;
        assert_int_equal(threshold_predictions(&t, &p, "p.tsv"), 0);
        assert_int_equal(eval_run(&report, &p, &options), 0);
        assert_true(eval_report_get(report, name, &value, NULL));
        close_to("applied", value, reached);
        eval_report_free(report);
        threshold_release(&t);
    }
    sample_free(&p);
    json_decref(json);
}

static void decides_among_many_classes(void **state)
{
    (void)state;
    json_t *json = reference();
    const json_t *many = json_object_get(json, "many");
    struct predictions p;
    struct threshold t;
    double costs[9];
    sample_new(&p, many, false);
    struct threshold_options o;
    o = (struct threshold_options){.objective = THRESHOLD_COST, .costs = costs};
    for (size_t i = 0; i < 9; i++) {
        costs[i] = at(json_array_get(json_object_get(many, "costs"), i / 3), i % 3);
    }
    assert_int_equal(threshold_choose(&t, &o, &p), 0);
    assert_int_equal(t.rule, THRESHOLD_RULE_COSTS);
    assert_int_equal(threshold_predictions(&t, &p, "p.tsv"), 0);
    for (size_t row = 0; row < p.rows; row++) {
        assert_int_equal(p.predicted[row], (int)at(json_object_get(many, "by_cost"), row));
    }
    threshold_release(&t);
    o = (struct threshold_options){.objective = THRESHOLD_RECALL, .floor = 0.95};
    assert_int_equal(threshold_choose(&t, &o, &p), RECO_E_USAGE);
    o.label = "nobody";
    assert_int_equal(threshold_choose(&t, &o, &p), RECO_E_USAGE);
    o.label = "yes";
    assert_int_equal(threshold_choose(&t, &o, &p), 0);
    assert_int_equal(threshold_predictions(&t, &p, "p.tsv"), 0);
    for (size_t row = 0; row < p.rows; row++) {
        const double *q = p.p + row * 3;
        assert_int_equal(p.predicted[row], q[1] >= t.cuts[0] ? 1 : q[2] > q[0] ? 2 : 0);
    }
    threshold_release(&t);
    sample_free(&p);
    json_decref(json);
}

static void costs_name_their_labels(void **state)
{
    (void)state;
    static const char *const names[] = {"no", "yes", "it=is:so"};
    static const char *const good[] = {"it=is:so:no=2.5", "yes:it=is:so=-1"};
    static const char *const bad[] = {"yes:no", "yes=1", "yes:maybe=1", "yes:no=inf", ""};
    static const char *const twice[] = {"yes:no=1", "no:yes=2", "yes:no=1"};
    struct label_map labels;
    double costs[9];
    assert_int_equal(label_map_from_list(&labels, names, 3), 0);
    assert_int_equal(threshold_costs_parse(costs, &labels, good, 2), 0);
    const double expected[] = {0, 1, 1, 1, 0, -1, 2.5, 1, 0};
    assert_memory_equal(costs, expected, sizeof expected);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(threshold_costs_parse(costs, &labels, &bad[i], 1), RECO_E_USAGE);
    }
    assert_int_equal(threshold_costs_parse(costs, &labels, twice, 3), RECO_E_USAGE);
    assert_string_equal(err_message(), "cost 'yes:no=1': that of label 'yes' predicted as 'no' is given twice");
    label_map_release(&labels);
}

static double applied(const struct threshold *t, struct predictions *p)
{
    double right = 0;
    assert_int_equal(threshold_predictions(t, p, "p.tsv"), 0);
    for (size_t row = 0; row < p->rows; row++) {
        right += p->predicted[row] == p->label[row];
    }
    return right;
}

/* Infinite scores are cut like others; a cut may be never, or always; all of it survives the file. */
static void cuts_infinite_scores(void **state)
{
    (void)state;
    static const struct {
        double score[4];
        int label[4];
        double missed, alarm, right;
    } cases[] = {{{INFINITY, INFINITY, 3, -INFINITY}, {1, 1, 0, 0}, 1, 1, 4},
                 {{INFINITY, 2, 1, -INFINITY}, {0, 0, 0, 1}, 0.1, 1, 3}, /* never */
                 {{-INFINITY, -INFINITY, 1, 2}, {1, 1, 1, 0}, 9, 1, 3},  /* always */
                 {{INFINITY, -INFINITY, 0, 0}, {1, 0, 1, 1}, 1, 1, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const char *const names[] = {"no", "yes"};
        struct predictions p = {.rows = 4};
        const double costs[] = {0, cases[i].alarm, cases[i].missed, 0};
        const struct threshold_options o = {.objective = THRESHOLD_COST, .costs = costs};
        struct threshold t;
        struct threshold again;
        char path[] = "/tmp/reco-threshold-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(label_map_from_list(&p.labels, names, 2), 0);
        p.label = mem_calloc(4, sizeof *p.label);
        p.predicted = mem_calloc(4, sizeof *p.predicted);
        p.score = mem_calloc(4, sizeof *p.score);
        for (int row = 0; row < 4; row++) {
            p.label[row] = (int16_t)cases[i].label[row];
            p.score[row] = cases[i].score[row];
        }
        assert_int_equal(threshold_choose(&t, &o, &p), 0);
        assert_int_equal(threshold_write(&t, path), 0);
        assert_int_equal(threshold_read(&again, path), 0);
        assert_true(applied(&t, &p) == cases[i].right);
        assert_true(applied(&again, &p) == cases[i].right);
        assert_true(fabs(chosen(&t, "accuracy") - cases[i].right / 4) < 1e-12);
        threshold_release(&t);
        threshold_release(&again);
        unlink(path);
        sample_free(&p);
    }
}

/* A step of a calibration is one number in many rows: written with nine digits it may be above what it was. */
static void survives_nine_digits(void **state)
{
    (void)state;
    static const char *const names[] = {"no", "yes"};
    struct predictions p = {.rows = 6};
    const struct threshold_options o = {.beta = 1};
    struct threshold t;
    assert_int_equal(label_map_from_list(&p.labels, names, 2), 0);
    p.label = mem_calloc(6, sizeof *p.label);
    p.predicted = mem_calloc(6, sizeof *p.predicted);
    p.score = mem_calloc(6, sizeof *p.score);
    p.p = mem_calloc(12, sizeof *p.p);
    for (int written = 1; written >= 0; written--) {
        for (int row = 0; row < 6; row++) {
            double of_yes = row < 3 ? 2.0 / 3 : 1.0 / 3;
            p.label[row] = row < 3;
            p.p[2 * row + 1] = written ? round(of_yes * 1e9) / 1e9 : of_yes;
            p.p[2 * row] = 1 - p.p[2 * row + 1];
        }
        if (written) {
            assert_int_equal(threshold_choose(&t, &o, &p), 0);
        }
        assert_true(applied(&t, &p) == 6);
    }
    threshold_release(&t);
    sample_free(&p);
}

static void survives_its_file(void **state)
{
    (void)state;
    json_t *json = reference();
    struct predictions p;
    struct threshold t;
    struct threshold again;
    double costs[] = {0, 50, 0.001, 0}; /* never: a cut that JSON has no number for */
    char path[] = "/tmp/reco-threshold-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    sample_new(&p, json_array_get(json_object_get(json, "binary"), 0), false);
    p.sidecar = json_pack("{s:{s:s}}", "calibration", "hash", "abc");
    const struct threshold_options o = {.objective = THRESHOLD_COST, .costs = costs};
    assert_int_equal(threshold_choose(&t, &o, &p), 0);
    assert_string_equal(t.calibration, "abc");
    assert_int_equal(threshold_write(&t, path), 0);
    assert_int_equal(threshold_read(&again, path), 0);
    assert_true(isinf(again.cuts[0]));
    assert_memory_equal(again.costs, costs, sizeof costs);
    assert_int_equal(threshold_predictions(&again, &p, path), 0);
    assert_non_null(json_object_get(p.sidecar, "threshold"));
    json_object_del(p.sidecar, "calibration");
    assert_int_equal(threshold_predictions(&again, &p, path), RECO_E_DATA);
    assert_non_null(strstr(err_message(), "are not calibrated"));
    threshold_release(&t);
    threshold_release(&again);
    static const char *const damaged[] = {"", "[]", "{\"format\":\"reco calibration\"}",
                                          "{\"format\":\"reco threshold\",\"version\":2}"};
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
        FILE *file = fopen(path, "w");
        fputs(damaged[i], file);
        fclose(file);
        assert_int_equal(threshold_read(&again, path), RECO_E_DATA);
    }
    unlink(path);
    sample_free(&p);
    json_decref(json);
}

static void swap_rows(struct predictions *p, size_t a, size_t b)
{
    size_t n = (size_t)p->labels.count;
    int16_t label = p->label[a];
    double score = p->score[a];
    p->label[a] = p->label[b];
    p->label[b] = label;
    p->score[a] = p->score[b];
    p->score[b] = score;
    for (size_t c = 0; p->p && c < n; c++) {
        double of_class = p->p[a * n + c];
        p->p[a * n + c] = p->p[b * n + c];
        p->p[b * n + c] = of_class;
    }
}

static void shuffle(struct predictions *p, uint32_t seed)
{
    struct rng rng;
    uint32_t *order = mem_calloc(p->rows, sizeof *order);
    for (size_t i = 0; i < p->rows; i++) {
        order[i] = (uint32_t)i;
    }
    rng_init(&rng, 3, RNG_STREAM_SHUFFLE, seed);
    rng_shuffle_u32(&rng, order, (uint32_t)p->rows);
    for (size_t i = 0; i < p->rows; i++) {
        swap_rows(p, i, order[i]);
    }
    mem_free(order);
}

/* The same cuts to the bit, though sums of costs and of F-beta are rounded in the order of the rows. */
static void does_not_depend_on_the_order_of_rows(void **state)
{
    (void)state;
    static const double costs[] = {0, 0.1, 0.3, 0.7, 0, 0.1, 0.3, 0.2, 0};
    static const double two_costs[] = {0, 0.1, 0.3, 0};
    static const struct threshold_options asked[] = {{.objective = THRESHOLD_F_BETA, .beta = 1},
                                                     {.objective = THRESHOLD_F_BETA, .beta = 2, .label = "yes"},
                                                     {.objective = THRESHOLD_PRECISION, .floor = 0.8, .label = "yes"},
                                                     {.objective = THRESHOLD_RECALL, .floor = 0.8, .label = "yes"},
                                                     {.objective = THRESHOLD_COST, .label = "yes"}};
    json_t *json = reference();
    for (size_t sample = 0; sample < 4; sample++) {
        struct predictions p;
        const json_t *item =
            sample < 3 ? json_array_get(json_object_get(json, "binary"), sample) : json_object_get(json, "many");
        sample_new(&p, item, false);
        for (size_t a = 0; a < sizeof asked / sizeof asked[0]; a++) {
            double first[3] = {0};
            size_t bytes = 0;
            for (uint32_t seed = 0; seed < 6; seed++) {
                struct threshold t;
                struct threshold_options o = asked[a];
                o.costs = o.objective != THRESHOLD_COST ? NULL : p.labels.count > 2 ? costs : two_costs;
                shuffle(&p, seed);
                assert_int_equal(threshold_choose(&t, &o, &p), 0);
                bytes = (t.rule == THRESHOLD_RULE_CUT ? 1 : (size_t)p.labels.count) * sizeof *t.cuts;
                if (seed) {
                    assert_memory_equal(t.cuts, first, bytes);
                }
                memcpy(first, t.cuts, bytes);
                threshold_release(&t);
            }
        }
        sample_free(&p);
    }
    json_decref(json);
}

/* One miss costs as much as six alarms: in a group of such rows each cut is as good, whatever the sum is rounded to. */
static void equal_costs_take_the_highest_cut(void **state)
{
    (void)state;
    enum { GROUPS = 3, GROUP_ROWS = 14, ROWS = GROUPS * GROUP_ROWS };
    static const char *const names[] = {"no", "yes"};
    static const double costs[] = {0, 0.1, 0.6, 0};
    const struct threshold_options o = {.objective = THRESHOLD_COST, .costs = costs};
    struct predictions p = {.rows = ROWS};
    assert_int_equal(label_map_from_list(&p.labels, names, 2), 0);
    p.label = mem_calloc(ROWS, sizeof *p.label);
    p.predicted = mem_calloc(ROWS, sizeof *p.predicted);
    p.score = mem_calloc(ROWS, sizeof *p.score);
    for (int row = 0; row < ROWS; row++) {
        p.label[row] = row % 7 == 0;
        p.score[row] = 1.0 / (1 + row / GROUP_ROWS); /* a NULL p: the score is cut */
    }
    for (uint32_t seed = 0; seed < 50; seed++) {
        struct threshold t;
        shuffle(&p, seed);
        assert_int_equal(threshold_choose(&t, &o, &p), 0);
        assert_true(isinf(t.cuts[0])); /* never */
        threshold_release(&t);
    }
    sample_free(&p);
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    json_t *json = reference();
    struct predictions p;
    sample_new(&p, json_array_get(json_object_get(json, "binary"), 2), false);
    for (long n = 1;; n++) {
        struct threshold t;
        double costs[] = {0, 1, 5, 0};
        const struct threshold_options o = {.objective = THRESHOLD_COST, .costs = costs};
        mem_fail_after(n);
        int rc = threshold_choose(&t, &o, &p);
        if (!rc) {
            rc = threshold_predictions(&t, &p, "p.tsv");
            threshold_release(&t);
        }
        mem_fail_after(0);
        if (!rc) {
            break;
        }
        assert_int_equal(rc, RECO_E_NOMEM);
    }
    sample_free(&p);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_scikit_learn),
        cmocka_unit_test(decides_among_many_classes),
        cmocka_unit_test(reaches_the_greatest_mean_f_beta),
        cmocka_unit_test(cuts_infinite_scores),
        cmocka_unit_test(survives_nine_digits),
        cmocka_unit_test(costs_name_their_labels),
        cmocka_unit_test(survives_its_file),
        cmocka_unit_test(survives_failed_allocations),
        cmocka_unit_test(does_not_depend_on_the_order_of_rows),
        cmocka_unit_test(equal_costs_take_the_highest_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
