#ifndef RECO_DATA_LINES_H
#define RECO_DATA_LINES_H

/*
 * A file or pipe line by line, for formats in which a record is a line. Holds one line and a read-ahead, whatever the
 * size.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct line_reader; /* opaque */

/* path "-": stdin. A directory or a missing file is RECO_E_IO. */
int line_reader_open(struct line_reader **out, const char *path) RECO_MUST_CHECK;
void line_reader_close(struct line_reader *reader); /* NULL-safe */

/*
 * The next line without its "\n" or "\r\n", NUL-terminated and writable until the next call; *text is NULL at the end.
 * A byte order mark before the first line is skipped. RECO_E_DATA: the line holds a NUL byte or is over 1 GiB.
 */
int line_reader_next(struct line_reader *reader, char **text, size_t *length) RECO_MUST_CHECK;
void line_reader_allow_nul(struct line_reader *reader);        /* NUL bytes are part of a line from now on */
bool line_reader_has_line(const struct line_reader *reader);   /* the next call will not wait for input */
uint64_t line_reader_number(const struct line_reader *reader); /* of the line last returned, from 1 */

#endif
