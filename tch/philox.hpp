#ifndef RECO_TCH_PHILOX_HPP
#define RECO_TCH_PHILOX_HPP

/* Philox4x32-10 inline, for CPU and CUDA; equal to rng_philox4x32 of core/rng.h (tested).     Source: Salmon et al.
 * 2011. */

#include <cstdint>

#ifdef __CUDACC__
#define TCH_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define TCH_HOST_DEVICE inline
#endif

namespace tch
{

struct philox_block {
    uint32_t lane[4];
};

TCH_HOST_DEVICE philox_block philox(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint64_t seed)
{
    uint32_t k0 = static_cast<uint32_t>(seed), k1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = static_cast<uint64_t>(0xD2511F53u) * c0;
        uint64_t product1 = static_cast<uint64_t>(0xCD9E8D57u) * c2;
        uint32_t high0 = static_cast<uint32_t>(product0 >> 32), high1 = static_cast<uint32_t>(product1 >> 32);
        c0 = high1 ^ c1 ^ k0;
        c2 = high0 ^ c3 ^ k1;
        c1 = static_cast<uint32_t>(product1);
        c3 = static_cast<uint32_t>(product0);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return {{c0, c1, c2, c3}};
}

/* An element is kept when its 32 random bits are at or above this. */
inline uint32_t dropout_threshold(double p)
{
    double scaled = p * 4294967296.0;
    return scaled >= 4294967295.0 ? 4294967295u : static_cast<uint32_t>(scaled);
}

} /* namespace tch */

#endif
