#ifndef RECO_TCH_GRAPH_HPP
#define RECO_TCH_GRAPH_HPP

/*
 * Operations with a derivative of our own: nodes of libtorch's autograd graph, and where they put parameter gradients.
 * Gradients of parameters do not travel through the graph: a node adds them to the parameter's buffer, which lives from
 * step to step and is overwritten, not zeroed, by the first node that writes it in a step.
 */

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include "tch/internal.hpp"

namespace tch
{

using torch::autograd::variable_list;

/* What the gradient buffer of a parameter holds. */
struct grad_state {
    enum content_kind {
        EMPTY, /* nothing: the memory's values are to be overwritten */
        ROWS,  /* zero except in the rows listed */
        DENSE
    };
    content_kind content = EMPTY;
    std::vector<int64_t> rows{}; /* ascending, distinct; with ROWS */
    at::Tensor low{};            /* CUDA: the parameter in a 16-bit compute type, of its version low_version */
    uint32_t low_version = 0;
};

/* An input that may get a gradient. */
struct sink {
    at::Tensor value{};
    std::shared_ptr<grad_state> state{}; /* of a parameter, else NULL */
    bool wanted = false;

    sink() = default;
    /* A weight: its gradient goes to the parameter's buffer. */
    explicit sink(const tch_tensor *t);
    /* An input whose gradient travels through the graph. */
    static sink through_graph(const tch_tensor *t);
    /* The memory for the gradient, like value; *accumulate: it holds something to add to. */
    at::Tensor open(bool *accumulate);
    /* For a table: zero except in the rows used so far; the rows given (any order, repeated) are added to the list. */
    at::Tensor open_rows(const int64_t *rows, int64_t count);
    /* What a node returns to the graph for this input, given what open returned: nothing for a parameter. */
    at::Tensor for_graph(at::Tensor gradient) const;
    torch::autograd::Edge edge() const;
};

struct node : torch::autograd::Node {
};

/* Makes y the output of the node, whose inputs are given in the order of what its apply returns. */
void connect(at::Tensor &y, const std::shared_ptr<node> &n, std::initializer_list<const sink *> inputs);

/* True when one of the inputs wants a gradient. */
bool any_wanted(std::initializer_list<const sink *> inputs);

/* Forgets the gradient; the memory stays. */
void clear_grad(at::Tensor &parameter, grad_state &state);

} /* namespace tch */

#endif
