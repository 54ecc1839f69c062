#ifndef RECO_CORE_FILE_H
#define RECO_CORE_FILE_H

/*
 * Files. Nothing is ever half-written under its final name: a writer writes "<path>.tmp.<pid>", and commit does
 * flush, fsync, rename, fsync of the directory. Errors are RECO_E_IO with the path quoted and strerror at the end;
 * a full disk says so. A path that is a device or a pipe is written in place; a symbolic link is followed.
 * For tests, like mem_fail_after: file_fail_after(n) makes the n-th call that changes the disk (write, create, fsync,
 * rename, mkdir) fail with ENOSPC, once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buf.h"
#include "core/err.h"

/* Whole file into b (appended). max_bytes 0: no limit. A directory is an error that says so. */
int file_read_all(const char *path, size_t max_bytes, struct buf *b) RECO_MUST_CHECK;

/* Read-only memory map; zero-size files give data "" and size 0. */
struct file_map {
    const unsigned char *data;
    size_t size_bytes;
};
int file_map_open(struct file_map *map, const char *path) RECO_MUST_CHECK;
void file_map_close(struct file_map *map);

/* Buffered writer to a temporary name. Sticky: after a failed write, every call returns the first error. */
struct file_writer;
int file_writer_open(struct file_writer **out, const char *path) RECO_MUST_CHECK;
int file_write(struct file_writer *w, const void *bytes, size_t length) RECO_MUST_CHECK;
int file_printf(struct file_writer *w, const char *fmt, ...) RECO_PRINTF(2, 3) RECO_MUST_CHECK;
uint64_t file_writer_tell(const struct file_writer *w); /* bytes written so far */
/* On success and failure *w is freed and NULL; on failure the temporary file is gone. */
int file_writer_commit(struct file_writer **w) RECO_MUST_CHECK;
void file_writer_abort(struct file_writer **w); /* removes the temp file; NULL-safe */

/* The bytes under path, at once, atomically. */
int file_write_all(const char *path, const void *bytes, size_t length) RECO_MUST_CHECK;

/*
 * A directory made under a temporary name beside its final one and renamed when complete:
 * dir_stage_begin(&tmp, "run") gives tmp = "run.tmp.<pid>" (the caller frees); files are written in it;
 * dir_stage_commit(tmp, "run") replaces an existing directory by rename exchange, so that a kill leaves the old one or
 * the new one. After a failed commit the stage may still exist: call dir_stage_abort.
 */
int dir_stage_begin(char **tmp_path, const char *path) RECO_MUST_CHECK;
int dir_stage_commit(const char *tmp_path, const char *path) RECO_MUST_CHECK;
void dir_stage_abort(const char *tmp_path); /* removes it with its files; NULL-safe */

bool file_exists(const char *path);
bool dir_exists(const char *path);
int dir_make(const char *path) RECO_MUST_CHECK;                     /* with parents; an existing directory is fine */
int dir_is_empty(const char *path, bool *empty) RECO_MUST_CHECK;    /* a missing directory is empty */
int dir_remove(const char *path) RECO_MUST_CHECK;                   /* recursive */
int file_remove(const char *path) RECO_MUST_CHECK;                  /* a missing file is fine */
char *path_join(const char *dir, const char *name) RECO_MUST_CHECK; /* the caller frees; NULL: out of memory */
/* Of the file system of path, or of its nearest existing parent. */
int file_free_bytes(const char *path, uint64_t *bytes) RECO_MUST_CHECK;

void file_fail_after(long n); /* tests only; 0: off */

#endif
