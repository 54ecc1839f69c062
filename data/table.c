#include "data/table.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "data/columns.h"
#include "data/jsonl.h"

const char *const table_format_choices[] = {"auto", "csv", "tsv", "jsonl", NULL};
const char *const table_encoding_choices[] = {"auto", "utf-8", "latin-1", "windows-1252", "utf-16", NULL};

/* A CSV reader or a JSON Lines reader, the other NULL. */
struct table_reader {
    struct csv_reader *csv;
    struct jsonl_reader *jsonl;
    const struct input *input; /* the reader's */
    struct columns columns;
    enum table_format format;
    uint64_t invalid_utf8_records, invalid_utf8_line;
};

static int parse_options(const struct table_options *o, struct csv_options *csv)
{
    int rc = 0;

    *csv = (struct csv_options){.detect = true,
                                .columns = &o->columns,
                                .trim_blanks = o->trim_blanks,
                                .max_field_bytes = (size_t)o->max_field_bytes};
    if (o->delimiter != NULL)
        rc = csv_delimiter_parse(o->delimiter, &csv->delimiter);
    if (rc == 0 && o->quote != NULL) {
        rc = csv_quote_parse(o->quote, &csv->quote);
        csv->no_quotes = rc == 0 && csv->quote == '\0';
    }
    if (rc == 0 && csv->delimiter != '\0' && csv->delimiter == (o->quote != NULL ? csv->quote : '"'))
        return err_set(RECO_E_USAGE, "delimiter and quote are both '%c'", csv->delimiter);
    return rc;
}

int table_options_check(const struct table_options *options)
{
    struct csv_options csv;

    return parse_options(options, &csv);
}

/* By the name, without what compression adds to it: "x.csv.gz" is CSV. */
static enum table_format format_of_name(const char *path)
{
    static const struct {
        const char *end;
        enum table_format format;
    } names[] = {{".csv", TABLE_FORMAT_CSV},
                 {".tsv", TABLE_FORMAT_TSV},
                 {".tab", TABLE_FORMAT_TSV},
                 {".jsonl", TABLE_FORMAT_JSONL},
                 {".ndjson", TABLE_FORMAT_JSONL}};
    static const char *const packed[] = {".gz", ".zst", ".zstd"};
    size_t length = strlen(path);

    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        size_t end = strlen(packed[i]);
        if (length > end && strcasecmp(path + length - end, packed[i]) == 0) {
            length -= end;
            break;
        }
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t end = strlen(names[i].end);
        if (length >= end && strncasecmp(path + length - end, names[i].end, end) == 0)
            return names[i].format;
    }
    return TABLE_FORMAT_AUTO;
}

/* Takes input over. */
static int open_reader(struct table_reader *r, struct input *input, const char *path, const struct table_options *o,
                       struct csv_options *csv)
{
    const char *bytes;
    size_t length;
    int rc = 0;

    r->format = o->format != TABLE_FORMAT_AUTO ? (enum table_format)o->format : format_of_name(path);
    if (r->format == TABLE_FORMAT_AUTO) {
        rc = input_peek(input, &bytes, &length);
        r->format = rc == 0 && jsonl_is_likely(bytes, length) ? TABLE_FORMAT_JSONL : TABLE_FORMAT_CSV;
    }
    if (rc < 0) {
        input_close(input);
        return rc;
    }
    r->input = input;
    if (r->format == TABLE_FORMAT_JSONL) {
        struct jsonl_options jsonl = {
            .columns = csv->columns, .trim_blanks = csv->trim_blanks, .max_field_bytes = csv->max_field_bytes};
        return jsonl_reader_open_input(&r->jsonl, input, &jsonl);
    }
    if (r->format == TABLE_FORMAT_TSV && csv->delimiter == '\0')
        csv->delimiter = '\t';
    return csv_reader_open_input(&r->csv, input, csv);
}

