/* A file of popularities in any bytes is read or refused with a message; what was read are counts from 0. */

#include <math.h>

#include "data/item_counts.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct item_counts items = {0};
    char path[64];
    int fd = fuzz_file(data, size, path);
    err_clear();
    if (item_counts_read(&items, path) && !*err_message()) {
        abort();
    }
    for (size_t i = 0; i < items.count; i++) {
        if (!(items.counts[i] >= 0 && isfinite(items.counts[i])) || !items.ids[i]) {
            abort();
        }
    }
    item_counts_release(&items);
    close(fd);
    return 0;
}
