/*
 * Operations on CUDA tensors: what goes through libtorch's dispatcher is called here, kernels of our own through the
 * module. With a 16-bit compute type, linear maps and attention run in it and LayerNorm, residuals and losses in
 * float32.
 */

#include "tch/cuda_ops.hpp"

#include "tch/cuda_module.hpp"
#include "tch/dropout.hpp"
#include "tch/graph.hpp"

#include <ATen/Context.h>
#include <ATen/ops/_efficient_attention_forward.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/gelu_backward.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>

#include <cmath>

namespace tch
{
namespace on_cuda
{

namespace
{

/* A weight in the compute type; the copy of a parameter is made once a step. */
at::Tensor in_compute_type(const tch_tensor *t, at::ScalarType type)
{
    const at::Tensor value = t->value.detach();
    if (value.scalar_type() == type)
        return value;
    if (!t->state)
        return value.to(type);
    grad_state &state = *t->state;
    if (!state.low.defined() || state.low.scalar_type() != type || state.low_version != t->value._version()) {
        state.low = value.to(type);
        state.low_version = t->value._version();
    }
    return state.low;
}

struct linear_node final : node {
    at::Tensor x{}, matrix{}, pre{};
    sink source{}, w{}, b{};
    int act = ACT_NONE;

    std::string name() const override
    {
        return "linear";
    }
    void release_variables() override
    {
        x.reset();
        matrix.reset();
        pre.reset();
    }
    variable_list apply(variable_list &&grads) override
    {
        if (!grads[0].defined())
            return variable_list(3);
        TORCH_CHECK(x.defined(), "the graph was already used by a backward pass");
        at::Tensor dy = grads[0].contiguous(), dx, dw, db;
        if (act == ACT_GELU)
            dy = at::gelu_backward(dy, pre);
        else if (act == ACT_GELU_TANH)
            dy = at::gelu_backward(dy, pre, "tanh");
        else if (act == ACT_RELU)
            dy = at::threshold_backward(dy, pre, 0);
        bool accumulate = false;
        if (source.wanted)
            dx = at::mm(dy, matrix);
        if (w.wanted) {
            dw = w.open(&accumulate);
            const bool same = dw.scalar_type() == dy.scalar_type();
            if (same && accumulate)
                at::addmm_out(dw, dw, dy.t(), x);
            else if (same)
                at::mm_out(dw, dy.t(), x);
            else if (accumulate)
                dw.add_(at::mm(dy.t(), x, dw.scalar_type()));
            else
                at::mm_out(dw, dy.t(), x, dw.scalar_type());
        }
        if (b.wanted) {
            db = b.open(&accumulate);
            if (accumulate)
                db.add_(at::sum(dy, {0}, false, db.scalar_type()));
            else
                at::sum_out(db, dy, {0}, false, db.scalar_type());
        }
        return {dx, w.for_graph(dw), b.for_graph(db)};
    }
};

struct dropout_node final : node {
    at::Tensor units{};
    dropout_key key{};

    std::string name() const override
    {
        return "dropout";
    }
    variable_list apply(variable_list &&grads) override
    {
        if (!grads[0].defined())
            return variable_list(1);
        const at::Tensor dy = grads[0].contiguous();
        at::Tensor dx = at::empty_like(dy);
        the_cuda_module().dropout(dy, units, key, dx);
        return {dx};
    }
};

struct norm_node final : node {
    at::Tensor sum{}, stats{}, units{}, weight{};
    dropout_key key{};
    sink x{}, residual{}, w{}, b{};
    at::ScalarType x_type = at::kFloat;

    std::string name() const override
    {
        return "dropout_add_layer_norm";
    }
    void release_variables() override
    {
        sum.reset();
        stats.reset();
    }
    variable_list apply(variable_list &&grads) override
    {
        if (!grads[0].defined())
            return variable_list(4);
        TORCH_CHECK(sum.defined(), "the graph was already used by a backward pass");
        const at::Tensor dy = grads[0].contiguous();
        const bool apart = units.defined() || x_type != at::kFloat; /* the gradient of x is not that of the sum */
        at::Tensor dsum = at::empty_like(sum), dx, dw, db;
        if (apart && x.wanted)
            dx = at::empty(sum.sizes(), sum.options().dtype(x_type));
        bool add_w = false, add_b = false;
        if (w.wanted)
            dw = w.open(&add_w);
        if (b.wanted)
            db = b.open(&add_b);
        the_cuda_module().norm_backward(dy, sum, stats, weight, units, key, dsum, dx, dw, db, add_w, add_b);
        return {apart ? dx : dsum, residual.wanted ? dsum : at::Tensor(), w.for_graph(dw), b.for_graph(db)};
    }
};

struct embed_node final : node {
    at::Tensor ids[3]{};
    sink tables[3]{};

