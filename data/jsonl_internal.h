#ifndef RECO_DATA_JSONL_INTERNAL_H
#define RECO_DATA_JSONL_INTERNAL_H

#include <stdbool.h>

#include "core/buf.h"

/* One member of an object, its text within the buffer given to jsonl_members: both NUL-terminated. */
struct jsonl_member {
    char *name, *text;
    size_t length; /* of text */
    bool is_string;
};

typedef int jsonl_on_member(const struct jsonl_member *member, void *arg);

/*
 * Calls on_member for each member of the object in line, in order, until it returns other than 0. *bad: why the line is
 * no object, in bad_text or static; NULL when it is one. Names and texts lie in text, which is cleared first, and stay
 * until the next call with it. 16 bytes behind the line can be read; the first is LF, CR or NUL.
 */
int jsonl_members(const char *line, size_t length, struct buf *text, jsonl_on_member *on_member, void *arg,
                  struct buf *bad_text, const char **bad) RECO_MUST_CHECK;

#endif
