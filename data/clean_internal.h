#ifndef RECO_DATA_CLEAN_INTERNAL_H
#define RECO_DATA_CLEAN_INTERNAL_H

/*
 * Inside of cleaning, for data/clean*.c. A text is scanned once for what could give a rule work (enum clean_trigger);
 * a text without any is passed on as it is. Otherwise the rules run in the order of the table, over and over until none
 * changes anything, so that cleaning a clean text changes nothing: what one rule uncovers ("&amp;lt;b&amp;gt;") another
 * one finds.
 */

#include "core/mem.h"
#include "data/clean.h"

enum clean_trigger {
    CLEAN_TRIGGER_TAG = 1u << 0,     /* '<' */
    CLEAN_TRIGGER_ENTITY = 1u << 1,  /* '&' */
    CLEAN_TRIGGER_CODE = 1u << 2,    /* '{' or ';' */
    CLEAN_TRIGGER_CONTROL = 1u << 3, /* a character that the control rule looks at */
    CLEAN_TRIGGER_SPACE = 1u << 4,   /* white space other than single blanks between words */
    CLEAN_TRIGGER_NFC = 1u << 5,     /* a character that may compose or decompose */
    CLEAN_TRIGGER_QUOTES = 1u << 6,  /* typographic quotation marks, dashes */
    CLEAN_TRIGGER_NFKC = 1u << 7,    /* a compatibility character */
    CLEAN_TRIGGER_REPEATED = 1u << 8,
    CLEAN_TRIGGER_AT = 1u << 9,     /* '@', or "%4" */
    CLEAN_TRIGGER_DIGITS = 1u << 10 /* many close together */
};

/* Triggers of every code point below U+10000, from utf8proc's tables. */
struct clean_classes {
    uint16_t of[0x10000];
};
void clean_classes_init(struct clean_classes *classes);
uint32_t clean_class_of(const struct clean_classes *classes, uint32_t code_point);
uint32_t clean_scan(const struct clean_classes *classes, const char *text, size_t length);

/* A text being rewritten: pieces of it are replaced, what lies between them is taken over. */
struct clean_edit {
    struct buf *out; /* cleared by the caller */
    const char *text;
    size_t length, kept; /* bytes of text before kept are dealt with */
    bool changed;
    int rc;
};
/* Replaces [from, to) of the text; from rises from call to call. */
void clean_edit_replace(struct clean_edit *edit, size_t from, size_t to, const char *with, size_t with_length);
/* The same by one blank, or by nothing where white space stands before or behind, or nothing before. */
void clean_edit_blank(struct clean_edit *edit, size_t from, size_t to);
int clean_edit_finish(struct clean_edit *edit); /* the rest, when anything changed */

/* Text rules: edit is ready; they call replace and blank only. */
typedef int clean_text_fn(const struct cleaner *c, struct clean_lane *lane, struct clean_edit *edit);
clean_text_fn clean_control, clean_script, clean_html, clean_unicode, clean_nfkc, clean_quotes, clean_repeated,
    clean_whitespace, clean_email, clean_card, clean_phone;

/* What clean_html removed or decoded: for clean_find. */
int clean_html_run(struct clean_edit *edit, bool *tags, bool *entities);
bool clean_html_is_element(const char *name, size_t length);

/* Windows-1252 of 0x80 + index; 0: no character. As the Unicode and WHATWG tables have it. */
extern const uint16_t clean_windows_1252[32];

/* Row rules. */
struct clean_pair {
    const char *query, *description; /* description NULL: single texts */
    size_t query_length, description_length;
};
typedef bool clean_row_fn(const struct cleaner *c, const struct clean_pair *pair); /* true: drop the row */
clean_row_fn clean_empty, clean_length, clean_anomalies;

enum {
    CLEAN_LONGEST_QUERY = 1000,
    CLEAN_LONGEST_DESCRIPTION = 100000
}; /* characters without blanks; more: anomalous */
bool clean_text_is_anomalous(const char *text, size_t length, size_t max_chars);

enum { CLEAN_MAX_RULES = 32 };

struct clean_rule {
    struct clean_rule_info info;
    clean_text_fn *text;
    uint32_t triggers; /* of text: any of them gives it work */
    clean_row_fn *row;
};

struct cleaner {
    struct clean_options options; /* numbers only; the lists are not kept */
    struct clean_classes classes;
    bool on[CLEAN_MAX_RULES];
    uint32_t triggers[3]; /* [enum clean_side] of the rules that are on */
};

/* Texts of a lane: one a side, and those of clean_mask and clean_find. */
enum { CLEAN_MASK_BUFFER = CLEAN_SIDE_COLUMN + 1, CLEAN_FIND_BUFFER, CLEAN_BUFFERS };

struct clean_lane {
    const struct cleaner *cleaner;
    struct clean_counts counts;
    struct buf text[CLEAN_BUFFERS][2]; /* before and after a rule */
    struct buf scratch;
    int32_t *code_points, *decomposed; /* of a text to be normalised */
    size_t code_point_capacity, decomposed_capacity;
};

#endif
