#include "cli/inspect_text.h"

#include <string.h>

enum { NAME_WIDTH = 16 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static json_int_t count_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int add_name(struct buf *b, const char *name)
{
    return buf_printf(b, "  %-*s", NAME_WIDTH, name);
}

static int add_plain(struct buf *b, const char *name, const char *text)
{
    int status = add_name(b, name);
    return status == 0 ? buf_printf(b, "%s\n", text) : status;
}

static int add_bytes(struct buf *b, json_int_t bytes)
{
    return buf_printf(b, "%.1f MiB", (double)bytes / (1 << 20));
}

/* Ends the line of the labels: how they were made of those in the files. */
static int add_rule(struct buf *b, const json_t *labels)
{
    const char *rule = text_of(labels, "rule");
    int status = rule[0] != '\0' ? buf_printf(b, "; made by the rule %s", rule) : 0;
    return status == 0 ? buf_add_char(b, '\n') : status;
}

static int add_labels(struct buf *b, const json_t *labels)
{
    const char *task = text_of(labels, "task"), *positive = text_of(labels, "positive");
    const json_t *names = json_object_get(labels, "names"), *grades = json_object_get(labels, "grades"), *name;
    size_t index;
    int status = add_name(b, "labels");
    if (status != 0)
        return status;
    if (json_array_size(names) == 0) {
        status = buf_add_str(b, labels == NULL || json_is_null(labels) ? "none: there is no classifier"
                                                                       : "none: one output, regression");
        return status == 0 ? add_rule(b, labels) : status;
    }
    status = buf_printf(b, "%zu%s:", json_array_size(names), strcmp(task, "binary_logit") == 0 ? ", one logit" : "");
    json_array_foreach(names, index, name)
    {
        const json_t *grade = json_array_get(grades, index);
        if (status == 0)
            status = buf_printf(b, "%s '%s'", index > 0 ? "," : "", json_string_value(name));
        if (status == 0 && grade != NULL)
            status = buf_printf(b, " (grade %g)", json_number_value(grade));
    }
    if (status == 0)
        status = buf_printf(b, "; positive '%s'", positive);
    return status == 0 ? add_rule(b, labels) : status;
}

static int add_tokenizer(struct buf *b, const json_t *json)
{
    const json_t *t = json_object_get(json, "tokenizer");
    int status = add_name(b, "tokenizer");
    if (status != 0)
        return status;
    if (json_is_null(t))
        return buf_printf(b, "none: %s\n", text_of(json, "tokenizer_missing"));
    return buf_printf(b, "%" JSON_INTEGER_FORMAT " tokens, %s, hash %s\n", count_of(t, "tokens"),
                      json_is_true(json_object_get(t, "do_lower_case")) ? "lower case" : "case kept",
                      text_of(t, "hash"));
}

static int add_weights(struct buf *b, const json_t *json)
{
    const json_t *w = json_object_get(json, "weights");
    int status = add_name(b, "weights");
    if (status != 0)
        return status;
    if (json_is_null(w))
        return buf_printf(b, "none: %s\n", text_of(json, "weights_missing"));
    status = buf_printf(b, "%" JSON_INTEGER_FORMAT " parameters in %" JSON_INTEGER_FORMAT " tensors, %s, ",
                        count_of(w, "parameters"), count_of(w, "tensors"), text_of(w, "dtype"));
    if (status == 0)
        status = add_bytes(b, count_of(w, "bytes"));
    return status == 0 ? buf_printf(b, ", hash %s\n", text_of(w, "hash")) : status;
}

static int add_model(struct buf *b, const json_t *json)
{
    const json_t *c = json_object_get(json, "config");
    if (c == NULL) /* a run that has saved nothing yet */
        return add_plain(b, "architecture", "none yet: no model was saved");
    int status = add_name(b, "architecture");
    if (status == 0)
        status =
            buf_printf(b,
                       "BERT: %" JSON_INTEGER_FORMAT " layers, %" JSON_INTEGER_FORMAT " wide, %" JSON_INTEGER_FORMAT
                       " heads, %" JSON_INTEGER_FORMAT " inside, %s\n",
                       count_of(c, "num_hidden_layers"), count_of(c, "hidden_size"), count_of(c, "num_attention_heads"),
                       count_of(c, "intermediate_size"), text_of(c, "hidden_act"));
    if (status == 0)
        status = add_name(b, "input");
    if (status == 0)
        status = buf_printf(b, "at most %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " tokens\n",
                            count_of(c, "max_position_embeddings"), count_of(c, "vocab_size"));
    if (status == 0)
        status = add_weights(b, json);
    if (status == 0)
        status = add_labels(b, json_object_get(json, "labels"));
    return status == 0 ? add_tokenizer(b, json) : status;
}

/* ---- runs ---- */

/* The numbers of an evaluation, "eval_" left off. */
static int add_values(struct buf *b, const json_t *evaluation)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)evaluation, key, value)
    {
        int status = 0;
        if (strncmp(key, "eval_", 5) == 0 && json_is_number(value))
            status = buf_printf(b, "  %s %.4f", key + 5, json_number_value(value));
        if (status != 0)
            return status;
    }
    return buf_add_char(b, '\n');
}

