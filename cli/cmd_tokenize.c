#include "cli/cmd.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/opts_data.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/lines.h"
#include "data/wordpiece.h"

enum format { FORMAT_IDS, FORMAT_TOKENS, FORMAT_JSONL };
static const char *const format_choices[] = {"ids", "tokens", "jsonl", NULL};

struct tokenize_options {
    struct cmd_common common;
    char *model;
    int64_t max_seq_length; /* 0: whole */
    int truncation;         /* enum wordpiece_truncation */
    int format;             /* enum format */
    bool escape_special;
};

static const struct opt_spec options[] = {
    CMD_COMMON_OPTIONS(struct tokenize_options),
    {.name = "model",
     .type = OPT_STRING,
     .offset = offsetof(struct tokenize_options, model),
     .help = "directory with the vocabulary: vocab.txt or tokenizer.json, and tokenizer_config.json",
     .group = "model",
     .aliases = "model_name_or_path,tokenizer_name",
     .letter = 'm',
     .flags = OPT_FLAG_REQUIRED | OPT_FLAG_PATH},
    {.name = "max_seq_length",
     .type = OPT_INT,
     .offset = offsetof(struct tokenize_options, max_seq_length),
     .min = 4,
     .max = 65536,
     .unit = "tokens",
     .help = "cut longer texts and pairs, special tokens included; default: nothing is cut",
     .group = "text",
     .aliases = "max_length"},
    {.name = "truncation",
     .type = OPT_CHOICE,
     .offset = offsetof(struct tokenize_options, truncation),
     .default_text = "longest_first",
     .choices = data_truncation_choices,
     .help = "which text loses tokens when a pair is too long",
     .group = "text"},
    {.name = "escape_special",
     .type = OPT_BOOL,
     .offset = offsetof(struct tokenize_options, escape_special),
     .help = "take '[SEP]', '[MASK]'... in a text as text and not as the special token",
     .group = "text"},
    {.name = "format",
     .type = OPT_CHOICE,
     .offset = offsetof(struct tokenize_options, format),
     .default_text = "ids",
     .choices = format_choices,
     .help = "ids or tokens: text lines in, one line each out; jsonl: JSON lines in and out",
     .group = "output"},
    {.name = NULL}};

enum { ID_BYTES = 12 }; /* digits of the longest int32_t, and their number in the last byte */

struct tokenizing {
    const struct tokenize_options *options;
    struct wordpiece *wp;
    struct wordpiece_scratch *scratch;
    struct wordpiece_ids query, description;
    char (*id_texts)[ID_BYTES]; /* [vocab_size] */
    struct buf out;
    uint64_t lines, lines_cut, tokens_lost;
};

/* The ids as text, [vocab_size]: dividing for every token would take as long as finding it. */
static int make_id_texts(struct tokenizing *t)
{
    int size = wordpiece_vocab_size(t->wp);
    t->id_texts = mem_calloc((size_t)size, sizeof *t->id_texts);
    if (t->id_texts == NULL)
        return RECO_E_NOMEM;
    for (int id = 0; id < size; id++)
        t->id_texts[id][ID_BYTES - 1] = (char)snprintf(t->id_texts[id], ID_BYTES, "%d", id);
    return 0;
}

static int add_tokens(struct tokenizing *t, const int32_t *ids, size_t count, char separator)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = buf_add_str(&t->out, wordpiece_token(t->wp, ids[i]));
        if (status == 0)
            status = buf_add_char(&t->out, separator);
    }
    return status;
}

static int add_ids(struct tokenizing *t, const int32_t *ids, size_t count, char separator)
{
    if (t->options->format == FORMAT_TOKENS)
        return add_tokens(t, ids, count, separator);
    int status = buf_reserve(&t->out, count * ID_BYTES + ID_BYTES);
    if (status != 0)
        return status;
    char *out = t->out.data + t->out.length;
    for (size_t i = 0; i < count; i++) {
        const char *text = t->id_texts[ids[i]];
        memcpy(out, text, ID_BYTES);
        out += text[ID_BYTES - 1];
        *out++ = separator;
    }
    *out = '\0';
    t->out.length = (size_t)(out - t->out.data);
    return 0;
}

static int add_id(struct tokenizing *t, int32_t id, char separator)
{
    return add_ids(t, &id, 1, separator);
}

/* [CLS] query [SEP] description [SEP], each followed by separator, the last by last. */
static int add_sequence(struct tokenizing *t, size_t query, size_t description, bool pair, char separator, char last)
{
    const struct wordpiece_special *special = wordpiece_special_ids(t->wp);
    int status = add_id(t, special->cls, separator);
    if (status == 0)
        status = add_ids(t, t->query.ids, query, separator);
    if (status == 0 && pair)
        status = add_id(t, special->sep, separator);
    if (status == 0 && pair)
        status = add_ids(t, t->description.ids, description, separator);
    return status == 0 ? add_id(t, special->sep, last) : status;
}

static int add_json(struct tokenizing *t, size_t query, size_t description, bool pair)
{
    int status = buf_add_str(&t->out, "{\"input_ids\": [");
    if (status == 0)
        status = add_sequence(t, query, description, pair, ',', ']');
    if (status == 0)
        status = buf_add_str(&t->out, ", \"token_type_ids\": [0,0");
    for (size_t i = 0; status == 0 && i < query; i++)
        status = buf_add_str(&t->out, ",0");
    for (size_t i = 0; status == 0 && pair && i < description + 1; i++)
        status = buf_add_str(&t->out, ",1");
    return status == 0 ? buf_add_str(&t->out, "]}\n") : status;
}

