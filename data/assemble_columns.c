#include <string.h>

#include "core/mem.h"
#include "data/assemble_internal.h"

/* What a name means. */
enum resolution { RESOLVED, RESOLVED_OWN, RESOLVED_NOT, RESOLVED_TWICE };

static const char *side_column(const struct assembly *as, enum assemble_side side, size_t column)
{
    return join_table_column_name(as->a->tables[side], column);
}

/* Column of a side table: by its whole name, else by its name without type. ASSEMBLE_NO_COLUMN: none. */
static size_t find_in_side(const struct assembly *as, enum assemble_side side, const char *name)
{
    size_t columns = as->a->tables[side] != NULL ? join_table_columns(as->a->tables[side]) : 0;

    for (size_t i = 0; i < columns; i++)
        if (strcmp(side_column(as, side, i), name) == 0)
            return as->first[side] + i;
    for (size_t i = 0; i < columns; i++)
        if (join_name_matches(side_column(as, side, i), name))
            return as->first[side] + i;
    return ASSEMBLE_NO_COLUMN;
}

static bool own_has(const struct assembly *as, const char *name)
{
    for (size_t i = 0; i < as->own_count; i++)
        if (join_name_matches(table_reader_column_name(as->reader, i), name))
            return true;
    return false;
}

/* RESOLVED_OWN leaves the place to join_find_column. sides [2]: the tables of RESOLVED_TWICE. */
static enum resolution resolve(const struct assembly *as, const char *name, size_t *column, enum assemble_side sides[2])
{
    if (own_has(as, name))
        return RESOLVED_OWN;
    *column = ASSEMBLE_NO_COLUMN;
    if (as->item_id != ASSEMBLE_NO_COLUMN && strcmp(name, as->a->options->item_id_column) == 0)
        *column = as->item_id;
    else if (strcmp(name, "history") == 0)
        *column = as->history;
    else if (strcmp(name, "history_items") == 0)
        *column = as->history_items;
    if (*column != ASSEMBLE_NO_COLUMN)
        return RESOLVED;
    for (int side = 0; side < ASSEMBLE_SIDES; side++) {
        size_t length = strlen(assemble_sides[side].prefix);
        if (strncmp(name, assemble_sides[side].prefix, length) == 0 && name[length] == '.')
            *column = find_in_side(as, side, name + length + 1);
        if (*column != ASSEMBLE_NO_COLUMN)
            return RESOLVED;
    }
    for (int side = 0; side < ASSEMBLE_SIDES; side++) {
        size_t found = find_in_side(as, side, name);
        if (found == ASSEMBLE_NO_COLUMN)
            continue;
        sides[*column != ASSEMBLE_NO_COLUMN] = side;
        if (*column != ASSEMBLE_NO_COLUMN)
            return RESOLVED_TWICE;
        *column = found;
    }
    return *column != ASSEMBLE_NO_COLUMN ? RESOLVED : RESOLVED_NOT;
}

static bool is_plain(const struct assembly *as)
{
    return as->column_count == as->own_count;
}

static int no_column(const struct assembly *as, const char *option, const char *name)
{
    if (is_plain(as) && strncmp(name, "history", 7) != 0)
        return join_find_column(as->reader, option, name, &(size_t){0});
    if (as->history == ASSEMBLE_NO_COLUMN && (strcmp(name, "history") == 0 || strcmp(name, "history_items") == 0))
        return err_set(RECO_E_USAGE, "no column '%s' (--%s): there is no history without --history_file", name, option);
    const char **names = mem_calloc(as->column_count, sizeof *names);
    if (names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = 0; i < as->column_count; i++)
        names[i] = assembly_column_name(as, i);
    const char *near = opt_nearest(name, names, as->column_count);
    int rc = err_set(RECO_E_USAGE, "no column '%s' (--%s) in %s%s%s%s%s", name, option, as->label,
                     is_plain(as) ? "" : " or the tables joined to it", near != NULL ? ", did you mean '" : "",
                     near != NULL ? near : "", near != NULL ? "'?" : "");
    mem_free(names);
    return rc;
}

int assembly_find(const struct assembly *as, const char *option, const char *name, size_t *column)
{
    enum assemble_side sides[2];
    size_t found;

    switch (resolve(as, name, &found, sides)) {
    case RESOLVED_OWN:
        return join_find_column(as->reader, option, name, column);
    case RESOLVED_TWICE:
        return err_set(RECO_E_USAGE, "column '%s' (--%s) is in %s and %s: write '%s.%s' or '%s.%s'", name, option,
                       join_table_label(as->a->tables[sides[0]]), join_table_label(as->a->tables[sides[1]]),
                       assemble_sides[sides[0]].prefix, name, assemble_sides[sides[1]].prefix, name);
    case RESOLVED_NOT:
        return no_column(as, option, name);
    case RESOLVED:
        break;
    }
    as->is_wanted[0] = as->is_wanted[0] || found == as->history;
    as->is_wanted[1] = as->is_wanted[1] || found == as->history_items;
    *column = found;
    return 0;
}

bool assembly_has(const struct assembly *as, const char *name)
{
    enum assemble_side sides[2];
    size_t column;
    enum resolution found = resolve(as, name, &column, sides);

    return found == RESOLVED || found == RESOLVED_OWN;
}

size_t assembly_columns(const struct assembly *as)
{
    return as->column_count;
}

const char *assembly_column_name(const struct assembly *as, size_t column)
{
    return column < as->own_count ? table_reader_column_name(as->reader, column) : as->names[column - as->own_count];
}

/* The bare name where it means this column, else with the table in front. */
static char *name_in_side(const struct assembly *as, enum assemble_side side, size_t column)
{
    const char *name = side_column(as, side, column);
    enum assemble_side sides[2];
    size_t found;

    if (resolve(as, name, &found, sides) == RESOLVED && found == as->first[side] + column)
        return mem_strdup(name);
    return mem_printf("%s.%s", assemble_sides[side].prefix, name);
}

int assembly_columns_init(struct assembly *as)
{
    size_t next = as->own_count = table_reader_columns(as->reader);

    as->item_id = as->ids[ASSEMBLE_ITEMS].count > 1 ? next++ : ASSEMBLE_NO_COLUMN;
    for (int side = 0; side < ASSEMBLE_SIDES; side++) {
        as->first[side] = next;
        next += as->a->tables[side] != NULL ? join_table_columns(as->a->tables[side]) : 0;
    }
    as->history = as->a->history != NULL ? next++ : ASSEMBLE_NO_COLUMN;
    as->history_items = as->a->history != NULL ? next++ : ASSEMBLE_NO_COLUMN;
    as->column_count = next;
    as->is_wanted = mem_calloc(2, sizeof *as->is_wanted);
    as->names = mem_calloc(next - as->own_count + 1, sizeof *as->names);
    if (as->is_wanted == NULL || as->names == NULL)
        return RECO_E_NOMEM;
    for (size_t i = as->own_count; i < next; i++) {
        char *name = NULL;
        if (i == as->item_id)
            name = mem_strdup(as->a->options->item_id_column);
        else if (i == as->history || i == as->history_items)
            name = mem_strdup(i == as->history ? "history" : "history_items");
        for (int side = 0; side < ASSEMBLE_SIDES; side++)
            if (as->a->tables[side] != NULL && i >= as->first[side] &&
                i - as->first[side] < join_table_columns(as->a->tables[side]))
                name = name_in_side(as, side, i - as->first[side]);
        if (name == NULL)
            return RECO_E_NOMEM;
        as->names[i - as->own_count] = name;
    }
    return 0;
}
