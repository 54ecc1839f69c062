#ifndef RECO_DATA_MERGE_INTERNAL_H
#define RECO_DATA_MERGE_INTERNAL_H

/* Shared by merge.c and merge_open.c only. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/temp_file.h"
#include "data/merge.h"
#include "data/shard_internal.h"
#include "data/text_set.h"

struct merge_shard {
    const char *dir; /* borrowed */
    json_t *json;
    const json_t *plan, *values;
    uint64_t number; /* from 1 */
    struct temp_file *rows;
    uint64_t rows_bytes;
    struct text_set *texts;
};

int merge_shard_open(struct merge_shard *s, const char *dir) RECO_MUST_CHECK;
void merge_shard_close(struct merge_shard *s);
/* Of one plan, each there once. */
int merge_check(const struct merge_shard *shards, size_t count) RECO_MUST_CHECK;
/* RECO_E_DATA: what is wrong with which file of a shard. */
int merge_damaged(const struct merge_shard *s, const char *file, const char *what);

#endif
