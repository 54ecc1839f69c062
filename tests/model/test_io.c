/* Model directories in and out: every naming, type and absence that is accepted, and what is refused. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/safetensors.h"
#include "model/batch.h"
#include "model/bert.h"

#define TINY RECO_SOURCE_DIR "/tests/reference/bert_tiny"

static struct tch_device device; /* the CPU unless told */

enum { MAX_TENSORS = 64, ROWS = 3, LENGTH = 9, CLASSES = 4 };

struct fixture {
    char dir[64], model[96], saved[96], weights[128], saved_weights[128];
};

static void check(int rc)
{
    if (rc != 0)
        fail_msg("%s", err_message());
}

static void copy(const char *to_dir, const char *name)
{
    struct buf bytes = {0};
    char *from = path_join(TINY, name), *to = path_join(to_dir, name);
    check(file_read_all(from, 0, &bytes));
    check(file_write_all(to, buf_str(&bytes), bytes.length));
    buf_release(&bytes);
    mem_free(from);
    mem_free(to);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    snprintf(f->dir, sizeof f->dir, "/tmp/reco-model-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->model, sizeof f->model, "%s/model", f->dir);
    snprintf(f->saved, sizeof f->saved, "%s/saved", f->dir);
    snprintf(f->weights, sizeof f->weights, "%s/model.safetensors", f->model);
    snprintf(f->saved_weights, sizeof f->saved_weights, "%s/model.safetensors", f->saved);
    check(dir_make(f->model));
    check(dir_make(f->saved));
    copy(f->model, "config.json");
    copy(f->model, "vocab.txt");
    copy(f->model, "tokenizer_config.json");
    copy(f->model, "model.safetensors");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    check(dir_remove(f->dir));
    free(f);
    return 0;
}

/* ---- rewriting the weights ---- */

/* What becomes of a tensor: its new name (owned), or NULL to leave it out. */
typedef char *rename_fn(const char *name);

static void rewrite(const struct fixture *f, rename_fn *rename, enum safetensors_dtype dtype,
                    const struct safetensors_tensor *more)
{
    struct safetensors *st = NULL;
    struct safetensors_tensor tensors[MAX_TENSORS];
    size_t count = 0;
    check(safetensors_open(&st, TINY "/model.safetensors"));
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *t = safetensors_at(st, i);
        char *name = rename(t->name);
        if (name == NULL)
            continue;
        assert_true(count + 1 < MAX_TENSORS);
        tensors[count] = *t;
        tensors[count].name = name;
        if (dtype == SAFETENSORS_BF16) { /* the upper half of a float */
            size_t numel = t->size_bytes / sizeof(float);
            uint16_t *halves = mem_alloc(numel * sizeof *halves);
            assert_non_null(halves);
            for (size_t j = 0; j < numel; j++)
                memcpy(&halves[j], (const char *)t->data + j * sizeof(float) + 2, sizeof *halves);
            tensors[count].dtype = dtype;
            tensors[count].data = halves;
            tensors[count].size_bytes = numel * sizeof *halves;
        }
        count++;
    }
    if (more != NULL)
        tensors[count] = *more;
    check(safetensors_write(f->weights, tensors, count + (more != NULL), NULL, 0));
    for (size_t i = 0; i < count; i++) {
        mem_free((char *)(uintptr_t)tensors[i].name);
        if (dtype == SAFETENSORS_BF16)
            mem_free((void *)(uintptr_t)tensors[i].data);
    }
    safetensors_close(st);
}

static char *same(const char *name)
{
    return mem_strdup(name);
}

static char *without_prefix(const char *name)
{
    return mem_strdup(strncmp(name, "bert.", 5) == 0 ? name + 5 : name);
}

static char *original_names(const char *name)
{
    const char *norm = strstr(name, "LayerNorm.");
    if (norm == NULL)
        return mem_strdup(name);
    return mem_printf("%.*sLayerNorm.%s", (int)(norm - name), name, strstr(norm, "weight") != NULL ? "gamma" : "beta");
}

static char *without_pooler(const char *name)
{
    return strstr(name, "pooler") != NULL ? NULL : mem_strdup(name);
}

