#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "data/utf8.h"
#include "data/wordpiece_internal.h"

/* Characters ---------------------------------------------------------------------------------------------------- */

/* Of a code point, as scripts/reference/wordpiece_tables.py writes them. */
enum chars_flag {
    CHARS_DROP = 1,    /* removed by cleaning */
    CHARS_SPACE = 2,   /* becomes a space */
    CHARS_CJK = 4,     /* a word of its own with tokenize_chinese_chars */
    CHARS_PUNCT = 8,   /* a word of its own */
    CHARS_HANGUL = 16, /* a syllable: decomposed by arithmetic */
    CHARS_RESET = 32   /* its decomposition holds a stripped starter: marks do not move across */
};
enum chars_map { CHARS_MAP_STRIP, CHARS_MAP_LOWER, CHARS_MAP_STRIP_LOWER, CHARS_MAPS };

struct chars_record {
    uint8_t flags;
    uint8_t mark_rank;        /* order of the canonical combining class; 0: a starter */
    uint16_t map[CHARS_MAPS]; /* which mapping; 0: none */
};

#include "data/wordpiece_tables.inc"

static inline const struct chars_record *chars_find(uint32_t code_point)
{
    return &chars_records[chars_stage2[(uint32_t)chars_stage1[code_point >> 7] << 7 | (code_point & 127)]];
}

enum byte_class { BYTE_WORD, BYTE_SPACE, BYTE_PUNCT, BYTE_DROP, BYTE_HIGH }; /* high: not ASCII */

static enum byte_class byte_class_of(unsigned char byte)
{
    if (byte >= 0x80)
        return BYTE_HIGH;
    uint8_t flags = chars_find(byte)->flags;
    return flags & CHARS_DROP    ? BYTE_DROP
           : flags & CHARS_SPACE ? BYTE_SPACE
           : flags & CHARS_PUNCT ? BYTE_PUNCT
                                 : BYTE_WORD;
}

/* Word cache ---------------------------------------------------------------------------------------------------- */

#define KEY_BYTES 16 /* a word of fewer bytes is its own key, padded with NULs */
#define CACHED_IDS 3
#define CACHE_BITS 13              /* 32 bytes an entry: 256 KiB, a part of a level-2 cache */
#define RUN_SLACK (CACHED_IDS + 1) /* ids written ahead of the count */

struct cache_entry {
    uint64_t key[2];
    int32_t ids[CACHED_IDS];
    uint32_t count;
};

struct wordpiece_scratch {
    struct cache_entry *cache;
    unsigned char *word;   /* UTF-8 of the word at hand */
    uint32_t *code_points; /* [max_word_chars + 1] of the word at hand */
    uint8_t *ranks;        /* their mark ranks */
    size_t length;         /* code points so far; over max_word_chars counts, but is not stored */
    size_t run_start;      /* marks from here on may still be reordered */
    struct buf *words;     /* wordpiece_words: where words go instead of being matched */
    int words_rc;
    unsigned char class_of[256];
    unsigned char lower[256];
    enum chars_map map;
    bool has_map;
};

