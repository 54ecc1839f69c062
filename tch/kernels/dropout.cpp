/* Masks of the counter-based dropout. */

#include "tch/kernels/parts.hpp"
#include "tch/philox.hpp"

#if TCH_W >= 8
#include <immintrin.h>
#endif

namespace tch
{
namespace TCH_ISA
{

#if TCH_W >= 8

/*
 * Counters run in 64-bit lanes: vpmuludq multiplies the low halves and leaves low and high word in one lane, so a round
 * is two products, two shifts and four exclusive ors, with no shuffles. High halves hold rubbish that nothing reads.
 */
#if TCH_W == 16
typedef __m512i lanes;
enum { COUNTERS = 8 };
#define OP(name) _mm512_##name
static inline lanes xor_of(lanes a, lanes b)
{
    return _mm512_xor_si512(a, b);
}
#else
typedef __m256i lanes;
enum { COUNTERS = 4 };
#define OP(name) _mm256_##name
static inline lanes xor_of(lanes a, lanes b)
{
    return _mm256_xor_si256(a, b);
}
#endif

static inline lanes all(int64_t x)
{
#if TCH_W == 16
    return _mm512_set1_epi64(x);
#else
    return _mm256_set1_epi64x(x);
#endif
}

/* Lane j gets bit j of the result when its low word is at or above the threshold (given as threshold - 1, sign kept).
 */
static inline uint32_t at_or_above(lanes x, lanes below)
{
#if TCH_W == 16
    return _mm512_cmpgt_epi64_mask(_mm512_and_si512(x, all(0xFFFFFFFF)), below);
#else
    lanes low = _mm256_and_si256(x, all(0xFFFFFFFF));
    return static_cast<uint32_t>(_mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(low, below))));
#endif
}

/* Bit j of x (8 bits) to bit 4 j. */
static inline uint32_t spread(uint32_t x)
{
    x = (x | x << 12) & 0x000F000F;
    x = (x | x << 6) & 0x03030303;
    return (x | x << 3) & 0x11111111;
}

void mask_row(const dropout_key *key, uint32_t unit, int64_t first_column, int64_t columns, uint8_t *mask)
{
    const lanes multiplier0 = all(0xD2511F53u), multiplier1 = all(0xCD9E8D57u), c1_start = all(unit),
                c2_start = all(key->site), c3_start = all(key->step),
                below = all(static_cast<int64_t>(key->threshold) - 1);
#if TCH_W == 16
    const lanes index = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
#else
    const lanes index = _mm256_set_epi64x(3, 2, 1, 0);
#endif
    for (int64_t c = 0; c < columns; c += 4 * COUNTERS) {
        lanes c0 = OP(add_epi64)(index, all(static_cast<uint32_t>((first_column + c) / 4))), c1 = c1_start,
              c2 = c2_start, c3 = c3_start;
        uint32_t k0 = static_cast<uint32_t>(key->seed), k1 = static_cast<uint32_t>(key->seed >> 32);
        for (int round = 0; round < 10; round++) {
            lanes product0 = OP(mul_epu32)(multiplier0, c0), product1 = OP(mul_epu32)(multiplier1, c2);
            c0 = xor_of(xor_of(OP(srli_epi64)(product1, 32), c1), all(k0));
            c2 = xor_of(xor_of(OP(srli_epi64)(product0, 32), c3), all(k1));
            c1 = product1;
            c3 = product0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        uint32_t bits = spread(at_or_above(c0, below)) | spread(at_or_above(c1, below)) << 1 |
                        spread(at_or_above(c2, below)) << 2 | spread(at_or_above(c3, below)) << 3;
        for (int byte = 0; byte < COUNTERS / 2 && c / 8 + byte < mask_bytes(columns); byte++)
            mask[c / 8 + byte] = static_cast<uint8_t>(bits >> (8 * byte));
    }
    for (int64_t byte = (columns + 4 * COUNTERS - 1) / (4 * COUNTERS) * (COUNTERS / 2); byte < mask_bytes(columns);
         byte++)
        mask[byte] = 0;
}

#else

void mask_row(const dropout_key *key, uint32_t unit, int64_t first_column, int64_t columns, uint8_t *mask)
{
    for (int64_t byte = 0; byte < mask_bytes(columns); byte++) {
        uint32_t bits = 0;
        for (int half = 0; half < 2; half++) {
            philox_block block = philox(static_cast<uint32_t>(first_column / 4 + 2 * byte + half), unit, key->site,
                                        key->step, key->seed);
            for (int i = 0; i < 4; i++)
                bits |= static_cast<uint32_t>(block.lane[i] >= key->threshold) << (4 * half + i);
        }
        mask[byte] = static_cast<uint8_t>(bits);
    }
}

#endif

void mask_apply(int64_t columns, const float *x, const uint8_t *mask, float scale, float *out)
{
    int64_t c = 0;
    for (; c + W <= columns; c += W)
        store(out + c, select(mask_lanes(mask, c), load(x + c) * scale, vf{}));
    if (c < columns)
        store_part(out + c, select(mask_lanes(mask, c), load_part(x + c, columns - c) * scale, vf{}), columns - c);
}

} /* namespace TCH_ISA */
} /* namespace tch */
