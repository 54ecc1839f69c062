/* Embedding, LayerNorm, dropout and attention: see op_check.h. `test_fused cuda` runs them on device 0. */
#include "op_check.h"

static const uint64_t drop_seed = 0x123456789abcdefULL;
enum { drop_step = 7, drop_site = 3 };

/* The number of token r in the step's data order: anything that is not r itself. */
static int64_t unit_of(int64_t r)
{
    return 1000 + 3 * r;
}

static struct tch_dropout dropout_of(struct tch_scope *s, const struct sample *c, int64_t rows)
{
    int64_t units[256];
    for (int64_t r = 0; r < rows; r++)
        units[r] = unit_of(r);
    return (struct tch_dropout){
        .seed = drop_seed, .step = drop_step, .p = c->p, .unit_ids = constant_ids(s, units, rows)};
}

/* 0 or 1 / (1 - p), from core's Philox: the definition that tch.h documents. */
static double mask_at(double p, int64_t row, int64_t column)
{
    const uint32_t counter[4] = {(uint32_t)(column / 4), (uint32_t)unit_of(row), drop_site, drop_step};
    const uint32_t key[2] = {(uint32_t)drop_seed, (uint32_t)(drop_seed >> 32)};
    uint32_t out[4];
    rng_philox4x32(counter, key, out);
    return p > 0 && out[column % 4] < p * 4294967296.0 ? 0 : 1 / (1 - p);
}

static void norm_in_double(int64_t rows, int64_t width, const double *w, const double *b, double eps, double *x)
{
    for (int64_t r = 0; r < rows; r++) {
        double *row = x + r * width, mean = 0, variance = 0;
        for (int64_t k = 0; k < width; k++)
            mean += row[k] / (double)width;
        for (int64_t k = 0; k < width; k++)
            variance += (row[k] - mean) * (row[k] - mean) / (double)width;
        for (int64_t k = 0; k < width; k++)
            row[k] = (row[k] - mean) / sqrt(variance + eps) * w[k] + b[k];
    }
}

static struct tch_tensor *build_layer_norm(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    (void)c;
    return tch_layer_norm(s, in[0], in[1], in[2], 1e-5);
}

static int64_t ref_layer_norm(const struct sample *c, double *const *in, double *out)
{
    memcpy(out, in[0], (size_t)elements(c, 0) * sizeof *out);
    norm_in_double(c->rows[0], c->cols[0], in[1], in[2], 1e-5, out);
    return elements(c, 0);
}

static struct tch_tensor *build_dropout(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    struct tch_dropout d = dropout_of(s, c, c->rows[0]);
    return tch_dropout(s, in[0], &d, drop_site);
}

static int64_t ref_dropout(const struct sample *c, double *const *in, double *out)
{
    for (int64_t r = 0; r < c->rows[0]; r++)
        for (int64_t k = 0; k < c->cols[0]; k++)
            out[r * c->cols[0] + k] = in[0][r * c->cols[0] + k] * mask_at(c->p, r, k);
    return elements(c, 0);
}

static struct tch_tensor *build_dropout_norm(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    struct tch_dropout d = dropout_of(s, c, c->rows[0]);
    return tch_dropout_add_layer_norm(s, in[0], in[1], in[2], in[3], 1e-12, &d, drop_site);
}

static int64_t ref_dropout_norm(const struct sample *c, double *const *in, double *out)
{
    ref_dropout(c, in, out);
    for (int64_t i = 0; i < elements(c, 0); i++)
        out[i] += in[1][i];
    norm_in_double(c->rows[0], c->cols[0], in[2], in[3], 1e-12, out);
    return elements(c, 0);
}

static struct tch_tensor *build_embed(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    return tch_embed(s, in[0], in[1], in[2], constant_ids(s, c->ids, c->id_count),
                     constant_ids(s, c->ids2, c->id_count), constant_ids(s, c->ids3, c->id_count));
}

