#include "eval/sort.h"

#include <string.h>

#define DIGIT_BITS 11
#define DIGITS ((size_t)1 << DIGIT_BITS)
#define PASSES 6 /* 6 * 11 >= 64 */

double sort_number(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static void count_digits(const struct sort_item *items, size_t count, uint32_t (*histogram)[DIGITS])
{
    memset(histogram, 0, PASSES * sizeof *histogram);
    for (size_t i = 0; i < count; i++) {
        for (int pass = 0; pass < PASSES; pass++) {
            histogram[pass][items[i].key >> (pass * DIGIT_BITS) & (DIGITS - 1)]++;
        }
    }
}

struct sort_item *sort_items(struct sort_item *items, struct sort_item *spare, size_t count)
{
    uint32_t histogram[PASSES][DIGITS];
    count_digits(items, count, histogram);
    for (int pass = 0; count && pass < PASSES; pass++) {
        int shift = pass * DIGIT_BITS;
        uint32_t *start = histogram[pass];
        if (start[items[0].key >> shift & (DIGITS - 1)] == count) {
            continue; /* all keys share this digit, as the low ones of floats do */
        }
        uint32_t sum = 0;
        for (size_t d = 0; d < DIGITS; d++) {
            uint32_t here = start[d];
            start[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) {
            spare[start[items[i].key >> shift & (DIGITS - 1)]++] = items[i];
        }
        struct sort_item *sorted = spare;
        spare = items;
        items = sorted;
    }
    return items;
}
