#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "data/predictions_reader.h"

/* ---- columns that grow with the rows ---- */

static int grow(void **array, size_t count, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, count + 8, size_bytes); /* packed_get reads 8 bytes at the last number */
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(is_there, array, factor)                                                                                  \
    (rc = rc || !(is_there) ? rc : grow((void **)&(array), capacity * (factor), sizeof *(array)))

static int grow_rows(struct predictions_reader *r, size_t capacity)
{
    struct predictions *p = r->p;
    size_t classes = (size_t)p->labels.count;
    bool packed = r->options->packed;
    int rc = 0;
    GROW(r->map_known && !r->regression, p->label, 1);
    GROW(r->map_known && !r->regression && (r->has[COLUMN_PREDICTED] || r->has_p), p->predicted, 1);
    GROW(!r->map_known, r->label_value, 1);
    GROW(!r->map_known && r->has[COLUMN_PREDICTED], r->predicted_value, 1);
    GROW(r->regression, p->target, 1);
    GROW(r->regression, p->value, 1);
    GROW(r->has_p && packed, p->packed_p.codes, classes * PACKED_BYTES);
    GROW(r->has_p && !packed, p->p, classes);
    GROW(r->has[COLUMN_SCORE] && packed, p->packed_score.codes, PACKED_BYTES);
    GROW(r->has[COLUMN_SCORE] && !packed, p->score, 1);
    GROW(r->has[COLUMN_QUERY_ID], p->query, 1);
    GROW(r->has[COLUMN_ITEM_ID], p->item, 1);
    GROW(r->has[COLUMN_ROW_ID] && !r->in_runs, r->row_hash, 1);
    GROW(r->has[COLUMN_ROW_ID] && !r->in_runs && r->is_stream, r->row_hash_2, 1);
    GROW(r->keeps_row_ids, p->row_ids, 1);
    GROW(r->has[COLUMN_TOKENS] && r->options->tokens, p->tokens, 1);
    GROW(r->has[COLUMN_TRUNCATED], p->truncated, 1);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        GROW(r->has_event[i], r->event[i], 1);
    }
    for (size_t i = 0; i < p->extra_count; i++) {
        GROW(true, p->extra[i].values, 1);
    }
    r->capacity = rc ? r->capacity : capacity;
    return rc;
}

/* ---- taking a block over ---- */

/* renumber[i] = the number that the reader has for the block's i-th text. */
static int renumber(struct predictions_reader *r, struct dictionary *all, const struct dictionary *part)
{
    int rc = mem_grow((void **)&r->renumber, &r->renumber_capacity, part->count + 1, sizeof *r->renumber);
    for (size_t i = 0; !rc && i < part->count; i++) {
        rc = dictionary_enter(all, r->texts, part->texts[i], strlen(part->texts[i]), &r->renumber[i]);
    }
    return rc;
}

static int merge_values(struct predictions_reader *r, const struct block *block)
{
    struct predictions *p = r->p;
    const uint32_t *const from[] = {block->label, block->predicted};
    int16_t *const classes[] = {p->label, p->predicted};
    uint32_t *const numbers[] = {r->label_value, r->predicted_value};
    int rc = r->map_known ? 0 : renumber(r, &r->values, &block->values);
    for (int side = 0; !rc && side < 2; side++) {
        for (size_t i = 0; from[side] && i < block->rows; i++) {
            uint32_t value = from[side][i];
            if (r->map_known) {
                classes[side][p->rows + i] =
                    value == PREDICTIONS_NO_VALUE ? (int16_t)-1 : (int16_t)block->value_class[value];
            } else {
                numbers[side][p->rows + i] = value == PREDICTIONS_NO_VALUE ? value : r->renumber[value];
            }
        }
    }
    if (!rc && block->best) {
        memcpy(p->predicted + p->rows, block->best, block->rows * sizeof *p->predicted);
    }
    return rc;
}

