#include "cli/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/opts_data.h"
#include "core/buf.h"
#include "core/log.h"
#include "core/mem.h"
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

/* Lines of any length, which may hold NUL bytes. */
struct line_reader {
    int fd;
    const char *name;
    struct buf buf;
    size_t start;
    bool at_end;
};

/* *line is borrowed until the next call and ends before its '\n'; NULL at the end of the file. */
static int read_line(struct line_reader *r, const char **line, size_t *length)
{
    enum { BLOCK_BYTES = 1 << 16 };
    size_t searched = r->start;
    for (;;) {
        const char *data = buf_str(&r->buf);
        const char *newline = memchr(data + searched, '\n', r->buf.length - searched);
        if (newline != NULL || (r->at_end && r->start < r->buf.length)) {
            const char *end = newline != NULL ? newline : data + r->buf.length;
            *line = data + r->start;
            *length = (size_t)(end - *line);
            r->start += *length + (newline != NULL);
            return 0;
        }
        if (r->at_end) {
            *line = NULL;
            *length = 0;
            return 0;
        }
        searched = r->buf.length - r->start;
        if (r->start > 0)
            memmove(r->buf.data, data + r->start, searched);
        r->buf.length = searched;
        r->start = 0;
        int status = buf_reserve(&r->buf, BLOCK_BYTES);
        if (status != 0)
            return status;
        if (fflush(stdout) != 0) /* who asks line by line gets the answers before we wait */
            return err_set_errno("cannot write to standard output");
        ssize_t got = read(r->fd, r->buf.data + r->buf.length, BLOCK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno("cannot read '%s'", r->name);
        r->buf.length += (size_t)got;
        r->at_end = got == 0;
    }
}

struct tokenizing {
    const struct tokenize_options *options;
    struct wordpiece *wp;
    struct wordpiece_scratch *scratch;
    struct wordpiece_ids query, description;
    struct buf out;
    uint64_t lines, lines_cut, tokens_lost;
};

static int add_id(struct tokenizing *t, int32_t id, char separator)
{
    char digits[16];
    size_t at = sizeof digits;
    if (t->options->format == FORMAT_TOKENS) {
        int status = buf_add_str(&t->out, wordpiece_token(t->wp, id));
        return status == 0 ? buf_add_char(&t->out, separator) : status;
    }
    digits[--at] = separator;
    do
        digits[--at] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    return buf_add(&t->out, digits + at, sizeof digits - at);
}

static int add_ids(struct tokenizing *t, const int32_t *ids, size_t count, char separator)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < count; i++)
        status = add_id(t, ids[i], separator);
    return status;
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

static int tokenize_file(struct tokenizing *t, struct line_reader *reader)
{
    for (;;) {
        const char *line;
        size_t length;
        int status = read_line(reader, &line, &length);
        if (status != 0 || line == NULL)
            return status;
        t->lines++;
        status = t->options->format == FORMAT_JSONL ? tokenize_json(t, line, length) : tokenize_text(t, line, length);
        if (status == RECO_E_DATA)
            status = err_prepend(status, "cannot tokenize '%s' line %" PRIu64, reader->name, t->lines);
        if (status != 0)
            return status;
    }
}

static int run(const struct cmd_ctx *ctx)
{
    struct tokenizing t = {.options = ctx->options};
    struct line_reader reader = {.fd = STDIN_FILENO, .name = "-"};
    if (opt_positional_count(ctx->set) > 0)
        reader.name = opt_positional(ctx->set, 0);
    int status = wordpiece_open_dir(&t.wp, t.options->model, t.options->escape_special);
    if (status == 0)
        status = wordpiece_scratch_new(&t.scratch, t.wp);
    if (status == 0 && strcmp(reader.name, "-") != 0) {
        reader.fd = open(reader.name, O_RDONLY | O_CLOEXEC);
        if (reader.fd < 0)
            status = err_set_errno("cannot open '%s'", reader.name);
    }
    if (status == 0)
        status = tokenize_file(&t, &reader);
    if (status == 0 && t.lines_cut > 0)
        log_info("%" PRIu64 " of %" PRIu64 " lines were cut to %" PRId64 " tokens; %" PRIu64 " tokens lost",
                 t.lines_cut, t.lines, t.options->max_seq_length, t.tokens_lost);
    if (reader.fd > STDIN_FILENO)
        (void)close(reader.fd);
    buf_release(&reader.buf);
    buf_release(&t.out);
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
        "a "
        "pair, 'description'; the answer is an object with 'input_ids' and 'token_type_ids'.\n\n"
        "Invalid UTF-8 in text lines reads as U+FFFD, which the tokeniser removes; JSON must be valid UTF-8.",
    .examples = "printf 'usb cable\\tUSB-C cable, 2 m\\n' | reco tokenize --model models/minilm\n"
                "reco tokenize --model models/minilm --format tokens --max_seq_length 128 pairs.tsv",
    .options = options,
    .options_size = sizeof(struct tokenize_options),
    .max_positionals = 1,
    .run = run,
};
