#ifndef RECO_DATA_CSV_H
#define RECO_DATA_CSV_H

/*
 * CSV and TSV, one record at a time (RFC 4180 by libcsv in strict mode), from any text that input.h reads: lines end in
 * LF, CRLF or CR, also mixed; fields in double quotes hold delimiters, line breaks and doubled quotes. The first record
 * is the header, unless the columns' names are given. Lines without any character are no records (with trim_blanks: nor
 * lines of blanks alone); they still count as lines.
 *
 * Blanks around fields are kept. With trim_blanks, spaces and tabs at both ends of a field are cut, in quotes or not,
 * header included, and blanks may stand around quotes.
 *
 * A row that cannot be used comes as a record with `bad` set, and reading goes on behind it:
 *   ragged (fewer or more fields than the header), a NUL byte, a field over max_field_bytes: behind the row;
 *   a broken quote, a quote never closed, a row that goes on for far more than max_field_bytes: behind the first line
 * break of the row, so that a stray quote costs one row and not those that it would swallow. Memory: a few times the
 * longest row, and a few times max_field_bytes for a field that is too long, whatever its length. A reader belongs to
 * one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/opt.h"
#include "data/input.h"

enum { CSV_MAX_FIELD_BYTES = 16 * 1024 * 1024 };

struct csv_options {
    char delimiter; /* '\0': tab in a file named .tsv or .tab, else a comma */
    char quote;     /* '\0': '"' */
    bool no_quotes; /* quotes are characters like others; a row is a line */
    /* By what the first 256 KiB look like: the delimiter, where that is '\0', is the one of , tab ; | that gives the
     * most even number of fields over 1 (even: a comma); the quote, where that is '\0', is "'" when the first record
     * has it around all its fields, and none when a tab-separated file comes out even only without quotes. Excel's
     * first line "sep=;" is passed over, and is the delimiter where that is '\0'. */
    bool detect;
    const struct opt_list *columns; /* names, for a file without a header; NULL or empty: the first record names them */
    bool trim_blanks;
    size_t max_field_bytes; /* 0: CSV_MAX_FIELD_BYTES */
    size_t chunk_bytes;     /* bytes read at a time; 0: 256 KiB. The records do not depend on it */
    bool libcsv_only;       /* for tests: without the quick way for well-formed rows, which gives the same records */
};

struct csv_field {
    const char *text; /* NUL-terminated; a good record holds no other NUL */
    size_t length;    /* bytes */
};

struct csv_record {
    uint64_t line;                  /* line of its first byte, from 1 (the header's first line) */
    uint64_t number;                /* from 1; the header does not count, bad rows do */
    const struct csv_field *fields; /* [count] in the order of the header; NULL when bad */
    size_t count;
    const char *bad; /* the reason, "2 fields instead of 3"; NULL for a good row */
    const char *raw; /* as it stands in the file, without its line end; of a very long bad row its start */
    size_t raw_length;
    bool invalid_utf8; /* raw is not valid UTF-8 */
};

struct csv_facts {
    char delimiter, quote; /* '\0': none */
    bool delimiter_detected, quote_detected;
    uint64_t lf, crlf, cr; /* line ends of the records read so far, the header included */
};

struct csv_reader;

/*
 * Opens path ("-": stdin) and reads the header. options may be NULL. Errors of input_open; RECO_E_DATA: empty, a header
 * that is a bad row, records of another length than the columns given.
 */
int csv_reader_open(struct csv_reader **out, const char *path, const struct csv_options *options) RECO_MUST_CHECK;
/* The same of an open input, which the reader takes over, on failure too. Without a delimiter it is a comma. */
int csv_reader_open_input(struct csv_reader **out, struct input *input,
                          const struct csv_options *options) RECO_MUST_CHECK;

/* The next record, NULL at the end; borrowed until the next call. Errors only where reading itself fails. */
int csv_reader_next(struct csv_reader *reader, const struct csv_record **out) RECO_MUST_CHECK;
void csv_reader_close(struct csv_reader *reader);

size_t csv_reader_columns(const struct csv_reader *reader);
const char *csv_reader_column_name(const struct csv_reader *reader, size_t column);
const char *const *csv_reader_names(const struct csv_reader *reader); /* [columns] */
const struct input *csv_reader_input(const struct csv_reader *reader);
void csv_reader_facts(const struct csv_reader *reader, struct csv_facts *facts);

/* columns_find and columns_have over the header. */
int csv_reader_find(const struct csv_reader *reader, const char *option, const char *name,
                    size_t *column) RECO_MUST_CHECK;
bool csv_reader_has(const struct csv_reader *reader, const char *name);

uint64_t csv_reader_bytes_read(const struct csv_reader *reader);  /* for progress */
uint64_t csv_reader_total_bytes(const struct csv_reader *reader); /* 0: unknown (a pipe) */

/* One character, "tab" or "\t"; not a quote, a line break or NUL. RECO_E_USAGE. */
int csv_delimiter_parse(const char *text, char *delimiter) RECO_MUST_CHECK;
/* One character that may be a quote, or "none", which is '\0'. RECO_E_USAGE. */
int csv_quote_parse(const char *text, char *quote) RECO_MUST_CHECK;

#endif
