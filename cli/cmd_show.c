#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/inspect_text.h"
#include "cli/opts_data.h"
#include "core/json_file.h"
#include "core/mem.h"
#include "core/stop.h"
#include "data/inspect.h"
#include "data/predictions.h"
#include "data/show.h"

enum { ROWS_UNASKED = 10 };

enum format { FORMAT_TEXT, FORMAT_JSONL };
static const char *const format_choices[] = {"text", "jsonl", NULL};

struct show_command {
    struct cmd_common common;
    char *split, *row, *row_id;
    int64_t limit;
    int format; /* enum format */
    bool tokens;
    char *model;
    struct {
        int64_t max_seq_length;
        int truncation; /* enum wordpiece_truncation */
    } length;
};

static int read_number(const char **at, uint64_t *number)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(*at, &end, 10);
    if (**at < '0' || **at > '9' || errno != 0 || value == 0)
        return -1;
    *at = end;
    *number = value;
    return 0;
}

/* "N" or "N-M", from 1. */
static int read_range(const char *text, uint64_t *first, uint64_t *last)
{
    const char *at = text;

    if (read_number(&at, first) < 0)
        return err_set(RECO_E_USAGE, "'%s' is not a row or a range of rows, as 7 or 7-12", text);
    *last = *first;
    if (*at == '-') {
        at++;
        if (read_number(&at, last) < 0 || *last < *first)
            return err_set(RECO_E_USAGE, "'%s' is not a row or a range of rows, as 7 or 7-12", text);
    }
    return *at == '\0' ? 0 : err_set(RECO_E_USAGE, "'%s' is not a row or a range of rows, as 7 or 7-12", text);
}

static int check_range(const char *name, const char *value)
{
    uint64_t first, last;

    (void)name;
    return read_range(value, &first, &last);
}

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct show_command),
    {.name = "split",
     .type = OPT_STRING,
     .offset = offsetof(struct show_command, split),
     .help = "train, validation or test; default: all of them in this order",
     .group = "rows"},
    {.name = "row",
     .type = OPT_STRING,
     .offset = offsetof(struct show_command, row),
     .help = "row of the split, counted from 1, or a range of rows: 7 or 7-12",
     .group = "rows",
     .check = check_range},
    {.name = "row_id",
     .type = OPT_STRING,
     .offset = offsetof(struct show_command, row_id),
     .help = "the rows with this row_id, as predictions have it",
     .group = "rows",
     .aliases = "id"},
    {.name = "limit",
     .type = OPT_INT,
     .offset = offsetof(struct show_command, limit),
     .min = 1,
     .max = 1e15,
     .unit = "rows",
     .help = "print at most so many rows; default: 10, and all that --row or --row_id asks for",
     .group = "rows"},
    {.name = "tokens",
     .type = OPT_BOOL,
     .offset = offsetof(struct show_command, tokens),
     .help = "print tokens as text beside their ids; needs the model for its vocabulary",
     .group = "text"},
    {.name = "model_name_or_path",
     .type = OPT_STRING,
     .offset = offsetof(struct show_command, model),
     .help = "directory of the model whose vocabulary made the dataset",
     .group = "text",
     .aliases = "model,tokenizer_name",
     .flags = OPT_FLAG_PATH},
    DATA_LENGTH_ROWS(struct show_command, length),
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = offsetof(struct show_command, format),
     .default_text = "text",
     .choices = format_choices,
     .help = "text for people, or a JSON object a row",
     .group = "output"},
    {.name = NULL},
};

struct showing {
    const struct show_command *command;
    struct show_options options;
    uint64_t left; /* rows that may still be printed */
    uint64_t printed;
};

static int print_row(struct showing *s, const struct dataset_split *split, size_t row)
{
    struct buf b = {0};
    json_t *json = NULL;
    int rc = stop_requested() ? err_set(RECO_E_STOPPED, "stopped") : show_row_json(&json, split, row, &s->options);

    if (rc == 0 && s->command->format == FORMAT_TEXT) {
        rc = s->printed > 0 ? buf_add_char(&b, '\n') : 0;
        if (rc == 0)
            rc = show_row_text(&b, json);
    } else if (rc == 0) {
        rc = buf_add_json(&b, json, JSON_COMPACT | JSON_REAL_PRECISION(9));
    }
    if (rc == 0)
        rc = cmd_print(buf_str(&b));
    json_decref(json);
    buf_release(&b);
    s->left--;
    s->printed++;
    return rc;
}

/* Rows [first, last], from 1, as far as the split has them. */
static int print_range(struct showing *s, const struct dataset_split *split, uint64_t first, uint64_t last)
{
    int rc = 0;

    for (uint64_t row = first; rc == 0 && s->left > 0 && row <= last && row <= dataset_rows(split); row++)
        rc = print_row(s, split, (size_t)row - 1);
    return rc;
}

/* id is escaped as the columns are. */
static int print_row_id(struct showing *s, const struct dataset_split *split, const struct buf *id)
{
    int rc = 0;

    for (size_t row = 0; rc == 0 && s->left > 0 && row < dataset_rows(split); row++) {
        size_t length;
        const char *columns = dataset_columns(split, row, &length);
        if (length >= id->length && memcmp(columns, buf_str(id), id->length) == 0 &&
            (length == id->length || columns[id->length] == '\t'))
            rc = print_row(s, split, row);
    }
    return rc;
}

