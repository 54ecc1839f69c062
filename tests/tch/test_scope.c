/* Scopes: the sticky error, ownership, the gradient mode, messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tch/tch.h"

static const struct tch_scope_options plain = {.grad = false, .compute = TCH_FLOAT32};
static const struct tch_scope_options recording = {.grad = true, .compute = TCH_FLOAT32};

/* The smallest training program: y = x w^T, loss = sum y. */
static void gradient_of_a_linear_map(void **state)
{
    (void)state;
    const float wv[6] = {1, 2, 3, 4, 5, 6}, xv[3] = {1, 10, 100};
    const int64_t ws[2] = {2, 3}, xs[2] = {1, 3};
    struct tch_tensor *w = NULL;
    assert_int_equal(tch_parameter_new(&w, wv, ws, 2, (struct tch_device){false, 0}), TCH_OK);
    struct tch_scope *s = tch_scope_begin(&recording);
    struct tch_tensor *y = tch_linear(s, tch_from_data(s, xv, TCH_FLOAT32, xs, 2), w, NULL);
    tch_backward(s, tch_sum(s, y));
    float out[2], grad[6];
    assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, sizeof out), TCH_OK);
    assert_true(out[0] == 321 && out[1] == 654);
    assert_int_equal(tch_copy_out(tch_parameter_grad(w), TCH_FLOAT32, grad, sizeof grad), TCH_OK);
    assert_true(grad[0] == 1 && grad[1] == 10 && grad[2] == 100 && grad[5] == 100);
    assert_int_equal(tch_scope_end(s), TCH_OK);
    tch_tensor_free(w);
}

static void first_error_sticks(void **state)
{
    (void)state;
    const int64_t a_shape[2] = {2, 3}, b_shape[2] = {4, 5};
    struct tch_scope *s = tch_scope_begin(&plain);
    struct tch_tensor *a = tch_zeros(s, TCH_FLOAT32, a_shape, 2), *b = tch_zeros(s, TCH_FLOAT32, b_shape, 2);
    assert_non_null(a);
    assert_null(tch_linear(s, a, b, NULL));
    char first[512];
    snprintf(first, sizeof first, "%s", tch_scope_error(s));
    assert_null(tch_add(s, a, a));
    assert_null(tch_zeros(s, TCH_FLOAT32, a_shape, 2));
    tch_scope_fail(s, TCH_E_NOMEM, "later");
    assert_string_equal(tch_scope_error(s), first);
    assert_null(strchr(first, '\n'));
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    assert_string_equal(tch_last_error(), first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_of_a_linear_map),
        cmocka_unit_test(first_error_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
