/*
 * Every operation: its value against the same formula in double, and its gradient against central differences of that
 * formula. The loss is sum(out * r) with fixed random r, so that each output element counts. `test_ops cuda` runs the
 * same on device 0.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rng.h"
#include "tch/tch.h"

enum { MAX_INPUTS = 5, MAX_ELEMENTS = 60000 };
#define PI 3.14159265358979323846

static struct tch_device device = {false, 0};

/* What an operation is computed on: float inputs that get a gradient, and constants of the case. */
struct sample {
    int count;
    int64_t rows[MAX_INPUTS], cols[MAX_INPUTS]; /* cols 0: a vector */
    const int64_t *ids, *ids2, *ids3;           /* int64 constants, length id_count */
    int64_t id_count;
    const int32_t *cu; /* sequences */
    int32_t sequences;
    int heads;
    double p; /* dropout */
    enum tch_act act;
    double scale; /* of the random inputs; 1 when 0 */
};

typedef struct tch_tensor *build_fn(struct tch_scope *s, const struct sample *c, struct tch_tensor *const *in);
typedef int64_t reference_fn(const struct sample *c, double *const *in,
                             double *out); /* returns the number of outputs */

static const uint64_t drop_seed = 0x123456789abcdefULL;
enum { drop_step = 7, drop_site = 3 };

static int64_t elements(const struct sample *c, int i)
{
    return c->rows[i] * (c->cols[i] ? c->cols[i] : 1);
}

static struct tch_tensor *constant_ids(struct tch_scope *s, const int64_t *ids, int64_t count)
{
    return tch_from_data(s, ids, TCH_INT64, &count, 1);
}

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

/* ---- references in double ---- */

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

/* In place over rows of x; logarithm when wanted. */
static void softmax_in_double(int64_t rows, int64_t width, bool logarithm, double *x)
{
    for (int64_t r = 0; r < rows; r++) {
        double *row = x + r * width, top = row[0], sum = 0;
        for (int64_t k = 1; k < width; k++)
            top = fmax(top, row[k]);
        for (int64_t k = 0; k < width; k++)
            sum += exp(row[k] - top);
        for (int64_t k = 0; k < width; k++)
            row[k] = logarithm ? row[k] - top - log(sum) : exp(row[k] - top) / sum;
    }
}

/* ---- the operations ---- */

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

/* ---- the check ---- */

static double *new_doubles(int64_t count)
{
    double *values = calloc((size_t)count + 1, sizeof *values);
    assert_non_null(values);
    return values;
}

static double weighted(const struct sample *c, reference_fn *reference, double *const *in, const double *r, double *out)
{
    int64_t count = reference(c, in, out);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += r[i] * out[i];
    return sum;
}

/* Runs the operation; out and grads as float. Returns the number of outputs. */
static int64_t run(const struct sample *c, build_fn *build, double *const *in, const double *r, float *out,
                   float *const *grads)
{
    struct tch_tensor *params[MAX_INPUTS] = {NULL};
    float *values = calloc(MAX_ELEMENTS, sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < c->count; i++) {
        const int64_t shape[2] = {c->rows[i], c->cols[i]};
        for (int64_t k = 0; k < elements(c, i); k++)
            values[k] = (float)in[i][k];
        assert_int_equal(tch_parameter_new(&params[i], values, shape, c->cols[i] ? 2 : 1, device), TCH_OK);
    }
    const struct tch_scope_options options = {.grad = true, .compute = TCH_FLOAT32, .device = device};
    struct tch_scope *s = tch_scope_begin(&options);
    struct tch_tensor *y = build(s, c, params);
    int64_t count = tch_numel(y), shape[2] = {tch_size(y, 0), tch_size(y, 1)};
    for (int64_t k = 0; k < count; k++)
        values[k] = (float)r[k];
    struct tch_tensor *loss = tch_sum(s, tch_mul(s, y, tch_from_data(s, values, TCH_FLOAT32, shape, tch_dims(y))));
    tch_backward(s, loss);
    if (tch_scope_status(s) == TCH_OK)
        assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, (size_t)count * sizeof *out), TCH_OK);
    for (int i = 0; i < c->count && tch_scope_status(s) == TCH_OK; i++) {
        assert_non_null(tch_parameter_grad(params[i]));
        assert_int_equal(
            tch_copy_out(tch_parameter_grad(params[i]), TCH_FLOAT32, grads[i], (size_t)elements(c, i) * sizeof **grads),
            TCH_OK);
    }
    int status = tch_scope_end(s);
    if (status != TCH_OK)
        fail_msg("%s", tch_last_error());
    for (int i = 0; i < c->count; i++)
        tch_tensor_free(params[i]);
    free(values);
    return count;
}

