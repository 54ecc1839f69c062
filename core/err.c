#include "core/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 4096

/* Fixed storage: reporting an error must work when nothing can be allocated. */
static _Thread_local char message[MESSAGE_SIZE];

/* A message is one line on a terminal, whatever bytes a quoted subject has. */
static void make_printable(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
        if (*p == '\n' || *p == '\t' || *p == '\r')
            *p = ' ';
        else if (*p < 0x20 || *p == 0x7f)
            *p = '?';
    }
}

/* A cut message ends in "..." and never inside a UTF-8 sequence. */
static void mark_cut(char *text, size_t size)
{
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

static void store(const char *fmt, va_list args)
{
    char text[MESSAGE_SIZE]; /* the arguments may point into message */
    int length = vsnprintf(text, sizeof text, fmt, args);
    if (length < 0)
        text[0] = '\0';
    else if ((size_t)length >= sizeof text)
        mark_cut(text, sizeof text);
    make_printable(text);
    memcpy(message, text, strlen(text) + 1);
}

static void append(const char *text)
{
    size_t used = strlen(message);
    int length = snprintf(message + used, sizeof message - used, ": %s", text);
    if (length < 0 || (size_t)length >= sizeof message - used)
        mark_cut(message, sizeof message);
}

int err_set(int code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    store(fmt, args);
    va_end(args);
    return code;
}

int err_set_errno(const char *fmt, ...)
{
    int number = errno;
    va_list args;
    va_start(args, fmt);
    store(fmt, args);
    va_end(args);
    char text[256];
    append(strerror_r(number, text, sizeof text));
    return number == ENOMEM ? RECO_E_NOMEM : RECO_E_IO;
}

int err_prepend(int code, const char *fmt, ...)
{
    char old[MESSAGE_SIZE];
    memcpy(old, message, strlen(message) + 1);
    va_list args;
    va_start(args, fmt);
    store(fmt, args);
    va_end(args);
    append(old);
    return code;
}

int err_nomem(void)
{
    memcpy(message, "out of memory", sizeof "out of memory");
    return RECO_E_NOMEM;
}

const char *err_message(void)
{
    return message;
}

void err_clear(void)
{
    message[0] = '\0';
}

int err_exit_status(int code)
{
    switch (code) {
    case RECO_OK:
        return 0;
    case RECO_E_GATE:
        return 1;
    case RECO_E_USAGE:
        return 2;
    case RECO_E_DATA:
        return 3;
    case RECO_E_IO:
        return 4;
    case RECO_E_DIVERGED:
        return 5;
    case RECO_E_MODEL:
        return 6;
    case RECO_E_STOPPED:
        return 130;
    default:
        return 70;
    }
}
