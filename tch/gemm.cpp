/* Matrix products on the CPU. */

#include "tch/gemm.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <c10/core/GradMode.h>

/* Exported by the libtorch builds that carry MKL; others go through ATen. */
extern "C" void sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
                       const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
                       const float *beta, float *c, const int *ldc) __attribute__((weak));

namespace tch
{

void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
          const float *b, int64_t ldb, float beta, float *c, int64_t ldc)
{
    if (sgemm_) {
        /* BLAS is column-major: it sees the transposes, so C^T = op(B)^T op(A)^T. */
        const int rows = static_cast<int>(n), columns = static_cast<int>(m), depth = static_cast<int>(k),
                  stride_a = static_cast<int>(lda), stride_b = static_cast<int>(ldb), stride_c = static_cast<int>(ldc);
        const float one = 1;
        sgemm_(transpose_b ? "T" : "N", transpose_a ? "T" : "N", &rows, &columns, &depth, &one, b, &stride_b, a,
               &stride_a, &beta, c, &stride_c);
        return;
    }
    c10::AutoGradMode no_grad(false);
    const at::TensorOptions options = at::TensorOptions().dtype(at::kFloat);
    auto view = [&](const float *p, int64_t rows, int64_t columns, int64_t stride) {
        return at::from_blob(const_cast<float *>(p), {rows, columns}, {stride, 1}, options);
    };
    at::Tensor left = transpose_a ? view(a, k, m, lda).t() : view(a, m, k, lda),
               right = transpose_b ? view(b, n, k, ldb).t() : view(b, k, n, ldb), out = view(c, m, n, ldc);
    if (beta == 0)
        at::mm_out(out, left, right);
    else
        at::addmm_out(out, out, left, right, beta, 1);
}

} /* namespace tch */
