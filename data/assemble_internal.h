#ifndef RECO_DATA_ASSEMBLE_INTERNAL_H
#define RECO_DATA_ASSEMBLE_INTERNAL_H

/* Parts of the assembler. Private to assemble.c (tables, rows) and assemble_columns.c (names). */

#include "data/assemble.h"
#include "data/history.h"
#include "data/join_key.h"
#include "data/join_table.h"

enum assemble_side { ASSEMBLE_ITEMS, ASSEMBLE_USERS, ASSEMBLE_QUERIES, ASSEMBLE_SIDES };

struct assemble_side_info {
    const char *prefix; /* of its columns: "items" */
    const char *what;   /* a row of it: "item" */
    const char *file_option, *key_option, *id_option;
    size_t file, key_column, id_column; /* offsets of the char * in struct assemble_options */
};
extern const struct assemble_side_info assemble_sides[ASSEMBLE_SIDES];
const char *assemble_option(const struct assemble_options *options, size_t offset);

struct assembler {
    const struct assemble_options *options;
    struct join_table *tables[ASSEMBLE_SIDES]; /* NULL: no such table */
    struct history *history;                   /* NULL: none */
};

#define ASSEMBLE_NO_COLUMN SIZE_MAX

struct assembly {
    const struct assembler *a;
    const struct table_reader *reader;
    char *label;
    size_t own_count, column_count;
    size_t first[ASSEMBLE_SIDES];        /* first wide column of each table */
    size_t history, history_items;       /* ASSEMBLE_NO_COLUMN: no history */
    size_t item_id;                      /* an id of several columns; ASSEMBLE_NO_COLUMN: none */
    struct join_key ids[ASSEMBLE_SIDES]; /* count 0: not needed */
    struct join_key user;                /* of the history */
    size_t time;
    char **names;    /* [column_count - own_count] of the columns behind the file's own */
    bool *is_wanted; /* [2] somebody found history, history_items: else they are not made */
};

/* ---- assemble_columns.c ---- */

/* Lays out the wide columns; as->label, a, reader and ids are there. */
int assembly_columns_init(struct assembly *as) RECO_MUST_CHECK;

#endif
