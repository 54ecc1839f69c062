#include "cli/cmd.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "eval/evaluate.h"

enum format { FORMAT_TEXT, FORMAT_JSON };
static const char *const format_choices[] = {"text", "json", NULL};

struct metric_options {
    struct cmd_common common;
    int format; /* enum format */
};

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct metric_options),
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = offsetof(struct metric_options, format),
     .default_text = "text",
     .choices = format_choices,
     .help = "text for people or JSON for programs",
     .group = "output"},
    {.name = NULL},
};

static int add_json(const char *const *names, size_t count, struct buf *b)
{
    json_t *json;
    int rc = eval_metrics_json(&json, names, count);
    rc = rc ? rc : buf_add_json(b, json, JSON_INDENT(2));
    json_decref(json);
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct metric_options *o = ctx->options;
    size_t count = (size_t)opt_positional_count(ctx->set);
    const char **names = mem_calloc(count + 1, sizeof *names);
    struct buf b = {0};
    int rc = names ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        names[i] = opt_positional(ctx->set, (int)i);
    }
    if (!rc) {
        rc = o->format == FORMAT_JSON ? add_json(names, count, &b) : eval_metrics_text(names, count, &b);
    }
    if (!rc && !count && o->format == FORMAT_TEXT) {
        rc = buf_add_str(&b,
                         "\n'reco metric NAME' tells a metric's names, formula, source, version and what it needs.\n");
    }
    if (!rc) {
        rc = cmd_print(buf_str(&b));
    }
    buf_release(&b);
    mem_free(names);
    return rc;
}

const struct cmd_spec cmd_metric = {
    .name = "metric",
    .summary = "list the metrics, or define some",
    .positionals = "[METRIC...]",
    .description =
        "Lists the metrics of reco eval, or defines those that are named: what they measure, their names by class, "
        "depth and mean, formula, source, version, what the predictions must hold for them, and which way is better. "
        "A change of a metric's value raises its version. The measures of trec_eval (reco eval -m) are its own.",
    .examples = "reco metric\n"
                "reco metric ndcg@10 f1_macro ece",
    .options = options,
    .options_size = sizeof(struct metric_options),
    .max_positionals = -1,
    .run = run,
};
