#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "data/script_detect.h"
#include "data/utf8.h"

struct language_word {
    const char *word;
    uint32_t languages;
};

#include "data/language_words.inc"

enum {
    LATIN_LANGUAGES = sizeof language_names / sizeof language_names[0],
    WORDS = sizeof language_words / sizeof language_words[0],
    LOOKED_AT = 400, /* bytes */
    OWN_WORD = 6,    /* points of a word that one language has; more languages share them */
    LETTER = 3,      /* points of a letter, for each language that has it */
    LEAST = 7,       /* points */
    LEAST_HITS = 2,  /* different words and letters */
    LONGEST_WORD = 32
};

/* Languages of other scripts, behind those of the table. */
static const char *const other_names[] = {"zh", "ja", "ko", "ru", "uk", "el", "he", "ar", "fa", "th", "hi"};

enum { OTHER_LANGUAGES = sizeof other_names / sizeof other_names[0] };
_Static_assert(1 + (int)LATIN_LANGUAGES + (int)OTHER_LANGUAGES <= (int)LANGUAGES_MAX, "arrays have room");

/* Letters that few of the languages have. */
static const struct {
    uint32_t letter;
    const char *languages;
} letters[] = {
    {0xDF, "de"},       {0xE4, "de sv fi"}, {0xF6, "de sv fi tr hu"},
    {0xFC, "de tr hu"}, {0xF1, "es"},       {0xE3, "pt ro vi"},
    {0xF5, "pt vi"},    {0xE7, "fr pt tr"}, {0xEA, "fr pt vi"},
    {0xE8, "fr it"},    {0xE5, "sv da no"}, {0xF8, "da no"},
    {0xE6, "da no"},    {0x142, "pl"},      {0x105, "pl"},
    {0x119, "pl"},      {0x15B, "pl"},      {0x17C, "pl"},
    {0x107, "pl"},      {0x159, "cs"},      {0x11B, "cs"},
    {0x16F, "cs"},      {0x161, "cs"},      {0x17E, "cs"},
    {0x10D, "cs"},      {0x131, "tr"},      {0x15F, "tr"},
    {0x11F, "tr"},      {0x111, "vi"},      {0x1A1, "vi"},
    {0x1B0, "vi"},      {0x151, "hu"},      {0x171, "hu"},
    {0x103, "ro vi"},   {0x219, "ro"},      {0x21B, "ro"},
    {0xE2, "fr ro vi"}, {0xEE, "fr ro"},    {0x153, "fr"},
};

size_t language_count(void)
{
    return 1 + LATIN_LANGUAGES + OTHER_LANGUAGES;
}

const char *language_name(size_t language)
{
    if (language == 0)
        return "unknown";
    language--;
    return language < LATIN_LANGUAGES ? language_names[language] : other_names[language - LATIN_LANGUAGES];
}

static size_t other_language(const char *name)
{
    size_t i = 0;
    while (strcmp(other_names[i], name) != 0)
        i++;
    return 1 + LATIN_LANGUAGES + i;
}

static bool has_any(const char *text, size_t length, const char *const *letters_of)
{
    for (; *letters_of != NULL; letters_of++)
        if (memmem(text, length, *letters_of, strlen(*letters_of)) != NULL)
            return true;
    return false;
}

static size_t guess_by_script(const char *script, const char *text, size_t length)
{
    static const char *const ukrainian[] = {"і", "ї", "є", "ґ", "І", "Ї", "Є", NULL};
    static const char *const persian[] = {"پ", "چ", "گ", "ژ", "ک", "ی", NULL};
    static const struct {
        const char *script, *language;
    } table[] = {{"han", "zh"},    {"kana", "ja"}, {"hangul", "ko"},    {"greek", "el"},
                 {"hebrew", "he"}, {"thai", "th"}, {"devanagari", "hi"}};
    if (strcmp(script, "cyrillic") == 0)
        return other_language(has_any(text, length, ukrainian) ? "uk" : "ru");
    if (strcmp(script, "arabic") == 0)
        return other_language(has_any(text, length, persian) ? "fa" : "ar");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].script, script) == 0)
            return other_language(table[i].language);
    return 0;
}

