#ifndef RECO_TCH_CUDA_KERNELS_CUH
#define RECO_TCH_CUDA_KERNELS_CUH

/*
 * CUDA kernels of our own, as plain functions on device pointers: no header of libtorch here, nvcc takes long over
 * them. Launch errors are left in cudaGetLastError for the caller. Sums over rows have a fixed order: no atomics.
 */

#include <cuda_runtime_api.h>

#include <cstdint>

#include "tch/kernels/kernels.hpp"

namespace tch
{
namespace cuda
{

enum element { ELEMENT_FLOAT32, ELEMENT_BFLOAT16 };

/* y = dropout(x), both [rows, columns] of the same type; also its own derivative. */
void dropout(element type, int64_t rows, int64_t columns, const void *x, const int64_t *units, const dropout_key &key,
             void *y, cudaStream_t stream);

struct norm_args {
    int64_t rows, width; /* width <= 1024 */
    element type;        /* of x */
    const void *x;
    const float *residual; /* or NULL */
    const int64_t *units;  /* NULL: no dropout */
    dropout_key key;
    const float *w, *b;
    float eps;
    float *sum;         /* or NULL */
    float *mean, *rstd; /* or NULL */
    float *y;
};
void norm_forward(const norm_args &a, cudaStream_t stream);

struct norm_grad_args {
    int64_t rows, width;
    element type; /* of dx */
    const float *dy, *sum, *mean, *rstd, *w;
    const int64_t *units; /* NULL: no dropout */
    dropout_key key;
    float *dsum;
    void *dx;       /* or NULL */
    float *partial; /* [norm_partials(rows), 2, width] */
    float *dw, *db; /* or NULL */
    bool add_w, add_b;
};
int64_t norm_partials(int64_t rows);
void norm_backward(const norm_grad_args &a, cudaStream_t stream);

/* y[i] = word[ids[i]] + position[pos[i]] + type[types[i]], [count, width]. */
void embed(int64_t count, int64_t width, const float *word, const float *position, const float *type,
           const int64_t *ids, const int64_t *pos, const int64_t *types, float *y, cudaStream_t stream);

/* grad[sorted[i]] += dy[order[i]] for all i, ids ascending, equal ids in the order given. */
void embed_backward(int64_t count, int64_t width, const int64_t *sorted, const int64_t *order, const float *dy,
                    float *grad, cudaStream_t stream);

} /* namespace cuda */
} /* namespace tch */

#endif
