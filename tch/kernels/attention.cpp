/*
 * Self-attention of one sequence in one head. Sequences are short (512 tokens at most), so the probabilities are held
 * whole; the operands are first packed densely, which costs length * width against length^2 * width of the products.
 */

#include "tch/kernels/parts.hpp"

#include <cstddef>

namespace tch
{
namespace TCH_ISA
{

static inline int64_t padded(int64_t n)
{
    return (n + W - 1) / W * W;
}

/* c[i][0 .. PANEL W) += sum_k a(i, k) b[k][..] for ROWS rows; a(i, k) = a[i * ai + k * ak]. */
template <int ROWS, int PANEL>
static inline void tile(int64_t depth, const float *a, int64_t ai, int64_t ak, const float *b, int64_t ldb, float alpha,
                        float *c, int64_t ldc)
{
    vf total[ROWS][PANEL] = {};
    for (int64_t k = 0; k < depth; k++) {
        vf row[PANEL];
        for (int j = 0; j < PANEL; j++)
            row[j] = load(b + k * ldb + j * W);
        for (int i = 0; i < ROWS; i++) {
            const vf value = splat(a[i * ai + k * ak]);
            for (int j = 0; j < PANEL; j++)
                total[i][j] += value * row[j];
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < PANEL; j++)
            store(c + i * ldc + j * W, total[i][j] * alpha);
}

template <int PANEL>
static void panel(int64_t rows, int64_t depth, const float *a, int64_t ai, int64_t ak, const float *b, int64_t ldb,
                  float alpha, float *c, int64_t ldc)
{
    enum { ROWS = 4 };
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS)
        tile<ROWS, PANEL>(depth, a + i * ai, ai, ak, b, ldb, alpha, c + i * ldc, ldc);
    for (; i < rows; i++)
        tile<1, PANEL>(depth, a + i * ai, ai, ak, b, ldb, alpha, c + i * ldc, ldc);
}

/* c[rows][columns] = alpha a b with columns, ldb and ldc multiples of W. */
static void product(int64_t rows, int64_t columns, int64_t depth, const float *a, int64_t ai, int64_t ak,
                    const float *b, int64_t ldb, float alpha, float *c, int64_t ldc)
{
    int64_t j = 0;
    for (; j + 2 * W <= columns; j += 2 * W)
        panel<2>(rows, depth, a, ai, ak, b + j, ldb, alpha, c + j, ldc);
    if (j < columns)
        panel<1>(rows, depth, a, ai, ak, b + j, ldb, alpha, c + j, ldc);
}

/* to[rows][padded(columns)] = from, the rest zero. */
static void pack(int64_t rows, int64_t columns, const float *from, int64_t stride, float *to)
{
    const int64_t width = padded(columns);
    for (int64_t r = 0; r < rows; r++) {
        int64_t c = 0;
        for (; c + W <= columns; c += W)
            store(to + r * width + c, load(from + r * stride + c));
        if (c < columns)
            store(to + r * width + c, load_part(from + r * stride + c, columns - c));
    }
}

/* to[columns][padded(rows)] = the transpose of from, the rest zero. */
static void pack_transposed(int64_t rows, int64_t columns, const float *from, int64_t stride, float *to)
{
    const int64_t width = padded(rows);
    for (int64_t c = 0; c < columns; c++) {
        for (int64_t r = 0; r < rows; r++)
            to[c * width + r] = from[r * stride + c];
        for (int64_t r = rows; r < width; r++)
            to[c * width + r] = 0;
    }
}

static void unpack(int64_t rows, int64_t columns, const float *from, float *to, int64_t stride)
{
    const int64_t width = padded(columns);
    for (int64_t r = 0; r < rows; r++) {
        int64_t c = 0;
        for (; c + W <= columns; c += W)
            store(to + r * stride + c, load(from + r * width + c));
        if (c < columns)
            store_part(to + r * stride + c, load(from + r * width + c), columns - c);
    }
}

/* Row of scores to probabilities, padding to zero. */
static void softmax(int64_t length, float *row)
{
    const int64_t whole = length / W * W;
    vf best = splat(-3.0e38F);
    for (int64_t c = 0; c < whole; c += W)
        best = max(best, load(row + c));
    float highest = top(best);
    for (int64_t c = whole; c < length; c++)
        highest = row[c] > highest ? row[c] : highest;
    for (int64_t c = length; c < padded(length); c++)
        row[c] = -3.0e38F;
    vf total = {};
    for (int64_t c = 0; c < padded(length); c += W) {
        vf score = load(row + c), e = select(score > -2.9e38F, exp(score - highest), vf{});
        store(row + c, e);
        total += e;
    }
    const float factor = 1 / sum(total);
    for (int64_t c = 0; c < padded(length); c += W)
        store(row + c, load(row + c) * factor);
}

void attention_forward(const attention_args *a)
{
    const int64_t n = a->length, np = padded(n), d = a->width, dp = padded(d);
    float *kt = a->scratch, *v = kt + d * np, *p = v + n * dp, *out = p + n * np;
    pack_transposed(n, d, a->k, a->stride, kt);
    pack(n, d, a->v, a->stride, v);
    product(n, np, d, a->q, a->stride, 1, kt, np, a->scale, p, np);
    for (int64_t i = 0; i < n; i++) {
        softmax(n, p + i * np);
        if (a->p)
            __builtin_memcpy(a->p + i * n, p + i * np, static_cast<size_t>(n) * sizeof(float));
        if (a->key) {
            uint8_t *mask = a->mask + i * mask_bytes(n);
            mask_row(a->key, static_cast<uint32_t>(a->units[i]), a->first_column, n, mask);
            mask_apply(n, p + i * np, mask, a->key->scale, p + i * np);
        }
    }
    product(n, dp, n, p, np, 1, v, dp, 1, out, dp);
    unpack(n, d, out, a->out, a->out_stride);
}

void attention_backward(const attention_grad_args *a)
{
    const int64_t n = a->length, np = padded(n), d = a->width, dp = padded(d);
    float *vt = a->scratch, *dout = vt + d * np, *operand = dout + n * dp, *p = operand + n * dp, *ds = p + n * np,
          *result = ds + n * np;
    pack_transposed(n, d, a->v, a->stride, vt);
    pack(n, d, a->dout, a->out_stride, dout);
    product(n, np, d, dout, dp, 1, vt, np, 1, ds, np); /* gradient of the dropped probabilities */
    for (int64_t i = 0; i < n; i++) {
        const float *kept = a->p + i * n;
        float *row = ds + i * np, *dropped = p + i * np;
        const uint8_t *mask = a->mask ? a->mask + i * mask_bytes(n) : nullptr;
        vf dot = {};
        for (int64_t c = 0; c < n; c += W) {
            const bool whole = c + W <= n;
            const vf value = whole ? load(kept + c) : load_part(kept + c, n - c);
            vf g = load(row + c), used = value;
            if (mask) {
                const vi lanes = mask_lanes(mask, c);
                g = select(lanes, g * a->drop_scale, vf{});
                used = select(lanes, value * a->drop_scale, vf{});
            }
            store(dropped + c, used);
            store(row + c, g);
            dot += g * value;
        }
        const float mean = sum(dot);
        for (int64_t c = 0; c < n; c += W) {
            const vf value = c + W <= n ? load(kept + c) : load_part(kept + c, n - c);
            store(row + c, value * (load(row + c) - mean) * a->scale);
        }
    }
    product(n, dp, n, p, 1, np, dout, dp, 1, result, dp); /* dv = p^T dout */
    unpack(n, d, result, a->dv, a->stride);
    pack(n, d, a->k, a->stride, operand);
    product(n, dp, n, ds, np, 1, operand, dp, 1, result, dp); /* dq = ds k */
    unpack(n, d, result, a->dq, a->stride);
    pack(n, d, a->q, a->stride, operand);
    product(n, dp, n, ds, 1, np, operand, dp, 1, result, dp); /* dk = ds^T q */
    unpack(n, d, result, a->dk, a->stride);
}

} /* namespace TCH_ISA */
} /* namespace tch */
