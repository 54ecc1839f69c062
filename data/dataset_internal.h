#ifndef RECO_DATA_DATASET_INTERNAL_H
#define RECO_DATA_DATASET_INTERNAL_H

/* Parts of the dataset writer and reader. Private to dataset*.c. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/pool.h"
#include "data/dataset.h"
#include "data/dataset_format.h"
#include "data/wordpiece.h"

/* ---- dataset_file.c: a file of the dataset, with a checksum of every block as it is written
 * ------------------------------------------------ */

struct dataset_file { /* zero-initialised: not open */
    char *name;
    struct file_writer *writer;
    struct buf block; /* bytes since the last checksum */
    uint64_t *sums;
    size_t sum_count, sums_capacity;
};

/* Opens dir/<name><suffix> and writes its header (magic and version are filled in). */
int dataset_file_open(struct dataset_file *f, const char *dir, const char *name, const char *suffix,
                      struct dataset_header header) RECO_MUST_CHECK;
int dataset_file_add(struct dataset_file *f, const void *bytes, size_t length) RECO_MUST_CHECK;
/* Finishes the file and enters its size and the hash of its checksums in the JSON object files. Release is still
 * needed. */
int dataset_file_commit(struct dataset_file *f, json_t *files) RECO_MUST_CHECK;
void dataset_file_release(struct dataset_file *f);

/*
 * The hash of a dataset, over its files in the order of their names, its label map and its tokeniser; of a split, over
 * the files it needs. json is dataset.json. hex "" is not possible: a missing entry is RECO_E_DATA.
 */
int dataset_content_hash(const json_t *json, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;
int dataset_split_content_hash(const json_t *json, const char *split, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;

/* The checksum of dataset.json itself. */
int dataset_json_checksum(const json_t *json, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;
/* Enters the hash of every split and of the whole, and the checksum, in an otherwise complete dataset.json. */
int dataset_json_seal(json_t *json) RECO_MUST_CHECK;

/* ---- dataset_open.c, dataset.c: reading
 * --------------------------------------------------------------------------------- */

struct dataset_map { /* a file, mapped: its content, and behind it the checksums */
    struct file_map file;
    const char *name; /* in ds->json */
    const unsigned char *data;
    uint64_t bytes; /* without the checksums */
};

struct dataset_split {
    const struct dataset *ds;
    const char *name, *hash; /* in ds->json */
    const json_t *column_names;
    size_t rows;
    struct dataset_map pairs, columns;
    const uint64_t *column_start;
    const uint32_t *query, *description;
    const int32_t *label;
    const float *weight;  /* NULL: 1 */
    const double *target; /* NULL: none */
};

struct dataset {
    char *dir;
    json_t *json;
    const json_t *files;
    struct label_map labels;
    struct wordpiece_special special;
    int vocab_size;
    bool has_description;
    char hash[HASH_HEX_SIZE];

    struct dataset_map ids_file, index_file, raw_file;
    size_t texts, blocks;
    uint32_t id_width;
    const unsigned char *ids;
    const uint64_t *token_start, *block_start;
    const uint32_t *block_text;

    struct dataset_split *splits;
    size_t split_count;
};

/* RECO_E_DATA: what is wrong with which file of the dataset. */
int dataset_damaged(const struct dataset *ds, const char *file, const char *what);

/* ---- dataset_check.c: the bytes of the files
 * ---------------------------------------------------------------------------- */

/*
 * Maps a file and checks its size, its header and its checksums against dataset.json; the blocks are still to be
 * checked. The map is to be closed also after a failure.
 */
int dataset_map_open(const struct dataset *ds, struct dataset_map *m, const char *name,
                     enum dataset_kind kind) RECO_MUST_CHECK;
void dataset_map_close(struct dataset_map *m);

/* Every block of every open file against its checksum, by all processors; names the first damaged one. */
int dataset_check_blocks(const struct dataset *ds) RECO_MUST_CHECK;

#endif
