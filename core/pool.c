#include "core/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t work_ready; /* a run began, or the pool closes */
    pthread_cond_t work_done;  /* busy became 0 */
    pthread_t *workers;
    int threads; /* the calling one included */
    int started;
    bool closing;

    /* the current run, under lock */
    pool_fn *fn;
    void *arg;
    size_t task_count, next_task;
    int busy; /* tasks running */
    size_t failed_task;
    int failed_code; /* 0: none */
    char failed_message[1024];
};

/* Called and returns with the lock held. Tasks start in order, so every task below a failed one has started too, and
 * the lowest failed number does not depend on timing. */
static void work(struct pool *pool)
{
    while (pool->next_task < pool->task_count && pool->failed_code == 0) {
        size_t task = pool->next_task++;
        pool_fn *fn = pool->fn;
        void *arg = pool->arg;
        pool->busy++;
        pthread_mutex_unlock(&pool->lock);
        int code = fn(arg, task);
        pthread_mutex_lock(&pool->lock);
        if (code != 0 && (pool->failed_code == 0 || task < pool->failed_task)) {
            pool->failed_code = code;
            pool->failed_task = task;
            snprintf(pool->failed_message, sizeof pool->failed_message, "%s", err_message());
        }
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->work_done);
    }
}

static bool has_work(const struct pool *pool)
{
    return pool->next_task < pool->task_count && pool->failed_code == 0;
}

static void *worker_main(void *arg)
{
    struct pool *pool = arg;
    pthread_mutex_lock(&pool->lock);
    while (!pool->closing) {
        if (has_work(pool))
            work(pool);
        else
            pthread_cond_wait(&pool->work_ready, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

int pool_new(struct pool **out, int threads)
{
    struct pool *pool = mem_calloc(1, sizeof *pool);
    if (pool == NULL)
        return RECO_E_NOMEM;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work_ready, NULL);
    pthread_cond_init(&pool->work_done, NULL);
    pool->threads = threads < 1 ? 1 : threads;
    pool->workers = mem_calloc((size_t)pool->threads, sizeof *pool->workers);
    if (pool->workers == NULL) {
        pool_free(pool);
        return RECO_E_NOMEM;
    }
    while (pool->started < pool->threads - 1) {
        int failed = pthread_create(&pool->workers[pool->started], NULL, worker_main, pool);
        if (failed != 0) {
            pool_free(pool);
            return err_set(RECO_E_INTERNAL, "cannot start a thread: %s", strerror(failed));
        }
        pool->started++;
    }
    *out = pool;
    return 0;
}

void pool_free(struct pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->work_done);
    pthread_cond_destroy(&pool->work_ready);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool->workers);
    mem_free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool->threads;
}

int pool_run(struct pool *pool, size_t task_count, pool_fn *fn, void *arg)
{
    pthread_mutex_lock(&pool->lock);
    pool->fn = fn;
    pool->arg = arg;
    pool->task_count = task_count;
    pool->next_task = 0;
    pool->failed_code = 0;
    if (task_count > 1)
        pthread_cond_broadcast(&pool->work_ready);
    work(pool);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->work_done, &pool->lock);
    int code = pool->failed_code;
    pool->task_count = 0;
    pthread_mutex_unlock(&pool->lock);
    return code != 0 ? err_set(code, "%s", pool->failed_message) : 0;
}

/* ---- processors ---- */

/* Processors allowed by "quota period" (cgroup v2 cpu.max) or by two files of one number each (v1); 0: no limit. */
static double read_quota(const char *quota_path, const char *period_path)
{
    double quota = 0, period = 0;
    FILE *file = fopen(quota_path, "re");
    if (file == NULL)
        return 0;
    char line[128];
    bool got = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    if (!got)
        return 0;
    char *rest;
    quota = strtod(line, &rest); /* "max": 0 */
    if (period_path == NULL) {
        period = strtod(rest, NULL);
    } else {
        file = fopen(period_path, "re");
        if (file == NULL)
            return 0;
        if (fgets(line, sizeof line, file) != NULL)
            period = strtod(line, NULL);
        fclose(file);
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

/* The tightest limit of this process's cgroup and of those above it. */
static double cgroup_limit(void)
{
    double limit = read_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    char line[1024], group[1024] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return limit;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "0::", 3) == 0)
            snprintf(group, sizeof group, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    fclose(file);
    for (;;) {
        char path[1100];
        snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
        double found = read_quota(path, NULL);
        if (found > 0 && (limit == 0 || found < limit))
            limit = found;
        char *slash = strrchr(group, '/');
        if (slash == NULL)
            return limit;
        *slash = '\0';
    }
}

int cpu_count(void)
{
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        count = CPU_COUNT(&set);
    else /* more processors than cpu_set_t holds */
        count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    double limit = cgroup_limit();
    if (limit > 0 && limit < count)
        count = (int)(limit + 0.999);
    return count < 1 ? 1 : count;
}
