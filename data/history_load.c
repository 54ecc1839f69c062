#include <string.h>

#include "core/hash.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/opt.h"
#include "core/sorter.h"
#include "core/stop.h"
#include "data/history_internal.h"
#include "data/timestamp.h"

enum { SORT_BYTES = 256 * 1024 * 1024, STOP_ROWS = 4096, SHOWN_BYTES = 60 };

struct loader {
    struct history *h;
    const struct assemble_options *options;
    const char *item_names;
    char *label;
    struct table_reader *reader;
    struct join_key user, item;
    size_t time, action;
    bool has_actions;
    struct sorter *sorter;
    struct join_bad_rows bad;
    uint64_t read, without_item;
    struct buf user_text, item_text, key, value, reason;
};

/* ---- columns ---- */

static int find_columns(struct loader *l)
{
    const struct assemble_options *o = l->options;
    const char *user = o->history_user_column != NULL ? o->history_user_column : o->user_id_column;
    const char *time = o->history_time_column != NULL ? o->history_time_column : o->time_column;

    l->item_names = o->history_item_column != NULL ? o->history_item_column : o->item_id_column;
    l->has_actions = o->history_action_column != NULL;
    int rc = join_key_find(&l->user, l->reader, "history_user_column", user);
    if (rc == 0)
        rc = join_key_find(&l->item, l->reader, "history_item_column", l->item_names);
    if (rc == 0)
        rc = join_find_column(l->reader, "history_time_column", time, &l->time);
    if (rc == 0 && l->has_actions)
        rc = join_find_column(l->reader, "history_action_column", o->history_action_column, &l->action);
    return rc;
}

/* Column of the item table named in the template, with or without "items."; false: there is none. */
static bool find_item_column(const struct join_table *items, const char *name, size_t *column)
{
    size_t columns = items != NULL ? join_table_columns(items) : 0;

    if (strncmp(name, "items.", 6) == 0)
        name += 6;
    for (size_t i = 0; i < columns; i++)
        if (strcmp(join_table_column_name(items, i), name) == 0) {
            *column = i;
            return true;
        }
    for (size_t i = 0; i < columns; i++)
        if (join_name_matches(join_table_column_name(items, i), name)) {
            *column = i;
            return true;
        }
    return false;
}

static bool find_log_column(const struct table_reader *reader, const char *name, size_t *column)
{
    for (size_t i = 0; i < table_reader_columns(reader); i++)
        if (join_name_matches(table_reader_column_name(reader, i), name)) {
            *column = i;
            return true;
        }
    return false;
}

static int no_template_column(const struct loader *l, const char *name)
{
    const struct join_table *items = l->h->items;
    size_t log_columns = table_reader_columns(l->reader), item_columns = items != NULL ? join_table_columns(items) : 0;
    const char **names = mem_calloc(log_columns + item_columns, sizeof *names);

    if (names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < log_columns; i++)
        names[i] = table_reader_column_name(l->reader, i);
    for (size_t i = 0; i < item_columns; i++)
        names[log_columns + i] = join_table_column_name(items, i);
    const char *near = opt_nearest(name, names, log_columns + item_columns);
    int rc = err_set(RECO_E_USAGE, "no column '%s' (--history_template) in %s%s%s%s%s%s", name, l->label,
                     items != NULL ? " or " : "", items != NULL ? join_table_label(items) : "",
                     near != NULL ? ", did you mean '" : "", near != NULL ? near : "", near != NULL ? "'?" : "");
    mem_free(names);
    return rc;
}

/* A field of the template: its place in the scratch is its slot's number. */
static int find_slot(void *arg, const char *name, size_t *place)
{
    struct loader *l = arg;
    struct history *h = l->h;
    struct history_slot slot = {.source = HISTORY_ID};

    if (strcmp(name, l->item_names) == 0)
        slot.source = HISTORY_ID;
    else if (find_log_column(l->reader, name, &slot.column))
        slot.source = HISTORY_LOG;
    else if (find_item_column(h->items, name, &slot.column))
        slot.source = HISTORY_ITEM;
    else
        return no_template_column(l, name);
    for (*place = 0; *place < h->slot_count; (*place)++)
        if (h->slots[*place].source == slot.source && h->slots[*place].column == slot.column)
            return 0;
    slot.stored = slot.source == HISTORY_LOG ? h->stored_columns++ : 0;
    int rc = mem_grow((void **)&h->slots, &h->slot_capacity, h->slot_count + 1, sizeof *h->slots);
    if (rc == 0)
        h->slots[h->slot_count++] = slot;
    return rc;
}

