/*
 * Logits, losses, gradients and ten AdamW steps against transformers' (scripts/reference/bert_parity.py), in float32 on
 * the CPU. "test_parity cuda" runs the same on a GPU, within its wider tolerances, and logits in bfloat16.
 */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "data/safetensors.h"
#include "model/batch.h"
#include "model/bert.h"
#include "model/bert_params.h"

enum { BATCHES = 3, STEPS = 10, MAX_ROWS = 64, MAX_LOGITS = 8 };

static struct tch_device device; /* the CPU unless told */
static const struct tolerance {
    double logits, loss, gradient, steps; /* gradient: a share of the largest */
} cpu = {1e-5, 1e-6, 1e-4, 1e-5}, cuda = {1e-4, 1e-5, 1e-3, 1e-4}, *tolerance = &cpu;

struct reference {
    struct safetensors *file;
    const char *loss; /* "cross_entropy", "mse", "bce" */
};

static const struct safetensors_tensor *find(const struct reference *r, const char *fmt, ...) RECO_PRINTF(2, 3);
static const struct safetensors_tensor *find(const struct reference *r, const char *fmt, ...)
{
    char name[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    const struct safetensors_tensor *t = safetensors_find(r->file, name);
    if (t == NULL)
        fail_msg("the reference has no '%s'", name);
    return t;
}

static size_t numel(const struct safetensors_tensor *t)
{
    return t->size_bytes / safetensors_dtype_bytes(t->dtype);
}

static float float_at(const struct safetensors_tensor *t, size_t i)
{
    float value;
    memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
    return value;
}

static double double_at(const struct safetensors_tensor *t, size_t i)
{
    double value;
    memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
    return value;
}

static int64_t int64_at(const struct safetensors_tensor *t, size_t i)
{
    int64_t value;
    memcpy(&value, (const char *)t->data + i * sizeof value, sizeof value);
    return value;
}

/* ---- one forward pass ---- */

static void fill_batch(struct batch *b, const struct reference *r, int index)
{
    const struct safetensors_tensor *ids = find(r, "batch.%d.ids", index), *types = find(r, "batch.%d.types", index);
    const struct safetensors_tensor *lengths = find(r, "batch.%d.lengths", index);
    size_t at = 0;
    batch_clear(b);
    for (size_t row = 0; row < numel(lengths); row++) {
        int32_t length, row_ids[512], row_types[512];
        memcpy(&length, (const char *)lengths->data + row * sizeof length, sizeof length);
        assert_in_range(length, 1, 512);
        for (int32_t i = 0; i < length; i++, at++) {
            row_ids[i] = (int32_t)int64_at(ids, at);
            row_types[i] = (int32_t)int64_at(types, at);
        }
        assert_int_equal(batch_add(b, row_ids, row_types, (size_t)length, row), 0);
    }
}

/* The loss over batch index; weighted: by the reference's weights, else all 1. */
static struct tch_tensor *loss_of(struct tch_scope *s, const struct reference *r, int index, struct tch_tensor *logits,
                                  bool weighted)
{
    const struct safetensors_tensor *w = find(r, "batch.%d.weights", index);
    float weights[MAX_ROWS];
    double sum = 0;
    const int64_t rows = (int64_t)numel(w);
    for (int64_t i = 0; i < rows; i++)
        sum += weights[i] = weighted ? float_at(w, (size_t)i) : 1.0f;
    struct tch_tensor *weight = tch_from_data(s, weights, TCH_FLOAT32, &rows, 1);
    if (strcmp(r->loss, "cross_entropy") == 0) {
        struct tch_tensor *labels = tch_from_data(s, find(r, "batch.%d.labels", index)->data, TCH_INT64, &rows, 1);
        return tch_cross_entropy(s, logits, labels, weight, sum);
    }
    struct tch_tensor *targets = tch_from_data(s, find(r, "batch.%d.targets", index)->data, TCH_FLOAT32, &rows, 1);
    return strcmp(r->loss, "mse") == 0 ? tch_mse(s, logits, targets, weight, sum)
                                       : tch_bce_logits(s, logits, targets, weight, sum);
}

static struct tch_scope *begin(bool grad)
{
    struct tch_scope_options options = {.grad = grad, .compute = TCH_FLOAT32, .device = device};
    return tch_scope_begin(&options);
}

static void end(struct tch_scope *s)
{
    if (tch_scope_end(s) != 0)
        fail_msg("%s", tch_last_error());
}

static struct tch_tensor *forward(struct tch_scope *s, const struct bert *bert, struct batch *b)
{
    struct bert_input input;
    batch_upload(b, s, &input);
    return bert_forward(s, bert, &input, NULL);
}

static double scalar(struct tch_tensor *t)
{
    double value = NAN;
    assert_int_equal(tch_copy_out(t, TCH_FLOAT64, &value, sizeof value), 0);
    return value;
}

static void compare_logits(const struct safetensors_tensor *want, struct tch_tensor *logits, double allowed)
{
    float values[MAX_ROWS * MAX_LOGITS];
    size_t count = numel(want);
    assert_int_equal(tch_numel(logits), count);
    assert_int_equal(tch_copy_out(logits, TCH_FLOAT32, values, count * sizeof *values), 0);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i] - float_at(want, i)) <= allowed))
            fail_msg("%s[%zu]: %.9g, expected %.9g", want->name, i, values[i], float_at(want, i));
}

