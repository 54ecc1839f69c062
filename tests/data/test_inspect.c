/* inspect_dir where memory runs out; what it says of good and damaged directories is in tests/cli/inspect-*. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "data/inspect.h"

static void test_torture(void **state)
{
    static const struct {
        const char *dir, *kind;
    } cases[] = {
        {RECO_SOURCE_DIR "/tests/reference/bert_tiny", "model"},
        {RECO_SOURCE_DIR "/tests/cli/inspect-run/in/run", "run"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = NULL;
        long n = 0;
        int rc;
        do {
            assert_null(json);
            mem_fail_after(++n);
            rc = inspect_dir(&json, cases[i].dir);
            mem_fail_after(0);
            assert_true(rc == 0 || rc == RECO_E_NOMEM);
        } while (rc != 0);
        assert_true(n > 5);
        assert_string_equal(json_string_value(json_object_get(json, "kind")), cases[i].kind);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_torture)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
