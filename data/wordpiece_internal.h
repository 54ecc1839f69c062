#ifndef RECO_DATA_WORDPIECE_INTERNAL_H
#define RECO_DATA_WORDPIECE_INTERNAL_H

/*
 * Inside of the tokeniser, for data/wordpiece*.c and their tests. Steps, as in the pinned library:
 *   1. added tokens ("[SEP]") are found in the raw text, leftmost and longest, and cut it into segments;
 *   2. each segment is cleaned, spaced at CJK characters, decomposed and stripped of marks, lower-cased;
 *   3. split at white space (left out) and punctuation (a word each);
 *   4. each word is matched greedily against the vocabulary.
 */

#include "core/buf.h"
#include "core/mem.h"
#include "data/wordpiece.h"

enum wordpiece_name { WORDPIECE_PAD, WORDPIECE_UNK, WORDPIECE_CLS, WORDPIECE_SEP, WORDPIECE_MASK, WORDPIECE_NAMES };

struct wordpiece_added { /* a token looked for in the raw text */
    const char *text;    /* in the arena */
    size_t length_bytes;
    int32_t id;
};

/*
 * Byte trie over the vocabulary, as a double array: the child of node n by byte b is the unit base(n) ^ b, if the label
 * there is b. No two nodes have the same base and none with children has base 0, so a label cannot match by chance;
 * label 0 is a free unit (no token holds a NUL).     Idea: Aoe 1989, "An efficient digital search algorithm by using a
 * double-array".
 */
struct wordpiece_unit {
    uint32_t link; /* base << 8 | label */
    int32_t id;    /* the token that ends here, or -1 */
};
struct wordpiece_trie {
    struct wordpiece_unit *units; /* [unit_count] */
    size_t unit_count;
    uint32_t root;         /* link from which a word's first piece starts */
    uint32_t continuation; /* link after "##", 0 when no token begins so */
};

struct wordpiece {
    struct wordpiece_options options;
    struct wordpiece_special special;
    struct mem_arena arena;
    const char **tokens; /* [vocab_size]; NULL for an id without a token */
    int vocab_size;
    struct wordpiece_trie trie;
    int32_t *single_ids; /* [65536] id of the one-character word of a code point: filled for CJK and punctuation */
    struct wordpiece_added *added;
    size_t added_count;
    unsigned char added_first[256]; /* bytes that start an added token */
    int added_only_first;           /* the one such byte, -1 when there are several or none */
    char hash[HASH_HEX_SIZE];
};

/* What an opener has gathered; everything is borrowed. */
struct wordpiece_build {
    struct wordpiece_options options;
    const char *names[WORDPIECE_NAMES]; /* texts of the special tokens; "[PAD]", ... */
    const char *source;                 /* path for messages */
};

void wordpiece_build_init(struct wordpiece_build *build, const char *source);

/*
 * In this order: new (or vocab_text, which also sets the tokens), set every token, index, add, finish (the hash).
 * add: the token is found in raw text from now on; one outside the vocabulary takes the next free id, which id must be.
 * After a failure wordpiece_close releases what there is.
 */
int wordpiece_build_new(struct wordpiece **out, const struct wordpiece_build *build, size_t vocab_size) RECO_MUST_CHECK;
int wordpiece_build_vocab_text(struct wordpiece **out, const struct wordpiece_build *build,
                               const struct buf *text) RECO_MUST_CHECK;
int wordpiece_build_set(struct wordpiece *wp, size_t id, const char *token, size_t length) RECO_MUST_CHECK;
int wordpiece_build_index(struct wordpiece *wp, const struct wordpiece_build *build) RECO_MUST_CHECK;
int wordpiece_build_add(struct wordpiece *wp, long long id, const char *text) RECO_MUST_CHECK;
int wordpiece_build_finish(struct wordpiece *wp) RECO_MUST_CHECK;

/* The vocabulary of a tokenizer.json, read without a JSON library. */
struct wordpiece_json_vocab { /* zero-initialised is empty */
    struct buf texts;         /* each ended by a NUL */
    struct wordpiece_json_entry {
        size_t at;    /* in texts */
        long long id; /* rising */
    } * entries;
    size_t count, capacity;
};
/*
 * Takes the vocabulary out of the text of a tokenizer.json, which then holds an empty object in its place. *cut false:
 * it is not plain enough for that, and the text as it was.
 */
int wordpiece_json_cut(struct buf *text, struct wordpiece_json_vocab *vocab, bool *cut) RECO_MUST_CHECK;
void wordpiece_json_vocab_release(struct wordpiece_json_vocab *vocab);

/* The id of a token's exact text, -1 when it is not in the vocabulary. */
int32_t wordpiece_find(const struct wordpiece *wp, const char *token, size_t length);

/* The unit reached from a unit of this link by byte; NULL: none. */
static inline const struct wordpiece_unit *wordpiece_trie_step(const struct wordpiece_trie *trie, uint32_t link,
                                                               unsigned char byte)
{
    const struct wordpiece_unit *unit = &trie->units[(link >> 8) ^ byte];
    return (unsigned char)unit->link == byte ? unit : NULL;
}

/* Makes the trie of tokens [count]; a NULL or empty one is skipped, of equal ones the last counts. */
int wordpiece_trie_build(struct wordpiece_trie *trie, const char *const *tokens, int count) RECO_MUST_CHECK;
void wordpiece_trie_release(struct wordpiece_trie *trie);
int32_t wordpiece_trie_find(const struct wordpiece_trie *trie, const char *token, size_t length); /* -1: not there */

/* Greedy longest match of one normalised word; writes at most length ids and returns how many (one unknown if it
 * cannot). */
size_t wordpiece_match(const struct wordpiece *wp, const unsigned char *word, size_t length, int32_t *out);

/* Fills wp->single_ids; part of wordpiece_build_index. */
int wordpiece_single_ids_build(struct wordpiece *wp) RECO_MUST_CHECK;

/* The normalised words of a text without added tokens, each followed by '\n', appended: steps 2 and 3 alone, for tests.
 */
int wordpiece_words(const struct wordpiece *wp, struct wordpiece_scratch *scratch, const char *text, size_t length,
                    struct buf *words) RECO_MUST_CHECK;

#endif