static void compare_double(const char *what, int index, double value, double want, double allowed)
{
    if (!(fabs(value - want) <= allowed))
        fail_msg("%s %d: %.9g, expected %.9g", what, index, value, want);
}

static void check_outputs(const struct bert *bert, const struct reference *r)
{
    struct batch b = {0};
    for (int i = 0; i < BATCHES; i++) {
        fill_batch(&b, r, i);
        struct tch_scope *s = begin(false);
        struct tch_tensor *logits = forward(s, bert, &b);
        assert_non_null(logits);
        compare_logits(find(r, "%s.logits.%d", r->loss, i), logits, tolerance->logits);
        compare_double("loss", i, scalar(loss_of(s, r, i, logits, false)),
                       float_at(find(r, "%s.loss.%d", r->loss, i), 0), tolerance->loss);
        compare_double("weighted loss", i, scalar(loss_of(s, r, i, logits, true)),
                       float_at(find(r, "%s.weighted_loss.%d", r->loss, i), 0), tolerance->loss);
        end(s);
    }
    batch_release(&b);
}

/* ---- gradients ---- */

static void compare_whole(const struct safetensors_tensor *want, const float *got, size_t count)
{
    double largest = 0;
    assert_int_equal(numel(want), count);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(float_at(want, i)));
    for (size_t i = 0; i < count; i++)
        if (!(fabs(got[i] - float_at(want, i)) <= tolerance->gradient * largest + 1e-8))
            fail_msg("%s[%zu]: %.9g, expected %.9g, largest %.9g", want->name, i, got[i], float_at(want, i), largest);
}

/* A gradient of which the reference has some values, and the largest, the norm and the sum of all. */
static void compare_part(const struct reference *r, const char *name, const float *got, size_t count)
{
    const struct safetensors_tensor *index = find(r, "%s.grad.%s.index", r->loss, name);
    const struct safetensors_tensor *value = find(r, "%s.grad.%s.value", r->loss, name);
    const struct safetensors_tensor *summary = find(r, "%s.grad.%s.summary", r->loss, name);
    double largest = double_at(summary, 0), allowed = tolerance->gradient * largest + 1e-8, norm = 0, sum = 0, top = 0;
    for (size_t i = 0; i < numel(index); i++) {
        size_t at = (size_t)int64_at(index, i);
        assert_true(at < count);
        if (!(fabs(got[at] - float_at(value, i)) <= allowed))
            fail_msg("%s[%zu]: %.9g, expected %.9g, largest %.9g", name, at, got[at], float_at(value, i), largest);
    }
    for (size_t i = 0; i < count; i++) {
        norm += (double)got[i] * got[i];
        sum += got[i];
        top = fmax(top, fabs(got[i]));
    }
    assert_true(fabs(top - largest) <= allowed);
    assert_true(fabs(sqrt(norm) - double_at(summary, 1)) <= tolerance->gradient * double_at(summary, 1) + allowed);
    assert_true(fabs(sum - double_at(summary, 2)) <= allowed * sqrt((double)count) + 1e-6);
}