static int print_split(struct showing *s, const struct dataset_split *split)
{
    const struct show_command *o = s->command;
    uint64_t first = 1, last = UINT64_MAX;
    struct buf id = {0};
    int rc = 0;

    if (o->row_id != NULL) {
        rc = predictions_escape(&id, o->row_id, strlen(o->row_id));
        if (rc == 0)
            rc = print_row_id(s, split, &id);
        buf_release(&id);
        return rc;
    }
    if (o->row != NULL)
        rc = read_range(o->row, &first, &last);
    if (rc == 0 && o->row != NULL && last > dataset_rows(split) && o->split != NULL)
        rc = err_set(RECO_E_USAGE, "--row %s: the last row of the %s split is %zu", o->row, dataset_split_name(split),
                     dataset_rows(split));
    return rc < 0 ? rc : print_range(s, split, first, last);
}

static int print_rows(struct showing *s, const struct dataset *ds)
{
    const struct show_command *o = s->command;
    const struct dataset_split *only = o->split != NULL ? dataset_find_split(ds, o->split) : NULL;
    int rc = 0;

    if (o->split != NULL && only == NULL)
        return err_set(RECO_E_USAGE, "the dataset has no split '%s'", o->split);
    for (size_t i = 0; rc == 0 && i < dataset_split_count(ds); i++)
        if (only == NULL || only == dataset_split_at(ds, i))
            rc = print_split(s, dataset_split_at(ds, i));
    if (rc == 0 && s->printed == 0 && o->row_id != NULL)
        rc = err_set(RECO_E_USAGE, "no row has the row_id '%s'", o->row_id);
    if (rc == 0 && s->printed == 0 && o->row != NULL)
        rc = err_set(RECO_E_USAGE, "--row %s: no split has so many rows", o->row);
    return rc;
}

static int print_summary(const struct show_command *o, const char *dir)
{
    struct buf b = {0};
    json_t *json = NULL;
    int rc = inspect_dir(&json, dir);

    if (rc == 0 && strcmp(json_string_value(json_object_get(json, "kind")), "dataset") != 0)
        rc = err_set(RECO_E_DATA, "no dataset in '%s': reco inspect describes other directories", dir);
    if (rc == 0 && o->format == FORMAT_TEXT) {
        rc = inspect_text(&b, json);
    } else if (rc == 0) {
        rc = buf_add_json(&b, json, JSON_COMPACT | JSON_REAL_PRECISION(9));
    }
    if (rc == 0)
        rc = cmd_print(buf_str(&b));
    json_decref(json);
    buf_release(&b);
    return rc;
}

static int open_vocabulary(struct wordpiece **wp, const struct show_command *o, const struct dataset *ds)
{
    int rc = wordpiece_open_dir(wp, o->model, false);

    if (rc == 0 && strcmp(wordpiece_hash(*wp), dataset_vocab_hash(ds)) != 0)
        rc = err_set(RECO_E_DATA, "the dataset was prepared with another vocabulary or tokeniser than that of '%s'",
                     o->model);
    return rc;
}

static int run(const struct cmd_ctx *ctx)
{
    const struct show_command *o = ctx->options;
    const char *dir = opt_positional(ctx->set, 0);
    bool asked = o->row != NULL || o->row_id != NULL;
    struct showing s = {.command = o, .left = asked ? UINT64_MAX : ROWS_UNASKED};
    struct wordpiece *wp = NULL;
    struct dataset *ds = NULL;

    if (o->row != NULL && o->row_id != NULL)
        return err_set(RECO_E_USAGE, "--row and --row_id exclude each other");
    if (o->tokens && o->model == NULL)
        return err_set(RECO_E_USAGE, "--tokens needs --model_name_or_path, for the vocabulary");
    if (!asked && o->split == NULL && o->limit == 0)
        return print_summary(o, dir);
    if (o->limit > 0)
        s.left = (uint64_t)o->limit;
    int rc = dataset_open(&ds, dir);
    if (rc == 0 && o->tokens)
        rc = open_vocabulary(&wp, o, ds);
    s.options =
        (struct show_options){.max_seq_length = o->length.max_seq_length, .truncation = o->length.truncation, .wp = wp};
    if (rc == 0)
        rc = print_rows(&s, ds);
    wordpiece_close(wp);
    dataset_close(ds);
    return rc;
}

const struct cmd_spec cmd_show = {
    .name = "show",
    .summary = "print rows of a prepared dataset as text and ids",
    .positionals = "DATASET",
    .description =
        "Prints rows of DATASET as they were stored: texts after cleaning and masking, their ids, label, weight, the "
        "columns that travel along, and what the model will see of them at --max_seq_length. Without --row, --row_id, "
        "--split or --limit it describes the dataset, as reco inspect does. Every byte of the dataset is checked "
        "first.",
    .examples = "reco show ds\nreco show ds --split test --row 7-12\n"
                "reco show ds --row_id train.csv:128 --tokens --model_name_or_path models/minilm\n"
                "reco show ds --split train --limit 1000 --format jsonl",
    .options = options,
    .options_size = sizeof(struct show_command),
    .min_positionals = 1,
    .max_positionals = 1,
    .flags = CMD_FLAG_STOPPABLE,
    .run = run,
};
