#ifndef RECO_CORE_RNG_H
#define RECO_CORE_RNG_H

/*
 * Counter-based random numbers: Philox4x32-10.
 * Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * A stream is named by (seed, stream id); its n-th number depends on nothing else, so that data order, dropout and
 * sampling are the same for any resume point, and a position is all the state there is to save.
 */

#include <stddef.h>
#include <stdint.h>

/* out[4] = Philox4x32-10(counter[4], key[2]). */
void rng_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Ids of the streams that reco uses; never renumbered. */
enum rng_stream {
    RNG_STREAM_SHUFFLE = 1,
    RNG_STREAM_INIT = 2,
    RNG_STREAM_DROPOUT = 3,
    RNG_STREAM_SAMPLE = 4,
    RNG_STREAM_BOOTSTRAP = 5,
    RNG_STREAM_RANDOMISATION = 6
};

struct rng {
    uint64_t seed;
    uint64_t position; /* count of 32-bit numbers drawn */
    uint32_t stream;
    uint32_t substream;
    uint32_t block[4]; /* cache of the block at position / 4 */
    int block_valid;
};
void rng_init(struct rng *r, uint64_t seed, enum rng_stream stream, uint32_t substream);
uint32_t rng_next_u32(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound); /* uniform in [0, bound), unbiased; bound > 0 */
double rng_uniform(struct rng *r);                 /* [0, 1), 53 bits */
double rng_normal(struct rng *r);                  /* mean 0, variance 1 (Box-Muller, two uniforms a number) */
void rng_shuffle_u32(struct rng *r, uint32_t *values, size_t count); /* Fisher-Yates */

#endif
