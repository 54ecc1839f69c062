#include <string.h>

#include "cli/cmd.h"
#include "cli/doctor_output.h"
#include "cli/opts_data.h"
#include "cli/opts_input.h"
#include "cli/output_dir.h"
#include "core/mem.h"
#include "data/doctor.h"

static const char *const format_choices[] = {"text", "json", "html", NULL};

struct doctor_command_options {
    struct cmd_common common;
    struct doctor_options doctor;
    char *train_file, *validation_file, *test_file;
    char *model_name_or_path;
    char *output, *output_dir;
    bool overwrite;
    int format; /* enum doctor_format */
    int64_t examples;
    bool strict, strict_warnings;
};

#define FILE_ROW(member)                                                                                               \
    {                                                                                                                  \
        .name = #member, .type = OPT_STRING, .offset = offsetof(struct doctor_command_options, member),                \
        .help = "a file whose role is given", .group = "input", .flags = OPT_FLAG_PATH                                 \
    }
#define COLUMN_ROW(member, text)                                                                                       \
    {                                                                                                                  \
        .name = #member, .type = OPT_STRING, .offset = offsetof(struct doctor_command_options, doctor.member),         \
        .help = text, .group = "columns"                                                                               \
    }

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct doctor_command_options),
    DATA_THREADS_ROW(struct doctor_command_options, doctor),
    FILE_ROW(train_file),
    FILE_ROW(validation_file),
    FILE_ROW(test_file),
    INPUT_OPTION_ROWS(struct doctor_command_options, doctor.table),
    COLUMN_ROW(query_column, "the query; default: guessed from the names of the columns"),
    {.name = "description_column",
     .type = OPT_LIST,
     .offset = offsetof(struct doctor_command_options, doctor.description_column),
     .help = "what is judged against the query; default: guessed",
     .group = "columns"},
    COLUMN_ROW(label_column, "the label; default: guessed"),
    COLUMN_ROW(id_column, "an id of the row; default: guessed"),
    COLUMN_ROW(item_id_column, "an id of the item; default: guessed, else the description stands for it"),
    {.name = "guess",
     .type = OPT_BOOL,
     .offset = offsetof(struct doctor_command_options, doctor.guess),
     .default_text = "true",
     .help = "guess the columns that are not named",
     .group = "columns"},
    {.name = "model_name_or_path",
     .type = OPT_STRING,
     .offset = offsetof(struct doctor_command_options, model_name_or_path),
     .help = "Hugging Face directory whose tokeniser measures the texts; default: characters only",
     .group = "text",
     .aliases = "tokenizer,tokenizer_name",
     .flags = OPT_FLAG_PATH},
    {.name = "max_seq_length",
     .type = OPT_LIST,
     .offset = offsetof(struct doctor_command_options, doctor.max_seq_length),
     .default_text = "64,128,256,512",
     .unit = "tokens",
     .help = "lengths of the input to try, with --model_name_or_path",
     .group = "text",
     .aliases = "max_length"},
    {.name = "truncation",
     .type = OPT_CHOICE,
     .offset = offsetof(struct doctor_command_options, doctor.truncation),
     .default_text = "longest_first",
     .choices = data_truncation_choices,
     .help = "which text loses tokens when a pair is too long",
     .group = "text"},
    {.name = "max_memory",
     .type = OPT_BYTES,
     .offset = offsetof(struct doctor_command_options, doctor.max_memory),
     .default_text = "512M",
     .min = 1 << 20,
     .max = 1e15,
     .help = "for what needs the whole data (duplicates, contradictions, leakage); the rest is spilled to --tmp_dir",
     .group = "general"},
    {.name = "tmp_dir",
     .type = OPT_STRING,
     .offset = offsetof(struct doctor_command_options, doctor.tmp_dir),
     .help = "directory of temporary files; default: $TMPDIR, else /tmp",
     .group = "general",
     .flags = OPT_FLAG_PATH},
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = offsetof(struct doctor_command_options, format),
     .default_text = "text",
     .choices = format_choices,
     .help = "text for a terminal, JSON for programs, HTML: one page with pictures",
     .group = "output"},
    {.name = "output",
     .type = OPT_STRING,
     .offset = offsetof(struct doctor_command_options, output),
     .help = "file for the report in this format; default: stdout",
     .group = "output",
     .letter = 'o',
     .flags = OPT_FLAG_PATH},
    {.name = "output_dir",
     .type = OPT_STRING,
     .offset = offsetof(struct doctor_command_options, output_dir),
     .help = "directory for report.txt, report.json and report.html, besides what is printed",
     .group = "output",
     .aliases = "report_dir",
     .flags = OPT_FLAG_PATH},
    OUTPUT_OVERWRITE_ROW(struct doctor_command_options, "replace the report in output_dir"),
    {.name = "examples",
     .type = OPT_INT,
     .offset = offsetof(struct doctor_command_options, examples),
     .default_text = "3",
     .min = 0,
     .max = 5,
     .help = "lines shown of a finding; JSON has them all",
     .group = "output"},
    {.name = "strict",
     .type = OPT_BOOL,
     .offset = offsetof(struct doctor_command_options, strict),
     .help = "exit status 3 when there is an error among the findings",
     .group = "output"},
    {.name = "strict_warnings",
     .type = OPT_BOOL,
     .offset = offsetof(struct doctor_command_options, strict_warnings),
     .help = "exit status 3 when there is an error or a warning",
     .group = "output"},
    {0},
};