static void check(const char *name, const struct sample *c, build_fn *build, reference_fn *reference)
{
    double *in[MAX_INPUTS] = {NULL}, *out = new_doubles(MAX_ELEMENTS), *r = new_doubles(MAX_ELEMENTS);
    float *got = calloc(MAX_ELEMENTS, sizeof *got), *grads[MAX_INPUTS] = {NULL};
    struct rng rng;
    rng_init(&rng, 11, RNG_STREAM_INIT, 0);
    for (int i = 0; i < c->count; i++) {
        in[i] = new_doubles(elements(c, i));
        grads[i] = calloc((size_t)elements(c, i), sizeof **grads);
        assert_non_null(grads[i]);
        for (int64_t k = 0; k < elements(c, i); k++)
            in[i][k] = (double)(float)(rng_normal(&rng) * (c->scale != 0 ? c->scale : 1));
    }
    for (int64_t k = 0; k < MAX_ELEMENTS; k++)
        r[k] = (double)(float)rng_normal(&rng);
    assert_non_null(got);
    int64_t count = run(c, build, in, r, got, grads);
    assert_int_equal(reference(c, in, out), count);
    for (int64_t k = 0; k < count; k++)
        if (!(fabs((double)got[k] - out[k]) <= 2e-6 * (4 + fabs(out[k]))))
            fail_msg("%s: value %lld is %.9g, not %.9g", name, (long long)k, (double)got[k], out[k]);
    for (int i = 0; i < c->count; i++) {
        double top = 0;
        for (int64_t k = 0; k < elements(c, i); k++)
            top = fmax(top, fabs((double)grads[i][k]));
        int64_t stride = elements(c, i) > 60 ? elements(c, i) / 60 | 1 : 1; /* a sample of large inputs */
        for (int64_t k = 0; k < elements(c, i); k += stride) {
            const double h = 1e-5, kept = in[i][k];
            in[i][k] = kept + h;
            double plus = weighted(c, reference, in, r, out);
            in[i][k] = kept - h;
            double minus = weighted(c, reference, in, r, out), want = (plus - minus) / (2 * h);
            in[i][k] = kept;
            if (!(fabs((double)grads[i][k] - want) <= 1e-5 * (1 + top)))
                fail_msg("%s: gradient of input %d at %lld is %.9g, not %.9g", name, i, (long long)k,
                         (double)grads[i][k], want);
        }
    }
    for (int i = 0; i < c->count; i++) {
        free(in[i]);
        free(grads[i]);
    }
    free(out);
    free(r);
    free(got);
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

static void rows_and_tables(void **state)
{
    (void)state;
    static const int64_t pick[4] = {3, 0, 3, 4}, ids[7] = {9, 2, 2, 5, 9, 0, 2}, pos[7] = {0, 1, 2, 0, 1, 2, 3},
                         types[7] = {0, 0, 1, 0, 0, 1, 1};
    const struct sample rows = {.count = 1, .rows = {5}, .cols = {37}, .ids = pick, .id_count = 4};
    check("index_rows", &rows, build_index_rows, ref_index_rows);
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
    const struct sample rows = {.count = 1, .rows = {6}, .cols = {13}};
    check("softmax", &rows, build_softmax, ref_softmax);
    check("log_softmax", &rows, build_log_softmax, ref_log_softmax);
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
    if (argc > 1 && strcmp(argv[1], "cuda") == 0) {
        if (tch_cuda_count() == 0 || !tch_cuda_built()) {
            printf("skipped: %s\n", tch_cuda_built() ? "there is no CUDA device" : "built without CUDA");
            return 77;
        }
        if (tch_cuda_load(0) != TCH_OK) {
            printf("%s\n", tch_last_error());
            return 1;
        }
        device.cuda = true;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise),   cmocka_unit_test(rows_and_tables), cmocka_unit_test(linear_maps),
        cmocka_unit_test(normalisation), cmocka_unit_test(attention),       cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
