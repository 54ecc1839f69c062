#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/opts_data.h"
#include "cli/output_dir.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/hfdir.h"
#include "data/merge.h"
#include "data/prepare.h"
#include "data/shard_stream.h"
#include "data/wordpiece.h"

struct prepare_command_options {
    struct cmd_common common;
    struct prepare_options data;
    char *model_name_or_path;
    char *output_dir;
    char *shard;
    bool overwrite;
};

static int check_shard(const char *name, const char *value)
{
    uint64_t shard, shards;

    (void)name; /* the parser puts it in front */
    return shard_parse(value, &shard, &shards);
}

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
    OUTPUT_DIR_ROW(struct prepare_command_options, OPT_FLAG_REQUIRED,
                   "directory of the dataset; with --shard also '-': the shard as lines on stdout, for reco merge"),
    {.name = "shard",
     .type = OPT_STRING,
     .offset = offsetof(struct prepare_command_options, shard),
     .help = "make one of several parts, as 3/7, in output_dir, for reco merge: of a file every part takes its share, "
             "of stdin all",
     .group = "output",
     .check = check_shard},
    OUTPUT_OVERWRITE_ROW(struct prepare_command_options, "replace the dataset in output_dir"),
    {0},
};

/*
 * Without training data and --labels the classes are those of the model, so that a test file prepared for a fine-tuned
 * model has its label map.
 */
static int labels_of_model(struct hf_config *config, bool *found, const struct prepare_options *data, const char *model)
{
    *found = false;
    if (data->train_file.count > 0 || data->validation_file.count > 0 || data->label_list.count > 0 || data->regression)
        return 0;
    char *path = path_join(model, "config.json");
    if (path == NULL)
        return RECO_E_NOMEM;
    int status = file_exists(path) ? hf_config_read(config, model) : 0;
    *found = status == 0 && config->has_labels;
    mem_free(path);
    return status;
}

/* Files that are given without an option are training files. *data is o->data with them; *list is to be freed. */
static int take_positionals(struct prepare_options *data, char ***list, const struct cmd_ctx *ctx)
{
    const struct prepare_command_options *o = ctx->options;
    size_t count = (size_t)opt_positional_count(ctx->set), given = o->data.train_file.count;

    *data = o->data;
    *list = mem_calloc(given + count, sizeof **list);
    if (*list == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < given + count; i++)
        (*list)[i] = i < given ? o->data.train_file.items[i] : (char *)opt_positional(ctx->set, (int)(i - given));
    data->train_file = (struct opt_list){.items = *list, .count = given + count};
    return 0;
}

static int print_bytes(void *arg, const char *line, size_t length)
{
    (void)arg;
    return fwrite(line, 1, length, stdout) == length ? 0 : err_set_errno("cannot write stdout");
}

/* A filter: the shard goes to stdout, by way of a directory that is removed. */
static int stream_shard(const struct prepare_options *data, const struct wordpiece *wp, const struct label_map *labels,
                        uint64_t shard, uint64_t shards)
{
    char *base;
    int status = temp_dir_make(&base, data->tmp_dir, "shard");

    if (status < 0)
        return status;
    char *dir = path_join(base, "shard");
    status = dir == NULL ? RECO_E_NOMEM : shard_run(data, wp, labels, shard, shards, dir, NULL);
    if (status == 0)
        status = shard_stream_pack(dir, print_bytes, NULL);
    if (status == 0 && fflush(stdout) != 0)
        status = err_set_errno("cannot write stdout");
    dir_stage_abort(base);
    mem_free(dir);
    mem_free(base);
    return status;
}

static int make_shard(const struct prepare_command_options *o, const struct prepare_options *data,
                      const struct wordpiece *wp, const struct label_map *labels)
{
    struct shard_summary summary;
    struct buf text = {0};
    uint64_t shard, shards;

    int status = shard_parse(o->shard, &shard, &shards);
    if (status == 0 && strcmp(o->output_dir, "-") == 0)
        return stream_shard(data, wp, labels, shard, shards);
    if (status == 0)
        status = shard_run(data, wp, labels, shard, shards, o->output_dir, &summary);
    if (status == 0)
        status = buf_printf(&text, "shard %s: %llu rows, %llu distinct texts\n", o->shard,
                            (unsigned long long)summary.rows, (unsigned long long)summary.texts);
    if (status == 0)
        status = cmd_print(buf_str(&text));
    if (status == 0)
        log_info("shard written to '%s'", o->output_dir);
    buf_release(&text);
    return status;
}