int wordpiece_scratch_new(struct wordpiece_scratch **out, const struct wordpiece *wp)
{
    *out = NULL;
    struct wordpiece_scratch *s = mem_calloc(1, sizeof *s);
    if (s == NULL)
        return RECO_E_NOMEM;
    size_t chars = (size_t)wp->options.max_word_chars + 1;
    s->cache = mem_calloc((size_t)1 << CACHE_BITS, sizeof *s->cache);
    s->word = mem_alloc(chars * UTF8_MAX_BYTES + KEY_BYTES);
    s->code_points = mem_alloc(chars * sizeof *s->code_points);
    s->ranks = mem_alloc(chars);
    if (s->cache == NULL || s->word == NULL || s->code_points == NULL || s->ranks == NULL) {
        wordpiece_scratch_free(s);
        return RECO_E_NOMEM;
    }
    bool lower = wp->options.do_lower_case;
    bool strip = wp->options.strip_accents < 0 ? lower : wp->options.strip_accents > 0;
    s->has_map = lower || strip;
    s->map = lower && strip ? CHARS_MAP_STRIP_LOWER : strip ? CHARS_MAP_STRIP : CHARS_MAP_LOWER;
    for (int byte = 0; byte < 256; byte++) {
        s->class_of[byte] = (unsigned char)byte_class_of((unsigned char)byte);
        s->lower[byte] = (unsigned char)(lower && byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    *out = s;
    return 0;
}

void wordpiece_scratch_free(struct wordpiece_scratch *s)
{
    if (s == NULL)
        return;
    mem_free(s->cache);
    mem_free(s->word);
    mem_free(s->code_points);
    mem_free(s->ranks);
    mem_free(s);
}

void wordpiece_ids_release(struct wordpiece_ids *ids)
{
    mem_free(ids->ids);
    *ids = (struct wordpiece_ids){0};
}

/* Ids of the word in key, by the cache. out has room for KEY_BYTES ids. */
static inline size_t match_key(const struct wordpiece *wp, struct wordpiece_scratch *s, const uint64_t key[2],
                               size_t length, int32_t *out)
{
    uint64_t h = (key[0] ^ (key[1] * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xD6E8FEB86659FD93);
    struct cache_entry *entry = &s->cache[h >> (64 - CACHE_BITS)];
    if (entry->key[0] == key[0] && entry->key[1] == key[1]) {
        memcpy(out, entry->ids, sizeof entry->ids);
        return entry->count;
    }
    unsigned char bytes[KEY_BYTES];
    memcpy(bytes, key, KEY_BYTES);
    size_t count = wordpiece_match(wp, bytes, length, out);
    if (count <= CACHED_IDS) {
        memcpy(entry->key, key, KEY_BYTES);
        memcpy(entry->ids, out, count * sizeof *out);
        entry->count = (uint32_t)count;
    }
    return count;
}

static size_t match_word(const struct wordpiece *wp, struct wordpiece_scratch *s, const unsigned char *word,
                         size_t length, int32_t *out)
{
    if (length >= KEY_BYTES)
        return wordpiece_match(wp, word, length, out);
    unsigned char bytes[KEY_BYTES] = {0};
    uint64_t key[2];
    memcpy(bytes, word, length);
    memcpy(key, bytes, KEY_BYTES);
    return match_key(wp, s, key, length, out);
}

/* Any text ------------------------------------------------------------------------------------------------------ */

static void words_add(struct wordpiece_scratch *s, const unsigned char *word, size_t length)
{
    if (s->words_rc == 0)
        s->words_rc = buf_add(s->words, word, length);
    if (s->words_rc == 0)
        s->words_rc = buf_add_char(s->words, '\n');
}

/* Ends the word at hand; an empty one is none. */
static size_t word_flush(const struct wordpiece *wp, struct wordpiece_scratch *s, int32_t *out)
{
    size_t chars = s->length;
    if (chars == 0)
        return 0;
    s->length = s->run_start = 0;
    bool too_long = chars > (size_t)wp->options.max_word_chars;
    if (too_long && s->words == NULL) {
        out[0] = wp->special.unk;
        return 1;
    }
    size_t length = 0;
    if (too_long)
        chars = (size_t)wp->options.max_word_chars + 1;
    for (size_t i = 0; i < chars; i++)
        length += utf8_encode(s->code_points[i], s->word + length);
    if (s->words != NULL) {
        words_add(s, s->word, length);
        return 0;
    }
    return match_word(wp, s, s->word, length, out);
}

/* Adds a normalised character to the word; marks are kept in canonical order (a stable sort by rank between starters).
 */
static inline void word_append(const struct wordpiece *wp, struct wordpiece_scratch *s, uint32_t code_point,
                               uint8_t rank, bool reorder)
{
    size_t at = s->length++;
    if (at > (size_t)wp->options.max_word_chars)
        return;
    if (rank == 0 || !reorder) {
        s->run_start = at + 1;
    } else {
        for (; at > s->run_start && s->ranks[at - 1] > rank; at--) {
            s->code_points[at] = s->code_points[at - 1];
            s->ranks[at] = s->ranks[at - 1];
        }
    }
    s->code_points[at] = code_point;
    s->ranks[at] = rank;
}

static inline size_t single_id(const struct wordpiece *wp, struct wordpiece_scratch *s, uint32_t code_point,
                               int32_t *out)
{
    if (code_point < 0x10000 && s->words == NULL) {
        out[0] = wp->single_ids[code_point];
        return 1;
    }
    unsigned char bytes[UTF8_MAX_BYTES];
    size_t length = utf8_encode(code_point, bytes);
    if (s->words != NULL) {
        words_add(s, bytes, length);
        return 0;
    }
    return match_word(wp, s, bytes, length, out);
}

/*
 * Reads from p until the end or an ASCII space or punctuation character that follows no open word; words read on the
 * way go to *out, which is moved on. Returns where it stopped.
 */
static const unsigned char *encode_any(const struct wordpiece *wp, struct wordpiece_scratch *s, const unsigned char *p,
                                       const unsigned char *end, int32_t **out)
{
    const bool strip = s->has_map && s->map != CHARS_MAP_LOWER, cjk = wp->options.tokenize_chinese_chars;
    int32_t *o = *out;
    while (p < end) {
        uint32_t c = *p;
        if (c < 0x80) {
            unsigned char class = s->class_of[c];
            if (class == BYTE_SPACE || class == BYTE_PUNCT)
                break;
            p++;
            if (class == BYTE_WORD)
                word_append(wp, s, s->lower[c], 0, strip);
            continue;
        }
        size_t size = utf8_decode(p, end, &c);
        const struct chars_record *r = chars_find(c);
        p += size;
        if (r->flags & CHARS_DROP)
            continue;
        if (r->flags & CHARS_SPACE) {
            o += word_flush(wp, s, o);
            continue;
        }
        uint32_t mapped[3];
        const uint32_t *chars = &c;
        size_t count = 1;
        if (s->has_map && r->map[s->map] != 0) {
            uint16_t map = r->map[s->map];
            chars = &chars_map_pool[chars_map_at[map]];
            count = (size_t)chars_map_at[map + 1] - chars_map_at[map];
        } else if (strip && (r->flags & CHARS_HANGUL)) {
            uint32_t syllable = c - 0xAC00, trail = syllable % 28;
            mapped[0] = 0x1100 + syllable / 588;
            mapped[1] = 0x1161 + syllable % 588 / 28;
            mapped[2] = 0x11A7 + trail;
            chars = mapped;
            count = trail != 0 ? 3 : 2;
        }
        if (cjk && (r->flags & CHARS_CJK)) {
            o += word_flush(wp, s, o);
            o += single_id(wp, s, chars[0], o);
            continue;
        }
        if (r->flags & CHARS_RESET)
            s->run_start = s->length;
        for (size_t i = 0; i < count; i++) {
            const struct chars_record *m = chars == &c ? r : chars_find(chars[i]);
            if (m->flags & CHARS_PUNCT) {
                o += word_flush(wp, s, o);
                o += single_id(wp, s, chars[i], o);
            } else {
                word_append(wp, s, chars[i], m->mark_rank, strip);
            }
        }
    }
    o += word_flush(wp, s, o);
    *out = o;
    return p;
}

/* Mostly ASCII -------------------------------------------------------------------------------------------------- */

/*
 * The run of ASCII letters and digits at p, at most 16 bytes of it: its length, and its bytes with capitals lowered
 * where lower_bit is 0x20 (kept where 0), padded with NULs.
 */
static inline size_t scan_word(const struct wordpiece_scratch *s, const unsigned char *p, const unsigned char *end,
                               unsigned char lower_bit, uint64_t key[2])
{
    unsigned char tail[KEY_BYTES];
    if (end - p < KEY_BYTES) {
        memset(tail, 0, sizeof tail);
        memcpy(tail, p, (size_t)(end - p));
        p = tail;
    }
#if defined(__SSE2__)
    static const unsigned char keep[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                           255, 255, 255, 255, 255, 255, 255, 255};
    __m128i v = _mm_loadu_si128((const __m128i *)p);
    /* c - first < count, unsigned, by a signed comparison of values shifted down by 128 */
    __m128i letter =
        _mm_cmplt_epi8(_mm_add_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8((char)(-128 - 'a'))),
                       _mm_set1_epi8(-128 + 26));
    __m128i digit = _mm_cmplt_epi8(_mm_add_epi8(v, _mm_set1_epi8((char)(-128 - '0'))), _mm_set1_epi8(-128 + 10));
    unsigned stop = ~(unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit));
    size_t length = (size_t)__builtin_ctz(stop); /* bit 16 and up are set */
    (void)s;
    v = _mm_or_si128(v, _mm_and_si128(letter, _mm_set1_epi8((char)lower_bit)));
    v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(keep + KEY_BYTES - length)));
    _mm_storeu_si128((__m128i *)key, v);
    return length;
