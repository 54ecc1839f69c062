#include <stdlib.h>

#include "data/near_dup_internal.h"

enum { DIGIT_BITS = 11, DIGIT_VALUES = 1 << DIGIT_BITS, DIGITS = 3, LOWER_BITS = 64 - DIGITS * DIGIT_BITS };

static size_t digit_of(uint64_t hash, int digit)
{
    return (size_t)(hash >> (LOWER_BITS + DIGIT_BITS * digit)) & (DIGIT_VALUES - 1);
}

static int compare(const void *left, const void *right)
{
    const struct near_dup_entry *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

/* One digit, stable. */
static void sort_digit(const struct near_dup_entry *from, struct near_dup_entry *to, size_t count, int digit)
{
    size_t places[DIGIT_VALUES] = {0}, place = 0;
    for (size_t i = 0; i < count; i++)
        places[digit_of(from[i].hash, digit)]++;
    for (size_t v = 0; v < DIGIT_VALUES; v++) {
        size_t here = places[v];
        places[v] = place;
        place += here;
    }
    for (size_t i = 0; i < count; i++)
        to[places[digit_of(from[i].hash, digit)]++] = from[i];
}

void near_dup_sort(struct near_dup_entry **entries, struct near_dup_entry **scratch, size_t count)
{
    for (int digit = 0; digit < DIGITS; digit++) {
        sort_digit(*entries, *scratch, count, digit);
        struct near_dup_entry *swap = *entries;
        *entries = *scratch;
        *scratch = swap;
    }
    /* Equal upper bits are nearly always equal hashes, which are in order. */
    struct near_dup_entry *e = *entries;
    for (size_t first = 0, end; first < count; first = end) {
        bool sorted = true;
        for (end = first + 1; end < count && e[end].hash >> LOWER_BITS == e[first].hash >> LOWER_BITS; end++)
            sorted = sorted && e[end].hash >= e[end - 1].hash;
        if (!sorted)
            qsort(e + first, end - first, sizeof *e, compare);
    }
}
