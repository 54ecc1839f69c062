#ifndef RECO_DATA_NEAR_DUP_H
#define RECO_DATA_NEAR_DUP_H

/*
 * Near-duplicate texts by MinHash and banding (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets,
 * ch. 3): shingles of 3 words (fewer words: the words; scripts without blanks: 5 characters) after folding case and
 * blanks, 128 permutations, bands chosen for the threshold; candidates are confirmed by the signatures' estimated
 * Jaccard. Bounded memory: signatures and bands go through a sorter.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/pool.h"

struct near_dup;
int near_dup_new(struct near_dup **out, double threshold, const char *tmp_dir, size_t max_bytes) RECO_MUST_CHECK;
void near_dup_free(struct near_dup *n);
/* Texts are numbered in the order of adding. Many at once, hashed on the pool. */
int near_dup_add(struct near_dup *n, struct pool *pool, const char *const *texts, const size_t *lengths,
                 size_t count) RECO_MUST_CHECK;
/* *representative [texts added]: the lowest number of the group of each text; the caller frees. */
int near_dup_groups(struct near_dup *n, uint32_t **representative) RECO_MUST_CHECK;

#endif
