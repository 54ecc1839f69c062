#include "cli/cmd.h"
#include "cli/help.h"

struct help_options {
    struct cmd_common common;
};

static const struct opt_spec options[] = {CMD_COMMON_OPTIONS(struct help_options), {.name = NULL}};

static int run(const struct cmd_ctx *ctx)
{
    struct buf b = {0};
    int status;
    if (opt_positional_count(ctx->set) == 0) {
        status = help_overview_text(&b);
    } else {
        const char *name = opt_positional(ctx->set, 0);
        const struct cmd_spec *cmd = cmd_find(name);
        status = cmd != NULL ? help_command_text(cmd, &b) : help_unknown_command(name);
    }
    if (status == 0)
        status = cmd_print(buf_str(&b));
    buf_release(&b);
    return status;
}

const struct cmd_spec cmd_help = {
    .name = "help",
    .summary = "list the commands, or describe one",
    .positionals = "[COMMAND]",
    .description = "Lists the commands, or describes one with its options; the same text as 'reco COMMAND --help'.",
    .examples = "reco help train",
    .options = options,
    .options_size = sizeof(struct help_options),
    .max_positionals = 1,
    .run = run,
};
