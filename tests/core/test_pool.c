#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/pool.h"

struct job {
    atomic_int done[1000];
    size_t fail_from; /* tasks from here on that are odd fail */
};

static int count_task(void *arg, size_t task)
{
    struct job *job = arg;
    if (task >= job->fail_from && task % 2 == 1) {
        if (task == job->fail_from)
            usleep(2000); /* a later failure comes first */
        return err_set(RECO_E_DATA, "task %zu", task);
    }
    atomic_fetch_add(&job->done[task], 1);
    return 0;
}

static void every_task_runs_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 8; threads++) {
        struct pool *pool = NULL;
        assert_int_equal(pool_new(&pool, threads), 0);
        assert_int_equal(pool_threads(pool), threads);
        for (size_t tasks = 0; tasks <= 1000; tasks += 250) {
            struct job job = {.fail_from = SIZE_MAX};
            assert_int_equal(pool_run(pool, tasks, count_task, &job), 0);
            for (size_t i = 0; i < 1000; i++)
                assert_int_equal(job.done[i], i < tasks);
        }
        pool_free(pool);
    }
}

static void the_lowest_failure_is_the_result(void **state)
{
    (void)state;
    struct pool *pool = NULL;
    assert_int_equal(pool_new(&pool, 4), 0);
    for (int round = 0; round < 50; round++) {
        struct job job = {.fail_from = 101};
        assert_int_equal(pool_run(pool, 1000, count_task, &job), RECO_E_DATA);
        assert_string_equal(err_message(), "task 101");
        assert_int_equal(job.done[100], 1);
        assert_int_equal(job.done[998], 0); /* not started */
    }
    struct job job = {.fail_from = SIZE_MAX};
    assert_int_equal(pool_run(pool, 1000, count_task, &job), 0); /* and it still works */
    pool_free(pool);
    pool_free(NULL);
}

static void allocation_failures(void **state)
{
    (void)state;
    for (long n = 1;; n++) {
        struct pool *pool = NULL;
        mem_fail_after(n);
        int status = pool_new(&pool, 3);
        mem_fail_after(0);
        if (status == 0) {
            pool_free(pool);
            break;
        }
        assert_int_equal(status, RECO_E_NOMEM);
        assert_null(pool);
    }
}

static void processors(void **state)
{
    (void)state;
    assert_in_range(cpu_count(), 1, sysconf(_SC_NPROCESSORS_CONF));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
        cmocka_unit_test(the_lowest_failure_is_the_result),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
