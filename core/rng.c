#include "core/rng.h"

#include <math.h>
#include <stdbool.h>

enum { PHILOX_ROUNDS = 10 };

void rng_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53u * c0;
        uint64_t product1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void rng_init(struct rng *r, uint64_t seed, enum rng_stream stream, uint32_t substream)
{
    *r = (struct rng){.seed = seed, .stream = (uint32_t)stream, .substream = substream};
}

uint32_t rng_next_u32(struct rng *r)
{
    unsigned lane = (unsigned)(r->position % 4);
    if (lane == 0 || !r->block_valid) {
        uint64_t block = r->position / 4;
        uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), r->stream, r->substream};
        uint32_t key[2] = {(uint32_t)r->seed, (uint32_t)(r->seed >> 32)};
        rng_philox4x32(counter, key, r->block);
        r->block_valid = true;
    }
    r->position++;
    return r->block[lane];
}

static uint64_t next_u64(struct rng *r)
{
    uint64_t low = rng_next_u32(r);
    return low | (uint64_t)rng_next_u32(r) << 32;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    uint64_t rejected = -bound % bound; /* 2^64 mod bound: values under it would favour the small results */
    uint64_t value;
    do
        value = next_u64(r);
    while (value < rejected);
    return value % bound;
}

double rng_uniform(struct rng *r)
{
    return (double)(next_u64(r) >> 11) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(r))); /* 1 - u lies in (0, 1] */
    return radius * cos(2.0 * 3.14159265358979323846 * rng_uniform(r));
}

void rng_shuffle_u32(struct rng *r, uint32_t *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(r, i);
        uint32_t swapped = values[i - 1];
        values[i - 1] = values[j];
        values[j] = swapped;
    }
}
