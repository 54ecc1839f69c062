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

/* The character in lower case, 0 when it is neither letter, mark nor digit. */
static uint32_t fold(uint32_t c)
{
    if (c < 0x80) {
        if (c >= 'A' && c <= 'Z')
            return c | 0x20;
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : 0;
    }
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    if (category < UTF8PROC_CATEGORY_LU || category > UTF8PROC_CATEGORY_NO)
        return 0;
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

/* Room for the characters and words of length bytes. */
static int reserve(struct near_dup_scratch *s, size_t length)
{
    void *chars = s->chars, *words = s->words;
    int rc = mem_grow(&chars, &s->char_capacity, length + 1, sizeof *s->chars);
    s->chars = chars;
    if (rc == 0)
        rc = mem_grow(&words, &s->word_capacity, length + 1, sizeof *s->words);
    s->words = words;
    return rc;
}

static void end_word(struct near_dup_scratch *s)
{
    if (s->word.length > 0)
        s->words[s->word_count++] = hash_u64(s->word.data, s->word.length, 0);
    s->word.length = 0;
}

/* Letters and digits, and words; *unspaced: of the former, those of scripts without blanks, each a word. */
static int read_text(struct near_dup_scratch *s, const char *text, size_t length, size_t *unspaced)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    int rc = reserve(s, length);
    s->char_count = s->word_count = *unspaced = 0;
    buf_clear(&s->word);
    while (rc == 0 && p < end) {
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

int near_dup_minima(const struct near_dup_hashes *hashes, struct near_dup_scratch *scratch, const char *text,
                    size_t length, uint32_t *minima, bool *speaks)
{
    int rc = near_dup_shingles(scratch, text, length);
    if (rc < 0)
        return rc;
    *speaks = scratch->word_count > 0;
    memset(minima, 0xFF, NEAR_DUP_PERMUTATIONS * sizeof *minima);
    for (size_t i = 0; i < scratch->word_count; i++) {
        const uint32_t x = (uint32_t)(scratch->words[i] >> 32);
        for (int p = 0; p < NEAR_DUP_PERMUTATIONS; p++) { /* of 32-bit numbers, so that compilers make vectors of it */
            uint32_t h = hashes->multiplier[p] * (x ^ hashes->offset[p]);
            minima[p] = h < minima[p] ? h : minima[p];
        }
    }
    return 0;
}
