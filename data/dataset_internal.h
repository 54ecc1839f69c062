#ifndef RECO_DATA_DATASET_INTERNAL_H
#define RECO_DATA_DATASET_INTERNAL_H

/* Parts of the dataset writer and reader. Private to dataset*.c. */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/file.h"
#include "core/hash.h"
#include "core/pool.h"
#include "data/dataset.h"
#include "data/dataset_format.h"
#include "data/wordpiece.h"

/* ---- dataset_file.c: a file of the dataset, hashed while it is written
 * ------------------------------------------------ */

struct dataset_file { /* zero-initialised: not open */
    char *name;
    struct file_writer *writer;
    struct hash_stream *hash;
};

/* Opens dir/<name><suffix> and writes its header (magic and version are filled in). */
int dataset_file_open(struct dataset_file *f, const char *dir, const char *name, const char *suffix,
                      struct dataset_header header) RECO_MUST_CHECK;
int dataset_file_add(struct dataset_file *f, const void *bytes, size_t length) RECO_MUST_CHECK;
/* Finishes the file and enters its size and hash in the JSON object files. Release is still needed. */
int dataset_file_commit(struct dataset_file *f, json_t *files) RECO_MUST_CHECK;
void dataset_file_release(struct dataset_file *f);

/*
 * The hash of a dataset, over its files in the order of their names, its label map and its tokeniser; of a split, over
 * the files it needs. json is dataset.json. hex "" is not possible: a missing entry is RECO_E_DATA.
 */
int dataset_content_hash(const json_t *json, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;
int dataset_split_content_hash(const json_t *json, const char *split, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;

/* ---- dataset_texts.c: the distinct texts
 * ------------------------------------------------------------------------------- */

struct dataset_texts;

int dataset_texts_open(struct dataset_texts **out, const char *dir, const struct wordpiece *wp,
                       struct pool *pool) RECO_MUST_CHECK;
void dataset_texts_free(struct dataset_texts *t); /* NULL-safe */
int dataset_texts_add(struct dataset_texts *t, const char *text, size_t length, uint32_t *number) RECO_MUST_CHECK;
int dataset_texts_flush(struct dataset_texts *t) RECO_MUST_CHECK; /* all texts have their tokens after it */
size_t dataset_texts_count(const struct dataset_texts *t);
uint64_t dataset_texts_tokens(const struct dataset_texts *t, uint32_t number); /* of one text, after a flush */
uint64_t dataset_texts_all_tokens(const struct dataset_texts *t);
int dataset_texts_commit(struct dataset_texts *t, const char *dir, json_t *files) RECO_MUST_CHECK;

/* ---- dataset_open.c, dataset.c: reading
 * --------------------------------------------------------------------------------- */

struct dataset_split {
    const struct dataset *ds;
    const char *name, *hash; /* in ds->json */
    const json_t *column_names;
    size_t rows;
    struct file_map pairs, columns;
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

    struct file_map ids_file, index_file, raw_file;
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

#endif
