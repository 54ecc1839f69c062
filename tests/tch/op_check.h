#ifndef RECO_TESTS_TCH_OP_CHECK_H
#define RECO_TESTS_TCH_OP_CHECK_H

/*
 * Checks an operation: its value against the same formula in double, and its gradient against central differences of
 * that formula. The loss is sum(out * r) with fixed random r, so that each output element counts.
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

static int64_t elements(const struct sample *c, int i)
{
    return c->rows[i] * (c->cols[i] ? c->cols[i] : 1);
}

static struct tch_tensor *constant_ids(struct tch_scope *s, const int64_t *ids, int64_t count)
{
    return tch_from_data(s, ids, TCH_INT64, &count, 1);
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

/* The device named on the command line; the exit status when the program is to end here, else -1. */
static int choose_device(int argc, char **argv)
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
    return -1;
}

#endif