static void check_gradients(const struct bert *bert, const struct reference *r, bool whole)
{
    struct batch b = {0};
    fill_batch(&b, r, 0);
    struct tch_scope *s = begin(true);
    tch_backward(s, loss_of(s, r, 0, forward(s, bert, &b), true));
    end(s);
    for (size_t i = 0; i < bert->param_count; i++) {
        const struct bert_param *p = &bert->params[i];
        size_t count = bert_param_numel(p);
        float *values = mem_alloc(count * sizeof *values), *at = values;
        assert_non_null(values);
        struct tch_tensor *grad = tch_parameter_grad(*p->tensor);
        assert_non_null(grad);
        assert_int_equal(tch_copy_out(grad, TCH_FLOAT32, values, count * sizeof *values), 0);
        for (int part = 0; part < bert_param_parts(p); part++) {
            struct bert_file_tensor file;
            assert_int_equal(bert_param_part(&file, p, part), 0);
            if (whole)
                compare_whole(find(r, "%s.grad.%s", r->loss, file.name), at, file.numel);
            else
                compare_part(r, file.name, at, file.numel);
            at += file.numel;
            mem_free(file.name);
        }
        tch_parameter_zero_grad(*p->tensor);
        mem_free(values);
    }
    batch_release(&b);
}

/* ---- ten steps ---- */

static void check_steps(struct bert *bert, const struct reference *r)
{
    const struct tch_adamw_options options = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    const struct safetensors_tensor *losses = find(r, "%s.steps.loss", r->loss), *lr = find(r, "%s.steps.lr", r->loss);
    const struct safetensors_tensor *norms = find(r, "%s.steps.grad_norm", r->loss);
    struct tch_tensor *params[512];
    double decay[512];
    struct tch_adamw *adamw = NULL;
    struct batch b = {0};
    assert_true(bert->param_count <= 512);
    for (size_t i = 0; i < bert->param_count; i++) {
        params[i] = *bert->params[i].tensor;
        decay[i] = bert->params[i].decay ? 0.01 : 0.0;
    }
    assert_int_equal(tch_adamw_new(&adamw, params, decay, bert->param_count, &options), 0);
    for (int step = 0; step < STEPS; step++) {
        double norm = NAN;
        fill_batch(&b, r, step % BATCHES);
        struct tch_scope *s = begin(true);
        struct tch_tensor *loss = loss_of(s, r, step % BATCHES, forward(s, bert, &b), true);
        compare_double("loss of step", step, scalar(loss), double_at(losses, (size_t)step), tolerance->steps);
        tch_backward(s, loss);
        end(s);
        assert_int_equal(tch_adamw_step(adamw, double_at(lr, (size_t)step), 1.0, &norm), 0);
        compare_double("gradient norm of step", step, norm, double_at(norms, (size_t)step),
                       tolerance->gradient * double_at(norms, (size_t)step));
    }
    fill_batch(&b, r, 0);
    struct tch_scope *s = begin(false);
    struct tch_tensor *logits = forward(s, bert, &b);
    const struct safetensors_tensor *want = find(r, "%s.steps.logits", r->loss);
    float values[MAX_ROWS * MAX_LOGITS];
    assert_int_equal(tch_copy_out(logits, TCH_FLOAT32, values, numel(want) * sizeof *values), 0);
    for (size_t i = 0; i < numel(want); i++)
        compare_double("logit after ten steps", (int)i, values[i], float_at(want, i), 10 * tolerance->steps);
    end(s);
    batch_release(&b);
    tch_adamw_free(adamw);
}

/* ---- tests ---- */

static void load(struct bert **bert, const char *dir, const struct label_map *labels)
{
    struct bert_load_options options = {.labels = labels, .seed = 1, .device = device};
    if (bert_load(bert, dir, &options) != 0)
        fail_msg("%s", err_message());
}

static void open_reference(struct reference *r, const char *name, const char *loss)
{
    char path[512];
    snprintf(path, sizeof path, RECO_SOURCE_DIR "/tests/reference/%s", name);
    r->loss = loss;
    if (safetensors_open(&r->file, path) != 0)
        fail_msg("%s", err_message());
}

static void check_tiny(const char *model, const char *reference, const char *loss, bool gradients)
{
    struct bert *bert = NULL;
    struct reference r;
    char dir[512];
    snprintf(dir, sizeof dir, RECO_SOURCE_DIR "/tests/reference/%s", model);
    open_reference(&r, reference, loss);
    load(&bert, dir, NULL);
    check_outputs(bert, &r);
    if (gradients)
        check_gradients(bert, &r, true);
    check_steps(bert, &r);
    bert_free(bert);
    safetensors_close(r.file);
}

