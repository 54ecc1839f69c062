/*
 * AdamW against ten steps of torch.optim.AdamW (adamw_reference.h, written by scripts/reference/adamw.py), on tables
 * that a step uses in part and a matrix that it uses whole. `test_adamw cuda` runs the same on device 0.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adamw_reference.h"
#include "tch/tch.h"

enum { STEPS = 10, WIDTH = 8, TOKENS = 3, PARAMS = 4 };

static struct tch_device device = {false, 0};
static const int64_t shapes[PARAMS][2] = {{6, WIDTH}, {4, WIDTH}, {2, WIDTH}, {5, 3}};
static const double decay[PARAMS] = {0.01, 0.1, 0, 0.01};
static const struct tch_adamw_options adamw_options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};

static const float *formula(double phase, int64_t count)
{
    static float values[64];
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)sin(0.37 * (double)i + phase);
    return values;
}

static void make_params(struct tch_tensor *params[PARAMS])
{
    for (int i = 0; i < PARAMS; i++)
        assert_int_equal(tch_parameter_new(&params[i], formula(i, shapes[i][0] * shapes[i][1]), shapes[i], 2, device),
                         TCH_OK);
}

static void free_params(struct tch_tensor *params[PARAMS])
{
    for (int i = 0; i < PARAMS; i++)
        tch_tensor_free(params[i]);
}

static void backward(struct tch_tensor *const params[PARAMS], int step, double factor)
{
    const int64_t ids[TOKENS] = {step % 5, 2 * step % 5, step % 5}, positions[TOKENS] = {0, 1, 2},
                  types[TOKENS] = {0, 0, 1};
    const int64_t tokens = TOKENS, shape[2] = {TOKENS, WIDTH};
    const struct tch_scope_options options = {.grad = true, .compute = TCH_FLOAT32, .device = device};
    struct tch_scope *s = tch_scope_begin(&options);
    struct tch_tensor *embedded =
        tch_embed(s, params[0], params[1], params[2], tch_from_data(s, ids, TCH_INT64, &tokens, 1),
                  tch_from_data(s, positions, TCH_INT64, &tokens, 1), tch_from_data(s, types, TCH_INT64, &tokens, 1));
    struct tch_tensor *a =
        tch_sum(s, tch_mul(s, embedded, tch_from_data(s, formula(1.1 * step, TOKENS * WIDTH), TCH_FLOAT32, shape, 2)));
    struct tch_tensor *b =
        tch_sum(s, tch_mul(s, params[3], tch_from_data(s, formula(0.3 * step, 15), TCH_FLOAT32, shapes[3], 2)));
    tch_backward(s, tch_scale(s, tch_add(s, a, b), factor));
    if (tch_scope_end(s) != TCH_OK)
        fail_msg("%s", tch_last_error());
}

static void assert_close(const char *what, struct tch_tensor *t, const double *want)
{
    float got[64];
    int64_t count = tch_numel(t);
    assert_int_equal(tch_copy_out(t, TCH_FLOAT32, got, (size_t)count * sizeof *got), TCH_OK);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)got[i] - want[i]) <= 3e-7 * fabs(want[i]) + 1e-8))
            fail_msg("%s at %lld is %.9g, not %.9g", what, (long long)i, (double)got[i], want[i]);
}

static void ten_steps_as_torch(void **state)
{
    (void)state;
    struct tch_tensor *params[PARAMS];
    make_params(params);
    struct tch_adamw *opt = NULL;
    assert_int_equal(tch_adamw_new(&opt, params, decay, PARAMS, &adamw_options), TCH_OK);
    for (int step = 0; step < STEPS; step++) {
        double norm = 0;
        backward(params, step, 1);
        assert_int_equal(tch_adamw_step(opt, 0.05 * (1 - step / 10.0), 2.0, &norm), TCH_OK);
        assert_true(fabs(norm - reference_norms[step]) <= 1e-6 * norm);
    }
    assert_int_equal(tch_adamw_steps(opt), STEPS);
    const double *const values[PARAMS] = {reference_word, reference_position, reference_type, reference_w};
    const double *const first[PARAMS] = {reference_word_moment1, reference_position_moment1, reference_type_moment1,
                                         reference_w_moment1};
    const double *const second[PARAMS] = {reference_word_moment2, reference_position_moment2, reference_type_moment2,
                                          reference_w_moment2};
    for (size_t i = 0; i < PARAMS; i++) {
        assert_close("parameter", params[i], values[i]);
        assert_close("first moment", tch_adamw_moment1(opt, i), first[i]);
        assert_close("second moment", tch_adamw_moment2(opt, i), second[i]);
    }
    tch_adamw_free(opt);
    free_params(params);
}

/* Saved after three steps and put in a new optimiser, the run goes on to the same bits. */
static void resumed_run_is_equal(void **state)
{
    (void)state;
    struct tch_tensor *params[PARAMS];
    make_params(params);
    struct tch_adamw *opt = NULL;
    float saved[3][PARAMS][64], ends[2][PARAMS][64];
    assert_int_equal(tch_adamw_new(&opt, params, decay, PARAMS, &adamw_options), TCH_OK);
    for (int run = 0; run < 2; run++) {
        for (int step = run ? 3 : 0; step < STEPS; step++) {
            if (step == 3)
                for (size_t i = 0; i < PARAMS; i++) {
                    struct tch_tensor *const parts[3] = {params[i], tch_adamw_moment1(opt, i),
                                                         tch_adamw_moment2(opt, i)};
                    size_t bytes = (size_t)tch_numel(params[i]) * sizeof(float);
                    for (int k = 0; k < 3; k++)
                        assert_int_equal(run ? tch_copy_in(parts[k], TCH_FLOAT32, saved[k][i], bytes)
                                             : tch_copy_out(parts[k], TCH_FLOAT32, saved[k][i], bytes),
                                         TCH_OK);
                }
            if (step == 3 && run)
                tch_adamw_set_steps(opt, 3);
            backward(params, step, 1);
            assert_int_equal(tch_adamw_step(opt, 0.05, 2.0, NULL), TCH_OK);
        }
        for (int i = 0; i < PARAMS; i++)
            assert_int_equal(
                tch_copy_out(params[i], TCH_FLOAT32, ends[run][i], (size_t)tch_numel(params[i]) * sizeof(float)),
                TCH_OK);
        tch_adamw_free(opt);
        assert_int_equal(tch_adamw_new(&opt, params, decay, PARAMS, &adamw_options), TCH_OK);
    }
    for (int i = 0; i < PARAMS; i++)
        assert_memory_equal(ends[0][i], ends[1][i], (size_t)tch_numel(params[i]) * sizeof(float));
    tch_adamw_free(opt);
    free_params(params);
}

