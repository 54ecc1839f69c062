/* Model directories that reco writes: read back by reco, and by transformers where RECO_PEERS_PYTHON names a python
 * that has it. */

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
#include "data/hfdir.h"
#include "data/safetensors.h"

#define TINY RECO_SOURCE_DIR "/tests/reference/bert_tiny"
#define PARITY RECO_SOURCE_DIR "/tests/reference/bert_tiny_parity.safetensors"

static char folder[32];
static char out_dir[64], source_dir[64];

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
    snprintf(source_dir, sizeof source_dir, "%s/source", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static int empty_dirs(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *dir = i == 0 ? out_dir : source_dir;
        if ((dir_exists(dir) && dir_remove(dir) != 0) || dir_make(dir) != 0) {
            return -1;
        }
    }
    return 0;
}

static void read_text(struct buf *b, const char *dir, const char *name)
{
    char *path = path_join(dir, name);

    assert_non_null(path);
    assert_int_equal(file_read_all(path, 0, b), 0);
    mem_free(path);
}

static void put(const char *dir, const char *name, const char *text)
{
    char *path = path_join(dir, name);

    assert_non_null(path);
    assert_int_equal(file_write_all(path, text, strlen(text)), 0);
    mem_free(path);
}

static bool has(const char *dir, const char *name)
{
    char *path = path_join(dir, name);
    bool there;

    assert_non_null(path);
    there = file_exists(path);
    mem_free(path);
    return there;
}

static void assert_same_file(const char *name)
{
    struct buf before = {0}, after = {0};

    read_text(&before, TINY, name);
    read_text(&after, out_dir, name);
    assert_int_equal(before.length, after.length);
    assert_memory_equal(before.data, after.data, before.length);
    buf_release(&before);
    buf_release(&after);
}

static void test_load_then_save(void **state)
{
    static const char *const names[] = {"poor", "fair", "good", "exact"};
    static const char *const grades[] = {"poor=0", "fair=0.1", "good=0.30000000000000004", "exact=3"};
    struct label_map labels;
    struct hf_config before, after;
    char hex_before[HASH_HEX_SIZE], hex_after[HASH_HEX_SIZE];

    (void)state;
    assert_int_equal(hf_config_read(&before, TINY), 0);
    assert_int_equal(json_object_set_new(before.json, "their_key", json_string("kept")), 0);
    assert_int_equal(json_object_set_new(before.json, "torch_dtype", json_string("float16")), 0);
    assert_int_equal(json_object_set_new(before.json, "num_labels", json_integer(9)), 0);
    assert_int_equal(label_map_from_list(&labels, names, 4), 0);
    assert_int_equal(label_map_set_grades(&labels, grades, 4), 0);
    before.hidden_dropout_prob = 0.3;
    assert_int_equal(hf_dir_write(out_dir, &before, &labels, TINY), 0);
    assert_same_file("vocab.txt");
    assert_same_file("tokenizer_config.json");
    assert_false(has(out_dir, "tokenizer.json"));

    assert_int_equal(hf_config_read(&after, out_dir), 0);
    label_map_hash(&labels, hex_before);
    label_map_hash(&after.labels, hex_after);
    assert_string_equal(hex_before, hex_after);
    assert_true(after.has_labels && after.labels.grades[2] == 0.30000000000000004);
    assert_true(after.hidden_dropout_prob == 0.3 && after.layer_norm_eps == before.layer_norm_eps);
    assert_string_equal(json_string_value(json_object_get(after.json, "their_key")), "kept");
    assert_null(json_object_get(after.json, "torch_dtype"));
    assert_null(json_object_get(after.json, "num_labels"));
    assert_string_equal(json_string_value(json_object_get(after.json, "dtype")), "float32");

    /* The same directory as source and target, and without a classifier. */
    assert_int_equal(hf_dir_write(out_dir, &after, NULL, out_dir), 0);
    assert_same_file("vocab.txt");
    hf_config_release(&after);
    assert_int_equal(hf_config_read(&after, out_dir), 0);
    assert_false(after.has_labels);
    assert_null(json_object_get(after.json, "id2label"));
    hf_config_release(&after);
    hf_config_release(&before);
    label_map_release(&labels);
}

