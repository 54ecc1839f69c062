/*
 * y = act(x w^T + b). On the CPU the product is cut into tiles that fit the second-level cache, where bias and
 * activation find them; the cut is the same for every number of threads, and so are the bits.
 */

#include "tch/cuda_ops.hpp"
#include "tch/gemm.hpp"
#include "tch/graph.hpp"
#include "tch/kernels/kernels.hpp"
#include "tch/parallel.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/relu.h>

#include <algorithm>

namespace
{

enum { SUM_COLUMNS = 64 };

struct linear_node final : tch::node {
    at::Tensor x{}, pre{}; /* [N, I]; [N, O] before the activation */
    tch::sink source{}, w{}, b{};
    int act = tch::ACT_NONE;

    std::string name() const override
    {
        return "linear";
    }
    void release_variables() override
    {
        x.reset();
        pre.reset();
    }
    tch::variable_list apply(tch::variable_list &&grads) override;
};

tch::variable_list linear_node::apply(tch::variable_list &&grads)
{
    const tch::kernel_table &k = tch::kernels();
    if (!grads[0].defined())
        return tch::variable_list(3);
    TORCH_CHECK(x.defined(), "the graph was already used by a backward pass");
    at::Tensor dy = grads[0].to(at::kFloat).contiguous();
    const int64_t n = x.size(0), inner = x.size(1), outer = w.value.size(0);
    if (act != tch::ACT_NONE) {
        at::Tensor dpre = at::empty_like(dy);
        const float *z = pre.const_data_ptr<float>(), *from = dy.const_data_ptr<float>();
        float *to = dpre.mutable_data_ptr<float>();
        tch::ranges(n * outer, 16384, [&](int64_t begin, int64_t end) {
            k.act_backward(end - begin, act, z + begin, from + begin, to + begin);
        });
        dy = dpre;
    }
    at::Tensor dx, dw, db;
    bool add_w = false, add_b = false;
    if (source.wanted)
        dx = at::empty_like(x);
    if (w.wanted)
        dw = w.open(&add_w);
    if (b.wanted)
        db = b.open(&add_b);
    const at::Tensor weight = w.value.contiguous();
    const float *dy_data = dy.const_data_ptr<float>(), *x_data = x.const_data_ptr<float>(),
                *w_data = weight.const_data_ptr<float>();
    /* dx = dy w and dw (+)= dy^T x together: two waits for all threads, not four. */
    tch::product to_x, to_w;
    if (dx.defined())
        to_x = tch::product(n, inner, outer, {dy_data, outer, false}, {w_data, inner, false},
                            dx.mutable_data_ptr<float>(), false);
    if (dw.defined())
        to_w = tch::product(outer, inner, n, {dy_data, outer, true}, {x_data, inner, false},
                            dw.mutable_data_ptr<float>(), add_w);
    float *db_data = db.defined() ? db.mutable_data_ptr<float>() : nullptr;
    const int64_t sums = db_data ? (outer + SUM_COLUMNS - 1) / SUM_COLUMNS : 0;
    tch::tasks(to_w.packs() + to_x.packs() + sums, [&](int64_t task) {
        if (task < to_w.packs()) {
            to_w.pack(task);
        } else if (task < to_w.packs() + to_x.packs()) {
            to_x.pack(task - to_w.packs());
        } else {
            const int64_t i = (task - to_w.packs() - to_x.packs()) * SUM_COLUMNS;
            k.column_sums(n, std::min<int64_t>(SUM_COLUMNS, outer - i), outer, dy_data + i, add_b, db_data + i);
        }
    });
    tch::tasks(to_w.tasks() + to_x.tasks(), [&](int64_t task) {
        if (task < to_w.tasks())
            to_w.run(task);
        else
            to_x.run(task - to_w.tasks());
    });
    return {dx, w.for_graph(dw), b.for_graph(db)};
}

/* x [N, I] float32 on the CPU. */
at::Tensor linear_on_cpu(const at::Tensor &x, const tch_tensor *w, const tch_tensor *b, int act)
{
    const tch::kernel_table &k = tch::kernels();
    tch_tensor input;
    input.value = x;
    const tch::sink source = tch::sink::through_graph(&input), weight(w), bias(b);
    const bool graph = tch::any_wanted({&source, &weight, &bias});
    const int64_t n = x.size(0), inner = x.size(1), outer = w->value.size(0);
    const at::Tensor from = x.detach().contiguous(), matrix = w->value.detach().contiguous();
    at::Tensor pre = at::empty({n, outer}, from.options()), y = pre;
    if (act != tch::ACT_NONE)
        y = at::empty({n, outer}, from.options());
    const float *x_data = from.const_data_ptr<float>(), *w_data = matrix.const_data_ptr<float>(),
                *b_data = b ? b->value.const_data_ptr<float>() : nullptr;
    float *pre_data = pre.mutable_data_ptr<float>(),
          *y_data = act != tch::ACT_NONE ? y.mutable_data_ptr<float>() : nullptr;
    const tch::product to_y(n, outer, inner, {x_data, inner, false}, {w_data, inner, true}, pre_data, false);
    tch::tasks(to_y.packs(), [&](int64_t task) { to_y.pack(task); });
    tch::tasks(to_y.tasks(), [&](int64_t task) {
        const tch::product::tile tile = to_y.run(task);
        const int64_t at = tile.row * outer + tile.column;
        if (b_data || y_data)
            k.bias_act(tile.rows, tile.columns, outer, act, b_data ? b_data + tile.column : nullptr, pre_data + at,
                       y_data ? y_data + at : nullptr);
    });
    if (graph) {
        auto grad = std::make_shared<linear_node>();
        grad->x = from;
        if (act != tch::ACT_NONE)
            grad->pre = pre;
        grad->source = source;
        grad->w = weight;
        grad->b = bias;
        grad->act = act;
        tch::connect(y, grad, {&grad->source, &grad->w, &grad->b});
        grad->source.value.reset();
    }
    return y;
}

at::Tensor activate(const at::Tensor &x, int act)
{
    switch (act) {
    case tch::ACT_GELU:
        return at::gelu(x);
    case tch::ACT_GELU_TANH:
        return at::gelu(x, "tanh");
    case tch::ACT_RELU:
        return at::relu(x);
    default:
        return x;
    }
}

at::Tensor linear(const struct tch_scope *s, const tch_tensor *x, const tch_tensor *w, const tch_tensor *b, int act)
{
    const at::Tensor &from = tch::used(x);
    TORCH_CHECK(from.dim() >= 1 && w->value.dim() == 2 && from.size(-1) == w->value.size(1), "x ", from.sizes(),
                " does not fit w ", w->value.sizes());
    TORCH_CHECK(!b || (b->value.dim() == 1 && b->value.size(0) == w->value.size(0)), "b ",
                b ? b->value.sizes() : at::IntArrayRef(), " does not fit w ", w->value.sizes());
    if (from.is_cuda())
        return tch::on_cuda::linear(s, x, w, b, act);
    const at::ScalarType compute = tch::scalar_type(s->options.compute);
    if (from.is_cpu() && compute == at::kFloat && from.scalar_type() == at::kFloat &&
        w->value.scalar_type() == at::kFloat) {
        if (from.dim() == 2)
            return linear_on_cpu(from, w, b, act);
        std::vector<int64_t> shape(from.sizes().begin(), from.sizes().end());
        shape.back() = w->value.size(0);
        return linear_on_cpu(from.reshape({-1, from.size(-1)}), w, b, act).view(shape);
    }
    /* 16 bits on the CPU: libtorch's own, for the products alone. */
    const at::Tensor weight = tch::used(w).to(compute), bias = b ? tch::used(b).to(compute) : at::Tensor();
    return activate(at::linear(from.to(compute), weight, bias).to(at::kFloat), act);
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_linear(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b)
{
    return tch::operation(s, "tch_linear", {x, w}, [&] { return linear(s, x, w, b, tch::ACT_NONE); });
}

struct tch_tensor *tch_linear_act(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  enum tch_act act)
{
    return tch::operation(s, "tch_linear_act", {x, w}, [&] { return linear(s, x, w, b, static_cast<int>(act)); });
}

} /* extern "C" */
