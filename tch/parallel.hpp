#ifndef RECO_TCH_PARALLEL_HPP
#define RECO_TCH_PARALLEL_HPP

/*
 * Independent tasks on the threads of libtorch's own pool (OpenMP). How the work is cut into tasks never depends on the
 * number of threads, so results do not either.
 */

#include <ATen/Parallel.h>

namespace tch
{

/* fn(task) for every task in [0, count); fn does not throw. */
template <typename Fn> void tasks(int64_t count, const Fn &fn)
{
#ifdef _OPENMP
    const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    if (threads > 1) {
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
        for (int64_t task = 0; task < count; task++)
            fn(task);
        return;
    }
#endif
    for (int64_t task = 0; task < count; task++)
        fn(task);
}

/* fn(begin, end) over [0, count) in ranges of size. */
template <typename Fn> void ranges(int64_t count, int64_t size, const Fn &fn)
{
    tasks((count + size - 1) / size, [&](int64_t i) { fn(i * size, count < (i + 1) * size ? count : (i + 1) * size); });
}

} /* namespace tch */

#endif
