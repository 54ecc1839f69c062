/* The counter-based dropout: what it depends on, what it does not, and that no result depends on the number of threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tch/tch.h"

enum { ROWS = 70, WIDTH = 96, HEADS = 3 };

static const struct tch_scope_options recording = {.grad = true, .compute = TCH_FLOAT32};
static const int64_t shape[2] = {ROWS, WIDTH};

static struct tch_tensor *ones(struct tch_scope *s, int64_t rows, int64_t width)
{
    float *values = malloc((size_t)(rows * width) * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < rows * width; i++)
        values[i] = 1;
    const int64_t size[2] = {rows, width};
    struct tch_tensor *t = tch_from_data(s, values, TCH_FLOAT32, size, 2);
    free(values);
    return t;
}

/* The mask of rows with the given unit ids, as dropout of ones. */
static void mask(float *out, const int64_t *units, int64_t rows, uint64_t seed, uint32_t step, uint32_t site, double p)
{
    struct tch_scope *s = tch_scope_begin(&recording);
    const struct tch_dropout d = {
        .seed = seed, .step = step, .p = p, .unit_ids = tch_from_data(s, units, TCH_INT64, &rows, 1)};
    struct tch_tensor *y = tch_dropout(s, ones(s, rows, WIDTH), &d, site);
    assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, (size_t)(rows * WIDTH) * sizeof *out), TCH_OK);
    assert_int_equal(tch_scope_end(s), TCH_OK);
}

static void mask_belongs_to_the_unit_not_to_its_place(void **state)
{
    (void)state;
    const int64_t order[3] = {7, 123456789, 9}, other[4] = {9, 1, 7, 123456789};
    float a[3 * WIDTH], b[4 * WIDTH];
    mask(a, order, 3, 5, 2, 1, 0.3);
    mask(b, other, 4, 5, 2, 1, 0.3);
    assert_memory_equal(a, b + 2 * WIDTH, 2 * WIDTH * sizeof *a);
    assert_memory_equal(a + 2 * WIDTH, b, WIDTH * sizeof *a);
}

static void every_part_of_the_key_matters(void **state)
{
    (void)state;
    const int64_t unit = 7;
    float base[WIDTH], other[WIDTH];
    mask(base, &unit, 1, 5, 2, 1, 0.5);
    for (int i = 0; i < 4; i++) {
        mask(other, &unit, 1, i == 0 ? 6 : i == 1 ? 5 | UINT64_C(1) << 32 : 5, i == 2 ? 3 : 2, i == 3 ? 2 : 1, 0.5);
        int differ = 0;
        for (int c = 0; c < WIDTH; c++)
            differ += base[c] != other[c];
        assert_in_range(differ, WIDTH / 4, 3 * WIDTH / 4);
    }
}

static void share_and_scale(void **state)
{
    (void)state;
    enum { MANY = 2000 };
    static int64_t units[MANY];
    static float out[MANY * WIDTH];
    for (int i = 0; i < MANY; i++)
        units[i] = i;
    static const double shares[] = {0.1, 0.5, 0.9};
    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        const double p = shares[k], n = (double)MANY * WIDTH;
        double zeros = 0;
        mask(out, units, MANY, 1, 1, 1, p);
        for (int i = 0; i < MANY * WIDTH; i++) {
            zeros += out[i] == 0;
            assert_true(out[i] == 0 || fabs((double)out[i] - 1 / (1 - p)) < 1e-5);
        }
        assert_true(fabs(zeros - p * n) < 5 * sqrt(n * p * (1 - p)));
    }
}

static void identity_where_it_must_be(void **state)
{
    (void)state;
    const struct tch_scope_options plain = {.grad = false};
    const int64_t rows = ROWS, units[ROWS] = {0};
    for (int i = 0; i < 3; i++) {
        struct tch_scope *s = tch_scope_begin(i == 0 ? &plain : &recording);
        const struct tch_dropout d = {
            .seed = 1, .p = i == 0 ? 0.5 : 0, .unit_ids = tch_from_data(s, units, TCH_INT64, &rows, 1)};
        struct tch_tensor *y = tch_dropout(s, ones(s, ROWS, WIDTH), i == 2 ? NULL : &d, 1);
        float out[ROWS * WIDTH];
        assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, sizeof out), TCH_OK);
        for (int k = 0; k < ROWS * WIDTH; k++)
            assert_true(out[k] == 1);
        assert_int_equal(tch_scope_end(s), TCH_OK);
    }
}