int table_reader_open_input(struct table_reader **out, struct input *input, const char *path,
                            const struct table_options *options)
{
    const struct table_options none = {0}, *o = options != NULL ? options : &none;
    struct csv_options csv;
    struct table_reader *r = mem_calloc(1, sizeof *r);
    int rc = r != NULL ? parse_options(o, &csv) : RECO_E_NOMEM;

    if (rc < 0)
        input_close(input);
    else
        rc = open_reader(r, input, path, o, &csv);
    if (rc < 0) {
        table_reader_close(r);
        return rc;
    }
    r->columns.label = input_label(r->input);
    r->columns.names = r->csv != NULL ? csv_reader_names(r->csv) : jsonl_reader_names(r->jsonl);
    r->columns.count = r->csv != NULL ? csv_reader_columns(r->csv) : jsonl_reader_columns(r->jsonl);
    *out = r;
    return 0;
}

int table_reader_open(struct table_reader **out, const char *path, const struct table_options *options)
{
    const struct table_options none = {0}, *o = options != NULL ? options : &none;
    const struct input_options how = {.encoding = (enum input_encoding)o->encoding, .repair = o->repair_encoding};
    struct csv_options csv;
    struct input *input = NULL;
    int rc = parse_options(o, &csv); /* before a file is opened */

    if (rc == 0)
        rc = input_open(&input, path, &how);
    return rc < 0 ? rc : table_reader_open_input(out, input, path, o);
}

int table_reader_next(struct table_reader *reader, const struct csv_record **out)
{
    int rc = reader->csv != NULL ? csv_reader_next(reader->csv, out) : jsonl_reader_next(reader->jsonl, out);

    if (rc == 0 && *out != NULL && (*out)->invalid_utf8 && reader->invalid_utf8_records++ == 0)
        reader->invalid_utf8_line = (*out)->line;
    return rc;
}

void table_reader_close(struct table_reader *reader)
{
    if (reader == NULL)
        return;
    csv_reader_close(reader->csv);
    jsonl_reader_close(reader->jsonl);
    mem_free(reader);
}

size_t table_reader_columns(const struct table_reader *reader)
{
    return reader->columns.count;
}

const char *table_reader_column_name(const struct table_reader *reader, size_t column)
{
    return reader->columns.names[column];
}

int table_reader_find(const struct table_reader *reader, const char *option, const char *name, size_t *column)
{
    return columns_find(&reader->columns, option, name, column);
}

bool table_reader_has(const struct table_reader *reader, const char *name)
{
    return columns_have(&reader->columns, name);
}

uint64_t table_reader_bytes_read(const struct table_reader *reader)
{
    return input_bytes_read(reader->input);
}

uint64_t table_reader_total_bytes(const struct table_reader *reader)
{
    return input_total_bytes(reader->input);
}

static const char *line_ends_name(const struct csv_facts *f)
{
    int kinds = (f->lf > 0) + (f->crlf > 0) + (f->cr > 0);

    if (kinds != 1)
        return kinds == 0 ? "none" : "mixed";
    return f->lf > 0 ? "lf" : f->crlf > 0 ? "crlf" : "cr";
}

void table_reader_facts(const struct table_reader *reader, struct table_facts *facts)
{
    struct csv_facts csv = {0};
    struct input_facts input;

    input_facts(reader->input, &input);
    if (reader->csv != NULL)
        csv_reader_facts(reader->csv, &csv);
    else
        jsonl_reader_line_ends(reader->jsonl, &csv.lf, &csv.crlf);
    *facts = (struct table_facts){.format = reader->format,
                                  .compression = input.compression,
                                  .encoding = input.encoding,
                                  .bom = input.bom,
                                  .repaired = input.repaired,
                                  .delimiter = csv.delimiter,
                                  .quote = csv.quote,
                                  .delimiter_detected = csv.delimiter_detected,
                                  .quote_detected = csv.quote_detected,
                                  .line_ends = line_ends_name(&csv),
                                  .invalid_utf8_records = reader->invalid_utf8_records,
                                  .invalid_utf8_line = reader->invalid_utf8_line,
                                  .replaced_characters = input.replaced_characters,
                                  .unrepaired_runs = input.unrepaired_runs,
                                  .looks_like_utf8 = input.looks_like_utf8};
}
