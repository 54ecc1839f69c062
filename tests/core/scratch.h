#ifndef RECO_TESTS_CORE_SCRATCH_H
#define RECO_TESTS_CORE_SCRATCH_H

/* A fresh directory as the working directory of a cmocka group; gone afterwards. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"

static char scratch_path[64];

static inline int scratch_enter(void **state)
{
    (void)state;
    snprintf(scratch_path, sizeof scratch_path, "/tmp/reco-core.XXXXXX");
    return mkdtemp(scratch_path) == NULL || chdir(scratch_path) != 0 ? -1 : 0;
}

static inline int scratch_leave(void **state)
{
    (void)state;
    return chdir("/") != 0 || dir_remove(scratch_path) != 0 ? -1 : 0;
}

/* Count of entries in dir, whatever their names. */
static inline int scratch_count(const char *dir)
{
    int count = 0;
    DIR *stream = opendir(dir);
    if (stream == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(stream);
    return count;
}

static inline int scratch_put(const char *path, const char *text)
{
    return file_write_all(path, text, strlen(text));
}

/* 1 when path holds exactly text. */
static inline int scratch_holds(const char *path, const char *text)
{
    struct buf b = {0};
    int same = file_read_all(path, 0, &b) == 0 && strcmp(buf_str(&b), text) == 0;
    buf_release(&b);
    return same;
}

#endif
