#include "cli/cmd.h"
#include "cli/opts_data.h"
#include "cli/output_dir.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/merge.h"

struct merge_command_options {
    struct cmd_common common;
    struct merge_options merge;
    char *output_dir;
    bool overwrite;
};

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct merge_command_options),
    DATA_THREADS_ROW(struct merge_command_options, merge),
    DATA_STORE_ROWS(struct merge_command_options, merge),
    OUTPUT_DIR_ROW(struct merge_command_options, OPT_FLAG_REQUIRED, "directory of the dataset"),
    OUTPUT_OVERWRITE_ROW(struct merge_command_options, "replace the dataset in output_dir"),
    {0},
};

static int run(const struct cmd_ctx *ctx)
{
    const struct merge_command_options *o = ctx->options;
    struct buf text = {0};
    size_t count = (size_t)opt_positional_count(ctx->set);
    const char **shards = mem_calloc(count, sizeof *shards);

    if (shards == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < count; i++)
        shards[i] = opt_positional(ctx->set, (int)i);
    int status = output_dir_check(o->output_dir, o->overwrite, "dataset.json", "dataset");
    if (status == 0)
        status = merge_run(&o->merge, shards, count, o->output_dir, NULL);
    if (status == 0)
        status = prepare_report_text(o->output_dir, &text);
    if (status == 0)
        status = cmd_print(buf_str(&text));
    if (status == 0)
        log_info("dataset written to '%s'", o->output_dir);
    buf_release(&text);
    mem_free(shards);
    return status;
}

const struct cmd_spec cmd_merge = {
    .name = "merge",
    .summary = "make a dataset from the shards of reco prepare --shard",
    .positionals = "SHARD...",
    .description =
        "Puts the shards that reco prepare --shard wrote together to a dataset, with the bytes that one prepare of "
        "everything would have written: duplicates, contradictions, leakage, the label map, the split, balance and "
        "negatives are decided here, over all rows. A SHARD is a directory, or a file with the lines of one or more "
        "(--output_dir -). They may be given in any order; all of them must be there, made with the same options and "
        "vocabulary.",
    .examples = "reco prepare --train_file big.csv --shard 1/2 --output_dir part-1 ...\n"
                "reco prepare --train_file big.csv --shard 2/2 --output_dir part-2 ...\n"
                "reco merge part-1 part-2 --output_dir ds",
    .options = options,
    .options_size = sizeof(struct merge_command_options),
    .min_positionals = 1,
    .max_positionals = -1,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
