/* Nodes of the autograd graph and the gradients of parameters. */

#include "tch/graph.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cstring>

namespace tch
{

sink::sink(const tch_tensor *t) : value(t ? t->value : at::Tensor()), state(t ? t->state : nullptr)
{
    wanted = value.defined() && value.requires_grad() && c10::GradMode::is_enabled();
}

sink sink::through_graph(const tch_tensor *t)
{
    sink result;
    if (t) {
        result.value = used(t);
        result.wanted = result.value.requires_grad() && c10::GradMode::is_enabled();
    }
    return result;
}

at::Tensor sink::open(bool *accumulate)
{
    if (!state) {
        *accumulate = false;
        return at::empty_like(value, at::MemoryFormat::Contiguous);
    }
    at::Tensor &grad = value.mutable_grad();
    *accumulate = grad.defined() && state->content != grad_state::EMPTY;
    if (!grad.defined())
        grad = at::empty_like(value, at::MemoryFormat::Contiguous);
    state->content = grad_state::DENSE;
    state->rows.clear();
    return grad;
}

at::Tensor sink::open_rows(const int64_t *rows, int64_t count)
{
    if (!state)
        return at::zeros_like(value, at::MemoryFormat::Contiguous);
    at::Tensor &grad = value.mutable_grad();
    if (!grad.defined()) {
        grad = at::zeros_like(value, at::MemoryFormat::Contiguous);
        state->content = grad_state::ROWS;
    } else if (state->content == grad_state::EMPTY) {
        grad.zero_();
        state->content = grad_state::ROWS;
    }
    if (state->content == grad_state::ROWS) {
        std::vector<int64_t> &list = state->rows;
        list.insert(list.end(), rows, rows + count);
        std::sort(list.begin(), list.end());
        list.erase(std::unique(list.begin(), list.end()), list.end());
    }
    return grad;
}

at::Tensor sink::for_graph(at::Tensor gradient) const
{
    return state ? at::Tensor() : std::move(gradient);
}

torch::autograd::Edge sink::edge() const
{
    return wanted && !state ? torch::autograd::impl::gradient_edge(value) : torch::autograd::Edge();
}

bool any_wanted(std::initializer_list<const sink *> inputs)
{
    return std::any_of(inputs.begin(), inputs.end(), [](const sink *s) { return s->wanted; });
}

void connect(at::Tensor &y, const std::shared_ptr<node> &n, std::initializer_list<const sink *> inputs)
{
    torch::autograd::edge_list edges;
    for (const sink *input : inputs)
        edges.push_back(input->edge());
    n->set_next_edges(std::move(edges));
    torch::autograd::create_gradient_edge(y, n);
}

const at::Tensor &used(const tch_tensor *t)
{
    if (t->state && t->value.requires_grad() && c10::GradMode::is_enabled()) {
        const at::Tensor &grad = t->value.grad();
        if (grad.defined() && t->state->content == grad_state::EMPTY) {
            c10::AutoGradMode no_grad(false);
            at::Tensor(grad).zero_();
        }
        t->state->content = grad_state::DENSE;
        t->state->rows.clear();
    }
    return t->value;
}

void clear_grad(at::Tensor &parameter, grad_state &state)
{
    at::Tensor &grad = parameter.mutable_grad();
    if (grad.defined() && state.content == grad_state::ROWS) {
        for (int64_t row : state.rows)
            grad.select(0, row).zero_();
        state.rows.clear();
    } else {
        state.content = grad_state::EMPTY;
    }
}

} /* namespace tch */
