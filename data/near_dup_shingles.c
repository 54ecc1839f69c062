#include <string.h>
#include <utf8proc.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/rng.h"
#include "data/near_dup_internal.h"
#include "data/utf8.h"

enum { SHINGLE_WORDS = 3, SHINGLE_CHARS = 5 };

void near_dup_hashes_init(struct near_dup_hashes *hashes)
{
    /* Any fixed numbers do; a Philox stream of their own gives them. */
    for (uint32_t i = 0; i < NEAR_DUP_PERMUTATIONS; i++) {
        const uint32_t counter[4] = {i, 0, 0, 0}, key[2] = {0x6D696E68, 0x61736800};
        uint32_t out[4];
        rng_philox4x32(counter, key, out);
        hashes->multiplier[i] = out[0] | 1;
        hashes->offset[i] = out[1];
    }
}

void near_dup_scratch_release(struct near_dup_scratch *s)
{
    buf_release(&s->word);
    mem_free(s->chars);
    mem_free(s->words);
    *s = (struct near_dup_scratch){0};
}

/* Scripts that are written without blanks between words: Chinese, Japanese, Thai, Lao, Khmer, Burmese. */
static bool is_unspaced(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x9FFF) || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x0E00 && c <= 0x0EFF) ||
           (c >= 0x1780 && c <= 0x17FF) || (c >= 0x1000 && c <= 0x109F) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x20000 && c <= 0x3FFFF);
}

static const unsigned char ascii_folds[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6', ['7'] = '7', ['8'] = '8',
    ['9'] = '9', ['A'] = 'a', ['B'] = 'b', ['C'] = 'c', ['D'] = 'd', ['E'] = 'e', ['F'] = 'f', ['G'] = 'g', ['H'] = 'h',
    ['I'] = 'i', ['J'] = 'j', ['K'] = 'k', ['L'] = 'l', ['M'] = 'm', ['N'] = 'n', ['O'] = 'o', ['P'] = 'p', ['Q'] = 'q',
    ['R'] = 'r', ['S'] = 's', ['T'] = 't', ['U'] = 'u', ['V'] = 'v', ['W'] = 'w', ['X'] = 'x', ['Y'] = 'y', ['Z'] = 'z',
    ['a'] = 'a', ['b'] = 'b', ['c'] = 'c', ['d'] = 'd', ['e'] = 'e', ['f'] = 'f', ['g'] = 'g', ['h'] = 'h', ['i'] = 'i',
    ['j'] = 'j', ['k'] = 'k', ['l'] = 'l', ['m'] = 'm', ['n'] = 'n', ['o'] = 'o', ['p'] = 'p', ['q'] = 'q', ['r'] = 'r',
    ['s'] = 's', ['t'] = 't', ['u'] = 'u', ['v'] = 'v', ['w'] = 'w', ['x'] = 'x', ['y'] = 'y', ['z'] = 'z',
};

/* The character in lower case, 0 when it is neither letter, mark nor digit. */
static uint32_t fold(uint32_t c)
{
    if (c < 0x80)
        return ascii_folds[c];
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_NO)
        return 0;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

/* Room for the characters and words of length bytes; folding makes no character longer than UTF8_MAX_BYTES. */
static int reserve(struct near_dup_scratch *s, size_t length)
{
    void *chars = s->chars, *words = s->words;
    int rc = mem_grow(&chars, &s->char_capacity, length + 1, sizeof *s->chars);
    s->chars = chars;
    if (rc == 0)
        rc = mem_grow(&words, &s->word_capacity, length + 1, sizeof *s->words);
    s->words = words;
    buf_clear(&s->word);
    return rc < 0 ? rc : buf_reserve(&s->word, length * UTF8_MAX_BYTES + 1);
}

static void end_word(struct near_dup_scratch *s)
{
    if (s->word.length > 0)
        s->words[s->word_count++] = hash_u64(s->word.data, s->word.length, 0);
    s->word.length = 0;
}

/* The run of ASCII at p; returns its end. */
static const unsigned char *read_ascii(struct near_dup_scratch *s, const unsigned char *p, const unsigned char *end)
{
    char *word = s->word.data;
    size_t length = s->word.length, chars = s->char_count;
    for (; p < end && *p < 0x80; p++) {
        unsigned char c = ascii_folds[*p];
        if (c != 0) {
            s->chars[chars++] = c;
            word[length++] = (char)c;
            continue;
        }
        if (length > 0)
            s->words[s->word_count++] = hash_u64(word, length, 0);
        length = 0;
    }
    s->word.length = length;
    s->char_count = chars;
    return p;
}

