#include "data/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"

#define LINES_READ_BYTES ((size_t)1 << 18)
#define LINES_MAX_BYTES ((size_t)1 << 30)

struct line_reader {
    int fd;
    char *path;
    char *data; /* [capacity + 1]; unread bytes are [start, end) */
    size_t start, end, capacity;
    uint64_t number;
    bool at_end, allow_nul;
};

int line_reader_open(struct line_reader **out, const char *path)
{
    *out = NULL;
    struct line_reader *reader = mem_calloc(1, sizeof *reader);
    if (!reader) {
        return RECO_E_NOMEM;
    }
    reader->fd = -1;
    reader->path = mem_strdup(path);
    int rc = reader->path ? 0 : RECO_E_NOMEM;
    if (!rc) {
        reader->fd = strcmp(path, "-") != 0 ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
        struct stat about;
        if (reader->fd < 0) {
            rc = err_set_errno("cannot read '%s'", path);
        } else if (!fstat(reader->fd, &about) && S_ISDIR(about.st_mode)) {
            rc = err_set(RECO_E_IO, "cannot read '%s': it is a directory", path);
        }
    }
    if (rc) {
        line_reader_close(reader);
        return rc;
    }
    *out = reader;
    return 0;
}

void line_reader_close(struct line_reader *reader)
{
    if (reader) {
        if (reader->fd > STDIN_FILENO) {
            close(reader->fd);
        }
        mem_free(reader->data);
        mem_free(reader->path);
        mem_free(reader);
    }
}

void line_reader_allow_nul(struct line_reader *reader)
{
    reader->allow_nul = true;
}

bool line_reader_has_line(const struct line_reader *reader)
{
    return reader->end > reader->start &&
           memchr(reader->data + reader->start, '\n', reader->end - reader->start) != NULL;
}

uint64_t line_reader_number(const struct line_reader *reader)
{
    return reader->number;
}

/* Reads more behind the unread bytes, which move to the front of the buffer. */
static int fill(struct line_reader *reader)
{
    size_t held = reader->end - reader->start;
    if (held && reader->start) {
        memmove(reader->data, reader->data + reader->start, held);
    }
    reader->start = 0;
    reader->end = held;
    if (held + LINES_READ_BYTES > reader->capacity) {
        if (held > LINES_MAX_BYTES) {
            return err_set(RECO_E_DATA, "cannot read '%s': line %llu is over 1 GiB", reader->path,
                           (unsigned long long)reader->number + 1);
        }
        size_t capacity = 2 * held + LINES_READ_BYTES;
        char *data = mem_realloc(reader->data, capacity + 1);
        if (!data) {
            return RECO_E_NOMEM;
        }
        reader->data = data;
        reader->capacity = capacity;
    }
    ssize_t got;
    do {
        got = read(reader->fd, reader->data + held, reader->capacity - held);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return err_set_errno("cannot read '%s'", reader->path);
    }
    reader->at_end = got == 0;
    reader->end += (size_t)got;
    return 0;
}

int line_reader_next(struct line_reader *reader, char **text, size_t *length)
{
    *text = NULL;
    *length = 0;
    char *newline = NULL;
    size_t searched = 0; /* bytes after start known to hold no newline */
    for (;;) {
        size_t held = reader->end - reader->start;
        if (held > searched) {
            newline = memchr(reader->data + reader->start + searched, '\n', held - searched);
            searched = held;
        }
        if (newline || reader->at_end) {
            break;
        }
        int rc = fill(reader);
        if (rc) {
            return rc;
        }
    }
    char *line = reader->data + reader->start;
    size_t size = newline ? (size_t)(newline - line) : reader->end - reader->start;
    if (!newline && !size) {
        return 0;
    }
    reader->start += size + (newline != NULL);
    reader->number++;
    if (size && line[size - 1] == '\r') {
        size--;
    }
    line[size] = '\0';
    if (reader->number == 1 && size >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
        line += 3;
        size -= 3;
    }
    if (!reader->allow_nul && memchr(line, '\0', size)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: it holds a NUL byte", reader->path,
                       (unsigned long long)reader->number);
    }
    *text = line;
    *length = size;
    return 0;
}
