#ifndef RECO_CORE_TEMP_FILE_H
#define RECO_CORE_TEMP_FILE_H

/*
 * A temporary file without a name: written once from start to end, read anywhere, gone when it is closed or the process
 * ends in whatever way. Errors are RECO_E_IO and name the directory. Belongs to one thread; reading at a place may be
 * done by many.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

/* Where temporary files go, borrowed: tmp_dir; NULL or "": $TMPDIR, else /tmp. The rule for every tmp_dir below. */
const char *temp_place(const char *tmp_dir);
/* A new directory "<place>/reco-<what>-XXXXXX", or an empty file; the caller removes it and frees *path. */
int temp_dir_make(char **path, const char *tmp_dir, const char *what) RECO_MUST_CHECK;
int temp_name_make(char **path, const char *tmp_dir, const char *what) RECO_MUST_CHECK;

/* A file without a name in that directory, to be closed; -1 with errno. */
int temp_unnamed(const char *dir);
/* Makes the file at least so many bytes long, with room on the disk for all of them; -1 with errno. */
int temp_take_room(int fd, size_t bytes) RECO_MUST_CHECK;

struct temp_file;

int temp_file_open(struct temp_file **out, const char *tmp_dir) RECO_MUST_CHECK;
/* A file that exists, for reading by the functions below only. */
int temp_file_open_named(struct temp_file **out, const char *path) RECO_MUST_CHECK;
void temp_file_close(struct temp_file *t); /* NULL-safe */

int temp_file_write(struct temp_file *t, const void *bytes, size_t length) RECO_MUST_CHECK; /* behind the last */
uint64_t temp_file_bytes(const struct temp_file *t);                                        /* written so far */
int temp_file_flush(struct temp_file *t) RECO_MUST_CHECK; /* before reading what was written since the last flush */
/* All of [offset, offset + length) must have been written and flushed. */
int temp_file_read(const struct temp_file *t, uint64_t offset, void *bytes, size_t length) RECO_MUST_CHECK;
/* Flushes and maps all that was written, read-only, until temp_file_close; once, nothing is written after it. *data is
 * "" for an empty file. */
int temp_file_map(struct temp_file *t, const unsigned char **data) RECO_MUST_CHECK;
/* Instead of writing: bytes of zeros, mapped to be read and written until temp_file_close. The disk has room for them.
 */
int temp_file_map_zeros(struct temp_file *t, size_t bytes, unsigned char **data) RECO_MUST_CHECK;

/* Reads forward through a window of its own; zero-initialised after setting file, at and end. */
struct temp_reader {
    const struct temp_file *file;
    uint64_t at, end; /* of the part to read */
    unsigned char *window;
    size_t window_bytes; /* wished for; 0: 256 KiB */
    size_t capacity, start, filled;
};
/* The next length bytes, borrowed until the next call; the caller knows that they are there. */
int temp_reader_get(struct temp_reader *r, size_t length, const unsigned char **bytes) RECO_MUST_CHECK;
/* The same, without going on. */
int temp_reader_peek(struct temp_reader *r, size_t length, const unsigned char **bytes) RECO_MUST_CHECK;
bool temp_reader_at_end(const struct temp_reader *r);
void temp_reader_release(struct temp_reader *r);

#endif
