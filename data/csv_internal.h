#ifndef RECO_DATA_CSV_INTERNAL_H
#define RECO_DATA_CSV_INTERNAL_H

/* The CSV reader's state. Private to csv.c (rows) and csv_open.c (files, header, columns). */

#include <csv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "data/csv.h"

struct csv_reader {
    char *label; /* of the file in messages, with its quotes */
    int fd;
    bool owns_fd, eof;
    bool trim_blanks;
    unsigned char delimiter;
    size_t max_field_bytes, chunk_bytes;
    uint64_t bytes_read, total_bytes;

    /* Input not yet handed out is raw[start, end); of it [start, at) was parsed. Positions move down together in
     * fill(). */
    char *raw;
    size_t raw_capacity, start, at, end;
    bool after_cr;  /* the byte before `at` is CR: an LF here belongs to it */
    uint64_t line;  /* of the byte at `at` */
    bool skip_line; /* throw away up to and with the next line break */

    /* The row in progress. libcsv's callbacks cannot fail: `failed` carries their error out. */
    struct csv_parser parser;
    bool parser_ready;
    bool in_row, row_done, nul_seen, field_too_long;
    uint64_t row_line;
    size_t first_line_end; /* place behind its first line break; 0: not reached */
    struct buf text;
    size_t *offsets; /* [field_count + 1] into text */
    size_t offsets_capacity, field_count;
    int failed;

    struct csv_field *fields;
    size_t fields_capacity;
    struct csv_record record;
    struct buf bad;
    uint64_t records;
    char **names;
    size_t name_count;
};

/* A parser without a row in progress. */
int csv_parser_restart(struct csv_reader *r) RECO_MUST_CHECK;
/* Reads more behind raw[end), dropping what was handed out. At the end of the file sets eof. */
int csv_fill(struct csv_reader *r) RECO_MUST_CHECK;

#endif