static void wrong_use_is_an_error(void **state)
{
    (void)state;
    const int64_t few = 3, units[3] = {0};
    struct tch_scope *s = tch_scope_begin(&recording);
    struct tch_dropout d = {.seed = 1, .p = 0.5, .unit_ids = tch_from_data(s, units, TCH_INT64, &few, 1)};
    assert_null(tch_dropout(s, ones(s, ROWS, WIDTH), &d, 1));
    assert_string_equal(tch_scope_error(s), "tch_dropout: dropout needs one int64 unit id for each of 70 rows");
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    s = tch_scope_begin(&recording);
    d.p = 1;
    assert_null(tch_dropout(s, ones(s, 3, WIDTH), &d, 1));
    assert_string_equal(tch_scope_error(s), "tch_dropout: dropout needs p below 1, not 1");
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
}

/* A small training step; its loss and all gradients go to out. */
static int64_t a_step(float *out)
{
    static const int32_t cu[] = {0, 31, 32, ROWS};
    static const int64_t sizes[][2] = {{3 * WIDTH, WIDTH}, {3 * WIDTH, 0}, {400, WIDTH}, {400, 0},
                                       {WIDTH, 400},       {WIDTH, 0},     {WIDTH, 0}};
    enum { COUNT = sizeof sizes / sizeof *sizes };
    struct tch_tensor *p[COUNT] = {NULL};
    float *values = malloc(400 * WIDTH * sizeof *values);
    assert_non_null(values);
    for (int i = 0; i < COUNT; i++) {
        int64_t n = sizes[i][0] * (sizes[i][1] ? sizes[i][1] : 1);
        for (int64_t k = 0; k < n; k++)
            values[k] = (float)sin((double)(k * (i + 3)) * 0.7);
        assert_int_equal(tch_parameter_new(&p[i], values, sizes[i], sizes[i][1] ? 2 : 1, (struct tch_device){false, 0}),
                         TCH_OK);
    }
    int64_t units[ROWS], rows = ROWS;
    for (int64_t i = 0; i < ROWS; i++)
        units[i] = i;
    struct tch_scope *s = tch_scope_begin(&recording);
    const struct tch_dropout d = {
        .seed = 3, .step = 1, .p = 0.1, .unit_ids = tch_from_data(s, units, TCH_INT64, &rows, 1)};
    const struct tch_seqlens lens = {.cu = cu, .count = 3, .max_length = 38};
    struct tch_tensor *x = tch_from_data(s, values, TCH_FLOAT32, shape, 2);
    struct tch_tensor *h = tch_attention(s, tch_linear(s, x, p[0], p[1]), &lens, HEADS, &d, 1);
    x = tch_dropout_add_layer_norm(s, h, x, p[5], p[6], 1e-12, &d, 2);
    h = tch_linear(s, tch_linear_act(s, x, p[2], p[3], TCH_ACT_GELU), p[4], p[5]);
    x = tch_tanh(s, tch_dropout_add_layer_norm(s, h, x, p[5], p[6], 1e-12, &d, 3));
    struct tch_tensor *loss = tch_sum(s, tch_mul(s, x, x));
    tch_backward(s, loss);
    int64_t at = 1;
    assert_int_equal(tch_copy_out(loss, TCH_FLOAT32, out, sizeof *out), TCH_OK);
    for (int i = 0; i < COUNT; i++) {
        int64_t n = tch_numel(p[i]);
        assert_int_equal(tch_copy_out(tch_parameter_grad(p[i]), TCH_FLOAT32, out + at, (size_t)n * sizeof *out),
                         TCH_OK);
        at += n;
    }
    assert_int_equal(tch_scope_end(s), TCH_OK);
    for (int i = 0; i < COUNT; i++)
        tch_tensor_free(p[i]);
    free(values);
    return at;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { ROOM = 200000 };
    float *one = calloc(ROOM, sizeof *one), *other = calloc(ROOM, sizeof *other);
    assert_non_null(one);
    assert_non_null(other);
    assert_int_equal(tch_init(1, true), TCH_OK);
    int64_t count = a_step(one);
    assert_true(count < ROOM && isfinite(one[0]));
    for (int threads = 1; threads <= 5; threads++) {
        assert_int_equal(tch_init(threads, true), TCH_OK);
        assert_int_equal(a_step(other), count);
        assert_memory_equal(one, other, (size_t)count * sizeof *one);
    }
    free(one);
    free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mask_belongs_to_the_unit_not_to_its_place),
        cmocka_unit_test(every_part_of_the_key_matters),
        cmocka_unit_test(share_and_scale),
        cmocka_unit_test(identity_where_it_must_be),
        cmocka_unit_test(wrong_use_is_an_error),
        cmocka_unit_test(bits_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
