/* AdamW on CUDA: libtorch's fused kernel. Norm, clipping and the check for infinities stay on the device. */

#include "tch/adamw.hpp"

#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <map>

namespace tch
{

namespace
{

struct lists {
    std::vector<at::Tensor> params{}, grads{}, moments1{}, moments2{}, steps{};
};

} /* namespace */

double adamw_step_on_cuda(struct tch_adamw *opt, double lr, double max_norm, bool want_norm)
{
    std::map<double, lists> groups; /* by weight decay */
    std::vector<at::Tensor> grads;
    const at::TensorOptions options = opt->slots.at(0).param->value.options();
    if (!opt->device_steps.defined())
        opt->device_steps = at::zeros({}, options.requires_grad(false)).fill_(static_cast<double>(opt->steps));
    for (slot &s : opt->slots) {
        if (!s.has_gradient())
            continue;
        lists &l = groups[s.weight_decay];
        l.params.push_back(s.param->value.detach());
        l.grads.push_back(s.param->value.grad());
        l.moments1.push_back(s.moment1.value);
        l.moments2.push_back(s.moment2.value);
        l.steps.push_back(opt->device_steps);
        grads.push_back(s.param->value.grad());
    }
    if (grads.empty()) {
        opt->steps = tch_adamw_steps(opt) + 1;
        opt->device_steps.add_(1);
        return 0;
    }
    const at::Tensor norm = at::linalg_vector_norm(at::stack(at::_foreach_norm(grads, 2)), 2);
    const at::Tensor infinite = norm.isfinite().logical_not().to(at::kFloat);
    std::optional<at::Tensor> divisor;
    if (max_norm > 0)
        divisor = norm.add(1e-6).div(max_norm).clamp_min(1);
    opt->device_steps.add_(1).sub_(infinite);
    const struct tch_adamw_options &o = opt->options;
    for (auto &[weight_decay, l] : groups)
        at::_fused_adamw_(l.params, l.grads, l.moments1, l.moments2, {}, l.steps, lr, o.beta1, o.beta2, weight_decay,
                          o.eps, false, false, divisor, infinite);
    for (slot &s : opt->slots) {
        s.param->state->content = grad_state::EMPTY;
        s.param->state->low.reset();
    }
    opt->steps_on_device = true;
    return want_norm ? norm.item<double>() : 0;
}

} /* namespace tch */