    std::string name() const override
    {
        return "embed";
    }
    void release_variables() override
    {
        for (at::Tensor &t : ids)
            t.reset();
    }
    variable_list apply(variable_list &&grads) override
    {
        variable_list result(3);
        if (!grads[0].defined())
            return result;
        TORCH_CHECK(ids[0].defined(), "the graph was already used by a backward pass");
        const at::Tensor dy = grads[0].contiguous();
        for (int t = 0; t < 3; t++) {
            if (!tables[t].wanted)
                continue;
            bool accumulate = false;
            at::Tensor grad = tables[t].open(&accumulate);
            if (!accumulate)
                grad.zero_();
            the_cuda_module().embed_backward(ids[t], dy, grad);
            result[static_cast<size_t>(t)] = tables[t].for_graph(grad);
        }
        return result;
    }
};

/* One number from the three that name a mask.     Source: the finaliser of splitmix64, Steele et al. 2014. */
uint64_t mixed(uint64_t seed, uint32_t step, uint32_t site)
{
    uint64_t z = seed + 0x9E3779B97F4A7C15u * ((static_cast<uint64_t>(step) << 32 | site) + 1);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* For the shapes that the fused kernels do not take. */
at::Tensor attention_by_parts(const at::Tensor &q, const at::Tensor &k, const at::Tensor &v,
                              const struct tch_seqlens *lens, double p, double scale)
{
    std::vector<at::Tensor> parts;
    for (int32_t i = 0; i < lens->count; i++) {
        const int64_t start = lens->cu[i], length = lens->cu[i + 1] - start;
        auto part = [&](const at::Tensor &t) { return t.narrow(0, start, length).transpose(0, 1); };
        at::Tensor weights = at::softmax(part(q).matmul(part(k).transpose(1, 2)).mul(scale), -1);
        if (p > 0)
            weights = at::dropout(weights, p, true);
        parts.push_back(weights.matmul(part(v)).transpose(0, 1));
    }
    return at::cat(parts);
}

} /* namespace */

at::Tensor linear(const struct tch_scope *s, const tch_tensor *x, const tch_tensor *w, const tch_tensor *b, int act)
{
    const at::ScalarType type = scalar_type(s->options.compute);
    tch_tensor input;
    input.value = used(x);
    const int64_t inner = input.value.size(-1), outer = w->value.size(0);
    std::vector<int64_t> shape(input.value.sizes().begin(), input.value.sizes().end());
    shape.back() = outer;
    if (input.value.dim() != 2)
        input.value = input.value.reshape({-1, inner});
    const sink source = sink::through_graph(&input), weight(w), bias(b);
    const bool graph = any_wanted({&source, &weight, &bias});
    at::Tensor from, matrix, pre, y;
    {
        c10::AutoGradMode no_grad(false);
        from = input.value.detach().to(type).contiguous();
        matrix = in_compute_type(w, type);
        pre = b ? at::addmm(in_compute_type(b, type), from, matrix.t()) : at::mm(from, matrix.t());
        y = act == ACT_GELU        ? at::gelu(pre)
            : act == ACT_GELU_TANH ? at::gelu(pre, "tanh")
            : act == ACT_RELU      ? at::relu(pre)
                                   : pre;
    }
    if (graph) {
        auto grad = std::make_shared<linear_node>();
        grad->x = from;
        grad->matrix = matrix;
        if (act != ACT_NONE)
            grad->pre = pre;
        grad->source = source;
        grad->w = weight;
        grad->b = bias;
        grad->act = act;
        connect(y, grad, {&grad->source, &grad->w, &grad->b});
        grad->source.value.reset();
    }
    return shape.size() == 2 ? y : y.view(shape);
}

at::Tensor dropout(const tch_tensor *x, const struct tch_dropout *d, uint32_t site)
{
    const sink source = sink::through_graph(x);
    const at::Tensor from = x->value.detach().contiguous();
    const int64_t rows = from.numel() / std::max<int64_t>(from.size(-1), 1);
    auto grad = std::make_shared<dropout_node>();
    grad->units = units_of(d, rows);
    grad->key = key_of(d, site);
    at::Tensor y = at::empty_like(from);
    the_cuda_module().dropout(from, grad->units, grad->key, y);
    if (source.wanted)
        connect(y, grad, {&source});
    return y;
}

at::Tensor norm(const tch_tensor *x, const tch_tensor *residual, const tch_tensor *w, const tch_tensor *b, double eps,
                const struct tch_dropout *d, uint32_t site)
{
    auto grad = std::make_shared<norm_node>();
    grad->x = sink::through_graph(x);
    grad->residual = sink::through_graph(residual);
    grad->w = sink(w);
    grad->b = sink(b);
    const bool graph = any_wanted({&grad->x, &grad->residual, &grad->w, &grad->b});
    const at::Tensor from = x->value.detach().contiguous(),
                     skip = residual ? residual->value.detach().to(at::kFloat).contiguous() : at::Tensor();
    const int64_t rows = from.numel() / std::max<int64_t>(from.size(-1), 1);
    grad->x_type = from.scalar_type();
    grad->weight = w->value.detach().contiguous();
    if (d) {
        grad->units = units_of(d, rows);
        grad->key = key_of(d, site);
    }
    const at::TensorOptions options = from.options().dtype(at::kFloat);
    at::Tensor y = at::empty(from.sizes(), options), sum, stats;
    if (graph) {
        sum = at::empty(from.sizes(), options);
        stats = at::empty({2, rows}, options);
    }
    the_cuda_module().norm_forward(from, skip, grad->units, grad->key, grad->weight, b->value.detach().contiguous(),
                                   eps, sum, stats, y);
    if (graph) {
        grad->sum = sum;
        grad->stats = stats;
        connect(y, grad, {&grad->x, &grad->residual, &grad->w, &grad->b});
        grad->x.value.reset();
        grad->residual.value.reset();
    }
    return y;
}

at::Tensor embed(const tch_tensor *word, const tch_tensor *position, const tch_tensor *type, const at::Tensor &ids,
                 const at::Tensor &pos, const at::Tensor &types)
{
    auto grad = std::make_shared<embed_node>();
    const tch_tensor *tables[3] = {word, position, type};
    const at::Tensor *indices[3] = {&ids, &pos, &types};
    for (int i = 0; i < 3; i++) {
        TORCH_CHECK(indices[i]->scalar_type() == at::kLong && indices[i]->numel() == ids.numel(),
                    "the ids differ in number or are not int64");
        grad->tables[i] = sink(tables[i]);
        grad->ids[i] = indices[i]->contiguous();
    }
    at::Tensor y = at::empty({ids.numel(), word->value.size(1)}, word->value.options());
    the_cuda_module().embed(word->value.detach(), position->value.detach(), type->value.detach(), grad->ids[0],
                            grad->ids[1], grad->ids[2], y);
    if (any_wanted({&grad->tables[0], &grad->tables[1], &grad->tables[2]}))
        connect(y, grad, {&grad->tables[0], &grad->tables[1], &grad->tables[2]});
    return y;
}

at::Tensor attention(const struct tch_scope *s, const tch_tensor *qkv, const struct tch_seqlens *lens, int64_t heads,
                     const struct tch_dropout *d, uint32_t site)
{
    const at::Tensor x = used(qkv).to(scalar_type(s->options.compute));
    const int64_t rows = x.size(0), hidden = x.size(1) / 3, width = hidden / heads;
    TORCH_CHECK(lens->cu_tensor && lens->cu_tensor->value.is_cuda(),
                "attention on CUDA needs the sequences' ends on the device");
    const double p = d ? d->p : 0, scale = 1 / std::sqrt(static_cast<double>(width));
    if (d) {
        at::Generator generator = at::globalContext().defaultGenerator(x.device());
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(mixed(d->seed, d->step, site));
    }
    const std::vector<at::Tensor> split = x.view({rows, 3, heads, width}).unbind(1);
    const at::Tensor &ends = lens->cu_tensor->value;
    const int64_t longest = lens->max_length;
    at::Tensor y;
    if (x.scalar_type() != at::kFloat && width % 8 == 0 && width <= 256)
        y = std::get<0>(at::_flash_attention_forward(split[0], split[1], split[2], ends, ends, longest, longest, p,
                                                     false, false, scale));
    else if (width % 8 == 0)
        y = std::get<0>(at::_efficient_attention_forward(split[0].unsqueeze(0), split[1].unsqueeze(0),
                                                         split[2].unsqueeze(0), {}, ends, ends, longest, longest, p, 0,
                                                         x.requires_grad() && c10::GradMode::is_enabled(), scale));
    else
        y = attention_by_parts(split[0], split[1], split[2], lens, p, scale);
    return y.reshape({rows, hidden});
}

} /* namespace on_cuda */
} /* namespace tch */
