/* Which instruction set's kernels this machine runs. */

#include "tch/kernels/kernels.hpp"

#include <cstdlib>
#include <cstring>

namespace tch
{

namespace generic
{
extern const kernel_table table;
}
#ifdef __x86_64__
namespace avx2
{
extern const kernel_table table;
}
namespace avx512
{
extern const kernel_table table;
}
#endif

int64_t attention_scratch(int64_t length, int64_t width)
{
    const int64_t n = (length + 15) / 16 * 16, d = (width + 15) / 16 * 16;
    return 4 * n * d + 2 * n * n;
}

static const kernel_table &choose()
{
#ifdef __x86_64__
    /* ATen's own variable for the same purpose, so that one setting lowers both. */
    const char *wanted = std::getenv("ATEN_CPU_CAPABILITY");
    const bool any = !wanted, wide = any || std::strcmp(wanted, "avx512") == 0,
               narrow = wide || std::strcmp(wanted, "avx2") == 0;
    if (wide && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return avx512::table;
    if (narrow && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return avx2::table;
#endif
    return generic::table;
}

const kernel_table &kernels()
{
    static const kernel_table &table = choose();
    return table;
}

} /* namespace tch */