/* Before any work: may the output be put there? */
static int check_output(const struct prepare_command_options *o)
{
    if (o->shard == NULL)
        return output_dir_check(o->output_dir, o->overwrite, "dataset.json", "dataset");
    return strcmp(o->output_dir, "-") == 0 ? 0
                                           : output_dir_check(o->output_dir, o->overwrite, SHARD_JSON_FILE, "shard");
}

static int make_dataset(const struct prepare_command_options *o, const struct prepare_options *data,
                        const struct wordpiece *wp, const struct label_map *labels)
{
    struct buf text = {0};

    int status = prepare_run(data, wp, labels, o->output_dir, NULL);
    if (status == 0)
        status = prepare_report_text(o->output_dir, &text);
    if (status == 0)
        status = cmd_print(buf_str(&text));
    if (status == 0)
        log_info("dataset written to '%s'", o->output_dir);
    buf_release(&text);
    return status;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct prepare_command_options *o = ctx->options;
    struct prepare_options data;
    struct hf_config config = {0};
    struct wordpiece *wp = NULL;
    char **train_files = NULL;
    bool has_labels;

    int status = take_positionals(&data, &train_files, ctx);
    if (status == 0)
        status = prepare_options_check(&data);
    if (status == 0)
        status = check_output(o);
    if (status == 0)
        status = wordpiece_open_dir(&wp, o->model_name_or_path, data.escape_special);
    if (status == 0)
        status = labels_of_model(&config, &has_labels, &data, o->model_name_or_path);
    if (status == 0)
        status = o->shard != NULL ? make_shard(o, &data, wp, has_labels ? &config.labels : NULL)
                                  : make_dataset(o, &data, wp, has_labels ? &config.labels : NULL);
    hf_config_release(&config);
    wordpiece_close(wp);
    mem_free(train_files);
    return status;
}

const struct cmd_spec cmd_prepare = {
    .name = "prepare",
    .summary = "make a dataset from CSV files",
    .positionals = "[FILE...]",
    .description =
        "Reads CSV, TSV or JSON Lines files (FILE is a --train_file), checks every row, turns the texts into tokens "
        "and writes a dataset directory that train, predict and eval read. Texts are stored whole: "
        "--max_seq_length serves the report only.\n\n"
        "Blanks around fields are kept unless --trim_blanks is given. A row with a wrong number of fields, a broken "
        "quote, a NUL byte, a field that is too long, an empty query, or a label, weight or event that cannot be used "
        "is left out and listed in rejects.tsv; over --max_bad_rows there is no dataset, and the list is in "
        "<output_dir>.rejects.tsv. The report is printed, and kept in prepare.json.\n\n"
        "Nothing is left out or changed unless asked for. The rules come in this order: the cleaning of texts and rows "
        "while reading; contradictions; duplicates; near_duplicates; --split; leaks; --negatives; --balance; "
        "--class_weights. Duplicates, contradictions and leakage are counted in any case.\n\n"
        "With --shard, many machines each make a part, and reco merge makes the dataset of them. With --output_dir - "
        "the part goes to stdout as lines of text, so that prepare is a filter for Hadoop streaming or Spark.",
    .examples = "reco prepare --train_file train.csv --test_file test.csv --query_column query \\\n"
                "    --description_column title,description --label_column label \\\n"
                "    --model_name_or_path models/minilm --output_dir ds\n"
                "reco prepare log.csv.gz --query_column q --description '{title} | brand: {brand}' \\\n"
                "    --label_column y --items_file items.csv --item_id_column item --clean all --mask all \\\n"
                "    --split train=0.8,validation=0.1,test=0.1 --model_name_or_path models/minilm --output_dir ds\n"
                "reco prepare big.csv --shard 3/7 --output_dir part-3 ...",
    .tables = clean_help_text,
    .options = options,
    .options_size = sizeof(struct prepare_command_options),
    .max_positionals = -1,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
