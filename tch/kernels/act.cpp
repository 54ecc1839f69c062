/* Bias, activations and column sums. */

#include "tch/kernels/parts.hpp"

namespace tch
{
namespace TCH_ISA
{

static inline vf value_of(int act, vf x)
{
    switch (act) {
    case ACT_GELU:
        return 0.5F * x * (1.0F + erf(x * 0.70710678118654752F));
    case ACT_GELU_TANH:
        return 0.5F * x * (1.0F + tanh(0.79788456080286536F * (x + 0.044715F * x * x * x)));
    case ACT_RELU:
        return max(x, vf{});
    default:
        return x;
    }
}

static inline vf slope_of(int act, vf x)
{
    switch (act) {
    case ACT_GELU:
        return 0.5F * (1.0F + erf(x * 0.70710678118654752F)) + x * 0.39894228040143268F * exp(-0.5F * x * x);
    case ACT_GELU_TANH: {
        vf t = tanh(0.79788456080286536F * (x + 0.044715F * x * x * x));
        return 0.5F * (1.0F + t) + 0.5F * x * (1.0F - t * t) * 0.79788456080286536F * (1.0F + 0.134145F * x * x);
    }
    case ACT_RELU:
        return select(x > vf{}, splat(1), vf{});
    default:
        return splat(1);
    }
}

template <int ACT>
static void bias_act_of(int64_t rows, int64_t columns, int64_t stride, const float *b, float *pre, float *out)
{
    for (int64_t r = 0; r < rows; r++) {
        float *x = pre + r * stride, *y = out ? out + r * stride : nullptr;
        int64_t c = 0;
        for (; c + W <= columns; c += W) {
            vf value = load(x + c);
            if (b) {
                value += load(b + c);
                store(x + c, value);
            }
            if (y)
                store(y + c, value_of(ACT, value));
        }
        if (c < columns) {
            vf value = load_part(x + c, columns - c);
            if (b) {
                value += load_part(b + c, columns - c);
                store_part(x + c, value, columns - c);
            }
            if (y)
                store_part(y + c, value_of(ACT, value), columns - c);
        }
    }
}

void bias_act(int64_t rows, int64_t columns, int64_t stride, int act, const float *b, float *pre, float *out)
{
    switch (act) {
    case ACT_GELU:
        return bias_act_of<ACT_GELU>(rows, columns, stride, b, pre, out);
    case ACT_GELU_TANH:
        return bias_act_of<ACT_GELU_TANH>(rows, columns, stride, b, pre, out);
    case ACT_RELU:
        return bias_act_of<ACT_RELU>(rows, columns, stride, b, pre, out);
    default:
        return bias_act_of<ACT_NONE>(rows, columns, stride, b, pre, out);
    }
}

template <int ACT> static void act_backward_of(int64_t count, const float *pre, const float *dout, float *dpre)
{
    int64_t i = 0;
    for (; i + W <= count; i += W)
        store(dpre + i, load(dout + i) * slope_of(ACT, load(pre + i)));
    if (i < count)
        store_part(dpre + i, load_part(dout + i, count - i) * slope_of(ACT, load_part(pre + i, count - i)), count - i);
}

void act_backward(int64_t count, int act, const float *pre, const float *dout, float *dpre)
{
    switch (act) {
    case ACT_GELU:
        return act_backward_of<ACT_GELU>(count, pre, dout, dpre);
    case ACT_GELU_TANH:
        return act_backward_of<ACT_GELU_TANH>(count, pre, dout, dpre);
    default:
        return act_backward_of<ACT_RELU>(count, pre, dout, dpre);
    }
}

void column_sums(int64_t rows, int64_t columns, int64_t stride, const float *x, bool accumulate, float *out)
{
    enum { PANEL = 4 };
    int64_t c = 0;
    for (; c + PANEL * W <= columns; c += PANEL * W) {
        vf total[PANEL] = {};
        for (int64_t r = 0; r < rows; r++)
            for (int i = 0; i < PANEL; i++)
                total[i] += load(x + r * stride + c + i * W);
        for (int i = 0; i < PANEL; i++)
            store(out + c + i * W, accumulate ? load(out + c + i * W) + total[i] : total[i]);
    }
    for (; c < columns; c++) {
        float total = 0;
        for (int64_t r = 0; r < rows; r++)
            total += x[r * stride + c];
        out[c] = accumulate ? out[c] + total : total;
    }
}

} /* namespace TCH_ISA */
} /* namespace tch */
