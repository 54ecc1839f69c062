/* The optimiser's loops. */

#include "tch/kernels/parts.hpp"

#if TCH_W >= 8
#include <immintrin.h>
#endif

namespace tch
{
namespace TCH_ISA
{

double sum_squares(int64_t count, const float *x)
{
    vd total = {};
    int64_t i = 0;
    for (; i + W <= count; i += W) {
        vd value = __builtin_convertvector(load(x + i), vd);
        total += value * value;
    }
    double sum = 0;
    for (int lane = 0; lane < W; lane++)
        sum += total[lane];
    for (; i < count; i++)
        sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    return sum;
}

/*
 * Moments of rows that are no longer used decay into denormals, where every operation takes a hundred times as long;
 * such values are far below what an update can see, so they are flushed to zero.
 */
struct flush_denormals {
#if TCH_W >= 8
    unsigned saved = _mm_getcsr();
    flush_denormals()
    {
        _mm_setcsr(saved | 0x8040);
    }
    ~flush_denormals()
    {
        _mm_setcsr(saved);
    }
#else
    flush_denormals()
    {
    }
#endif
};

/* The order of operations is torch.optim.AdamW's. */
void adamw(int64_t count, const adamw_args *a, float *p, const float *g, float *m, float *v)
{
    flush_denormals flush;
    const float keep = static_cast<float>(1 - a->lr * a->weight_decay),
                step = static_cast<float>(a->lr / a->correction1),
                root = static_cast<float>(1 / __builtin_sqrt(a->correction2)), eps = static_cast<float>(a->eps),
                lerp1 = static_cast<float>(1 - a->beta1), beta2 = static_cast<float>(a->beta2),
                rest2 = static_cast<float>(1 - a->beta2);
    int64_t i = 0;
    for (; i < count; i += W) {
        const int64_t n = count - i < W ? count - i : static_cast<int64_t>(W);
        const bool whole = n == W;
        vf grad = {}, first = whole ? load(m + i) : load_part(m + i, n),
           second = whole ? load(v + i) : load_part(v + i, n), value = whole ? load(p + i) : load_part(p + i, n);
        if (g)
            grad = (whole ? load(g + i) : load_part(g + i, n)) * a->grad_scale;
        first += (grad - first) * lerp1;
        second = second * beta2 + grad * grad * rest2;
        value = value * keep - step * (first / (sqrt(second) * root + eps));
        if (whole) {
            store(m + i, first);
            store(v + i, second);
            store(p + i, value);
        } else {
            store_part(m + i, first, n);
            store_part(v + i, second, n);
            store_part(p + i, value, n);
        }
    }
}

void scale(int64_t count, float factor, float *p)
{
    int64_t i = 0;
    for (; i + W <= count; i += W)
        store(p + i, load(p + i) * factor);
    for (; i < count; i++)
        p[i] *= factor;
}

} /* namespace TCH_ISA */
} /* namespace tch */
