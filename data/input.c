#include "data/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "data/input_internal.h"

enum { PEEK_BYTES = 4096 };

/* The file itself. */
struct file_stage {
    struct input_stage stage;
    const char *label;
    int fd;
    bool owns_fd;
    uint64_t bytes_read;
};

static int file_stage_read(struct input_stage *stage, void *bytes, size_t capacity, size_t *got)
{
    struct file_stage *f = (struct file_stage *)stage;
    ssize_t count;

    do
        count = read(f->fd, bytes, capacity);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return err_set_errno("cannot read %s", f->label);
    *got = (size_t)count;
    f->bytes_read += *got;
    return 0;
}

static void file_stage_free(struct input_stage *stage)
{
    struct file_stage *f = (struct file_stage *)stage;

    if (f->owns_fd)
        close(f->fd);
    mem_free(f);
}

/* Lets one look at the first bytes of a stage before they are read. */
struct peek_stage {
    struct input_stage stage;
    struct input_stage *from;
    unsigned char bytes[PEEK_BYTES];
    size_t start, end;
};

static int peek_stage_read(struct input_stage *stage, void *bytes, size_t capacity, size_t *got)
{
    struct peek_stage *p = (struct peek_stage *)stage;
    size_t left = p->end - p->start;

    if (left == 0)
        return p->from->read(p->from, bytes, capacity, got);
    *got = left < capacity ? left : capacity;
    memcpy(bytes, p->bytes + p->start, *got);
    p->start += *got;
    return 0;
}

static void peek_stage_free(struct input_stage *stage)
{
    struct peek_stage *p = (struct peek_stage *)stage;

    input_stage_free(p->from);
    mem_free(p);
}

static int peek_add(struct input_stage **chain, struct peek_stage **out)
{
    struct peek_stage *p = mem_calloc(1, sizeof *p);
    size_t got = 1;
    int rc = 0;

    if (p == NULL)
        return RECO_E_NOMEM;
    p->stage = (struct input_stage){.read = peek_stage_read, .free = peek_stage_free};
    p->from = *chain;
    *chain = &p->stage;
    *out = p;
    while (rc == 0 && got > 0 && p->end < PEEK_BYTES) {
        rc = p->from->read(p->from, p->bytes + p->end, PEEK_BYTES - p->end, &got);
        p->end += rc == 0 ? got : 0;
    }
    return rc;
}

struct input {
    char *label;
    struct file_stage *file; /* the first of the chain, owned by it */
    struct input_stage *chain;
    uint64_t total_bytes;
    struct input_facts facts;
};

static int open_file(struct input *in, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat info;

    in->label = is_stdin ? mem_strdup("stdin") : mem_printf("'%s'", path);
    struct file_stage *f = mem_calloc(1, sizeof *f);
    if (in->label == NULL || f == NULL) {
        mem_free(f);
        return RECO_E_NOMEM;
    }
    f->stage = (struct input_stage){.read = file_stage_read, .free = file_stage_free};
    f->label = in->label;
    f->fd = STDIN_FILENO;
    in->file = f;
    in->chain = &f->stage;
    if (!is_stdin) {
        f->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (f->fd < 0)
            return err_set_errno("cannot open %s", in->label);
        f->owns_fd = true;
    }
    if (fstat(f->fd, &info) != 0)
        return err_set_errno("cannot open %s", in->label);
    if (S_ISDIR(info.st_mode))
        return err_set(RECO_E_IO, "cannot read %s: it is a directory, not a file", in->label);
    if (S_ISREG(info.st_mode))
        in->total_bytes = (uint64_t)info.st_size;
    return 0;
}

static bool starts_with(const struct peek_stage *p, const char *bytes, size_t length)
{
    return p->end - p->start >= length && memcmp(p->bytes + p->start, bytes, length) == 0;
}

/* How many bytes at even and at odd places are 0: in UTF-16 the upper halves of ASCII characters. */
static void count_zeros(const struct peek_stage *p, size_t zeros[2])
{
    zeros[0] = zeros[1] = 0;
    for (size_t i = p->start; i < p->end; i++)
        zeros[(i - p->start) % 2] += p->bytes[i] == 0;
}

static bool looks_like_utf16(const struct peek_stage *p)
{
    size_t zeros[2], length = p->end - p->start;

    count_zeros(p, zeros);
    return length >= 16 && (zeros[0] == 0 || zeros[1] == 0) && 4 * (zeros[0] + zeros[1]) >= length;
}

