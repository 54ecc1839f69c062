/*
 * An interrupted and resumed run ends with the bytes of one that was not: kill -9 and SIGTERM at a step, with dropout,
 * accumulation, evaluation and the best weights. Every run is a child process, as in life.
 */

#include "tiny.h"

#include <signal.h>

#include "core/log.h"
#include "core/stop.h"

enum { TRAIN_ROWS = 90, DEV_ROWS = 24 };

enum how { KILL, TERMINATE };

struct interruption {
    int64_t step; /* 0: none */
    enum how how;
};

static int on_step(void *arg, int64_t step)
{
    const struct interruption *i = arg;
    if (i->step == step)
        raise(i->how == KILL ? SIGKILL : SIGTERM);
    return 0;
}

/* The wait status of a run in a child; its exit status is the absolute value of train_run's result. */
static int run(const struct train_options *options, struct interruption interruption)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct train_hooks hooks = {.arg = &interruption, .step = on_step};
        struct train_result result;
        log_set_level(LOG_LEVEL_QUIET);
        stop_install();
        int rc = tch_init(1, true) == 0 ? dir_make(options->output_dir) : RECO_E_MODEL;
        if (rc == 0)
            rc = train_run(options, &hooks, &result);
        if (rc != 0 && rc != RECO_E_STOPPED)
            fprintf(stderr, "%s\n", err_message());
        _exit(-rc);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void run_whole(const struct train_options *options)
{
    const struct interruption none = {0};
    int status = run(options, none);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Fails unless the two files have the same bytes. */
static void same_bytes(const char *a, const char *b, bool same)
{
    struct file_map x, y;
    TINY_CHECK(file_map_open(&x, a));
    TINY_CHECK(file_map_open(&y, b));
    bool equal = x.size_bytes == y.size_bytes && memcmp(x.data, y.data, x.size_bytes) == 0;
    if (equal != same)
        fail_msg("'%s' and '%s' are %s", a, b, same ? "not the same" : "the same");
    file_map_close(&x);
    file_map_close(&y);
}

static void compare_runs(const char *a, const char *b)
{
    static const char *const files[] = {"model.safetensors", "last/model.safetensors", "config.json"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *x = path_join(a, files[i]), *y = path_join(b, files[i]);
        same_bytes(x, y, true);
        mem_free(x);
        mem_free(y);
    }
}

/* train.jsonl without what depends on the clock and on the start. */
static void read_log(const char *dir, struct buf *out)
{
    char *path = path_join(dir, "train.jsonl"), line[8192];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        json_t *json = json_loads(line, 0, NULL);
        assert_non_null(json);
        if (strcmp(json_string_value(json_object_get(json, "event")), "start") != 0) {
            json_object_del(json, "pairs_per_s");
            char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
            assert_int_equal(buf_printf(out, "%s\n", text), 0);
            free(text);
        }
        json_decref(json);
    }
    fclose(f);
    mem_free(path);
}

static void check_interrupted(const struct tiny *t, struct train_options options, const char *whole, const char *name,
                              struct interruption interruption)
{
    char *dir = tiny_path(t, name);
    struct buf log = {0}, whole_log = {0};
    options.output_dir = dir;
    int status = run(&options, interruption);
    if (interruption.how == KILL) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), -RECO_E_STOPPED);
    }
    options.resume = "auto";
    run_whole(&options);
    compare_runs(whole, dir);
    read_log(dir, &log);
    read_log(whole, &whole_log);
    assert_string_equal(buf_str(&log), buf_str(&whole_log));
    buf_release(&log);
    buf_release(&whole_log);
    mem_free(dir);
}

