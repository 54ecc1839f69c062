#ifndef RECO_CORE_POOL_H
#define RECO_CORE_POOL_H

/*
 * A fixed pool of threads. pool_run calls fn(arg, task) for every task in [0, task_count), on threads threads the
 * calling one included, and waits. Tasks start in order. If tasks fail, the error (code and message) of the lowest
 * failed task number is the result, on the caller's thread; tasks not yet started are skipped.
 */

#include <stddef.h>

#include "core/err.h"

struct pool;
typedef int pool_fn(void *arg, size_t task);

int pool_new(struct pool **out, int threads) RECO_MUST_CHECK; /* threads >= 1; 1 starts none */
void pool_free(struct pool *pool);
int pool_threads(const struct pool *pool);
int pool_run(struct pool *pool, size_t task_count, pool_fn *fn, void *arg) RECO_MUST_CHECK;
int cpu_count(void); /* processors this process may use (affinity, cgroup quota), at least 1 */

#endif
