/* Scopes: the sticky error, NULL, ownership, the gradient mode, messages, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tch/tch.h"

/* The test of out of memory asks for more than AddressSanitizer would let pass. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static const struct tch_scope_options plain = {.grad = false, .compute = TCH_FLOAT32};
static const struct tch_scope_options recording = {.grad = true, .compute = TCH_FLOAT32};
static const int64_t two_by_three[2] = {2, 3};

static struct tch_tensor *new_parameter(void)
{
    const float values[6] = {1, 2, 3, 4, 5, 6};
    struct tch_tensor *w = NULL;
    assert_int_equal(tch_parameter_new(&w, values, two_by_three, 2, (struct tch_device){false, 0}), TCH_OK);
    return w;
}

/* The smallest training program: y = x w^T, loss = sum y. */
static void gradient_of_a_linear_map(void **state)
{
    (void)state;
    const float xv[3] = {1, 10, 100};
    const int64_t xs[2] = {1, 3};
    struct tch_tensor *w = new_parameter();
    struct tch_scope *s = tch_scope_begin(&recording);
    struct tch_tensor *y = tch_linear(s, tch_from_data(s, xv, TCH_FLOAT32, xs, 2), w, NULL);
    tch_backward(s, tch_sum(s, y));
    float out[2], grad[6];
    assert_int_equal(tch_copy_out(y, TCH_FLOAT32, out, sizeof out), TCH_OK);
    assert_true(out[0] == 321 && out[1] == 654);
    assert_int_equal(tch_copy_out(tch_parameter_grad(w), TCH_FLOAT32, grad, sizeof grad), TCH_OK);
    assert_true(grad[0] == 1 && grad[1] == 10 && grad[2] == 100 && grad[5] == 100);
    assert_int_equal(tch_scope_end(s), TCH_OK);
    assert_string_equal(tch_last_error(), "");
    tch_tensor_free(w);
}

static void first_error_sticks(void **state)
{
    (void)state;
    const int64_t other[2] = {4, 5};
    struct tch_scope *s = tch_scope_begin(&plain);
    struct tch_tensor *a = tch_zeros(s, TCH_FLOAT32, two_by_three, 2), *b = tch_zeros(s, TCH_FLOAT32, other, 2);
    assert_non_null(a);
    assert_null(tch_linear(s, a, b, NULL));
    char first[512];
    snprintf(first, sizeof first, "%s", tch_scope_error(s));
    assert_null(tch_add(s, a, a));
    assert_null(tch_zeros(s, TCH_FLOAT32, two_by_three, 2));
    tch_scope_fail(s, TCH_E_NOMEM, "later");
    tch_backward(s, a);
    assert_string_equal(tch_scope_error(s), first);
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    assert_string_equal(tch_last_error(), first);
}

/* libtorch's messages carry a C++ backtrace and source positions; ours name the call, in one line. */
static void messages_are_one_clean_line(void **state)
{
    (void)state;
    const int64_t other[2] = {4, 5}, row = 7;
    for (int i = 0; i < 4; i++) {
        struct tch_scope *s = tch_scope_begin(&recording);
        struct tch_tensor *a = tch_zeros(s, TCH_FLOAT32, two_by_three, 2), *b = tch_zeros(s, TCH_FLOAT32, other, 2);
        static const char *const names[4] = {"tch_add: ", "tch_linear: ", "tch_index_rows: ", "tch_backward: "};
        if (i == 0)
            tch_add(s, a, b);
        else if (i == 1)
            tch_linear(s, a, b, NULL);
        else if (i == 2)
            tch_index_rows(s, a, tch_from_data(s, &row, TCH_INT64, (const int64_t[]){1}, 1));
        else
            tch_backward(s, a);
        assert_int_equal(tch_scope_status(s), TCH_E_MODEL);
        const char *message = tch_scope_error(s);
        assert_ptr_equal(strstr(message, names[i]), message);
        assert_null(strchr(message, '\n'));
        assert_null(strstr(message, ".cpp"));
        assert_null(strstr(message, "frame #"));
        assert_true(strlen(message) > strlen(names[i]) + 10);
        assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    }
}

