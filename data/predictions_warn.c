/* Predictions that can be used, but are hardly what somebody meant. */

#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/predictions_reader.h"

/* Labels and predictions of two vocabularies, as True and 1: nothing is ever right. */
static int warn_of_strangers(const struct predictions *p, const char *path)
{
    bool *is_label = mem_calloc((size_t)p->labels.count, sizeof *is_label);
    int label = -1;
    int predicted = -1;
    if (!is_label) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        label = p->label[row] >= 0 ? p->label[row] : label;
        if (p->label[row] >= 0) {
            is_label[p->label[row]] = true;
        }
    }
    for (size_t row = 0; row < p->rows && label >= 0; row++) {
        predicted = p->predicted[row];
        if (is_label[predicted]) {
            label = -1;
        }
    }
    if (label >= 0) {
        log_warn("'%s': no row has a label that is ever predicted, as '%s', and none is predicted that is a label, as "
                 "'%s': are they named alike?",
                 path, p->labels.names[label], p->labels.names[predicted]);
    }
    mem_free(is_label);
    return 0;
}

/* ---- an item for the second time in the list of a query ---- */

struct doubled {
    const struct predictions *p;
    uint32_t *seen_in; /* [item_count] the query + 1 that an item was last seen in */
    size_t count, first;
};

static void look_at_row(struct doubled *d, size_t row)
{
    const struct predictions *p = d->p;
    uint32_t item = p->item[row];
    if (!*p->item_ids[item]) {
        return;
    }
    if (d->seen_in[item] == p->query[row] + 1) {
        d->first = !d->count || row < d->first ? row : d->first;
        d->count++;
    }
    d->seen_in[item] = p->query[row] + 1;
}

/* They are numbered as they come, so that one that comes again has a lower number than the one before. */
static bool queries_are_in_one_piece(const struct predictions *p)
{
    for (size_t row = 1; row < p->rows; row++) {
        if (p->query[row] < p->query[row - 1]) {
            return false;
        }
    }
    return true;
}

/* The rows by query, in the order of the file. */
static int rows_by_query(const struct predictions *p, uint32_t **rows)
{
    size_t *end = mem_calloc(p->query_count + 1, sizeof *end);
    *rows = mem_alloc((p->rows + 1) * sizeof **rows);
    if (!end || !*rows) {
        mem_free(end);
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        end[p->query[row] + 1]++;
    }
    for (size_t query = 0; query < p->query_count; query++) {
        end[query + 1] += end[query];
    }
    for (size_t row = 0; row < p->rows; row++) {
        (*rows)[end[p->query[row]]++] = (uint32_t)row;
    }
    mem_free(end);
    return 0;
}

static int warn_of_doubled_items(const struct predictions_reader *r)
{
    const struct predictions *p = r->p;
    struct doubled d = {.p = p, .seen_in = mem_calloc(p->item_count + 1, sizeof *d.seen_in)};
    uint32_t *rows = NULL;
    int rc = d.seen_in ? 0 : RECO_E_NOMEM;
    if (!rc && !queries_are_in_one_piece(p)) {
        rc = rows_by_query(p, &rows);
    }
    for (size_t i = 0; !rc && i < p->rows; i++) {
        look_at_row(&d, rows ? rows[i] : i);
    }
    if (!rc && d.count) {
        log_warn("'%s': %zu row%s an item for the second time in the list of its query, the first in %s %llu ('%s' of "
                 "'%s'); rankings count each: are several runs in one file?",
                 r->path, d.count, d.count == 1 ? " is" : "s are", r->line_a_row ? "line" : "row",
                 (unsigned long long)d.first + (r->line_a_row ? r->first_row_line : 1), p->item_ids[p->item[d.first]],
                 p->query_ids[p->query[d.first]]);
    }
    mem_free(rows);
    mem_free(d.seen_in);
    return rc;
}

int predictions_warn(const struct predictions_reader *r)
{
    const struct predictions *p = r->p;
    int rc = !r->map_known && p->label && p->predicted ? warn_of_strangers(p, r->path) : 0;
    return !rc && p->query && p->item ? warn_of_doubled_items(r) : rc;
}
