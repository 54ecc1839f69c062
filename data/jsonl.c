#include "data/jsonl.h"

#include <string.h>

#include "core/mem.h"
#include "data/bytes16.h"
#include "data/jsonl_internal.h"
#include "data/utf8.h"

enum {
    CHUNK_BYTES = 256 * 1024,
    SAMPLE_BYTES = 1024 * 1024,
    SAMPLE_OBJECTS = 1000,
    MAX_COLUMNS = 4096,
    LINE_SLACK_BYTES = 64 * 1024 * 1024 /* a line may be this much longer than twice the longest field */
};

struct jsonl_reader {
    struct input *input;
    bool eof, trim_blanks;
    bool skip; /* the rest of a line of which the start was a bad row */
    size_t max_field_bytes, chunk_bytes;
    char *raw; /* unread bytes are [start, end), with 16 zeros behind */
    size_t raw_capacity, start, end;
    uint64_t line; /* of the byte at start */
    struct buf text, bad_text;
    const char **names; /* [columns], each owned */
    size_t columns, names_capacity;
    size_t next_column; /* the member after the last one is likely this column */
    struct csv_field *fields;
    bool field_too_long;
    uint64_t records, lf, crlf;
    struct csv_record record;
};

static int fill(struct jsonl_reader *r)
{
    size_t got;

    if (r->start > 0)
        memmove(r->raw, r->raw + r->start, r->end - r->start);
    r->end -= r->start;
    r->start = 0;
    int rc = mem_grow((void **)&r->raw, &r->raw_capacity, r->end + r->chunk_bytes + BYTES16_SIZE, 1);
    if (rc == 0)
        rc = input_read(r->input, r->raw + r->end, r->chunk_bytes, &got);
    if (rc < 0)
        return rc;
    r->eof = got == 0;
    r->end += got;
    memset(r->raw + r->end, 0, BYTES16_SIZE);
    return 0;
}

struct line {
    const char *text;
    size_t length; /* without its end */
    size_t next;   /* bytes to the next line */
    bool crlf, lf;
    bool too_long; /* text is its start, next goes up to what was read */
};

static size_t longest_line(const struct jsonl_reader *r)
{
    return 2 * r->max_field_bytes + LINE_SLACK_BYTES;
}

/* The line at start + from, reading on where it is not complete; *found: false at the end of the file. Moves bytes. */
static int read_line(struct jsonl_reader *r, size_t from, struct line *line, bool *found)
{
    size_t searched = 0, held;
    const char *lf = NULL;

    for (;;) {
        held = r->end - r->start - from;
        lf = held > searched ? memchr(r->raw + r->start + from + searched, '\n', held - searched) : NULL;
        searched = held;
        if (lf != NULL || r->eof || held > longest_line(r))
            break;
        int rc = fill(r);
        if (rc < 0)
            return rc;
    }
    *found = held > 0;
    if (!*found)
        return 0;
    const char *text = r->raw + r->start + from;
    size_t length = lf != NULL ? (size_t)(lf - text) : held;
    *line = (struct line){.text = text, .length = length, .next = length + (lf != NULL)};
    line->too_long = length > longest_line(r);
    line->crlf = lf != NULL && length > 0 && text[length - 1] == '\r';
    line->lf = lf != NULL && !line->crlf;
    line->length -= line->crlf;
    if (line->too_long)
        line->length = longest_line(r);
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_blank_line(const struct line *line)
{
    size_t i = 0;

    while (i < line->length && (is_blank(line->text[i]) || line->text[i] == '\r'))
        i++;
    return i == line->length;
}

static int too_long(const struct jsonl_reader *r, struct buf *why, const char **bad)
{
    int rc = buf_printf(why, "a line longer than %zu bytes", longest_line(r));

    *bad = buf_str(why);
    return rc;
}

static size_t find_column(const struct jsonl_reader *r, const char *name)
{
    if (r->next_column < r->columns && strcmp(r->names[r->next_column], name) == 0)
        return r->next_column;
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->names[i], name) == 0)
            return i;
    return r->columns;
}