static int merge_numbers(double *wide, struct packed *packed, const struct packed *from, size_t at, size_t count)
{
    if (wide) {
        for (size_t i = 0; i < count; i++) {
            wide[at + i] = packed_get(from, i);
        }
        return 0;
    }
    if (!from->rare_count) {
        memcpy(packed->codes + PACKED_BYTES * at, from->codes, PACKED_BYTES * count);
        return 0;
    }
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) { /* the places of rare numbers change */
        uint64_t code;
        memcpy(&code, from->codes + PACKED_BYTES * i, sizeof code);
        code = le64toh(code);
        if ((code >> 31 & 0x1ff) == PACKED_RARE) {
            rc = packed_put(packed, at + i, 0, 0, false, false, packed_get(from, i));
        } else {
            memcpy(packed->codes + PACKED_BYTES * (at + i), from->codes + PACKED_BYTES * i, PACKED_BYTES);
        }
    }
    return rc;
}

static int merge_ids(struct predictions_reader *r, const struct block *block)
{
    struct predictions *p = r->p;
    int rc = 0;
    if (block->query) {
        rc = renumber(r, &r->queries, &block->queries);
        for (size_t i = 0; !rc && i < block->rows; i++) {
            p->query[p->rows + i] = r->renumber[block->query[i]];
        }
    }
    if (!rc && block->item) {
        rc = renumber(r, &r->items, &block->items);
        for (size_t i = 0; !rc && i < block->items.count; i++) {
            r->any_item_id = r->any_item_id || *block->items.texts[i];
        }
        for (size_t i = 0; !rc && i < block->rows; i++) {
            p->item[p->rows + i] = r->renumber[block->item[i]];
        }
    }
    if (r->keeps_row_ids && r->any_item_id && !r->options->row_ids) {
        r->keeps_row_ids = false;
        mem_free(p->row_ids);
        p->row_ids = NULL;
    }
    for (size_t i = 0; !rc && r->keeps_row_ids && i < block->rows; i++) {
        char number[24];
        const char *id = block->row_id ? block->row_id[i] : number;
        if (!block->row_id) {
            (void)snprintf(number, sizeof number, "%zu", r->taken + p->rows + i + 1);
        }
        p->row_ids[p->rows + i] = text_store_add(r->taken ? &r->row_texts : r->texts, id, strlen(id));
        rc = p->row_ids[p->rows + i] ? 0 : RECO_E_NOMEM;
    }
    return rc;
}

#define COPY(to, from)                                                                                                 \
    do {                                                                                                               \
        if ((to) && (from)) {                                                                                          \
            memcpy((to) + r->p->rows, (from), block->rows * sizeof *(to));                                             \
        }                                                                                                              \
    } while (0)

static int merge_extra(struct predictions_reader *r, const struct block *block)
{
    struct predictions *p = r->p;
    for (size_t e = 0; e < p->extra_count; e++) {
        for (size_t i = 0; i < block->rows; i++) {
            const char *text = block->extra[e][i];
            p->extra[e].values[p->rows + i] = *text ? text_store_add(r->texts, text, strlen(text)) : "";
            if (!p->extra[e].values[p->rows + i]) {
                return RECO_E_NOMEM;
            }
        }
    }
    return 0;
}

/* Where the rows stand in the file, for those who find something out later. */
static void note_lines(struct predictions_reader *r, const struct block *block)
{
    size_t before = r->taken + r->p->rows;
    if (!before && block->rows) {
        r->first_row_line = block->row_line ? block->row_line[0] : block->first_line;
    }
    for (size_t i = 0; block->row_line && r->line_a_row && i < block->rows; i++) {
        r->line_a_row = block->row_line[i] == r->first_row_line + before + i;
    }
}

