/* Counter-based dropout, and LayerNorm with dropout and residual in one pass. */

#include "tch/dropout.hpp"
#include "tch/cuda_ops.hpp"
#include "tch/graph.hpp"
#include "tch/parallel.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

namespace tch
{

bool drops(const struct tch_scope *s, const struct tch_dropout *d)
{
    if (!d || d->p <= 0 || !s->options.grad)
        return false;
    TORCH_CHECK(d->p < 1, "dropout needs p below 1, not ", d->p);
    return true;
}

dropout_key key_of(const struct tch_dropout *d, uint32_t site)
{
    return {d->seed, d->step, site, dropout_threshold(d->p), static_cast<float>(1 / (1 - d->p))};
}

at::Tensor units_of(const struct tch_dropout *d, int64_t rows)
{
    TORCH_CHECK(d->unit_ids && d->unit_ids->value.numel() == rows && d->unit_ids->value.scalar_type() == at::kLong,
                "dropout needs one int64 unit id for each of ", rows, " rows");
    return d->unit_ids->value.contiguous();
}

} /* namespace tch */

namespace
{

enum { ROWS_TOGETHER = 32 };

struct dropout_node final : tch::node {
    at::Tensor mask{};
    float scale = 1;
    tch::sink source{};

    std::string name() const override
    {
        return "dropout";
    }
    void release_variables() override
    {
        mask.reset();
    }
    tch::variable_list apply(tch::variable_list &&grads) override
    {
        if (!grads[0].defined())
            return tch::variable_list(1);
        TORCH_CHECK(mask.defined(), "the graph was already used by a backward pass");
        at::Tensor dy = grads[0].contiguous(), dx = at::empty_like(dy);
        apply_mask(dy, mask, scale, dx);
        return {dx};
    }

    static void apply_mask(const at::Tensor &x, const at::Tensor &mask, float scale, at::Tensor &y)
    {
        const tch::kernel_table &k = tch::kernels();
        const int64_t columns = x.size(-1), row_bytes = tch::mask_bytes(columns);
        const float *from = x.const_data_ptr<float>();
        float *to = y.mutable_data_ptr<float>();
        const uint8_t *bits = mask.const_data_ptr<uint8_t>();
        tch::ranges(mask.size(0), ROWS_TOGETHER, [&](int64_t begin, int64_t end) {
            for (int64_t r = begin; r < end; r++)
                k.mask_apply(columns, from + r * columns, bits + r * row_bytes, scale, to + r * columns);
        });
    }
};

at::Tensor dropout(const tch_tensor *t, const struct tch_dropout *d, uint32_t site)
{
    if (t->value.is_cuda())
        return tch::on_cuda::dropout(t, d, site);
    const tch::sink source = tch::sink::through_graph(t);
    at::Tensor x = t->value.detach().contiguous();
    const int64_t columns = x.size(-1), rows = columns ? x.numel() / columns : 0, row_bytes = tch::mask_bytes(columns);
    const at::Tensor units = tch::units_of(d, rows);
    const tch::dropout_key key = tch::key_of(d, site);
    at::Tensor mask = at::empty({rows, row_bytes}, x.options().dtype(at::kByte)), y = at::empty_like(x);
    const tch::kernel_table &k = tch::kernels();
    const int64_t *unit = units.const_data_ptr<int64_t>();
    uint8_t *bits = mask.mutable_data_ptr<uint8_t>();
    tch::ranges(rows, ROWS_TOGETHER, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++)
            k.mask_row(&key, static_cast<uint32_t>(unit[r]), 0, columns, bits + r * row_bytes);
    });
    dropout_node::apply_mask(x, mask, key.scale, y);
    if (source.wanted) {
        auto grad = std::make_shared<dropout_node>();
        grad->mask = mask;
        grad->scale = key.scale;
        tch::connect(y, grad, {&source});
    }
    return y;
}

struct norm_node final : tch::node {
    at::Tensor sum{}, stats{}, mask{}; /* [N, H] what was normalised; [2, N] mean and 1 / deviation */
    tch::sink x{}, residual{}, w{}, b{};
    float scale = 1;

    std::string name() const override
    {
        return "dropout_add_layer_norm";
    }
    void release_variables() override
    {
        sum.reset();
        stats.reset();
        mask.reset();
    }
    tch::variable_list apply(tch::variable_list &&grads) override;
};

