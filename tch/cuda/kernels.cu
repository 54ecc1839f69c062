/* A warp takes a row; a lane takes four columns at a time, which is one block of Philox. */

#include "tch/cuda/kernels.cuh"

#include <cuda_bf16.h>

#include "tch/philox.hpp"

namespace tch
{
namespace cuda
{

namespace
{

enum { WARP = 32, WARPS = 4, COLUMNS_A_PASS = 4 * WARP, MAX_PARTIALS = 1024 };

struct four {
    float at[4];
};

__device__ inline float to_float(float x)
{
    return x;
}

__device__ inline float to_float(__nv_bfloat16 x)
{
    return __bfloat162float(x);
}

__device__ inline void from_float(float x, float *out)
{
    *out = x;
}

__device__ inline void from_float(float x, __nv_bfloat16 *out)
{
    *out = __float2bfloat16(x);
}

/* Columns c .. c + 3 of a row; beyond width 0. Whole and aligned (width a multiple of 4): one load. */
template <typename T> __device__ inline four get(const T *row, int64_t c, int64_t width)
{
    four result = {{0, 0, 0, 0}};
    if (width % 4 == 0) {
        struct alignas(4 * sizeof(T)) pack {
            T at[4];
        };
        if (c < width) {
            pack p = *reinterpret_cast<const pack *>(row + c);
#pragma unroll
            for (int i = 0; i < 4; i++)
                result.at[i] = to_float(p.at[i]);
        }
        return result;
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (c + i < width)
            result.at[i] = to_float(row[c + i]);
    return result;
}

template <typename T> __device__ inline void put(T *row, int64_t c, int64_t width, const four &x)
{
    if (width % 4 == 0) {
        struct alignas(4 * sizeof(T)) pack {
            T at[4];
        } p;
#pragma unroll
        for (int i = 0; i < 4; i++)
            from_float(x.at[i], &p.at[i]);
        if (c < width)
            *reinterpret_cast<pack *>(row + c) = p;
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; i++)
        if (c + i < width)
            from_float(x.at[i], &row[c + i]);
}

__device__ inline four drop(const four &x, int64_t c, int64_t unit, const dropout_key &key)
{
    philox_block random =
        philox(static_cast<uint32_t>(c / 4), static_cast<uint32_t>(unit), key.site, key.step, key.seed);
    four y;
#pragma unroll
    for (int i = 0; i < 4; i++)
        y.at[i] = random.lane[i] >= key.threshold ? x.at[i] * key.scale : 0;
    return y;
}

__device__ inline float warp_sum(float x)
{
#pragma unroll
    for (int offset = WARP / 2; offset > 0; offset /= 2)
        x += __shfl_xor_sync(0xFFFFFFFFu, x, offset);
    return x;
}

template <typename T>
__global__ void dropout_kernel(int64_t rows, int64_t columns, const T *x, const int64_t *units, dropout_key key, T *y)
{
    const int64_t blocks = (columns + 3) / 4;
    for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < rows * blocks;
         i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
        const int64_t r = i / blocks, c = i % blocks * 4;
        put(y + r * columns, c, columns, drop(get(x + r * columns, c, columns), c, units[r], key));
    }
}

template <typename T, int PASSES> __global__ void norm_forward_kernel(norm_args a)
{
    const int64_t r = blockIdx.x * static_cast<int64_t>(WARPS) + threadIdx.x / WARP;
    const int lane = threadIdx.x % WARP;
    if (r >= a.rows)
        return;
    const T *x = static_cast<const T *>(a.x) + r * a.width;
    four value[PASSES];
    float total = 0;
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++) {
        const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
        value[pass] = get(x, c, a.width);
        if (a.units)
            value[pass] = drop(value[pass], c, a.units[r], a.key);
        if (a.residual) {
            const four skip = get(a.residual + r * a.width, c, a.width);
#pragma unroll
            for (int i = 0; i < 4; i++)
                value[pass].at[i] += skip.at[i];
        }
        if (a.sum)
            put(a.sum + r * a.width, c, a.width, value[pass]);
#pragma unroll
        for (int i = 0; i < 4; i++)
            total += value[pass].at[i];
    }
    const float mean = warp_sum(total) / a.width;
    float squares = 0;
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++) {
        const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (c + i < a.width)
                squares += (value[pass].at[i] - mean) * (value[pass].at[i] - mean);
    }
    const float rstd = 1 / sqrtf(warp_sum(squares) / a.width + a.eps);
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++) {
        const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
        const four w = get(a.w, c, a.width), b = get(a.b, c, a.width);
        four y;
#pragma unroll
        for (int i = 0; i < 4; i++)
            y.at[i] = (value[pass].at[i] - mean) * rstd * w.at[i] + b.at[i];
        put(a.y + r * a.width, c, a.width, y);
    }
    if (a.mean && lane == 0) {
        a.mean[r] = mean;
        a.rstd[r] = rstd;
    }
}

