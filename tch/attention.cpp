/* Packed self-attention on the CPU: one task a sequence and head. */

#include "tch/cuda_ops.hpp"
#include "tch/dropout.hpp"
#include "tch/graph.hpp"
#include "tch/parallel.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cmath>
#include <cstdlib>
#include <new>

namespace
{

/* Columns of a head in the dropout counter: the longest sequence that attention dropout takes. */
constexpr int64_t head_stride = 512;

/* A thread's working memory; grows, never shrinks, freed with the thread. */
float *scratch(int64_t floats)
{
    struct buffer {
        float *data = nullptr;
        int64_t size = 0;
        ~buffer()
        {
            std::free(data);
        }
    };
    static thread_local buffer mine;
    if (mine.size < floats) {
        std::free(mine.data);
        mine.size = 0;
        mine.data = static_cast<float *>(std::aligned_alloc(64, static_cast<size_t>((floats + 15) / 16 * 64)));
        if (mine.data)
            mine.size = floats;
    }
    return mine.data;
}

/* Where the parts of a batch lie; the lengths are copied, for the caller's may be gone before backward. */
struct layout {
    int64_t heads, width, hidden;
    std::vector<int64_t> start, length, p,
        mask; /* p, mask: first element of the sequence's [A, L, L] floats, [A, L, ..] bytes */
    int64_t p_total = 0, mask_total = 0, longest = 0;

    layout(const struct tch_seqlens *lens, int64_t head_count, int64_t hidden_size)
        : heads(head_count), width(hidden_size / head_count), hidden(hidden_size)
    {
        for (int32_t i = 0; i < lens->count; i++) {
            const int64_t n = lens->cu[i + 1] - lens->cu[i];
            TORCH_CHECK(n >= 0, "sequence ", i, " ends before it begins");
            start.push_back(lens->cu[i]);
            length.push_back(n);
            p.push_back(p_total);
            mask.push_back(mask_total);
            p_total += heads * n * n;
            mask_total += heads * n * tch::mask_bytes(n);
            longest = n > longest ? n : longest;
        }
    }
    int64_t tasks() const
    {
        return static_cast<int64_t>(start.size()) * heads;
    }
};

struct attention_node final : tch::node {
    at::Tensor qkv{}, p{}, mask{};
    std::unique_ptr<layout> at_{};
    float scale = 1, drop_scale = 1;

