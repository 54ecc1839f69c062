/* Operations whose derivative libtorch's autograd takes as it is. */

#include "tch/internal.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>

namespace
{

at::Tensor activate(const at::Tensor &x, enum tch_act act)
{
    switch (act) {
    case TCH_ACT_GELU:
        return at::gelu(x);
    case TCH_ACT_GELU_TANH:
        return at::gelu(x, "tanh");
    case TCH_ACT_RELU:
        return at::relu(x);
    }
    TORCH_CHECK(false, "unknown activation ", static_cast<int>(act));
}

at::Tensor linear(const tch_tensor *x, const tch_tensor *w, const tch_tensor *b)
{
    return b ? at::linear(x->value, w->value, b->value) : at::linear(x->value, w->value);
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_add(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b)
{
    return tch::operation(s, "tch_add", {a, b}, [&] { return at::add(a->value, b->value); });
}

struct tch_tensor *tch_mul(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b)
{
    return tch::operation(s, "tch_mul", {a, b}, [&] { return at::mul(a->value, b->value); });
}

struct tch_tensor *tch_scale(struct tch_scope *s, struct tch_tensor *a, double factor)
{
    return tch::operation(s, "tch_scale", {a}, [&] { return at::mul(a->value, factor); });
}

struct tch_tensor *tch_sum(struct tch_scope *s, struct tch_tensor *a)
{
    return tch::operation(s, "tch_sum", {a}, [&] { return at::sum(a->value); });
}

struct tch_tensor *tch_tanh(struct tch_scope *s, struct tch_tensor *a)
{
    return tch::operation(s, "tch_tanh", {a}, [&] { return at::tanh(a->value); });
}

struct tch_tensor *tch_index_rows(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *rows)
{
    return tch::operation(s, "tch_index_rows", {x, rows}, [&] { return at::index_select(x->value, 0, rows->value); });
}

struct tch_tensor *tch_linear(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b)
{
    return tch::operation(s, "tch_linear", {x, w}, [&] { return linear(x, w, b); });
}

struct tch_tensor *tch_linear_act(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  enum tch_act act)
{
    return tch::operation(s, "tch_linear_act", {x, w}, [&] { return activate(linear(x, w, b), act); });
}

struct tch_tensor *tch_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  double eps)
{
    return tch::operation(s, "tch_layer_norm", {x, w, b}, [&] {
        return at::layer_norm(x->value, x->value.sizes().slice(x->value.dim() - 1), w->value, b->value, eps);
    });
}

struct tch_tensor *tch_activation(struct tch_scope *s, struct tch_tensor *x, enum tch_act act)
{
    return tch::operation(s, "tch_activation", {x}, [&] { return activate(x->value, act); });
}

struct tch_tensor *tch_log_softmax(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_log_softmax", {x}, [&] { return at::log_softmax(x->value, -1, at::kFloat); });
}

struct tch_tensor *tch_softmax(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_softmax", {x}, [&] { return at::softmax(x->value, -1); });
}

struct tch_tensor *tch_sigmoid(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_sigmoid", {x}, [&] { return at::sigmoid(x->value); });
}

} /* extern "C" */
