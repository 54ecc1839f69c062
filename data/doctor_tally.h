#ifndef RECO_DATA_DOCTOR_TALLY_H
#define RECO_DATA_DOCTOR_TALLY_H

/*
 * Counts of findings by rule, column and file, each with its first examples. Every thread has its own; merging gives
 * the same whatever went where, since counts add up and the examples kept are those of the lowest places.
 * Private to doctor*.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "data/doctor_rules.h"

enum { DOCTOR_EXAMPLES = 5, DOCTOR_FILES_MAX = 64 };

/* Where a row is: file in the high 16 bits, line in the others. Orders rows as they were read. */
static inline uint64_t doctor_place(size_t file, uint64_t line)
{
    return (uint64_t)file << 48 | line;
}
static inline size_t doctor_place_file(uint64_t place)
{
    return (size_t)(place >> 48);
}
static inline uint64_t doctor_place_line(uint64_t place)
{
    return place & ((UINT64_C(1) << 48) - 1);
}

struct doctor_example {
    uint64_t place;
    char *text; /* UTF-8, masked, cut */
};

struct doctor_tally {
    uint64_t count;
    uint64_t files[DOCTOR_FILES_MAX];
    struct doctor_example examples[DOCTOR_EXAMPLES]; /* by place */
    size_t example_count;
};

/* slot: 0 for the row as a whole, else 1 + number of the column. */
struct doctor_tallies {
    size_t slots;
    struct doctor_tally **table; /* [DOCTOR_RULES, slots]; NULL: nothing found */
};
int doctor_tallies_init(struct doctor_tallies *t, size_t slots) RECO_MUST_CHECK;
void doctor_tallies_release(struct doctor_tallies *t);

int doctor_tally_add(struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, size_t file,
                     uint64_t count) RECO_MUST_CHECK;
/* Would an example at place be kept? */
bool doctor_tally_wants(const struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, uint64_t place);
int doctor_tally_example(struct doctor_tallies *t, enum doctor_rule_id rule, size_t slot, uint64_t place,
                         const char *text) RECO_MUST_CHECK;
const struct doctor_tally *doctor_tally_get(const struct doctor_tallies *t, enum doctor_rule_id rule,
                                            size_t slot); /* NULL: nothing found */
int doctor_tallies_merge(struct doctor_tallies *into, const struct doctor_tallies *from) RECO_MUST_CHECK;

/*
 * At most columns code points of text around byte at, on one line: white space as one blank, invisible
 * characters as "<U+00AD>", invalid bytes as U+FFFD, a cut end as "...". Appended.
 */
int doctor_excerpt(struct buf *b, const char *text, size_t length, size_t at, size_t columns) RECO_MUST_CHECK;

/* text with the white space that is no single blank between words made visible: "\\n", "\\t", "<U+00A0>", and a mark
 * for every blank too many. *at is where the first of it is in out. Appended. */
int doctor_show_blanks(struct buf *out, const char *text, size_t length, size_t *at) RECO_MUST_CHECK;

/* Where the first invisible character is that is no white space. */
bool doctor_find_invisible(const char *text, size_t length, size_t *at_byte);

/* A copy of a name that can be shown: U+FFFD for every invalid byte sequence, "<U+001B>" for what cannot be seen; the
 * caller frees. NULL: no memory. */
char *doctor_utf8(const char *text, size_t length) RECO_MUST_CHECK;

#endif
