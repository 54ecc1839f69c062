#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/predictions_feed.h"
#include "data/predictions_names.h"
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

/* The columns, allocated, and the names of the carried ones. */
static int read_header(struct look *look, char *line, const char *path, const struct predictions_source *source,
                       struct column **columns, size_t *count)
{
    *count = 1;
    for (const char *at = line; *at; at++) {
        *count += *at == '\t';
    }
    char **names = mem_calloc(*count, sizeof *names);
    *columns = mem_calloc(*count, sizeof **columns);
    look->names = mem_arena_alloc(&look->text, *count * sizeof *look->names);
    int rc = names && *columns && look->names ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < *count; i++) {
        names[i] = next_field(&line);
    }
    rc = rc ? rc : predictions_name_columns(*columns, names, *count, path, source);
    for (size_t i = 0; !rc && i < *count; i++) {
        if ((*columns)[i].kind == COLUMN_EXTRA) {
            look->names[look->extra_count] = mem_arena_strndup(&look->text, names[i], strlen(names[i]));
            rc = look->names[look->extra_count++] ? 0 : RECO_E_NOMEM;
        }
    }
    mem_free(names);
    return rc;
}

static int take_row(struct look *look, struct look_row *to, char *line, const struct column *columns, size_t count)
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
        const char **kept = columns[i].kind == COLUMN_EXTRA      ? &to->extra[extra++]
                            : columns[i].kind == COLUMN_ROW_ID   ? &to->row_id
                            : columns[i].kind == COLUMN_QUERY_ID ? &to->query_id
                            : columns[i].kind == COLUMN_ITEM_ID  ? &to->item_id
                                                                 : NULL;
        if (kept && !(*kept = mem_arena_strndup(&look->text, field, strlen(field)))) {
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

/* The wanted ones among the rows of a block; first is the number of its first row, *next of the rows wanted comes next.
 */
static int take_block(struct look *look, const struct block *block, size_t *first, size_t *next,
                      const struct column *columns, size_t count)
{
    char *end = block->text + block->length;
    int rc = 0;
    for (char *at = block->text; !rc && at < end && *next < look->count; ++*first) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        newline = newline ? newline : end;
        if (*first == look->rows[*next].row) {
            *newline = '\0';
            if (newline > at && newline[-1] == '\r') {
                newline[-1] = '\0';
            }
            rc = take_row(look, &look->rows[(*next)++], at, columns, count);
        }
        at = newline + 1;
    }
    return rc;
}

int look_in_file(struct look *look, const char *path, const struct predictions_source *source)
{
    struct predictions_feed *feed = NULL;
    struct column *columns = NULL;
    struct block block = {0};
    size_t count = 0;
    size_t length;
    char *line = NULL;
    int rc = predictions_feed_open(&feed, path, source);
    if (!rc) {
        rc = predictions_feed_header(feed, &line, &length);
    }
    if (!rc) {
        rc = read_header(look, line, path, source, &columns, &count);
    }
    size_t row = 0;
    size_t next = 0;
    while (!rc && next < look->count && !(rc = predictions_feed_next(feed, &block)) && block.length) {
        rc = take_block(look, &block, &row, &next, columns, count);
    }
    predictions_columns_free(columns, count);
    mem_free(block.text);
    mem_free(block.row_line);
    predictions_feed_close(feed);
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
