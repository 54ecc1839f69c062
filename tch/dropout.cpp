/* Counter-based dropout, and what is fused with it. */

#include "tch/internal.hpp"
#include "tch/philox.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/mul.h>
#include <ATen/Parallel.h>

namespace
{

bool is_identity(const struct tch_scope *s, const struct tch_dropout *d)
{
    return !d || d->p <= 0 || !s->options.grad;
}

/* The mask of x [N, C], already scaled by 1 / (1 - p). */
at::Tensor mask(const at::Tensor &x, const struct tch_dropout *d, uint32_t site)
{
    TORCH_CHECK(d->p < 1, "dropout needs p < 1, not ", d->p);
    int64_t columns = x.size(-1), rows = x.numel() / std::max<int64_t>(columns, 1);
    TORCH_CHECK(d->unit_ids && d->unit_ids->value.numel() == rows, "dropout needs one unit id a row");
    at::Tensor units = d->unit_ids->value.to(at::kCPU).contiguous();
    at::Tensor m = at::empty(x.sizes(), x.options().dtype(at::kFloat).device(at::kCPU));
    const int64_t *unit = units.const_data_ptr<int64_t>();
    float *out = m.mutable_data_ptr<float>();
    uint32_t threshold = tch::dropout_threshold(d->p);
    float scale = static_cast<float>(1 / (1 - d->p));
    at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++)
            for (int64_t c = 0; c < columns; c += 4) {
                tch::philox_block block =
                    tch::philox(static_cast<uint32_t>(c / 4), static_cast<uint32_t>(unit[r]), site, d->step, d->seed);
                for (int64_t i = 0; i < 4 && c + i < columns; i++)
                    out[r * columns + c + i] = block.lane[i] >= threshold ? scale : 0;
            }
    });
    return m.to(x.device());
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_dropout(struct tch_scope *s, struct tch_tensor *x, const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_dropout", {x},
                          [&] { return is_identity(s, d) ? x->value : at::mul(x->value, mask(x->value, d, site)); });
}

struct tch_tensor *tch_dropout_add_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *residual,
                                              struct tch_tensor *w, struct tch_tensor *b, double eps,
                                              const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_dropout_add_layer_norm", {x, residual, w, b}, [&] {
        at::Tensor dropped = is_identity(s, d) ? x->value : at::mul(x->value, mask(x->value, d, site));
        at::Tensor sum = at::add(residual->value, dropped);
        return at::layer_norm(sum, sum.sizes().slice(sum.dim() - 1), w->value, b->value, eps);
    });
}

struct tch_tensor *tch_embed(struct tch_scope *s, struct tch_tensor *word, struct tch_tensor *position,
                             struct tch_tensor *type, struct tch_tensor *ids, struct tch_tensor *pos,
                             struct tch_tensor *types)
{
    return tch::operation(s, "tch_embed", {word, position, type, ids, pos, types}, [&] {
        return at::embedding(word->value, ids->value)
            .add(at::embedding(position->value, pos->value))
            .add(at::embedding(type->value, types->value));
    });
}

} /* extern "C" */
