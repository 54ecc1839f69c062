#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/safetensors.h"
#include "model/bert.h"
#include "model/bert_params.h"

static const char weights_name[] = "model.safetensors";

/* What a load goes through; borrowed pointers and scratch. */
struct loading {
    struct bert *bert;
    const struct bert_load_options *options;
    const struct safetensors *file;
    const char *path;
    bool *used;    /* [safetensors_count] */
    float *values; /* [largest parameter] */
};

/* ---- values of the file ---- */

static float half_to_float(uint16_t half)
{
    uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = (half >> 10) & 0x1f, fraction = half & 0x3ff;
    uint32_t bits;
    if (exponent == 0x1f) {
        bits = sign | 0x7f800000u | fraction << 13;
    } else if (exponent != 0) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else if (fraction == 0) {
        bits = sign;
    } else { /* subnormal: shift the leading one into place */
        exponent = 113;
        while ((fraction & 0x400) == 0) {
            fraction <<= 1;
            exponent--;
        }
        bits = sign | exponent << 23 | (fraction & 0x3ff) << 13;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int convert(float *out, const struct safetensors_tensor *t, size_t numel, const char *path)
{
    const unsigned char *data = t->data;
    switch (t->dtype) {
    case SAFETENSORS_F32:
        memcpy(out, data, numel * sizeof *out);
        return 0;
    case SAFETENSORS_F64:
        for (size_t i = 0; i < numel; i++) {
            double value;
            memcpy(&value, data + i * sizeof value, sizeof value);
            out[i] = (float)value;
        }
        return 0;
    case SAFETENSORS_F16:
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < numel; i++) {
            uint16_t half;
            memcpy(&half, data + i * sizeof half, sizeof half);
            uint32_t wide = (uint32_t)half << 16;
            if (t->dtype == SAFETENSORS_F16)
                out[i] = half_to_float(half);
            else
                memcpy(&out[i], &wide, sizeof wide);
        }
        return 0;
    default:
        return err_set(RECO_E_MODEL, "tensor '%s' of '%s' has type %s, expected F32, F16, BF16 or F64", t->name, path,
                       safetensors_dtype_name(t->dtype));
    }
}

/* ---- names of the file ---- */

/* name under its own and its older spellings; NULL when the file has none of them. */
static const struct safetensors_tensor *find(const struct loading *load, const char *name)
{
    static const char prefix[] = "bert.";
    static const struct {
        const char *now, *then;
    } endings[] = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}};
    const char *starts[2] = {name, strncmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix) : NULL};
    for (int i = 0; i < 2 && starts[i] != NULL; i++) {
        const struct safetensors_tensor *t = safetensors_find(load->file, starts[i]);
        for (size_t e = 0; e < sizeof endings / sizeof endings[0] && t == NULL; e++) {
            char older[256];
            size_t length = strlen(starts[i]), ending = strlen(endings[e].now);
            if (length < ending || strcmp(starts[i] + length - ending, endings[e].now) != 0)
                continue;
            snprintf(older, sizeof older, "%.*s%s", (int)(length - ending), starts[i], endings[e].then);
            t = safetensors_find(load->file, older);
        }
        if (t != NULL)
            return t;
    }
    return NULL;
}

static void shape_text(char *text, size_t size, const int64_t *shape, int dims)
{
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < dims && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i > 0 ? ", " : "", (long long)shape[i]);
    if (at < size)
        snprintf(text + at, size - at, "]");
}

static bool shape_equal(const struct safetensors_tensor *t, const struct bert_file_tensor *want)
{
    bool equal = t->dims == want->dims;
    for (int i = 0; i < want->dims && equal; i++)
        equal = t->shape[i] == want->shape[i];
    return equal;
}

static void mark_used(struct loading *load, const struct safetensors_tensor *t)
{
    for (size_t i = 0; i < safetensors_count(load->file); i++)
        if (safetensors_at(load->file, i) == t)
            load->used[i] = true;
}

/* Tensors that belong to no BERT classifier: harmless ones silently, the rest with a word. */
static void report_unused(const struct loading *load)
{
    size_t count = 0;
    const char *first = NULL;
    for (size_t i = 0; i < safetensors_count(load->file); i++) {
        const char *name = safetensors_at(load->file, i)->name;
        if (load->used[i] || strncmp(name, "cls.", 4) == 0 || strstr(name, "position_ids") != NULL)
            continue;
        if (count++ == 0)
            first = name;
    }
    if (count > 0)
        log_warn("'%s' has %zu tensors that this model does not use, such as '%s'", load->path, count, first);
}

