#ifndef RECO_TCH_CUDA_OPS_HPP
#define RECO_TCH_CUDA_OPS_HPP

/* The operations of tch.h that are not libtorch's own, on CUDA tensors. d and residual may be NULL. */

#include "tch/internal.hpp"

namespace tch
{
namespace on_cuda
{

at::Tensor linear(const struct tch_scope *s, const tch_tensor *x, const tch_tensor *w, const tch_tensor *b, int act);
at::Tensor dropout(const tch_tensor *x, const struct tch_dropout *d, uint32_t site);
at::Tensor norm(const tch_tensor *x, const tch_tensor *residual, const tch_tensor *w, const tch_tensor *b, double eps,
                const struct tch_dropout *d, uint32_t site);
at::Tensor embed(const tch_tensor *word, const tch_tensor *position, const tch_tensor *type, const at::Tensor &ids,
                 const at::Tensor &pos, const at::Tensor &types);
at::Tensor attention(const struct tch_scope *s, const tch_tensor *qkv, const struct tch_seqlens *lens, int64_t heads,
                     const struct tch_dropout *d, uint32_t site);

} /* namespace on_cuda */
} /* namespace tch */

#endif
