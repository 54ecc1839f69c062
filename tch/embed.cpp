/* BERT's input: three table look-ups and their sum. */

#include "tch/cuda_ops.hpp"
#include "tch/graph.hpp"
#include "tch/parallel.hpp"

#include <ATen/ops/empty.h>

namespace
{

enum { ROWS_TOGETHER = 64, COLUMNS_TOGETHER = 64 };

/* An input of ids, checked against its table: int64 [N] in [0, rows). */
const int64_t *ids_of(const at::Tensor &ids, const tch_tensor *table, int64_t count, const char *what)
{
    TORCH_CHECK(ids.scalar_type() == at::kLong && ids.numel() == count, what, " needs ", count, " int64 ids");
    const int64_t *data = ids.const_data_ptr<int64_t>(), rows = table->value.size(0);
    for (int64_t i = 0; i < count; i++)
        TORCH_CHECK(data[i] >= 0 && data[i] < rows, what, " ", data[i], " of token ", i, " is outside the table of ",
                    rows, " rows");
    return data;
}

struct embed_node final : tch::node {
    at::Tensor ids[3]{};
    tch::sink tables[3]{};

    std::string name() const override
    {
        return "embed";
    }
    void release_variables() override
    {
        for (at::Tensor &t : ids)
            t.reset();
    }
    tch::variable_list apply(tch::variable_list &&grads) override
    {
        tch::variable_list result(3);
        if (!grads[0].defined())
            return result;
        TORCH_CHECK(ids[0].defined(), "the graph was already used by a backward pass");
        const at::Tensor dy = grads[0].contiguous();
        const int64_t count = dy.size(0), width = dy.size(1);
        const float *from = dy.const_data_ptr<float>();
        for (int t = 0; t < 3; t++) {
            if (!tables[t].wanted)
                continue;
            const int64_t *id = ids[t].const_data_ptr<int64_t>();
            at::Tensor grad = tables[t].open_rows(id, count);
            float *to = grad.mutable_data_ptr<float>();
            /* Split by columns, so that every sum runs in token order whatever the number of threads. */
            tch::ranges(width, COLUMNS_TOGETHER, [&](int64_t begin, int64_t end) {
                for (int64_t i = 0; i < count; i++)
                    for (int64_t c = begin; c < end; c++)
                        to[id[i] * width + c] += from[i * width + c];
            });
            result[static_cast<size_t>(t)] = tables[t].for_graph(grad);
        }
        return result;
    }
};

at::Tensor embed(const tch_tensor *word, const tch_tensor *position, const tch_tensor *type, const at::Tensor &ids,
                 const at::Tensor &pos, const at::Tensor &types)
{
    const int64_t count = ids.numel(), width = word->value.size(1);
    TORCH_CHECK(position->value.size(1) == width && type->value.size(1) == width,
                "the tables differ in width: ", word->value.sizes(), " ", position->value.sizes(), " ",
                type->value.sizes());
    if (word->value.is_cuda())
        return tch::on_cuda::embed(word, position, type, ids, pos, types);
    auto grad = std::make_shared<embed_node>();
    grad->ids[0] = ids.contiguous();
    grad->ids[1] = pos.contiguous();
    grad->ids[2] = types.contiguous();
    const int64_t *w_id = ids_of(grad->ids[0], word, count, "word id"),
                  *p_id = ids_of(grad->ids[1], position, count, "position"),
                  *t_id = ids_of(grad->ids[2], type, count, "token type");
    const at::Tensor w = word->value.detach().contiguous(), p = position->value.detach().contiguous(),
                     t = type->value.detach().contiguous();
    at::Tensor y = at::empty({count, width}, w.options());
    const float *w_data = w.const_data_ptr<float>(), *p_data = p.const_data_ptr<float>(),
                *t_data = t.const_data_ptr<float>();
    float *out = y.mutable_data_ptr<float>();
    tch::ranges(count, ROWS_TOGETHER, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++)
            for (int64_t c = 0; c < width; c++)
                out[i * width + c] =
                    w_data[w_id[i] * width + c] + p_data[p_id[i] * width + c] + t_data[t_id[i] * width + c];
    });
    const tch_tensor *tables[3] = {word, position, type};
    for (int i = 0; i < 3; i++)
        grad->tables[i] = tch::sink(tables[i]);
    if (tch::any_wanted({&grad->tables[0], &grad->tables[1], &grad->tables[2]}))
        tch::connect(y, grad, {&grad->tables[0], &grad->tables[1], &grad->tables[2]});
    return y;
}

} /* namespace */

extern "C" {

struct tch_tensor *tch_embed(struct tch_scope *s, struct tch_tensor *word, struct tch_tensor *position,
                             struct tch_tensor *type, struct tch_tensor *ids, struct tch_tensor *pos,
                             struct tch_tensor *types)
{
    return tch::operation(s, "tch_embed", {word, position, type, ids, pos, types},
                          [&] { return embed(word, position, type, ids->value, pos->value, types->value); });
}

} /* extern "C" */
