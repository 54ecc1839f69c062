#ifndef RECO_CORE_BUF_H
#define RECO_CORE_BUF_H

/*
 * Growable byte buffer, always NUL-terminated at data[length] once anything was added; zero-initialised is valid
 * and empty (data may then be NULL: use buf_str). Calls return 0 or RECO_E_NOMEM, leaving the content as it was.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct buf {
    char *data;
    size_t length;
    size_t capacity;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
int buf_reserve(struct buf *b, size_t extra_bytes) RECO_MUST_CHECK;
int buf_add(struct buf *b, const void *bytes, size_t length) RECO_MUST_CHECK;
int buf_add_str(struct buf *b, const char *text) RECO_MUST_CHECK;
int buf_add_char(struct buf *b, char c) RECO_MUST_CHECK;
int buf_printf(struct buf *b, const char *fmt, ...) RECO_PRINTF(2, 3) RECO_MUST_CHECK;
/*
 * Text broken at blanks into lines of at most columns bytes, each new line indented; the cursor stands at indent
 * already. A newline in text is kept. Ends with a newline.
 */
int buf_add_wrapped(struct buf *b, const char *text, size_t indent, size_t columns) RECO_MUST_CHECK;
const char *buf_str(const struct buf *b); /* never NULL; borrowed */
char *buf_take(struct buf *b); /* the caller owns the (NUL-terminated) bytes; b is empty. NULL: out of memory */

#endif
