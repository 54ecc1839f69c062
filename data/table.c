#include "data/table.h"

#include <string.h>

#include "core/mem.h"

const char *const table_format_choices[] = {"auto", "csv", "tsv", "jsonl", NULL};
const char *const table_encoding_choices[] = {"auto", "utf-8", "latin-1", "windows-1252", "utf-16", NULL};

struct table_reader {
    struct csv_reader *csv;
    struct table_facts facts;
};

int table_options_check(const struct table_options *options)
{
    char delimiter;

    return options->delimiter == NULL ? 0 : csv_delimiter_parse(options->delimiter, &delimiter);
}

int table_reader_open(struct table_reader **out, const char *path, const struct table_options *options)
{
    const struct table_options none = {0}, *o = options != NULL ? options : &none;
    struct csv_options csv = {.trim_blanks = o->trim_blanks, .max_field_bytes = (size_t)o->max_field_bytes};
    struct table_reader *r = mem_calloc(1, sizeof *r);

    if (r == NULL)
        return RECO_E_NOMEM;
    int rc = o->delimiter == NULL ? 0 : csv_delimiter_parse(o->delimiter, &csv.delimiter);
    if (rc == 0 && o->format == TABLE_FORMAT_TSV && o->delimiter == NULL)
        csv.delimiter = '\t';
    if (rc == 0)
        rc = csv_reader_open(&r->csv, path, &csv);
    if (rc < 0) {
        table_reader_close(r);
        return rc;
    }
    r->facts = (struct table_facts){.format = csv.delimiter == '\t' ? TABLE_FORMAT_TSV : TABLE_FORMAT_CSV,
                                    .compression = "none",
                                    .encoding = "utf-8",
                                    .delimiter = csv.delimiter,
                                    .quote = '"',
                                    .line_ends = "none"};
    *out = r;
    return 0;
}

int table_reader_next(struct table_reader *reader, const struct csv_record **out)
{
    return csv_reader_next(reader->csv, out);
}

void table_reader_close(struct table_reader *reader)
{
    if (reader == NULL)
        return;
    csv_reader_close(reader->csv);
    mem_free(reader);
}

size_t table_reader_columns(const struct table_reader *reader)
{
    return csv_reader_columns(reader->csv);
}

const char *table_reader_column_name(const struct table_reader *reader, size_t column)
{
    return csv_reader_column_name(reader->csv, column);
}

int table_reader_find(const struct table_reader *reader, const char *option, const char *name, size_t *column)
{
    return csv_reader_find(reader->csv, option, name, column);
}

bool table_reader_has(const struct table_reader *reader, const char *name)
{
    return csv_reader_has(reader->csv, name);
}

uint64_t table_reader_bytes_read(const struct table_reader *reader)
{
    return csv_reader_bytes_read(reader->csv);
}

uint64_t table_reader_total_bytes(const struct table_reader *reader)
{
    return csv_reader_total_bytes(reader->csv);
}

void table_reader_facts(const struct table_reader *reader, struct table_facts *facts)
{
    *facts = reader->facts;
}