static void test_tasks(void **state)
{
    static const char *const names[] = {"0", "1"};
    struct label_map labels;
    struct hf_config c;

    (void)state;
    for (int task = LABEL_TASK_REGRESSION; task <= LABEL_TASK_BINARY_LOGIT; task++) {
        struct hf_config after;
        memset(&labels, 0, sizeof labels);
        if (task == LABEL_TASK_BINARY_LOGIT) {
            assert_int_equal(label_map_from_list(&labels, names, 2), 0);
        }
        labels.task = (enum label_task)task;
        assert_int_equal(hf_config_read(&c, TINY), 0);
        assert_int_equal(hf_dir_write(out_dir, &c, &labels, TINY), 0);
        assert_int_equal(hf_config_read(&after, out_dir), 0);
        assert_int_equal(after.labels.task, task);
        assert_int_equal(after.labels.count, labels.count);
        assert_int_equal(json_object_size(json_object_get(after.json, "id2label")), 1);
        hf_config_release(&after);
        hf_config_release(&c);
        label_map_release(&labels);
    }
}

static void test_activation_spelling(void **state)
{
    static const char *const spellings[] = {"gelu", "gelu_python", "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh",
                                            "relu"};

    (void)state;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        struct hf_config c, after;
        char text[96];
        snprintf(text, sizeof text, "{\"model_type\": \"bert\", \"vocab_size\": 1, \"hidden_act\": \"%s\"}",
                 spellings[i]);
        put(source_dir, "config.json", text);
        put(source_dir, "vocab.txt", "a\n");
        assert_int_equal(hf_config_read(&c, source_dir), 0);
        assert_int_equal(hf_dir_write(out_dir, &c, NULL, source_dir), 0);
        assert_int_equal(hf_config_read(&after, out_dir), 0);
        assert_string_equal(json_string_value(json_object_get(after.json, "hidden_act")), spellings[i]);
        hf_config_release(&after);
        c.hidden_act = HF_ACT_RELU;
        assert_int_equal(hf_dir_write(out_dir, &c, NULL, source_dir), 0);
        assert_int_equal(hf_config_read(&after, out_dir), 0);
        assert_int_equal(after.hidden_act, HF_ACT_RELU);
        hf_config_release(&after);
        hf_config_release(&c);
    }
}

static void test_tokenizer_files(void **state)
{
    struct hf_config c;

    (void)state;
    assert_int_equal(hf_config_read(&c, TINY), 0);
    assert_int_equal(hf_dir_write(out_dir, &c, NULL, source_dir), RECO_E_MODEL);
    assert_non_null(strstr(err_message(), "neither vocab.txt nor tokenizer.json"));
    assert_false(has(out_dir, "config.json"));

    put(source_dir, "tokenizer.json", "{}");
    put(source_dir, "special_tokens_map.json", "{\"a\": 1}");
    put(source_dir, "other.txt", "x");
    assert_int_equal(hf_dir_write(out_dir, &c, NULL, source_dir), 0);
    assert_true(has(out_dir, "tokenizer.json"));
    assert_true(has(out_dir, "special_tokens_map.json"));
    assert_true(has(out_dir, "tokenizer_config.json"));
    assert_false(has(out_dir, "other.txt"));
    hf_config_release(&c);
}

/* Every write fails in turn; then every allocation, jansson's included. */
static void test_failures(void **state)
{
    static const char *const names[] = {"no", "yes"};
    struct label_map labels;
    struct hf_config c;
    long n = 0;
    int rc;

    (void)state;
    assert_int_equal(hf_config_read(&c, TINY), 0);
    assert_int_equal(label_map_from_list(&labels, names, 2), 0);
    do {
        file_fail_after(++n);
        rc = hf_dir_write(out_dir, &c, &labels, TINY);
        file_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_IO);
    } while (rc != 0);
    assert_true(n > 3);

    json_set_alloc_funcs(mem_alloc, mem_free);
    n = 0;
    do {
        mem_fail_after(++n);
        rc = hf_dir_write(out_dir, &c, &labels, TINY);
        mem_fail_after(0);
        assert_true(rc == 0 || rc == RECO_E_NOMEM);
    } while (rc != 0);
    assert_true(n > 20);
    json_set_alloc_funcs(malloc, free);
    label_map_release(&labels);
    hf_config_release(&c);
}

