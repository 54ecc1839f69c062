#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "data/columns.h"
#include "data/csv_internal.h"

enum { CHUNK_BYTES = 256 * 1024 };

static int add_name(struct csv_reader *r, size_t count, const char *name)
{
    if (r->names == NULL)
        r->names = mem_calloc(count, sizeof *r->names);
    char *copy = r->names != NULL ? mem_strdup(name) : NULL;
    if (copy == NULL)
        return RECO_E_NOMEM;
    r->names[r->name_count++] = copy;
    return 0;
}

static int read_header(struct csv_reader *r)
{
    const struct csv_record *header = NULL;
    int rc = csv_reader_next(r, &header);

    if (rc < 0)
        return rc;
    if (header == NULL)
        return err_set(RECO_E_DATA, "cannot parse %s: it has empty lines only, and a header line is needed",
                       input_label(r->input));
    if (header->bad != NULL)
        return err_set(RECO_E_DATA, "cannot parse %s line %llu, the header: %s", input_label(r->input),
                       (unsigned long long)header->line, header->bad);
    for (size_t i = 0; rc == 0 && i < header->count; i++)
        rc = add_name(r, header->count, header->fields[i].text);
    r->records = 0;
    return rc;
}

/* Passes over the line "sep=;" that Excel reads and writes, and takes its delimiter where none is given. */
static int take_sep_line(struct csv_reader *r, struct csv_options *o)
{
    static const char sep[] = "sep=";
    enum { LENGTH = sizeof sep - 1 };
    int rc = 0;

    while (rc == 0 && r->end < LENGTH + 3 && !r->eof)
        rc = csv_fill(r);
    if (rc < 0 || r->end < LENGTH + 2 || strncasecmp(r->raw, sep, LENGTH) != 0)
        return rc;
    char delimiter = r->raw[LENGTH], behind = r->raw[LENGTH + 1];
    if ((behind != '\r' && behind != '\n') || strchr("\r\n", delimiter) != NULL || (unsigned char)delimiter == r->quote)
        return 0;
    if (o->delimiter == '\0')
        o->delimiter = delimiter;
    r->delimiter = (unsigned char)o->delimiter;
    csv_pass(r, LENGTH + 2);
    r->start = r->at;
    if (r->after_cr && r->at < r->end && r->raw[r->at] == '\n') {
        csv_pass(r, 1);
        r->start = r->at;
    }
    return 0;
}

