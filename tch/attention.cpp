/* Packed self-attention: sequences lie one after another, nothing is padded. */

#include "tch/internal.hpp"
#include "tch/philox.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/Parallel.h>

#include <cmath>

namespace
{

/* Columns of a head in the dropout counter. */
constexpr int64_t head_stride = 512;

/* Mask [A, L, L] of one sequence. */
at::Tensor probability_mask(const int64_t *unit, int64_t length, int64_t heads, const struct tch_dropout *d,
                            uint32_t site)
{
    at::Tensor m = at::empty({heads, length, length}, at::TensorOptions().dtype(at::kFloat));
    float *out = m.mutable_data_ptr<float>();
    uint32_t threshold = tch::dropout_threshold(d->p);
    float scale = static_cast<float>(1 / (1 - d->p));
    at::parallel_for(0, heads, 1, [&](int64_t begin, int64_t end) {
        for (int64_t a = begin; a < end; a++)
            for (int64_t i = 0; i < length; i++)
                for (int64_t j = 0; j < length; j += 4) {
                    tch::philox_block block = tch::philox(static_cast<uint32_t>((a * head_stride + j) / 4),
                                                          static_cast<uint32_t>(unit[i]), site, d->step, d->seed);
                    for (int64_t k = 0; k < 4 && j + k < length; k++)
                        out[(a * length + i) * length + j + k] = block.lane[k] >= threshold ? scale : 0;
                }
    });
    return m;
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_attention(struct tch_scope *s, struct tch_tensor *qkv, const struct tch_seqlens *lens, int heads,
                                 const struct tch_dropout *d, uint32_t site)
{
    return tch::operation(s, "tch_attention", {qkv}, [&] {
        int64_t hidden = qkv->value.size(1) / 3, width = hidden / heads;
        bool drop = d && d->p > 0 && s->options.grad;
        TORCH_CHECK(!drop || lens->max_length <= head_stride, "attention dropout takes sequences of at most ",
                    head_stride, " tokens");
        at::Tensor units;
        if (drop)
            units = d->unit_ids->value.to(at::kCPU).contiguous();
        std::vector<at::Tensor> parts;
        for (int32_t i = 0; i < lens->count; i++) {
            int64_t start = lens->cu[i], length = lens->cu[i + 1] - start;
            at::Tensor split =
                qkv->value.narrow(0, start, length).reshape({length, 3, heads, width}).permute({1, 2, 0, 3});
            at::Tensor p = at::softmax(
                split[0].matmul(split[1].transpose(1, 2)).mul(1 / std::sqrt(static_cast<double>(width))), -1);
            if (drop)
                p = p.mul(
                    probability_mask(units.const_data_ptr<int64_t>() + start, length, heads, d, site).to(p.device()));
            parts.push_back(p.matmul(split[2]).permute({1, 0, 2}).reshape({length, hidden}));
        }
        return at::cat(parts);
    });
}

} /* extern "C" */