static void null_goes_through(void **state)
{
    (void)state;
    struct tch_scope *s = tch_scope_begin(&plain);
    struct tch_tensor *a = tch_zeros(s, TCH_FLOAT32, two_by_three, 2);
    assert_null(tch_add(s, a, NULL));
    assert_string_equal(tch_scope_error(s), "tch_add: an input is missing");
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    /* Without a scope, as after a failed tch_scope_begin, every call still answers. */
    assert_null(tch_zeros(NULL, TCH_FLOAT32, two_by_three, 2));
    assert_null(tch_sum(NULL, NULL));
    assert_null(tch_keep(NULL, NULL));
    tch_backward(NULL, NULL);
    tch_scope_clear(NULL);
    tch_scope_release(NULL, 0, NULL);
    tch_scope_fail(NULL, TCH_E_MODEL, "nothing to fail");
    assert_int_equal(tch_scope_end(NULL), TCH_E_NOMEM);
    assert_int_equal(tch_scope_status(NULL), TCH_E_NOMEM);
    assert_int_equal(tch_dims(NULL), -1);
    assert_int_equal(tch_size(NULL, 0), -1);
    assert_int_equal(tch_numel(NULL), 0);
    assert_null(tch_parameter_grad(NULL));
    tch_parameter_zero_grad(NULL);
    tch_parameter_set_trainable(NULL, true);
    tch_tensor_free(NULL);
    tch_adamw_free(NULL);
    float value;
    assert_int_equal(tch_copy_out(NULL, TCH_FLOAT32, &value, sizeof value), TCH_E_MODEL);
    assert_string_equal(tch_last_error(), "tch_copy_out: an input is missing");
}

static void kept_tensors_outlive_their_scope(void **state)
{
    (void)state;
    const float values[6] = {1, 2, 3, 4, 5, 6};
    struct tch_scope *s = tch_scope_begin(&plain), *inner = tch_scope_begin(&plain);
    struct tch_tensor *first = tch_from_data(s, values, TCH_FLOAT32, two_by_three, 2);
    struct tch_tensor *second = tch_add(s, first, first), *third = tch_add(s, second, first);
    assert_null(tch_keep(inner, first)); /* not its scope */
    assert_int_equal(tch_scope_end(inner), TCH_OK);
    assert_ptr_equal(tch_keep(s, first), first); /* from the middle of the list */
    assert_null(tch_keep(s, first));
    assert_ptr_equal(tch_keep(s, third), third);
    assert_non_null(tch_add(s, second, first));
    assert_int_equal(tch_scope_end(s), TCH_OK);
    float out[6];
    assert_int_equal(tch_copy_out(third, TCH_FLOAT32, out, sizeof out), TCH_OK);
    assert_true(out[0] == 3 && out[5] == 18);
    tch_tensor_free(first);
    tch_tensor_free(third);
}

static void released_tensors_leave_the_one_named(void **state)
{
    (void)state;
    const float values[6] = {1, 2, 3, 4, 5, 6};
    struct tch_scope *s = tch_scope_begin(&recording);
    struct tch_tensor *w = new_parameter(), *x = tch_from_data(s, values, TCH_FLOAT32, two_by_three, 2);
    const size_t mark = tch_scope_mark(s);
    struct tch_tensor *h = x;
    for (int layer = 0; layer < 3; layer++)
        h = tch_tanh(s, tch_mul(s, h, w));
    tch_scope_release(s, mark, h);
    assert_int_equal(tch_scope_mark(s), mark + 1);
    tch_backward(s, tch_sum(s, h)); /* what backward needs is still there */
    assert_non_null(tch_parameter_grad(w));
    tch_scope_clear(s);
    assert_int_equal(tch_scope_mark(s), 0);
    assert_int_equal(tch_scope_end(s), TCH_OK);
    tch_tensor_free(w);
}

static bool records(struct tch_scope *s, struct tch_tensor *w)
{
    tch_parameter_zero_grad(w);
    tch_backward(s, tch_sum(s, w));
    return tch_scope_status(s) == TCH_OK;
}

/* What a model function with an early return does: its scope ends, and the caller's mode is back. */
static int failing_helper(void)
{
    const int64_t other[2] = {4, 5};
    struct tch_scope *s = tch_scope_begin(&plain);
    tch_add(s, tch_zeros(s, TCH_FLOAT32, two_by_three, 2), tch_zeros(s, TCH_FLOAT32, other, 2));
    return tch_scope_end(s);
}

static void gradient_mode_belongs_to_the_scope(void **state)
{
    (void)state;
    struct tch_tensor *w = new_parameter();
    struct tch_scope *outer = tch_scope_begin(&recording);
    assert_int_equal(failing_helper(), TCH_E_MODEL);
    assert_true(records(outer, w));
    struct tch_scope *s = tch_scope_begin(&plain);
    struct tch_scope *left_open = tch_scope_begin(&recording);
    assert_int_equal(tch_scope_end(left_open), TCH_OK);
    assert_false(records(s, w));
    assert_int_equal(tch_scope_end(s), TCH_E_MODEL);
    assert_true(records(outer, w));
    assert_int_equal(tch_scope_end(outer), TCH_OK);
    tch_tensor_free(w);
}

