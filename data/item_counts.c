#include "data/item_counts.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "data/lines.h"

struct item_reader {
    struct item_counts *items;
    struct text_index index;
    const char *path;
    size_t capacity;
};

static int grow(struct item_reader *r)
{
    struct item_counts *items = r->items;
    size_t larger = r->capacity + r->capacity / 2 + 1024;
    void *ids = mem_realloc_array(items->ids, larger, sizeof *items->ids);
    items->ids = ids ? ids : items->ids;
    void *counts = mem_realloc_array(items->counts, larger, sizeof *items->counts);
    items->counts = counts ? counts : items->counts;
    if (!ids || !counts) {
        return RECO_E_NOMEM;
    }
    r->capacity = larger;
    return 0;
}

static int read_line(struct item_reader *r, unsigned long long line, char *text, size_t length)
{
    struct item_counts *items = r->items;
    char *mark = memrchr(text, '\t', length);
    mark = mark ? mark : memrchr(text, ',', length);
    size_t id_length = mark ? (size_t)(mark - text) : 0;
    double count = 0;
    uint32_t number;
    if (!mark || !decimal_parse(mark + 1, length - id_length - 1, &count) || !(count >= 0) || isinf(count)) {
        return line == 1 && mark
                   ? 0 /* a header */
                   : err_set(RECO_E_DATA,
                             "cannot parse '%s' line %llu: want an item id, a tab and a count, not '%.200s'", r->path,
                             line, text);
    }
    *mark = '\0';
    int rc = text_index_enter(&r->index, items->ids, (uint32_t)items->count, text, id_length, &number);
    if (!rc && number != TEXT_INDEX_NONE) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: item '%.200s' stands there twice", r->path, line,
                       text);
    }
    if (!rc && items->count == r->capacity) {
        rc = grow(r);
    }
    if (!rc) {
        items->ids[items->count] = text_store_add(&items->texts, text, id_length);
        items->counts[items->count] = count;
        rc = items->ids[items->count] ? 0 : RECO_E_NOMEM;
        items->count += !rc;
    }
    return rc;
}

int item_counts_read(struct item_counts *items, const char *path)
{
    struct item_reader r = {.items = items, .path = path};
    struct line_reader *lines = NULL;
    char *text = NULL;
    size_t length;
    int rc = line_reader_open(&lines, path);
    while (!rc && !(rc = line_reader_next(lines, &text, &length)) && text) {
        rc = read_line(&r, (unsigned long long)line_reader_number(lines), text, length);
    }
    if (!rc && !items->count) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': it has no item", path);
    }
    line_reader_close(lines);
    text_index_release(&r.index);
    return rc;
}

void item_counts_release(struct item_counts *items)
{
    text_store_release(&items->texts);
    mem_free(items->ids);
    mem_free(items->counts);
}
