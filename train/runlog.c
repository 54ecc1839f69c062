#include "train/runlog.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "train/tensorboard.h"

struct runlog {
    char *path;
    int fd;
    uint64_t bytes;
    struct tensorboard *board;
};

int runlog_open(struct runlog **out, const char *dir, uint64_t keep_bytes, int64_t last_step)
{
    *out = NULL;
    struct runlog *log = mem_calloc(1, sizeof *log);
    if (log == NULL)
        return err_nomem();
    log->fd = -1;
    log->path = path_join(dir, "train.jsonl");
    int rc = log->path == NULL ? err_nomem() : 0;
    if (rc == 0) {
        log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        off_t end = log->fd < 0 ? -1 : lseek(log->fd, 0, SEEK_END);
        if (end < 0 || ((uint64_t)end > keep_bytes && ftruncate(log->fd, (off_t)keep_bytes) != 0))
            rc = err_set_errno("cannot write '%s'", log->path);
        log->bytes = end >= 0 && (uint64_t)end < keep_bytes ? (uint64_t)end : keep_bytes;
    }
    if (rc == 0)
        rc = tensorboard_open(&log->board, dir, last_step);
    if (rc != 0) {
        runlog_close(log);
        return rc;
    }
    *out = log;
    return 0;
}

void runlog_close(struct runlog *log)
{
    if (log == NULL)
        return;
    if (log->fd >= 0)
        close(log->fd);
    tensorboard_close(log->board);
    mem_free(log->path);
    mem_free(log);
}

int runlog_write(struct runlog *log, json_t *line)
{
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    int rc = text == NULL ? err_nomem() : tensorboard_write(log->board, line);
    json_decref(line);
    if (text == NULL)
        return rc;
    size_t length = strlen(text);
    text[length++] = '\n'; /* in place of the NUL: one write, so that no line is half there */
    for (size_t done = 0; done < length && rc == 0;) {
        ssize_t n = write(log->fd, text + done, length - done);
        if (n <= 0)
            rc = err_set_errno("cannot write '%s'", log->path);
        else
            done += (size_t)n;
    }
    log->bytes += length;
    free(text);
    return rc;
}

uint64_t runlog_bytes(const struct runlog *log)
{
    return log->bytes;
}