static void frozen_parameters_get_no_gradient(void **state)
{
    (void)state;
    struct tch_tensor *w = new_parameter(), *frozen = new_parameter();
    tch_parameter_set_trainable(frozen, false);
    struct tch_scope *s = tch_scope_begin(&recording);
    tch_backward(s, tch_sum(s, tch_linear(s, tch_linear(s, w, frozen, NULL),
                                          tch_zeros(s, TCH_FLOAT32, (const int64_t[]){2, 2}, 2), NULL)));
    assert_int_equal(tch_scope_end(s), TCH_OK);
    assert_non_null(tch_parameter_grad(w));
    assert_null(tch_parameter_grad(frozen));
    tch_tensor_free(w);
    tch_tensor_free(frozen);
}

static void out_of_memory_has_its_code(void **state)
{
    (void)state;
    const int64_t huge[2] = {INT64_C(1) << 24, INT64_C(1) << 22}; /* 256 TiB: more than the address space */
    struct tch_scope *s = tch_scope_begin(&plain);
    assert_null(tch_zeros(s, TCH_FLOAT32, huge, 2));
    assert_int_equal(tch_scope_status(s), TCH_E_NOMEM);
    assert_string_equal(tch_scope_error(s),
                        "tch_zeros: out of host memory; a smaller batch or sequence length needs less");
    assert_int_equal(tch_scope_end(s), TCH_E_NOMEM);
}

static void data_goes_in_and_out(void **state)
{
    (void)state;
    const double values[6] = {0, 1, 2, 253, 254, 255};
    static const enum tch_dtype types[] = {TCH_FLOAT32, TCH_FLOAT64, TCH_BFLOAT16, TCH_FLOAT16,
                                           TCH_INT32,   TCH_INT64,   TCH_UINT8};
    struct tch_scope *s = tch_scope_begin(&plain);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct tch_tensor *t = tch_to_dtype(s, tch_from_data(s, values, TCH_FLOAT64, two_by_three, 2), types[i]);
        assert_int_equal(tch_dtype_of(t), types[i]);
        unsigned char raw[48];
        double out[6];
        assert_int_equal(tch_copy_out(t, types[i], raw, 6 * tch_dtype_bytes(types[i])), TCH_OK);
        struct tch_tensor *back = tch_zeros(s, TCH_FLOAT64, two_by_three, 2);
        assert_int_equal(tch_copy_in(back, types[i], raw, 6 * tch_dtype_bytes(types[i])), TCH_OK);
        assert_int_equal(tch_copy_out(back, TCH_FLOAT64, out, sizeof out), TCH_OK);
        assert_memory_equal(out, values, sizeof out);
    }
    struct tch_tensor *t = tch_zeros(s, TCH_FLOAT32, two_by_three, 2);
    assert_int_equal(tch_size(t, -1), 3);
    assert_int_equal(tch_size(t, 2), -1);
    float small[2];
    assert_int_equal(tch_copy_out(t, TCH_FLOAT32, small, sizeof small), TCH_E_MODEL);
    assert_string_equal(tch_last_error(), "tch_copy_out: the buffer has 8 bytes, the tensor 24");
    struct tch_tensor *total = tch_keep(s, tch_zeros(s, TCH_FLOAT64, two_by_three, 2));
    for (int i = 0; i < 3; i++)
        tch_accumulate(s, total, tch_from_data(s, values, TCH_FLOAT64, two_by_three, 2));
    double sum[6];
    assert_int_equal(tch_copy_out(total, TCH_FLOAT64, sum, sizeof sum), TCH_OK);
    assert_true(sum[1] == 3 && sum[5] == 765);
    assert_int_equal(tch_scope_end(s), TCH_OK);
    tch_tensor_free(total);
}

static void the_library_describes_itself(void **state)
{
    (void)state;
    assert_string_equal(tch_version(), "2.11.0");
    assert_true(strlen(tch_cpu_capability()) > 3);
    if (tch_cuda_count() == 0) {
        char text[128];
        assert_int_equal(tch_cuda_describe(0, text, sizeof text), TCH_E_MODEL);
        assert_string_equal(tch_last_error(), "tch_cuda_describe: there is no CUDA device 0");
        assert_int_equal(tch_cuda_load(0), TCH_E_MODEL);
        assert_int_equal(tch_cuda_synchronize(), TCH_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_of_a_linear_map),           cmocka_unit_test(first_error_sticks),
        cmocka_unit_test(messages_are_one_clean_line),        cmocka_unit_test(null_goes_through),
        cmocka_unit_test(kept_tensors_outlive_their_scope),   cmocka_unit_test(released_tensors_leave_the_one_named),
        cmocka_unit_test(gradient_mode_belongs_to_the_scope), cmocka_unit_test(frozen_parameters_get_no_gradient),
        cmocka_unit_test(out_of_memory_has_its_code),         cmocka_unit_test(data_goes_in_and_out),
        cmocka_unit_test(the_library_describes_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
