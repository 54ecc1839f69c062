#include "data/assemble.h"

#include <string.h>

#include "core/mem.h"
#include "data/assemble_internal.h"
#include "data/timestamp.h"

enum { SHOWN_BYTES = 60 };

#define SIDE(prefix_text, what_text, member, id)                                                                       \
    {                                                                                                                  \
        .prefix = prefix_text, .what = what_text, .file_option = prefix_text "_file",                                  \
        .key_option = prefix_text "_key_column", .id_option = #id,                                                     \
        .file = offsetof(struct assemble_options, member##_file),                                                      \
        .key_column = offsetof(struct assemble_options, member##_key_column),                                          \
        .id_column = offsetof(struct assemble_options, id)                                                             \
    }
const struct assemble_side_info assemble_sides[ASSEMBLE_SIDES] = {
    SIDE("items", "item", items, item_id_column),
    SIDE("users", "user", users, user_id_column),
    SIDE("queries", "query", queries, query_id_column),
};

const char *assemble_option(const struct assemble_options *options, size_t offset)
{
    const char *value;

    memcpy(&value, (const char *)options + offset, sizeof value);
    return value;
}

/* ---- the options alone ---- */

static int needs(const char *option, const char *needed, const char *why)
{
    return err_set(RECO_E_USAGE, "--%s needs --%s%s%s", option, needed, why[0] != '\0' ? ", " : "", why);
}

static int check_history(const struct assemble_options *o)
{
    const struct {
        const char *value, *option;
    } extras[] = {{o->history_user_column, "history_user_column"},
                  {o->history_item_column, "history_item_column"},
                  {o->history_time_column, "history_time_column"},
                  {o->history_action_column, "history_action_column"},
                  {o->history_template, "history_template"}};

    for (size_t i = 0; o->history_file == NULL && i < sizeof extras / sizeof extras[0]; i++)
        if (extras[i].value != NULL)
            return needs(extras[i].option, "history_file", "");
    if (o->history_actions.count > 0 && o->history_action_column == NULL)
        return needs("history_actions", "history_action_column", "the column that names the action");
    if (o->history_file == NULL)
        return 0;
    if (o->user_id_column == NULL)
        return needs("history_file", "user_id_column", "whose history a row has");
    if (o->time_column == NULL)
        return needs("history_file", "time_column", "a row's history is what was before its time");
    if (o->history_item_column == NULL && o->item_id_column == NULL)
        return needs("history_file", "history_item_column", "or --item_id_column where both have one name");
    if (o->history_length < 1)
        return err_set(RECO_E_USAGE, "--history_length must be at least 1");
    return 0;
}

int assemble_options_check(const struct assemble_options *o)
{
    for (int i = 0; i < ASSEMBLE_SIDES; i++) {
        const struct assemble_side_info *side = &assemble_sides[i];
        bool has_file = assemble_option(o, side->file) != NULL;
        if (has_file && assemble_option(o, side->id_column) == NULL)
            return needs(side->file_option, side->id_option, "the column that it is joined by");
        if (!has_file && assemble_option(o, side->key_column) != NULL)
            return needs(side->key_option, side->file_option, "");
    }
    return check_history(o);
}

/* ---- the tables ---- */

int assembler_open(struct assembler **out, const struct assemble_options *options, const struct table_options *table,
                   const char *tmp_dir)
{
    struct assembler *a;

    int rc = assemble_options_check(options);
    if (rc < 0)
        return rc;
    a = mem_calloc(1, sizeof *a);
    if (a == NULL)
        return RECO_E_NOMEM;
    a->options = options;
    for (int i = 0; rc == 0 && i < ASSEMBLE_SIDES; i++) {
        const struct assemble_side_info *side = &assemble_sides[i];
        const char *key = assemble_option(options, side->key_column);
        struct join_table_options o = {.path = assemble_option(options, side->file),
                                       .what = side->what,
                                       .file_option = side->file_option,
                                       .key_names = key != NULL ? key : assemble_option(options, side->id_column),
                                       .key_option = side->key_option,
                                       .table = table,
                                       .tmp_dir = tmp_dir,
                                       .max_bad_rows = options->max_bad_rows};
        if (o.path != NULL)
            rc = join_table_open(&a->tables[i], &o);
    }
    if (rc == 0 && options->history_file != NULL)
        rc = history_open(&a->history, options, table, a->tables[ASSEMBLE_ITEMS], tmp_dir);
    if (rc < 0) {
        assembler_close(a);
        return rc;
    }
    *out = a;
    return 0;
}

void assembler_close(struct assembler *a)
{
    if (a == NULL)
        return;
    history_close(a->history);
    for (int i = 0; i < ASSEMBLE_SIDES; i++)
        join_table_close(a->tables[i]);
    mem_free(a);
}

/* ---- one file ---- */

static int find_ids(struct assembly *as)
{
    const struct assemble_options *o = as->a->options;
    int rc = 0;

    for (int i = 0; rc == 0 && i < ASSEMBLE_SIDES; i++) {
        const char *id = assemble_option(o, assemble_sides[i].id_column);
        bool several = i == ASSEMBLE_ITEMS && id != NULL && strchr(id, ',') != NULL;
        if (as->a->tables[i] != NULL || several)
            rc = join_key_find(&as->ids[i], as->reader, assemble_sides[i].id_option, id);
    }
    if (rc == 0 && as->a->history != NULL)
        rc = join_key_find(&as->user, as->reader, "user_id_column", o->user_id_column);
    if (rc == 0 && as->a->history != NULL)
        rc = join_find_column(as->reader, "time_column", o->time_column, &as->time);
    return rc;
}

int assembly_open(struct assembly **out, const struct assembler *a, const struct table_reader *reader,
                  const char *file_label)
{
    struct assembly *as = mem_calloc(1, sizeof *as);

    if (as == NULL)
        return RECO_E_NOMEM;
    as->a = a;
    as->reader = reader;
    as->label = mem_strdup(file_label);
    int rc = as->label == NULL ? RECO_E_NOMEM : find_ids(as);
    if (rc == 0)
        rc = assembly_columns_init(as);
    if (rc < 0) {
        assembly_close(as);
        return rc;
    }
    *out = as;
    return 0;
}

void assembly_close(struct assembly *as)
{
    if (as == NULL)
        return;
    for (size_t i = 0; as->names != NULL && i < as->column_count - as->own_count; i++)
        mem_free(as->names[i]);
    mem_free(as->names);
    mem_free(as->is_wanted);
    mem_free(as->label);
    mem_free(as);
}

/* ---- rows ---- */

struct assembly_lane {
    const struct assembly *as;
    struct csv_field *fields;  /* [column_count] */
    struct csv_field *scratch; /* of the history */
    struct buf ids[ASSEMBLE_SIDES], user;
    /* The history last made: the rows of one search have one user and one time. */
    bool has_history;
    struct buf history_user, text, items;
    int64_t history_us;
};

int assembly_lane_new(struct assembly_lane **out, const struct assembly *as)
{
    struct assembly_lane *lane = mem_calloc(1, sizeof *lane);

    if (lane == NULL)
        return RECO_E_NOMEM;
    lane->as = as;
    lane->fields = mem_calloc(as->column_count, sizeof *lane->fields);
    if (as->a->history != NULL)
        lane->scratch = mem_calloc(history_scratch_fields(as->a->history), sizeof *lane->scratch);
    if (lane->fields == NULL || (as->a->history != NULL && lane->scratch == NULL)) {
        assembly_lane_free(lane);
        return RECO_E_NOMEM;
    }
    *out = lane;
    return 0;
}

void assembly_lane_free(struct assembly_lane *lane)
{
    if (lane == NULL)
        return;
    for (int i = 0; i < ASSEMBLE_SIDES; i++)
        buf_release(&lane->ids[i]);
    buf_release(&lane->user);
    buf_release(&lane->history_user);
    buf_release(&lane->text);
    buf_release(&lane->items);
    mem_free(lane->fields);
    mem_free(lane->scratch);
    mem_free(lane);
}

static int widen_side(struct assembly_lane *lane, enum assemble_side side, const struct csv_field *record,
                      struct buf *bad)
{
    const struct assembly *as = lane->as;
    const struct join_table *table = as->a->tables[side];
    struct csv_field id;
    uint64_t row;

    if (as->ids[side].count == 0)
        return 0;
    int rc = join_key_text(&as->ids[side], record, &lane->ids[side], &id);
    if (side == ASSEMBLE_ITEMS && as->item_id != ASSEMBLE_NO_COLUMN)
        lane->fields[as->item_id] = id;
    if (rc < 0 || table == NULL)
        return rc;
    if (id.length > 0 && join_table_lookup(table, id.text, id.length, &row)) {
        join_table_fields(table, row, lane->fields + as->first[side]);
        return 0;
    }
    if (side == ASSEMBLE_USERS && id.length == 0) {
        for (size_t i = 0; i < join_table_columns(table); i++)
            lane->fields[as->first[side] + i] = (struct csv_field){.text = "", .length = 0};
        return 0;
    }
    if (id.length == 0)
        return buf_printf(bad, "empty %s id, looked up in %s", assemble_sides[side].what, join_table_label(table));
    return buf_printf(bad, "%s '%.*s' is not in %s", assemble_sides[side].what, SHOWN_BYTES, id.text,
                      join_table_label(table));
}

static int make_history(struct assembly_lane *lane, const struct csv_field *user, int64_t time_us)
{
    const struct assembly *as = lane->as;

    if (lane->has_history && lane->history_us == time_us && lane->history_user.length == user->length &&
        memcmp(buf_str(&lane->history_user), user->text, user->length) == 0)
        return 0;
    lane->has_history = false;
    lane->history_us = time_us;
    buf_clear(&lane->history_user);
    int rc = buf_add(&lane->history_user, user->text, user->length);
    if (rc == 0)
        rc = history_render(as->a->history, user, time_us, lane->scratch, as->is_wanted[0] ? &lane->text : NULL,
                            as->is_wanted[1] ? &lane->items : NULL);
    lane->has_history = rc == 0;
    return rc;
}

static int widen_history(struct assembly_lane *lane, const struct csv_field *record, struct buf *bad)
{
    const struct assembly *as = lane->as;
    const struct csv_field *time = &record[as->time];
    struct csv_field user;
    int64_t time_us;

    if (time->length == 0)
        return buf_add_str(bad, "empty time");
    if (!timestamp_parse(time->text, time->length, &time_us))
        return buf_printf(bad, "time '%.*s' is neither a number nor an ISO 8601 time", SHOWN_BYTES, time->text);
    int rc = join_key_text(&as->user, record, &lane->user, &user);
    if (rc == 0)
        rc = make_history(lane, &user, time_us);
    lane->fields[as->history] = (struct csv_field){.text = buf_str(&lane->text), .length = lane->text.length};
    lane->fields[as->history_items] = (struct csv_field){.text = buf_str(&lane->items), .length = lane->items.length};
    return rc;
}

int assembly_widen(struct assembly_lane *lane, const struct csv_field *record, const struct csv_field **fields,
                   struct buf *bad)
{
    const struct assembly *as = lane->as;
    int rc = 0;

    buf_clear(bad);
    *fields = record;
    if (as->column_count == as->own_count)
        return 0;
    memcpy(lane->fields, record, as->own_count * sizeof *record);
    for (int side = 0; rc == 0 && bad->length == 0 && side < ASSEMBLE_SIDES; side++)
        rc = widen_side(lane, side, record, bad);
    if (rc == 0 && bad->length == 0 && as->a->history != NULL)
        rc = widen_history(lane, record, bad);
    *fields = lane->fields;
    return rc;
}