static int parse_template(struct loader *l)
{
    if (l->options->history_template != NULL)
        return text_template_parse(&l->h->text_template, "history_template", l->options->history_template, find_slot,
                                   l);
    char *text = mem_printf("{%s}", l->item_names);
    if (text == NULL)
        return RECO_E_NOMEM;
    int rc = text_template_parse(&l->h->text_template, "history_template", text, find_slot, l);
    mem_free(text);
    return rc;
}

/* ---- reading and sorting ---- */

static int add_text(struct buf *b, const struct csv_field *field)
{
    uint32_t length = (uint32_t)field->length;

    int rc = buf_add(b, &length, sizeof length);
    if (rc == 0)
        rc = buf_add(b, field->text, field->length);
    return rc < 0 ? rc : buf_add_char(b, '\0');
}

/* The action counts: it is one of history_actions, or all do. */
static bool is_wanted(const struct loader *l, const struct csv_record *record)
{
    const struct opt_list *actions = &l->options->history_actions;

    if (!l->has_actions || actions->count == 0)
        return true;
    for (size_t i = 0; i < actions->count; i++)
        if (strcmp(actions->items[i], record->fields[l->action].text) == 0)
            return true;
    return false;
}

/* Key: hash of the user, user, NUL, time. Value: row of the item, texts of the action. */
static int add_action(struct loader *l, const struct csv_record *record, const struct csv_field *user,
                      const struct csv_field *item, int64_t time_us)
{
    struct history *h = l->h;
    unsigned char hash_key[8], time_key[8];
    uint64_t item_row = 0;

    if (h->items != NULL && join_table_lookup(h->items, item->text, item->length, &item_row))
        item_row++;
    l->without_item += h->items != NULL && item_row == 0;
    sorter_u64(hash_key, hash_u64(user->text, user->length, 0));
    sorter_u64(time_key, (uint64_t)time_us ^ UINT64_C(1) << 63);
    buf_clear(&l->key);
    buf_clear(&l->value);
    int rc = buf_add(&l->key, hash_key, sizeof hash_key);
    if (rc == 0)
        rc = buf_add(&l->key, user->text, user->length + 1);
    if (rc == 0)
        rc = buf_add(&l->key, time_key, sizeof time_key);
    if (rc == 0)
        rc = buf_add(&l->value, &item_row, sizeof item_row);
    if (rc == 0)
        rc = add_text(&l->value, item);
    for (size_t i = 0; rc == 0 && i < h->slot_count; i++)
        if (h->slots[i].source == HISTORY_LOG)
            rc = add_text(&l->value, &record->fields[h->slots[i].column]);
    if (rc == 0)
        rc = sorter_add(l->sorter, l->key.data, l->key.length, l->value.data, l->value.length);
    return rc;
}

static int read_row(struct loader *l, const struct csv_record *record)
{
    struct csv_field user, item;
    int64_t time_us;

    l->bad.rows++;
    if (record->bad != NULL)
        return join_bad_rows_add(&l->bad, record->line, record->bad);
    if (!is_wanted(l, record))
        return 0;
    int rc = join_key_text(&l->user, record->fields, &l->user_text, &user);
    if (rc == 0)
        rc = join_key_text(&l->item, record->fields, &l->item_text, &item);
    if (rc < 0 || user.length == 0) /* an action of nobody is in nobody's history */
        return rc;
    if (item.length == 0)
        return join_bad_rows_add(&l->bad, record->line, "the item's id is empty");
    const struct csv_field *time = &record->fields[l->time];
    if (!timestamp_parse(time->text, time->length, &time_us)) {
        buf_clear(&l->reason);
        rc = buf_printf(&l->reason, "time '%.*s' is neither a number nor an ISO 8601 time", SHOWN_BYTES, time->text);
        return rc < 0 ? rc : join_bad_rows_add(&l->bad, record->line, buf_str(&l->reason));
    }
    return add_action(l, record, &user, &item, time_us);
}

static int read_log(struct loader *l)
{
    const struct csv_record *record;
    struct progress progress = {0};
    int rc = 0;

    progress_start(&progress, l->label, (double)table_reader_total_bytes(l->reader), 0.0);
    while (rc == 0) {
        rc = table_reader_next(l->reader, &record);
        if (rc < 0 || record == NULL)
            break;
        rc = read_row(l, record);
        if (l->bad.rows % STOP_ROWS == 0) {
            progress_update(&progress, (double)table_reader_bytes_read(l->reader), "%llu actions",
                            (unsigned long long)sorter_count(l->sorter));
            if (rc == 0 && stop_requested())
                rc = err_set(RECO_E_STOPPED, "stopped by a signal");
        }
    }
    progress_clear(&progress);
    return rc;
}

