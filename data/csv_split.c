/*
 * The quick way through a row: one pass that finds the delimiters and copies the fields, 16 bytes at a time. It takes
 * rows only that libcsv reads the same without a doubt: complete, no NUL, quotes around whole fields, as many fields as
 * columns, no field too long. tests/data/test_csv.c and the fuzz target compare the two.
 */

#include "data/bytes16.h"
#include "data/csv_internal.h"

enum { LONGEST_ROW_BYTES = 1024 * 1024 /* a longer row is libcsv's: it need not see the whole of it at once */ };

enum split {
    SPLIT_DONE,
    SPLIT_MORE, /* the row goes on behind the input held */
    SPLIT_ODD   /* libcsv decides */
};

/*
 * Copies up to the first quote, line break or NUL, or delimiter outside quotes; the zeros behind the input are one. Up
 * to 15 bytes more are written.
 */
static inline size_t copy_text(const struct csv_reader *r, const char *from, char *to, bool in_quotes)
{
    for (size_t i = 0;; i += BYTES16_SIZE) {
        bytes16 bytes = bytes16_load(from + i);
        bytes16 marks = bytes16_equal(bytes, r->quote) | bytes16_equal(bytes, '\n') | bytes16_equal(bytes, '\r') |
                        bytes16_equal(bytes, '\0');
        if (!in_quotes)
            marks |= bytes16_equal(bytes, r->delimiter);
        bytes16_store(to + i, bytes);
        size_t found = bytes16_first(marks);
        if (found < BYTES16_SIZE)
            return i + found;
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Copies the text of a quoted field, *from behind the opening quote, to behind the closing one. */
static enum split copy_quoted(const struct csv_reader *r, const char **from, char **to, uint64_t *lines)
{
    const char *end = r->raw + r->end, *p = *from;
    char quote = (char)r->quote, *q = *to;

    for (;;) {
        size_t length = copy_text(r, p, q, true);
        p += length;
        q += length;
        if (is_line_end(*p)) {
            *lines += *p == '\r' || p[-1] != '\r';
            *q++ = *p++;
        } else if (*p == quote && p < end && p[1] == quote) {
            *q++ = quote;
            p += 2;
        } else {
            break;
        }
    }
    if (p >= end)
        return SPLIT_MORE;
    *from = p + 1;
    *to = q;
    return *p == quote ? SPLIT_DONE : SPLIT_ODD;
}

/* Splits the row at `at` into r->fields; *length with its line end, *lines in its fields. */
static enum split split_row(struct csv_reader *r, size_t *length, uint64_t *lines)
{
    const char *p = r->raw + r->at, *end = r->raw + r->end;
    char *to = r->text.data;

    *lines = 0;
    if (r->trim_blanks && is_blank(*p))
        return SPLIT_ODD; /* a line of blanks is no row */
    for (size_t count = 0;; p++) {
        if (count == r->name_count)
            return SPLIT_ODD;
        char *text = to;
        if (r->quote != '\0' && *p == (char)r->quote) {
            p++;
            enum split quoted = copy_quoted(r, &p, &to, lines);
            if (quoted != SPLIT_DONE)
                return quoted;
        } else {
            size_t found = copy_text(r, p, to, false);
            p += found;
            to += found;
        }
        if (p >= end)
            return SPLIT_MORE;
        if ((*p != (char)r->delimiter && !is_line_end(*p)) || (size_t)(to - text) > r->max_field_bytes)
            return SPLIT_ODD;
        while (r->trim_blanks && to > text && is_blank(to[-1]))
            to--;
        while (r->trim_blanks && to > text && is_blank(*text))
            text++;
        *to = '\0';
        r->fields[count++] = (struct csv_field){.text = text, .length = (size_t)(to - text)};
        to++;
        if (is_line_end(*p)) {
            *length = (size_t)(p - r->raw) + 1 - r->at;
            return count == r->name_count ? SPLIT_DONE : SPLIT_ODD;
        }
    }
}

static void skip_line_ends(struct csv_reader *r)
{
    while (r->at < r->end && is_line_end(r->raw[r->at])) {
        csv_pass(r, 1);
        r->start = r->at;
    }
}

int csv_split_next(struct csv_reader *r, bool *done)
{
    bool blank_delimiter = r->trim_blanks && r->delimiter == ' ';
    enum split split = SPLIT_ODD;
    size_t length;
    uint64_t lines;

    *done = false;
    do {
        if (split == SPLIT_MORE) {
            int rc = csv_fill(r);
            if (rc < 0)
                return rc;
        }
        skip_line_ends(r);
        split = SPLIT_MORE;
        if (r->at < r->end) {
            /* Fields and their ends take no more than the row. */
            buf_clear(&r->text);
            int rc = buf_reserve(&r->text, r->end - r->at + BYTES16_SIZE);
            if (rc < 0)
                return rc;
            split = blank_delimiter ? SPLIT_ODD : split_row(r, &length, &lines);
        }
    } while (split == SPLIT_MORE && !r->eof && r->end - r->at <= LONGEST_ROW_BYTES);
    if (split != SPLIT_DONE)
        return 0;
    r->row_line = r->line;
    r->at += length;
    r->after_cr = r->raw[r->at - 1] == '\r';
    r->line += lines + 1;
    r->field_count = r->name_count;
    csv_hand_out(r, true);
    *done = true;
    return 0;
}
