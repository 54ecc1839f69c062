#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file_internal.h"
#include "core/mem.h"

enum { WRITER_BUFFER_BYTES = 128 * 1024, READ_CHUNK_BYTES = 256 * 1024 };

static atomic_long fail_countdown; /* 0: off */

void file_fail_after(long n)
{
    atomic_store(&fail_countdown, n);
}

bool file_fail_now(void)
{
    if (atomic_load(&fail_countdown) <= 0 || atomic_fetch_sub(&fail_countdown, 1) != 1)
        return false;
    errno = ENOSPC;
    return true;
}

/* ---- reading ---- */

/* Opens for reading and refuses directories, whose open() succeeds and whose read() fails later with less to say. */
static int open_to_read(int *fd, struct stat *info, const char *path)
{
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0)
        return err_set_errno("cannot read '%s'", path);
    int status = 0;
    if (fstat(opened, info) != 0)
        status = err_set_errno("cannot read '%s'", path);
    else if (S_ISDIR(info->st_mode)) {
        errno = EISDIR;
        status = err_set_errno("cannot read '%s'", path);
    }
    if (status != 0) {
        close(opened);
        return status;
    }
    *fd = opened;
    return 0;
}

int file_read_all(const char *path, size_t max_bytes, struct buf *b)
{
    int fd = -1;
    struct stat info;
    size_t start = b->length;
    int status = open_to_read(&fd, &info, path);
    if (status != 0)
        return status;
    if (S_ISREG(info.st_mode) && (max_bytes == 0 || (uint64_t)info.st_size <= max_bytes))
        status = buf_reserve(b, (size_t)info.st_size + 1);
    while (status == 0) {
        if (b->capacity - b->length < 2) {
            status = buf_reserve(b, READ_CHUNK_BYTES);
            if (status != 0)
                break;
        }
        ssize_t got = read(fd, b->data + b->length, b->capacity - b->length - 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = err_set_errno("cannot read '%s'", path);
        if (got <= 0)
            break;
        b->length += (size_t)got;
        if (max_bytes > 0 && b->length - start > max_bytes)
            status = err_set(RECO_E_IO, "cannot read '%s': larger than the limit of %zu bytes", path, max_bytes);
    }
    close(fd);
    if (status != 0)
        b->length = start;
    if (b->data != NULL)
        b->data[b->length] = '\0';
    return status;
}

int file_map_open(struct file_map *map, const char *path)
{
    int fd = -1;
    struct stat info;
    int status = open_to_read(&fd, &info, path);
    if (status != 0)
        return status;
    struct file_map opened = {(const unsigned char *)"", 0};
    if (!S_ISREG(info.st_mode)) {
        status = err_set(RECO_E_IO, "cannot read '%s': not a regular file", path);
    } else if (info.st_size > 0) {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = err_set_errno("cannot map '%s'", path);
        opened = (struct file_map){data, (size_t)info.st_size};
    }
    close(fd);
    if (status == 0)
        *map = opened;
    return status;
}

void file_map_close(struct file_map *map)
{
    if (map->size_bytes > 0)
        munmap((void *)map->data, map->size_bytes);
    *map = (struct file_map){0};
}

/* ---- writing ---- */

struct file_writer {
    char *path;      /* final name; symbolic links resolved */
    char *temp_path; /* NULL: path is a device or a pipe, and is written in place */
    char *buffer;
    size_t buffered;
    uint64_t written_bytes;
    int fd;
    int error_number; /* errno of the first failure; 0: none */
};

static int fail(struct file_writer *w, int error_number)
{
    w->error_number = error_number;
    errno = error_number;
    return err_set_errno("cannot write '%s'", w->path);
}

static int write_out(struct file_writer *w, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = file_fail_now() ? -1 : write(w->fd, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(w, errno);
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

static int flush(struct file_writer *w)
{
    size_t length = w->buffered;
    w->buffered = 0;
    return write_out(w, w->buffer, length);
}

static int open_temp(struct file_writer *w, const struct stat *existing)
{
    w->temp_path = mem_printf("%s.tmp.%ld", w->path, (long)getpid());
    if (w->temp_path == NULL)
        return RECO_E_NOMEM;
    /* A name with our process id is a left-over of a killed process that had the same one. */
    if (unlink(w->temp_path) != 0 && errno != ENOENT && errno != ENOTDIR)
        return err_set_errno("cannot write '%s'", w->path);
    w->fd = file_fail_now() ? -1 : open(w->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return err_set_errno("cannot write '%s'", w->path);
    if (existing != NULL)
        (void)!fchmod(w->fd, existing->st_mode & 07777); /* the replaced file's mode, where it may be kept */
    return 0;
}

static int open_target(struct file_writer *w, const char *path)
{
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && S_ISDIR(info.st_mode)) {
        errno = EISDIR;
        return err_set_errno("cannot write '%s'", path);
    }
    char *resolved = exists ? realpath(path, NULL) : NULL;
    w->path = mem_strdup(resolved != NULL ? resolved : path);
    free(resolved);
    if (w->path == NULL)
        return RECO_E_NOMEM;
    if (!exists || S_ISREG(info.st_mode))
        return open_temp(w, exists ? &info : NULL);
    w->fd = open(path, O_WRONLY | O_CLOEXEC);
    return w->fd < 0 ? err_set_errno("cannot write '%s'", path) : 0;
}

static void writer_free(struct file_writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    if (w->temp_path != NULL)
        unlink(w->temp_path);
    mem_free(w->path);
    mem_free(w->temp_path);
    mem_free(w->buffer);
    mem_free(w);
}

int file_writer_open(struct file_writer **out, const char *path)
{
    struct file_writer *w = mem_calloc(1, sizeof *w);
    if (w == NULL)
        return RECO_E_NOMEM;
    w->fd = -1;
    w->buffer = mem_alloc(WRITER_BUFFER_BYTES);
    int status = w->buffer == NULL ? RECO_E_NOMEM : open_target(w, path);
    if (status != 0) {
        writer_free(w);
        return status;
    }
    *out = w;
    return 0;
}

int file_write(struct file_writer *w, const void *bytes, size_t length)
{
    if (w->error_number != 0)
        return fail(w, w->error_number);
    w->written_bytes += length;
    if (length > WRITER_BUFFER_BYTES - w->buffered) {
        int status = flush(w);
        if (status != 0)
            return status;
    }
    if (length >= WRITER_BUFFER_BYTES)
        return write_out(w, bytes, length);
    if (length > 0)
        memcpy(w->buffer + w->buffered, bytes, length);
    w->buffered += length;
    return 0;
}

int file_printf(struct file_writer *w, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (length < 0)
        return fail(w, EINVAL);
    if ((size_t)length < sizeof text)
        return file_write(w, text, (size_t)length);
    char *all = mem_alloc((size_t)length + 1);
    if (all == NULL) {
        w->error_number = ENOMEM;
        return RECO_E_NOMEM;
    }
    va_start(args, fmt);
    vsnprintf(all, (size_t)length + 1, fmt, args);
    va_end(args);
    int status = file_write(w, all, (size_t)length);
    mem_free(all);
    return status;
}

uint64_t file_writer_tell(const struct file_writer *w)
{
    return w->written_bytes;
}

static int commit(struct file_writer *w)
{
    if (w->error_number != 0)
        return fail(w, w->error_number);
    int status = flush(w);
    if (status != 0)
        return status;
    if (w->temp_path != NULL && (file_fail_now() || fsync(w->fd) != 0))
        return fail(w, errno);
    int fd = w->fd;
    w->fd = -1;
    if (close(fd) != 0)
        return fail(w, errno);
    if (w->temp_path == NULL)
        return 0;
    if (file_fail_now() || rename(w->temp_path, w->path) != 0)
        return fail(w, errno);
    mem_free(w->temp_path);
    w->temp_path = NULL;
    return dir_sync_parent(w->path);
}

int file_writer_commit(struct file_writer **w)
{
    int status = commit(*w);
    writer_free(*w);
    *w = NULL;
    return status;
}

void file_writer_abort(struct file_writer **w)
{
    if (*w == NULL)
        return;
    writer_free(*w);
    *w = NULL;
}

int file_write_all(const char *path, const void *bytes, size_t length)
{
    struct file_writer *w = NULL;
    int status = file_writer_open(&w, path);
    if (status != 0)
        return status;
    status = file_write(w, bytes, length);
    if (status != 0) {
        file_writer_abort(&w);
        return status;
    }
    return file_writer_commit(&w);
}
