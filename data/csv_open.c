#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "core/opt.h"
#include "data/csv_internal.h"

enum { CHUNK_BYTES = 256 * 1024 };

static int open_file(struct csv_reader *r, const char *path)
{
    struct stat info;

    if (strcmp(path, "-") == 0) {
        r->fd = STDIN_FILENO;
        r->label = mem_strdup("stdin");
        return r->label == NULL ? RECO_E_NOMEM : 0;
    }
    r->label = mem_printf("'%s'", path);
    if (r->label == NULL)
        return RECO_E_NOMEM;
    r->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return err_set_errno("cannot open %s", r->label);
    r->owns_fd = true;
    if (fstat(r->fd, &info) != 0)
        return err_set_errno("cannot open %s", r->label);
    if (S_ISDIR(info.st_mode))
        return err_set(RECO_E_IO, "cannot read %s: it is a directory, not a CSV file", r->label);
    if (S_ISREG(info.st_mode))
        r->total_bytes = (uint64_t)info.st_size;
    return 0;
}

/* What else than UTF-8 text people have; skips a byte order mark. */
static int sniff(struct csv_reader *r)
{
    enum { LONGEST_MARK = 4 };

    while (r->end < LONGEST_MARK && !r->eof) {
        int rc = csv_fill(r);
        if (rc < 0)
            return rc;
    }
    if (r->end == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it is empty, and a header line is needed", r->label);
    if (r->end >= 2 && (memcmp(r->raw, "\xff\xfe", 2) == 0 || memcmp(r->raw, "\xfe\xff", 2) == 0))
        return err_set(RECO_E_DATA, "cannot parse %s: it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8",
                       r->label);
    if (r->end >= 2 && memcmp(r->raw, "\x1f\x8b", 2) == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it is compressed; pipe zcat's output into '-'", r->label);
    if (r->end >= LONGEST_MARK && memcmp(r->raw, "\x28\xb5\x2f\xfd", LONGEST_MARK) == 0)
        return err_set(RECO_E_DATA, "cannot parse %s: it is compressed; pipe zstdcat's output into '-'", r->label);
    if (r->end >= 3 && memcmp(r->raw, "\xef\xbb\xbf", 3) == 0)
        r->start = r->at = 3;
    return 0;
}

static int read_header(struct csv_reader *r)
{
    const struct csv_record *header = NULL;
    int rc = csv_reader_next(r, &header);

    if (rc < 0)
        return rc;
    if (header == NULL)
        return err_set(RECO_E_DATA, "cannot parse %s: it has empty lines only, and a header line is needed", r->label);
    if (header->bad != NULL)
        return err_set(RECO_E_DATA, "cannot parse %s line %llu, the header: %s", r->label,
                       (unsigned long long)header->line, header->bad);
    r->names = mem_calloc(header->count, sizeof *r->names);
    if (r->names == NULL)
        return RECO_E_NOMEM;
    r->name_count = header->count;
    for (size_t i = 0; i < header->count; i++) {
        r->names[i] = mem_strdup(header->fields[i].text);
        if (r->names[i] == NULL)
            return RECO_E_NOMEM;
    }
    r->records = 0;
    return 0;
}

static unsigned char default_delimiter(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot != NULL && (strcmp(dot, ".tsv") == 0 || strcmp(dot, ".tab") == 0) ? '\t' : ',';
}

int csv_reader_open(struct csv_reader **out, const char *path, const struct csv_options *options)
{
    struct csv_options o = options != NULL ? *options : (struct csv_options){0};
    struct csv_reader *r = mem_calloc(1, sizeof *r);

    if (r == NULL)
        return RECO_E_NOMEM;
    r->fd = -1;
    r->line = 1;
    r->delimiter = o.delimiter != '\0' ? (unsigned char)o.delimiter : default_delimiter(path);
    r->trim_blanks = o.trim_blanks;
    r->max_field_bytes = o.max_field_bytes > 0 ? o.max_field_bytes : CSV_MAX_FIELD_BYTES;
    r->chunk_bytes = o.chunk_bytes > 0 ? o.chunk_bytes : CHUNK_BYTES;
    int rc = open_file(r, path);
    if (rc == 0)
        rc = csv_parser_restart(r);
    if (rc == 0)
        rc = sniff(r);
    if (rc == 0)
        rc = read_header(r);
    if (rc < 0) {
        csv_reader_close(r);
        return rc;
    }
    *out = r;
    return 0;
}

void csv_reader_close(struct csv_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->owns_fd)
        close(reader->fd);
    if (reader->parser_ready)
        csv_free(&reader->parser);
    for (size_t i = 0; i < reader->name_count; i++)
        mem_free(reader->names[i]);
    mem_free(reader->names);
    mem_free(reader->fields);
    mem_free(reader->offsets);
    mem_free(reader->raw);
    mem_free(reader->label);
    buf_release(&reader->text);
    buf_release(&reader->bad);
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

bool csv_reader_has(const struct csv_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->name_count; i++)
        if (strcmp(reader->names[i], name) == 0)
            return true;
    return false;
}

static bool is_but_for_blanks(const char *padded, const char *name)
{
    size_t length = strlen(name), start = strspn(padded, " \t");

    return strncmp(padded + start, name, length) == 0 &&
           strspn(padded + start + length, " \t") == strlen(padded + start + length);
}

static int no_column(const struct csv_reader *r, const char *option, const char *name)
{
    const char *near = opt_nearest(name, (const char *const *)r->names, r->name_count);
    struct buf names = {0};
    int rc = 0;

    for (size_t i = 0; i < r->name_count; i++)
        if (is_but_for_blanks(r->names[i], name))
            return err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, it is '%s' there: --trim_blanks cuts the blanks",
                           name, option, r->label, r->names[i]);
    if (near != NULL)
        return err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, did you mean '%s'?", name, option, r->label, near);
    for (size_t i = 0; rc == 0 && i < r->name_count; i++)
        rc = buf_printf(&names, "%s'%s'", i > 0 ? ", " : "", r->names[i]);
    if (rc == 0)
        rc = err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s, it has %s", name, option, r->label, buf_str(&names));
    buf_release(&names);
    return rc;
}

int csv_reader_find(const struct csv_reader *reader, const char *option, const char *name, size_t *column)
{
    size_t found = reader->name_count;

    for (size_t i = 0; i < reader->name_count; i++) {
        if (strcmp(reader->names[i], name) != 0)
            continue;
        if (found < reader->name_count)
            return err_set(RECO_E_DATA, "two columns '%s' (--%s) in %s", name, option, reader->label);
        found = i;
    }
    if (found == reader->name_count)
        return no_column(reader, option, name);
    *column = found;
    return 0;
}

uint64_t csv_reader_bytes_read(const struct csv_reader *reader)
{
    return reader->bytes_read;
}

uint64_t csv_reader_total_bytes(const struct csv_reader *reader)
{
    return reader->total_bytes;
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
