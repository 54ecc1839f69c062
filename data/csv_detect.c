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

struct sample {
    const struct csv_reader *reader;
    const struct opt_list *columns; /* NULL: none given */
    /* The last tally is kept: most files need one only. */
    struct tally tally;
    char delimiter, quote;
    bool tallied;
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
static int tally_rows(struct sample *s, char delimiter, char quote)
{
    const struct csv_reader *r = s->reader;
    const struct opt_list *columns = s->columns;
    struct tally *t = &s->tally;
    bool cut = r->end - r->at > SAMPLE_BYTES;
    struct csv_reader probe = {.raw = r->raw,
                               .start = r->at,
                               .at = r->at,
                               .end = cut ? r->at + SAMPLE_BYTES : r->end,
                               .eof = true,
                               .line = 1,
                               .trim_blanks = r->trim_blanks,
                               .delimiter = (unsigned char)delimiter,
                               .quote = (unsigned char)quote,
                               .max_field_bytes = r->max_field_bytes};
    const struct csv_record *record = NULL;

    if (s->tallied && s->delimiter == delimiter && s->quote == quote)
        return 0;
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
    s->delimiter = delimiter;
    s->quote = quote;
    s->tallied = rc == 0;
    return rc;
}

/* The delimiter with the largest share of even rows; a comma where none is good. */
static int detect_delimiter(struct sample *s, unsigned char quote, unsigned char *delimiter)
{
    static const char candidates[] = {',', '\t', ';', '|'};
    size_t best_rows = 1, best_even = 0;
    const struct tally *t = &s->tally;

    *delimiter = ',';
    for (size_t i = 0; i < sizeof candidates && best_even < best_rows; i++) {
        int rc = tally_rows(s, candidates[i], (char)quote);
        if (rc < 0)
            return rc;
        size_t fields = s->columns != NULL ? s->columns->count : t->header;
        if (fields > 1 && t->even * 100 >= t->rows * EVEN_PERCENT && t->even * best_rows > best_even * t->rows) {
            best_rows = t->rows;
            best_even = t->even;
            *delimiter = (unsigned char)candidates[i];
        }
    }
    return 0;
}

static int detect_quote(struct sample *s, unsigned char delimiter, unsigned char *quote)
{
    const struct tally *t = &s->tally;
    int rc = tally_rows(s, (char)delimiter, '"');

    if (rc == 0 && t->header_single_quoted && delimiter != '\'') {
        *quote = '\'';
    } else if (rc == 0 && delimiter == '\t' && t->quoted_bad > LITERAL_RATIO * t->quoted_good) {
        rc = tally_rows(s, (char)delimiter, '\0');
        if (rc == 0 && t->even == t->rows)
            *quote = '\0';
    }
    return rc;
}

static int check_columns(struct sample *s, unsigned char delimiter, unsigned char quote)
{
    const struct tally *t = &s->tally;
    const char *label = input_label(s->reader->input);
    int rc = tally_rows(s, (char)delimiter, (char)quote);

    if (rc == 0 && t->header_is_names)
        return err_set(RECO_E_DATA,
                       "cannot parse %s: its first record is the names of --columns; leave the option away", label);
    if (rc == 0 && t->rows > 0 && t->even == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it has %zu column%s, and --columns names %zu", label, t->header,
                       t->header == 1 ? "" : "s", s->columns->count);
    return rc;
}

int csv_detect(struct csv_reader *r, bool delimiter, bool quote, const struct opt_list *columns)
{
    struct sample sample = {.reader = r, .columns = columns != NULL && columns->count > 0 ? columns : NULL};
    int rc = 0;

    if (!delimiter && !quote && sample.columns == NULL)
        return 0;
    while (rc == 0 && r->end - r->at <= SAMPLE_BYTES && !r->eof)
        rc = csv_fill(r);
    if (rc == 0 && delimiter)
        rc = detect_delimiter(&sample, r->quote, &r->delimiter);
    if (rc == 0 && quote)
        rc = detect_quote(&sample, r->delimiter, &r->quote);
    if (rc == 0 && sample.columns != NULL)
        rc = check_columns(&sample, r->delimiter, r->quote);
    r->facts.delimiter_detected = delimiter;
    r->facts.quote_detected = quote && r->quote != '"';
    return rc;
}
