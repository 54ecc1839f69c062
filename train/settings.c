#include "train/settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"

enum on_change { REFUSE, WARN, IGNORE };

struct rule {
    const char *name;
    enum on_change on_change;
};

/* In the order of the table at the start. */
static const struct rule rules[] = {
    {"model", IGNORE},       {"output_dir", IGNORE}, {"dataset", REFUSE},
    {"train_rows", REFUSE},  {"validation", WARN},   {"max_seq_length", REFUSE},
    {"truncation", REFUSE},  {"batch_rows", REFUSE}, {"gradient_accumulation_steps", REFUSE},
    {"seed", REFUSE},        {"updates", WARN},      {"learning_rate", WARN},
    {"schedule", WARN},      {"warmup", WARN},       {"adamw", WARN},
    {"max_grad_norm", WARN}, {"best_by", WARN},      {"device", WARN},
    {"precision", WARN},     {"threads", WARN},      {"cpu_capability", WARN},
    {"build", WARN},
};
enum { RULE_COUNT = sizeof rules / sizeof rules[0] };

static const char *const strategy_names[] = {"no", "steps", "epoch"};

__attribute__((format(printf, 3, 4))) static void set(json_t *json, const char *name, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    json_object_set_new(json, name, json_string(text));
}

json_t *settings_json(const struct train_options *o, const struct train_plan *plan)
{
    json_t *json = json_object();
    if (json == NULL)
        return NULL;
    set(json, "model", "%s", o->model_dir);
    set(json, "output_dir", "%s", o->output_dir);
    set(json, "dataset", "%s", dataset_split_hash(plan->train));
    set(json, "train_rows", "%zu", plan->train_rows);
    if (plan->dev == NULL)
        set(json, "validation", "none");
    else
        set(json, "validation", "%s, every %s", dataset_split_hash(plan->dev), strategy_names[o->eval_strategy]);
    set(json, "max_seq_length", "%zu", o->max_seq_length);
    set(json, "truncation", "%s", o->truncation == WORDPIECE_ONLY_SECOND ? "only_second" : "longest_first");
    set(json, "batch_rows", "%lld", (long long)o->batch_rows);
    set(json, "gradient_accumulation_steps", "%lld", (long long)o->accumulation);
    set(json, "seed", "%llu", (unsigned long long)o->seed);
    set(json, "updates", "%lld, %lld an epoch", (long long)plan->total_steps, (long long)plan->steps_per_epoch);
    set(json, "learning_rate", "%.9g", o->learning_rate);
    set(json, "schedule", "%s", o->schedule->name);
    set(json, "warmup", "%lld updates", (long long)plan->warmup_steps);
    set(json, "adamw", "betas %.9g and %.9g, epsilon %.9g, weight decay %.9g (not on biases and LayerNorm)",
        o->adam_beta1, o->adam_beta2, o->adam_epsilon, o->weight_decay);
    set(json, "max_grad_norm", "%.9g", o->max_grad_norm);
    set(json, "best_by", "%s",
        plan->dev == NULL || !o->load_best_model_at_end ? "the last update" : o->metric_for_best_model);
    if (o->device.cuda)
        set(json, "device", "cuda:%d", o->device.index);
    else
        set(json, "device", "cpu");
    set(json, "precision", "%s", o->bf16 ? "bfloat16 (float32 weights)" : "float32");
    set(json, "threads", "%d", o->threads);
    set(json, "cpu_capability", "%s", tch_cpu_capability());
    set(json, "build", "reco %s, libtorch %s, compiler %s", RECO_VERSION, tch_version(), __VERSION__);
    return json;
}

int settings_compare(const json_t *saved, const json_t *now, const char *checkpoint)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        const char *was = json_string_value(json_object_get(saved, rules[i].name));
        const char *is = json_string_value(json_object_get(now, rules[i].name));
        if (rules[i].on_change == IGNORE || (was != NULL && is != NULL && strcmp(was, is) == 0))
            continue;
        was = was != NULL ? was : "unknown";
        is = is != NULL ? is : "unknown";
        if (rules[i].on_change == REFUSE)
            return err_set(RECO_E_USAGE, "cannot resume '%s': %s was '%s' there and is '%s' now", checkpoint,
                           rules[i].name, was, is);
        log_warn("%s was '%s' in '%s' and is '%s' now: the weights will not be those of an uninterrupted run",
                 rules[i].name, was, checkpoint, is);
    }
    return 0;
}

void settings_show(const json_t *settings, const struct bert *bert)
{
    const struct hf_config *c = &bert->config;
    log_info("%-28s %lld layers, %lld wide, %lld heads, %.1f M parameters, %lld outputs", "architecture",
             (long long)c->num_hidden_layers, (long long)c->hidden_size, (long long)c->num_attention_heads,
             (double)bert_bytes(bert) / sizeof(float) / 1e6, (long long)bert->logits);
    for (int i = 0; i < RULE_COUNT; i++)
        log_info("%-28s %s", rules[i].name, json_string_value(json_object_get(settings, rules[i].name)));
}
