#include "cli/cmd.h"
#include "cli/inspect_text.h"
#include "core/json_file.h"
#include "data/inspect.h"

enum format { FORMAT_TEXT, FORMAT_JSON };
static const char *const format_choices[] = {"text", "json", NULL};

struct inspect_options {
    struct cmd_common common;
    int format; /* enum format */
};

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct inspect_options),
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = offsetof(struct inspect_options, format),
     .default_text = "text",
     .choices = format_choices,
     .help = "text for people or JSON for programs",
     .group = "output"},
    {.name = NULL},
};

static int run(const struct cmd_ctx *ctx)
{
    const struct inspect_options *o = ctx->options;
    struct buf b = {0};
    json_t *json = NULL;
    int status = inspect_dir(&json, opt_positional(ctx->set, 0));
    if (status == 0 && o->format == FORMAT_TEXT) {
        status = inspect_text(&b, json);
    } else if (status == 0) {
        status = buf_add_json(&b, json, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    }
    if (status == 0)
        status = cmd_print(buf_str(&b));
    json_decref(json);
    buf_release(&b);
    return status;
}

const struct cmd_spec cmd_inspect = {
    .name = "inspect",
    .summary = "describe a model, dataset, run or checkpoint directory",
    .positionals = "DIR",
    .description = "Says what DIR holds, from its files alone. A model: sizes, parameters, type of the weights, "
                   "labels, tokeniser and "
                   "hashes. A run: the same, and how training went, its settings and checkpoints. A dataset: labels, "
                   "splits, rows by "
                   "label and lengths. The hashes are those in predictions and datasets, so that what belongs together "
                   "can be found.",
    .examples = "reco inspect models/minilm\nreco inspect --format json run",
    .options = options,
    .options_size = sizeof(struct inspect_options),
    .min_positionals = 1,
    .max_positionals = 1,
    .run = run,
};