/* Points of each language, and how often another word or letter than the last gave it some. */
struct tally {
    unsigned points[LATIN_LANGUAGES], hits[LATIN_LANGUAGES];
    size_t last[LATIN_LANGUAGES];
};

static void tally_add(struct tally *t, size_t language, size_t what, unsigned points)
{
    t->points[language] += points;
    t->hits[language] += t->last[language] != what;
    t->last[language] = what;
}

/* The place of a word in the table, its size when it is not there. */
static size_t word_find(const char *word, uint32_t hash)
{
    enum { SLOTS = sizeof language_slots / sizeof language_slots[0] };
    for (size_t slot = hash % SLOTS; language_slots[slot] != 0; slot = (slot + 1) % SLOTS)
        if (strcmp(word, language_words[language_slots[slot] - 1].word) == 0)
            return language_slots[slot] - 1u;
    return WORDS;
}

static void count_word(const char *word, uint32_t hash, struct tally *t)
{
    size_t at = word_find(word, hash);
    if (at == WORDS)
        return;
    uint32_t languages = language_words[at].languages;
    unsigned share = OWN_WORD / (unsigned)__builtin_popcount(languages);
    for (size_t i = 0; i < LATIN_LANGUAGES; i++)
        if (languages >> i & 1)
            tally_add(t, i, at + 1, share > 0 ? share : 1);
}

static void count_letter(uint32_t c, struct tally *t)
{
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].letter == c)
            for (size_t l = 0; l < LATIN_LANGUAGES; l++)
                if (strstr(letters[i].languages, language_names[l]) != NULL)
                    tally_add(t, l, WORDS + 1 + i, LETTER);
}

/* A word being read, in lower case. */
struct word {
    char text[LONGEST_WORD + UTF8_MAX_BYTES + 1];
    size_t length; /* LONGEST_WORD and more: too long to be in the table */
    uint32_t hash; /* FNV-1a */
};

static inline void word_add(struct word *w, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size && w->length < LONGEST_WORD + UTF8_MAX_BYTES; i++) {
        w->text[w->length++] = (char)bytes[i];
        w->hash = (w->hash ^ bytes[i]) * 0x01000193u;
    }
}

static inline unsigned word_end(struct word *w, struct tally *t)
{
    bool any = w->length > 0;
    w->text[w->length] = '\0';
    if (w->length > 1 && w->length < LONGEST_WORD)
        count_word(w->text, w->hash, t);
    w->length = 0;
    w->hash = 0x811C9DC5u;
    return any;
}

static size_t guess_latin(const char *text, size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    struct tally t = {0};
    struct word word = {.length = 0, .hash = 0x811C9DC5u};
    unsigned words = 0;
    while (p < end) {
        if (*p < 0x80) {
            unsigned char c = *p++, lower = c | 0x20;
            bool letter = lower >= 'a' && lower <= 'z';
            if (letter || (c >= '0' && c <= '9') || (c == '\'' && word.length > 0))
                word_add(&word, letter ? &lower : &c, 1);
            else
                words += word_end(&word, &t);
            continue;
        }
        uint32_t c;
        unsigned char bytes[UTF8_MAX_BYTES];
        p += utf8_decode(p, end, &c);
        c = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
        if (script_of(c) == 0) {
            words += word_end(&word, &t);
            continue;
        }
        word_add(&word, bytes, utf8_encode(c, bytes));
        count_letter(c, &t);
    }
    words += word_end(&word, &t);
    size_t best = 0, second = LATIN_LANGUAGES;
    for (size_t i = 1; i < LATIN_LANGUAGES; i++)
        if (t.points[i] > t.points[best]) {
            second = best;
            best = i;
        } else if (second == LATIN_LANGUAGES || t.points[i] > t.points[second]) {
            second = i;
        }
    /* a point for every four words at least, and a quarter ahead of the next language */
    if (t.hits[best] < LEAST_HITS || t.points[best] < LEAST || t.points[best] * 4 < words ||
        t.points[best] * 4 < t.points[second] * 5)
        return 0;
    return 1 + best;
}

size_t language_guess(const char *text, size_t length)
{
    if (length > LOOKED_AT)
        length = LOOKED_AT;
    const char *script = script_name(script_detect(text, length));
    return strcmp(script, "latin") == 0 ? guess_latin(text, length) : guess_by_script(script, text, length);
}