/* Block i takes rows i, i + grid, ...: its sums for dw and db go to partial[i]. */
template <typename T, int PASSES> __global__ void norm_backward_kernel(norm_grad_args a)
{
    extern __shared__ float shared[]; /* [WARPS, 2, width] */
    const int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    four dw[PASSES] = {}, db[PASSES] = {};
    for (int64_t r = blockIdx.x * static_cast<int64_t>(WARPS) + warp; r < a.rows;
         r += static_cast<int64_t>(gridDim.x) * WARPS) {
        const float mean = a.mean[r], rstd = a.rstd[r];
        four g[PASSES], hat[PASSES];
        float sum1 = 0, sum2 = 0;
#pragma unroll
        for (int pass = 0; pass < PASSES; pass++) {
            const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
            const four d = get(a.dy + r * a.width, c, a.width), x = get(a.sum + r * a.width, c, a.width),
                       w = get(a.w, c, a.width);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                hat[pass].at[i] = (x.at[i] - mean) * rstd;
                g[pass].at[i] = d.at[i] * w.at[i];
                sum1 += g[pass].at[i];
                sum2 += g[pass].at[i] * hat[pass].at[i];
                dw[pass].at[i] += d.at[i] * hat[pass].at[i];
                db[pass].at[i] += d.at[i];
            }
        }
        const float mean1 = warp_sum(sum1) / a.width, mean2 = warp_sum(sum2) / a.width;
#pragma unroll
        for (int pass = 0; pass < PASSES; pass++) {
            const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
            four value;
#pragma unroll
            for (int i = 0; i < 4; i++)
                value.at[i] = (g[pass].at[i] - mean1 - hat[pass].at[i] * mean2) * rstd;
            put(a.dsum + r * a.width, c, a.width, value);
            if (a.dx)
                put(static_cast<T *>(a.dx) + r * a.width, c, a.width,
                    a.units ? drop(value, c, a.units[r], a.key) : value);
        }
    }
#pragma unroll
    for (int pass = 0; pass < PASSES; pass++) {
        const int64_t c = pass * COLUMNS_A_PASS + lane * 4;
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (c + i < a.width) {
                shared[(warp * 2) * a.width + c + i] = dw[pass].at[i];
                shared[(warp * 2 + 1) * a.width + c + i] = db[pass].at[i];
            }
    }
    __syncthreads();
    for (int64_t c = threadIdx.x; c < 2 * a.width; c += blockDim.x) {
        float total = 0;
        for (int i = 0; i < WARPS; i++)
            total += shared[i * 2 * a.width + c];
        a.partial[blockIdx.x * 2 * a.width + c] = total;
    }
}

/* Column sums of partial [count, 2, width] into dw and db; a warp a group of 32 columns, its lanes along the columns.
 */
__global__ void norm_reduce_kernel(int64_t count, int64_t width, const float *partial, float *dw, float *db, bool add_w,
                                   bool add_b)
{
    __shared__ float shared[WARP][WARP + 1];
    const int64_t c = blockIdx.x * static_cast<int64_t>(WARP) + threadIdx.x;
    float total = 0;
    if (c < 2 * width)
        for (int64_t i = threadIdx.y; i < count; i += WARP)
            total += partial[i * 2 * width + c];
    shared[threadIdx.y][threadIdx.x] = total;
    __syncthreads();
    if (threadIdx.y != 0 || c >= 2 * width)
        return;
    total = 0;
    for (int i = 0; i < WARP; i++)
        total += shared[i][threadIdx.x];
    if (c < width && dw)
        dw[c] = add_w ? dw[c] + total : total;
    if (c >= width && db)
        db[c - width] = add_b ? db[c - width] + total : total;
}

__global__ void embed_kernel(int64_t count, int64_t width, const float *word, const float *position, const float *type,
                             const int64_t *ids, const int64_t *pos, const int64_t *types, float *y)
{
    const int64_t blocks = (width + 3) / 4;
    for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < count * blocks;
         i += static_cast<int64_t>(gridDim.x) * blockDim.x) {
        const int64_t r = i / blocks, c = i % blocks * 4;
        four total = get(word + ids[r] * width, c, width);
        const four p = get(position + pos[r] * width, c, width), t = get(type + types[r] * width, c, width);
#pragma unroll
        for (int k = 0; k < 4; k++)
            total.at[k] += p.at[k] + t.at[k];
        put(y + r * width, c, width, total);
    }
}

