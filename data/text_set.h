#ifndef RECO_DATA_TEXT_SET_H
#define RECO_DATA_TEXT_SET_H

/*
 * The distinct texts of a dataset or of a shard: texts.ids, texts.index and texts.zst of dataset_format.h, numbered
 * from 0 in the order in which they came. Texts are recognised by a 128-bit hash, tokenised and compressed batch by
 * batch on the pool, and leave memory; while texts are added, about 26 bytes of each stay. The bytes written depend on
 * the sequence of the texts alone. A writer and a reader belong to one thread each.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/hash.h"
#include "core/pool.h"
#include "data/wordpiece.h"

#define TEXT_SET_NONE UINT32_MAX

struct text_key { /* equal keys are taken for equal texts */
    uint64_t low, high;
};
static inline struct text_key text_key_of(const char *text, size_t length)
{
    return (struct text_key){.low = hash_u64(text, length, 0), .high = hash_u64(text, length, 0x7465787473ull)};
}

/* Numbers of keys: 16 bytes a key and about 6 of slots. Zero-initialised is empty. */
struct text_keys {
    struct text_key *keys; /* [count] */
    size_t capacity, count;
    uint32_t *slots; /* [slot_count] number + 1, 0: free */
    size_t slot_count;
};
/* *number of the key, new when it is count - 1 and *is_new. RECO_E_DATA: more than fit in 32 bits. */
int text_keys_enter(struct text_keys *k, struct text_key key, uint32_t *number, bool *is_new) RECO_MUST_CHECK;
bool text_keys_have(const struct text_keys *k, struct text_key key);
void text_keys_release(struct text_keys *k);

/* ---- writing ---- */

struct text_set_writer;

/* For text_set_put alone: without a tokeniser, ids of id_bytes each. */
int text_set_writer_open_put(struct text_set_writer **out, const char *dir, uint32_t id_bytes, struct pool *pool,
                             const char *tmp_dir) RECO_MUST_CHECK;
/*
 * dir exists; wp and pool are borrowed until free. tmp_dir as in temp_file.h. draft: compressed lightly, for a set that
 * will be written anew.
 */
int text_set_writer_open(struct text_set_writer **out, const char *dir, const struct wordpiece *wp, struct pool *pool,
                         const char *tmp_dir, bool draft) RECO_MUST_CHECK;
void text_set_writer_free(struct text_set_writer *w); /* NULL-safe; files not committed are removed */
/* Number of the text, new or known. */
int text_set_add(struct text_set_writer *w, struct text_key key, const char *text, size_t length,
                 uint32_t *number) RECO_MUST_CHECK;
/* The next text, known to be new, with its ids as they stand in texts.ids. Excludes text_set_add. */
int text_set_put(struct text_set_writer *w, const char *text, size_t length, const void *ids,
                 size_t id_count) RECO_MUST_CHECK;
size_t text_set_writer_count(const struct text_set_writer *w);
uint64_t text_set_writer_tokens(const struct text_set_writer *w); /* of all texts, after the commit */
uint32_t text_set_id_bytes(const struct wordpiece *wp);
/* Nothing is added any more; the keys leave memory, into texts.keys when asked for. Enters the files in files. */
int text_set_commit(struct text_set_writer *w, json_t *files, bool keep_keys) RECO_MUST_CHECK;

/* ---- reading a committed set ---- */

struct text_set;

/* with_keys: of a shard; texts.keys is read, too, and every place in the files is checked. RECO_E_DATA. */
int text_set_open(struct text_set **out, const char *dir, bool with_keys) RECO_MUST_CHECK;
void text_set_close(struct text_set *s); /* NULL-safe */
size_t text_set_count(const struct text_set *s);
uint32_t text_set_width(const struct text_set *s); /* bytes of an id */
uint64_t text_set_tokens(const struct text_set *s, uint32_t number);
struct text_key text_set_key(const struct text_set *s, uint32_t number);

struct text_set_text { /* borrowed until the next call */
    const char *text;
    size_t length;
    const void *ids;
    size_t id_count;
};
/* The texts in order, one a call; *found is false at the end. with_ids: their ids as well. */
int text_set_next(struct text_set *s, bool with_ids, struct text_set_text *text, bool *found) RECO_MUST_CHECK;
void text_set_rewind(struct text_set *s);

#endif
