#include "cli/opts_train.h"

#include <string.h>

#include "cli/device.h"
#include "cli/opts_data.h"
#include "cli/output_dir.h"
#include "eval/evaluate.h"

const char *const train_schedule_choices[] = {"linear", "cosine", "constant", "constant_with_warmup", NULL};
static const char *const strategy_choices[] = {"no", "steps", "epoch", NULL};

/* "loss" and the names of eval's table, also with transformers' "eval_" before them. */
static int check_metric(const char *name, const char *value)
{
    const char *metric = strncmp(value, "eval_", 5) == 0 ? value + 5 : value;
    (void)name;
    if (strcmp(metric, "loss") == 0)
        return 0;
    int rc = eval_metric_check(metric);
    if (rc == 0 && eval_metric_direction(metric) == 0)
        rc = err_set(RECO_E_USAGE, "'%s' has no better and worse", metric);
    return rc;
}

#define AT(field) offsetof(struct train_command, field)
#define REAL(option, field, text, least, most, words)                                                                  \
    .name = option, .type = OPT_DOUBLE, .offset = AT(field), .default_text = text, .min = least, .max = most,          \
    .help = words
#define WHOLE(option, field, text, least, words)                                                                       \
    .name = option, .type = OPT_INT, .offset = AT(field), .default_text = text, .min = least, .max = 1e12, .help = words

