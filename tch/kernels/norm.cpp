/* LayerNorm, with dropout and the residual in the same pass. */

#include "tch/kernels/parts.hpp"

namespace tch
{
namespace TCH_ISA
{

/* Sum over a row, W lanes wide, then across: the order depends on the width of the row and of the vector alone. */
template <typename Fn> static inline float row_sum(int64_t width, Fn fn)
{
    vf total = {};
    int64_t c = 0;
    for (; c + W <= width; c += W)
        total += fn(c, static_cast<int64_t>(W));
    if (c < width)
        total += fn(c, width - c);
    return sum(total);
}

static inline vf get(const float *p, int64_t n)
{
    return n == W ? load(p) : load_part(p, n);
}

static inline void put(float *p, vf x, int64_t n)
{
    if (n == W)
        store(p, x);
    else
        store_part(p, x, n);
}

/* Lanes beyond n as zero. */
static inline vf first(vf x, int64_t n)
{
    for (int64_t i = n; i < W; i++)
        x[i] = 0;
    return x;
}

void norm_forward(const norm_args *a, int64_t begin, int64_t end)
{
    const int64_t width = a->width;
    for (int64_t r = begin; r < end; r++) {
        const float *x = a->x + r * width, *residual = a->residual ? a->residual + r * width : nullptr;
        float *out = a->out + r * width, *sums = a->sum ? a->sum + r * width : out;
        uint8_t *mask = a->key ? a->mask + r * mask_bytes(width) : nullptr;
        if (mask)
            mask_row(a->key, static_cast<uint32_t>(a->units[r]), 0, width, mask);
        const float *normed = x;
        if (residual || mask) {
            normed = sums;
            const float scale = mask ? a->key->scale : 1;
            for (int64_t c = 0; c < width; c += W) {
                int64_t n = width - c < W ? width - c : static_cast<int64_t>(W);
                vf value = get(x + c, n);
                if (mask)
                    value = select(mask_lanes(mask, c), value * scale, vf{});
                if (residual)
                    value += get(residual + c, n);
                put(sums + c, value, n);
            }
        }
        const float mean =
            row_sum(width, [&](int64_t c, int64_t n) { return get(normed + c, n); }) / static_cast<float>(width);
        const float variance = row_sum(width,
                                       [&](int64_t c, int64_t n) {
                                           vf d = get(normed + c, n) - mean;
                                           return n == W ? d * d : first(d * d, n);
                                       }) /
                               static_cast<float>(width);
        const float rstd = 1 / __builtin_sqrtf(variance + a->eps);
        for (int64_t c = 0; c < width; c += W) {
            int64_t n = width - c < W ? width - c : static_cast<int64_t>(W);
            put(out + c, (get(normed + c, n) - mean) * rstd * get(a->w + c, n) + get(a->b + c, n), n);
        }
        if (a->mean) {
            a->mean[r] = mean;
            a->rstd[r] = rstd;
        }
    }
}

void norm_backward(const norm_grad_args *a, int64_t begin, int64_t end, float *dw, float *db)
{
    const int64_t width = a->width;
    for (int64_t r = begin; r < end; r++) {
        const float *dout = a->dout + r * width, *x = a->sum + r * width;
        float *dsum = a->dsum + r * width, *dx = a->dx ? a->dx + r * width : nullptr;
        const uint8_t *mask = a->mask ? a->mask + r * mask_bytes(width) : nullptr;
        const float mean = a->mean[r], rstd = a->rstd[r];
        vf sum1 = {}, sum2 = {}; /* of g = dout w, and of g times the normalised value */
        for (int64_t c = 0; c < width; c += W) {
            int64_t n = width - c < W ? width - c : static_cast<int64_t>(W);
            vf d = get(dout + c, n), hat = (get(x + c, n) - mean) * rstd, g = d * get(a->w + c, n);
            sum1 += g;
            sum2 += g * hat;
            put(dw + c, get(dw + c, n) + d * hat, n);
            put(db + c, get(db + c, n) + d, n);
        }
        const float mean1 = sum(sum1) / static_cast<float>(width), mean2 = sum(sum2) / static_cast<float>(width);
        for (int64_t c = 0; c < width; c += W) {
            int64_t n = width - c < W ? width - c : static_cast<int64_t>(W);
            vf hat = (get(x + c, n) - mean) * rstd;
            vf value = (get(dout + c, n) * get(a->w + c, n) - mean1 - hat * mean2) * rstd;
            put(dsum + c, value, n);
            if (dx)
                put(dx + c, mask ? select(mask_lanes(mask, c), value * a->scale, vf{}) : value, n);
        }
    }
}

} /* namespace TCH_ISA */
} /* namespace tch */
