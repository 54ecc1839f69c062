#ifndef RECO_DATA_DATASET_FORMAT_H
#define RECO_DATA_DATASET_FORMAT_H

/* clang-format off */
/*
 * The files of a dataset directory, version 2. Private to dataset*.c. Little-endian. Every file but the JSON ones begins with
 * struct dataset_header and ends with its checksums; between them, without gaps, for T texts, B blocks, R rows:
 *
 *   texts.ids        uint16 or uint32 ids[]               tokens of all texts, one after the other (width: bytes of an id)
 *   texts.index      uint64 token_start[T + 1]            place of each text in texts.ids, in tokens
 *                    uint64 block_start[B + 1]            place of each block in texts.zst, in bytes from the start of the file
 *                    uint32 block_text[B + 1]             first text of each block
 *   texts.zst        one zstd frame (with checksum) a block; in it uint32 length[texts of the block], then their bytes
 *   <split>.pairs    uint64 column_start[R + 1]           place of each row in <split>.columns, in bytes behind its header
 *                    double target[R]                     only with DATASET_HAS_TARGET; NaN: none
 *                    uint32 query[R], description[R]      numbers of texts; DATASET_NO_TEXT where there is no description column
 *                    int32  label[R]                      class, -1: none
 *                    float  weight[R]                     only with DATASET_HAS_WEIGHT
 *   <split>.columns  the columns of each row, escaped and joined by tabs; no line ends
 *   checksums        zero bytes up to a multiple of 8, then uint64 XXH3-64 of each DATASET_SUM_BYTES of what stands before them,
 *                    the last of them shorter
 *
 *   dataset.json     everything else, with the bytes before the checksums and the XXH3-128 hash of the checksums of each file
 *                    above, and a checksum of itself (over its compact form with sorted keys, without "checksum"); written last
 *   prepare.json, rejects.tsv   for people; not read again by training
 */
/* clang-format on */

#include <stdint.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the dataset format is little-endian");

#define DATASET_VERSION 2
#define DATASET_MAGIC "recodata" /* 8 bytes, without a NUL */
#define DATASET_FORMAT_NAME "reco dataset"
#define DATASET_NO_TEXT UINT32_MAX
#define DATASET_SUM_BYTES ((uint64_t)1 << 20)

#define DATASET_JSON_FILE "dataset.json"
#define DATASET_IDS_FILE "texts.ids"
#define DATASET_INDEX_FILE "texts.index"
#define DATASET_RAW_FILE "texts.zst"
#define DATASET_PAIRS_SUFFIX ".pairs"
#define DATASET_COLUMNS_SUFFIX ".columns"

enum dataset_kind {
    DATASET_KIND_IDS = 1,
    DATASET_KIND_INDEX = 2,
    DATASET_KIND_RAW = 3,
    DATASET_KIND_PAIRS = 4,
    DATASET_KIND_COLUMNS = 5
};

/* Checksums of a file of so many bytes, and where they stand in it. */
static inline uint64_t dataset_sum_count(uint64_t bytes)
{
    return bytes / DATASET_SUM_BYTES + (bytes % DATASET_SUM_BYTES != 0);
}
static inline uint64_t dataset_sum_offset(uint64_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

enum dataset_flags { DATASET_HAS_TARGET = 1u << 0, DATASET_HAS_WEIGHT = 1u << 1 };

struct dataset_header {
    char magic[8];
    uint32_t version;
    uint32_t kind;   /* enum dataset_kind */
    uint64_t count;  /* index: texts; pairs: rows; 0 in the files that are written before their count is known */
    uint64_t blocks; /* index only */
    uint32_t width;  /* ids only: 2 or 4 */
    uint32_t flags;  /* pairs only: enum dataset_flags */
    uint64_t reserved[3];
};
_Static_assert(sizeof(struct dataset_header) == 64, "the header is 64 bytes");

#endif