static int start(struct csv_reader *r, struct csv_options *o)
{
    size_t columns = o->columns != NULL ? o->columns->count : 0;
    int rc = csv_fill(r);

    if (rc == 0 && r->end == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it is empty, and a header line is needed", input_label(r->input));
    if (rc == 0 && o->detect)
        rc = take_sep_line(r, o);
    if (rc == 0)
        rc = csv_detect(r, o->detect && o->delimiter == '\0', o->detect && o->quote == '\0' && !o->no_quotes,
                        o->columns);
    if (rc == 0)
        rc = csv_parser_restart(r);
    if (rc == 0)
        rc = columns == 0 ? read_header(r) : 0;
    for (size_t i = 0; rc == 0 && i < columns; i++)
        rc = add_name(r, columns, o->columns->items[i]);
    return rc == 0 ? mem_grow((void **)&r->fields, &r->fields_capacity, r->name_count, sizeof *r->fields) : rc;
}

int csv_reader_open_input(struct csv_reader **out, struct input *input, const struct csv_options *options)
{
    struct csv_options o = options != NULL ? *options : (struct csv_options){0};
    struct csv_reader *r = mem_calloc(1, sizeof *r);

    if (r == NULL) {
        input_close(input);
        return RECO_E_NOMEM;
    }
    r->input = input;
    r->line = 1;
    r->delimiter = o.delimiter != '\0' ? (unsigned char)o.delimiter : ',';
    r->quote = o.no_quotes ? '\0' : o.quote != '\0' ? (unsigned char)o.quote : '"';
    r->trim_blanks = o.trim_blanks;
    r->libcsv_only = o.libcsv_only;
    r->max_field_bytes = o.max_field_bytes > 0 ? o.max_field_bytes : CSV_MAX_FIELD_BYTES;
    r->chunk_bytes = o.chunk_bytes > 0 ? o.chunk_bytes : CHUNK_BYTES;
    int rc = start(r, &o);
    if (rc < 0) {
        csv_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

static char delimiter_of_name(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcmp(dot, ".tsv") == 0 || strcmp(dot, ".tab") == 0) ? '\t' : '\0';
}

int csv_reader_open(struct csv_reader **out, const char *path, const struct csv_options *options)
{
    struct csv_options o = options != NULL ? *options : (struct csv_options){0};
    struct input *input = NULL;
    int rc = input_open(&input, path, NULL);

    if (rc < 0)
        return rc;
    if (o.delimiter == '\0')
        o.delimiter = delimiter_of_name(path);
    return csv_reader_open_input(out, input, &o);
}

void csv_parts_release(struct csv_reader *r)
{
    if (r->parser_ready)
        csv_free(&r->parser);
    mem_free(r->fields);
    mem_free(r->offsets);
    buf_release(&r->text);
    buf_release(&r->bad);
}

void csv_reader_close(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    csv_parts_release(reader);
    input_close(reader->input);
    for (size_t i = 0; i < reader->name_count; i++)
        mem_free(reader->names[i]);
    mem_free(reader->names);
    mem_free(reader->raw);
    mem_free(reader);
}

size_t csv_reader_columns(const struct csv_reader *reader)
{
    return reader->name_count;
}

const char *csv_reader_column_name(const struct csv_reader *reader, size_t column)
{
    return reader->names[column];
}

static struct columns columns_of(const struct csv_reader *r)
{
    return (struct columns){
        .names = (const char *const *)r->names, .count = r->name_count, .label = input_label(r->input)};
}

bool csv_reader_has(const struct csv_reader *reader, const char *name)
{
    struct columns columns = columns_of(reader);

    return columns_have(&columns, name);
}

int csv_reader_find(const struct csv_reader *reader, const char *option, const char *name, size_t *column)
{
    struct columns columns = columns_of(reader);

    return columns_find(&columns, option, name, column);
}

const char *const *csv_reader_names(const struct csv_reader *reader)
{
    return (const char *const *)reader->names;
}

const struct input *csv_reader_input(const struct csv_reader *reader)
{
    return reader->input;
}

void csv_reader_facts(const struct csv_reader *reader, struct csv_facts *facts)
{
    *facts = reader->facts;
    facts->delimiter = (char)reader->delimiter;
    facts->quote = (char)reader->quote;
}

uint64_t csv_reader_bytes_read(const struct csv_reader *reader)
{
    return input_bytes_read(reader->input);
}

uint64_t csv_reader_total_bytes(const struct csv_reader *reader)
{
    return input_total_bytes(reader->input);
}

int csv_delimiter_parse(const char *text, char *delimiter)
{
    char c = text[0];

    if (strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0)
        c = '\t';
    else if (c == '\0' || text[1] != '\0' || c == '"' || c == '\n' || c == '\r')
        return err_set(RECO_E_USAGE, "bad delimiter '%s': expected one character, or 'tab'", text);
    *delimiter = c;
    return 0;
}

int csv_quote_parse(const char *text, char *quote)
{
    bool none = strcmp(text, "none") == 0;

    if (!none && (strlen(text) != 1 || strchr("\n\r\t ,;|", text[0]) != NULL || (unsigned char)text[0] >= 0x80))
        return err_set(RECO_E_USAGE, "bad quote '%s': expected one character, or 'none'", text);
    *quote = none ? '\0' : text[0];
    return 0;
}