static void test_tiny_classes(void **state)
{
    (void)state;
    check_tiny("bert_tiny", "bert_tiny_parity.safetensors", "cross_entropy", true);
}

static void test_tiny_regression(void **state)
{
    (void)state;
    check_tiny("bert_tiny_regression", "bert_tiny_regression_parity.safetensors", "mse", true);
}

static void test_tiny_one_logit(void **state)
{
    (void)state;
    check_tiny("bert_tiny_regression", "bert_tiny_regression_parity.safetensors", "bce", false);
}

static void test_activations(void **state)
{
    (void)state;
    const struct {
        const char *name;
        enum hf_act act;
    } rows[] = {{"gelu_new", HF_ACT_GELU_TANH}, {"relu", HF_ACT_RELU}};
    struct bert *bert = NULL;
    struct batch b = {0};
    struct reference r;
    open_reference(&r, "bert_tiny_parity.safetensors", "cross_entropy");
    load(&bert, RECO_SOURCE_DIR "/tests/reference/bert_tiny", NULL);
    fill_batch(&b, &r, 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bert->config.hidden_act = rows[i].act;
        struct tch_scope *s = begin(false);
        compare_logits(find(&r, "act.%s.logits.0", rows[i].name), forward(s, bert, &b), tolerance->logits);
        end(s);
    }
    batch_release(&b);
    bert_free(bert);
    safetensors_close(r.file);
}

static void test_bfloat16(void **state)
{
    (void)state;
    if (!device.cuda) {
        print_message("skipped: bfloat16 runs on a GPU\n");
        skip();
    }
    struct bert *bert = NULL;
    struct batch b = {0};
    struct reference r;
    open_reference(&r, "bert_tiny_parity.safetensors", "cross_entropy");
    load(&bert, RECO_SOURCE_DIR "/tests/reference/bert_tiny", NULL);
    for (int i = 0; i < BATCHES; i++) {
        const struct safetensors_tensor *want = find(&r, "%s.logits.%d", r.loss, i);
        double largest = 1;
        for (size_t j = 0; j < numel(want); j++)
            largest = fmax(largest, fabs(float_at(want, j)));
        fill_batch(&b, &r, i);
        struct tch_scope_options options = {.compute = TCH_BFLOAT16, .device = device};
        struct tch_scope *s = tch_scope_begin(&options);
        compare_logits(want, forward(s, bert, &b), 2e-2 * largest);
        end(s);
    }
    batch_release(&b);
    bert_free(bert);
    safetensors_close(r.file);
}

static void test_minilm(void **state)
{
    (void)state;
    const char *dir = getenv("RECO_MINILM_DIR");
    if (dir == NULL)
        dir = RECO_SOURCE_DIR "/models/minilm";
    if (!dir_exists(dir)) {
        print_message("skipped: no MiniLM in '%s' (scripts/fetch_model.sh minilm, or RECO_MINILM_DIR)\n", dir);
        skip();
    }
    const char *names[] = {"1", "2", "3", "4"};
    struct label_map labels;
    struct bert *bert = NULL;
    struct reference r;
    assert_int_equal(label_map_from_list(&labels, names, 4), 0);
    open_reference(&r, "bert_minilm_parity.safetensors", "cross_entropy");
    load(&bert, dir, &labels);
    const struct safetensors_tensor *w = find(&r, "classifier.weight"), *bias = find(&r, "classifier.bias");
    assert_int_equal(tch_copy_in(bert->classifier_w, TCH_FLOAT32, w->data, w->size_bytes), 0);
    assert_int_equal(tch_copy_in(bert->classifier_b, TCH_FLOAT32, bias->data, bias->size_bytes), 0);
    check_outputs(bert, &r);
    check_gradients(bert, &r, false);
    check_steps(bert, &r);
    bert_free(bert);
    label_map_release(&labels);
    safetensors_close(r.file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiny_classes),   cmocka_unit_test(test_tiny_regression),
        cmocka_unit_test(test_tiny_one_logit), cmocka_unit_test(test_activations),
        cmocka_unit_test(test_bfloat16),       cmocka_unit_test(test_minilm),
    };
    if (tch_init(2, true) != 0)
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
        tolerance = &cuda;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
