#ifndef RECO_DATA_ITEM_COUNTS_H
#define RECO_DATA_ITEM_COUNTS_H

/* How often every item of a catalogue was bought, shown or clicked: lines of item id, tab (or comma), count. */

#include <stddef.h>

#include "core/err.h"
#include "data/text_index.h"

struct item_counts { /* zero-initialised is empty */
    const char **ids;
    double *counts; /* [count] at least 0 */
    size_t count;
    struct text_store texts; /* private */
};

/* The first line may be a header. RECO_E_DATA with the line: no count, or an item for the second time; or no item. */
int item_counts_read(struct item_counts *items, const char *path) RECO_MUST_CHECK;
void item_counts_release(struct item_counts *items);

#endif