#else
    unsigned char bytes[KEY_BYTES] = {0};
    size_t length = 0;
    for (; length < KEY_BYTES && s->class_of[p[length]] == BYTE_WORD; length++)
        bytes[length] = s->lower[p[length]];
    (void)lower_bit;
    memcpy(key, bytes, KEY_BYTES);
    return length;
#endif
}

/* A word of KEY_BYTES ASCII letters and digits or more. Returns its end, or NULL when it goes on otherwise than in
 * ASCII. */
static const unsigned char *encode_long(const struct wordpiece *wp, struct wordpiece_scratch *s, const unsigned char *p,
                                        const unsigned char *end, int32_t **out)
{
    const unsigned char *stop = p + KEY_BYTES;
    while (stop < end && s->class_of[*stop] == BYTE_WORD)
        stop++;
    if (stop < end && s->class_of[*stop] >= BYTE_DROP)
        return NULL;
    size_t length = (size_t)(stop - p);
    if (length > (size_t)wp->options.max_word_chars) {
        *(*out)++ = wp->special.unk;
        return stop;
    }
    for (size_t i = 0; i < length; i++)
        s->word[i] = s->lower[p[i]];
    *out += wordpiece_match(wp, s->word, length, *out);
    return stop;
}

static int32_t *encode_segment(const struct wordpiece *wp, struct wordpiece_scratch *s, const unsigned char *p,
                               const unsigned char *end, int32_t *out)
{
    const unsigned char lower_bit = wp->options.do_lower_case ? 0x20 : 0;
    const size_t fast_length =
        wp->options.max_word_chars < KEY_BYTES ? (size_t)wp->options.max_word_chars : KEY_BYTES - 1;
    while (p < end) {
        switch ((enum byte_class)s->class_of[*p]) {
        case BYTE_WORD: {
            uint64_t key[2];
            size_t length = scan_word(s, p, end, lower_bit, key);
            const unsigned char *stop = p + length;
            if (length == KEY_BYTES) {
                stop = encode_long(wp, s, p, end, &out);
                p = stop != NULL ? stop : encode_any(wp, s, p, end, &out);
            } else if (stop < end && s->class_of[*stop] >= BYTE_DROP) {
                p = encode_any(wp, s, p, end, &out);
            } else {
                if (length > fast_length)
                    *out++ = wp->special.unk;
                else
                    out += match_key(wp, s, key, length, out);
                p = stop;
            }
            break;
        }
        case BYTE_SPACE:
        case BYTE_DROP:
            p++;
            break;
        case BYTE_PUNCT:
            *out++ = wp->single_ids[*p++];
            break;
        case BYTE_HIGH:
            p = encode_any(wp, s, p, end, &out);
            break;
        }
    }
    return out;
}