static int set_encoding(struct input *in, struct peek_stage *p, enum input_encoding encoding)
{
    bool little = starts_with(p, "\xff\xfe", 2), big = starts_with(p, "\xfe\xff", 2);
    size_t zeros[2];

    in->facts.encoding = "utf-8";
    if (starts_with(p, "\xff\xfe\0\0", 4) || starts_with(p, "\0\0\xfe\xff", 4))
        return err_set(RECO_E_DATA, "cannot parse %s: it is UTF-32; convert it with iconv -f UTF-32 -t UTF-8",
                       in->label);
    if (starts_with(p, "\xef\xbb\xbf", 3)) {
        in->facts.bom = true;
        p->start += 3;
        return 0;
    }
    if (encoding == INPUT_ENCODING_UTF16 || little || big) {
        in->facts.bom = little || big;
        p->start += in->facts.bom ? 2 : 0;
        count_zeros(p, zeros);
        big = big || (!little && zeros[0] > zeros[1]);
        in->facts.encoding = big ? "utf-16be" : "utf-16le";
        return input_utf16_decoder_add(&in->chain, in->label, big, &in->facts.replaced_characters);
    }
    if (encoding == INPUT_ENCODING_LATIN1 || encoding == INPUT_ENCODING_WINDOWS_1252) {
        in->facts.encoding = encoding == INPUT_ENCODING_LATIN1 ? "latin-1" : "windows-1252";
        return input_bytes_decoder_add(&in->chain, in->label, encoding == INPUT_ENCODING_LATIN1, &in->facts);
    }
    if (looks_like_utf16(p))
        return err_set(RECO_E_DATA,
                       "cannot parse %s: it looks like UTF-16 without a byte order mark; "
                       "--encoding utf-16 reads it",
                       in->label);
    return 0;
}

static int build_chain(struct input *in, const char *path, const struct input_options *o)
{
    struct peek_stage *p = NULL;
    int rc = open_file(in, path);

    if (rc == 0)
        rc = peek_add(&in->chain, &p);
    if (rc < 0)
        return rc;
    in->facts.compression = "none";
    if (starts_with(p, "\x1f\x8b", 2)) {
        in->facts.compression = "gzip";
        rc = input_gunzip_add(&in->chain, in->label);
    } else if (starts_with(p, "\x28\xb5\x2f\xfd", 4) ||
               (starts_with(p, "\x50\x2a\x4d\x18", 4))) { /* a frame; the skippable one that pzstd puts first */
        in->facts.compression = "zstd";
        rc = input_unzstd_add(&in->chain, in->label);
    }
    if (rc == 0 && strcmp(in->facts.compression, "none") != 0)
        rc = peek_add(&in->chain, &p);
    if (rc == 0)
        rc = input_check_content(p->bytes, p->end, in->label);
    if (rc == 0)
        rc = set_encoding(in, p, o->encoding);
    if (rc == 0 && o->repair)
        rc = input_repair_add(&in->chain, in->label, &in->facts);
    return rc;
}

int input_open(struct input **out, const char *path, const struct input_options *options)
{
    const struct input_options none = {0};
    struct input *in = mem_calloc(1, sizeof *in);

    if (in == NULL)
        return RECO_E_NOMEM;
    int rc = build_chain(in, path, options != NULL ? options : &none);
    if (rc < 0) {
        input_close(in);
        return rc;
    }
    *out = in;
    return 0;
}

int input_read(struct input *in, void *bytes, size_t capacity, size_t *got)
{
    return in->chain->read(in->chain, bytes, capacity, got);
}

void input_close(struct input *in)
{
    if (in == NULL)
        return;
    input_stage_free(in->chain);
    mem_free(in->label);
    mem_free(in);
}

int input_peek(struct input *in, const char **bytes, size_t *length)
{
    struct peek_stage *p = NULL;
    int rc = peek_add(&in->chain, &p);

    if (rc == 0) {
        *bytes = (const char *)p->bytes;
        *length = p->end;
    }
    return rc;
}

const char *input_label(const struct input *in)
{
    return in->label;
}

uint64_t input_bytes_read(const struct input *in)
{
    return in->file->bytes_read;
}

uint64_t input_total_bytes(const struct input *in)
{
    return in->total_bytes;
}

void input_facts(const struct input *in, struct input_facts *facts)
{
    *facts = in->facts;
}