static void test_interrupted_runs(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct interruption interruption;
    } cases[] = {
        {"killed-2", {2, KILL}}, /* before the first checkpoint: from the beginning */
        {"killed-5", {5, KILL}}, /* within the first epoch, after a checkpoint */
        {"killed-6", {6, KILL}}, /* after an update, before its evaluation */
        {"killed-10", {10, KILL}},       {"stopped-4", {4, TERMINATE}},
        {"stopped-6", {6, TERMINATE}},   /* the end of an epoch */
        {"stopped-12", {12, TERMINATE}}, /* the last update */
    };
    struct tiny t;
    tiny_init(&t, 0.1, TRAIN_ROWS, DEV_ROWS);
    char *whole = tiny_path(&t, "whole");
    struct train_options options = tiny_options(&t, whole);
    options.accumulation = 2;
    options.save_strategy = TRAIN_STRATEGY_STEPS;
    options.save_total_limit = 1;
    run_whole(&options);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_interrupted(&t, options, whole, cases[i].name, cases[i].interruption);
    mem_free(whole);
    tiny_release(&t);
}

static void test_same_seed_same_weights(void **state)
{
    (void)state;
    struct tiny t;
    tiny_init(&t, 0.1, TRAIN_ROWS, 0);
    char *a = tiny_path(&t, "a"), *b = tiny_path(&t, "b"), *c = tiny_path(&t, "c");
    char *weights_a = path_join(a, "model.safetensors"), *weights_b = path_join(b, "model.safetensors");
    char *weights_c = path_join(c, "model.safetensors");
    struct train_options options = tiny_options(&t, a);
    run_whole(&options);
    options.output_dir = b;
    run_whole(&options);
    options.output_dir = c;
    options.seed = 8;
    run_whole(&options);
    same_bytes(weights_a, weights_b, true);
    same_bytes(weights_a, weights_c, false);
    mem_free(a);
    mem_free(b);
    mem_free(c);
    mem_free(weights_a);
    mem_free(weights_b);
    mem_free(weights_c);
    tiny_release(&t);
}

static int resume_status(struct train_options options)
{
    const struct interruption none = {0};
    options.resume = "auto";
    int status = run(&options, none);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void test_what_may_not_change(void **state)
{
    (void)state;
    struct tiny t;
    tiny_init(&t, 0, TRAIN_ROWS, 0);
    char *dir = tiny_path(&t, "run"), *damaged = tiny_path(&t, "run/checkpoint-3/optimizer.safetensors");
    struct train_options options = tiny_options(&t, dir);
    options.save_strategy = TRAIN_STRATEGY_STEPS;
    run(&options, (struct interruption){4, KILL});

    struct train_options other = options;
    other.seed = 8;
    assert_int_equal(resume_status(other), RECO_E_USAGE);
    other = options;
    other.batch_rows = 4;
    assert_int_equal(resume_status(other), RECO_E_USAGE);
    other = options;
    other.max_train_samples = 50;
    assert_int_equal(resume_status(other), RECO_E_USAGE);
    assert_int_equal(truncate(damaged, 1000), 0);
    assert_int_equal(resume_status(options), RECO_E_DATA);
    mem_free(dir);
    mem_free(damaged);
    tiny_release(&t);
}

static void test_checkpoints_rotate(void **state)
{
    (void)state;
    struct tiny t;
    tiny_init(&t, 0, TRAIN_ROWS, 0);
    char *dir = tiny_path(&t, "run"), *left = tiny_path(&t, "run/checkpoint-9.tmp.1");
    char *gone = tiny_path(&t, "run/checkpoint-18"), *kept = tiny_path(&t, "run/checkpoint-21/DONE");
    struct train_options options = tiny_options(&t, dir);
    options.save_strategy = TRAIN_STRATEGY_STEPS;
    options.save_total_limit = 2;
    TINY_CHECK(dir_make(left));
    run_whole(&options); /* 24 updates, a checkpoint every 3 */
    assert_true(file_exists(kept));
    assert_false(dir_exists(gone));
    assert_false(dir_exists(left));
    mem_free(dir);
    mem_free(left);
    mem_free(gone);
    mem_free(kept);
    tiny_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted_runs),
        cmocka_unit_test(test_same_seed_same_weights),
        cmocka_unit_test(test_what_may_not_change),
        cmocka_unit_test(test_checkpoints_rotate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