int predictions_block_merge(struct predictions_reader *r, const struct block *block)
{
    struct predictions *p = r->p;
    note_lines(r, block);
    size_t classes = (size_t)p->labels.count;
    size_t rows = p->rows + block->rows;
    int rc = rows < UINT32_MAX / 2 ? 0 : err_set(RECO_E_DATA, "cannot read '%s': over 2^31 rows", r->path);
    if (!rc && rows > r->capacity) {
        rc = grow_rows(r, rows + rows / 2);
    }
    if (!rc && !r->regression) {
        rc = merge_values(r, block);
    }
    if (!rc && r->has_p) {
        rc = merge_numbers(p->p, &p->packed_p, &block->p, p->rows * classes, block->rows * classes);
    }
    if (!rc && r->has[COLUMN_SCORE]) {
        rc = merge_numbers(p->score, &p->packed_score, &block->score, p->rows, block->rows);
    }
    if (!rc) {
        rc = merge_ids(r, block);
    }
    if (!rc && block->row_id) {
        rc = predictions_merge_row_ids(r, block);
    }
    if (!rc) {
        rc = merge_extra(r, block);
    }
    if (rc) {
        return rc;
    }
    COPY(p->target, block->target);
    COPY(p->value, block->value);
    COPY(p->tokens, block->tokens);
    COPY(p->truncated, block->truncated);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        COPY(r->event[i], block->event[i]);
    }
    p->rows = rows;
    return 0;
}

/* ---- rows that are handed over ---- */

size_t predictions_bytes_of_row(const struct predictions_reader *r)
{
    const struct predictions *p = r->p;
    size_t classes = (size_t)p->labels.count;
    size_t bytes = (p->label ? sizeof *p->label : 0) + (p->predicted ? sizeof *p->predicted : 0) +
                   (p->target ? 2 * sizeof *p->target : 0) + (p->p ? classes * sizeof *p->p : 0) +
                   (p->packed_p.codes ? classes * PACKED_BYTES : 0) + (p->score ? sizeof *p->score : 0) +
                   (p->packed_score.codes ? PACKED_BYTES : 0) + (p->query ? sizeof *p->query : 0) +
                   (p->item ? sizeof *p->item : 0) + (p->row_ids ? 24 : 0) + (p->tokens ? sizeof *p->tokens : 0) +
                   (p->truncated ? sizeof *p->truncated : 0) + (r->row_hash ? sizeof *r->row_hash : 0) +
                   (r->row_hash_2 ? sizeof *r->row_hash_2 : 0) + (r->label_value ? 2 * sizeof *r->label_value : 0) +
                   p->extra_count * 24;
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        bytes += r->event[i] ? sizeof *r->event[i] : 0;
    }
    return bytes;
}

int predictions_hand_over(struct predictions_reader *r, bool all)
{
    struct predictions *p = r->p;
    const struct predictions_options *options = r->options;
    bool first = !r->taken;
    size_t limit = first ? options->max_memory : options->max_memory / 4;  /* the taker needs memory too, from now on */
    bool unclear = !r->map_known || (first && p->item && !r->any_item_id); /* is there a catalogue? */
    if (!options->take || unclear || (!all && p->rows * predictions_bytes_of_row(r) <= limit)) {
        return 0;
    }
    int rc = first ? grow_rows(r, p->rows) : 0; /* no more than they need */
    if (rc) {
        return rc;
    }
    /* as a reader of columns sees them; all of it goes back */
    p->query_ids = r->queries.texts;
    p->query_count = r->queries.count;
    p->item_ids = r->items.texts;
    p->item_count = r->items.count;
    uint32_t *item = p->item;
    p->item = r->any_item_id ? item : NULL;
    p->derives_score = !r->has[COLUMN_SCORE] && (r->has_p || p->value);
    predictions_take_events(p, r->event);
    rc = predictions_keep_hashes(r);
    if (!rc) {
        rc = options->take(options->take_arg, p);
    }
    predictions_give_events(p, r->event);
    p->item = item;
    p->query_ids = p->item_ids = NULL;
    r->taken += p->rows;
    p->rows = 0;
    p->packed_p.rare_count = p->packed_score.rare_count = 0;
    text_store_release(&r->row_texts);
    return rc || !first ? rc : grow_rows(r, r->capacity / 4);
}
