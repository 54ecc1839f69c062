#ifndef RECO_DATA_SHARD_INTERNAL_H
#define RECO_DATA_SHARD_INTERNAL_H

/* What is in shard.json, for shard.c (writing) and merge.c (reading). */

#define SHARD_FORMAT_NAME "reco shard"
#define SHARD_ROWS_FILE "rows.spool" /* header of dataset_format.h, then rows of spool.h */
enum { SHARD_VERSION = 1, SHARD_KIND_ROWS = 7 };

/*
 * shard.json: format, version, shard (from 1), rows, texts, values (label values in the order of first sight), files
 * (size and hash of each), checksum (of this file), and plan, which all shards have alike: shards, options, tokenizer,
 * labels (a map given from outside, or null), inputs (path, label, split), names, has_weight, has_label.
 */

#endif