static char *without_classifier(const char *name)
{
    return strncmp(name, "classifier.", 11) == 0 ? NULL : mem_strdup(name);
}

static char *without_key(const char *name)
{
    return strcmp(name, "bert.encoder.layer.1.attention.self.key.weight") == 0 ? NULL : mem_strdup(name);
}

/* ---- loading ---- */

static int load(struct bert **out, const char *dir, const struct label_map *labels)
{
    struct bert_load_options options = {.labels = labels, .seed = 5, .device = device};
    return bert_load(out, dir, &options);
}

static void logits_of(const struct bert *bert, float logits[ROWS * CLASSES])
{
    struct batch b = {0};
    struct bert_input input;
    for (int row = 0; row < ROWS; row++) {
        int32_t ids[LENGTH], types[LENGTH];
        for (int i = 0; i < LENGTH; i++) {
            ids[i] = 2 + (row * 31 + i * 17) % 290;
            types[i] = i > 4;
        }
        check(batch_add(&b, ids, types, (size_t)(LENGTH - row), (uint64_t)row));
    }
    struct tch_scope_options options = {.compute = TCH_FLOAT32, .device = bert->device};
    struct tch_scope *s = tch_scope_begin(&options);
    batch_upload(&b, s, &input);
    struct tch_tensor *t = bert_forward(s, bert, &input, NULL);
    assert_int_equal(tch_copy_out(t, TCH_FLOAT32, logits, ROWS * CLASSES * sizeof *logits), 0);
    assert_int_equal(tch_scope_end(s), 0);
    batch_release(&b);
}

/* The tensors of both files are the same, byte for byte. */
static void compare_files(const char *a, const char *b)
{
    struct safetensors *x = NULL, *y = NULL;
    check(safetensors_open(&x, a));
    check(safetensors_open(&y, b));
    assert_int_equal(safetensors_count(x), safetensors_count(y));
    for (size_t i = 0; i < safetensors_count(x); i++) {
        const struct safetensors_tensor *t = safetensors_at(x, i), *u = safetensors_find(y, t->name);
        if (u == NULL || t->dims != u->dims || memcmp(t->shape, u->shape, (size_t)t->dims * sizeof *t->shape) != 0 ||
            t->dtype != u->dtype || memcmp(t->data, u->data, t->size_bytes) != 0)
            fail_msg("tensor '%s' is not the same", t->name);
    }
    safetensors_close(x);
    safetensors_close(y);
}

static void check_round_trip(const struct fixture *f)
{
    struct bert *bert = NULL;
    check(load(&bert, f->model, NULL));
    check(bert_save(bert, f->saved));
    compare_files(TINY "/model.safetensors", f->saved_weights);
    bert_free(bert);
}

static void test_load_then_save(void **state)
{
    check_round_trip(*state);
}

/* Saved from one device and loaded on the other: the same weights, and logits within 1e-4. On the CPU alone: itself. */
static void test_devices(void **state)
{
    const struct fixture *f = *state;
    const struct bert_load_options on_cpu = {.seed = 5};
    struct bert *a = NULL, *b = NULL;
    float x[ROWS * CLASSES], y[ROWS * CLASSES];
    check(load(&a, f->model, NULL));
    check(bert_save(a, f->saved));
    check(bert_load(&b, f->saved, &on_cpu));
    logits_of(a, x);
    logits_of(b, y);
    for (int i = 0; i < ROWS * CLASSES; i++)
        assert_true(fabsf(x[i] - y[i]) <= 1e-4f);
    bert_free(a);
    check(bert_save(b, f->model));
    bert_free(b);
    check_round_trip(f);
}

static void test_names(void **state)
{
    rename_fn *const renames[] = {without_prefix, original_names};
    const int64_t positions[64] = {0};
    const struct safetensors_tensor ignored[] = {{.name = "bert.embeddings.position_ids",
                                                  .dtype = SAFETENSORS_I64,
                                                  .dims = 2,
                                                  .shape = {1, 64},
                                                  .data = positions,
                                                  .size_bytes = sizeof positions},
                                                 {.name = "cls.predictions.bias",
                                                  .dtype = SAFETENSORS_I64,
                                                  .dims = 1,
                                                  .shape = {64},
                                                  .data = positions,
                                                  .size_bytes = sizeof positions}};
    for (size_t i = 0; i < 2; i++) {
        rewrite(*state, renames[i], SAFETENSORS_F32, &ignored[i]);
        check_round_trip(*state);
    }
}

