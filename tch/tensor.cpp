/* Tensors: making them, and moving data in and out. */

#include "tch/graph.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <cstring>

namespace tch
{

at::ScalarType scalar_type(enum tch_dtype dtype)
{
    switch (dtype) {
    case TCH_FLOAT32:
        return at::kFloat;
    case TCH_FLOAT64:
        return at::kDouble;
    case TCH_BFLOAT16:
        return at::kBFloat16;
    case TCH_FLOAT16:
        return at::kHalf;
    case TCH_INT32:
        return at::kInt;
    case TCH_INT64:
        return at::kLong;
    case TCH_UINT8:
        return at::kByte;
    }
    TORCH_CHECK(false, "unknown element type ", static_cast<int>(dtype));
}

at::Device device_of(const struct tch_device &device)
{
    return device.cuda ? at::Device(at::kCUDA, static_cast<c10::DeviceIndex>(device.index)) : at::Device(at::kCPU);
}

} /* namespace tch */

namespace
{

/* A view of host memory; nothing is copied. */
at::Tensor host_view(const void *data, enum tch_dtype dtype, at::IntArrayRef shape)
{
    return at::from_blob(const_cast<void *>(data), shape, at::TensorOptions().dtype(tch::scalar_type(dtype)));
}

void check_size(const at::Tensor &t, enum tch_dtype dtype, size_t size_bytes)
{
    size_t need = static_cast<size_t>(t.numel()) * tch_dtype_bytes(dtype);
    TORCH_CHECK(size_bytes == need, "the buffer has ", size_bytes, " bytes, the tensor ", need);
}

} /* namespace */

extern "C" {

size_t tch_dtype_bytes(enum tch_dtype dtype)
{
    switch (dtype) {
    case TCH_FLOAT64:
    case TCH_INT64:
        return 8;
    case TCH_FLOAT32:
    case TCH_INT32:
        return 4;
    case TCH_BFLOAT16:
    case TCH_FLOAT16:
        return 2;
    case TCH_UINT8:
        return 1;
    }
    return 0;
}

int tch_dims(const struct tch_tensor *t)
{
    return t ? static_cast<int>(t->value.dim()) : -1;
}

int64_t tch_size(const struct tch_tensor *t, int dim)
{
    if (!t)
        return -1;
    int64_t dims = t->value.dim();
    int64_t d = dim < 0 ? dims + dim : dim;
    return d < 0 || d >= dims ? -1 : t->value.size(d);
}

int64_t tch_numel(const struct tch_tensor *t)
{
    return t ? t->value.numel() : 0;
}

enum tch_dtype tch_dtype_of(const struct tch_tensor *t)
{
    switch (t ? t->value.scalar_type() : at::kFloat) {
    case at::kDouble:
        return TCH_FLOAT64;
    case at::kBFloat16:
        return TCH_BFLOAT16;
    case at::kHalf:
        return TCH_FLOAT16;
    case at::kInt:
        return TCH_INT32;
    case at::kLong:
        return TCH_INT64;
    case at::kByte:
        return TCH_UINT8;
    default:
        return TCH_FLOAT32;
    }
}

struct tch_tensor *tch_from_data(struct tch_scope *s, const void *data, enum tch_dtype dtype, const int64_t *shape,
                                 int dims)
{
    return tch::operation(s, "tch_from_data", {}, [&] {
        at::Tensor view = host_view(data, dtype, at::IntArrayRef(shape, static_cast<size_t>(dims)));
        at::Tensor t = at::empty(view.sizes(), view.options().device(tch::device_of(s->options.device)));
        if (t.is_cuda()) { /* through pinned memory, which is reused when the copy is done: the host does not wait */
            at::Tensor pinned = at::empty(view.sizes(), view.options().pinned_memory(true));
            pinned.copy_(view);
            t.copy_(pinned, /*non_blocking=*/true);
        } else {
            t.copy_(view);
        }
        return t;
    });
}

struct tch_tensor *tch_zeros(struct tch_scope *s, enum tch_dtype dtype, const int64_t *shape, int dims)
{
    return tch::operation(s, "tch_zeros", {}, [&] {
        return at::zeros(at::IntArrayRef(shape, static_cast<size_t>(dims)),
                         at::TensorOptions().dtype(tch::scalar_type(dtype)).device(tch::device_of(s->options.device)));
    });
}

int tch_copy_out(const struct tch_tensor *t, enum tch_dtype dtype, void *data, size_t size_bytes)
{
    return tch::guard("tch_copy_out", [&] {
        TORCH_CHECK(t, "an input is missing");
        check_size(t->value, dtype, size_bytes);
        c10::AutoGradMode no_grad(false);
        host_view(data, dtype, t->value.sizes()).copy_(t->value);
    });
}

int tch_copy_in(struct tch_tensor *t, enum tch_dtype dtype, const void *data, size_t size_bytes)
{
    return tch::guard("tch_copy_in", [&] {
        TORCH_CHECK(t, "an input is missing");
        check_size(t->value, dtype, size_bytes);
        c10::AutoGradMode no_grad(false);
        t->value.copy_(host_view(data, dtype, t->value.sizes()));
    });
}

struct tch_tensor *tch_to_dtype(struct tch_scope *s, struct tch_tensor *t, enum tch_dtype dtype)
{
    return tch::operation(s, "tch_to_dtype", {t}, [&] { return tch::used(t).to(tch::scalar_type(dtype)); });
}

void tch_accumulate(struct tch_scope *s, struct tch_tensor *total, struct tch_tensor *x)
{
    if (!s || s->status != TCH_OK)
        return;
    int status = tch::guard("tch_accumulate", [&] {
        TORCH_CHECK(total && x, "an input is missing");
        c10::AutoGradMode no_grad(false);
        total->value.add_(x->value.detach());
    });
    if (status != TCH_OK)
        tch_scope_fail(s, status, tch_last_error());
}

int tch_parameter_new(struct tch_tensor **out, const float *data, const int64_t *shape, int dims,
                      struct tch_device device)
{
    *out = nullptr;
    return tch::guard("tch_parameter_new", [&] {
        c10::AutoGradMode no_grad(false);
        at::Tensor view = host_view(data, TCH_FLOAT32, at::IntArrayRef(shape, static_cast<size_t>(dims)));
        auto t = std::make_unique<tch_tensor>();
        t->value = at::empty(view.sizes(), view.options().device(tch::device_of(device)));
        t->value.copy_(view);
        t->value.set_requires_grad(true);
        t->state = std::make_shared<tch::grad_state>();
        *out = t.release();
    });
}

void tch_parameter_set_trainable(struct tch_tensor *p, bool trainable)
{
    if (p)
        p->value.set_requires_grad(trainable);
}

struct tch_tensor *tch_parameter_grad(struct tch_tensor *p)
{
    if (!p || !p->value.grad().defined())
        return nullptr;
    int status = tch::guard("tch_parameter_grad", [&] {
        if (!p->grad)
            p->grad = std::make_unique<tch_tensor>();
        p->grad->value = p->value.grad();
        if (p->state && p->state->content == tch::grad_state::EMPTY) {
            c10::AutoGradMode no_grad(false);
            p->grad->value.zero_();
        }
    });
    return status == TCH_OK ? p->grad.get() : nullptr;
}

void tch_parameter_zero_grad(struct tch_tensor *p)
{
    if (p && p->state)
        tch::clear_grad(p->value, *p->state);
}

} /* extern "C" */
