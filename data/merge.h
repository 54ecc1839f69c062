#ifndef RECO_DATA_MERGE_H
#define RECO_DATA_MERGE_H

/*
 * Prepare in parts, on as many machines as there are, and the merge of the parts: a dataset with the bytes that one
 * prepare of everything would have written.
 *
 * A part is a directory: shard.json, the rows after everything that looks at one row alone (spool.h), and their
 * distinct texts with their tokens (text_set.h). What needs the whole data is decided in the merge.
 *
 * A file is dealt out to the shards by blocks of records: every part reads all of it and keeps its own. Of stdin ('-')
 * every part has rows of its own; they are put in the order of --id_column (whole numbers by value, then all other ids
 * by their bytes), without it in the order of the shards.
 */

#include "data/prepare.h"

#define SHARD_JSON_FILE "shard.json"

/* "3/7": *shard is 2, *shards 7. RECO_E_USAGE. */
int shard_parse(const char *text, uint64_t *shard, uint64_t *shards) RECO_MUST_CHECK;

/* What a shard has, for a line of report. */
struct shard_summary {
    uint64_t rows, texts; /* rows: bad ones, too */
};

/* As prepare_run up to the end of reading; output_dir becomes a shard, shard from 0. summary may be NULL. */
int shard_run(const struct prepare_options *options, const struct wordpiece *wp, const struct label_map *labels,
              uint64_t shard, uint64_t shards, const char *output_dir, struct shard_summary *summary) RECO_MUST_CHECK;

struct merge_options {
    int64_t threads;    /* 0: all processors */
    int64_t max_memory; /* 0: 1 GiB */
    char *tmp_dir;      /* NULL: $TMPDIR, else /tmp */
};

/*
 * The shards [count], in any order, to output_dir, as prepare_run; a shard is a directory, or a file of one or more in
 * lines (shard_stream.h). RECO_E_DATA: a damaged shard, shards of different
 * options or vocabularies, one missing or doubled; whatever prepare_run refuses.
 */
int merge_run(const struct merge_options *options, const char *const *shards, size_t count, const char *output_dir,
              struct prepare_summary *summary) RECO_MUST_CHECK;

#endif
