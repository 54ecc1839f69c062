/* libreco_tch_cuda.so: tensors to pointers and streams, and the allocator's figures. */

#include "tch/cuda_module.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sort.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "tch/cuda/kernels.cuh"

namespace
{

using namespace tch;

cuda::element element_of(const at::Tensor &t)
{
    switch (t.scalar_type()) {
    case at::kFloat:
        return cuda::ELEMENT_FLOAT32;
    case at::kBFloat16:
        return cuda::ELEMENT_BFLOAT16;
    default:
        TORCH_CHECK(false, "unexpected element type ", t.scalar_type());
    }
}

template <typename T> T *data(at::Tensor &t)
{
    return t.defined() ? t.mutable_data_ptr<T>() : nullptr;
}

template <typename T> const T *data(const at::Tensor &t)
{
    return t.defined() ? t.const_data_ptr<T>() : nullptr;
}

cudaStream_t stream_of(const at::Tensor &t)
{
    return c10::cuda::getCurrentCUDAStream(t.device().index());
}

void use(int index)
{
    c10::cuda::set_device(static_cast<c10::DeviceIndex>(index));
}

void synchronize()
{
    c10::cuda::device_synchronize();
}

uint64_t peak_bytes()
{
    using c10::CachingAllocator::StatType;
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(c10::cuda::current_device());
    return static_cast<uint64_t>(stats.allocated_bytes[static_cast<size_t>(StatType::AGGREGATE)].peak);
}

void dropout(const at::Tensor &x, const at::Tensor &units, const dropout_key &key, at::Tensor &y)
{
    c10::cuda::CUDAGuard guard(x.device());
    cuda::dropout(element_of(x), units.numel(), x.size(-1), x.const_data_ptr(), data<int64_t>(units), key,
                  y.mutable_data_ptr(), stream_of(x));
    C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void norm_forward(const at::Tensor &x, const at::Tensor &residual, const at::Tensor &units, const dropout_key &key,
                  const at::Tensor &w, const at::Tensor &b, double eps, at::Tensor &sum, at::Tensor &stats,
                  at::Tensor &y)
{
    c10::cuda::CUDAGuard guard(x.device());
    const int64_t width = x.size(-1), rows = x.numel() / width;
    TORCH_CHECK(width <= 1024, "LayerNorm on CUDA takes at most 1024 columns, not ", width);
    float *mean = data<float>(stats);
    cuda::norm_forward({rows, width, element_of(x), x.const_data_ptr(), data<float>(residual), data<int64_t>(units),
                        key, data<float>(w), data<float>(b), static_cast<float>(eps), data<float>(sum), mean,
                        mean ? mean + rows : nullptr, data<float>(y)},
                       stream_of(x));
    C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void norm_backward(const at::Tensor &dy, const at::Tensor &sum, const at::Tensor &stats, const at::Tensor &w,
                   const at::Tensor &units, const dropout_key &key, at::Tensor &dsum, at::Tensor &dx, at::Tensor &dw,
                   at::Tensor &db, bool add_w, bool add_b)
{
    c10::cuda::CUDAGuard guard(dy.device());
    const int64_t width = sum.size(-1), rows = stats.size(1);
    at::Tensor partial = at::empty({cuda::norm_partials(rows), 2, width}, sum.options());
    const float *mean = data<float>(stats);
    cuda::norm_backward({rows, width, dx.defined() ? element_of(dx) : cuda::ELEMENT_FLOAT32, data<float>(dy),
                         data<float>(sum), mean, mean + rows, data<float>(w), data<int64_t>(units), key,
                         data<float>(dsum), dx.defined() ? dx.mutable_data_ptr() : nullptr, data<float>(partial),
                         data<float>(dw), data<float>(db), add_w, add_b},
                        stream_of(dy));
    C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void embed(const at::Tensor &word, const at::Tensor &position, const at::Tensor &type, const at::Tensor &ids,
           const at::Tensor &pos, const at::Tensor &types, at::Tensor &y)
{
    c10::cuda::CUDAGuard guard(y.device());
    cuda::embed(ids.numel(), y.size(1), data<float>(word), data<float>(position), data<float>(type), data<int64_t>(ids),
                data<int64_t>(pos), data<int64_t>(types), data<float>(y), stream_of(y));
    C10_CUDA_KERNEL_LAUNCH_CHECK();
}

void embed_backward(const at::Tensor &ids, const at::Tensor &dy, at::Tensor &grad)
{
    c10::cuda::CUDAGuard guard(dy.device());
    if (grad.size(0) <= 16) { /* few rows with many tokens each: a product with the tokens' one-hot rows */
        const at::Tensor rows = at::arange(grad.size(0), ids.options()).unsqueeze(1);
        grad.addmm_(rows.eq(ids.unsqueeze(0)).to(grad.scalar_type()), dy);
        return;
    }
    const auto [sorted, order] = at::sort(ids, /*stable=*/true, /*dim=*/0, /*descending=*/false);
    cuda::embed_backward(ids.numel(), grad.size(1), data<int64_t>(sorted), data<int64_t>(order), data<float>(dy),
                         data<float>(grad), stream_of(dy));
    C10_CUDA_KERNEL_LAUNCH_CHECK();
}

const cuda_module table = {sizeof(cuda_module), use,           synchronize, peak_bytes,    dropout,
                           norm_forward,        norm_backward, embed,       embed_backward};

} /* namespace */

extern "C" __attribute__((visibility("default"))) const void *reco_tch_cuda_module()
{
    return &table;
}
