/* Counts on real data against plain Python: tests/reference/doctor/real.json, by scripts/reference/doctor.py. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "data/doctor.h"

enum { FILES = 3 };

static json_t *number(const json_t *json, const char *key)
{
    json_t *value = json_object_get(json, key);

    assert_non_null(value);
    return value;
}

static void same(const json_t *want, const json_t *got)
{
    double a = json_number_value(want), b = json_number_value(got);

    assert_true(json_is_number(got));
    if (fabs(a - b) > 1e-9 * fabs(a))
        fail_msg("%.17g instead of %.17g", b, a);
}

static long long count_of(const json_t *report, const char *rule)
{
    long long count = 0;
    size_t i;
    json_t *finding;

    json_array_foreach(json_object_get(report, "findings"), i, finding)
    {
        if (strcmp(json_string_value(json_object_get(finding, "rule")), rule) == 0)
            count += json_integer_value(json_object_get(finding, "count"));
    }
    return count;
}

static void compare(const json_t *want, const json_t *report)
{
    static const char *const rules[] = {"contradictions", "duplicate_rows", "query_spellings"};
    static const char *const item_keys[] = {"gini", "top_percent_share"};
    static const char *const lengths[] = {"mean", "p50", "p99", "max"};
    size_t i;
    json_t *value;

    for (i = 0; i < sizeof rules / sizeof *rules; i++)
        assert_int_equal(count_of(report, rules[i]), json_integer_value(number(want, rules[i])));
    json_array_foreach(json_object_get(want, "rows"), i, value)
    {
        same(value, number(json_array_get(json_object_get(report, "files"), i), "rows"));
        same(json_array_get(json_object_get(want, "queries"), i),
             number(json_array_get(json_object_get(report, "queries"), i), "queries"));
    }
    json_array_foreach(json_object_get(want, "pair_rows"), i, value)
    {
        const json_t *overlap = json_array_get(json_object_get(report, "overlap"), i);
        same(value, number(overlap, "pair_rows"));
        same(json_array_get(json_object_get(want, "query_rows"), i), number(overlap, "query_rows"));
    }
    same(number(want, "items"), number(number(report, "items"), "items"));
    for (i = 0; i < sizeof item_keys / sizeof *item_keys; i++)
        same(number(want, item_keys[i]), number(number(report, "items"), item_keys[i]));
    for (i = 0; i < sizeof lengths / sizeof *lengths; i++)
        same(number(number(want, "query_characters"), lengths[i]),
             number(number(json_array_get(json_object_get(report, "texts"), 0), "characters"), lengths[i]));
}

static void real_data(void **state)
{
    const char *dir = getenv("RECO_DATA_DIR");
    json_t *sets = json_load_file(RECO_SOURCE_DIR "/tests/reference/doctor/real.json", 0, NULL), *set;
    size_t i, f, compared = 0;

    (void)state;
    assert_non_null(sets);
    json_array_foreach(sets, i, set)
    {
        const json_t *files = json_object_get(set, "files");
        const struct doctor_options o = {.guess = true, .threads = 2, .max_memory = 16 << 20};
        struct doctor_input inputs[FILES];
        char paths[FILES][512];
        json_t *report = NULL, *name;
        bool found = true;
        json_array_foreach(files, f, name)
        {
            assert_true(f < FILES);
            (void)snprintf(paths[f], sizeof paths[f], "%s/%s", dir != NULL ? dir : RECO_SOURCE_DIR "/../shared/data",
                           json_string_value(name));
            inputs[f] = (struct doctor_input){.path = paths[f]};
            found = found && file_exists(paths[f]);
        }
        if (!found)
            continue;
        assert_int_equal(doctor_run(&report, inputs, json_array_size(files), &o, NULL), 0);
        compare(set, report);
        json_decref(report);
        compared++;
    }
    json_decref(sets);
    if (compared == 0) {
        print_message("skipped: no real data ($RECO_DATA_DIR)\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(real_data)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
