#include "cli/memory_limit.h"

#include <linux/magic.h>
#include <stdbool.h>
#include <sys/vfs.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/temp_file.h"

int memory_limit_set(const struct memory_limit *limit)
{
    return mem_spill_beyond((size_t)limit->max_memory, limit->tmp_dir);
}

static bool is_memory(const char *dir)
{
    struct statfs info;
    return !statfs(dir, &info) && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

void memory_limit_tell(const struct memory_limit *limit)
{
    const char *place = temp_place(limit->tmp_dir);
    size_t bytes = mem_spilled_bytes();
    if (!bytes) {
        return;
    }
    log_info("rows beyond --max_memory lay in temporary files in '%s', %zu MiB at the most", place, bytes >> 20);
    if (is_memory(place)) {
        log_warn("'%s' is itself in memory: give a --tmp_dir on a disk", place);
    }
}
