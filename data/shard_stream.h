#ifndef RECO_DATA_SHARD_STREAM_H
#define RECO_DATA_SHARD_STREAM_H

/*
 * A shard as lines of text, for programs that pass lines on (Hadoop streaming, Spark's pipe): its files in base64,
 * several shards may follow each other in one file. What comes back is a shard with all its checksums, to be proved
 * like any other.
 *
 *     reco-shard 1 begin
 *     reco-shard 1 file <name> <bytes>
 *     reco-shard 1 data <base64>
 *     reco-shard 1 end
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

/* One line at a time goes to write. */
typedef int shard_stream_write_fn(void *arg, const char *line, size_t length);
int shard_stream_pack(const char *dir, shard_stream_write_fn *write, void *arg) RECO_MUST_CHECK;

/* True when the file begins as such lines do. */
bool shard_stream_is(const char *path);
/*
 * The shards in the file at path as directories "<first>", "<first + 1>", ... in dir; *count of them. Blanks at the
 * ends of lines do not matter. RECO_E_DATA: a line that does not belong, a stream that was cut.
 */
int shard_stream_unpack(const char *path, const char *dir, size_t first, size_t *count) RECO_MUST_CHECK;

#endif
