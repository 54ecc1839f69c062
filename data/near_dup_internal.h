#ifndef RECO_DATA_NEAR_DUP_INTERNAL_H
#define RECO_DATA_NEAR_DUP_INTERNAL_H

/* Shingles and their minima under the permutations, for data/near_dup*.c and the tests. */

#include <stdbool.h>

#include "core/buf.h"
#include "data/near_dup.h"

enum { NEAR_DUP_PERMUTATIONS = 128 };

/*
 * h_i(x) = multiplier_i (x xor offset_i) mod 2^32, multiplier odd, of the upper 32 bits x of a shingle's hash: a linear
 * permutation, the bits turned first so that the permutations differ in more than a factor.
 * Source: Broder, Charikar, Frieze, Mitzenmacher 2000, "Min-wise independent permutations", section 4.
 */
struct near_dup_hashes {
    uint32_t multiplier[NEAR_DUP_PERMUTATIONS], offset[NEAR_DUP_PERMUTATIONS];
};
void near_dup_hashes_init(struct near_dup_hashes *hashes);

struct near_dup_scratch { /* zero-initialised is empty */
    struct buf word;
    uint32_t *chars; /* [char_count] letters and digits, folded */
    uint64_t *words; /* [word_count] hashes; then of shingles */
    size_t char_count, char_capacity, word_count, word_capacity;
};
void near_dup_scratch_release(struct near_dup_scratch *scratch);

/* The hashes of the text's shingles, in order, repeated ones too: scratch->words [scratch->word_count]. */
int near_dup_shingles(struct near_dup_scratch *scratch, const char *text, size_t length) RECO_MUST_CHECK;

/* minima [NEAR_DUP_PERMUTATIONS] of the text's shingles; *speaks false: it has none. */
int near_dup_minima(const struct near_dup_hashes *hashes, struct near_dup_scratch *scratch, const char *text,
                    size_t length, uint32_t *minima, bool *speaks) RECO_MUST_CHECK;

struct near_dup_entry { /* a text in a band */
    uint64_t hash;
    uint32_t number;
};
/* By hash and number; they come by number. What is sorted may change places with the scratch, of as many entries. */
void near_dup_sort(struct near_dup_entry **entries, struct near_dup_entry **scratch, size_t count);

#endif
