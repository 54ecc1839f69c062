#ifndef RECO_DATA_ASSEMBLE_H
#define RECO_DATA_ASSEMBLE_H

/*
 * From a record to a wide row: the columns of the file itself, then those of the tables joined by id (items, users,
 * queries), then the history of the row's user. Everything later (query, description, label, carried columns) names
 * columns of the wide row. A name that several tables have is the file's own; 'items.title', 'users.age',
 * 'queries.text' say which. History columns: 'history' (text), 'history_items' (item ids, oldest first, by one blank).
 * An id may be several columns joined by commas, 'product_id,product_locale': it then is a wide column of that name,
 * its texts joined by commas. The type in a RecBole header ('title:token_seq') may be left out of a name.
 *
 * Every item and query must be in its table; of users, an empty id is an unknown user, whose columns are empty. History
 * is what the log tells of the user strictly before the row's time: an action at the same time is not part of it.
 *
 * An assembler is read-only once opened and may be used by many threads, each with its own lane.
 */

#include "core/buf.h"
#include "core/opt.h"
#include "data/csv.h"
#include "data/table.h"

struct assemble_options {
    char *items_file, *users_file, *queries_file; /* NULL: no join */
    char *items_key_column, *users_key_column,
        *queries_key_column; /* NULL: the name of the id column in the main file */
    char *item_id_column, *user_id_column,
        *query_id_column; /* of the main file; filled in from the command's options */
    char *time_column;    /* of the row: number, or ISO 8601 */
    char *history_file;   /* event log with user, item, time and perhaps an action; NULL: no history */
    char *history_user_column, *history_item_column, *history_time_column,
        *history_action_column;      /* NULL: as in the main file; action: none */
    struct opt_list history_actions; /* the actions that count; empty: all */
    int64_t history_length;          /* at most this many of the latest actions before the row's time; at least 1 */
    char *history_template;          /* of one action, over the log's and the item table's columns; NULL: the item */
    char *history_separator;         /* NULL: " ; " */
    struct opt_amount max_bad_rows;  /* of each side table; filled in from the command's options */
};

int assemble_options_check(const struct assemble_options *options) RECO_MUST_CHECK; /* RECO_E_USAGE */

struct assembler;
/*
 * Reads the side tables (each through table.h) into temporary files in tmp_dir, mapped; 16 bytes a slot of the index,
 * at most 43 a row, stay in memory, of the history's log nothing. options is borrowed until assembler_close; without
 * any file in it, wide rows are the rows. table: how the files are read, its names of columns left out; NULL: as they
 * come. RECO_E_DATA: two different rows of one id, too many bad rows.
 */
int assembler_open(struct assembler **out, const struct assemble_options *options, const struct table_options *table,
                   const char *tmp_dir) RECO_MUST_CHECK;
void assembler_close(struct assembler *a); /* NULL-safe */

/* The wide columns over one file. a and reader are borrowed until assembly_close; file_label as in messages,
 * "'train.csv'". RECO_E_USAGE: the file lacks an id column or the time. */
struct assembly;
int assembly_open(struct assembly **out, const struct assembler *a, const struct table_reader *reader,
                  const char *file_label) RECO_MUST_CHECK;
void assembly_close(struct assembly *as); /* NULL-safe */
size_t assembly_columns(const struct assembly *as);
const char *assembly_column_name(const struct assembly *as, size_t column); /* the shortest that assembly_find takes */
/* As csv_reader_find, over the wide columns. */
int assembly_find(const struct assembly *as, const char *option, const char *name, size_t *column) RECO_MUST_CHECK;
bool assembly_has(const struct assembly *as, const char *name);

struct assembly_lane; /* scratch of one thread */
int assembly_lane_new(struct assembly_lane **out, const struct assembly *as) RECO_MUST_CHECK;
void assembly_lane_free(struct assembly_lane *lane);
/*
 * Widens the fields of a good record. *fields [assembly_columns] is borrowed until the lane's next call (it points into
 * record and the side tables). bad (cleared before) gets a reason when the row cannot be used: its item is not in the
 * item table, its time cannot be parsed.
 */
int assembly_widen(struct assembly_lane *lane, const struct csv_field *record, const struct csv_field **fields,
                   struct buf *bad) RECO_MUST_CHECK;

/*
 * Text from columns: '{title} | brand: {brand} | {description}'. Everything between two separators ('|', or the ends)
 * whose columns are all empty (or blank) vanishes with its separator; an empty column beside others leaves no doubled
 * blank. '{{', '}}' and '||' are '{', '}' and '|'. Source of the rule: this file.
 * text_template_parse: find gives the place of a column in the fields of text_template_render, or an error that names
 * it. RECO_E_USAGE: braces that do not match, no column. text_template_render appends.
 */
struct text_template;
typedef int text_template_find_fn(void *arg, const char *name, size_t *column);
int text_template_parse(struct text_template **out, const char *option, const char *text, text_template_find_fn *find,
                        void *arg) RECO_MUST_CHECK;
void text_template_free(struct text_template *t);
int text_template_render(const struct text_template *t, const struct csv_field *fields,
                         struct buf *out) RECO_MUST_CHECK;

#endif
