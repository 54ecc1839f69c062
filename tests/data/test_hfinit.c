/* Randomly initialised models: distribution, determinism, failures. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/hfinit.h"
#include "data/safetensors.h"

#define TINY RECO_SOURCE_DIR "/tests/reference/bert_tiny"

static char folder[32];
static char out_dir[64], weights[96];

static int make_folder(void **state)
{
    (void)state;
    /* In memory where that is possible: every write is synced, and the loops over failures write hundreds of times. */
    snprintf(folder, sizeof folder, "/dev/shm/reco-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        snprintf(folder, sizeof folder, "/tmp/reco-XXXXXX");
        if (mkdtemp(folder) == NULL) {
            return -1;
        }
    }
    snprintf(out_dir, sizeof out_dir, "%s/out", folder);
    snprintf(weights, sizeof weights, "%s/model.safetensors", out_dir);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static struct hf_config tiny_config(void)
{
    struct hf_config c;

    assert_int_equal(hf_config_read(&c, TINY), 0);
    return c;
}

/* The shapes are those of transformers: every tensor of its file is there, and no other. */
static void test_shapes(void **state)
{
    struct hf_config c = tiny_config();
    struct safetensors *theirs, *ours;
    uint64_t parameters;

    (void)state;
    assert_int_equal(hf_dir_init(out_dir, &c, TINY, true, 1, &parameters), 0);
    assert_int_equal(parameters, 58132);
    assert_int_equal(safetensors_open(&theirs, TINY "/model.safetensors"), 0);
    assert_int_equal(safetensors_open(&ours, weights), 0);
    assert_int_equal(safetensors_count(ours), safetensors_count(theirs));
    for (size_t i = 0; i < safetensors_count(theirs); i++) {
        const struct safetensors_tensor *a = safetensors_at(theirs, i), *b = safetensors_find(ours, a->name);
        assert_non_null(b);
        assert_int_equal(a->dims, b->dims);
        assert_memory_equal(a->shape, b->shape, sizeof a->shape[0] * (size_t)a->dims);
    }
    safetensors_close(theirs);
    safetensors_close(ours);

    /* Without a classifier: a BertModel's names. */
    c.has_labels = false;
    assert_int_equal(hf_dir_init(out_dir, &c, TINY, true, 1, &parameters), 0);
    assert_int_equal(parameters, 58132 - 4 * 48 - 4);
    assert_int_equal(safetensors_open(&ours, weights), 0);
    assert_non_null(safetensors_find(ours, "embeddings.word_embeddings.weight"));
    assert_null(safetensors_find(ours, "classifier.weight"));
    safetensors_close(ours);
    hf_config_release(&c);
}

static void check_tensor(const struct safetensors_tensor *t, double range)
{
    size_t numel = t->size_bytes / sizeof(float), nonzero = 0;
    double sum = 0, squares = 0;

    for (size_t i = 0; i < numel; i++) {
        float value;
        memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
        sum += (double)value;
        squares += (double)value * (double)value;
        nonzero += value != 0;
    }
    if (t->dims == 1) {
        bool norm = strstr(t->name, "LayerNorm.weight") != NULL;
        assert_true(nonzero == (norm ? numel : 0) && sum == (norm ? (double)numel : 0));
        return;
    }
    /* 5 standard errors of the mean and of the standard deviation */
    assert_true(fabs(sum / (double)nonzero) < 5 * range / sqrt((double)nonzero));
    assert_true(fabs(sqrt(squares / (double)nonzero) - range) < 5 * range / sqrt(2 * (double)nonzero));
    assert_int_equal(numel - nonzero,
                     strstr(t->name, "word_embeddings") != NULL ? 48 : 0); /* the padding token's row */
}

static void test_distribution(void **state)
{
    struct hf_config c = tiny_config();
    struct safetensors *st;
    uint64_t parameters;

    (void)state;
    c.initializer_range = 0.5;
    assert_int_equal(hf_dir_init(out_dir, &c, TINY, true, 7, &parameters), 0);
    assert_int_equal(safetensors_open(&st, weights), 0);
    for (size_t i = 0; i < safetensors_count(st); i++) {
        check_tensor(safetensors_at(st, i), 0.5);
    }
    /* The first numbers of no two weights are the same. */
    for (size_t i = 0; i < safetensors_count(st); i++) {
        for (size_t j = 0; j < i; j++) {
            const struct safetensors_tensor *a = safetensors_at(st, i), *b = safetensors_at(st, j);
            assert_true(a->dims == 1 || b->dims == 1 ||
                        memcmp((const char *)a->data + 200, (const char *)b->data + 200, 16) != 0);
        }
    }
    safetensors_close(st);
    hf_config_release(&c);
}

static void hash_weights(const struct hf_config *c, uint64_t seed, char hex[HASH_HEX_SIZE])
{
    uint64_t parameters;

    assert_int_equal(hf_dir_init(out_dir, c, TINY, true, seed, &parameters), 0);
    assert_int_equal(hash_file_hex(weights, hex), 0);
}

static void test_seed(void **state)
{
    struct hf_config c = tiny_config();
    char first[HASH_HEX_SIZE], again[HASH_HEX_SIZE], other[HASH_HEX_SIZE];

    (void)state;
    hash_weights(&c, 1, first);
    hash_weights(&c, 1, again);
    hash_weights(&c, 2, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    hf_config_release(&c);
}

static void test_vocabulary_file(void **state)
{
    struct hf_config c = tiny_config();
    struct buf b = {0};
    char path[96];
    uint64_t parameters;

    (void)state;
    snprintf(path, sizeof path, "%s/tokenizer_config.json", out_dir);
    for (int lower = 0; lower < 2; lower++) {
        assert_int_equal(hf_dir_init(out_dir, &c, TINY "/vocab.txt", lower, 1, &parameters), 0);
        buf_clear(&b);
        assert_int_equal(file_read_all(path, 0, &b), 0);
        assert_non_null(strstr(buf_str(&b), lower ? "\"do_lower_case\": true" : "\"do_lower_case\": false"));
        assert_non_null(strstr(buf_str(&b), "\"model_max_length\": 64"));
    }
    buf_release(&b);
    hf_config_release(&c);
    assert_int_equal(dir_remove(out_dir), 0);
}

/* Whatever write or allocation fails, there is a whole model (when syncing the folder failed at the end) or none. */
static void test_failures(void **state)
{
    struct hf_config c = tiny_config();
    uint64_t parameters;
    bool empty;

    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        long n = 0;
        int rc;
        do {
            kind == 0 ? file_fail_after(++n) : mem_fail_after(++n);
            rc = hf_dir_init(out_dir, &c, TINY "/vocab.txt", true, 1, &parameters);
            file_fail_after(0);
            mem_fail_after(0);
            assert_true(rc == 0 || rc == (kind == 0 ? RECO_E_IO : RECO_E_NOMEM));
            if (dir_exists(out_dir)) {
                struct hf_config written;
                struct safetensors *st;
                assert_int_equal(hf_config_read(&written, out_dir), 0);
                assert_int_equal(safetensors_open(&st, weights), 0);
                safetensors_close(st);
                hf_config_release(&written);
                assert_int_equal(dir_remove(out_dir), 0);
            }
            assert_int_equal(dir_is_empty(folder, &empty), 0);
            assert_true(empty);
        } while (rc != 0);
        assert_true(n > 3);
    }
    hf_config_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),          cmocka_unit_test(test_distribution), cmocka_unit_test(test_seed),
        cmocka_unit_test(test_vocabulary_file), cmocka_unit_test(test_failures),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
