#ifndef RECO_DATA_INPUT_H
#define RECO_DATA_INPUT_H

/*
 * The bytes of a text file as UTF-8, whatever it arrives as: a file or stdin; plain, gzip (also several members) or
 * zstd (also several frames), known by their first bytes; UTF-8, UTF-16, Latin-1 or Windows-1252. A byte order mark is
 * skipped and overrules the encoding asked for. Bytes that are no valid UTF-8 in a file read as UTF-8 are passed on as
 * they are; characters that UTF-16 does not have come as U+FFFD. What comes out does not depend on how much is asked
 * for at a time. Memory: some blocks, and up to 4 MiB more with repair. Belongs to one thread.
 *
 * Repair: text whose UTF-8 was taken for Windows-1252 (by the WHATWG table, or Latin-1) and encoded again is decoded
 * once more. Decided once a file, by the 4 MiB that follow its first character outside ASCII: yes where nine of ten
 * runs of such characters turn into valid UTF-8. In a file that is repaired, the other runs stay as they are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum input_encoding {
    INPUT_ENCODING_AUTO, /* UTF-8, and UTF-16 by its byte order mark */
    INPUT_ENCODING_UTF8,
    INPUT_ENCODING_LATIN1,       /* every byte is the code point of its number */
    INPUT_ENCODING_WINDOWS_1252, /* by the WHATWG table: every byte has a character */
    INPUT_ENCODING_UTF16         /* without a mark: the byte order that puts more zeros into the upper halves */
};

struct input_options {
    enum input_encoding encoding;
    bool repair;
};

struct input_facts {
    const char *compression; /* "none", "gzip", "zstd" */
    const char *encoding;    /* "utf-8", "latin-1", "windows-1252", "utf-16le", "utf-16be" */
    bool bom;
    bool repaired;                /* so far; the decision falls with the first characters outside ASCII */
    uint64_t replaced_characters; /* that the encoding does not have, read as U+FFFD so far */
    bool looks_like_utf8;         /* what was read so far as Latin-1 or Windows-1252: it reads wrong then */
    uint64_t unrepaired_runs;     /* left as they are in a file that is repaired, so far */
};

struct input;

/*
 * path "-": stdin. options may be NULL. RECO_E_IO: cannot be opened, a directory. RECO_E_DATA: content that is no text
 * (an archive, another compression, Parquet, a workbook, a web page...), named with what to do about it; damaged
 * compressed data.
 */
int input_open(struct input **out, const char *path, const struct input_options *options) RECO_MUST_CHECK;
/* Up to capacity (>= 1) bytes; *got is 0 at the end only. Damaged or cut compressed data is RECO_E_DATA. */
int input_read(struct input *in, void *bytes, size_t capacity, size_t *got) RECO_MUST_CHECK;
/* The first 4 KiB of the text, or all of it; before the first input_read, and borrowed until it. */
int input_peek(struct input *in, const char **bytes, size_t *length) RECO_MUST_CHECK;
void input_close(struct input *in); /* NULL-safe */

const char *input_label(const struct input *in);    /* of the file in messages, with its quotes: 'a.csv', stdin */
uint64_t input_bytes_read(const struct input *in);  /* of the file as stored */
uint64_t input_total_bytes(const struct input *in); /* 0: unknown (a pipe) */
void input_facts(const struct input *in, struct input_facts *facts);

#endif