/* ---- packing ---- */

static int end_user(struct history *h, struct history_user *user)
{
    int rc = user->count > 0 ? temp_file_write(h->user_file, user, sizeof *user) : 0;

    h->user_count += user->count > 0;
    return rc;
}

/* Where the parts of a key lie. */
enum { NAME_AT = 8, TIME_BYTES = 8, AROUND_NAME = NAME_AT + 1 + TIME_BYTES };

static int begin_user(struct history *h, struct history_user *user, const struct sorter_record *record)
{
    *user = (struct history_user){.hash = sorter_get_u64(record->key),
                                  .name = temp_file_bytes(h->text_file),
                                  .name_bytes = record->key_length - AROUND_NAME,
                                  .first = h->action_count};
    return temp_file_write(h->text_file, record->key + NAME_AT, (size_t)user->name_bytes);
}

static int pack_action(struct history *h, const struct sorter_record *record)
{
    struct history_action action = {
        .time_us = (int64_t)(sorter_get_u64(record->key + record->key_length - TIME_BYTES) ^ UINT64_C(1) << 63),
        .texts = temp_file_bytes(h->text_file)};

    memcpy(&action.item_row, record->value, sizeof action.item_row);
    h->action_count++;
    int rc = temp_file_write(h->text_file, record->value + sizeof action.item_row,
                             record->value_length - sizeof action.item_row);
    return rc < 0 ? rc : temp_file_write(h->action_file, &action, sizeof action);
}

static int pack(struct loader *l)
{
    struct history *h = l->h;
    struct history_user user = {.count = 0};
    const struct sorter_record *record;

    int rc = sorter_sort(l->sorter);
    buf_clear(&l->key); /* of the user in progress, without the time */
    while (rc == 0) {
        rc = sorter_next(l->sorter, &record);
        if (rc < 0 || record == NULL)
            break;
        size_t user_bytes = record->key_length - TIME_BYTES;
        if (user_bytes != l->key.length || memcmp(record->key, l->key.data, user_bytes) != 0) {
            rc = end_user(h, &user);
            if (rc == 0)
                rc = begin_user(h, &user, record);
            buf_clear(&l->key);
            if (rc == 0)
                rc = buf_add(&l->key, record->key, user_bytes);
        }
        if (rc == 0)
            rc = pack_action(h, record);
        user.count++;
    }
    return rc < 0 ? rc : end_user(h, &user);
}

static int load(struct loader *l, const struct table_options *table, const char *tmp_dir)
{
    struct history *h = l->h;

    int rc = join_reader_open(&l->reader, l->options->history_file, "history_file", table);
    if (rc == 0)
        rc = find_columns(l);
    if (rc == 0)
        rc = parse_template(l);
    if (rc == 0)
        rc = sorter_new(&l->sorter, tmp_dir, SORT_BYTES);
    if (rc == 0)
        rc = temp_file_open(&h->user_file, tmp_dir);
    if (rc == 0)
        rc = temp_file_open(&h->action_file, tmp_dir);
    if (rc == 0)
        rc = temp_file_open(&h->text_file, tmp_dir);
    if (rc == 0)
        rc = read_log(l);
    if (rc == 0)
        rc = join_bad_rows_check(&l->bad, l->label, &l->options->max_bad_rows);
    if (rc == 0)
        rc = pack(l);
    if (rc == 0 && h->action_count == 0)
        rc = err_set(RECO_E_DATA, "cannot use %s: no row is an action that counts (--history_actions)", l->label);
    if (rc == 0 && l->without_item > 0)
        log_warn("%s: %llu of %llu actions are on items that are not in %s", l->label,
                 (unsigned long long)l->without_item, (unsigned long long)h->action_count, join_table_label(h->items));
    return rc;
}

int history_load(struct history *h, const struct assemble_options *options, const struct table_options *table,
                 const char *tmp_dir)
{
    struct loader l = {.h = h, .options = options};

    l.label = mem_printf("'%s'", options->history_file);
    int rc = l.label == NULL ? RECO_E_NOMEM : load(&l, table, tmp_dir);
    sorter_free(l.sorter);
    table_reader_close(l.reader);
    mem_free(l.label);
    buf_release(&l.bad.first);
    buf_release(&l.user_text);
    buf_release(&l.item_text);
    buf_release(&l.key);
    buf_release(&l.value);
    buf_release(&l.reason);
    return rc;
}
