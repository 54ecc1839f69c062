#ifndef RECO_DATA_BYTES16_H
#define RECO_DATA_BYTES16_H

/* Sixteen bytes at a time, in the vector extension of gcc and clang (SSE2, NEON, or plain words). Marks are 0xFF. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BYTES16_SIZE = 16 };
typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline bytes16 bytes16_all(unsigned char byte)
{
    return (bytes16){0} + byte;
}

static inline bytes16 bytes16_load(const char *from)
{
    bytes16 bytes;

    memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

static inline void bytes16_store(char *to, bytes16 bytes)
{
    memcpy(to, &bytes, sizeof bytes);
}

static inline bytes16 bytes16_equal(bytes16 bytes, unsigned char byte)
{
    return (bytes16)(bytes == bytes16_all(byte));
}

/* Length up to the first byte that is marked, BYTES16_SIZE when there is none. */
static inline size_t bytes16_first(bytes16 marks)
{
    uint64_t halves[2];

    memcpy(halves, &marks, sizeof halves);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    halves[0] = __builtin_bswap64(halves[0]);
    halves[1] = __builtin_bswap64(halves[1]);
#endif
    if (halves[0] != 0)
        return (size_t)__builtin_ctzll(halves[0]) / 8;
    return halves[1] != 0 ? 8 + (size_t)__builtin_ctzll(halves[1]) / 8 : BYTES16_SIZE;
}

#endif
