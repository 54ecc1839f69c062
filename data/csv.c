#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "data/bytes16.h"
#include "data/csv_internal.h"
#include "data/utf8.h"

enum {
    MAX_COLUMNS = 65536,
    PIECE_BYTES = 64 * 1024, /* a line goes to libcsv in pieces of this; cut the same way for any chunk size */
    ROW_SLACK_BYTES = 64 * 1024 * 1024,  /* a row may be this much longer than the longest field */
    LONG_FIELD_SLACK_BYTES = 1024 * 1024 /* a row with a field too long is given up at twice max_field_bytes and this */
};

static int never_blank(unsigned char c)
{
    (void)c;
    return 0;
}

static int is_space(unsigned char c)
{
    return c == ' ';
}

static int is_space_or_tab(unsigned char c)
{
    return c == ' ' || c == '\t';
}

int csv_parser_restart(struct csv_reader *r)
{
    if (r->parser_ready)
        csv_free(&r->parser);
    r->parser_ready = false;
    if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return err_set(RECO_E_INTERNAL, "libcsv did not start");
    csv_set_realloc_func(&r->parser, mem_realloc);
    csv_set_free_func(&r->parser, mem_free);
    csv_set_delim(&r->parser, r->delimiter);
    csv_set_quote(&r->parser, r->quote); /* none: NUL, and rows with a NUL do not get as far */
    csv_set_space_func(&r->parser, !r->trim_blanks ? never_blank : r->delimiter == '\t' ? is_space : is_space_or_tab);
    r->parser_ready = true;
    return 0;
}

/* Fields that no good row has are counted and not kept: a line of a million commas must not take memory for each. */
static int add_field(struct csv_reader *r, const char *text, size_t length)
{
    size_t kept_fields = r->names != NULL ? r->name_count : MAX_COLUMNS;

    if (r->field_count++ >= kept_fields)
        return 0;
    int rc = mem_grow((void **)&r->offsets, &r->offsets_capacity, r->field_count + 1, sizeof *r->offsets);
    if (rc == 0)
        rc = buf_add(&r->text, text, length);
    if (rc == 0)
        rc = buf_add_char(&r->text, '\0');
    if (rc == 0) {
        r->offsets[r->field_count - 1] = r->text.length - length - 1;
        r->offsets[r->field_count] = r->text.length;
    }
    return rc;
}

static void on_field(void *bytes, size_t length, void *arg)
{
    struct csv_reader *r = arg;
    const char *text = bytes;

    if (r->failed < 0)
        return;
    if (length > r->max_field_bytes) {
        r->field_too_long = true;
        length = 0;
    }
    if (length > 0 && memchr(text, '\0', length) != NULL)
        r->nul_seen = true;
    while (r->trim_blanks && length > 0 && is_space_or_tab((unsigned char)text[length - 1]))
        length--;
    while (r->trim_blanks && length > 0 && is_space_or_tab((unsigned char)text[0])) {
        text++;
        length--;
    }
    r->failed = add_field(r, length > 0 ? text : "", length);
}

static void on_row(int end, void *arg)
{
    struct csv_reader *r = arg;

    (void)end;
    r->row_done = true;
}

