/* AdamW over a list of parameters. */

#include "tch/internal.hpp"

#include <ATen/ops/zeros_like.h>

#include <cmath>

struct tch_adamw {
    std::vector<struct tch_tensor *> params{};
    std::vector<double> weight_decay{};
    std::vector<tch_tensor> moment1{}, moment2{};
    struct tch_adamw_options options {
    };
    int64_t steps = 0;
};

extern "C" {

int tch_adamw_new(struct tch_adamw **out, struct tch_tensor *const *params, const double *weight_decay, size_t count,
                  const struct tch_adamw_options *options)
{
    *out = nullptr;
    return tch::guard("tch_adamw_new", [&] {
        c10::AutoGradMode no_grad(false);
        auto opt = std::make_unique<tch_adamw>();
        opt->options = *options;
        opt->params.assign(params, params + count);
        opt->weight_decay.assign(weight_decay, weight_decay + count);
        opt->moment1.resize(count);
        opt->moment2.resize(count);
        for (size_t i = 0; i < count; i++) {
            TORCH_CHECK(params[i], "parameter ", i, " is missing");
            opt->moment1[i].value = at::zeros_like(params[i]->value);
            opt->moment2[i].value = at::zeros_like(params[i]->value);
        }
        *out = opt.release();
    });
}

void tch_adamw_free(struct tch_adamw *opt)
{
    delete opt;
}

int tch_adamw_step(struct tch_adamw *opt, double lr, double max_norm, double *grad_norm)
{
    return tch::guard("tch_adamw_step", [&] {
        c10::AutoGradMode no_grad(false);
        double sum = 0;
        for (tch_tensor *p : opt->params)
            if (p->value.grad().defined())
                sum += p->value.grad().to(at::kDouble).square().sum().item<double>();
        double norm = std::sqrt(sum);
        if (grad_norm)
            *grad_norm = norm;
        bool finite = std::isfinite(norm);
        double scale = max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
        const struct tch_adamw_options &o = opt->options;
        if (finite)
            opt->steps++;
        double correction1 = 1 - std::pow(o.beta1, static_cast<double>(opt->steps));
        double correction2 = 1 - std::pow(o.beta2, static_cast<double>(opt->steps));
        for (size_t i = 0; i < opt->params.size(); i++) {
            at::Tensor &p = opt->params[i]->value, g = p.grad();
            if (!g.defined())
                continue;
            if (finite) {
                at::Tensor &m = opt->moment1[i].value, &v = opt->moment2[i].value;
                g.mul_(scale);
                p.mul_(1 - lr * opt->weight_decay[i]);
                m.lerp_(g, 1 - o.beta1);
                v.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
                p.addcdiv_(m, v.sqrt().div_(std::sqrt(correction2)).add_(o.eps), -lr / correction1);
            }
            g.zero_();
        }
    });
}

int64_t tch_adamw_steps(const struct tch_adamw *opt)
{
    return opt->steps;
}

void tch_adamw_set_steps(struct tch_adamw *opt, int64_t steps)
{
    opt->steps = steps;
}

struct tch_tensor *tch_adamw_moment1(struct tch_adamw *opt, size_t i)
{
    return i < opt->moment1.size() ? &opt->moment1[i] : nullptr;
}

struct tch_tensor *tch_adamw_moment2(struct tch_adamw *opt, size_t i)
{
    return i < opt->moment2.size() ? &opt->moment2[i] : nullptr;
}

} /* extern "C" */
