#include <string.h>

#include "core/mem.h"
#include "data/predictions.h"

/* from[row] of the kept rows, packed; NULL stays NULL. */
static int keep_column(void **to, const void *from, size_t size_bytes, const uint32_t *rows, size_t count)
{
    if (!from) {
        return 0;
    }
    char *column = mem_alloc((count + 1) * size_bytes + 8); /* packed_get reads 8 bytes */
    *to = column;
    if (!column) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        memcpy(column + i * size_bytes, (const char *)from + rows[i] * size_bytes, size_bytes);
    }
    return 0;
}

#define KEEP(member, factor)                                                                                           \
    (rc = rc ? rc : keep_column((void **)&s->member, p->member, (size_t)(factor) * sizeof *p->member, rows, s->rows))

static int keep_columns(struct predictions *s, const struct predictions *p, const uint32_t *rows)
{
    int rc = 0;
    KEEP(label, 1);
    KEEP(predicted, 1);
    KEEP(target, 1);
    KEEP(value, 1);
    KEEP(p, p->labels.count);
    KEEP(score, 1);
    KEEP(query, 1);
    KEEP(packed_p.codes, p->labels.count * PACKED_BYTES);
    KEEP(packed_score.codes, PACKED_BYTES);
    s->derives_score = p->derives_score;
    KEEP(row_ids, 1);
    KEEP(item, 1);
    KEEP(truncated, 1);
    KEEP(tokens, 1);
    KEEP(position, 1);
    KEEP(clicked, 1);
    KEEP(converted, 1);
    KEEP(dwell_s, 1);
    KEEP(depth, 1);
    KEEP(propensity, 1);
    KEEP(carted, 1);
    KEEP(ordered, 1);
    KEEP(revenue, 1);
    KEEP(delay_s, 1);
    s->extra = mem_calloc(p->extra_count + 1, sizeof *s->extra);
    rc = rc || s->extra ? rc : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < p->extra_count; i++) {
        s->extra[i].name = p->extra[i].name;
        s->extra_count++;
        KEEP(extra[i].values, 1);
    }
    return rc;
}

static int keep_texts(const char ***to, size_t *to_count, const char *const *from, size_t count)
{
    if (!from) {
        return 0;
    }
    *to = mem_alloc((count + 1) * sizeof **to);
    if (!*to) {
        return RECO_E_NOMEM;
    }
    memcpy(*to, from, count * sizeof **to);
    *to_count = count;
    return 0;
}

static int keep_rare(struct packed *to, const struct packed *from)
{
    to->rare = from->rare_count ? mem_alloc(from->rare_count * sizeof *to->rare) : NULL;
    if (from->rare_count && !to->rare) {
        return RECO_E_NOMEM;
    }
    if (to->rare) {
        memcpy(to->rare, from->rare, from->rare_count * sizeof *to->rare);
        to->rare_count = from->rare_count;
    }
    return 0;
}

/* The queries of s by their order of first sight in it, and only their ids. */
static int renumber_queries(struct predictions *s, const struct predictions *p)
{
    if (!p->query) {
        return 0;
    }
    uint32_t *numbers = mem_alloc((p->query_count + 1) * sizeof *numbers);
    s->query_ids = p->query_ids ? mem_alloc((s->rows + 1) * sizeof *s->query_ids) : NULL;
    if (!numbers || (p->query_ids && !s->query_ids)) {
        mem_free(numbers);
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < s->rows; row++) {
        numbers[s->query[row]] = UINT32_MAX;
    }
    for (size_t row = 0; row < s->rows; row++) {
        uint32_t *number = &numbers[s->query[row]];
        if (*number == UINT32_MAX) {
            *number = (uint32_t)s->query_count;
            if (p->query_ids) {
                s->query_ids[s->query_count] = p->query_ids[s->query[row]];
            }
            s->query_count++;
        }
        s->query[row] = *number;
    }
    mem_free(numbers);
    return 0;
}

int predictions_take_rows(struct predictions **out, const struct predictions *p, const uint32_t *rows, size_t count)
{
    *out = NULL;
    struct predictions *s = mem_calloc(1, sizeof *s);
    int rc = s ? label_map_copy(&s->labels, &p->labels) : RECO_E_NOMEM;
    if (!rc) {
        s->rows = count;
        rc = keep_columns(s, p, rows);
    }
    if (!rc) {
        rc = keep_rare(&s->packed_p, &p->packed_p);
    }
    if (!rc) {
        rc = keep_rare(&s->packed_score, &p->packed_score);
    }
    if (!rc) {
        rc = renumber_queries(s, p);
    }
    if (!rc) {
        rc = keep_texts(&s->item_ids, &s->item_count, p->item_ids, p->item_count);
    }
    if (rc) {
        predictions_free(s);
        return rc;
    }
    s->sidecar = json_incref(p->sidecar);
    *out = s;
    return 0;
}

int predictions_select(struct predictions **out, const struct predictions *p, const bool *keep)
{
    *out = NULL;
    uint32_t *rows = mem_alloc((p->rows + 1) * sizeof *rows);
    size_t count = 0;
    for (size_t row = 0; rows && row < p->rows; row++) {
        if (keep[row]) {
            rows[count++] = (uint32_t)row;
        }
    }
    int rc = rows ? predictions_take_rows(out, p, rows, count) : RECO_E_NOMEM;
    mem_free(rows);
    return rc;
}

const char **predictions_extra_find(const struct predictions *p, const char *name)
{
    for (size_t i = 0; i < p->extra_count; i++) {
        if (!strcmp(p->extra[i].name, name)) {
            return p->extra[i].values;
        }
    }
    return NULL;
}
