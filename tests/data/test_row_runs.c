/* Row ids in runs: what goes in comes out, and ids that stand there twice are known, as a list of them knows it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/row_runs.h"

enum { IDS_MAX = 4000, ID_BYTES = 32 };

struct ids {
    char texts[IDS_MAX][ID_BYTES];
    size_t count;
};

static int take(void *arg, uint64_t row, const char *id, size_t length)
{
    const struct ids *ids = arg;
    assert_true(row < ids->count && strlen(id) == length);
    assert_string_equal(id, ids->texts[row]);
    return 0;
}

static bool add_all(struct row_runs *runs, const struct ids *ids)
{
    bool fits = true;
    for (size_t i = 0; fits && i < ids->count; i++) {
        assert_int_equal(row_runs_add(runs, ids->texts[i], strlen(ids->texts[i]), &fits), 0);
    }
    return fits;
}

static void ids_come_back(void **state)
{
    (void)state;
    static const char *const shapes[] = {"7",
                                         "8",
                                         "9",
                                         "10",
                                         "a.csv:0",
                                         "a.csv:1",
                                         "a.csv:01",
                                         "x00",
                                         "x01",
                                         "x1",
                                         "x2",
                                         "x02",
                                         "",
                                         "no number",
                                         "0",
                                         "00",
                                         "000",
                                         "1e5",
                                         "-3",
                                         "999999999999999999",
                                         "1000000000000000000",
                                         "123456789012345678901"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
            struct row_runs runs = {0};
            struct ids *ids = calloc(1, sizeof *ids);
            bool distinct;
            ids->count = 2;
            snprintf(ids->texts[0], ID_BYTES, "%s", shapes[i]);
            snprintf(ids->texts[1], ID_BYTES, "%s", shapes[k]);
            if (add_all(&runs, ids)) {
                assert_int_equal(row_runs_each(&runs, take, ids), 0);
                assert_int_equal(row_runs_are_distinct(&runs, &distinct), 0);
                assert_int_equal(distinct, i != k);
            }
            row_runs_release(&runs);
            free(ids);
        }
    }
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(left, right);
}

static bool are_distinct(const struct ids *ids)
{
    struct ids *sorted = malloc(sizeof *sorted);
    bool distinct = true;
    memcpy(sorted, ids, sizeof *sorted);
    qsort(sorted->texts, sorted->count, ID_BYTES, compare_texts);
    for (size_t i = 1; i < sorted->count; i++) {
        distinct = distinct && strcmp(sorted->texts[i - 1], sorted->texts[i]) != 0;
    }
    free(sorted);
    return distinct;
}

/* Stretches at random of a few prefixes, in parts as a reader takes them over. */
static void stretches_at_random(void **state)
{
    (void)state;
    static const char *const prefixes[] = {"", "a:", "a:0", "b-1.csv:"};
    struct ids *ids = calloc(1, sizeof *ids);
    size_t seen[2] = {0, 0};
    srand(3);
    for (int turn = 0; turn < 400; turn++) {
        struct row_runs all = {0};
        struct row_runs part = {0};
        struct text_store store = {0};
        bool distinct;
        bool fits = true;
        size_t stretches = 1 + (size_t)rand() % 6;
        ids->count = 0;
        for (size_t s = 0; s < stretches; s++) {
            const char *prefix = prefixes[rand() % 4];
            unsigned first = (unsigned)rand() % 3000;
            unsigned length = 1 + (unsigned)rand() % 300;
            for (unsigned i = 0; i < length; i++) {
                snprintf(ids->texts[ids->count++], ID_BYTES, "%s%u", prefix, first + i);
            }
        }
        for (size_t i = 0; i < ids->count; i++) {
            assert_int_equal(row_runs_add(&part, ids->texts[i], strlen(ids->texts[i]), &fits), 0);
            assert_true(fits);
            if (rand() % 50 == 0 || i + 1 == ids->count) {
                assert_int_equal(row_runs_append(&all, &store, &part, &fits), 0);
                assert_true(fits);
                row_runs_clear(&part);
            }
        }
        assert_int_equal(all.rows, ids->count);
        assert_true(all.count <= stretches);
        assert_int_equal(row_runs_each(&all, take, ids), 0);
        assert_int_equal(row_runs_are_distinct(&all, &distinct), 0);
        assert_int_equal(distinct, are_distinct(ids));
        seen[distinct]++;
        row_runs_release(&all);
        row_runs_release(&part);
        text_store_release(&store);
    }
    assert_true(seen[0] > 20 && seen[1] > 20);
    free(ids);
}

static void what_is_no_run_is_said(void **state)
{
    (void)state;
    struct row_runs runs = {0};
    bool fits = true;
    size_t added = 0;
    static char ids[10000][ID_BYTES]; /* the runs borrow them */
    for (unsigned i = 0; fits && i < 10000; i++) {
        int length = snprintf(ids[i], ID_BYTES, "%u", i * 7919 % 10007);
        assert_int_equal(row_runs_add(&runs, ids[i], (size_t)length, &fits), 0);
        added += fits;
    }
    assert_false(fits);
    assert_true(added < 100);
    row_runs_release(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(stretches_at_random),
        cmocka_unit_test(what_is_no_run_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