static int64_t ref_embed(const struct sample *c, double *const *in, double *out)
{
    int64_t width = c->cols[0];
    for (int64_t r = 0; r < c->id_count; r++)
        for (int64_t k = 0; k < width; k++)
            out[r * width + k] =
                in[0][c->ids[r] * width + k] + in[1][c->ids2[r] * width + k] + in[2][c->ids3[r] * width + k];
    return c->id_count * width;
}

static struct tch_tensor *build_attention(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in)
{
    struct tch_dropout d = dropout_of(s, c, c->rows[0]);
    int64_t ends = c->sequences + 1;
    int32_t longest = 0;
    for (int32_t i = 0; i < c->sequences; i++)
        longest = c->cu[i + 1] - c->cu[i] > longest ? c->cu[i + 1] - c->cu[i] : longest;
    const struct tch_seqlens lens = {.cu = c->cu,
                                     .count = c->sequences,
                                     .max_length = longest,
                                     .cu_tensor = tch_from_data(s, c->cu, TCH_INT32, &ends, 1)};
    return tch_attention(s, in[0], &lens, c->heads, &d, drop_site);
}

static int64_t ref_attention(const struct sample *c, double *const *in, double *out)
{
    int64_t hidden = c->cols[0] / 3, width = hidden / c->heads;
    for (int32_t q = 0; q < c->sequences; q++)
        for (int a = 0; a < c->heads; a++)
            for (int64_t i = c->cu[q]; i < c->cu[q + 1]; i++) {
                double p[256];
                int64_t start = c->cu[q], length = c->cu[q + 1] - start;
                for (int64_t j = 0; j < length; j++) {
                    p[j] = 0;
                    for (int64_t k = 0; k < width; k++)
                        p[j] += in[0][i * 3 * hidden + a * width + k] *
                                in[0][(start + j) * 3 * hidden + hidden + a * width + k];
                    p[j] /= sqrt((double)width);
                }
                softmax_in_double(1, length, false, p);
                for (int64_t k = 0; k < width; k++) {
                    double sum = 0;
                    for (int64_t j = 0; j < length; j++)
                        sum += p[j] * mask_at(c->p, i, a * 512 + j) *
                               in[0][(start + j) * 3 * hidden + 2 * hidden + a * width + k];
                    out[i * hidden + a * width + k] = sum;
                }
            }
    return c->rows[0] * hidden;
}

static void tables(void **state)
{
    (void)state;
    static const int64_t ids[7] = {9, 2, 2, 5, 9, 0, 2}, pos[7] = {0, 1, 2, 0, 1, 2, 3},
                         types[7] = {0, 0, 1, 0, 0, 1, 1};
    for (int64_t width = 33; width <= 128; width += 95) {
        const struct sample tables = {.count = 3,
                                      .rows = {11, 4, 2},
                                      .cols = {width, width, width},
                                      .ids = ids,
                                      .ids2 = pos,
                                      .ids3 = types,
                                      .id_count = 7};
        check("embed", &tables, build_embed, ref_embed);
    }
}

static void normalisation(void **state)
{
    (void)state;
    static const int64_t widths[] = {8, 37, 128, 384};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        int64_t w = widths[i];
        struct sample norm = {.count = 3, .rows = {9, w, w}, .cols = {w, 0, 0}};
        check("layer_norm", &norm, build_layer_norm, ref_layer_norm);
        struct sample fused = {.count = 4, .rows = {9, 9, w, w}, .cols = {w, w, 0, 0}, .p = 0.1};
        check("dropout_add_layer_norm", &fused, build_dropout_norm, ref_dropout_norm);
        fused.p = 0;
        check("add_layer_norm", &fused, build_dropout_norm, ref_dropout_norm);
        struct sample drop = {.count = 1, .rows = {9}, .cols = {w}, .p = 0.3};
        check("dropout", &drop, build_dropout, ref_dropout);
    }
}

static void attention(void **state)
{
    (void)state;
    static const int32_t cu[] = {0, 5, 6, 45, 60};
    static const int widths[] = {5, 16, 32, 64};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct sample c = {.count = 1, .rows = {60}, .cols = {3 * 2 * widths[i]}, .cu = cu, .sequences = 4, .heads = 2};
        check("attention", &c, build_attention, ref_attention);
        if (device.cuda)
            continue; /* the flash kernels draw their own mask */
        c.p = 0.2;
        check("attention with dropout", &c, build_attention, ref_attention);
    }
}

