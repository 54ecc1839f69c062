/* Safetensors: what the library wrote is read and written again; what is damaged is refused by name. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/safetensors.h"

#define TINY RECO_SOURCE_DIR "/tests/reference/bert_tiny/model.safetensors"

static char folder[32];
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    /* In memory where that is possible: thousands of files are written. */
    snprintf(folder, sizeof folder, "/dev/shm/reco-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        snprintf(folder, sizeof folder, "/tmp/reco-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            return -1;
        }
    }
    snprintf(path, sizeof path, "%s/x.safetensors", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void write_bytes(const void *bytes, size_t length)
{
    assert_int_equal(file_write_all(path, bytes, length), 0);
}

/* A file of that header and so many bytes of data. */
static void write_file(const char *header, size_t data_bytes)
{
    uint64_t length = strlen(header);
    struct buf b = {0};
    char zeros[64] = {0};

    assert_true(data_bytes <= sizeof zeros);
    assert_int_equal(buf_add(&b, &length, sizeof length), 0);
    assert_int_equal(buf_add(&b, header, length), 0);
    assert_int_equal(buf_add(&b, zeros, data_bytes), 0);
    write_bytes(b.data, b.length);
    buf_release(&b);
}

static void assert_refused(const char *part)
{
    struct safetensors *st = NULL;
    int rc = safetensors_open(&st, path);

    assert_int_equal(rc, RECO_E_MODEL);
    assert_null(st);
    assert_non_null(strstr(err_message(), path));
    if (strstr(err_message(), part) == NULL) {
        fail_msg("'%s' lacks '%s'", err_message(), part);
    }
    assert_null(strchr(err_message(), '\n'));
}

static void test_reads_the_library(void **state)
{
    struct safetensors *st = NULL;
    const struct safetensors_tensor *t;

    (void)state;
    assert_int_equal(safetensors_open(&st, TINY), 0);
    assert_int_equal(safetensors_count(st), 5 + 2 * 16 + 2 + 2);
    t = safetensors_find(st, "bert.embeddings.word_embeddings.weight");
    assert_non_null(t);
    assert_int_equal(t->dtype, SAFETENSORS_F32);
    assert_int_equal(t->dims, 2);
    assert_int_equal(t->shape[0], 300);
    assert_int_equal(t->shape[1], 48);
    assert_int_equal(t->size_bytes, 300 * 48 * 4);
    assert_null(safetensors_find(st, "bert.embeddings.word_embeddings"));
    assert_null(safetensors_at(st, safetensors_count(st)));
    assert_string_equal(safetensors_metadata(st, "format"), "pt");
    assert_null(safetensors_metadata(st, "nothing"));
    safetensors_close(st);
    safetensors_close(NULL);
}

/* Every file of the library comes out as it went in. */
static void test_writes_as_the_library(void **state)
{
    static const char *const files[] = {TINY, RECO_SOURCE_DIR "/tests/reference/bert_tiny_parity.safetensors",
                                        RECO_SOURCE_DIR "/tests/reference/bert_minilm_parity.safetensors"};

    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        struct safetensors *st = NULL;
        struct file_map before, after;
        assert_int_equal(safetensors_open(&st, files[f]), 0);
        assert_int_equal(safetensors_write(path, safetensors_at(st, 0), safetensors_count(st), NULL, 0), 0);
        assert_int_equal(file_map_open(&before, files[f]), 0);
        assert_int_equal(file_map_open(&after, path), 0);
        assert_int_equal(before.size_bytes, after.size_bytes);
        assert_memory_equal(before.data, after.data, before.size_bytes);
        file_map_close(&before);
        file_map_close(&after);
        safetensors_close(st);
    }
}

