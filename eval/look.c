#include <stdlib.h>
#include <string.h>

#include "data/lines.h"
#include "data/predictions_reader.h"
#include "eval/mistakes.h"

void look_release(struct look *look)
{
    mem_free(look->rows);
    mem_arena_release(&look->text);
    *look = (struct look){0};
}

static int compare_rows(const void *left, const void *right)
{
    size_t a = ((const struct look_row *)left)->row;
    size_t b = ((const struct look_row *)right)->row;
    return a < b ? -1 : a > b;
}

int look_plan(struct look *look, const struct mistakes *m)
{
    size_t count = 0;
    look->rows = mem_calloc(m->count + m->query_count + 1, sizeof *look->rows);
    if (!look->rows) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < m->count; i++) {
        look->rows[count++].row = m->items[i].row;
    }
    for (size_t i = 0; i < m->query_count; i++) {
        if (m->queries[i].row != SIZE_MAX) {
            look->rows[count++].row = m->queries[i].row;
        }
    }
    qsort(look->rows, count, sizeof *look->rows, compare_rows);
    for (size_t i = 0; i < count; i++) {
        if (!look->count || look->rows[look->count - 1].row != look->rows[i].row) {
            look->rows[look->count++] = look->rows[i];
        }
    }
    return 0;
}

const struct look_row *look_find(const struct look *look, size_t row)
{
    const struct look_row key = {.row = row};
    return look->count ? bsearch(&key, look->rows, look->count, sizeof *look->rows, compare_rows) : NULL;
}

/* ---- the predictions file ---- */

static enum column_kind column_of(const char *name)
{
    static const struct {
        const char *name;
        enum column_kind kind;
    } fixed[] = {{"row_id", COLUMN_ROW_ID},  {"query_id", COLUMN_QUERY_ID}, {"item_id", COLUMN_ITEM_ID},
                 {"label", COLUMN_IGNORED},  {"predicted", COLUMN_IGNORED}, {"score", COLUMN_IGNORED},
                 {"tokens", COLUMN_IGNORED}, {"truncated", COLUMN_IGNORED}};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (!strcmp(name, fixed[i].name)) {
            return fixed[i].kind;
        }
    }
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        if (!strcmp(name, predictions_event_names[i])) {
            return COLUMN_IGNORED;
        }
    }
    return strncmp(name, "p_", 2) != 0 ? COLUMN_EXTRA : COLUMN_IGNORED;
}

/* The next field of a line, ended by a NUL byte and unescaped; *rest is NULL behind the last one. */
static char *next_field(char **rest)
{
    char *field = *rest;
    size_t length = strcspn(field, "\t");
    *rest = field[length] ? field + length + 1 : NULL;
    field[length] = '\0';
    (void)predictions_unescape(field, length);
    return field;
}

