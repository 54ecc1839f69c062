#ifndef RECO_CORE_HASH_H
#define RECO_CORE_HASH_H

/*
 * Content hashes: XXH3 by libxxhash. 64 bits for hash tables and split keys, 128 bits (32 hex digits) for fingerprints
 * of data, vocabulary, label map and model. Not cryptographic: they find mistakes, not attackers.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define HASH_HEX_SIZE 33 /* 32 digits and NUL */

uint64_t hash_u64(const void *bytes, size_t length, uint64_t seed);
void hash_hex(const void *bytes, size_t length, char hex[HASH_HEX_SIZE]);

struct hash_stream; /* incremental 128 bit */
int hash_stream_new(struct hash_stream **out) RECO_MUST_CHECK;
void hash_stream_add(struct hash_stream *h, const void *bytes, size_t length);
void hash_stream_hex(const struct hash_stream *h, char hex[HASH_HEX_SIZE]);
void hash_stream_free(struct hash_stream *h);
int hash_file_hex(const char *path, char hex[HASH_HEX_SIZE]) RECO_MUST_CHECK;

#endif