static int collect_inputs(struct doctor_input **out, size_t *count, const struct cmd_ctx *ctx)
{
    const struct doctor_command_options *o = ctx->options;
    const struct doctor_input roles[] = {
        {o->train_file, "train"}, {o->validation_file, "validation"}, {o->test_file, "test"}};
    int plain = opt_positional_count(ctx->set), stdins = 0;

    *out = mem_calloc((size_t)plain + 3, sizeof **out);
    *count = 0;
    if (*out == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < 3; i++) {
        if (roles[i].path != NULL)
            (*out)[(*count)++] = roles[i];
    }
    for (int i = 0; i < plain; i++)
        (*out)[(*count)++].path = opt_positional(ctx->set, i);
    for (size_t i = 0; i < *count; i++)
        stdins += strcmp((*out)[i].path, "-") == 0;
    if (*count == 0)
        return err_set(RECO_E_USAGE, "no file given: reco doctor FILE...");
    return stdins > 1 ? err_set(RECO_E_USAGE, "stdin ('-') can be read once") : 0;
}

static int judge(const json_t *report, const struct doctor_command_options *o)
{
    size_t errors = doctor_count(report, "error"), warnings = doctor_count(report, "warning");

    if (errors > 0 && (o->strict || o->strict_warnings))
        return err_set(RECO_E_DATA, "%zu error%s in the data", errors, errors == 1 ? "" : "s");
    if (warnings > 0 && o->strict_warnings)
        return err_set(RECO_E_DATA, "%zu warning%s about the data", warnings, warnings == 1 ? "" : "s");
    return 0;
}

static int run(const struct cmd_ctx *ctx)
{
    struct doctor_command_options *o = ctx->options;
    struct doctor_input *inputs = NULL;
    struct wordpiece *wp = NULL;
    json_t *report = NULL;
    size_t count = 0;
    int rc = doctor_options_check(&o->doctor);

    if (rc == 0)
        rc = collect_inputs(&inputs, &count, ctx);
    if (rc == 0 && o->output_dir != NULL)
        rc = output_dir_check(o->output_dir, o->overwrite, "report.json", "report");
    if (rc == 0 && o->model_name_or_path != NULL)
        rc = wordpiece_open_dir(&wp, o->model_name_or_path, o->doctor.escape_special);
    o->doctor.model_path = o->model_name_or_path;
    if (rc == 0)
        rc = doctor_run(&report, inputs, count, &o->doctor, wp);
    if (rc == 0)
        rc = doctor_output(
            report, ctx,
            &(struct doctor_output){
                .format = o->format, .examples = (int)o->examples, .path = o->output, .dir = o->output_dir});
    if (rc == 0)
        rc = judge(report, o);
    json_decref(report);
    wordpiece_close(wp);
    mem_free(inputs);
    return rc;
}

const struct cmd_spec cmd_doctor = {
    .name = "doctor",
    .summary = "say what is wrong with data files, and how to mend it",
    .positionals = "FILE...",
    .description =
        "Reads CSV, TSV or JSON Lines once and prints what is wrong with it: rows that cannot be read, encodings, "
        "duplicates, contradicting labels, rows of one file in another, labels that are rare, missing or distributed "
        "otherwise, texts with HTML or personal data, columns that are empty or tell the label. Each finding has its "
        "count, the first lines concerned and what to do; the last lines are a verdict and a reco prepare command for "
        "these files. With --model_name_or_path it says what each --max_seq_length would cut.\n\n"
        "Memory is bounded, whatever the size. Personal data in the examples is masked.",
    .examples = "reco doctor train.csv test.csv\n"
                "reco doctor train.csv --model_name_or_path models/minilm --max_seq_length 64,128\n"
                "reco doctor train.csv --strict --format html --output report.html\n"
                "zcat log.csv.gz | reco doctor - --query_column q --label_column y --format json",
    .options = options,
    .options_size = sizeof(struct doctor_command_options),
    .min_positionals = 0,
    .max_positionals = -1,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