/* The first added token in [p, end): leftmost, and of those that start there the longest. NULL: none. */
static const unsigned char *find_added(const struct wordpiece *wp, const unsigned char *p, const unsigned char *end,
                                       const struct wordpiece_added **found)
{
    *found = NULL;
    for (; p < end; p++) {
        if (wp->added_only_first >= 0) {
            p = memchr(p, wp->added_only_first, (size_t)(end - p));
            if (p == NULL)
                return NULL;
        } else if (!wp->added_first[*p]) {
            continue;
        }
        size_t left = (size_t)(end - p);
        for (size_t i = 0; i < wp->added_count; i++) {
            const struct wordpiece_added *a = &wp->added[i];
            if (a->length_bytes <= left && (*found == NULL || a->length_bytes > (*found)->length_bytes) &&
                memcmp(p, a->text, a->length_bytes) == 0)
                *found = a;
        }
        if (*found != NULL)
            return p;
    }
    return NULL;
}

int wordpiece_encode(const struct wordpiece *wp, struct wordpiece_scratch *scratch, const char *text, size_t length,
                     struct wordpiece_ids *ids)
{
    /* A byte makes one id at most: no mapping makes more characters than it read bytes. */
    size_t need = ids->count + length + RUN_SLACK;
    if (need > ids->capacity) {
        void *array = ids->ids;
        int rc = mem_grow(&array, &ids->capacity, need, sizeof *ids->ids);
        if (rc != 0)
            return rc;
        ids->ids = array;
    }
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    int32_t *out = ids->ids + ids->count;
    while (p < end) {
        const struct wordpiece_added *found = NULL;
        const unsigned char *at = NULL;
        if (!wp->options.escape_special)
            at = find_added(wp, p, end, &found);
        out = encode_segment(wp, scratch, p, at != NULL ? at : end, out);
        if (at == NULL)
            break;
        *out++ = found->id;
        p = at + found->length_bytes;
    }
    ids->count = (size_t)(out - ids->ids);
    return 0;
}

/* Set-up and tests ---------------------------------------------------------------------------------------------- */

int wordpiece_single_ids_build(struct wordpiece *wp)
{
    wp->single_ids = mem_alloc(0x10000 * sizeof *wp->single_ids);
    if (wp->single_ids == NULL)
        return RECO_E_NOMEM;
    for (uint32_t c = 0; c < 0x10000; c++) {
        wp->single_ids[c] = wp->special.unk;
        if (chars_find(c)->flags & (CHARS_CJK | CHARS_PUNCT)) {
            unsigned char bytes[UTF8_MAX_BYTES];
            (void)wordpiece_match(wp, bytes, utf8_encode(c, bytes), &wp->single_ids[c]);
        }
    }
    return 0;
}

int wordpiece_words(const struct wordpiece *wp, struct wordpiece_scratch *scratch, const char *text, size_t length,
                    struct buf *words)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    int32_t none[1], *out = none;
    scratch->words = words;
    scratch->words_rc = 0;
    while (p < end) {
        p = encode_any(wp, scratch, p, end, &out);
        if (p < end && scratch->class_of[*p] == BYTE_PUNCT)
            words_add(scratch, p, 1);
        p += p < end;
    }
    scratch->words = NULL;
    return scratch->words_rc;
}
