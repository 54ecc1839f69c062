/* Which delimiter and quote a file has: its first rows are read with each, and the one that gives even rows is it. */

#include <string.h>

#include "core/mem.h"
#include "data/csv_internal.h"

enum {
    SAMPLE_BYTES = 256 * 1024,
    EVEN_PERCENT = 50, /* of the rows at least, or it is no delimiter */
    LITERAL_RATIO = 10 /* rows that break over a quote, for one that uses it well, where quotes are text */
};

struct tally {
    size_t header;             /* fields of the first row */
    bool header_single_quoted; /* "'" around each of them */
    bool header_is_names;      /* they are the names given */
    size_t rows, even;         /* with as many fields as the header, or as the columns given */
    size_t quoted_good, quoted_bad;
};

static bool has(const char *bytes, size_t length, char c)
{
    return length > 0 && memchr(bytes, c, length) != NULL;
}

static void tally_header(struct tally *t, const struct csv_record *record, const struct opt_list *columns)
{
    t->header = record->count;
    t->header_single_quoted = record->bad == NULL;
    t->header_is_names = record->bad == NULL && columns != NULL && record->count == columns->count;
    for (size_t i = 0; i < record->count; i++) {
        const struct csv_field *f = &record->fields[i];
        if (f->length < 2 || f->text[0] != '\'' || f->text[f->length - 1] != '\'')
            t->header_single_quoted = false;
        if (t->header_is_names && strcmp(f->text, columns->items[i]) != 0)
            t->header_is_names = false;
    }
}

/* Reads the sample as if it were the whole file; what the cut does to its last row is left out. */
static int tally_rows(const struct csv_reader *r, char delimiter, char quote, const struct opt_list *columns,
                      struct tally *t)
{
    bool cut = r->end > SAMPLE_BYTES;
    struct csv_reader probe = {.raw = r->raw,
                               .end = cut ? SAMPLE_BYTES : r->end,
                               .eof = true,
                               .line = 1,
                               .trim_blanks = r->trim_blanks,
                               .delimiter = (unsigned char)delimiter,
                               .quote = (unsigned char)quote,
                               .max_field_bytes = r->max_field_bytes};
    const struct csv_record *record = NULL;
    int rc = csv_parser_restart(&probe);

    *t = (struct tally){0};
    while (rc == 0) {
        rc = csv_reader_next(&probe, &record);
        if (rc < 0 || record == NULL || (cut && probe.at == probe.end))
            break;
        bool first = record->number == 1;
        if (cut && record->bad != NULL && strcmp(record->bad, CSV_QUOTE_NOT_CLOSED) == 0)
            break;
        if (first)
            tally_header(t, record, columns);
        bool even = record->bad == NULL && record->count == (columns != NULL ? columns->count : t->header);
        t->rows++;
        t->even += even;
        if (has(record->raw, record->raw_length, '"'))
            ++*(even ? &t->quoted_good : &t->quoted_bad);
    }
    csv_parts_release(&probe);
    return rc;
}

/* The delimiter with the largest share of even rows; a comma where none is good. */
static int detect_delimiter(struct csv_reader *r, const struct opt_list *columns)
{
    static const char candidates[] = {',', '\t', ';', '|'};
    size_t best_rows = 1, best_even = 0;

    r->delimiter = ',';
    for (size_t i = 0; i < sizeof candidates; i++) {
        struct tally t;
        int rc = tally_rows(r, candidates[i], (char)r->quote, columns, &t);
        if (rc < 0)
            return rc;
        size_t fields = columns != NULL ? columns->count : t.header;
        if (fields > 1 && t.even * 100 >= t.rows * EVEN_PERCENT && t.even * best_rows > best_even * t.rows) {
            best_rows = t.rows;
            best_even = t.even;
            r->delimiter = (unsigned char)candidates[i];
        }
    }
    r->facts.delimiter_detected = true;
    return 0;
}

static int detect_quote(struct csv_reader *r, const struct opt_list *columns)
{
    struct tally with, without;
    int rc = tally_rows(r, (char)r->delimiter, '"', columns, &with);

    if (rc == 0 && with.header_single_quoted) {
        r->quote = '\'';
    } else if (rc == 0 && r->delimiter == '\t' && with.quoted_bad > LITERAL_RATIO * with.quoted_good) {
        rc = tally_rows(r, (char)r->delimiter, '\0', columns, &without);
        if (rc == 0 && without.even == without.rows)
            r->quote = '\0';
    }
    r->facts.quote_detected = r->quote != '"';
    return rc;
}

static int check_columns(struct csv_reader *r, const struct opt_list *columns)
{
    struct tally t;
    int rc = tally_rows(r, (char)r->delimiter, (char)r->quote, columns, &t);

    if (rc == 0 && t.header_is_names)
        return err_set(RECO_E_DATA,
                       "cannot parse %s: its first record is the names of --columns; leave the option away",
                       input_label(r->input));
    if (rc == 0 && t.rows > 0 && t.even == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it has %zu column%s, and --columns names %zu",
                       input_label(r->input), t.header, t.header == 1 ? "" : "s", columns->count);
    return rc;
}

int csv_detect(struct csv_reader *r, bool delimiter, bool quote, const struct opt_list *columns)
{
    int rc = 0;

    if (columns != NULL && columns->count == 0)
        columns = NULL;
    if (!delimiter && !quote && columns == NULL)
        return 0;
    while (rc == 0 && r->end <= SAMPLE_BYTES && !r->eof)
        rc = csv_fill(r);
    if (rc == 0 && delimiter)
        rc = detect_delimiter(r, columns);
    if (rc == 0 && quote)
        rc = detect_quote(r, columns);
    return rc == 0 && columns != NULL ? check_columns(r, columns) : rc;
}