/* The kinds of the columns, allocated, and the names of the carried ones. */
static int read_header(struct look *look, char *line, enum column_kind **kinds, size_t *count)
{
    *count = 1;
    for (const char *at = line; *at; at++) {
        *count += *at == '\t';
    }
    *kinds = mem_calloc(*count, sizeof **kinds);
    look->names = mem_arena_alloc(&look->text, *count * sizeof *look->names);
    if (!*kinds || !look->names) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < *count; i++) {
        const char *name = next_field(&line);
        (*kinds)[i] = column_of(name);
        if ((*kinds)[i] != COLUMN_EXTRA) {
            continue;
        }
        look->names[look->extra_count] = mem_arena_strndup(&look->text, name, strlen(name));
        if (!look->names[look->extra_count++]) {
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

static int take_row(struct look *look, struct look_row *to, char *line, const enum column_kind *kinds, size_t count)
{
    size_t extra = 0;
    to->extra = mem_arena_alloc(&look->text, (look->extra_count + 1) * sizeof *to->extra);
    if (!to->extra) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < look->extra_count; i++) {
        to->extra[i] = "";
    }
    for (size_t i = 0; i < count && line; i++) {
        const char *field = next_field(&line);
        const char *kept = kinds[i] == COLUMN_IGNORED ? "" : mem_arena_strndup(&look->text, field, strlen(field));
        if (!kept) {
            return RECO_E_NOMEM;
        }
        if (kinds[i] == COLUMN_EXTRA) {
            to->extra[extra++] = kept;
        } else if (kinds[i] != COLUMN_IGNORED) {
            *(kinds[i] == COLUMN_ROW_ID     ? &to->row_id
              : kinds[i] == COLUMN_QUERY_ID ? &to->query_id
                                            : &to->item_id) = kept;
        }
    }
    return 0;
}

int look_in_file(struct look *look, const char *path)
{
    struct line_reader *lines = NULL;
    enum column_kind *kinds = NULL;
    size_t columns = 0;
    size_t length;
    char *line = NULL;
    int rc = line_reader_open(&lines, path);
    if (!rc) {
        rc = line_reader_next(lines, &line, &length);
    }
    if (!rc && line) {
        rc = read_header(look, line, &kinds, &columns);
    }
    size_t row = 0;
    for (size_t i = 0; !rc && line && i < look->count; i++) {
        do {
            rc = line_reader_next(lines, &line, &length);
        } while (!rc && line && row++ < look->rows[i].row);
        if (!rc && line) {
            rc = take_row(look, &look->rows[i], line, kinds, columns);
        }
    }
    mem_free(kinds);
    line_reader_close(lines);
    return rc;
}

/* ---- predictions in memory ---- */

int look_in_memory(struct look *look, const struct predictions *p)
{
    look->extra_count = p->extra_count;
    look->names = mem_arena_alloc(&look->text, (p->extra_count + 1) * sizeof *look->names);
    if (!look->names) {
        return RECO_E_NOMEM;
    }
    for (size_t c = 0; c < p->extra_count; c++) {
        look->names[c] = p->extra[c].name;
    }
    for (size_t i = 0; i < look->count; i++) {
        struct look_row *to = &look->rows[i];
        to->row_id = p->row_ids ? p->row_ids[to->row] : NULL;
        to->query_id = p->query ? p->query_ids[p->query[to->row]] : NULL;
        to->item_id = p->item ? p->item_ids[p->item[to->row]] : NULL;
        to->extra = mem_arena_alloc(&look->text, (p->extra_count + 1) * sizeof *to->extra);
        if (!to->extra) {
            return RECO_E_NOMEM;
        }
        for (size_t c = 0; c < p->extra_count; c++) {
            to->extra[c] = p->extra[c].values[to->row];
        }
    }
    return 0;
}

/* ---- the dataset ---- */

static int compare_ids(const void *left, const void *right)
{
    return strcmp((*(const struct look_row *const *)left)->row_id, (*(const struct look_row *const *)right)->row_id);
}

static int take_texts(struct look *look, struct look_row *to, const struct dataset_split *split, size_t row)
{
    struct buf query = {0};
    struct buf description = {0};
    int rc = dataset_texts(split, row, &query, &description);
    if (!rc) {
        to->query = mem_arena_strndup(&look->text, buf_str(&query), query.length);
        to->description = mem_arena_strndup(&look->text, buf_str(&description), description.length);
        rc = to->query && to->description ? 0 : RECO_E_NOMEM;
        look->in_dataset += !rc;
    }
    buf_release(&query);
    buf_release(&description);
    return rc;
}

/* The row id of a row of the split in id; it stands first. */
static int row_id_of(struct buf *id, const struct dataset_split *split, size_t row)
{
    size_t length;
    const char *columns = dataset_columns(split, row, &length);
    const char *tab = memchr(columns, '\t', length);
    buf_clear(id);
    int rc = buf_add(id, columns, tab ? (size_t)(tab - columns) : length);
    if (!rc && id->length) {
        id->length = predictions_unescape(id->data, id->length);
    }
    return rc;
}

int look_in_dataset(struct look *look, const struct dataset_split *split)
{
    struct buf id = {0};
    size_t known = 0;
    struct look_row **by_id = mem_calloc(look->count + 1, sizeof *by_id);
    int rc = by_id ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < look->count; i++) {
        if (look->rows[i].row_id) {
            by_id[known++] = &look->rows[i];
        }
    }
    if (!rc) {
        qsort(by_id, known, sizeof *by_id, compare_ids);
    }
    for (size_t row = 0, rows = dataset_rows(split); !rc && known && row < rows; row++) {
        rc = row_id_of(&id, split, row);
        const struct look_row key = {.row_id = buf_str(&id)};
        const struct look_row *sought = &key;
        struct look_row **found = rc ? NULL : bsearch(&sought, by_id, known, sizeof *by_id, compare_ids);
        if (found && !(*found)->query) {
            rc = take_texts(look, *found, split, row);
        }
    }
    buf_release(&id);
    mem_free(by_id);
    return rc;
}
