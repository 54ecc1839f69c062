/*
 * y = act(x w^T + b). On the CPU the product is cut into tiles that fit the second-level cache, so that bias and
 * activation find the tile there, and the same cut for every number of threads gives the same bits.
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

namespace
{

enum { TILE_ROWS = 160, TILE_COLUMNS = 256 };

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
    float *dx_data = dx.defined() ? dx.mutable_data_ptr<float>() : nullptr,
          *dw_data = dw.defined() ? dw.mutable_data_ptr<float>() : nullptr,
          *db_data = db.defined() ? db.mutable_data_ptr<float>() : nullptr;
    const tch::parts x_rows(n, TILE_ROWS, 8), x_columns(inner, TILE_COLUMNS, 16), w_rows(outer, TILE_COLUMNS, 16),
        w_columns(inner, TILE_COLUMNS, 16);
    const int64_t x_tiles = dx_data ? x_rows.count * x_columns.count : 0;
    const int64_t w_tiles = dw_data || db_data ? w_rows.count * w_columns.count : 0;
    tch::tasks(w_tiles + x_tiles, [&](int64_t task) {
        if (task < w_tiles) {
            const int64_t i = w_rows.begin(task / w_columns.count), rows = w_rows.length(task / w_columns.count);
            const int64_t j = w_columns.begin(task % w_columns.count),
                          columns = w_columns.length(task % w_columns.count);
            if (dw_data)
                tch::gemm(true, false, rows, columns, n, dy_data + i, outer, x_data + j, inner, add_w ? 1 : 0,
                          dw_data + i * inner + j, inner);
            if (db_data && j == 0)
                k.column_sums(n, rows, outer, dy_data + i, add_b, db_data + i);
        } else {
            const int64_t tile = task - w_tiles;
            const int64_t i = x_rows.begin(tile / x_columns.count), rows = x_rows.length(tile / x_columns.count);
            const int64_t j = x_columns.begin(tile % x_columns.count),
                          columns = x_columns.length(tile % x_columns.count);
            tch::gemm(false, false, rows, columns, outer, dy_data + i * outer, outer, w_data + j, inner, 0,
                      dx_data + i * inner + j, inner);
        }
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
    const tch::parts rows(n, TILE_ROWS, 8), columns(outer, TILE_COLUMNS, 16);
    tch::tasks(rows.count * columns.count, [&](int64_t task) {
        const int64_t i = rows.begin(task / columns.count), j = columns.begin(task % columns.count);
        const int64_t height = rows.length(task / columns.count), width = columns.length(task % columns.count),
                      at = i * outer + j;
        tch::gemm(false, true, height, width, inner, x_data + i * inner, inner, w_data + j * inner, inner, 0,
                  pre_data + at, outer);
        if (b_data || y_data)
            k.bias_act(height, width, outer, act, b_data ? b_data + j : nullptr, pre_data + at,
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
    const at::Tensor weight = tch::used(w).to(compute), bias = b ? tch::used(b).to(compute) : at::Tensor();
    return activate(at::linear(from.to(compute), weight, bias), act);
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
