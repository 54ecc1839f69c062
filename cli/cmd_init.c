#include <inttypes.h>
#include <jansson.h>

#include "cli/cmd.h"
#include "cli/output_dir.h"
#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "data/hfinit.h"
#include "data/wordpiece.h"

struct init_options {
    struct cmd_common common;
    char *config_json, *vocab, *output_dir;
    bool overwrite, do_lower_case;
    int64_t hidden_size, num_hidden_layers, num_attention_heads, intermediate_size, max_position_embeddings;
    int hidden_act; /* enum hf_act */
    double hidden_dropout_prob, attention_probs_dropout_prob, initializer_range;
    int64_t num_labels;
    struct opt_list labels;
    int64_t seed;
};

enum { HEAD_SIZE = 64 }; /* of every BERT that was published with its width */

static const char *const act_choices[] = {"gelu", "gelu_new", "relu", NULL}; /* in the order of enum hf_act */

#define SIZE_ROW(field, top, words)                                                                                    \
    {                                                                                                                  \
        .name = #field, .type = OPT_INT, .offset = offsetof(struct init_options, field), .min = 1, .max = (top),       \
        .help = words, .group = "model"                                                                                \
    }
#define NUMBER_ROW(field, top, words)                                                                                  \
    {                                                                                                                  \
        .name = #field, .type = OPT_DOUBLE, .offset = offsetof(struct init_options, field), .min = 0, .max = (top),    \
        .help = words, .group = "model"                                                                                \
    }

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct init_options),
    {.name = "config_json",
     .type = OPT_STRING,
     .offset = offsetof(struct init_options, config_json),
     .help = "a BERT config.json to start from; default: the sizes of bert-base",
     .group = "model",
     .aliases = "config_name",
     .flags = OPT_FLAG_PATH},
    SIZE_ROW(hidden_size, 65536, "width; default: the config's, 768"),
    SIZE_ROW(num_hidden_layers, 1024, "layers; default: the config's, 12"),
    SIZE_ROW(num_attention_heads, 65536, "attention heads; default: the config's, or one for 64 of --hidden_size"),
    SIZE_ROW(intermediate_size, 524288, "width inside a layer; default: the config's, or 4 times --hidden_size"),
    SIZE_ROW(max_position_embeddings, 1048576, "longest input in tokens; default: the config's, 512"),
    {.name = "hidden_act",
     .type = OPT_CHOICE,
     .offset = offsetof(struct init_options, hidden_act),
     .choices = act_choices,
     .help = "activation; default: the config's, gelu",
     .group = "model"},
    NUMBER_ROW(hidden_dropout_prob, 0.99, "dropout; default: the config's, 0.1"),
    NUMBER_ROW(attention_probs_dropout_prob, 0.99, "dropout of attention; default: the config's, 0.1"),
    NUMBER_ROW(initializer_range, 10, "standard deviation of the weights; default: the config's, 0.02"),
    {.name = "seed",
     .type = OPT_INT,
     .offset = offsetof(struct init_options, seed),
     .default_text = "42",
     .min = 0,
     .max = 4294967295,
     .help = "names the random numbers: the same seed gives the same weights",
     .group = "model"},
    {.name = "vocab",
     .type = OPT_STRING,
     .offset = offsetof(struct init_options, vocab),
     .help = "vocab.txt, or a model directory whose tokeniser files are copied",
     .group = "text",
     .aliases = "vocab_file,tokenizer_name",
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "do_lower_case",
     .type = OPT_BOOL,
     .offset = offsetof(struct init_options, do_lower_case),
     .default_text = "true",
     .help = "texts are lower-cased (where --vocab is a file)",
     .group = "text"},
    {.name = "num_labels",
     .type = OPT_INT,
     .offset = offsetof(struct init_options, num_labels),
     .min = 1,
     .max = 1048576,
     .help = "add a classifier for so many classes; 1 is regression",
     .group = "labels"},
    {.name = "labels",
     .type = OPT_LIST,
     .offset = offsetof(struct init_options, labels),
     .help = "add a classifier for the classes named, in their order",
     .group = "labels",
     .aliases = "label_list"},
    OUTPUT_DIR_ROW(struct init_options, OPT_FLAG_REQUIRED, "directory of the model"),
    OUTPUT_OVERWRITE_ROW(struct init_options, "replace the model in output_dir"),
    {.name = NULL},
};

/* Options that are keys of config.json go there as they are. */
static int set_sizes(json_t *json, const struct init_options *o, const struct opt_set *set)
{
    const struct {
        const char *key;
        int64_t value;
    } sizes[] = {
        {"hidden_size", o->hidden_size},
        {"num_hidden_layers", o->num_hidden_layers},
        {"num_attention_heads", o->num_attention_heads},
        {"intermediate_size", o->intermediate_size},
        {"max_position_embeddings", o->max_position_embeddings},
    };
    const struct {
        const char *key;
        double value;
    } numbers[] = {
        {"hidden_dropout_prob", o->hidden_dropout_prob},
        {"attention_probs_dropout_prob", o->attention_probs_dropout_prob},
        {"initializer_range", o->initializer_range},
    };
    int bad = 0;
    if (opt_is_set(set, "hidden_size")) { /* what follows from it, where nothing else is said */
        int64_t heads = o->hidden_size >= HEAD_SIZE ? o->hidden_size / HEAD_SIZE : 1;
        bad = json_object_set_new(json, "num_attention_heads", json_integer(heads)) ||
              json_object_set_new(json, "intermediate_size", json_integer(4 * o->hidden_size));
    }
    for (size_t i = 0; !bad && i < sizeof sizes / sizeof *sizes; i++)
        if (opt_is_set(set, sizes[i].key))
            bad = json_object_set_new(json, sizes[i].key, json_integer(sizes[i].value));
    for (size_t i = 0; !bad && i < sizeof numbers / sizeof *numbers; i++)
        if (opt_is_set(set, numbers[i].key))
            bad = json_object_set_new(json, numbers[i].key, json_real(numbers[i].value));
    if (!bad && opt_is_set(set, "hidden_act"))
        bad = json_object_set_new(json, "hidden_act", json_string(act_choices[o->hidden_act]));
    return bad ? err_nomem() : 0;
}