static void test_bfloat16(void **state)
{
    struct fixture *f = *state;
    struct bert *whole = NULL, *half = NULL;
    float a[ROWS * CLASSES], b[ROWS * CLASSES];
    check(load(&whole, f->model, NULL));
    rewrite(f, same, SAFETENSORS_BF16, NULL);
    check(load(&half, f->model, NULL));
    logits_of(whole, a);
    logits_of(half, b);
    double largest = 0;
    for (int i = 0; i < ROWS * CLASSES; i++) {
        assert_true(fabsf(a[i] - b[i]) < 0.02f);
        largest = fmax(largest, fabsf(a[i] - b[i]));
    }
    assert_true(largest > 0);
    bert_free(whole);
    bert_free(half);
}

/* IEEE half precision: normal, subnormal, zeros, and the largest, through a model's bias. */
static void test_float16(void **state)
{
    static const uint16_t halves[CLASSES] = {0x3c00, 0x8001, 0x7bff, 0x0400};
    static const float values[CLASSES] = {1.0f, -0x1p-24f, 65504.0f, 0x1p-14f};
    const struct fixture *f = *state;
    const struct safetensors_tensor bias = {.name = "classifier.bias",
                                            .dtype = SAFETENSORS_F16,
                                            .dims = 1,
                                            .shape = {CLASSES},
                                            .data = halves,
                                            .size_bytes = sizeof halves};
    struct bert *bert = NULL;
    float got[CLASSES];
    struct safetensors *st = NULL;
    check(safetensors_open(&st, TINY "/model.safetensors"));
    struct safetensors_tensor tensors[MAX_TENSORS];
    size_t count = 0;
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *t = safetensors_at(st, i);
        tensors[count++] = strcmp(t->name, bias.name) == 0 ? bias : *t;
    }
    check(safetensors_write(f->weights, tensors, count, NULL, 0));
    safetensors_close(st);
    check(load(&bert, f->model, NULL));
    assert_int_equal(tch_copy_out(bert->classifier_b, TCH_FLOAT32, got, sizeof got), 0);
    assert_memory_equal(got, values, sizeof got);
    bert_free(bert);
}

static double spread(struct tch_tensor *t, double *mean)
{
    size_t count = (size_t)tch_numel(t);
    float *values = mem_alloc(count * sizeof *values);
    double sum = 0, squares = 0;
    assert_non_null(values);
    assert_int_equal(tch_copy_out(t, TCH_FLOAT32, values, count * sizeof *values), 0);
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
    }
    mem_free(values);
    *mean = sum / (double)count;
    return sqrt(squares / (double)count - *mean * *mean);
}

static void test_fresh_parts(void **state)
{
    struct fixture *f = *state;
    struct bert *bert = NULL, *again = NULL;
    const char *names[] = {"no", "maybe", "yes", "sure", "surely"};
    struct label_map labels;
    double mean;
    float a[5 * 48], b[5 * 48];
    check(label_map_from_list(&labels, names, 5));
    rewrite(f, without_classifier, SAFETENSORS_F32, NULL);
    assert_int_equal(load(&bert, f->model, NULL), RECO_E_MODEL);
    check(load(&bert, f->model, &labels));
    double deviation = spread(bert->classifier_w, &mean);
    assert_true(fabs(deviation - bert->config.initializer_range) < 0.15 * bert->config.initializer_range);
    assert_true(spread(bert->classifier_b, &mean) == 0 && mean == 0);
    check(load(&again, f->model, &labels));
    assert_int_equal(tch_copy_out(bert->classifier_w, TCH_FLOAT32, a, sizeof a), 0);
    assert_int_equal(tch_copy_out(again->classifier_w, TCH_FLOAT32, b, sizeof b), 0);
    assert_memory_equal(a, b, sizeof a); /* the seed names the weights */
    bert_free(bert);
    bert_free(again);

    rewrite(f, without_pooler, SAFETENSORS_F32, NULL);
    check(load(&bert, f->model, NULL));
    deviation = spread(bert->pooler_w, &mean);
    assert_true(fabs(deviation - bert->config.initializer_range) < 0.1 * bert->config.initializer_range);
    bert_free(bert);
    label_map_release(&labels);
}

