#include "core/temp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file_internal.h"
#include "core/mem.h"

enum { BUFFER_BYTES = 256 * 1024, WINDOW_BYTES = 256 * 1024 };

struct temp_file {
    char *dir; /* of a named file: its path */
    int fd;
    uint64_t bytes;
    size_t buffered;
    unsigned char *buffer;
    void *map; /* NULL: not mapped, or empty */
};

const char *temp_place(const char *tmp_dir)
{
    const char *place = tmp_dir != NULL && tmp_dir[0] != '\0' ? tmp_dir : getenv("TMPDIR");

    return place != NULL && place[0] != '\0' ? place : "/tmp";
}

static bool make_empty(char *name)
{
    int fd = mkostemp(name, O_CLOEXEC);

    return fd >= 0 && close(fd) == 0;
}

static int make_named(char **path, const char *tmp_dir, const char *what, bool is_dir)
{
    char *name = mem_printf("%s/reco-%s-XXXXXX", temp_place(tmp_dir), what);

    *path = name;
    if (name == NULL)
        return RECO_E_NOMEM;
    if (!file_fail_now() && (is_dir ? mkdtemp(name) != NULL : make_empty(name)))
        return 0;
    int rc = err_set_errno("cannot make a temporary %s in '%s'", is_dir ? "directory" : "file", temp_place(tmp_dir));
    mem_free(name);
    *path = NULL;
    return rc;
}

int temp_dir_make(char **path, const char *tmp_dir, const char *what)
{
    return make_named(path, tmp_dir, what, true);
}

int temp_name_make(char **path, const char *tmp_dir, const char *what)
{
    return make_named(path, tmp_dir, what, false);
}

int temp_unnamed(const char *dir)
{
    if (file_fail_now())
        return -1;
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    char *name = mem_printf("%s/reco.XXXXXX", dir); /* a file system without O_TMPFILE */
    if (name == NULL) {
        errno = ENOMEM;
        return -1;
    }
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    mem_free(name);
    return fd;
}

int temp_take_room(int fd, size_t bytes)
{
    int failed = file_fail_now() ? errno : EINTR;

    while (failed == EINTR) /* in memory it ends early for any signal, and has taken nothing */
        failed = posix_fallocate(fd, 0, (off_t)bytes);
    errno = failed;
    return failed == 0 ? 0 : -1;
}

int temp_file_open(struct temp_file **out, const char *tmp_dir)
{
    struct temp_file *t = mem_calloc(1, sizeof *t);

    if (t == NULL)
        return RECO_E_NOMEM;
    t->fd = -1;
    t->dir = mem_strdup(temp_place(tmp_dir));
    t->buffer = mem_alloc(BUFFER_BYTES);
    int rc = t->dir == NULL || t->buffer == NULL ? RECO_E_NOMEM : 0;
    if (rc == 0) {
        t->fd = temp_unnamed(t->dir);
        if (t->fd < 0)
            rc = err_set_errno("cannot make a temporary file in '%s'", t->dir);
    }
    if (rc < 0) {
        temp_file_close(t);
        return rc;
    }
    *out = t;
    return 0;
}

int temp_file_open_named(struct temp_file **out, const char *path)
{
    struct temp_file *t = mem_calloc(1, sizeof *t);
    struct stat info;

    if (t == NULL)
        return RECO_E_NOMEM;
    t->dir = mem_strdup(path);
    t->fd = t->dir == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    int rc = t->dir == NULL ? RECO_E_NOMEM : 0;
    if (rc == 0 && (t->fd < 0 || fstat(t->fd, &info) != 0))
        rc = err_set_errno("cannot read '%s'", path);
    if (rc < 0) {
        temp_file_close(t);
        return rc;
    }
    t->bytes = (uint64_t)info.st_size;
    *out = t;
    return 0;
}

void temp_file_close(struct temp_file *t)
{
    if (t == NULL)
        return;
    if (t->map != NULL)
        munmap(t->map, t->bytes);
    if (t->fd >= 0)
        close(t->fd);
    mem_free(t->dir);
    mem_free(t->buffer);
    mem_free(t);
}

