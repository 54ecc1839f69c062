/* Operations whose derivative libtorch's autograd takes as it is. */

#include "tch/internal.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>

using tch::used;

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

} /* namespace */

extern "C" {

struct tch_tensor *tch_add(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b)
{
    return tch::operation(s, "tch_add", {a, b}, [&] { return at::add(used(a), used(b)); });
}

struct tch_tensor *tch_mul(struct tch_scope *s, struct tch_tensor *a, struct tch_tensor *b)
{
    return tch::operation(s, "tch_mul", {a, b}, [&] { return at::mul(used(a), used(b)); });
}

struct tch_tensor *tch_scale(struct tch_scope *s, struct tch_tensor *a, double factor)
{
    return tch::operation(s, "tch_scale", {a}, [&] { return at::mul(used(a), factor); });
}

struct tch_tensor *tch_sum(struct tch_scope *s, struct tch_tensor *a)
{
    return tch::operation(s, "tch_sum", {a}, [&] { return at::sum(used(a)); });
}

struct tch_tensor *tch_tanh(struct tch_scope *s, struct tch_tensor *a)
{
    return tch::operation(s, "tch_tanh", {a}, [&] { return at::tanh(used(a)); });
}

struct tch_tensor *tch_index_rows(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *rows)
{
    return tch::operation(s, "tch_index_rows", {x, rows}, [&] { return at::index_select(used(x), 0, rows->value); });
}

struct tch_tensor *tch_activation(struct tch_scope *s, struct tch_tensor *x, enum tch_act act)
{
    return tch::operation(s, "tch_activation", {x}, [&] { return activate(used(x), act); });
}

struct tch_tensor *tch_log_softmax(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_log_softmax", {x}, [&] { return at::log_softmax(used(x), -1, at::kFloat); });
}

struct tch_tensor *tch_softmax(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_softmax", {x}, [&] { return at::softmax(used(x), -1); });
}

struct tch_tensor *tch_sigmoid(struct tch_scope *s, struct tch_tensor *x)
{
    return tch::operation(s, "tch_sigmoid", {x}, [&] { return at::sigmoid(used(x)); });
}

} /* extern "C" */