/* A block of a layer in the given compute type; the output and the gradient of w go to out. */
static void run_block(enum tch_dtype compute, const double *values, float *out)
{
    enum { ROWS = 60, WIDTH = 64 };
    static const int32_t cu[] = {0, 5, 6, 45, 60};
    const int64_t x_shape[2] = {ROWS, WIDTH}, w_shape[2] = {3 * WIDTH, WIDTH}, b_shape[2] = {WIDTH, 0}, ends = 5;
    float x_values[ROWS * WIDTH], w_values[3 * WIDTH * WIDTH], ones[WIDTH];
    for (int i = 0; i < ROWS * WIDTH; i++)
        x_values[i] = (float)values[i];
    for (int i = 0; i < 3 * WIDTH * WIDTH; i++)
        w_values[i] = (float)values[i] * 0.1F;
    for (int i = 0; i < WIDTH; i++)
        ones[i] = 1;
    struct tch_tensor *w = NULL, *norm_w = NULL;
    assert_int_equal(tch_parameter_new(&w, w_values, w_shape, 2, device), TCH_OK);
    assert_int_equal(tch_parameter_new(&norm_w, ones, b_shape, 1, device), TCH_OK);
    const struct tch_scope_options options = {.grad = true, .compute = compute, .device = device};
    struct tch_scope *s = tch_scope_begin(&options);
    const struct tch_seqlens lens = {
        .cu = cu, .count = 4, .max_length = 39, .cu_tensor = tch_from_data(s, cu, TCH_INT32, &ends, 1)};
    struct tch_tensor *x = tch_from_data(s, x_values, TCH_FLOAT32, x_shape, 2);
    struct tch_tensor *y = tch_attention(s, tch_linear(s, x, w, NULL), &lens, 2, NULL, 0);
    y = tch_dropout_add_layer_norm(s, y, x, norm_w, norm_w, 1e-12, NULL, 0);
    assert_int_equal(tch_dtype_of(y), TCH_FLOAT32);
    tch_backward(s, tch_sum(s, tch_mul(s, y, tch_activation(s, x, TCH_ACT_GELU))));
    if (tch_scope_status(s) == TCH_OK) {
        assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, sizeof x_values), TCH_OK);
        assert_int_equal(tch_copy_out(tch_parameter_grad(w), TCH_FLOAT32, out + ROWS * WIDTH, sizeof w_values), TCH_OK);
    }
    if (tch_scope_end(s) != TCH_OK)
        fail_msg("%s", tch_last_error());
    tch_tensor_free(w);
    tch_tensor_free(norm_w);
}

static void sixteen_bits_are_close(void **state)
{
    (void)state;
    enum { COUNT = 60 * 64 + 3 * 64 * 64 };
    static double values[3 * 64 * 64];
    static float whole[COUNT], half[COUNT];
    struct rng rng;
    rng_init(&rng, 5, RNG_STREAM_INIT, 0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = rng_normal(&rng);
    run_block(TCH_FLOAT32, values, whole);
    run_block(TCH_BFLOAT16, values, half);
    float top = 0, worst = 0, worst_grad = 0, top_grad = 0;
    for (int i = 0; i < COUNT; i++) {
        const float size = fabsf(whole[i]), error = fabsf(whole[i] - half[i]);
        *(i < 60 * 64 ? &top : &top_grad) = fmaxf(size, i < 60 * 64 ? top : top_grad);
        *(i < 60 * 64 ? &worst : &worst_grad) = fmaxf(error, i < 60 * 64 ? worst : worst_grad);
    }
    assert_true(worst > 0 && worst <= 0.02F * top);
    assert_true(worst_grad > 0 && worst_grad <= 0.02F * top_grad);
}

int main(int argc, char **argv)
{
    int status = choose_device(argc, argv);
    if (status >= 0)
        return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables),
        cmocka_unit_test(normalisation),
        cmocka_unit_test(attention),
        cmocka_unit_test(sixteen_bits_are_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
