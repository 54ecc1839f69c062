/* Real CSV files all the way to model input, against transformers: tests/reference/dataset_pairs.tsv. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "prepare_util.h"

enum { MAX_LENGTH = 128, NAME_BYTES = 160 };

struct reference {
    char file[NAME_BYTES], query[NAME_BYTES], descriptions[NAME_BYTES], label[NAME_BYTES], truncation[NAME_BYTES];
    size_t max_length, rows;
    uint64_t hash;
};

static struct wordpiece *minilm;
static const char *data_dir;

static bool read_reference(FILE *f, struct reference *r)
{
    return fscanf(f, "%159s %159s %159s %159s %159s %zu %zu %" SCNx64, r->file, r->query, r->descriptions, r->label,
                  r->truncation, &r->max_length, &r->rows, &r->hash) == 8;
}

static uint64_t add_fnv(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *p = bytes;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void prepare_file(struct reference *r)
{
    struct prepare_options o = util_options();
    static char *descriptions[8];
    char *path = mem_printf("%s/%s", data_dir, r->file);
    struct prepare_summary summary;
    size_t count = 0;

    assert_non_null(path);
    for (char *at = r->descriptions; at != NULL && count < 8; at = strchr(at, ',')) {
        if (*at == ',')
            *at++ = '\0';
        descriptions[count++] = at;
    }
    o.train_file = util_file(path);
    o.query_column = r->query;
    o.description_column = (struct opt_list){.items = descriptions, .count = count};
    o.label_column = r->label;
    o.threads = 2;
    if (prepare_run(&o, minilm, NULL, util_path("ds"), &summary) != 0)
        fail_msg("%s", err_message());
    assert_int_equal(summary.rows_kept, r->rows);
    assert_int_equal(summary.rows_bad, 0);
    mem_free(path);
}

static void check_reference(const struct reference *r)
{
    enum wordpiece_truncation strategy =
        strcmp(r->truncation, "only_second") == 0 ? WORDPIECE_ONLY_SECOND : WORDPIECE_LONGEST_FIRST;
    int32_t ids[MAX_LENGTH], types[MAX_LENGTH];
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    struct dataset *ds = NULL;

    assert_int_equal(dataset_open(&ds, util_path("ds")), 0);
    const struct dataset_split *split = dataset_split_at(ds, 0);
    assert_int_equal(dataset_rows(split), r->rows);
    for (size_t row = 0; row < r->rows; row++) {
        size_t length, lost;
        assert_int_equal(dataset_encode(split, row, r->max_length, strategy, ids, types, &length, &lost), 0);
        hash = add_fnv(hash, ids, length * sizeof *ids);
        for (size_t i = 0; i < length; i++) {
            unsigned char type = (unsigned char)types[i];
            hash = add_fnv(hash, &type, 1);
        }
        hash = add_fnv(hash, "\xff", 1);
    }
    print_message("%s %s %zu: %zu rows\n", r->file, r->truncation, r->max_length, r->rows);
    assert_true(hash == r->hash);
    dataset_close(ds);
}

static void test_pairs_as_transformers_encodes_them(void **state)
{
    FILE *f = fopen(RECO_SOURCE_DIR "/tests/reference/dataset_pairs.tsv", "r");
    struct reference r;
    char prepared[NAME_BYTES] = "";
    int checked = 0;

    (void)state;
    assert_non_null(f);
    while (read_reference(f, &r)) {
        char *path = mem_printf("%s/%s", data_dir, r.file);
        bool there = file_exists(path);
        mem_free(path);
        if (!there)
            continue;
        if (strcmp(prepared, r.file) != 0)
            prepare_file(&r);
        snprintf(prepared, sizeof prepared, "%s", r.file);
        check_reference(&r);
        checked++;
    }
    fclose(f);
    assert_true(checked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pairs_as_transformers_encodes_them)};
    const char *model = getenv("RECO_MINILM_DIR");

    data_dir = getenv("RECO_DATA_DIR");
    data_dir = data_dir != NULL ? data_dir : RECO_SOURCE_DIR "/../shared/data";
    model = model != NULL ? model : RECO_SOURCE_DIR "/models/minilm";
    if (!dir_exists(data_dir) || wordpiece_open_dir(&minilm, model, false) != 0) {
        printf("skipped: needs the real files in '%s' and MiniLM's vocabulary in '%s'\n", data_dir, model);
        return 77;
    }
    int failed = cmocka_run_group_tests(tests, util_setup, util_teardown);
    wordpiece_close(minilm);
    return failed;
}
