#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "core/err.h"

static void set_and_prepend(void **state)
{
    (void)state;
    assert_int_equal(err_set(RECO_E_DATA, "label '%s' is not one of 'no'", "yes"), RECO_E_DATA);
    assert_int_equal(err_prepend(RECO_E_DATA, "cannot parse '%s' line %d", "train.csv", 128), RECO_E_DATA);
    assert_string_equal(err_message(), "cannot parse 'train.csv' line 128: label 'yes' is not one of 'no'");
    err_clear();
    assert_string_equal(err_message(), "");
}

static void errno_decides_the_code(void **state)
{
    (void)state;
    errno = ENOSPC;
    assert_int_equal(err_set_errno("cannot write '%s'", "x"), RECO_E_IO);
    assert_string_equal(err_message(), "cannot write 'x': No space left on device");
    errno = ENOMEM;
    assert_int_equal(err_set_errno("cannot map 'x'"), RECO_E_NOMEM);
    assert_int_equal(err_nomem(), RECO_E_NOMEM);
    assert_string_equal(err_message(), "out of memory");
}

static void arguments_may_be_the_message_itself(void **state)
{
    (void)state;
    err_set(RECO_E_DATA, "inner");
    err_set(RECO_E_DATA, "outer: %s", err_message());
    assert_string_equal(err_message(), "outer: inner");
    err_prepend(RECO_E_DATA, "%s", err_message());
    assert_string_equal(err_message(), "outer: inner: outer: inner");
}

static void a_message_is_one_printable_line(void **state)
{
    (void)state;
    err_set(RECO_E_DATA, "label 'a\nb\x1b[31m\tc'");
    assert_string_equal(err_message(), "label 'a b?[31m c'");
}

/* Cut with "...", never inside a UTF-8 sequence. */
static void long_messages_are_cut(void **state)
{
    (void)state;
    char text[10000];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        err_set(RECO_E_DATA, "%s", text);
        size_t length = strlen(err_message());
        assert_in_range(length, 4000, 4095);
        assert_string_equal(err_message() + length - 3, "...");
        assert_int_equal((length - 3 - shift) % 3, 0);
        err_prepend(RECO_E_DATA, "file");
        assert_memory_equal(err_message(), "file: ", 6);
    }
}

static void *other_thread(void *arg)
{
    (void)arg;
    err_set(RECO_E_IO, "theirs");
    return NULL;
}

static void messages_are_per_thread(void **state)
{
    (void)state;
    pthread_t thread;
    err_set(RECO_E_IO, "mine");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(err_message(), "mine");
}

/* README's table. */
static void exit_statuses(void **state)
{
    (void)state;
    static const int expected[][2] = {{RECO_OK, 0},          {RECO_E_GATE, 1},   {RECO_E_USAGE, 2},
                                      {RECO_E_DATA, 3},      {RECO_E_IO, 4},     {RECO_E_DIVERGED, 5},
                                      {RECO_E_MODEL, 6},     {RECO_E_NOMEM, 70}, {RECO_E_INTERNAL, 70},
                                      {RECO_E_STOPPED, 130}, {-1000, 70}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(err_exit_status(expected[i][0]), expected[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_prepend),
        cmocka_unit_test(errno_decides_the_code),
        cmocka_unit_test(arguments_may_be_the_message_itself),
        cmocka_unit_test(a_message_is_one_printable_line),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(messages_are_per_thread),
        cmocka_unit_test(exit_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
