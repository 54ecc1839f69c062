#ifndef RECO_DATA_BM25_H
#define RECO_DATA_BM25_H

/*
 * Ranked full-text search over many short texts by BM25 (SQLite FTS5, k1 = 1.2, b = 0.75), in a database in tmp_dir
 * that is removed. Words are runs of letters, digits and marks, without regard to case and diacritics. In scripts that
 * put no blanks between words (Chinese, Japanese, Thai...) each pair of neighbouring characters is a word; where these
 * find too few texts, single characters count too. Words that are in more than a tenth of many texts are left out of a
 * query that has others: they cost most of the time and say next to nothing. The result depends on the texts and their
 * order alone.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct bm25;

int bm25_new(struct bm25 **out, const char *tmp_dir) RECO_MUST_CHECK; /* tmp_dir NULL: $TMPDIR, else /tmp */
void bm25_free(struct bm25 *b);                                       /* NULL-safe */

/* Texts are numbered from 0 in the order of adding. Any bytes; what is not UTF-8 separates words. */
int bm25_add(struct bm25 *b, const char *text, size_t length) RECO_MUST_CHECK;
/* Ends adding; so many lanes may then search at the same time. */
int bm25_finish(struct bm25 *b, size_t lanes) RECO_MUST_CHECK;

/*
 * The texts with at least one of the first 64 different words of query, best first, of equal ones the lower number:
 * numbers [limit], of which *count are written.
 */
int bm25_search(struct bm25 *b, size_t lane, const char *query, size_t length, size_t limit, uint32_t *numbers,
                size_t *count) RECO_MUST_CHECK;

#endif