    std::string name() const override
    {
        return "attention";
    }
    void release_variables() override
    {
        qkv.reset();
        p.reset();
        mask.reset();
    }
    tch::variable_list apply(tch::variable_list &&grads) override
    {
        if (!grads[0].defined())
            return tch::variable_list(1);
        TORCH_CHECK(qkv.defined(), "the graph was already used by a backward pass");
        const tch::kernel_table &k = tch::kernels();
        const layout &l = *at_;
        const at::Tensor dout = grads[0].contiguous();
        at::Tensor dqkv = at::empty_like(qkv);
        const float *x = qkv.const_data_ptr<float>(), *dy = dout.const_data_ptr<float>(),
                    *p_data = p.const_data_ptr<float>();
        const uint8_t *bits = mask.defined() ? mask.const_data_ptr<uint8_t>() : nullptr;
        float *dx = dqkv.mutable_data_ptr<float>();
        tch::tasks(l.tasks(), [&](int64_t task) {
            const size_t q = static_cast<size_t>(task / l.heads);
            const int64_t a = task % l.heads, n = l.length[q], first = l.start[q] * 3 * l.hidden + a * l.width;
            if (n == 0)
                return;
            tch::attention_grad_args args = {};
            args.length = n;
            args.width = l.width;
            args.stride = 3 * l.hidden;
            args.out_stride = l.hidden;
            args.q = x + first;
            args.k = args.q + l.hidden;
            args.v = args.k + l.hidden;
            args.dout = dy + l.start[q] * l.hidden + a * l.width;
            args.p = p_data + l.p[q] + a * n * n;
            args.scale = scale;
            args.drop_scale = drop_scale;
            args.mask = bits ? bits + l.mask[q] + a * n * tch::mask_bytes(n) : nullptr;
            args.dq = dx + first;
            args.dk = args.dq + l.hidden;
            args.dv = args.dk + l.hidden;
            args.scratch = scratch(tch::attention_scratch(n, l.width));
            k.attention_backward(&args);
        });
        return {dqkv};
    }
};

at::Tensor attention(const struct tch_scope *s, const tch_tensor *t, const struct tch_seqlens *lens, int64_t heads,
                     const struct tch_dropout *d, uint32_t site)
{
    TORCH_CHECK(t->value.dim() == 2 && heads > 0 && t->value.size(1) % (3 * heads) == 0, "qkv ", t->value.sizes(),
                " does not split into ", heads, " heads");
    if (t->value.is_cuda())
        return tch::on_cuda::attention(s, t, lens, heads, d, site);
    const tch::kernel_table &k = tch::kernels();
    const tch::sink source = tch::sink::through_graph(t);
    const at::Tensor qkv = t->value.detach().contiguous();
    const int64_t rows = qkv.size(0), hidden = qkv.size(1) / 3;
    TORCH_CHECK(lens->count >= 0 && lens->cu[0] == 0 && lens->cu[lens->count] == rows,
                "the sequences do not cover the ", rows, " tokens");
    auto place = std::make_unique<layout>(lens, heads, hidden);
    TORCH_CHECK(!d || place->longest <= head_stride, "attention dropout takes sequences of at most ", head_stride,
                " tokens, not ", place->longest);
    const at::Tensor units = d ? tch::units_of(d, rows) : at::Tensor();
    const tch::dropout_key key = d ? tch::key_of(d, site) : tch::dropout_key();
    const float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(place->width)));
    at::Tensor y = at::empty({rows, hidden}, qkv.options()), p, mask;
    if (source.wanted)
        p = at::empty({place->p_total}, qkv.options());
    if (d)
        mask = at::empty({place->mask_total}, qkv.options().dtype(at::kByte));
    const float *x = qkv.const_data_ptr<float>();
    const int64_t *unit = d ? units.const_data_ptr<int64_t>() : nullptr;
    float *out = y.mutable_data_ptr<float>(), *p_data = p.defined() ? p.mutable_data_ptr<float>() : nullptr;
    uint8_t *bits = d ? mask.mutable_data_ptr<uint8_t>() : nullptr;
    const layout &l = *place;
    tch::tasks(l.tasks(), [&](int64_t task) {
        const size_t q = static_cast<size_t>(task / l.heads);
        const int64_t a = task % l.heads, n = l.length[q];
        if (n == 0)
            return;
        tch::attention_args args = {};
        args.length = n;
        args.width = l.width;
        args.stride = 3 * l.hidden;
        args.out_stride = l.hidden;
        args.q = x + l.start[q] * 3 * l.hidden + a * l.width;
        args.k = args.q + l.hidden;
        args.v = args.k + l.hidden;
        args.out = out + l.start[q] * l.hidden + a * l.width;
        args.scale = scale;
        args.p = p_data ? p_data + l.p[q] + a * n * n : nullptr;
        if (bits) {
            args.units = unit + l.start[q];
            args.key = &key;
            args.first_column = a * head_stride;
            args.mask = bits + l.mask[q] + a * n * tch::mask_bytes(n);
        }
        args.scratch = scratch(tch::attention_scratch(n, l.width));
        k.attention_forward(&args);
    });
    if (source.wanted) {
        auto grad = std::make_shared<attention_node>();
        grad->qkv = qkv;
        grad->p = p;
        grad->mask = mask;
        grad->at_ = std::move(place);
        grad->scale = scale;
        grad->drop_scale = key.scale;
        tch::connect(y, grad, {&source});
    }
    return y;
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_attention(struct tch_scope *s, struct tch_tensor *qkv, const struct tch_seqlens *lens, int heads,
                                 const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_attention", {qkv},
                          [&] { return attention(s, qkv, lens, heads, tch::drops(s, d) ? d : nullptr, site); });
}

} /* extern "C" */