int csv_fill(struct csv_reader *r)
{
    size_t got;

    if (r->start > 0) {
        memmove(r->raw, r->raw + r->start, r->end - r->start);
        r->at -= r->start;
        r->end -= r->start;
        r->first_line_end -= r->first_line_end > 0 ? r->start : 0;
        r->start = 0;
    }
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

/*
 * Length of the next piece: to behind the next line break, at most PIECE_BYTES; 0: more input is needed to tell. CR LF
 * comes as two pieces, the second a lone LF after a CR.
 */
static size_t next_piece(const struct csv_reader *r, bool *ends_line)
{
    const char *begin = r->raw + r->at;
    size_t length = r->end - r->at < PIECE_BYTES ? r->end - r->at : PIECE_BYTES;
    const char *lf = memchr(begin, '\n', length);
    const char *cr = memchr(begin, '\r', lf != NULL ? (size_t)(lf - begin) : length);
    const char *last = cr != NULL ? cr : lf;

    *ends_line = last != NULL;
    if (last != NULL)
        return (size_t)(last - begin) + 1;
    return length == PIECE_BYTES || r->eof ? length : 0;
}

void csv_pass(struct csv_reader *r, size_t length)
{
    char last = r->raw[r->at + length - 1];
    bool lf_of_crlf = length == 1 && last == '\n' && r->after_cr;

    if (last == '\r' || (last == '\n' && !lf_of_crlf))
        r->line++;
    if (lf_of_crlf && r->at == r->start && r->facts.cr > 0) { /* the row before ended in CR LF */
        r->facts.cr--;
        r->facts.crlf++;
    }
    r->after_cr = last == '\r';
    r->at += length;
}

static size_t without_line_end(const char *bytes, size_t length)
{
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    return length;
}

void csv_hand_out(struct csv_reader *r, bool good)
{
    const char *raw = r->raw + r->start;
    size_t length = without_line_end(raw, r->at - r->start);

    r->facts.lf += r->raw[r->at - 1] == '\n';
    r->facts.cr += r->raw[r->at - 1] == '\r';

    r->record = (struct csv_record){.line = r->row_line,
                                    .number = ++r->records,
                                    .fields = good ? r->fields : NULL,
                                    .count = good ? r->field_count : 0,
                                    .bad = good ? NULL : buf_str(&r->bad),
                                    .raw = raw,
                                    .raw_length = length,
                                    .invalid_utf8 = !utf8_is_valid(raw, length, NULL)};
    r->start = r->at;
}

/* Ends the row in progress at its first line break; where that has not been reached, the rest of the line is skipped.
 */
static int give_up_row(struct csv_reader *r, const char *reason)
{
    buf_clear(&r->bad);
    int rc = buf_add_str(&r->bad, reason);
    if (rc < 0)
        return rc;
    r->skip_line = r->first_line_end == 0;
    if (r->first_line_end > 0) {
        r->at = r->first_line_end;
        r->after_cr = r->raw[r->at - 1] == '\r';
        r->line = r->row_line + 1;
    }
    csv_hand_out(r, false);
    return csv_parser_restart(r);
}

/* Gives a complete row its fields, or finds it bad. */
static int complete_row(struct csv_reader *r)
{
    int rc = 0;

    buf_clear(&r->bad);
    if (r->nul_seen)
        rc = buf_add_str(&r->bad, "NUL byte");
    else if (r->field_too_long)
        rc = buf_printf(&r->bad, "a field is longer than %zu bytes", r->max_field_bytes);
    else if (r->names != NULL && r->field_count != r->name_count)
        rc = buf_printf(&r->bad, "%zu field%s instead of %zu", r->field_count, r->field_count == 1 ? "" : "s",
                        r->name_count);
    else if (r->field_count > MAX_COLUMNS)
        rc = buf_printf(&r->bad, "%zu columns, and at most %d are read", r->field_count, MAX_COLUMNS);
    bool good = r->bad.length == 0;
    if (rc == 0 && good)
        rc = mem_grow((void **)&r->fields, &r->fields_capacity, r->field_count, sizeof *r->fields);
    if (rc < 0)
        return rc;
    for (size_t i = 0; good && i < r->field_count; i++) {
        r->fields[i].text = r->text.data + r->offsets[i];
        r->fields[i].length = r->offsets[i + 1] - r->offsets[i] - 1;
    }
    csv_hand_out(r, good);
    return 0;
}

/* The row in progress has become too long to be one. */
static int check_row_length(struct csv_reader *r, bool *done)
{
    bool long_field = r->field_too_long || r->parser.entry_pos > r->max_field_bytes;
    size_t limit = long_field ? 2 * r->max_field_bytes + LONG_FIELD_SLACK_BYTES : r->max_field_bytes + ROW_SLACK_BYTES;
    char reason[96];

    *done = r->at - r->start > limit;
    if (!*done)
        return 0;
    snprintf(reason, sizeof reason, "%s is longer than %zu bytes", long_field ? "a field" : "the row",
             long_field ? r->max_field_bytes : limit);
    return give_up_row(r, reason);
}

/* Feeds one piece to libcsv; *done when a row, good or bad, came out of it. */
static int feed(struct csv_reader *r, size_t length, bool ends_line, bool *done)
{
    if (!r->in_row) {
        r->in_row = true;
        r->row_line = r->line;
    }
    if (r->quote == '\0' && memchr(r->raw + r->at, '\0', length) != NULL) {
        csv_pass(r, length);
        r->first_line_end = ends_line ? r->at : 0;
        *done = true;
        return give_up_row(r, "NUL byte");
    }
    /* libcsv grows its buffer by this much: doubling keeps the cost linear. */
    csv_set_blk_size(&r->parser, r->parser.entry_size > 4096 ? r->parser.entry_size : 4096);
    bool broken = csv_parse(&r->parser, r->raw + r->at, length, on_field, on_row, r) < length;
    csv_pass(r, length);
    if (ends_line && r->first_line_end == 0)
        r->first_line_end = r->at;
    if (r->failed < 0)
        return r->failed;
    *done = true;
    if (broken && csv_error(&r->parser) == CSV_EPARSE)
        return give_up_row(r, "broken quote");
    if (broken)
        return csv_error(&r->parser) == CSV_ENOMEM
                   ? err_nomem()
                   : err_set(RECO_E_INTERNAL, "libcsv: %s", csv_strerror(csv_error(&r->parser)));
    return r->row_done ? complete_row(r) : check_row_length(r, done);
}

/* The end of the file: a last row without line end, or a quote that was never closed. */
static int finish(struct csv_reader *r, bool *done)
{
    *done = r->in_row;
    if (!r->in_row)
        return 0;
    int rc = csv_fini(&r->parser, on_field, on_row, r);
    if (r->failed < 0)
        return r->failed;
    if (rc != 0)
        return give_up_row(r, CSV_QUOTE_NOT_CLOSED);
    rc = csv_parser_restart(r);
    return rc < 0 ? rc : complete_row(r);
}

/* A piece between rows that is no row: the LF of a CR LF, an empty line, a line of blanks when they are trimmed. */
static bool is_no_row(const struct csv_reader *r, size_t length, bool ends_line)
{
    const char *bytes = r->raw + r->at;

    if (r->in_row || (!ends_line && !r->eof))
        return false;
    length = without_line_end(bytes, length);
    while (r->trim_blanks && length > 0 && is_space_or_tab((unsigned char)bytes[length - 1]) &&
           (unsigned char)bytes[length - 1] != r->delimiter)
        length--;
    return length == 0;
}

/* *done: r->record is the next record; else the file is at its end. */
static int next_record(struct csv_reader *r, bool *done)
{
    int rc = 0;

    *done = false;
    if (!r->skip_line && !r->libcsv_only && r->names != NULL)
        rc = csv_split_next(r, done);
    if (rc < 0 || *done)
        return rc;
    buf_clear(&r->text);
    r->field_count = 0;
    r->in_row = r->row_done = r->nul_seen = r->field_too_long = false;
    r->first_line_end = 0;
    r->failed = 0;
    while (rc == 0 && !*done) {
        bool ends_line;

        if (r->at == r->end && r->eof)
            return finish(r, done);
        size_t length = next_piece(r, &ends_line);
        if (length == 0) {
            rc = csv_fill(r);
        } else if (r->skip_line || is_no_row(r, length, ends_line)) {
            csv_pass(r, length);
            r->start = r->at;
            r->skip_line = r->skip_line && !ends_line;
        } else {
            rc = feed(r, length, ends_line, done);
        }
    }
    return rc;
}

int csv_reader_next(struct csv_reader *reader, const struct csv_record **out)
{
    bool done;
    int rc = next_record(reader, &done);

    if (rc == 0)
        *out = done ? &reader->record : NULL;
    return rc;
}