static int add_events(struct buf *b, const json_t *list, const char *name)
{
    const json_t *event;
    size_t index;
    int status = 0;
    json_array_foreach(list, index, event)
    {
        const json_t *loss = json_object_get(event, "train_loss");
        if (status == 0)
            status = add_name(b, index == 0 ? name : "");
        if (status == 0)
            status = buf_printf(b, "step %" JSON_INTEGER_FORMAT ", epoch %.3g:", count_of(event, "step"),
                                json_number_value(json_object_get(event, "epoch")));
        if (status == 0)
            status =
                loss != NULL ? buf_printf(b, "  train loss %.4f\n", json_number_value(loss)) : add_values(b, event);
    }
    return status;
}

static int add_checkpoints(struct buf *b, const json_t *list)
{
    const json_t *checkpoint;
    size_t index;
    int status = add_name(b, "checkpoints");
    if (status == 0 && json_array_size(list) == 0)
        status = buf_add_str(b, "none");
    json_array_foreach(list, index, checkpoint)
    {
        if (status == 0)
            status = buf_printf(b, "%s%s%s", index > 0 ? ", " : "", text_of(checkpoint, "name"),
                                json_is_true(json_object_get(checkpoint, "complete")) ? "" : " (incomplete)");
    }
    return status == 0 ? buf_add_char(b, '\n') : status;
}

static int add_training(struct buf *b, const json_t *t)
{
    const json_t *best = json_object_get(t, "best");
    const char *key;
    json_t *value;
    int status = add_name(b, "training");
    if (status == 0)
        status =
            buf_printf(b, "step %" JSON_INTEGER_FORMAT ", started %" JSON_INTEGER_FORMAT " %s\n",
                       count_of(t, "last_step"), count_of(t, "starts"), count_of(t, "starts") == 1 ? "time" : "times");
    if (status == 0)
        status = add_events(b, json_object_get(t, "epochs"), "epochs");
    if (status == 0)
        status = add_events(b, json_object_get(t, "evaluations"), "evaluations");
    if (status == 0 && json_is_object(best)) {
        status = add_name(b, "best");
        if (status == 0)
            status = buf_printf(b, "step %" JSON_INTEGER_FORMAT ":", count_of(best, "step"));
        if (status == 0)
            status = add_values(b, best);
    }
    if (status == 0)
        status = add_checkpoints(b, json_object_get(t, "checkpoints"));
    if (status == 0 && json_is_object(json_object_get(t, "settings")))
        status = buf_add_str(b, "  settings\n");
    json_object_foreach(json_object_get(t, "settings"), key, value)
    {
        if (status == 0)
            status = buf_printf(b, "    %-28s %s\n", key, json_is_string(value) ? json_string_value(value) : "");
    }
    return status;
}

/* ---- datasets ---- */

static int add_splits(struct buf *b, const json_t *splits)
{
    const json_t *split, *label;
    size_t index, i;
    int status =
        buf_printf(b, "\n  %-12s %10s %10s %12s %10s\n", "split", "rows", "labelled", "mean tokens", "longest");
    json_array_foreach(splits, index, split)
    {
        if (status == 0)
            status = buf_printf(
                b, "  %-12s %10" JSON_INTEGER_FORMAT " %10" JSON_INTEGER_FORMAT " %12.1f %10" JSON_INTEGER_FORMAT "\n",
                text_of(split, "name"), count_of(split, "rows"), count_of(split, "labelled"),
                json_number_value(json_object_get(split, "mean_tokens")), count_of(split, "longest_tokens"));
    }
    json_array_foreach(splits, index, split)
    {
        if (status == 0 && json_array_size(json_object_get(split, "labels")) > 0)
            status = buf_printf(b, "\n  %-12s %10s\n", text_of(split, "name"), "rows");
        json_array_foreach(json_object_get(split, "labels"), i, label)
        {
            if (status == 0)
                status = buf_printf(b, "  %-12s %10" JSON_INTEGER_FORMAT "\n", text_of(label, "label"),
                                    count_of(label, "rows"));
        }
    }
    return status;
}

static int add_dataset(struct buf *b, const json_t *json)
{
    const json_t *t = json_object_get(json, "tokenizer");
    int status = add_plain(b, "hash", text_of(json, "hash"));
    if (status == 0)
        status = add_name(b, "texts");
    if (status == 0)
        status = buf_printf(b, "%" JSON_INTEGER_FORMAT " distinct, %" JSON_INTEGER_FORMAT " tokens\n",
                            count_of(json, "texts"), count_of(json, "tokens"));
    if (status == 0)
        status = add_plain(b, "tokenizer hash", text_of(t, "hash"));
    if (status == 0)
        status = add_labels(b, json_object_get(json, "labels"));
    return status == 0 ? add_splits(b, json_object_get(json, "splits")) : status;
}

int inspect_text(struct buf *b, const json_t *json)
{
    const char *kind = text_of(json, "kind");
    int status = buf_printf(b, "%s: %s", text_of(json, "path"), kind);
    if (status == 0 && strcmp(kind, "checkpoint") == 0)
        status = buf_printf(b, " of step %" JSON_INTEGER_FORMAT "%s", count_of(json, "step"),
                            json_is_true(json_object_get(json, "complete")) ? "" : ", incomplete");
    if (status == 0)
        status = buf_add_char(b, '\n');
    if (status == 0)
        status = strcmp(kind, "dataset") == 0 ? add_dataset(b, json) : add_model(b, json);
    if (status == 0 && strcmp(kind, "run") == 0)
        status = add_training(b, json_object_get(json, "training"));
    return status;
}