/* description NULL: a single text. */
static int tokenize_texts(struct tokenizing *t, const char *query, size_t query_length, const char *description,
                          size_t description_length)
{
    bool pair = description != NULL;
    t->query.count = t->description.count = 0;
    int status = wordpiece_encode(t->wp, t->scratch, query, query_length, &t->query);
    if (status == 0 && pair)
        status = wordpiece_encode(t->wp, t->scratch, description, description_length, &t->description);
    size_t first = t->query.count, second = t->description.count;
    if (status == 0 && t->options->max_seq_length > 0)
        status = wordpiece_truncate(&first, &second, pair, (size_t)t->options->max_seq_length,
                                    (enum wordpiece_truncation)t->options->truncation);
    if (status != 0)
        return status;
    uint64_t lost = t->query.count - first + t->description.count - second;
    t->lines_cut += lost > 0;
    t->tokens_lost += lost;
    t->out.length = 0;
    status = t->options->format == FORMAT_JSONL ? add_json(t, first, second, pair)
                                                : add_sequence(t, first, second, pair, ' ', '\n');
    if (status == 0 && fwrite(t->out.data, 1, t->out.length, stdout) != t->out.length)
        status = err_set_errno("cannot write to standard output");
    return status;
}

static int tokenize_json(struct tokenizing *t, const char *line, size_t length)
{
    json_error_t error;
    json_t *object = json_loadb(line, length, JSON_ALLOW_NUL, &error);
    if (object == NULL)
        return err_set(RECO_E_DATA, "not JSON: %s", error.text);
    const json_t *query = json_object_get(object, "query"), *description = json_object_get(object, "description");
    int status;
    if (!json_is_string(query))
        status = err_set(RECO_E_DATA, "it needs an object with the text 'query'");
    else if (description != NULL && !json_is_null(description) && !json_is_string(description))
        status = err_set(RECO_E_DATA, "'description' is no text");
    else
        status = tokenize_texts(t, json_string_value(query), json_string_length(query), json_string_value(description),
                                json_string_length(description));
    json_decref(object);
    return status;
}

static int tokenize_text(struct tokenizing *t, const char *line, size_t length)
{
    const char *tab = memchr(line, '\t', length);
    if (tab == NULL)
        return tokenize_texts(t, line, length, NULL, 0);
    return tokenize_texts(t, line, (size_t)(tab - line), tab + 1, length - (size_t)(tab - line) - 1);
}

static int tokenize_file(struct tokenizing *t, struct line_reader *reader, const char *path)
{
    for (;;) {
        char *line;
        size_t length;
        if (!line_reader_has_line(reader) && fflush(stdout) != 0) /* who asks line by line gets the answers first */
            return err_set_errno("cannot write to standard output");
        int status = line_reader_next(reader, &line, &length);
        if (status != 0 || line == NULL)
            return status;
        t->lines++;
        status = t->options->format == FORMAT_JSONL ? tokenize_json(t, line, length) : tokenize_text(t, line, length);
        if (status == RECO_E_DATA)
            status = err_prepend(status, "cannot tokenize '%s' line %" PRIu64, path, t->lines);
        if (status != 0)
            return status;
    }
}

static int run(const struct cmd_ctx *ctx)
{
    struct tokenizing t = {.options = ctx->options};
    struct line_reader *reader = NULL;
    const char *path = opt_positional_count(ctx->set) > 0 ? opt_positional(ctx->set, 0) : "-";
    int status = wordpiece_open_dir(&t.wp, t.options->model, t.options->escape_special);
    if (status == 0)
        status = wordpiece_scratch_new(&t.scratch, t.wp);
    if (status == 0)
        status = make_id_texts(&t);
    if (status == 0)
        status = line_reader_open(&reader, path);
    if (status == 0) {
        line_reader_allow_nul(reader); /* the tokeniser drops them */
        status = tokenize_file(&t, reader, path);
    }
    if (status == 0 && t.lines_cut > 0)
        log_info("%" PRIu64 " of %" PRIu64 " lines were cut to %" PRId64 " tokens; %" PRIu64 " tokens lost",
                 t.lines_cut, t.lines, t.options->max_seq_length, t.tokens_lost);
    line_reader_close(reader);
    buf_release(&t.out);
    mem_free(t.id_texts);
    wordpiece_ids_release(&t.query);
    wordpiece_ids_release(&t.description);
    wordpiece_scratch_free(t.scratch);
    wordpiece_close(t.wp);
    return status;
}

const struct cmd_spec cmd_tokenize = {
    .name = "tokenize",
    .summary = "print the token ids of texts or of query-description pairs",
    .positionals = "[FILE]",
    .description =
        "Reads lines from FILE or standard input, each a text or 'query<TAB>description' (the first tab counts), and "
        "prints one line of ids for each, separated by one space, as the model reads them: [CLS] query [SEP] "
        "description [SEP]. Nothing is cut unless --max_seq_length is given.\n\n"
        "With --format jsonl, for texts with tabs or newlines, a line is a JSON object with the text 'query' and, for "
        "a pair, 'description'; the answer is an object with 'input_ids' and 'token_type_ids'.\n\n"
        "Invalid UTF-8 in text lines reads as U+FFFD, which the tokeniser removes; JSON must be valid UTF-8.",
    .examples = "printf 'usb cable\\tUSB-C cable, 2 m\\n' | reco tokenize --model models/minilm\n"
                "reco tokenize --model models/minilm --format tokens --max_seq_length 128 pairs.tsv",
    .options = options,
    .options_size = sizeof(struct tokenize_options),
    .max_positionals = 1,
    .run = run,
};