static void infinite_gradients_update_nothing(void **state)
{
    (void)state;
    struct tch_tensor *params[PARAMS];
    make_params(params);
    struct tch_adamw *opt = NULL;
    double norm = 0;
    float before[64], after[64];
    assert_int_equal(tch_adamw_new(&opt, params, decay, PARAMS, &adamw_options), TCH_OK);
    assert_int_equal(tch_copy_out(params[0], TCH_FLOAT32, before, 48 * sizeof(float)), TCH_OK);
    backward(params, 0, INFINITY);
    assert_int_equal(tch_adamw_step(opt, 0.05, 1.0, &norm), TCH_OK);
    assert_false(isfinite(norm));
    assert_int_equal(tch_adamw_steps(opt), 0);
    assert_int_equal(tch_copy_out(params[0], TCH_FLOAT32, after, 48 * sizeof(float)), TCH_OK);
    assert_memory_equal(before, after, 48 * sizeof(float));
    /* The gradients are gone: the next step is the first. */
    backward(params, 0, 1);
    assert_int_equal(tch_adamw_step(opt, 0.05, 1.0, &norm), TCH_OK);
    assert_true(fabs(norm - reference_norms[0]) <= 1e-6 * norm);
    assert_int_equal(tch_adamw_steps(opt), 1);
    tch_adamw_free(opt);
    free_params(params);
}

/* Two backward passes add up; after a step, and after zero_grad, a gradient reads as zero. */
static void gradients_accumulate_and_clear(void **state)
{
    (void)state;
    struct tch_tensor *params[PARAMS];
    make_params(params);
    struct tch_adamw *opt = NULL;
    float once[64], twice[64];
    assert_int_equal(tch_adamw_new(&opt, params, decay, PARAMS, &adamw_options), TCH_OK);
    for (int i = 0; i < PARAMS; i++)
        assert_null(tch_parameter_grad(params[i]));
    for (int round = 0; round < 3; round++) {
        backward(params, 1, 1);
        for (int i = 0; i < PARAMS; i += 3) {
            const size_t count = (size_t)tch_numel(params[i]);
            assert_int_equal(
                tch_copy_out(tch_parameter_grad(params[i]), TCH_FLOAT32, i ? once : twice, count * sizeof(float)),
                TCH_OK);
        }
        backward(params, 1, 1);
        float doubled[64];
        assert_int_equal(tch_copy_out(tch_parameter_grad(params[3]), TCH_FLOAT32, doubled, 15 * sizeof(float)), TCH_OK);
        for (int k = 0; k < 15; k++)
            assert_true(doubled[k] == 2 * once[k]);
        assert_int_equal(tch_copy_out(tch_parameter_grad(params[0]), TCH_FLOAT32, doubled, 48 * sizeof(float)), TCH_OK);
        for (int k = 0; k < 48; k++)
            assert_true(doubled[k] == 2 * twice[k]);
        if (round == 0)
            assert_int_equal(tch_adamw_step(opt, 0.05, 0, NULL), TCH_OK);
        else
            for (int i = 0; i < PARAMS; i++)
                tch_parameter_zero_grad(params[i]);
        for (int i = 0; i < PARAMS; i++) {
            const size_t count = (size_t)tch_numel(params[i]);
            assert_int_equal(tch_copy_out(tch_parameter_grad(params[i]), TCH_FLOAT32, doubled, count * sizeof(float)),
                             TCH_OK);
            for (size_t k = 0; k < count; k++)
                assert_true(doubled[k] == 0);
        }
    }
    tch_adamw_free(opt);
    free_params(params);
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
        cmocka_unit_test(ten_steps_as_torch),
        cmocka_unit_test(resumed_run_is_equal),
        cmocka_unit_test(infinite_gradients_update_nothing),
        cmocka_unit_test(gradients_accumulate_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