/* Letters and digits, and words; *unspaced: of the former, those of scripts without blanks, each a word. */
static int read_text(struct near_dup_scratch *s, const char *text, size_t length, size_t *unspaced)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    int rc = reserve(s, length);
    s->char_count = s->word_count = *unspaced = 0;
    while (rc == 0 && (p = read_ascii(s, p, end)) < end) {
        uint32_t c;
        unsigned char bytes[UTF8_MAX_BYTES];
        p += utf8_decode(p, end, &c);
        c = fold(c);
        bool single = is_unspaced(c);
        if (c == 0 || single)
            end_word(s);
        if (c == 0)
            continue;
        s->chars[s->char_count++] = c;
        rc = buf_add(&s->word, bytes, utf8_encode(c, bytes));
        if (single)
            end_word(s);
        *unspaced += single;
    }
    end_word(s);
    return rc;
}

int near_dup_shingles(struct near_dup_scratch *s, const char *text, size_t length)
{
    size_t unspaced;
    int rc = read_text(s, text, length, &unspaced);
    if (rc < 0)
        return rc;
    if (unspaced * 2 < s->char_count) {
        if (s->word_count < SHINGLE_WORDS)
            return 0;
        s->word_count -= SHINGLE_WORDS - 1;
        for (size_t i = 0; i < s->word_count; i++)
            s->words[i] = hash_u64(s->words + i, SHINGLE_WORDS * sizeof *s->words, 1);
        return 0;
    }
    if (s->char_count == 0)
        return 0;
    size_t count = s->char_count > SHINGLE_CHARS ? s->char_count - SHINGLE_CHARS + 1 : 1;
    size_t size = s->char_count > SHINGLE_CHARS ? SHINGLE_CHARS : s->char_count;
    s->word_count = count;
    for (size_t i = 0; i < count; i++)
        s->words[i] = hash_u64(s->chars + i, size * sizeof *s->chars, 2);
    return 0;
}

/* minima [NEAR_DUP_PERMUTATIONS] of 32-bit numbers, so that compilers make vectors of it. */
static inline __attribute__((always_inline)) void take_minima(const struct near_dup_hashes *hashes,
                                                              const uint64_t *shingles, size_t count, uint32_t *minima)
{
    enum { PART = 32 }; /* permutations whose minima stay in registers */
    for (int first = 0; first < NEAR_DUP_PERMUTATIONS; first += PART) {
        uint32_t least[PART];
        memset(least, 0xFF, sizeof least);
        for (size_t i = 0; i < count; i++) {
            const uint32_t x = (uint32_t)(shingles[i] >> 32);
            for (int p = 0; p < PART; p++) {
                uint32_t h = hashes->multiplier[first + p] * (x ^ hashes->offset[first + p]);
                least[p] = h < least[p] ? h : least[p];
            }
        }
        memcpy(minima + first, least, sizeof least);
    }
}

static void take_minima_anywhere(const struct near_dup_hashes *hashes, const uint64_t *shingles, size_t count,
                                 uint32_t *minima)
{
    take_minima(hashes, shingles, count, minima);
}

#ifdef __x86_64__
/* Products and minima of 32-bit numbers are single instructions here, unlike in what every x86-64 has. */
__attribute__((target("avx2"))) static void take_minima_avx2(const struct near_dup_hashes *hashes,
                                                             const uint64_t *shingles, size_t count, uint32_t *minima)
{
    take_minima(hashes, shingles, count, minima);
}
#endif

int near_dup_minima(const struct near_dup_hashes *hashes, struct near_dup_scratch *scratch, const char *text,
                    size_t length, uint32_t *minima, bool *speaks)
{
    int rc = near_dup_shingles(scratch, text, length);
    if (rc < 0)
        return rc;
    *speaks = scratch->word_count > 0;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        take_minima_avx2(hashes, scratch->words, scratch->word_count, minima);
        return 0;
    }
#endif
    take_minima_anywhere(hashes, scratch->words, scratch->word_count, minima);
    return 0;
}