static int add_column(struct jsonl_reader *r, const char *name)
{
    if (find_column(r, name) < r->columns)
        return 0;
    if (r->columns == MAX_COLUMNS)
        return err_set(RECO_E_DATA, "cannot parse %s: its first objects have over %d different names",
                       input_label(r->input), MAX_COLUMNS);
    int rc = mem_grow((void **)&r->names, &r->names_capacity, r->columns + 1, sizeof *r->names);
    char *copy = rc == 0 ? mem_strdup(name) : NULL;
    if (copy == NULL)
        return RECO_E_NOMEM;
    r->names[r->columns++] = copy;
    return 0;
}

static int on_sample_member(const struct jsonl_member *member, void *arg)
{
    return add_column(arg, member->name);
}

/* Learns the columns from the lines to come, without passing over them. */
static int read_sample(struct jsonl_reader *r)
{
    size_t from = 0, objects = 0;
    uint64_t lines = 0, bad_line = 0;
    struct buf why = {0};
    int rc = 0;

    while (rc == 0 && objects < SAMPLE_OBJECTS && (from <= SAMPLE_BYTES || objects == 0)) {
        struct line line;
        const char *bad = NULL;
        bool found;
        rc = read_line(r, from, &line, &found);
        if (rc < 0 || !found)
            break;
        lines++;
        from += line.next;
        if (is_blank_line(&line))
            continue;
        buf_clear(&r->bad_text);
        rc = line.too_long ? too_long(r, &r->bad_text, &bad)
                           : jsonl_members(line.text, line.length, &r->text, on_sample_member, r, &r->bad_text, &bad);
        objects += bad == NULL;
        if (rc == 0 && bad != NULL && bad_line == 0) {
            bad_line = lines;
            rc = buf_add_str(&why, bad);
        }
        if (line.too_long)
            break;
    }
    if (rc == 0 && objects == 0 && bad_line == 0)
        rc = err_set(RECO_E_DATA, "cannot parse %s: it is empty, and JSON Lines are needed", input_label(r->input));
    else if (rc == 0 && objects == 0)
        rc = err_set(RECO_E_DATA,
                     "cannot parse %s: no line of it is a JSON object, line %llu is %s; jq -c makes JSON Lines: .[] of "
                     "an array, . of indented objects",
                     input_label(r->input), (unsigned long long)bad_line, buf_str(&why));
    buf_release(&why);
    return rc;
}

