#ifndef RECO_TCH_VEC_HPP
#define RECO_TCH_VEC_HPP

/*
 * Vectors of W floats for the instruction set this file is compiled for, by the vector extension of gcc and clang,
 * and the functions that the kernels need of them.
 */

#include <cstdint>

#if defined(__AVX512F__) && defined(__AVX512BW__)
#define TCH_W 16
#elif defined(__AVX2__)
#define TCH_W 8
#else
#define TCH_W 4
#endif

namespace tch
{
namespace TCH_ISA
{

enum { W = TCH_W };

typedef float vf __attribute__((vector_size(4 * W)));
typedef int32_t vi __attribute__((vector_size(4 * W)));
typedef float vf_memory __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef double vd __attribute__((vector_size(8 * W)));

static inline vf load(const float *p)
{
    return *reinterpret_cast<const vf_memory *>(p);
}

static inline void store(float *p, vf x)
{
    *reinterpret_cast<vf_memory *>(p) = x;
}

static inline vf splat(float x)
{
    return x - vf{};
}

/* The first n < W floats; the rest 0. */
static inline vf load_part(const float *p, int64_t n)
{
    vf x = {};
    for (int64_t i = 0; i < n; i++)
        x[i] = p[i];
    return x;
}

static inline void store_part(float *p, vf x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = x[i];
}

static inline vf select(vi mask, vf yes, vf no)
{
    return mask ? yes : no;
}

static inline vf max(vf a, vf b)
{
    return a > b ? a : b;
}

static inline vf min(vf a, vf b)
{
    return a < b ? a : b;
}

static inline float sum(vf x)
{
    float part[W];
    store(part, x);
    for (int half = W / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            part[i] += part[i + half];
    return part[0];
}

static inline float top(vf x)
{
    float best = x[0];
    for (int i = 1; i < W; i++)
        best = x[i] > best ? x[i] : best;
    return best;
}

/* W bits of a row's mask, for elements c .. c + W - 1 (c a multiple of W), as lanes of all ones or zero. */
static inline vi mask_lanes(const uint8_t *mask, int64_t c)
{
    uint32_t bits = mask[c / 8];
    if (W == 16)
        bits |= static_cast<uint32_t>(mask[c / 8 + 1]) << 8;
    if (W == 4)
        bits >>= c % 8;
    vi lane;
    for (int i = 0; i < W; i++)
        lane[i] = 1 << i;
    return ((static_cast<int32_t>(bits) - vi{}) & lane) != 0;
}

/* e^x, relative error below 2e-7 for x in [-87, 88]; clamped outside.     Source: Cephes expf. */
static inline vf exp(vf x)
{
    x = min(max(x, splat(-87.3F)), splat(88.0F));
    vf shifted = x * 1.44269504088896341F + 12582912.0F; /* 1.5 * 2^23: rounds to an integer in the low bits */
    vi exponent = reinterpret_cast<vi>(shifted) - 0x4B400000;
    vf n = shifted - 12582912.0F;
    vf r = x - n * 0.693359375F;
    r = r + n * 2.12194440e-4F;
    vf y = splat(1.9875691500e-4F);
    y = y * r + 1.3981999507e-3F;
    y = y * r + 8.3334519073e-3F;
    y = y * r + 4.1665795894e-2F;
    y = y * r + 1.6666665459e-1F;
    y = y * r + 5.0000001201e-1F;
    y = y * (r * r) + r + 1.0F;
    vi bits = (exponent + 127) << 23;
    return y * reinterpret_cast<vf>(bits);
}

/* erf, absolute error below 3e-7: a rational function on [-4, 4], where erf(4) rounds to 1.     Source: Eigen's
 * generic_fast_erf. */
static inline vf erf(vf x)
{
    x = min(max(x, splat(-4.0F)), splat(4.0F));
    vf x2 = x * x;
    vf p = splat(-2.72614225801306e-10F);
    p = p * x2 + 2.77068142495902e-08F;
    p = p * x2 + -2.10102402082508e-06F;
    p = p * x2 + -5.69250639462346e-05F;
    p = p * x2 + -7.34990630326855e-04F;
    p = p * x2 + -2.95459980854025e-03F;
    p = p * x2 + -1.60960333262415e-02F;
    vf q = splat(-1.45660718464996e-05F);
    q = q * x2 + -2.13374055278905e-04F;
    q = q * x2 + -1.68282697438203e-03F;
    q = q * x2 + -7.37332916720468e-03F;
    q = q * x2 + -1.42647390514189e-02F;
    return x * p / q;
}

static inline vf tanh(vf x)
{
    return 1.0F - 2.0F / (exp(2.0F * x) + 1.0F);
}

static inline vf sqrt(vf x)
{
    for (int i = 0; i < W; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

} /* namespace TCH_ISA */
} /* namespace tch */

#endif
