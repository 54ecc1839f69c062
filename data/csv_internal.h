#ifndef RECO_DATA_CSV_INTERNAL_H
#define RECO_DATA_CSV_INTERNAL_H

/* The CSV reader's state. Private to csv.c (rows by libcsv), csv_split.c (well-formed rows, quicker), csv_detect.c
 * (delimiter and quote) and csv_open.c (header, columns). */

#include <csv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "data/csv.h"

#define CSV_QUOTE_NOT_CLOSED "a quote is not closed"

struct csv_reader {
    struct input *input;
    bool eof;
    bool trim_blanks, libcsv_only;
    unsigned char delimiter, quote; /* quote '\0': none */
    size_t max_field_bytes, chunk_bytes;

    /* Behind the input held are 16 zeros, so that so many bytes can be read at any place (bytes16.h).
     * Input not yet handed out is raw[start, end); of it [start, at) was parsed. Positions move down together in
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
    struct csv_facts facts;
};

/* A parser without a row in progress. */
int csv_parser_restart(struct csv_reader *r) RECO_MUST_CHECK;
/* Reads more behind raw[end), dropping what was handed out. At the end of the file sets eof. */
int csv_fill(struct csv_reader *r) RECO_MUST_CHECK;
/* Moves `at` over a line, a part of one, or the LF of a CR LF; counts lines. */
void csv_pass(struct csv_reader *r, size_t length);
/* Hands out the row raw[start, at), good or, with the reason in r->bad, bad. */
void csv_hand_out(struct csv_reader *r, bool good);
/* Between rows: hands out the next row when it is well-formed and has the right number of fields; else *done is false
 * and the row, or the end of the file, is left to libcsv. */
int csv_split_next(struct csv_reader *r, bool *done) RECO_MUST_CHECK;
/* Finds delimiter or quote by the input to come (csv.h), and whether it has the columns given (NULL or empty: none). */
int csv_detect(struct csv_reader *r, bool delimiter, bool quote, const struct opt_list *columns) RECO_MUST_CHECK;
/* What a reader holds but for its input, the bytes of it, and the names. */
void csv_parts_release(struct csv_reader *r);

#endif
