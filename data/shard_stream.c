#include "data/shard_stream.h"

#include <stdio.h>
#include <string.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/temp_file.h"
#include "data/dataset_format.h"
#include "data/lines.h"
#include "data/merge.h"
#include "data/shard_internal.h"
#include "data/text_set_internal.h"

#define MARK "reco-shard 1 "
enum { LINE_BYTES = 48 * 1024 }; /* of a file, in a line: a multiple of 3 */

static const char *const names[] = {SHARD_JSON_FILE,  SHARD_ROWS_FILE,    DATASET_IDS_FILE,
                                    DATASET_RAW_FILE, DATASET_INDEX_FILE, TEXT_SET_KEYS_FILE};
enum { NAMES = sizeof names / sizeof *names };

/* ---- base64     Source: RFC 4648, section 4
 * ------------------------------------------------------------------------------- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int encode(struct buf *out, const unsigned char *bytes, size_t length)
{
    int rc = buf_reserve(out, (length + 2) / 3 * 4);

    if (rc < 0)
        return rc;
    char *to = out->data + out->length;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (i + 2 < length ? bytes[i + 2] : 0u);
        *to++ = digits[three >> 18];
        *to++ = digits[three >> 12 & 63];
        *to++ = i + 1 < length ? digits[three >> 6 & 63] : '=';
        *to++ = i + 2 < length ? digits[three & 63] : '=';
    }
    out->length += (length + 2) / 3 * 4;
    out->data[out->length] = '\0';
    return 0;
}

/* -1: no digit. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* In place; false: not base64. */
static bool decode(char *text, size_t *length)
{
    size_t n = *length, out = 0;

    if (n % 4 != 0)
        return false;
    size_t padding = n == 0 ? 0 : (size_t)(text[n - 1] == '=') + (text[n - 1] == '=' && text[n - 2] == '=');
    for (size_t i = 0; i < n; i += 4) {
        uint32_t three = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = i + k >= n - padding ? 0 : value_of(text[i + k]);
            if (value < 0)
                return false;
            three = three << 6 | (uint32_t)value;
        }
        text[out++] = (char)(three >> 16);
        text[out++] = (char)(three >> 8);
        text[out++] = (char)three;
    }
    *length = out - padding;
    return true;
}

/* ---- packing
 * ------------------------------------------------------------------------------------------------------------ */

static int pack_file(const char *dir, const char *name, struct buf *line, shard_stream_write_fn *write, void *arg)
{
    struct temp_file *file = NULL;
    char *path = path_join(dir, name);
    int rc = path == NULL ? RECO_E_NOMEM : temp_file_open_named(&file, path);

    mem_free(path);
    if (rc < 0)
        return rc;
    struct temp_reader reader = {.file = file, .end = temp_file_bytes(file)};
    buf_clear(line);
    rc = buf_printf(line, MARK "file %s %llu\n", name, (unsigned long long)reader.end);
    if (rc == 0)
        rc = write(arg, line->data, line->length);
    for (uint64_t left = reader.end; rc == 0 && left > 0;) {
        const unsigned char *bytes;
        size_t length = left < LINE_BYTES ? (size_t)left : LINE_BYTES;
        buf_clear(line);
        rc = temp_reader_get(&reader, length, &bytes);
        if (rc == 0)
            rc = buf_add_str(line, MARK "data ");
        if (rc == 0)
            rc = encode(line, bytes, length);
        if (rc == 0)
            rc = buf_add_char(line, '\n');
        if (rc == 0)
            rc = write(arg, line->data, line->length);
        left -= length;
    }
    temp_reader_release(&reader);
    temp_file_close(file);
    return rc;
}

int shard_stream_pack(const char *dir, shard_stream_write_fn *write, void *arg)
{
    static const char begin[] = MARK "begin\n", end[] = MARK "end\n";
    struct buf line = {0};
    int rc = write(arg, begin, sizeof begin - 1);

    for (size_t i = 0; rc == 0 && i < NAMES; i++)
        rc = pack_file(dir, names[i], &line, write, arg);
    if (rc == 0)
        rc = write(arg, end, sizeof end - 1);
    buf_release(&line);
    return rc;
}

/* ---- unpacking
 * ---------------------------------------------------------------------------------------------------------- */

