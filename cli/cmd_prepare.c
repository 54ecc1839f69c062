#include <string.h>

#include "cli/cmd.h"
#include "cli/opts_data.h"
#include "cli/output_dir.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/hfdir.h"
#include "data/prepare.h"
#include "data/wordpiece.h"

struct prepare_command_options {
    struct cmd_common common;
    struct prepare_options data;
    char *model_name_or_path;
    char *output_dir;
    bool overwrite;
};

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct prepare_command_options),
    DATA_THREADS_ROW(struct prepare_command_options, data),
    DATA_OPTION_ROWS(struct prepare_command_options, data),
    DATA_TRAIN_ROWS(struct prepare_command_options, data),
    DATA_LENGTH_ROWS(struct prepare_command_options, data),
    {.name = "model_name_or_path",
     .type = OPT_STRING,
     .offset = offsetof(struct prepare_command_options, model_name_or_path),
     .help = "Hugging Face directory whose vocab.txt and tokenizer_config.json make the tokens",
     .group = "text",
     .aliases = "tokenizer,tokenizer_name",
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "output_dir",
     .type = OPT_STRING,
     .offset = offsetof(struct prepare_command_options, output_dir),
     .help = "directory of the dataset",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "overwrite",
     .type = OPT_BOOL,
     .offset = offsetof(struct prepare_command_options, overwrite),
     .help = "replace the dataset in output_dir",
     .group = "output",
     .aliases = "overwrite_output_dir"},
    {0},
};

/*
 * Without training data and --labels the classes are those of the model, so that a test file prepared for a fine-tuned
 * model has its label map.
 */
static int labels_of_model(struct hf_config *config, bool *found, const struct prepare_command_options *o)
{
    *found = false;
    if (o->data.train_file.count > 0 || o->data.validation_file.count > 0 || o->data.label_list.count > 0 ||
        o->data.regression)
        return 0;
    char *path = path_join(o->model_name_or_path, "config.json");
    if (path == NULL)
        return RECO_E_NOMEM;
    int status = file_exists(path) ? hf_config_read(config, o->model_name_or_path) : 0;
    *found = status == 0 && config->has_labels;
    mem_free(path);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct prepare_command_options *o = ctx->options;
    struct hf_config config = {0};
    struct wordpiece *wp = NULL;
    struct buf text = {0};
    bool has_labels;

    int status = prepare_options_check(&o->data);
    if (status == 0)
        status = output_dir_check(o->output_dir, o->overwrite, "dataset.json", "dataset");
    if (status == 0)
        status = wordpiece_open_dir(&wp, o->model_name_or_path, o->data.escape_special);
    if (status == 0)
        status = labels_of_model(&config, &has_labels, o);
    if (status == 0)
        status = prepare_run(&o->data, wp, has_labels ? &config.labels : NULL, o->output_dir, NULL);
    if (status == 0)
        status = prepare_report_text(o->output_dir, &text);
    if (status == 0)
        status = cmd_print(buf_str(&text));
    if (status == 0)
        log_info("dataset written to '%s'", o->output_dir);
    buf_release(&text);
    hf_config_release(&config);
    wordpiece_close(wp);
    return status;
}

const struct cmd_spec cmd_prepare = {
    .name = "prepare",
    .summary = "make a dataset from CSV files",
    .description =
        "Reads CSV or TSV files (RFC 4180, UTF-8, a header line), checks every row, turns the texts into tokens and "
        "writes a dataset directory that train, predict and eval read. Texts are stored whole: "
        "--max_seq_length serves the report only.\n\n"
        "Blanks around fields are kept unless --trim_blanks is given. A row with a wrong number of fields, a broken "
        "quote, a NUL byte, a field that is too long, an empty query, or a label, weight or event that cannot be used "
        "is left out and listed in rejects.tsv; over --max_bad_rows there is no dataset, and the list is in "
        "<output_dir>.rejects.tsv. The report is printed, and kept in prepare.json.",
    .examples = "reco prepare --train_file train.csv --test_file test.csv --query_column query \\\n"
                "    --description_column title,description --label_column label \\\n"
                "    --model_name_or_path models/minilm --output_dir ds\n"
                "zcat log.csv.gz | reco prepare --train_file - --query_column q --label_column y \\\n"
                "    --model_name_or_path models/minilm --output_dir ds",
    .options = options,
    .options_size = sizeof(struct prepare_command_options),
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
