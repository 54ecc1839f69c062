/* Expected values under ties are the means over all orders of the tied items. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval/evaluate.h"

enum { ROWS = 7 };

static const char *const names[] = {"dcg",       "dcg@2",     "ndcg",        "ndcg@3",     "map",         "map@2",
                                    "map@4",     "mrr",       "mrr@2",       "mrr@3",      "precision@2", "recall@3",
                                    "success@1", "success@3", "hit_rate@2",  "bpref",      "rbp",         "rbp0.5@3",
                                    "gauc",      "judged@2",  "r_precision", "precision@5"};
enum { NAMES = sizeof names / sizeof names[0] };

struct sample {
    struct predictions p;
    int16_t label[ROWS], predicted[ROWS];
    double score[ROWS];
    uint32_t query[ROWS], item[ROWS];
    const char *ids[ROWS];
    const char *query_ids[1];
    char *label_names[2];
};

static void values_of(const struct sample *s, enum eval_ties ties, double *values)
{
    struct eval_options options;
    struct eval_report *report = NULL;
    eval_options_init(&options);
    options.metrics = names;
    options.metric_count = NAMES;
    options.ties = ties;
    if (eval_run(&report, &s->p, &options)) {
        fail_msg("%s", err_message());
    }
    for (size_t i = 0; i < NAMES; i++) {
        const char *reason = NULL;
        (void)eval_report_value(report, i, &values[i], &reason);
        if (reason) {
            fail_msg("%s: %s", names[i], reason);
        }
    }
    eval_report_free(report);
}

static void fill(struct sample *s, const int16_t *labels, const double *scores, const size_t *order)
{
    static char no[] = "no";
    static char yes[] = "yes";
    static const char *const ids[ROWS] = {"a", "b", "c", "d", "e", "f", "g"};
    *s = (struct sample){.label_names = {no, yes}, .query_ids = {"q"}};
    for (size_t i = 0; i < ROWS; i++) {
        s->label[i] = labels[order[i]];
        s->score[i] = scores[order[i]];
        s->item[i] = (uint32_t)order[i];
        s->ids[i] = ids[i];
    }
    s->p = (struct predictions){
        .rows = ROWS,
        .label = s->label,
        .score = s->score,
        .query = s->query,
        .query_count = 1,
        .query_ids = s->query_ids,
        .item = s->item,
        .item_count = ROWS,
        .item_ids = s->ids,
        .labels = {.task = LABEL_TASK_CLASSIFICATION, .count = 2, .names = s->label_names, .positive = 1}};
}

/* Heap's algorithm: every order of the rows once. */
static void permute(size_t *order, size_t count, void (*visit)(const size_t *order, void *arg), void *arg)
{
    if (count <= 1) {
        visit(order, arg);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        permute(order, count - 1, visit, arg);
        size_t with = count % 2 ? 0 : i;
        size_t swapped = order[with];
        order[with] = order[count - 1];
        order[count - 1] = swapped;
    }
}

struct mean {
    const int16_t *labels;
    const double *scores;
    double sums[NAMES];
    size_t count;
};

static void add_order(const size_t *order, void *arg)
{
    struct mean *mean = arg;
    struct sample s;
    double values[NAMES];
    fill(&s, mean->labels, mean->scores, order);
    values_of(&s, EVAL_TIES_FILE, values);
    for (size_t i = 0; i < NAMES; i++) {
        mean->sums[i] += values[i];
    }
    mean->count++;
}

static void expected_values_are_means_over_all_orders(void **state)
{
    (void)state;
    static const struct {
        int16_t labels[ROWS]; /* -1: not judged */
        double scores[ROWS];
    } cases[] = {{{1, 0, 1, 0, 0, 1, 0}, {3, 3, 3, 2, 2, 2, 1}},
                 {{0, 1, 0, 1, 0, 0, 0}, {1, 1, 1, 1, 1, 1, 1}},
                 {{0, 0, 1, 1, -1, 0, 1}, {5, 4, 4, 4, 4, 4, 0}},
                 {{1, 0, 0, 0, 1, 0, -1}, {7, 6, 5, 4, 3, 2, 1}}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct mean mean = {.labels = cases[c].labels, .scores = cases[c].scores};
        size_t order[ROWS] = {0, 1, 2, 3, 4, 5, 6};
        struct sample s;
        double expected[NAMES];
        permute(order, ROWS, add_order, &mean);
        assert_int_equal(mean.count, 5040);
        fill(&s, cases[c].labels, cases[c].scores, order);
        values_of(&s, EVAL_TIES_EXPECTED, expected);
        for (size_t i = 0; i < NAMES; i++) {
            double wanted = mean.sums[i] / (double)mean.count;
            if (!(fabs(expected[i] - wanted) <= 1e-12)) {
                fail_msg("case %zu %s: %.17g, mean %.17g", c, names[i], expected[i], wanted);
            }
        }
    }
}

/* An item that stands twice in a query, judged and not: the order of the rows decides nothing. */
static void an_item_twice_stands_as_it_is_judged(void **state)
{
    (void)state;
    static const int16_t labels[ROWS] = {1, -1, 0, 0, 0, 0, 0};
    static const double scores[ROWS] = {5, 5, 4, 3, 2, 1, 0};
    static const size_t orders[2][ROWS] = {{0, 1, 2, 3, 4, 5, 6}, {1, 0, 2, 3, 4, 5, 6}};
    for (size_t i = 0; i < 2; i++) {
        struct sample s;
        struct eval_options options;
        struct eval_report *report = NULL;
        double value;
        static const char *const name[] = {"judged@1"};
        fill(&s, labels, scores, orders[i]);
        s.item[0] = s.item[1] = 0;
        eval_options_init(&options);
        options.metrics = name;
        options.metric_count = 1;
        assert_int_equal(eval_run(&report, &s.p, &options), 0);
        assert_true(eval_report_get(report, "judged@1", &value, NULL));
        assert_true(value == 0);
        eval_report_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expected_values_are_means_over_all_orders),
        cmocka_unit_test(an_item_twice_stands_as_it_is_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
