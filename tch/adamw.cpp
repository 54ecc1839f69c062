/*
 * AdamW over a list of parameters, with the gradients' norm. The work is a list of pieces of fixed size, so that the
 * sum of squares has a fixed order for every number of threads.
 *
 * Tables of which a step uses few rows (word embeddings) get the same update as torch's dense one, with less work:
 * gradients of unused rows are known to be zero and are neither read nor cleared, and a row that never had a gradient
 * has zero moments, so that its update is the weight decay alone.
 */

#include "tch/adamw.hpp"
#include "tch/kernels/kernels.hpp"
#include "tch/parallel.hpp"

#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <cstring>

namespace tch
{

bool slot::has_gradient() const
{
    const grad_state &state = *param->state;
    return param->value.grad().defined() &&
           (state.content == grad_state::DENSE || (state.content == grad_state::ROWS && !state.rows.empty()));
}

void slot::find_active()
{
    const uint32_t now1 = moment1.value._version(), now2 = moment2.value._version();
    const int64_t count = param->value.size(0), width = row_width();
    if (active.empty() || version1 != now1 || version2 != now2) {
        active.assign(static_cast<size_t>(count), 0);
        const float *m = moment1.value.const_data_ptr<float>(), *v = moment2.value.const_data_ptr<float>();
        ranges(count, 256, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; r++)
                for (int64_t c = 0; c < width && !active[static_cast<size_t>(r)]; c++)
                    active[static_cast<size_t>(r)] = m[r * width + c] != 0 || v[r * width + c] != 0;
        });
        version1 = now1;
        version2 = now2;
    }
}

} /* namespace tch */

namespace
{

using tch::piece;
using tch::slot;

enum { PIECE_ELEMENTS = 32768 };

/* Sum of squares of all gradients. */
double norm_of(struct tch_adamw *opt)
{
    const tch::kernel_table &k = tch::kernels();
    opt->pieces.clear();
    for (slot &s : opt->slots) {
        if (!s.has_gradient())
            continue;
        const bool rows = s.by_rows();
        const int64_t count = rows ? static_cast<int64_t>(s.param->state->rows.size()) : s.param->value.numel();
        const int64_t size =
            rows ? std::max<int64_t>(PIECE_ELEMENTS / s.row_width(), 1) : static_cast<int64_t>(PIECE_ELEMENTS);
        for (int64_t i = 0; i < count; i += size)
            opt->pieces.push_back({&s, i, std::min(i + size, count), rows});
    }
    opt->sums.assign(opt->pieces.size(), 0);
    tch::tasks(static_cast<int64_t>(opt->pieces.size()), [&](int64_t i) {
        const piece &p = opt->pieces[static_cast<size_t>(i)];
        const float *g = p.at->param->value.grad().const_data_ptr<float>();
        double &sum = opt->sums[static_cast<size_t>(i)];
        if (!p.rows) {
            sum = k.sum_squares(p.end - p.begin, g + p.begin);
            return;
        }
        const int64_t width = p.at->row_width();
        for (int64_t r = p.begin; r < p.end; r++)
            sum += k.sum_squares(width, g + p.at->param->state->rows[static_cast<size_t>(r)] * width);
    });
    double total = 0;
    for (double sum : opt->sums)
        total += sum;
    return std::sqrt(total);
}

/* Rows [begin, end) of a table. Clears the gradient of each while it is in the cache. */
void update_rows(const piece &p, const tch::adamw_args &args, float *value, float *g, float *m, float *v)
{
    const tch::kernel_table &k = tch::kernels();
    const std::vector<int64_t> &used = p.at->param->state->rows;
    const int64_t width = p.at->row_width();
    const float keep = static_cast<float>(1 - args.lr * args.weight_decay);
    auto next = std::lower_bound(used.begin(), used.end(), p.begin);
    for (int64_t r = p.begin; r < p.end; r++) {
        const int64_t at = r * width;
        const bool has_grad = next != used.end() && *next == r;
        uint8_t &active = p.at->active[static_cast<size_t>(r)];
        if (has_grad) {
            ++next;
            active = 1;
            k.adamw(width, &args, value + at, g + at, m + at, v + at);
            std::memset(g + at, 0, static_cast<size_t>(width) * sizeof *g);
        } else if (active) {
            k.adamw(width, &args, value + at, nullptr, m + at, v + at);
        } else if (keep != 1) {
            k.scale(width, keep, value + at);
        }
    }
}

void update(struct tch_adamw *opt, double lr, double grad_scale)
{
    const tch::kernel_table &k = tch::kernels();
    const struct tch_adamw_options &o = opt->options;
    const double correction1 = 1 - std::pow(o.beta1, static_cast<double>(opt->steps));
    const double correction2 = 1 - std::pow(o.beta2, static_cast<double>(opt->steps));
    opt->pieces.clear();
    for (slot &s : opt->slots) {
        if (!s.has_gradient())
            continue;
        const bool rows = s.by_rows();
        if (rows)
            s.find_active();
        else
            s.active.clear();
        const int64_t count = rows ? s.param->value.size(0) : s.param->value.numel();
        const int64_t size =
            rows ? std::max<int64_t>(PIECE_ELEMENTS / s.row_width(), 1) : static_cast<int64_t>(PIECE_ELEMENTS);
        for (int64_t i = 0; i < count; i += size)
            opt->pieces.push_back({&s, i, std::min(i + size, count), rows});
    }
    tch::tasks(static_cast<int64_t>(opt->pieces.size()), [&](int64_t i) {
        const piece &p = opt->pieces[static_cast<size_t>(i)];
        const tch::adamw_args args = {
            lr, o.beta1, o.beta2, o.eps, p.at->weight_decay, correction1, correction2, static_cast<float>(grad_scale)};
        float *value = static_cast<float *>(p.at->param->value.data_ptr()),
              *g = static_cast<float *>(p.at->param->value.grad().data_ptr()),
              *m = static_cast<float *>(p.at->moment1.value.data_ptr()),
              *v = static_cast<float *>(p.at->moment2.value.data_ptr());
        if (p.rows)
            update_rows(p, args, value, g, m, v);
        else
            k.adamw(p.end - p.begin, &args, value + p.begin, g + p.begin, m + p.begin, v + p.begin);
    });
    for (slot &s : opt->slots)
        if (s.by_rows())
            s.param->state->rows.clear();
        else
            s.param->state->content = tch::grad_state::EMPTY;
}

} /* namespace */

