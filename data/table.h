#ifndef RECO_DATA_TABLE_H
#define RECO_DATA_TABLE_H

/*
 * A table with named columns, one record at a time, whatever it arrives as: CSV, TSV or JSON Lines (csv.h, jsonl.h);
 * any compression and encoding that input.h reads; with a header or with the names given. Records, bad rows, memory and
 * line numbers are those of csv.h; lines count in the decoded text. A reader belongs to one thread.
 */

#include "core/opt.h"
#include "data/csv.h"

enum table_format { TABLE_FORMAT_AUTO, TABLE_FORMAT_CSV, TABLE_FORMAT_TSV, TABLE_FORMAT_JSONL };
extern const char *const table_format_choices[];   /* "auto", "csv", "tsv", "jsonl", NULL */
extern const char *const table_encoding_choices[]; /* of enum input_encoding: "auto", "utf-8", "latin-1",
                                                    * "windows-1252", "utf-16", NULL */

struct table_options {
    int format;              /* enum table_format; auto: by the name without .gz/.zst, else by the first bytes */
    char *delimiter;         /* one character, "tab"; NULL: tab in .tsv files, else detected among , ; tab | */
    char *quote;             /* one character or "none"; NULL: '"' */
    struct opt_list columns; /* names of the columns when the file has no header; empty: the first record names them */
    int encoding;            /* enum input_encoding */
    bool repair_encoding;    /* UTF-8 that was encoded twice (through Windows-1252) is decoded once more; decided once a
                                file */
    bool trim_blanks;
    int64_t max_field_bytes; /* 0: CSV_MAX_FIELD_BYTES */
};

/* What can be said of the options before a file is opened: RECO_E_USAGE. */
int table_options_check(const struct table_options *options) RECO_MUST_CHECK;

struct table_reader;

/* path "-": stdin. options may be NULL. Errors as csv_reader_open; a damaged compressed file is RECO_E_DATA. */
int table_reader_open(struct table_reader **out, const char *path, const struct table_options *options) RECO_MUST_CHECK;
/* The same of an open input, which the reader takes over, on failure too; path tells the format by its name. */
int table_reader_open_input(struct table_reader **out, struct input *input, const char *path,
                            const struct table_options *options) RECO_MUST_CHECK;
int table_reader_next(struct table_reader *reader, const struct csv_record **out) RECO_MUST_CHECK;
void table_reader_close(struct table_reader *reader); /* NULL-safe */

size_t table_reader_columns(const struct table_reader *reader);
const char *table_reader_column_name(const struct table_reader *reader, size_t column);
int table_reader_find(const struct table_reader *reader, const char *option, const char *name,
                      size_t *column) RECO_MUST_CHECK; /* as csv_reader_find */
bool table_reader_has(const struct table_reader *reader, const char *name);

uint64_t table_reader_bytes_read(const struct table_reader *reader);  /* of the file as stored, for progress */
uint64_t table_reader_total_bytes(const struct table_reader *reader); /* 0: unknown (a pipe) */

/* What was found out, for reports. */
struct table_facts {
    enum table_format format;
    const char *compression; /* "none", "gzip", "zstd" */
    const char *encoding;    /* "utf-8", ... */
    bool bom;
    bool repaired;                           /* doubly encoded text was undone */
    char delimiter, quote;                   /* '\0': none */
    bool delimiter_detected, quote_detected; /* by the file's content, not given and not by its name */
    const char *line_ends; /* "lf", "crlf", "cr", "mixed": of the records read so far; "none": no line end yet */
    /* Of the records read so far: with invalid UTF-8 (passed on as it is), and the line of the first of them. */
    uint64_t invalid_utf8_records, invalid_utf8_line;
    /* Of the text read so far: characters that the encoding does not have (read as U+FFFD); runs of characters that
     * were not encoded twice in a file that is repaired (kept as they are). */
    uint64_t replaced_characters, unrepaired_runs;
    bool looks_like_utf8; /* though it was read as Latin-1 or Windows-1252 */
};
void table_reader_facts(const struct table_reader *reader, struct table_facts *facts);
/* Appends what is not plain UTF-8 CSV with commas (or TSV) about the file, "gzip, ';' between fields"; nothing when all
 * is. */
int table_facts_notes(const struct table_facts *facts, struct buf *out) RECO_MUST_CHECK;
/* Appends what is wrong with the characters, and what to do about it; nothing when nothing is. At the end of reading.
 */
int table_facts_warning(const struct table_facts *facts, struct buf *out) RECO_MUST_CHECK;

#endif
