#ifndef RECO_DATA_HISTORY_H
#define RECO_DATA_HISTORY_H

/*
 * What users did before a moment, from an event log (user, item, time, perhaps an action and more). The log is sorted
 * by user and time in bounded memory and lies in temporary files that are mapped; nothing a row stays in memory.
 * Actions of one user at one time keep the order of the log. Read-only once opened, shared by threads.
 */

#include "data/assemble.h"
#include "data/join_table.h"

struct history;

/* The options are those of an assembler, complete (assemble_options_check). items: NULL without; borrowed. */
int history_open(struct history **out, const struct assemble_options *options, const struct table_options *table,
                 const struct join_table *items, const char *tmp_dir) RECO_MUST_CHECK;
void history_close(struct history *h); /* NULL-safe */

uint64_t history_users(const struct history *h);
uint64_t history_actions(const struct history *h);
/* Fields that history_render needs as scratch. */
size_t history_scratch_fields(const struct history *h);

/*
 * The last actions of the user strictly before time, at most history_length, oldest first. text (NULL: not wanted) gets
 * them rendered and joined by the separator, actions that render to nothing left out; items (NULL: not wanted) their
 * item ids joined by one blank. Both are cleared first; a user without actions has neither.
 */
int history_render(const struct history *h, const struct csv_field *user, int64_t time_us, struct csv_field *scratch,
                   struct buf *text, struct buf *items) RECO_MUST_CHECK;

#endif