extern "C" {

int tch_adamw_new(struct tch_adamw **out, struct tch_tensor *const *params, const double *weight_decay, size_t count,
                  const struct tch_adamw_options *options)
{
    *out = nullptr;
    return tch::guard("tch_adamw_new", [&] {
        c10::AutoGradMode no_grad(false);
        auto opt = std::make_unique<tch_adamw>();
        opt->options = *options;
        opt->slots.resize(count);
        for (size_t i = 0; i < count; i++) {
            slot &s = opt->slots[i];
            TORCH_CHECK(params[i] && params[i]->state, "entry ", i, " is not a parameter");
            s.param = params[i];
            s.weight_decay = weight_decay[i];
            s.moment1.value = at::zeros_like(params[i]->value);
            s.moment2.value = at::zeros_like(params[i]->value);
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
        if (!opt->slots.empty() && opt->slots[0].param->value.is_cuda()) {
            const double norm_on_device = tch::adamw_step_on_cuda(opt, lr, max_norm, grad_norm != nullptr);
            if (grad_norm)
                *grad_norm = norm_on_device;
            return;
        }
        const double norm = norm_of(opt);
        if (grad_norm)
            *grad_norm = norm;
        if (std::isfinite(norm)) {
            opt->steps++;
            update(opt, lr, max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1);
        } else {
            for (slot &s : opt->slots)
                tch::clear_grad(s.param->value, *s.param->state);
        }
    });
}

int64_t tch_adamw_steps(const struct tch_adamw *opt)
{
    int64_t steps = opt->steps;
    if (opt->steps_on_device)
        (void)tch::guard("tch_adamw_steps", [&] { steps = static_cast<int64_t>(opt->device_steps.item<double>()); });
    return steps;
}

void tch_adamw_set_steps(struct tch_adamw *opt, int64_t steps)
{
    opt->steps = steps;
    opt->steps_on_device = false;
    opt->device_steps.reset();
}

struct tch_tensor *tch_adamw_moment1(struct tch_adamw *opt, size_t i)
{
    return i < opt->slots.size() ? &opt->slots[i].moment1 : nullptr;
}

struct tch_tensor *tch_adamw_moment2(struct tch_adamw *opt, size_t i)
{
    return i < opt->slots.size() ? &opt->slots[i].moment2 : nullptr;
}

} /* extern "C" */