/* ---- loading ---- */

static void fill_fresh(const struct loading *load, const struct bert_param *param, uint32_t substream)
{
    struct rng r;
    rng_init(&r, load->options->seed, RNG_STREAM_INIT, substream);
    for (size_t i = 0; i < bert_param_numel(param); i++)
        load->values[i] = param->dims == 2 ? (float)(rng_normal(&r) * load->bert->config.initializer_range) : 0.0f;
}

static int read_param(struct loading *load, const struct bert_param *param)
{
    float *at = load->values;
    int rc = 0;
    for (int part = 0; part < bert_param_parts(param) && rc == 0; part++) {
        struct bert_file_tensor want;
        rc = bert_param_part(&want, param, part);
        if (rc != 0)
            return rc;
        const struct safetensors_tensor *t = find(load, want.name);
        if (t == NULL) {
            rc = err_set(RECO_E_MODEL, "'%s' has no tensor '%s'", load->path, want.name);
        } else if (!shape_equal(t, &want)) {
            char expected[64], found[256];
            shape_text(expected, sizeof expected, want.shape, want.dims);
            shape_text(found, sizeof found, t->shape, t->dims);
            rc = err_set(RECO_E_MODEL, "tensor '%s' of '%s' has shape %s, expected %s", t->name, load->path, found,
                         expected);
        } else {
            mark_used(load, t);
            rc = convert(at, t, want.numel, load->path);
            at += want.numel;
        }
        mem_free(want.name);
    }
    return rc;
}

/*
 * Whether the classifier must be made fresh: the file has none, or one of another shape that the caller gave up.
 * RECO_E_MODEL when it may not be made.
 */
static int classifier_is_fresh(struct loading *load, bool *fresh)
{
    const struct safetensors_tensor *w = find(load, "classifier.weight"), *b = find(load, "classifier.bias");
    const struct bert *bert = load->bert;
    *fresh = false;
    if (w == NULL && b == NULL) {
        if (load->options->labels == NULL)
            return err_set(RECO_E_MODEL, "'%s' has no classifier: fine-tune the model with reco train first",
                           load->path);
        log_info("'%s' has no classifier: a fresh one with %lld outputs is used", load->path, (long long)bert->logits);
        *fresh = true;
    } else if (w != NULL && b != NULL && w->dims == 2 && w->shape[0] != bert->logits && load->options->labels != NULL) {
        if (!load->options->ignore_mismatched_sizes)
            return err_set(RECO_E_MODEL,
                           "the classifier of '%s' has %lld outputs, the data needs %lld: "
                           "--ignore_mismatched_sizes replaces it by a fresh one",
                           load->path, (long long)w->shape[0], (long long)bert->logits);
        log_info("the classifier of '%s' has %lld outputs: a fresh one with %lld is used", load->path,
                 (long long)w->shape[0], (long long)bert->logits);
        mark_used(load, w);
        mark_used(load, b);
        *fresh = true;
    }
    return 0;
}

static int load_params(struct loading *load)
{
    struct bert *bert = load->bert;
    bool fresh_classifier = false;
    bool fresh_pooler = find(load, "bert.pooler.dense.weight") == NULL && find(load, "bert.pooler.dense.bias") == NULL;
    int rc = classifier_is_fresh(load, &fresh_classifier);
    if (rc == 0 && fresh_pooler)
        log_info("'%s' has no pooler: a fresh one is used", load->path);
    for (size_t i = 0; i < bert->param_count && rc == 0; i++) {
        const struct bert_param *p = &bert->params[i];
        bool pooler = p->tensor == &bert->pooler_w || p->tensor == &bert->pooler_b;
        bool classifier = p->tensor == &bert->classifier_w || p->tensor == &bert->classifier_b;
        if ((pooler && fresh_pooler) || (classifier && fresh_classifier))
            fill_fresh(load, p, classifier);
        else
            rc = read_param(load, p);
        if (rc == 0 && tch_parameter_new(p->tensor, load->values, p->shape, p->dims, bert->device) != 0)
            rc = err_set(RECO_E_MODEL, "cannot make the parameter '%s': %s", p->name, tch_last_error());
    }
    if (rc == 0)
        report_unused(load);
    return rc;
}

