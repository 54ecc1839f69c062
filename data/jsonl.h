#ifndef RECO_DATA_JSONL_H
#define RECO_DATA_JSONL_H

/*
 * JSON Lines as records: one object (RFC 8259) a line. The columns are those given and the names in the first 1000
 * objects (of the first MiB), in the order of first sight; later names that are none of them are passed over. A string
 * is its text; a number, true or false its spelling; an array or object its compact spelling; null or a missing name is
 * an empty field. Of two members with the same name the last counts.
 *
 * A line is ended by LF or CR LF; lines of blanks are no records. A bad row is a line that is no object, that jansson
 * does not take (also: invalid UTF-8, the escape \u0000, a number over double's range), with a field over
 * max_field_bytes, or that is far longer. Memory: as csv.h.
 */

#include "data/csv.h"

struct jsonl_options {
    const struct opt_list *columns; /* NULL: none given */
    bool trim_blanks;               /* cut spaces and tabs off both ends of strings */
    size_t max_field_bytes;         /* 0: CSV_MAX_FIELD_BYTES */
    size_t chunk_bytes;             /* bytes read at a time; 0: 256 KiB. The records do not depend on it */
};

struct jsonl_reader;

/* Takes input over, on failure too. RECO_E_DATA: empty, no object among the first lines, an array. */
int jsonl_reader_open_input(struct jsonl_reader **out, struct input *input,
                            const struct jsonl_options *options) RECO_MUST_CHECK;
int jsonl_reader_next(struct jsonl_reader *reader, const struct csv_record **out) RECO_MUST_CHECK; /* as csv.h */
void jsonl_reader_close(struct jsonl_reader *reader);                                              /* NULL-safe */

const struct input *jsonl_reader_input(const struct jsonl_reader *reader);
size_t jsonl_reader_columns(const struct jsonl_reader *reader);
const char *const *jsonl_reader_names(const struct jsonl_reader *reader);                     /* [columns] */
void jsonl_reader_line_ends(const struct jsonl_reader *reader, uint64_t *lf, uint64_t *crlf); /* of the records read */

/* The first bytes of a file are those of an object, or of an array of objects (which cannot be read, but is no CSV). */
bool jsonl_is_likely(const char *bytes, size_t length);

#endif