static int write_out(const struct temp_file *t, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = file_fail_now() ? -1 : write(t->fd, bytes, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return err_set_errno("cannot write a temporary file in '%s'", t->dir);
        bytes += put;
        length -= (size_t)put;
    }
    return 0;
}

int temp_file_flush(struct temp_file *t)
{
    size_t length = t->buffered;

    t->buffered = 0;
    return write_out(t, t->buffer, length);
}

int temp_file_write(struct temp_file *t, const void *bytes, size_t length)
{
    t->bytes += length;
    if (length > BUFFER_BYTES - t->buffered) {
        int rc = temp_file_flush(t);
        if (rc < 0)
            return rc;
    }
    if (length >= BUFFER_BYTES)
        return write_out(t, bytes, length);
    if (length > 0)
        memcpy(t->buffer + t->buffered, bytes, length);
    t->buffered += length;
    return 0;
}

uint64_t temp_file_bytes(const struct temp_file *t)
{
    return t->bytes;
}

int temp_file_read(const struct temp_file *t, uint64_t offset, void *bytes, size_t length)
{
    unsigned char *to = bytes;

    while (length > 0) {
        ssize_t got = pread(t->fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_errno("cannot read a temporary file in '%s'", t->dir);
        if (got == 0)
            return err_set(RECO_E_IO, "cannot read a temporary file in '%s': it was cut", t->dir);
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return 0;
}

int temp_file_map(struct temp_file *t, const unsigned char **data)
{
    int rc = temp_file_flush(t);

    if (rc < 0)
        return rc;
    *data = (const unsigned char *)"";
    if (t->bytes == 0)
        return 0;
    void *map = mmap(NULL, t->bytes, PROT_READ, MAP_SHARED, t->fd, 0);
    if (map == MAP_FAILED)
        return err_set_errno("cannot map a temporary file in '%s'", t->dir);
    t->map = map;
    *data = map;
    return 0;
}

int temp_file_map_zeros(struct temp_file *t, size_t bytes, unsigned char **data)
{
    if (temp_take_room(t->fd, bytes > 0 ? bytes : 1) != 0)
        return err_set_errno("cannot write a temporary file in '%s'", t->dir);
    t->bytes = bytes > 0 ? bytes : 1;
    void *map = mmap(NULL, t->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
    if (map == MAP_FAILED)
        return err_set_errno("cannot map a temporary file in '%s'", t->dir);
    t->map = map;
    *data = map;
    return 0;
}

/* ---- reading forward
 * ---------------------------------------------------------------------------------------------------- */

bool temp_reader_at_end(const struct temp_reader *r)
{
    return r->at == r->end && r->start == r->filled;
}

int temp_reader_peek(struct temp_reader *r, size_t length, const unsigned char **bytes)
{
    size_t have = r->filled - r->start;

    if (have < length) {
        size_t wanted = r->window_bytes > 0 ? r->window_bytes : WINDOW_BYTES;
        if (wanted < length)
            wanted = length;
        if (have > 0)
            memmove(r->window, r->window + r->start, have);
        r->start = 0;
        r->filled = have;
        if (wanted > r->capacity) {
            unsigned char *grown = mem_realloc(r->window, wanted);
            if (grown == NULL)
                return RECO_E_NOMEM;
            r->window = grown;
            r->capacity = wanted;
        }
        size_t more = r->end - r->at < r->capacity - have ? (size_t)(r->end - r->at) : r->capacity - have;
        if (have + more < length)
            return err_set(RECO_E_INTERNAL, "read behind the end of a temporary file");
        int rc = temp_file_read(r->file, r->at, r->window + have, more);
        if (rc < 0)
            return rc;
        r->at += more;
        r->filled = have + more;
    }
    *bytes = r->window + r->start;
    return 0;
}

int temp_reader_get(struct temp_reader *r, size_t length, const unsigned char **bytes)
{
    int rc = temp_reader_peek(r, length, bytes);

    if (rc == 0)
        r->start += length;
    return rc;
}

void temp_reader_release(struct temp_reader *r)
{
    mem_free(r->window);
    *r = (struct temp_reader){0};
}