int jsonl_reader_open_input(struct jsonl_reader **out, struct input *input, const struct jsonl_options *options)
{
    struct jsonl_options o = options != NULL ? *options : (struct jsonl_options){0};
    struct jsonl_reader *r = mem_calloc(1, sizeof *r);
    int rc = 0;

    if (r == NULL) {
        input_close(input);
        return RECO_E_NOMEM;
    }
    r->input = input;
    r->line = 1;
    r->trim_blanks = o.trim_blanks;
    r->max_field_bytes = o.max_field_bytes > 0 ? o.max_field_bytes : CSV_MAX_FIELD_BYTES;
    r->chunk_bytes = o.chunk_bytes > 0 ? o.chunk_bytes : CHUNK_BYTES;
    for (size_t i = 0; rc == 0 && o.columns != NULL && i < o.columns->count; i++)
        rc = add_column(r, o.columns->items[i]);
    if (rc == 0)
        rc = read_sample(r);
    if (rc == 0) {
        r->fields = mem_calloc(r->columns + 1, sizeof *r->fields); /* an object may have no members */
        rc = r->fields == NULL ? RECO_E_NOMEM : 0;
    }
    if (rc < 0) {
        jsonl_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

void jsonl_reader_close(struct jsonl_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < reader->columns; i++)
        mem_free((char *)reader->names[i]);
    mem_free(reader->names);
    mem_free(reader->fields);
    mem_free(reader->raw);
    buf_release(&reader->text);
    buf_release(&reader->bad_text);
    input_close(reader->input);
    mem_free(reader);
}

static int on_member(const struct jsonl_member *member, void *arg)
{
    struct jsonl_reader *r = arg;
    size_t column = find_column(r, member->name), length = member->length;
    char *text = member->text;

    if (column == r->columns)
        return 0;
    r->next_column = column + 1;
    r->field_too_long = r->field_too_long || length > r->max_field_bytes;
    if (r->trim_blanks && member->is_string) {
        while (length > 0 && is_blank(text[length - 1]))
            text[--length] = '\0';
        for (; is_blank(*text); text++)
            length--;
    }
    r->fields[column] = (struct csv_field){.text = text, .length = length};
    return 0;
}

static int take_line(struct jsonl_reader *r, const struct line *line)
{
    const char *bad = NULL;
    int rc;

    for (size_t i = 0; i < r->columns; i++)
        r->fields[i] = (struct csv_field){.text = "", .length = 0};
    r->next_column = 0;
    r->field_too_long = false;
    buf_clear(&r->bad_text);
    if (line->too_long)
        rc = too_long(r, &r->bad_text, &bad);
    else
        rc = jsonl_members(line->text, line->length, &r->text, on_member, r, &r->bad_text, &bad);
    if (rc == 0 && bad == NULL && r->field_too_long) {
        rc = buf_printf(&r->bad_text, "a field is longer than %zu bytes", r->max_field_bytes);
        bad = buf_str(&r->bad_text);
    }
    r->record = (struct csv_record){.line = r->line,
                                    .number = ++r->records,
                                    .fields = bad == NULL ? r->fields : NULL,
                                    .count = bad == NULL ? r->columns : 0,
                                    .bad = bad,
                                    .raw = line->text,
                                    .raw_length = line->length,
                                    .invalid_utf8 = bad != NULL && !utf8_is_valid(line->text, line->length, NULL)};
    return rc;
}

/* Passes over the rest of a line that was too long. */
static int skip_line(struct jsonl_reader *r)
{
    while (r->skip) {
        const char *lf = r->end > r->start ? memchr(r->raw + r->start, '\n', r->end - r->start) : NULL;
        r->start = lf != NULL ? (size_t)(lf + 1 - r->raw) : r->end;
        r->skip = lf == NULL && !r->eof;
        int rc = r->skip ? fill(r) : 0;
        if (rc < 0)
            return rc;
    }
    return 0;
}

int jsonl_reader_next(struct jsonl_reader *reader, const struct csv_record **out)
{
    struct line line;
    bool found;

    for (;;) {
        int rc = skip_line(reader);
        if (rc == 0)
            rc = read_line(reader, 0, &line, &found);
        if (rc < 0)
            return rc;
        if (!found)
            break;
        bool blank = is_blank_line(&line);
        rc = blank ? 0 : take_line(reader, &line);
        if (rc < 0)
            return rc;
        reader->start += line.next;
        reader->skip = line.too_long && !line.lf && !line.crlf;
        reader->line++;
        reader->lf += line.lf && !blank;
        reader->crlf += line.crlf && !blank;
        if (!blank) {
            *out = &reader->record;
            return 0;
        }
    }
    *out = NULL;
    return 0;
}

const struct input *jsonl_reader_input(const struct jsonl_reader *reader)
{
    return reader->input;
}

size_t jsonl_reader_columns(const struct jsonl_reader *reader)
{
    return reader->columns;
}

const char *const *jsonl_reader_names(const struct jsonl_reader *reader)
{
    return reader->names;
}

void jsonl_reader_line_ends(const struct jsonl_reader *reader, uint64_t *lf, uint64_t *crlf)
{
    *lf = reader->lf;
    *crlf = reader->crlf;
}

bool jsonl_is_likely(const char *bytes, size_t length)
{
    static const char *const starts[] = {"{\"", "{}", "[{"};
    char start[2];
    size_t found = 0;

    for (size_t i = 0; i < length && found < sizeof start; i++)
        if (!is_blank(bytes[i]) && bytes[i] != '\r' && bytes[i] != '\n')
            start[found++] = bytes[i];
    for (size_t i = 0; found == sizeof start && i < sizeof starts / sizeof *starts; i++)
        if (memcmp(start, starts[i], sizeof start) == 0)
            return true;
    return false;
}