/* Block i works only where a run of equal ids starts, and adds up that run. */
__global__ void embed_backward_kernel(int64_t count, int64_t width, const int64_t *sorted, const int64_t *order,
                                      const float *dy, float *grad)
{
    const int64_t i = blockIdx.x, id = sorted[i];
    if (i > 0 && sorted[i - 1] == id)
        return;
    for (int64_t c = threadIdx.x; c < width; c += blockDim.x) {
        float total = grad[id * width + c];
        for (int64_t k = i; k < count && sorted[k] == id; k++)
            total += dy[order[k] * width + c];
        grad[id * width + c] = total;
    }
}

unsigned grid_of(int64_t threads)
{
    const int64_t blocks = (threads + 255) / 256;
    return static_cast<unsigned>(blocks < 1 ? 1 : blocks > 65535 ? 65535 : blocks);
}

/* The number of passes of a warp over a row, rounded up to what is compiled. */
template <typename T, template <typename, int> class Launch, typename Args>
void by_passes(const Args &a, cudaStream_t stream)
{
    const int64_t passes = (a.width + COLUMNS_A_PASS - 1) / COLUMNS_A_PASS;
    if (passes <= 1)
        Launch<T, 1>::go(a, stream);
    else if (passes <= 3)
        Launch<T, 3>::go(a, stream);
    else if (passes <= 6)
        Launch<T, 6>::go(a, stream);
    else
        Launch<T, 8>::go(a, stream);
}

template <typename T, int PASSES> struct launch_forward {
    static void go(const norm_args &a, cudaStream_t stream)
    {
        norm_forward_kernel<T, PASSES>
            <<<static_cast<unsigned>((a.rows + WARPS - 1) / WARPS), WARP * WARPS, 0, stream>>>(a);
    }
};

template <typename T, int PASSES> struct launch_backward {
    static void go(const norm_grad_args &a, cudaStream_t stream)
    {
        const size_t shared_bytes = static_cast<size_t>(WARPS * 2 * a.width) * sizeof(float);
        cudaFuncSetAttribute(norm_backward_kernel<T, PASSES>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                             static_cast<int>(shared_bytes));
        norm_backward_kernel<T, PASSES>
            <<<static_cast<unsigned>(norm_partials(a.rows)), WARP * WARPS, shared_bytes, stream>>>(a);
    }
};

} /* namespace */

void dropout(element type, int64_t rows, int64_t columns, const void *x, const int64_t *units, const dropout_key &key,
             void *y, cudaStream_t stream)
{
    const unsigned grid = grid_of(rows * ((columns + 3) / 4));
    if (rows == 0)
        return;
    if (type == ELEMENT_FLOAT32)
        dropout_kernel<<<grid, 256, 0, stream>>>(rows, columns, static_cast<const float *>(x), units, key,
                                                 static_cast<float *>(y));
    else
        dropout_kernel<<<grid, 256, 0, stream>>>(rows, columns, static_cast<const __nv_bfloat16 *>(x), units, key,
                                                 static_cast<__nv_bfloat16 *>(y));
}

void norm_forward(const norm_args &a, cudaStream_t stream)
{
    if (a.rows == 0)
        return;
    if (a.type == ELEMENT_FLOAT32)
        by_passes<float, launch_forward>(a, stream);
    else
        by_passes<__nv_bfloat16, launch_forward>(a, stream);
}

int64_t norm_partials(int64_t rows)
{
    const int64_t blocks = (rows + WARPS - 1) / WARPS;
    return blocks < MAX_PARTIALS ? blocks : static_cast<int64_t>(MAX_PARTIALS);
}

void norm_backward(const norm_grad_args &a, cudaStream_t stream)
{
    if (a.rows == 0)
        return;
    if (a.type == ELEMENT_FLOAT32)
        by_passes<float, launch_backward>(a, stream);
    else
        by_passes<__nv_bfloat16, launch_backward>(a, stream);
    const dim3 block(WARP, WARP);
    norm_reduce_kernel<<<static_cast<unsigned>((2 * a.width + WARP - 1) / WARP), block, 0, stream>>>(
        norm_partials(a.rows), a.width, a.partial, a.dw, a.db, a.add_w, a.add_b);
}

void embed(int64_t count, int64_t width, const float *word, const float *position, const float *type,
           const int64_t *ids, const int64_t *pos, const int64_t *types, float *y, cudaStream_t stream)
{
    if (count > 0)
        embed_kernel<<<grid_of(count * ((width + 3) / 4)), 256, 0, stream>>>(count, width, word, position, type, ids,
                                                                             pos, types, y);
}

void embed_backward(int64_t count, int64_t width, const int64_t *sorted, const int64_t *order, const float *dy,
                    float *grad, cudaStream_t stream)
{
    if (count > 0)
        embed_backward_kernel<<<static_cast<unsigned>(count), 128, 0, stream>>>(count, width, sorted, order, dy, grad);
}

} /* namespace cuda */
} /* namespace tch */
