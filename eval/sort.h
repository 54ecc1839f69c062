#ifndef RECO_EVAL_SORT_H
#define RECO_EVAL_SORT_H

/* Numbers in order, in linear time, by the bits of a double. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sort_item {
    uint64_t key;     /* sort_key of the number */
    uint32_t payload; /* what the caller wants back */
};

/* Keys order as the numbers do, infinities included; -0 equals 0. number must not be NaN. */
static inline uint64_t sort_key(double number)
{
    uint64_t bits;
    number += 0.0; /* -0 becomes 0 */
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}
double sort_number(uint64_t key); /* the number back */

/* Ascending and stable. spare [count] is scratch; returns the one of the two arrays that holds the result. */
struct sort_item *sort_items(struct sort_item *items, struct sort_item *spare, size_t count);

#endif
