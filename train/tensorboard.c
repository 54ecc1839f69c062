#include "train/tensorboard.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/file.h"
#include "core/mem.h"
#include "event.pb-c.h"

enum { HEAD_BYTES = 12, TAIL_BYTES = 4, MAX_VALUES = 64, MAX_TAG = 96 };

struct tensorboard {
    char *path;
    int fd;
    struct buf record;
};

/* ---- records
 * --------------------------------------------------------------------------------------------------------------- */

/* CRC-32C (Castagnoli, reflected), bit by bit: a record has some hundred bytes. */
static uint32_t crc32c(const unsigned char *bytes, size_t length)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82F63B78u & -(crc & 1));
    }
    return ~crc;
}

/* So that a checksum of bytes that hold checksums is still one. */
static uint32_t masked_crc(const unsigned char *bytes, size_t length)
{
    uint32_t crc = crc32c(bytes, length);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void put_little(unsigned char *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        out[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_little(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

static int write_event(struct tensorboard *e, const Tfevents__Event *event)
{
    size_t length = tfevents__event__get_packed_size(event);
    buf_clear(&e->record);
    int rc = buf_reserve(&e->record, HEAD_BYTES + length + TAIL_BYTES);
    if (rc != 0)
        return rc;
    unsigned char *record = (unsigned char *)e->record.data;
    put_little(record, length, 8);
    put_little(record + 8, masked_crc(record, 8), 4);
    tfevents__event__pack(event, record + HEAD_BYTES);
    put_little(record + HEAD_BYTES + length, masked_crc(record + HEAD_BYTES, length), 4);
    length += HEAD_BYTES + TAIL_BYTES;
    for (size_t done = 0; done < length && rc == 0;) {
        ssize_t n = write(e->fd, record + done, length - done);
        if (n <= 0)
            rc = err_set_errno("cannot write '%s'", e->path);
        else
            done += (size_t)n;
    }
    return rc;
}

/* Bytes of the whole record at the start of bytes, and its step; 0: none. */
static size_t read_record(const unsigned char *bytes, size_t left, int64_t *step)
{
    if (left < HEAD_BYTES + TAIL_BYTES || get_little(bytes + 8, 4) != masked_crc(bytes, 8))
        return 0;
    uint64_t length = get_little(bytes, 8);
    if (length > left - HEAD_BYTES - TAIL_BYTES ||
        get_little(bytes + HEAD_BYTES + length, 4) != masked_crc(bytes + HEAD_BYTES, (size_t)length))
        return 0;
    Tfevents__Event *event = tfevents__event__unpack(NULL, (size_t)length, bytes + HEAD_BYTES);
    if (event == NULL)
        return 0;
    *step = event->step;
    tfevents__event__free_unpacked(event, NULL);
    return HEAD_BYTES + (size_t)length + TAIL_BYTES;
}

/* ---- the file
 * -------------------------------------------------------------------------------------------------------------- */

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* How much of an earlier part of the run stays. */
static int kept_bytes(const struct tensorboard *e, int64_t last_step, size_t *kept)
{
    struct buf whole = {0};
    int64_t step = 0;
    *kept = 0;
    if (last_step == 0 || !file_exists(e->path))
        return 0;
    int rc = file_read_all(e->path, 0, &whole);
    for (size_t length = 1; rc == 0 && length > 0;) {
        length = read_record((const unsigned char *)buf_str(&whole) + *kept, whole.length - *kept, &step);
        length = step > last_step ? 0 : length;
        *kept += length;
    }
    buf_release(&whole);
    return rc;
}

int tensorboard_open(struct tensorboard **out, const char *dir, int64_t last_step)
{
    Tfevents__Event first = TFEVENTS__EVENT__INIT;
    size_t kept = 0;
    *out = NULL;
    struct tensorboard *e = mem_calloc(1, sizeof *e);
    if (e == NULL)
        return err_nomem();
    e->fd = -1;
    e->path = path_join(dir, TENSORBOARD_FILE_NAME);
    int rc = e->path == NULL ? err_nomem() : kept_bytes(e, last_step, &kept);
    if (rc == 0) {
        e->fd = open(e->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (e->fd < 0 || ftruncate(e->fd, (off_t)kept) != 0)
            rc = err_set_errno("cannot write '%s'", e->path);
    }
    if (rc == 0 && kept == 0) {
        first.wall_time = now_s();
        first.what_case = TFEVENTS__EVENT__WHAT_FILE_VERSION;
        first.file_version = (char *)"brain.Event:2";
        rc = write_event(e, &first);
    }
    if (rc != 0) {
        tensorboard_close(e);
        return rc;
    }
    *out = e;
    return 0;
}

void tensorboard_close(struct tensorboard *e)
{
    if (e == NULL)
        return;
    if (e->fd >= 0)
        close(e->fd);
    buf_release(&e->record);
    mem_free(e->path);
    mem_free(e);
}

/* "eval_ndcg" of an eval line is eval/ndcg, "loss" of a train line train/loss. */
static void name_tag(char tag[MAX_TAG], const char *event, const char *name)
{
    size_t length = strlen(event);
    if (strncmp(name, event, length) == 0 && name[length] == '_')
        name += length + 1;
    snprintf(tag, MAX_TAG, "%s/%s", event, name);
}

int tensorboard_write(struct tensorboard *e, const json_t *line)
{
    const char *kind = json_string_value(json_object_get(line, "event")), *name;
    const json_t *step = json_object_get(line, "step");
    Tfevents__Event event = TFEVENTS__EVENT__INIT;
    Tfevents__Summary summary = TFEVENTS__SUMMARY__INIT;
    Tfevents__Value values[MAX_VALUES], *pointers[MAX_VALUES];
    char tags[MAX_VALUES][MAX_TAG];
    json_t *value;
    if (kind == NULL || !json_is_integer(step))
        return 0;
    json_object_foreach((json_t *)line, name, value)
    {
        size_t i = summary.n_value;
        bool clock = value == step || (strcmp(name, "epoch") == 0 && strcmp(kind, "train") != 0);
        if (!json_is_number(value) || clock || i == MAX_VALUES)
            continue;
        name_tag(tags[i], kind, name);
        values[i] = (Tfevents__Value)TFEVENTS__VALUE__INIT;
        values[i].tag = tags[i];
        values[i].value_case = TFEVENTS__VALUE__VALUE_SIMPLE_VALUE;
        values[i].simple_value = (float)json_number_value(value);
        pointers[i] = &values[i];
        summary.n_value++;
    }
    if (summary.n_value == 0)
        return 0;
    summary.value = pointers;
    event.wall_time = now_s();
    event.step = json_integer_value(step);
    event.what_case = TFEVENTS__EVENT__WHAT_SUMMARY;
    event.summary = &summary;
    return write_event(e, &event);
}
