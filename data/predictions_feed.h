#ifndef RECO_DATA_PREDICTIONS_FEED_H
#define RECO_DATA_PREDICTIONS_FEED_H

/*
 * The lines of a predictions file in blocks, in the form of reco's own: tab-separated and escaped. A file in this form
 * goes through as it is, unpacked and decoded where needed; the records of any other table are rewritten. A file in the
 * form that reco writes is told from a table by its first line: it has a tab, and no field in quotes.
 */

#include "data/predictions_reader.h"
#include "data/predictions_source.h"

struct predictions_feed;

/* path "-": stdin. source may be NULL. Errors: input_open's, table_reader_open's. */
int predictions_feed_open(struct predictions_feed **out, const char *path,
                          const struct predictions_source *source) RECO_MUST_CHECK;
void predictions_feed_close(struct predictions_feed *feed); /* NULL-safe */
/* A pipe or stdin, which cannot be opened once more. */
bool predictions_feed_is_stream(const struct predictions_feed *feed);

/* First of all: the line that names the columns, NUL-terminated, writable and kept until the feed is closed. */
int predictions_feed_header(struct predictions_feed *feed, char **line, size_t *length) RECO_MUST_CHECK;
/* The next block of whole lines; length 0 at the end. */
int predictions_feed_next(struct predictions_feed *feed, struct block *block) RECO_MUST_CHECK;

#endif