static void test_every_type_and_metadata(void **state)
{
    static const char data[64] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
    static const char *const metadata[] = {"step", "12", "say \"é\"", "line\nbreak"};
    struct safetensors_tensor tensors[SAFETENSORS_BOOL + 2] = {0};
    char names[SAFETENSORS_BOOL + 2][16];
    struct safetensors *st = NULL;
    struct file_map map;
    uint64_t header_bytes;
    size_t count = 0;

    (void)state;
    for (int d = SAFETENSORS_F64; d <= SAFETENSORS_BOOL; d++, count++) {
        snprintf(names[count], sizeof names[count], "t.%s", safetensors_dtype_name((enum safetensors_dtype)d));
        tensors[count] = (struct safetensors_tensor){names[count],
                                                     (enum safetensors_dtype)d,
                                                     2,
                                                     {2, 3},
                                                     data,
                                                     6 * safetensors_dtype_bytes((enum safetensors_dtype)d)};
    }
    tensors[count++] = (struct safetensors_tensor){"empty", SAFETENSORS_F32, 2, {4, 0}, data, 0};
    assert_int_equal(safetensors_write(path, tensors, count, metadata, 2), 0);

    assert_int_equal(file_map_open(&map, path), 0);
    memcpy(&header_bytes, map.data, sizeof header_bytes);
    assert_int_equal(header_bytes % 8, 0);
    file_map_close(&map);

    assert_int_equal(safetensors_open(&st, path), 0);
    assert_int_equal(safetensors_count(st), count);
    assert_string_equal(safetensors_metadata(st, "step"), "12");
    assert_string_equal(safetensors_metadata(st, "say \"é\""), "line\nbreak");
    for (size_t i = 0; i < count; i++) {
        const struct safetensors_tensor *t = safetensors_at(st, i);
        assert_string_equal(t->name, tensors[i].name);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->size_bytes, tensors[i].size_bytes);
        assert_memory_equal(t->data, data, t->size_bytes);
    }
    safetensors_close(st);

    assert_int_equal(safetensors_write(path, NULL, 0, NULL, 0), 0);
    assert_int_equal(safetensors_open(&st, path), 0);
    assert_int_equal(safetensors_count(st), 0);
    safetensors_close(st);
}

/* Cut at every byte of the header, and at the first and the last of the data. */
static void test_truncated(void **state)
{
    struct file_map map;
    uint64_t header_bytes;
    size_t data_at;

    (void)state;
    assert_int_equal(file_map_open(&map, TINY), 0);
    memcpy(&header_bytes, map.data, sizeof header_bytes);
    data_at = 8 + (size_t)header_bytes;
    for (size_t length = 0; length <= data_at + 1; length++) {
        write_bytes(map.data, length);
        assert_refused(length < 8 ? "too short" : "cut short");
    }
    write_bytes(map.data, map.size_bytes - 1);
    assert_refused("cut short");
    file_map_close(&map);
}

static void test_damaged_headers(void **state)
{
#define T(name, dtype, shape, offsets)                                                                                 \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
    static const struct {
        const char *header;
        size_t data_bytes;
        const char *part;
    } cases[] = {
        {"", 0, "bad header"},
        {"{", 0, "bad header"},
        {"[]", 0, "not a JSON object"},
        {"{} x", 0, "bad header"},
        {"{\"a\\u0000b\":{}}", 0, "bad header"},
        {"{\"\xff\":{}}", 0, "bad header"},
        {"{\"a\":1}", 0, "'a' has no dtype"},
        {"{\"a\":{\"dtype\":1}}", 0, "'a' has no dtype"},
        {"{" T("a", "F8_E4M3", "[4]", "[0,4]") "}", 4, "'F8_E4M3'"},
        {"{\"a\":{\"dtype\":\"F32\"}}", 0, "'a' has no shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "'a' has no data_offsets"},
        {"{" T("a", "F32", "[1]", "[0]") "}", 4, "'a' has no data_offsets"},
        {"{" T("a", "F32", "[1]", "[0,4.0]") "}", 4, "'a' has no data_offsets"},
        {"{" T("a", "F32", "[1]", "{\"0\":0}") "}", 4, "'a' has no data_offsets"},
        {"{" T("a", "F32", "[-1]", "[0,4]") "}", 4, "dimension 0 of tensor 'a'"},
        {"{" T("a", "F32", "[1,1.0]", "[0,4]") "}", 4, "dimension 1 of tensor 'a'"},
        {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "9 dimensions"},
        {"{" T("a", "F32", "[2]", "[0,4]") "}", 4, "'a' has 4 bytes"},
        {"{" T("a", "F32", "[]", "[0,8]") "}", 8, "'a' has 8 bytes"},
        {"{" T("a", "F32", "[4611686018427387905]", "[0,4]") "}", 4, "'a' has 4 bytes"},
        {"{" T("a", "U8", "[4294967296,4294967296]", "[0,0]") "}", 0, "'a' has 0 bytes"},
        {"{" T("a", "F32", "[99999999999999999999]", "[0,4]") "}", 4, "bad header"},
        {"{" T("a", "F32", "[1]", "[0,8]") "}", 4, "cut short or damaged"},
        {"{" T("a", "F32", "[1]", "[4,0]") "}", 8, "cut short or damaged"},
        {"{" T("a", "F32", "[1]", "[-4,0]") "}", 8, "cut short or damaged"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[0,4]") "}", 4, "'b' overlaps"},
        {"{" T("a", "F32", "[2]", "[0,8]") "," T("b", "F32", "[2]", "[4,12]") "}", 12, "'b' overlaps"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("b", "F32", "[1]", "[8,12]") "}", 12, "'b' leaves a hole"},
        {"{" T("a", "F32", "[1]", "[4,8]") "}", 8, "'a' leaves a hole"},
        {"{" T("a", "F32", "[1]", "[0,4]") "}", 9, "5 bytes behind"},
        {"{" T("a", "F32", "[1]", "[0,4]") "," T("a", "F32", "[1]", "[4,8]") "}", 8, "duplicate"},
        {"{\"__metadata__\":[]}", 0, "__metadata__ is not an object"},
        {"{\"__metadata__\":{\"step\":1}}", 0, "'step' is not a string"},
    };
#undef T

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(cases[i].header, cases[i].data_bytes);
        assert_refused(cases[i].part);
    }
}

