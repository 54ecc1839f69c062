/*
 * A shard that comes as lines: any bytes are refused with a message, and nothing is left over; a whole one becomes a
 * dataset that opens. Bytes that do not begin as such lines are taken for a spooled row, which unpacks within its
 * bounds.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "data/dataset.h"
#include "data/merge.h"
#include "data/shard_stream.h"
#include "data/spool.h"
#include "tests/fuzz/fuzz.h"

static void row(const uint8_t *data, size_t size)
{
    struct spool_row found;

    if (spool_unpack(data, size, &found) != 0)
        return;
    const struct spool_text texts[] = {found.order, found.columns, found.reason, found.raw};
    const char *end = (const char *)data + size;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text < (const char *)data || texts[i].text > end ||
            texts[i].length > (size_t)(end - texts[i].text))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64], dir[] = "/tmp/reco-fuzz-XXXXXX";
    struct dataset *ds = NULL;
    bool empty = false;

    log_set_level(LOG_LEVEL_QUIET);
    int fd = fuzz_file(data, size, path);
    if (!shard_stream_is(path)) {
        close(fd);
        row(data, size);
        return 0;
    }
    if (mkdtemp(dir) == NULL)
        abort();
    char *output = path_join(dir, "out"), *left = mem_printf("%s/tmp", dir);
    if (output == NULL || left == NULL || dir_make(left) != 0)
        abort();
    const struct merge_options options = {.threads = 1, .max_memory = 1, .tmp_dir = left};
    const char *const shards[] = {path};
    err_clear();
    int rc = merge_run(&options, shards, 1, output, NULL);
    if (rc != 0 && (err_message()[0] == '\0' || strchr(err_message(), '\n') != NULL || dir_exists(output)))
        abort();
    if (rc == 0 && dataset_open(&ds, output) != 0)
        abort();
    if (dir_is_empty(left, &empty) != 0 || !empty)
        abort();
    dataset_close(ds);
    close(fd);
    if (dir_remove(dir) != 0)
        abort();
    mem_free(output);
    mem_free(left);
    return 0;
}
