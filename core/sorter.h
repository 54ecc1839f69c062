#ifndef RECO_CORE_SORTER_H
#define RECO_CORE_SORTER_H

/*
 * External sort of records (a key and a value, both bytes) in bounded memory: records are collected up to max_bytes,
 * sorted runs beyond that are spilled to unlinked temporary files in tmp_dir, and reading merges the runs. The order is
 * that of the keys by memcmp (a prefix comes first), equal keys in the order in which they were added, whatever
 * max_bytes. Numbers sort as big-endian keys: sorter_u64. Belongs to one thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct sorter;

struct sorter_record { /* borrowed until the next call */
    const unsigned char *key, *value;
    size_t key_length, value_length;
};

/* tmp_dir: NULL is $TMPDIR, else /tmp. max_bytes: at least 1 MiB is taken. */
int sorter_new(struct sorter **out, const char *tmp_dir, size_t max_bytes) RECO_MUST_CHECK;
void sorter_free(struct sorter *s); /* NULL-safe; temporary files are gone */

int sorter_add(struct sorter *s, const void *key, size_t key_length, const void *value,
               size_t value_length) RECO_MUST_CHECK;
uint64_t sorter_count(const struct sorter *s);         /* records added */
uint64_t sorter_spilled_bytes(const struct sorter *s); /* 0: all was in memory */

/* Ends adding; before the first next. sorter_rewind reads again from the start. */
int sorter_sort(struct sorter *s) RECO_MUST_CHECK;
int sorter_next(struct sorter *s, const struct sorter_record **record) RECO_MUST_CHECK; /* NULL: the end */
int sorter_rewind(struct sorter *s) RECO_MUST_CHECK;

static inline void sorter_u64(unsigned char key[8], uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        key[i] = (unsigned char)value;
}
static inline uint64_t sorter_get_u64(const unsigned char key[8])
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | key[i];
    return value;
}

#endif