static void test_length_lies(void **state)
{
    static const uint64_t lies[] = {1, 20, 22, 1000, 100000000, 100000001, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    char bytes[8 + 21] = "\0\0\0\0\0\0\0\0{\"__metadata__\":{  }}";

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        memcpy(bytes, &lies[i], 8);
        write_bytes(bytes, sizeof bytes);
        assert_refused("header");
    }
}

static void test_cannot_open(void **state)
{
    struct safetensors *st = NULL;

    (void)state;
    assert_int_equal(safetensors_open(&st, folder), RECO_E_IO);
    assert_int_equal(safetensors_open(&st, "/nowhere/x.safetensors"), RECO_E_IO);
    assert_non_null(strstr(err_message(), "'/nowhere/x.safetensors'"));
    assert_null(st);
}

static void test_write_refuses(void **state)
{
    const float data[2] = {1, 2};
    const struct safetensors_tensor twice[] = {{"a", SAFETENSORS_F32, 1, {1}, data, 4},
                                               {"a", SAFETENSORS_F32, 1, {1}, data, 4}};
    const struct safetensors_tensor wrong = {"a", SAFETENSORS_F32, 1, {1}, data, 8};
    const struct safetensors_tensor good = {"a", SAFETENSORS_F32, 1, {2}, data, 8};
    bool empty;

    (void)state;
    assert_int_equal(file_remove(path), 0);
    assert_int_equal(safetensors_write(path, twice, 2, NULL, 0), RECO_E_INTERNAL);
    assert_int_equal(safetensors_write(path, &wrong, 1, NULL, 0), RECO_E_INTERNAL);
    assert_int_equal(safetensors_write("/nowhere/x", &good, 1, NULL, 0), RECO_E_IO);
    file_fail_after(1);
    assert_int_equal(safetensors_write(path, &good, 1, NULL, 0), RECO_E_IO);
    file_fail_after(0);
    assert_int_equal(dir_is_empty(folder, &empty), 0);
    assert_true(empty);
}

static int open_tiny(void)
{
    struct safetensors *st = NULL;
    int rc = safetensors_open(&st, TINY);

    assert_true((rc == 0) == (st != NULL));
    safetensors_close(st);
    return rc;
}

static int write_small(void)
{
    static const float data[2];
    static const char *const metadata[] = {"step", "12"};
    const struct safetensors_tensor tensors[] = {{"a", SAFETENSORS_F32, 1, {2}, data, 8},
                                                 {"b", SAFETENSORS_U8, 0, {0}, data, 1}};

    return safetensors_write(path, tensors, 2, metadata, 1);
}

/* Runs run with the n-th allocation failing, for all n; or_rc is accepted beside RECO_E_NOMEM. */
static void torture(int (*run)(void), int or_rc)
{
    long failures = 0;
    int rc;

    do {
        mem_fail_after(++failures);
        rc = run();
        mem_fail_after(0);
        if (rc != 0 && rc != RECO_E_NOMEM && rc != or_rc) {
            fail_msg("allocation %ld: %s", failures, err_message());
        }
    } while (rc != 0);
    assert_true(failures > 2);
}

static void test_torture(void **state)
{
    (void)state;
    torture(open_tiny, RECO_E_NOMEM);
    torture(write_small, RECO_E_NOMEM);
    /* Now jansson's allocations fail too; where memory ends inside a text, it reports bad syntax. */
    json_set_alloc_funcs(mem_alloc, mem_free);
    torture(open_tiny, RECO_E_MODEL);
    torture(write_small, RECO_E_NOMEM);
    json_set_alloc_funcs(malloc, free);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_the_library),
        cmocka_unit_test(test_writes_as_the_library),
        cmocka_unit_test(test_every_type_and_metadata),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_length_lies),
        cmocka_unit_test(test_cannot_open),
        cmocka_unit_test(test_write_refuses),
        cmocka_unit_test(test_torture),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
