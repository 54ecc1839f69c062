/* Elementwise operations, linear maps, softmax and losses: see op_check.h. `test_ops cuda` runs them on device 0. */
#include "op_check.h"

static double act_of(enum tch_act act, double x)
{
    switch (act) {
    case TCH_ACT_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case TCH_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x * x * x)));
    case TCH_ACT_RELU:
        return x > 0 ? x : 0;
    }
    return NAN;
}

static void linear_in_double(const struct sample *c, double *const *in, double *out)
{
    int64_t n = c->rows[0], width = c->cols[0], o = c->rows[1];
    for (int64_t r = 0; r < n; r++)
        for (int64_t j = 0; j < o; j++) {
            double sum = c->count > 2 ? in[2][j] : 0;
            for (int64_t k = 0; k < width; k++)
                sum += in[0][r * width + k] * in[1][j * width + k];
            out[r * o + j] = sum;
        }
}

static struct tch_tensor *build_add(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_add(s, in[0], in[1]);
}

static int64_t ref_add(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = in[0][i] + in[1][i];
    return elements(c, 0);
}

static struct tch_tensor *build_mul(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_mul(s, in[0], in[1]);
}

static int64_t ref_mul(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = in[0][i] * in[1][i];
    return elements(c, 0);
}

static struct tch_tensor *build_scale(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_scale(s, in[0], -0.75);
}

static int64_t ref_scale(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = -0.75 * in[0][i];
    return elements(c, 0);
}

static struct tch_tensor *build_sum(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_sum(s, in[0]);
}

static int64_t ref_sum(const struct sample *c, double *const *in, double *out)
{
    out[0] = 0;
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[0] += in[0][i];
    return 1;
}

static struct tch_tensor *build_tanh(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_tanh(s, in[0]);
}

static int64_t ref_tanh(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = tanh(in[0][i]);
    return elements(c, 0);
}

static struct tch_tensor *build_sigmoid(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_sigmoid(s, in[0]);
}

static int64_t ref_sigmoid(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = 1 / (1 + exp(-in[0][i]));
    return elements(c, 0);
}

static struct tch_tensor *build_activation(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_activation(s, in[0], c->act);
}

static int64_t ref_activation(const struct sample *c, double *const *in, double *out)
{
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] = act_of(c->act, in[0][i]);
    return elements(c, 0);
}

static struct tch_tensor *build_index_rows(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_index_rows(s, in[0], constant_ids(s, c->ids, c->id_count));
}

static int64_t ref_index_rows(const struct sample *c, double *const *in, double *out)
{
    for (int64_t r = 0; r < c->id_count; r++)
        memcpy(out + r * c->cols[0], in[0] + c->ids[r] * c->cols[0], (size_t)c->cols[0] * sizeof *out);
    return c->id_count * c->cols[0];
}

static struct tch_tensor *build_linear(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_linear(s, in[0], in[1], c->count > 2 ? in[2] : NULL);
}

static int64_t ref_linear(const struct sample *c, double *const *in, double *out)
{
    linear_in_double(c, in, out);
    return c->rows[0] * c->rows[1];
}

static struct tch_tensor *build_linear_act(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_linear_act(s, in[0], in[1], in[2], c->act);
}

static int64_t ref_linear_act(const struct sample *c, double *const *in, double *out)
{
    linear_in_double(c, in, out);
    for (int64_t i = 0; i < c->rows[0] * c->rows[1]; i++)
        out[i] = act_of(c->act, out[i]);
    return c->rows[0] * c->rows[1];
}

static struct tch_tensor *build_softmax(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_softmax(s, in[0]);
}

static int64_t ref_softmax(const struct sample *c, double *const *in, double *out)
{
    memcpy(out, in[0], (size_t)elements(c, 0) * sizeof *out);
    softmax_in_double(c->rows[0], c->cols[0], false, out);
    return elements(c, 0);
}

static struct tch_tensor *build_log_softmax(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_log_softmax(s, in[0]);
}

static int64_t ref_log_softmax(const struct sample *c, double *const *in, double *out)
{
    memcpy(out, in[0], (size_t)elements(c, 0) * sizeof *out);
    softmax_in_double(c->rows[0], c->cols[0], true, out);
    return elements(c, 0);
}

static const float loss_weight[8] = {1, 0.5F, 2, 0, 3, 1, 1, 0.25F};
static const float loss_target[8] = {0, 1, 0.25F, 1, 1, 0, 0.5F, 1};

static struct tch_tensor *loss_constant(struct tch_scope *s, const float *values, int64_t count)
{
    return tch_from_data(s, values, TCH_FLOAT32, &count, 1);
}