static void expect_error(const struct fixture *f, const struct label_map *labels, const char *part)
{
    struct bert *bert = NULL;
    assert_int_equal(load(&bert, f->model, labels), RECO_E_MODEL);
    assert_null(bert);
    if (strstr(err_message(), part) == NULL)
        fail_msg("'%s' does not name '%s'", err_message(), part);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    const char *names[] = {"no", "yes"};
    struct label_map labels;
    struct bert *bert = NULL;
    check(label_map_from_list(&labels, names, 2));
    expect_error(f, &labels, "--ignore_mismatched_sizes");
    struct bert_load_options options = {.labels = &labels, .ignore_mismatched_sizes = true, .device = device};
    check(bert_load(&bert, f->model, &options));
    assert_int_equal(bert->logits, 2);
    bert_free(bert);
    label_map_release(&labels);

    rewrite(f, without_key, SAFETENSORS_F32, NULL);
    expect_error(f, NULL, "bert.encoder.layer.1.attention.self.key.weight");
    assert_int_equal(truncate(f->weights, 1000), 0);
    expect_error(f, NULL, "model.safetensors");
}

/* What reco saved, read by transformers: the same logits. */
static void test_transformers_reads_it(void **state)
{
    struct fixture *f = *state;
    const char *python = getenv("RECO_PEERS_PYTHON");
    if (python == NULL) {
        print_message("skipped: no transformers (RECO_PEERS_PYTHON names a python that has it)\n");
        skip();
    }
    struct bert *bert = NULL;
    float logits[ROWS * CLASSES];
    check(load(&bert, f->model, NULL));
    logits_of(bert, logits);
    check(bert_save(bert, f->saved));
    bert_free(bert);
    char *command =
        mem_printf("'%s' -c \"import sys, torch\n"
                   "from transformers import AutoModelForSequenceClassification as A\n"
                   "m = A.from_pretrained(sys.argv[1]).eval()\n"
                   "with torch.no_grad():\n"
                   "  for row in range(%d):\n"
                   "    n = %d - row\n"
                   "    ids = torch.tensor([[2 + (row * 31 + i * 17) %% 290 for i in range(n)]])\n"
                   "    types = torch.tensor([[int(i > 4) for i in range(n)]])\n"
                   "    print(*('%%.9g' %% v for v in m(input_ids=ids, token_type_ids=types).logits[0].tolist()))\n"
                   "\" '%s' 2>/dev/null",
                   python, ROWS, LENGTH, f->saved);
    assert_non_null(command);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    for (int i = 0; i < ROWS * CLASSES; i++) {
        double want = NAN;
        assert_int_equal(fscanf(p, "%lf", &want), 1);
        if (!(fabs(logits[i] - want) <= (device.cuda ? 1e-4 : 1e-5)))
            fail_msg("logit %d: %.9g, transformers %.9g", i, logits[i], want);
    }
    assert_int_equal(pclose(p), 0);
    mem_free(command);
}

int main(int argc, char **argv)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_load_then_save), CASE(test_devices),     CASE(test_names),   CASE(test_bfloat16),
        CASE(test_float16),        CASE(test_fresh_parts), CASE(test_refused), CASE(test_transformers_reads_it),
    };
    log_set_level(LOG_LEVEL_QUIET);
    if (tch_init(1, true) != 0)
        return 1;
    if (argc > 1 && strcmp(argv[1], "cuda") == 0) {
        if (tch_cuda_count() == 0 || !tch_cuda_built()) {
            printf("skipped: %s\n", tch_cuda_built() ? "there is no CUDA device" : "built without CUDA");
            return 77;
        }
        if (tch_cuda_load(0) != 0) {
            printf("%s\n", tch_last_error());
            return 1;
        }
        device.cuda = true;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