bool shard_stream_is(const char *path)
{
    char start[sizeof MARK];
    struct temp_file *file = NULL;
    bool is = false;

    if (dir_exists(path) || temp_file_open_named(&file, path) < 0)
        return false;
    if (temp_file_bytes(file) >= sizeof MARK - 1 && temp_file_read(file, 0, start, sizeof MARK - 1) == 0)
        is = memcmp(start, MARK, sizeof MARK - 1) == 0;
    temp_file_close(file);
    return is;
}

struct unpacking {
    const char *path, *dir;
    struct line_reader *lines;
    char *shard_dir;          /* NULL: between shards */
    struct file_writer *file; /* NULL: none open */
    unsigned long long left;  /* bytes that the open file lacks */
    size_t first, count;
};

static int wrong(const struct unpacking *u, const char *what)
{
    return err_set(RECO_E_DATA, "cannot read '%s' line %llu: %s", u->path,
                   (unsigned long long)line_reader_number(u->lines), what);
}

static int end_file(struct unpacking *u)
{
    if (u->file == NULL)
        return 0;
    return u->left > 0 ? wrong(u, "a file of the shard is cut") : file_writer_commit(&u->file);
}

static int begin_shard(struct unpacking *u)
{
    if (u->shard_dir != NULL)
        return wrong(u, "the shard before it is cut");
    u->shard_dir = mem_printf("%s/%zu", u->dir, u->first + u->count);
    return u->shard_dir == NULL ? RECO_E_NOMEM : dir_make(u->shard_dir);
}

static int end_shard(struct unpacking *u)
{
    int rc = u->shard_dir == NULL ? wrong(u, "an end without a beginning") : end_file(u);

    mem_free(u->shard_dir);
    u->shard_dir = NULL;
    u->count++;
    return rc;
}

static int begin_file(struct unpacking *u, const char *text)
{
    char name[32];
    int at = 0;
    size_t known = 0;

    if (u->shard_dir == NULL)
        return wrong(u, "a file outside a shard");
    int rc = end_file(u);
    if (rc < 0)
        return rc;
    if (sscanf(text, "%31s %llu%n", name, &u->left, &at) != 2 || text[at] != '\0')
        return wrong(u, "not a file's name and size");
    while (known < NAMES && strcmp(names[known], name) != 0)
        known++;
    if (known == NAMES)
        return wrong(u, "not a file of a shard");
    char *path = path_join(u->shard_dir, name);
    rc = path == NULL ? RECO_E_NOMEM : file_writer_open(&u->file, path);
    mem_free(path);
    return rc;
}

static int take_data(struct unpacking *u, char *text, size_t length)
{
    if (u->file == NULL)
        return wrong(u, "data outside a file");
    if (!decode(text, &length) || length > u->left)
        return wrong(u, "damaged data");
    u->left -= length;
    return file_write(u->file, text, length);
}

static int take_line(struct unpacking *u, char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\t' || text[length - 1] == ' '))
        text[--length] = '\0'; /* Hadoop ends lines without a value in a tab */
    if (length == 0)
        return 0;
    if (strncmp(text, MARK, sizeof MARK - 1) != 0)
        return wrong(u, "not a line of a shard");
    text += sizeof MARK - 1;
    length -= sizeof MARK - 1;
    if (strncmp(text, "data ", 5) == 0)
        return take_data(u, text + 5, length - 5);
    if (strncmp(text, "file ", 5) == 0)
        return begin_file(u, text + 5);
    if (strcmp(text, "begin") == 0)
        return begin_shard(u);
    return strcmp(text, "end") == 0 ? end_shard(u) : wrong(u, "not a line of a shard");
}

int shard_stream_unpack(const char *path, const char *dir, size_t first, size_t *count)
{
    struct unpacking u = {.path = path, .dir = dir, .first = first};
    char *text = NULL;
    size_t length;
    int rc = line_reader_open(&u.lines, path);

    do {
        if (rc == 0)
            rc = line_reader_next(u.lines, &text, &length);
        if (rc == 0 && text != NULL)
            rc = take_line(&u, text, length);
    } while (rc == 0 && text != NULL);
    if (rc == 0 && u.shard_dir != NULL)
        rc = wrong(&u, "the shard is cut");
    file_writer_abort(&u.file);
    line_reader_close(u.lines);
    mem_free(u.shard_dir);
    *count = u.count;
    return rc;
}