/* The classes: those wanted, with a word when the classifier that stays was trained for others; else the model's. */
static int take_labels(struct bert *bert, const char *dir, const struct label_map *wanted)
{
    const struct hf_config *c = &bert->config;
    if (wanted == NULL && !c->has_labels)
        return err_set(RECO_E_MODEL, "'%s' has no classifier: fine-tune the model with reco train first", dir);
    const struct label_map *labels = wanted != NULL ? wanted : &c->labels;
    if (wanted != NULL && c->has_labels && wanted->task == c->labels.task && wanted->count == c->labels.count) {
        char has[HASH_HEX_SIZE], wants[HASH_HEX_SIZE];
        label_map_hash(&c->labels, has);
        label_map_hash(wanted, wants);
        if (strcmp(has, wants) != 0)
            log_warn("the classifier of '%s' was trained for other labels; its weights are kept as the start", dir);
    }
    bert->logits = labels->task == LABEL_TASK_CLASSIFICATION ? labels->count : 1;
    return label_map_copy(&bert->labels, labels);
}

int bert_load(struct bert **out, const char *dir, const struct bert_load_options *options)
{
    struct safetensors *file = NULL;
    char *path = NULL;
    struct loading load = {.options = options};
    struct bert *bert = mem_calloc(1, sizeof *bert);
    *out = NULL;
    if (bert == NULL)
        return err_nomem();
    load.bert = bert;
    bert->device = options->device;
    int rc = hf_config_read(&bert->config, dir);
    if (rc == 0)
        rc = take_labels(bert, dir, options->labels);
    if (rc == 0)
        rc = hf_dir_weights_path(&path, dir);
    if (rc == 0)
        rc = safetensors_open(&file, path);
    if (rc == 0)
        rc = bert_params_build(bert);
    if (rc != 0)
        goto done;

    size_t largest = 0;
    for (size_t i = 0; i < bert->param_count; i++)
        if (bert_param_numel(&bert->params[i]) > largest)
            largest = bert_param_numel(&bert->params[i]);
    load.file = file;
    load.path = path;
    load.used = mem_calloc(safetensors_count(file) + 1, sizeof *load.used);
    load.values = mem_realloc_array(NULL, largest, sizeof *load.values);
    bert->source_dir = mem_strdup(options->source_dir != NULL ? options->source_dir : dir);
    if (load.used == NULL || load.values == NULL || bert->source_dir == NULL) {
        rc = err_nomem();
        goto done;
    }
    rc = load_params(&load);
    if (rc == 0) {
        *out = bert;
        bert = NULL;
    }
done:
    safetensors_close(file);
    mem_free(load.used);
    mem_free(load.values);
    mem_free(path);
    bert_free(bert);
    return rc;
}

/* ---- saving ---- */

static int collect(const struct bert *bert, struct safetensors_tensor *tensors, size_t *count, char *values)
{
    int rc = 0;
    for (size_t i = 0; i < bert->param_count && rc == 0; i++) {
        const struct bert_param *p = &bert->params[i];
        size_t bytes = bert_param_numel(p) * sizeof(float);
        if (tch_copy_out(*p->tensor, TCH_FLOAT32, values, bytes) != 0)
            return err_set(RECO_E_MODEL, "cannot read the parameter '%s': %s", p->name, tch_last_error());
        for (int part = 0; part < bert_param_parts(p) && rc == 0; part++) {
            struct bert_file_tensor file;
            rc = bert_param_part(&file, p, part);
            if (rc != 0)
                break;
            tensors[(*count)++] = (struct safetensors_tensor){.name = file.name,
                                                              .dtype = SAFETENSORS_F32,
                                                              .dims = file.dims,
                                                              .shape = {file.shape[0], file.shape[1]},
                                                              .data = values,
                                                              .size_bytes = file.numel * sizeof(float)};
            values += file.numel * sizeof(float);
        }
    }
    return rc;
}

int bert_save(const struct bert *bert, const char *dir)
{
    size_t count = 0;
    char *path = path_join(dir, weights_name);
    char *values = mem_alloc(bert_bytes(bert));
    struct safetensors_tensor *tensors = mem_calloc(bert->param_count * BERT_QKV_PARTS, sizeof *tensors);
    int rc = path == NULL || values == NULL || tensors == NULL ? err_nomem() : 0;
    if (rc == 0)
        rc = collect(bert, tensors, &count, values);
    if (rc == 0)
        rc = hf_dir_write(dir, &bert->config, &bert->labels, bert->source_dir);
    if (rc == 0)
        rc = safetensors_write(path, tensors, count, NULL, 0);
    for (size_t i = 0; i < count; i++)
        mem_free((char *)(uintptr_t)tensors[i].name);
    mem_free(tensors);
    mem_free(values);
    mem_free(path);
    return rc;
}
