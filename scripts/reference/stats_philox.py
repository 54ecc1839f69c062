"""reco's random numbers in numpy: Philox4x32-10 by counter, and what the bootstrap and the randomisation test make of them."""
import numpy as np

STREAM_BOOTSTRAP, STREAM_RANDOMISATION = 5, 6
MASK = np.uint64(0xFFFFFFFF)


def philox(blocks, stream, substream, seed):
    """[blocks, 4] 32-bit numbers. Source: Salmon et al. 2011."""
    c = [np.arange(blocks, dtype=np.uint64) & MASK, np.arange(blocks, dtype=np.uint64) >> np.uint64(32),
         np.full(blocks, stream, np.uint64), np.full(blocks, substream, np.uint64)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        a = np.uint64(0xD2511F53) * c[0]
        b = np.uint64(0xCD9E8D57) * c[2]
        c = [(b >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), b & MASK, (a >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), a & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, axis=1)


def resample_indices(clusters, seed, resample):
    """The clusters drawn in a resample (Lemire 2019)."""
    drawn = np.empty(0, np.int64)
    rejected = (-clusters) % 2**32 % clusters
    blocks = clusters // 4 + 64
    product = philox(blocks, STREAM_BOOTSTRAP, resample, seed).reshape(-1) * np.uint64(clusters)
    kept = (product & MASK) >= np.uint64(rejected)
    drawn = (product[kept] >> np.uint64(32)).astype(np.int64)
    return drawn[:clusters]


def signs(count, seed, sample):
    """+1 or -1 for every difference."""
    words = philox((count + 31) // 32 // 4 + 1, STREAM_RANDOMISATION, sample, seed).reshape(-1)
    bits = (words[:, None] >> np.arange(32, dtype=np.uint64)) & np.uint64(1)
    return 1 - 2 * bits.reshape(-1)[:count].astype(np.int64)