static int set_labels(json_t *json, const struct init_options *o)
{
    static const char *const replaced[] = {"id2label", "label2id", "num_labels", "problem_type", "reco"};
    size_t count = o->labels.count;
    if (count == 0 && o->num_labels == 0)
        return 0;
    if (count > 0 && o->num_labels > 0 && (size_t)o->num_labels != count)
        return err_set(RECO_E_USAGE, "--num_labels is %" PRId64 " and --labels names %zu", o->num_labels, count);
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
        json_object_del(json, replaced[i]);
    int bad = json_object_set_new(json, "architectures", json_pack("[s]", "BertForSequenceClassification"));
    if (!bad && count == 0)
        bad = json_object_set_new(json, "num_labels", json_integer(o->num_labels));
    json_t *names = count > 0 ? json_object() : NULL;
    for (size_t i = 0; !bad && i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        bad = json_object_set_new(names, key, json_string(o->labels.items[i]));
    }
    if (!bad && count > 0)
        bad = json_object_set(json, "id2label", names);
    json_decref(names);
    return bad ? err_nomem() : 0;
}

static int set_vocabulary(json_t *json, const struct wordpiece *wp)
{
    int32_t pad = wordpiece_special_ids(wp)->pad;
    int bad = json_object_set_new(json, "pad_token_id", pad < 0 ? json_null() : json_integer(pad));
    if (!bad && json_object_get(json, "vocab_size") == NULL)
        bad = json_object_set_new(json, "vocab_size", json_integer(wordpiece_vocab_size(wp)));
    return bad ? err_nomem() : 0;
}

static int make_config(struct hf_config *out, const struct init_options *o, const struct opt_set *set,
                       const struct wordpiece *wp)
{
    struct hf_config base = {0};
    int status = o->config_json != NULL ? hf_config_read_file(&base, o->config_json) : 0;
    if (status != 0)
        return status;
    json_t *json = base.json != NULL ? json_incref(base.json) : json_pack("{s:s}", "model_type", "bert");
    hf_config_release(&base);
    if (json == NULL)
        return err_nomem();
    status = set_sizes(json, o, set);
    if (status == 0)
        status = set_labels(json, o);
    if (status == 0)
        status = set_vocabulary(json, wp);
    if (status != 0) {
        json_decref(json);
        return status;
    }
    status = hf_config_from_json(out, json, o->config_json != NULL ? o->config_json : "the options");
    if (status == RECO_E_MODEL) /* the file alone was fine: the options were not */
        return RECO_E_USAGE;
    if (status == 0)
        status = hf_config_check_vocab(out, wordpiece_vocab_size(wp), o->vocab);
    if (status != 0)
        hf_config_release(out);
    return status;
}

static int open_tokenizer(struct wordpiece **wp, const struct init_options *o)
{
    if (dir_exists(o->vocab))
        return wordpiece_open_dir(wp, o->vocab, false);
    struct wordpiece_options text;
    wordpiece_options_init(&text);
    text.do_lower_case = o->do_lower_case;
    return wordpiece_open(wp, o->vocab, &text);
}

static int print_result(const struct init_options *o, const struct hf_config *config, uint64_t parameters)
{
    struct buf b = {0};
    int status = buf_printf(&b,
                            "%s: BERT with random weights, %" PRIu64 " parameters\n"
                            "layers %" PRId64 ", width %" PRId64 ", heads %" PRId64 ", tokens %" PRId64
                            ", positions %" PRId64 "\n",
                            o->output_dir, parameters, config->num_hidden_layers, config->hidden_size,
                            config->num_attention_heads, config->vocab_size, config->max_position_embeddings);
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct init_options *o = ctx->options;
    struct hf_config config = {0};
    struct wordpiece *wp = NULL;
    uint64_t parameters = 0;
    int status = output_dir_check(o->output_dir, o->overwrite, "config.json", "model");
    if (status == 0)
        status = open_tokenizer(&wp, o);
    if (status == 0)
        status = make_config(&config, o, ctx->set, wp);
    wordpiece_close(wp);
    if (status == 0)
        status = hf_dir_init(o->output_dir, &config, o->vocab, o->do_lower_case, (uint64_t)o->seed, &parameters);
    if (status == 0)
        status = print_result(o, &config, parameters);
    hf_config_release(&config);
    return status;
}

const struct cmd_spec cmd_init = {
    .name = "init",
    .summary = "make a BERT model directory with random weights",
    .description =
        "Writes a Hugging Face model directory (config.json, model.safetensors, vocab.txt, tokenizer_config.json) of a "
        "BERT whose weights are random: normal(0, initializer_range), biases 0, LayerNorm 1 and 0. It serves tests, "
        "and "
        "training from nothing. --config_json gives the sizes, options change them; with neither it is bert-base. With "
        "--num_labels, --labels or a config that names a classifier there is a classifier too.",
    .examples = "reco init --vocab models/minilm --hidden_size 128 --num_hidden_layers 2 --output_dir tiny\n"
                "reco init --vocab vocab.txt --config_json config.json --labels no,maybe,yes --output_dir model",
    .options = options,
    .options_size = sizeof(struct init_options),
    .run = run,
};