static const struct opt_spec specs[] = {
    CMD_COMMON_OPTIONS(struct train_command),

    {.name = "model_name_or_path",
     .type = OPT_STRING,
     .offset = AT(model_name_or_path),
     .help = "directory of the pretrained model, or the name of one under models/",
     .group = "model",
     .aliases = "model",
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "ignore_mismatched_sizes",
     .type = OPT_BOOL,
     .offset = AT(ignore_mismatched_sizes),
     .help = "replace a classifier of another number of labels by a fresh one",
     .group = "model"},

    {.name = "dataset",
     .type = OPT_STRING,
     .offset = AT(dataset),
     .help = "prepared dataset (reco prepare); else the CSV files below are prepared into output_dir/dataset",
     .group = "data",
     .flags = OPT_FLAG_PATH},
    DATA_OPTION_ROWS(struct train_command, data),
    DATA_TRAIN_ROWS(struct train_command, data),
    DATA_LENGTH_ROWS(struct train_command, data),

    OUTPUT_DIR_ROW(struct train_command, OPT_FLAG_REQUIRED,
                   "directory of the run; a non-empty one is refused unless resumed or overwritten"),
    {.name = "resume_from_checkpoint",
     .type = OPT_STRING,
     .offset = AT(resume_from_checkpoint),
     .help = "a checkpoint directory, or auto: the newest complete one of output_dir, if there is one",
     .group = "output",
     .flags = OPT_FLAG_PATH},
    OUTPUT_OVERWRITE_ROW(struct train_command, "remove what an earlier run left in output_dir"),
    {.name = "save_strategy",
     .type = OPT_CHOICE,
     .offset = AT(save_strategy),
     .default_text = "epoch",
     .choices = strategy_choices,
     .help = "when checkpoints are written; a signal always writes one",
     .group = "output"},
    {WHOLE("save_steps", save_steps, "500", 1, "updates between checkpoints with --save_strategy steps"),
     .group = "output"},
    {WHOLE("save_total_limit", save_total_limit, "2", 0, "checkpoints kept, the newest ones (0: all)"),
     .group = "output"},
    {WHOLE("logging_steps", logging_steps, "50", 1, "updates between lines of train.jsonl"), .group = "output"},

    {REAL("num_train_epochs", num_train_epochs, "3", 1e-9, 1e6, "passes over the training rows; may be a fraction"),
     .group = "optimisation", .aliases = "epochs"},
    {.name = "max_steps",
     .type = OPT_INT,
     .offset = AT(max_steps),
     .default_text = "-1",
     .min = -1,
     .max = 4294967295.0,
     .help = "updates in all, instead of num_train_epochs (-1 or 0: by the epochs)",
     .group = "optimisation"},
    {WHOLE("per_device_train_batch_size", per_device_train_batch_size, "8", 1, "rows of one forward pass"),
     .group = "optimisation", .aliases = "train_batch_size,batch_size"},
    {WHOLE("gradient_accumulation_steps", gradient_accumulation_steps, "1", 1, "forward passes of one update"),
     .group = "optimisation"},
    {REAL("learning_rate", learning_rate, "5e-5", 0, 1e38, "peak learning rate"), .group = "optimisation",
     .aliases = "lr"},
    {.name = "lr_scheduler_type",
     .type = OPT_CHOICE,
     .offset = AT(lr_scheduler_type),
     .default_text = "linear",
     .choices = train_schedule_choices,
     .help = "course of the learning rate after the warm-up",
     .group = "optimisation"},
    {REAL("warmup_steps", warmup_steps, "0", 0, 1e12, "updates of linear warm-up, or their share when below 1"),
     .group = "optimisation"},
    {REAL("warmup_ratio", warmup_ratio, "0", 0, 1, "share of the updates for warm-up, where warmup_steps is 0"),
     .group = "optimisation"},
    {REAL("weight_decay", weight_decay, "0", 0, 1e6, "decoupled weight decay, not of biases and LayerNorm"),
     .group = "optimisation"},
    {REAL("max_grad_norm", max_grad_norm, "1.0", 0, 1e12, "gradients are scaled to this L2 norm at most (0: never)"),
     .group = "optimisation"},
    {REAL("adam_beta1", adam_beta1, "0.9", 0, 0.9999999, "AdamW's decay of the mean"), .group = "optimisation"},
    {REAL("adam_beta2", adam_beta2, "0.999", 0, 0.9999999, "AdamW's decay of the square"), .group = "optimisation"},
    {REAL("adam_epsilon", adam_epsilon, "1e-8", 0, 1, "AdamW's term in the denominator"), .group = "optimisation"},
    {WHOLE("seed", seed, "42", 0, "names the order of the data, the dropout and fresh weights"),
     .group = "optimisation"},

    {.name = "eval_strategy",
     .type = OPT_CHOICE,
     .offset = AT(eval_strategy),
     .default_text = "epoch",
     .choices = strategy_choices,
     .help = "when the validation split is evaluated, where there is one",
     .group = "evaluation",
     .aliases = "evaluation_strategy"},
    {WHOLE("eval_steps", eval_steps, "500", 1, "updates between evaluations with --eval_strategy steps"),
     .group = "evaluation"},
    {.name = "metric_for_best_model",
     .type = OPT_STRING,
     .offset = AT(metric_for_best_model),
     .default_text = "loss",
     .help = "metric of the validation split by which the best weights are chosen",
     .group = "evaluation",
     .check = check_metric},
    {.name = "load_best_model_at_end",
     .type = OPT_BOOL,
     .offset = AT(load_best_model_at_end),
     .default_text = "true",
     .help = "output_dir holds the best weights and output_dir/last the last; else output_dir holds the last",
     .group = "evaluation"},
    {WHOLE("eval_batch_tokens", eval_batch_tokens, "0", 0,
           "tokens of one batch of evaluation (0: 4096, on a GPU 65536)"),
     .group = "evaluation"},

    DEVICE_OPTION_ROW(struct train_command, device),
    {.name = "bf16",
     .type = OPT_BOOL,
     .offset = AT(bf16),
     .help = "matrix products in bfloat16, weights in float32; on a GPU",
     .group = "general"},
    DATA_THREADS_ROW(struct train_command, data),
    {.name = NULL}};

const struct cmd_spec cmd_train = {
    .name = "train",
    .summary = "fine-tune a BERT model on pairs of query and description",
    .description = "Fine-tunes a pretrained BERT on a prepared dataset, or on CSV files directly. output_dir becomes a "
                   "Hugging Face model "
                   "directory with the best weights by the validation split (without one: the last), train.jsonl, "
                   "config.resolved.yaml and checkpoints. Option names and defaults are those of transformers where it "
                   "has them.\n\n"
                   "A run that was stopped goes on with --resume_from_checkpoint auto, and ends with the weights of a "
                   "run that was not, "
                   "byte for byte on the CPU with the same build, machine type and number of threads.",
    .examples = "reco train --config configs/minilm.yaml --model_name_or_path models/minilm --train_file train.csv \\\n"
                "    --validation_file dev.csv --query_column query --description_column title,description \\\n"
                "    --label_column label --output_dir run\n"
                "reco train --dataset ds --model_name_or_path models/minilm --output_dir run",
    .tables = clean_help_text,
    .options = specs,
    .options_size = sizeof(struct train_command),
    .flags = CMD_FLAG_STOPPABLE,
    .run = CMD_TORCH(cmd_train_run),
};