/* The line of JSON that scripts/reference/bert_logits.py prints about out_dir. */
static json_t *ask_transformers(const char *python)
{
    char *command = mem_printf("'%s' '%s/scripts/reference/bert_logits.py' '%s' '%s' 2>'%s/log'", python,
                               RECO_SOURCE_DIR, out_dir, PARITY, folder);
    FILE *pipe;
    json_t *json;

    assert_non_null(command);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    json = json_loadf(pipe, 0, NULL);
    if (pclose(pipe) != 0 || json == NULL) {
        struct buf b = {0};
        read_text(&b, folder, "log");
        print_error("%s\n", buf_str(&b));
        buf_release(&b);
        fail_msg("failed: %s", command);
    }
    mem_free(command);
    return json;
}

static void assert_parity_logits(const json_t *json)
{
    struct safetensors *parity;
    const struct safetensors_tensor *t;

    assert_int_equal(safetensors_open(&parity, PARITY), 0);
    t = safetensors_find(parity, "cross_entropy.logits.0");
    assert_non_null(t);
    for (int64_t row = 0; row < t->shape[0]; row++) {
        for (int64_t column = 0; column < t->shape[1]; column++) {
            const json_t *value = json_array_get(json_array_get(json, (size_t)row), (size_t)column);
            float expected;
            memcpy(&expected, (const char *)t->data + sizeof expected * (size_t)(row * t->shape[1] + column),
                   sizeof expected);
            assert_true(fabs(json_number_value(value) - (double)expected) < 1e-6);
        }
    }
    safetensors_close(parity);
}

static void test_transformers(void **state)
{
    static const char *const names[] = {"poor", "fair", "good", "exact"};
    static const int ids[] = {2, 109, 125, 3, 110, 117, 125, 16, 143, 3};
    const char *python = getenv("RECO_PEERS_PYTHON");
    struct safetensors *weights;
    struct label_map labels;
    struct hf_config c;
    char path[96];
    json_t *json;

    (void)state;
    if (python == NULL || python[0] == '\0') {
        print_message("skipped: RECO_PEERS_PYTHON names no python with transformers\n");
        skip();
    }
    assert_int_equal(hf_config_read(&c, TINY), 0);
    assert_int_equal(label_map_from_list(&labels, names, 4), 0);
    assert_int_equal(json_object_set_new(c.json, "torch_dtype", json_string("float16")), 0);
    assert_int_equal(hf_dir_write(out_dir, &c, &labels, TINY), 0);
    assert_int_equal(safetensors_open(&weights, TINY "/model.safetensors"), 0);
    snprintf(path, sizeof path, "%s/model.safetensors", out_dir);
    assert_int_equal(safetensors_write(path, safetensors_at(weights, 0), safetensors_count(weights), NULL, 0), 0);
    safetensors_close(weights);

    json = ask_transformers(python);
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(json_string_value(json_array_get(json_object_get(json, "labels"), i)), names[i]);
        assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "label2id"), names[i])), i);
    }
    assert_string_equal(json_string_value(json_object_get(json, "problem_type")), "single_label_classification");
    assert_string_equal(json_string_value(json_object_get(json, "dtype")), "torch.float32");
    assert_int_equal(json_array_size(json_object_get(json, "missing")), 0);
    assert_int_equal(json_array_size(json_object_get(json, "ids")), sizeof ids / sizeof *ids);
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(json_integer_value(json_array_get(json_object_get(json, "ids"), i)), ids[i]);
    }
    assert_parity_logits(json_object_get(json, "logits"));
    json_decref(json);
    label_map_release(&labels);
    hf_config_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_load_then_save, empty_dirs),
        cmocka_unit_test_setup(test_tasks, empty_dirs),
        cmocka_unit_test_setup(test_activation_spelling, empty_dirs),
        cmocka_unit_test_setup(test_tokenizer_files, empty_dirs),
        cmocka_unit_test_setup(test_failures, empty_dirs),
        cmocka_unit_test_setup(test_transformers, empty_dirs),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
