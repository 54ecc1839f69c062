/* What a run does with its data, in one process: learning, accumulation, the best weights, divergence, prediction. */

#include "tiny.h"

#include <math.h>

#include "core/log.h"
#include "model/bert.h"
#include "train/infer.h"

enum { ROWS = 120, DEV_ROWS = 40 };

static void train(const struct train_options *options, struct train_result *result)
{
    TINY_CHECK(dir_make(options->output_dir));
    TINY_CHECK(train_run(options, NULL, result));
}

static struct safetensors *open_weights(const char *dir)
{
    struct safetensors *st = NULL;
    char *path = path_join(dir, "model.safetensors");
    TINY_CHECK(safetensors_open(&st, path));
    mem_free(path);
    return st;
}

/* Largest difference of two runs' weights; key biases are left out: their gradient is zero but for rounding. */
static double weight_difference(const char *a, const char *b)
{
    struct safetensors *x = open_weights(a), *y = open_weights(b);
    double largest = 0;
    for (size_t i = 0; i < safetensors_count(x); i++) {
        const struct safetensors_tensor *t = safetensors_at(x, i), *u = safetensors_find(y, t->name);
        assert_non_null(u);
        assert_int_equal(t->size_bytes, u->size_bytes);
        if (strstr(t->name, "key.bias") != NULL)
            continue;
        for (size_t j = 0; j < t->size_bytes; j += sizeof(float)) {
            float p, q;
            memcpy(&p, (const char *)t->data + j, sizeof p);
            memcpy(&q, (const char *)u->data + j, sizeof q);
            largest = fmax(largest, fabs((double)p - q));
        }
    }
    safetensors_close(x);
    safetensors_close(y);
    return largest;
}

static void test_learns(void **state)
{
    (void)state;
    struct tiny t;
    struct train_result result;
    tiny_init(&t, 0, 600, 100);
    char *dir = tiny_path(&t, "run");
    struct train_options options = tiny_options(&t, dir);
    options.num_train_epochs = 8;
    options.learning_rate = 2e-3;
    options.metric_for_best_model = "accuracy";
    train(&options, &result);
    assert_true(result.has_best);
    if (result.best_value < 0.95)
        fail_msg("dev accuracy %.3f after 8 epochs", result.best_value);
    mem_free(dir);
    tiny_release(&t);
}

/* One window of rows gives one update, however it is cut into batches, with its dropout masks and its weights. */
static void test_accumulation_is_a_big_batch(void **state)
{
    (void)state;
    const int64_t cuts[][2] = {{12, 1}, {6, 2}, {4, 3}};
    struct tiny t;
    struct train_result result;
    tiny_init(&t, 0.1, ROWS, 0);
    char *whole = NULL;
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "cut-%d", i);
        char *dir = tiny_path(&t, name);
        struct train_options options = tiny_options(&t, dir);
        options.batch_rows = cuts[i][0];
        options.accumulation = cuts[i][1];
        options.adam_epsilon = 1e-3; /* so that rounding of tiny gradients is not blown up to full updates */
        train(&options, &result);
        assert_int_equal(result.steps, 2 * ROWS / 12);
        if (whole == NULL) {
            whole = dir;
        } else {
            double difference = weight_difference(whole, dir);
            if (!(difference < 2e-6))
                fail_msg("weights differ by %g between 12 x 1 and %d x %d", difference, (int)cuts[i][0],
                         (int)cuts[i][1]);
            mem_free(dir);
        }
    }
    mem_free(whole);
    tiny_release(&t);
}

static void test_diverges(void **state)
{
    (void)state;
    struct tiny t;
    struct train_result result;
    tiny_init(&t, 0, ROWS, 0);
    char *dir = tiny_path(&t, "run");
    struct train_options options = tiny_options(&t, dir);
    options.learning_rate = 1e30;
    options.warmup = 0;
    TINY_CHECK(dir_make(dir));
    assert_int_equal(train_run(&options, NULL, &result), RECO_E_DIVERGED);
    assert_non_null(strstr(err_message(), "diverged at step "));
    assert_non_null(strstr(err_message(), "; rows "));
    mem_free(dir);
    tiny_release(&t);
}

/* run/ holds the best weights and run/last the last, which differ when the best came earlier. */
static void test_best_and_last(void **state)
{
    (void)state;
    struct tiny t;
    struct train_result result;
    tiny_init(&t, 0, ROWS, DEV_ROWS);
    char *dir = tiny_path(&t, "run"), *plain = tiny_path(&t, "plain"), *last = path_join(dir, "last");
    struct train_options options = tiny_options(&t, dir);
    options.eval_strategy = TRAIN_STRATEGY_STEPS;
    options.learning_rate = 0.03; /* too high to improve with every step */
    train(&options, &result);
    assert_true(result.has_best);
    assert_true(result.best_step < result.steps);
    assert_true(weight_difference(dir, last) > 0);

    options.output_dir = plain;
    options.load_best_model_at_end = false;
    train(&options, &result);
    assert_true(weight_difference(plain, last) == 0);
    mem_free(dir);
    mem_free(plain);
    mem_free(last);
    tiny_release(&t);
}

struct collected {
    size_t rows;
    float logits[ROWS][4];
};

static int collect(void *arg, const struct infer_row *row)
{
    struct collected *c = arg;
    assert_int_equal(row->row, c->rows);
    memcpy(c->logits[c->rows++], row->logits, 4 * sizeof(float));
    return 0;
}

/* Windows and batches change the work and not the results, and rows come in their order. */
static void test_prediction_is_independent_of_batches(void **state)
{
    (void)state;
    const struct infer_options cases[] = {
        {.max_length = 32, .batch_tokens = 4096},
        {.max_length = 32, .batch_tokens = 1},
        {.max_length = 32, .batch_tokens = 100, .window_rows = 7},
        {.max_length = 32, .batch_tokens = 4096, .batch_rows = 3, .window_rows = 1000},
    };
    struct tiny t;
    struct bert *bert = NULL;
    struct bert_load_options load = {0};
    static struct collected first, other;
    tiny_init(&t, 0.1, ROWS, 0);
    TINY_CHECK(bert_load(&bert, t.model, &load));
    const struct dataset_split *split = dataset_find_split(t.dataset, "train");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct collected *c = i == 0 ? &first : &other;
        c->rows = 0;
        TINY_CHECK(infer_run(bert, split, ROWS, &cases[i], collect, c));
        assert_int_equal(c->rows, ROWS);
        for (size_t row = 0; row < ROWS; row++)
            for (int k = 0; k < 4; k++)
                assert_true(fabsf(c->logits[row][k] - first.logits[row][k]) < 1e-6f);
    }
    bert_free(bert);
    tiny_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_accumulation_is_a_big_batch),
        cmocka_unit_test(test_diverges),
        cmocka_unit_test(test_best_and_last),
        cmocka_unit_test(test_prediction_is_independent_of_batches),
    };
    log_set_level(LOG_LEVEL_QUIET);
    if (tch_init(1, true) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
