#ifndef RECO_CORE_SORT_KEYS_H
#define RECO_CORE_SORT_KEYS_H

/* Whole numbers in ascending order, in place, by their bytes; on the pool (NULL: this thread). */

#include <stddef.h>
#include <stdint.h>

#include "core/pool.h"

int sort_keys(uint64_t *keys, size_t count, struct pool *pool) RECO_MUST_CHECK;

#endif