tch::variable_list norm_node::apply(tch::variable_list &&grads)
{
    if (!grads[0].defined())
        return tch::variable_list(4);
    TORCH_CHECK(sum.defined(), "the graph was already used by a backward pass");
    const tch::kernel_table &k = tch::kernels();
    const at::Tensor dout = grads[0].contiguous(), weight = w.value.contiguous();
    const int64_t width = sum.size(-1), rows = stats.size(1), chunks = (rows + ROWS_TOGETHER - 1) / ROWS_TOGETHER;
    at::Tensor dsum = at::empty_like(sum), dx = mask.defined() && x.wanted ? at::empty_like(sum) : at::Tensor();
    at::Tensor partial = at::zeros({chunks, 2, width}, sum.options());
    const tch::norm_grad_args args = {width,
                                      dout.const_data_ptr<float>(),
                                      sum.const_data_ptr<float>(),
                                      weight.const_data_ptr<float>(),
                                      stats.const_data_ptr<float>(),
                                      stats.const_data_ptr<float>() + rows,
                                      mask.defined() ? mask.const_data_ptr<uint8_t>() : nullptr,
                                      scale,
                                      dsum.mutable_data_ptr<float>(),
                                      dx.defined() ? dx.mutable_data_ptr<float>() : nullptr};
    float *parts = partial.mutable_data_ptr<float>();
    tch::tasks(chunks, [&](int64_t i) {
        const int64_t end = (i + 1) * ROWS_TOGETHER;
        k.norm_backward(&args, i * ROWS_TOGETHER, end < rows ? end : rows, parts + 2 * i * width,
                        parts + (2 * i + 1) * width);
    });
    at::Tensor dw, db;
    bool accumulate = false;
    if (w.wanted) {
        dw = w.open(&accumulate);
        k.column_sums(chunks, width, 2 * width, parts, accumulate, dw.mutable_data_ptr<float>());
    }
    if (b.wanted) {
        db = b.open(&accumulate);
        k.column_sums(chunks, width, 2 * width, parts + width, accumulate, db.mutable_data_ptr<float>());
    }
    return {mask.defined() ? dx : dsum, residual.wanted ? dsum : at::Tensor(), w.for_graph(dw), b.for_graph(db)};
}

/* LayerNorm(residual + dropout(x)); residual and d may be NULL. */
at::Tensor norm(const tch_tensor *x, const tch_tensor *residual, const tch_tensor *w, const tch_tensor *b, double eps,
                const struct tch_dropout *d, uint32_t site)
{
    const at::Tensor from = x->value.detach().contiguous(),
                     skip = residual ? residual->value.detach().contiguous() : at::Tensor();
    const int64_t width = from.size(-1), rows = width ? from.numel() / width : 0;
    TORCH_CHECK(w->value.numel() == width && b->value.numel() == width, "x ", from.sizes(), " does not fit w ",
                w->value.sizes(), ", b ", b->value.sizes());
    TORCH_CHECK(!residual || skip.sizes() == from.sizes(), "x ", from.sizes(), " does not fit the residual ",
                residual ? skip.sizes() : at::IntArrayRef());
    if (from.is_cuda())
        return tch::on_cuda::norm(x, residual, w, b, eps, d, site);
    const tch::sink x_sink = tch::sink::through_graph(x), residual_sink = tch::sink::through_graph(residual), w_sink(w),
                    b_sink(b);
    const bool graph = tch::any_wanted({&x_sink, &residual_sink, &w_sink, &b_sink});
    const tch::dropout_key key = d ? tch::key_of(d, site) : tch::dropout_key();
    const at::Tensor units = d ? tch::units_of(d, rows) : at::Tensor();
    at::Tensor y = at::empty_like(from), sum, stats, mask;
    const at::Tensor weight = w->value.detach().contiguous(), bias = b->value.detach().contiguous();
    if (d)
        mask = at::empty({rows, tch::mask_bytes(width)}, from.options().dtype(at::kByte));
    if (graph) {
        stats = at::empty({2, rows}, from.options());
        sum = d || residual ? at::empty_like(from) : from;
    }
    const tch::norm_args args = {width,
                                 from.const_data_ptr<float>(),
                                 residual ? skip.const_data_ptr<float>() : nullptr,
                                 d ? units.const_data_ptr<int64_t>() : nullptr,
                                 d ? &key : nullptr,
                                 d ? mask.mutable_data_ptr<uint8_t>() : nullptr,
                                 weight.const_data_ptr<float>(),
                                 bias.const_data_ptr<float>(),
                                 static_cast<float>(eps),
                                 graph && (d || residual) ? sum.mutable_data_ptr<float>() : nullptr,
                                 y.mutable_data_ptr<float>(),
                                 graph ? stats.mutable_data_ptr<float>() : nullptr,
                                 graph ? stats.mutable_data_ptr<float>() + rows : nullptr};
    const tch::kernel_table &k = tch::kernels();
    tch::ranges(rows, ROWS_TOGETHER, [&](int64_t begin, int64_t end) { k.norm_forward(&args, begin, end); });
    if (graph) {
        auto grad = std::make_shared<norm_node>();
        grad->sum = sum;
        grad->stats = stats;
        grad->mask = mask;
        grad->x = x_sink;
        grad->residual = residual_sink;
        grad->w = w_sink;
        grad->b = b_sink;
        grad->scale = key.scale;
        tch::connect(y, grad, {&grad->x, &grad->residual, &grad->w, &grad->b});
        grad->x.value.reset();
        grad->residual.value.reset();
    }
    return y;
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_dropout(struct tch_scope *s, struct tch_tensor *x, const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_dropout", {x}, [&] { return tch::drops(s, d) ? dropout(x, d, site) : tch::used(x); });
}

struct tch_tensor *tch_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *w, struct tch_tensor *b,
                                  double eps)
{
    return tch::operation(s, "tch_layer_norm", {x, w, b}, [&] { return norm(x, nullptr, w, b, eps, nullptr, 0); });
}

struct tch_tensor *tch_dropout_add_layer_norm(struct tch_scope *s, struct tch_tensor *x, struct tch_tensor *residual,
                                              struct tch_tensor *w, struct tch_tensor *b, double eps,
                                              const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_dropout_add_layer_norm", {x, residual, w, b},
                          [&] { return norm(x, residual, w, b, eps, tch::drops(s, d) ? d : nullptr, site); });
}

} /* extern "C" */
