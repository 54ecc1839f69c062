#ifndef RECO_DATA_HISTORY_INTERNAL_H
#define RECO_DATA_HISTORY_INTERNAL_H

/* The packed log. Private to history.c (reading it) and history_load.c (packing it). */

#include "core/temp_file.h"
#include "data/history.h"

/* A user's actions are actions [first, first + count); users are sorted by the hash of their name, then by name. */
struct history_user {
    uint64_t hash;
    uint64_t name, name_bytes; /* place in texts */
    uint64_t first, count;
};

struct history_action {
    int64_t time_us;
    uint64_t item_row; /* of the item table, + 1; 0: it has no such item, or there is no table */
    uint64_t texts;    /* place of its texts: the item's id, then the log's columns that the template uses */
};
/* A text: its length in 4 bytes, its bytes, NUL. */

enum history_source { HISTORY_ID, HISTORY_LOG, HISTORY_ITEM };
struct history_slot { /* a field that the template uses */
    enum history_source source;
    size_t column; /* of the log (while it is read), or of the item table */
    size_t stored; /* HISTORY_LOG: number among the log's columns that are kept */
};

struct history {
    const struct join_table *items; /* NULL: none */
    struct text_template *text_template;
    struct history_slot *slots;
    size_t slot_count, slot_capacity, stored_columns;
    size_t length; /* at most this many actions */
    const char *separator;

    struct temp_file *user_file, *action_file, *text_file;
    const unsigned char *users, *actions, *texts; /* mapped */
    uint64_t user_count, action_count;
};

/* Reads, sorts and packs the log into h's files. */
int history_load(struct history *h, const struct assemble_options *options, const struct table_options *table,
                 const char *tmp_dir) RECO_MUST_CHECK;

#endif
