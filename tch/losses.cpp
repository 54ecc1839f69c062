/* Losses and the backward pass. */

#include "tch/internal.hpp"

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mse_loss.h>

namespace
{

/* [B, 1] or [B] as [B]. */
at::Tensor column(const at::Tensor &x)
{
    return x.to(at::kFloat).reshape({-1});
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_cross_entropy(struct tch_scope *s, struct tch_tensor *logits, struct tch_tensor *label,
                                     struct tch_tensor *w, double denominator)
{
    return tch::operation(s, "tch_cross_entropy", {logits, label, w}, [&] {
        at::Tensor log_p =
            at::log_softmax(tch::used(logits), -1, at::kFloat).gather(1, label->value.unsqueeze(1)).squeeze(1);
        return log_p.mul(w->value).sum().div(-denominator);
    });
}

struct tch_tensor *tch_mse(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *y, struct tch_tensor *w,
                           double denominator)
{
    return tch::operation(s, "tch_mse", {x, y, w}, [&] {
        return at::mse_loss(column(tch::used(x)), y->value, at::Reduction::None).mul(w->value).sum().div(denominator);
    });
}

struct tch_tensor *tch_bce_logits(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *y, struct tch_tensor *w,
                                  double denominator)
{
    return tch::operation(s, "tch_bce_logits", {x, y, w}, [&] {
        return at::binary_cross_entropy_with_logits(column(tch::used(x)), y->value, {}, {}, at::Reduction::None)
            .mul(w->value)
            .sum()
            .div(denominator);
    });
}

void tch_backward(struct tch_scope *s, struct tch_tensor *loss)
{
    if (!s || s->status != TCH_OK)
        return;
    if (!loss) {
        tch_scope_fail(s, TCH_E_MODEL, "tch_backward: an input is missing");
        return;
    }
    try {
        loss->value.backward();
    } catch (...) {
        s->status = tch::describe_exception("tch_backward", s->error, sizeof s->error);
    }
}

} /* extern "C" */
