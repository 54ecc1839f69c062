#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "core/log.h"
#include "core/stop.h"
#include "tests/core/scratch.h"

static int saved_stderr;

static void catch_stderr(void)
{
    fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    int fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(saved_stderr >= 0 && fd >= 0);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void give_stderr_back(void)
{
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}

static void levels(void **state)
{
    (void)state;
    static const char *const expected[] = {
        [LOG_LEVEL_QUIET] = "error 1\n",
        [LOG_LEVEL_WARN] = "error 1\nwarning: warn 2\n",
        [LOG_LEVEL_INFO] = "error 1\nwarning: warn 2\ninfo 3\n",
        [LOG_LEVEL_DEBUG] = "error 1\nwarning: warn 2\ninfo 3\ndebug: debug 4\n",
    };
    assert_int_equal(log_get_level(), LOG_LEVEL_INFO);
    for (int level = LOG_LEVEL_QUIET; level <= LOG_LEVEL_DEBUG; level++) {
        log_set_level((enum log_level)level);
        catch_stderr();
        log_error("error %d", 1);
        log_warn("warn %d", 2);
        log_info("info %d", 3);
        log_debug("debug %d", 4);
        give_stderr_back();
        assert_true(scratch_holds("stderr", expected[level]));
    }
    log_set_level(LOG_LEVEL_INFO);
}

static void progress_in_a_log_is_lines(void **state)
{
    (void)state;
    struct progress p = {.interval_s = 0.01};
    catch_stderr();
    progress_start(&p, "epoch 1", 200, 0);
    progress_update(&p, 1, "loss %.1f", 0.5); /* too soon */
    usleep(15000);
    progress_update(&p, 100, "loss %.1f", 0.5);
    progress_clear(&p);
    p.interval_s = 0.01;
    progress_start(&p, "reading", 0, 0);
    usleep(15000);
    progress_update(&p, 7, "%d rows", 7);
    log_set_level(LOG_LEVEL_QUIET);
    usleep(15000);
    progress_update(&p, 8, "%d rows", 8);
    log_set_level(LOG_LEVEL_INFO);
    give_stderr_back();
    assert_true(scratch_holds("stderr", "epoch 1: 50%, loss 0.5, 0:00 left\nreading, 7 rows\n"));
    assert_false(log_is_terminal() && getenv("CI") != NULL);
}

static void the_clock_goes_forward(void **state)
{
    (void)state;
    double before = clock_now_s();
    usleep(2000);
    assert_true(clock_now_s() - before >= 0.002);
}

static void a_first_signal_is_noted(void **state)
{
    (void)state;
    stop_install();
    assert_false(stop_requested());
    assert_int_equal(stop_signal(), 0);
    raise(SIGTERM);
    assert_true(stop_requested());
    assert_int_equal(stop_signal(), SIGTERM);
    stop_install();
    assert_false(stop_requested());
}

static void a_second_signal_ends_the_process(void **state)
{
    (void)state;
    int wait_status;
    pid_t child = fork();
    if (child == 0) {
        stop_install();
        raise(SIGINT);
        if (!stop_requested())
            _exit(9);
        raise(SIGTERM);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGTERM);
}

/* nohup starts programs with the signal ignored. */
static void ignored_signals_stay_ignored(void **state)
{
    (void)state;
    int wait_status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_IGN);
        stop_install();
        raise(SIGINT);
        _exit(stop_requested());
    }
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels),
        cmocka_unit_test(progress_in_a_log_is_lines),
        cmocka_unit_test(the_clock_goes_forward),
        cmocka_unit_test(a_first_signal_is_noted),
        cmocka_unit_test(a_second_signal_ends_the_process),
        cmocka_unit_test(ignored_signals_stay_ignored),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
