#ifndef RECO_TCH_CUDA_MODULE_HPP
#define RECO_TCH_CUDA_MODULE_HPP

/*
 * The border between reco-torch and libreco_tch_cuda.so, which is the only binary linked to libtorch_cuda. Everything
 * of libtorch that goes through its dispatcher needs no entry here. Functions throw c10::Error.
 */

#include <ATen/core/Tensor.h>

#include "tch/kernels/kernels.hpp"

namespace tch
{

struct cuda_module {
    size_t size_bytes; /* sizeof(cuda_module): both sides are of one build */
    void (*use)(int index);
    void (*synchronize)();
    uint64_t (*peak_bytes)();

    /* See tch/cuda/kernels.cuh. An undefined tensor where that takes NULL. */
    void (*dropout)(const at::Tensor &x, const at::Tensor &units, const dropout_key &key, at::Tensor &y);
    void (*norm_forward)(const at::Tensor &x, const at::Tensor &residual, const at::Tensor &units,
                         const dropout_key &key, const at::Tensor &w, const at::Tensor &b, double eps, at::Tensor &sum,
                         at::Tensor &stats, at::Tensor &y);
    void (*norm_backward)(const at::Tensor &dy, const at::Tensor &sum, const at::Tensor &stats, const at::Tensor &w,
                          const at::Tensor &units, const dropout_key &key, at::Tensor &dsum, at::Tensor &dx,
                          at::Tensor &dw, at::Tensor &db, bool add_w, bool add_b);
    void (*embed)(const at::Tensor &word, const at::Tensor &position, const at::Tensor &type, const at::Tensor &ids,
                  const at::Tensor &pos, const at::Tensor &types, at::Tensor &y);
    void (*embed_backward)(const at::Tensor &ids, const at::Tensor &dy, at::Tensor &grad);
};

/* The loaded module; an error when tch_cuda_load was not called. */
const cuda_module &the_cuda_module();

} /* namespace tch */

#endif
