#ifndef RECO_DATA_MASK_INTERNAL_H
#define RECO_DATA_MASK_INTERNAL_H

#include "data/mask.h"

/* Of one kind, the number or address that begins at p; its length in bytes, 0: none does. start, end: the text. */
size_t mask_card_at(const char *start, const char *p, const char *end);
size_t mask_phone_at(const char *start, const char *p, const char *end);

static inline bool mask_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool mask_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool mask_is_alnum(char c)
{
    return mask_is_digit(c) || mask_is_letter(c);
}

/*
 * A number as it is written: groups of digits with one separator between them. Reading stops where a group follows
 * after something else, or more.
 */
enum { MASK_MAX_GROUPS = 8, MASK_MAX_DIGITS = 20 };
struct mask_groups {
    char digits[MASK_MAX_DIGITS + 1];     /* NUL-terminated */
    size_t digit_count, count;            /* digits and groups */
    unsigned char sizes[MASK_MAX_GROUPS]; /* digits of each group */
    char separators[MASK_MAX_GROUPS];     /* before each group but the first: ' ', '-', '.', '/' */
    const char *ends[MASK_MAX_GROUPS];    /* behind each group */
    bool cut;                             /* more digits follow than fit */
};
void mask_groups_read(struct mask_groups *groups, const char *p, const char *end);

/* Whether the digits pass the check of a GTIN: EAN-8, UPC-A, EAN-13, ITF-14. Source: GS1 General Specifications, 7.9.
 */
bool mask_is_gtin(const char *digits, size_t count);

#endif
