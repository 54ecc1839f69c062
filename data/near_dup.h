#ifndef RECO_DATA_NEAR_DUP_H
#define RECO_DATA_NEAR_DUP_H

/*
 * Near-duplicate texts by MinHash and banding (Broder 1997; Leskovec, Rajaraman, Ullman, Mining of Massive Datasets,
 * ch. 3): shingles of 3 words (fewer words: the words; scripts without blanks: 5 characters) after folding case and
 * leaving out all but letters and digits, 128 permutations, bands chosen for the threshold; candidates are confirmed by
 * the signatures' estimated Jaccard similarity, whose standard error is sqrt(J (1 - J) / 128): 0.035 at J = 0.8. Pairs
 * are joined to groups, so two texts of a group may be less alike than the threshold, by way of a third.
 *
 * Memory: max_bytes, and 4 bytes a text; beyond that bands and signatures (256 bytes a text) are on disk, in tmp_dir.
 * The groups depend on the texts and the threshold alone, not on threads or memory.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/pool.h"

struct near_dup;
/* threshold in (0, 1]. tmp_dir as in core/sorter.h. */
int near_dup_new(struct near_dup **out, double threshold, const char *tmp_dir, size_t max_bytes) RECO_MUST_CHECK;
void near_dup_free(struct near_dup *n); /* NULL-safe */
/*
 * Texts are numbered in the order of adding, from 0. Many at once, hashed on the pool. A text without a letter or digit
 * has no near-duplicate.
 */
int near_dup_add(struct near_dup *n, struct pool *pool, const char *const *texts, const size_t *lengths,
                 size_t count) RECO_MUST_CHECK;
/* *representative [texts added]: the lowest number of the group of each text; the caller frees. Ends adding. */
int near_dup_groups(struct near_dup *n, uint32_t **representative) RECO_MUST_CHECK;

#endif
