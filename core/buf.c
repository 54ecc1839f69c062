#include "core/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

void buf_release(struct buf *b)
{
    mem_free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->length = 0;
    if (b->data != NULL)
        b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t extra_bytes)
{
    if (extra_bytes >= SIZE_MAX - b->length)
        return err_nomem();
    void *data = b->data;
    int status = mem_grow(&data, &b->capacity, b->length + extra_bytes + 1, 1);
    if (status != 0)
        return status;
    b->data = data;
    b->data[b->length] = '\0';
    return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t length)
{
    if (length >= b->capacity - b->length) { /* a NUL comes behind */
        int status = buf_reserve(b, length);
        if (status != 0)
            return status;
    }
    if (length > 0)
        memcpy(b->data + b->length, bytes, length);
    b->length += length;
    b->data[b->length] = '\0';
    return 0;
}

int buf_add_str(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

int buf_add_char(struct buf *b, char c)
{
    return buf_add(b, &c, 1);
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    enum { USUAL_BYTES = 64 };
    va_list args;
    int status = b->capacity - b->length > USUAL_BYTES ? 0 : buf_reserve(b, USUAL_BYTES);
    if (status != 0)
        return status;
    size_t room = b->capacity - b->length;
    va_start(args, fmt);
    int length = vsnprintf(b->data + b->length, room, fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= room) {
        b->data[b->length] = '\0';
        status = length < 0 ? err_nomem() : buf_reserve(b, (size_t)length);
        if (status != 0)
            return status;
        va_start(args, fmt);
        vsnprintf(b->data + b->length, (size_t)length + 1, fmt, args);
        va_end(args);
    }
    b->length += (size_t)length;
    return 0;
}

int buf_add_wrapped(struct buf *b, const char *text, size_t indent, size_t columns)
{
    size_t column = indent;
    int status = 0;
    while (*text != '\0' && status == 0) {
        size_t word = strcspn(text, " \n");
        bool too_long = column > indent && column + 1 + word > columns;
        if (too_long || (word == 0 && *text == '\n')) {
            text += !too_long;
            size_t next = strcspn(text, " \n");
            status = buf_printf(b, "\n%*s", next > 0 ? (int)indent : 0, "");
            column = indent;
            continue;
        }
        if (column > indent) {
            status = buf_add_char(b, ' ');
            column++;
        }
        if (status == 0)
            status = buf_add(b, text, word);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    return status == 0 ? buf_add_char(b, '\n') : status;
}

const char *buf_str(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

char *buf_take(struct buf *b)
{
    if (b->data == NULL && buf_reserve(b, 0) != 0)
        return NULL;
    char *data = b->data;
    *b = (struct buf){0};
    return data;
}
