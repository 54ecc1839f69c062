#ifndef RECO_TCH_GEMM_HPP
#define RECO_TCH_GEMM_HPP

#include <cstdint>

namespace tch
{

/*
 * C [m, n] = op(A) op(B) + beta C, row-major float32, op the transpose where asked: the BLAS that libtorch carries.
 * Inside tasks() it runs on the calling thread alone.
 */
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
          const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

} /* namespace tch */

#endif