static struct tch_tensor *build_cross_entropy(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_cross_entropy(s, in[0], constant_ids(s, c->ids, c->id_count), loss_constant(s, loss_weight, c->id_count),
                             8.75);
}

static int64_t ref_cross_entropy(const struct sample *c, double *const *in, double *out)
{
    double row[16];
    out[0] = 0;
    for (int64_t r = 0; r < c->rows[0]; r++) {
        memcpy(row, in[0] + r * c->cols[0], (size_t)c->cols[0] * sizeof *row);
        softmax_in_double(1, c->cols[0], true, row);
        out[0] -= (double)loss_weight[r] * row[c->ids[r]] / 8.75;
    }
    return 1;
}

static struct tch_tensor *build_mse(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_mse(s, in[0], loss_constant(s, loss_target, c->rows[0]), loss_constant(s, loss_weight, c->rows[0]),
                   8.75);
}

static int64_t ref_mse(const struct sample *c, double *const *in, double *out)
{
    out[0] = 0;
    for (int64_t r = 0; r < c->rows[0]; r++)
        out[0] += (double)loss_weight[r] * pow(in[0][r] - (double)loss_target[r], 2) / 8.75;
    return 1;
}

static struct tch_tensor *build_bce(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_bce_logits(s, in[0], loss_constant(s, loss_target, c->rows[0]),
                          loss_constant(s, loss_weight, c->rows[0]), 8.75);
}

static int64_t ref_bce(const struct sample *c, double *const *in, double *out)
{
    out[0] = 0;
    for (int64_t r = 0; r < c->rows[0]; r++) {
        double x = in[0][r], y = (double)loss_target[r];
        out[0] += (double)loss_weight[r] * (y * log1p(exp(-x)) + (1 - y) * log1p(exp(x))) / 8.75;
    }
    return 1;
}

static void elementwise(void **state)
{
    (void)state;
    const struct sample two = {.count = 2, .rows = {5, 5}, .cols = {37, 37}},
                        one = {.count = 1, .rows = {5}, .cols = {37}};
    check("add", &two, build_add, ref_add);
    check("mul", &two, build_mul, ref_mul);
    check("scale", &one, build_scale, ref_scale);
    check("sum", &one, build_sum, ref_sum);
    check("tanh", &one, build_tanh, ref_tanh);
    check("sigmoid", &one, build_sigmoid, ref_sigmoid);
    for (int act = TCH_ACT_GELU; act <= TCH_ACT_RELU; act++) {
        const struct sample wide = {.count = 1, .rows = {40}, .cols = {37}, .act = (enum tch_act)act, .scale = 3};
        check("activation", &wide, build_activation, ref_activation);
    }
}

static void rows(void **state)
{
    (void)state;
    static const int64_t pick[4] = {3, 0, 3, 4};
    const struct sample some = {.count = 1, .rows = {5}, .cols = {37}, .ids = pick, .id_count = 4};
    check("index_rows", &some, build_index_rows, ref_index_rows);
}

static void linear_maps(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{1, 3, 2}, {9, 37, 21}, {150, 64, 48}, {40, 96, 130}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct sample c = {.count = 3,
                           .rows = {shapes[i][0], shapes[i][2], shapes[i][2]},
                           .cols = {shapes[i][1], shapes[i][1], 0},
                           .scale = 0.5};
        check("linear", &c, build_linear, ref_linear);
        for (int act = TCH_ACT_GELU; act <= TCH_ACT_RELU; act++) {
            c.act = (enum tch_act)act;
            check("linear_act", &c, build_linear_act, ref_linear_act);
        }
        c.count = 2;
        check("linear without bias", &c, build_linear, ref_linear);
    }
}

static void softmax(void **state)
{
    (void)state;
    const struct sample rows = {.count = 1, .rows = {6}, .cols = {13}};
    check("softmax", &rows, build_softmax, ref_softmax);
    check("log_softmax", &rows, build_log_softmax, ref_log_softmax);
}

static void losses(void **state)
{
    (void)state;
    static const int64_t labels[8] = {0, 3, 2, 2, 1, 0, 3, 1};
    const struct sample classes = {.count = 1, .rows = {8}, .cols = {4}, .ids = labels, .id_count = 8, .scale = 2};
    check("cross_entropy", &classes, build_cross_entropy, ref_cross_entropy);
    const struct sample value = {.count = 1, .rows = {8}, .cols = {1}, .scale = 2};
    check("mse", &value, build_mse, ref_mse);
    check("bce_logits", &value, build_bce, ref_bce);
}

int main(int argc, char **argv)
{
    int status = choose_device(argc, argv);
    if (status >= 0)
        return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise), cmocka_unit_test(rows),   cmocka_unit_test(linear_maps),
        cmocka_unit_test(softmax),     cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
