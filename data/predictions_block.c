#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/predictions_field.h"

#define PROBABILITY_SUM_TOLERANCE 1e-3

/* ---- dictionaries ---- */

int dictionary_enter(struct dictionary *d, struct text_store *store, const char *text, size_t length, uint32_t *number)
{
    int rc = text_index_enter(&d->index, d->texts, (uint32_t)d->count, text, length, number);
    if (rc || *number != TEXT_INDEX_NONE) {
        return rc;
    }
    if (d->count == TEXT_INDEX_NONE - 1) {
        return err_set(RECO_E_DATA, "over 2^32 different ids");
    }
    *number = (uint32_t)d->count;
    rc = mem_grow((void **)&d->texts, &d->capacity, d->count + 1, sizeof *d->texts);
    if (!rc) {
        d->texts[d->count] = store ? text_store_add(store, text, length) : text;
        rc = d->texts[d->count] ? 0 : RECO_E_NOMEM;
        d->count += !rc;
    }
    return rc;
}

void dictionary_clear(struct dictionary *d)
{
    if (d->index.used) {
        memset(d->index.slots, 0, d->index.slot_count * sizeof *d->index.slots);
    }
    d->index.used = 0;
    d->count = 0;
}

void dictionary_release_index(struct dictionary *d)
{
    text_index_release(&d->index);
}

void dictionary_release(struct dictionary *d)
{
    text_index_release(&d->index);
    mem_free(d->texts);
    *d = (struct dictionary){0};
}

/* ---- the arrays of a block ---- */

static int grow(void **array, size_t count, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, count + 8, size_bytes);
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(is_there, array, factor)                                                                                  \
    (rc = rc || !(is_there) ? rc : grow((void **)&(array), capacity * (factor), sizeof *(array)))

int predictions_block_init(struct block *block, const struct predictions_reader *r)
{
    block->extra = mem_calloc(r->p->extra_count + 1, sizeof *block->extra);
    block->row_p = mem_calloc((size_t)r->p->labels.count + 1, sizeof *block->row_p);
    block->fields = mem_calloc(r->column_count, sizeof *block->fields);
    block->lengths = mem_calloc(r->column_count, sizeof *block->lengths);
    return block->extra && block->row_p && block->fields && block->lengths ? 0 : RECO_E_NOMEM;
}

static int grow_rows(struct block *block, const struct predictions_reader *r, size_t capacity)
{
    int rc = 0;
    GROW(!r->regression, block->label, 1);
    GROW(!r->regression && r->has[COLUMN_PREDICTED], block->predicted, 1);
    GROW(r->regression, block->target, 1);
    GROW(r->regression, block->value, 1);
    GROW(r->has_p, block->p.codes, (size_t)r->p->labels.count * PACKED_BYTES);
    GROW(r->has_p && !r->has[COLUMN_PREDICTED], block->best, 1);
    GROW(r->has[COLUMN_SCORE], block->score.codes, PACKED_BYTES);
    GROW(r->has[COLUMN_QUERY_ID], block->query, 1);
    GROW(r->has[COLUMN_ITEM_ID], block->item, 1);
    GROW(r->has[COLUMN_ROW_ID], block->row_hash, 1);
    GROW(r->has[COLUMN_ROW_ID] && r->is_stream, block->row_hash_2, 1);
    GROW(r->has[COLUMN_ROW_ID], block->row_id, 1);
    GROW(r->has[COLUMN_TOKENS], block->tokens, 1);
    GROW(r->has[COLUMN_TRUNCATED], block->truncated, 1);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        GROW(r->has_event[i], block->event[i], 1);
    }
    for (size_t i = 0; i < r->p->extra_count; i++) {
        GROW(true, block->extra[i], 1);
    }
    block->capacity = rc ? block->capacity : capacity;
    return rc;
}

void predictions_block_release(struct block *block, const struct predictions_reader *r)
{
    for (size_t i = 0; block->extra && i < r->p->extra_count; i++) {
        mem_free(block->extra[i]);
    }
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        mem_free(block->event[i]);
    }
    void *const arrays[] = {block->text,      block->value_class, block->label, block->predicted, block->query,
                            block->item,      block->target,      block->value, block->row_hash,  block->row_hash_2,
                            block->row_id,    block->tokens,      block->extra, block->row_p,     block->fields,
                            block->truncated, block->lengths,     block->best,  block->row_line};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        mem_free(arrays[i]);
    }
    dictionary_release(&block->values);
    dictionary_release(&block->queries);
    dictionary_release(&block->items);
    row_runs_release(&block->id_runs);
    packed_release(&block->p);
    packed_release(&block->score);
    *block = (struct block){0};
}

/* ---- rows ---- */

/* Softmax of the logits in place; of one alone, sigmoid. */
static int from_logits(const struct predictions_line *row, double *p, int count, size_t one)
{
    double max = p[one];
    double sum = 0;
    if (row->r->one_p) {
        p[one] = 1 / (1 + exp(-p[one]));
        return 0;
    }
    for (int i = 0; i < count; i++) {
        max = p[i] > max ? p[i] : max;
    }
    if (!isfinite(max)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: the greatest logit is %g", row->r->path,
                       (unsigned long long)row->line, max);
    }
    for (int i = 0; i < count; i++) {
        p[i] = exp(p[i] - max);
        sum += p[i];
    }
    for (int i = 0; i < count; i++) {
        p[i] /= sum;
    }
    return 0;
}

/* Probabilities that are not as they stand in the file. */
static int derive_p(const struct predictions_line *row)
{
    const struct predictions_reader *r = row->r;
    double *p = row->block->row_p;
    int count = r->p->labels.count;
    size_t one = r->one_place;
    int rc = r->logits ? from_logits(row, p, count, one) : 0;
    if (r->one_p) {
        p[1 - one] = 1 - p[one];
    }
    for (int i = 0; !rc && i < count; i++) {
        rc = packed_put(&row->block->p, row->row * (size_t)count + (size_t)i, 0, 0, false, false, p[i]);
    }
    return rc;
}

static int complete_row(const struct predictions_line *row)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    int rc = 0;
    if (r->has_p) {
        double sum = 0;
        int best = 0;
        rc = r->one_p || r->logits ? derive_p(row) : 0;
        for (int i = 0; !rc && i < r->p->labels.count; i++) {
            sum += block->row_p[i];
            best = block->row_p[i] > block->row_p[best] ? i : best;
        }
        if (!rc && !(fabs(sum - 1) <= PROBABILITY_SUM_TOLERANCE)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: the probabilities sum to %.9g, not 1", r->path,
                           (unsigned long long)row->line, sum);
        }
        if (block->best) {
            block->best[row->row] = (int16_t)best;
        }
    }
    return rc;
}

static int parse_line(const struct predictions_line *row, char *text, size_t length)
{
    const struct predictions_reader *r = row->r;
    struct block *block = row->block;
    if (length == strlen(r->header) && !memcmp(text, r->header, length)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: a second header; were several files put together?",
                       r->path, (unsigned long long)row->line);
    }
    size_t count = predictions_cut(text, length, block->fields, block->lengths, r->column_count);
    if (count != r->column_count) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %zu field%s, the header has %zu%s", r->path,
                       (unsigned long long)row->line, count, count == 1 ? "" : "s", r->column_count,
                       length ? "" : " (the line is empty)");
    }
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        rc = predictions_field_read(row, &r->columns[i], block->fields[i], block->lengths[i]);
    }
    return rc ? rc : complete_row(row);
}

int predictions_block_parse(struct block *block, const struct predictions_reader *r)
{
    char *end = block->text + block->length;
    struct predictions_line row = {.r = r, .block = block};
    int rc = 0;
    bool has_nul = memchr(block->text, '\0', block->length);
    block->rows = 0;
    block->p.rare_count = block->score.rare_count = 0;
    memset(block->short_value, 0, sizeof block->short_value);
    dictionary_clear(&block->values);
    dictionary_clear(&block->queries);
    dictionary_clear(&block->items);
    row_runs_clear(&block->id_runs);
    block->in_runs = true;
    for (char *at = block->text; !rc && at < end; row.row++) {
        row.line = block->row_line ? block->row_line[row.row] : block->first_line + row.row;
        char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t length = newline ? (size_t)(newline - at) : (size_t)(end - at);
        size_t whole = length + 1;
        if (length && at[length - 1] == '\r') {
            length--;
        }
        at[length] = '\0';
        if (has_nul && memchr(at, '\0', length)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: it holds a NUL byte", r->path,
                           (unsigned long long)row.line);
        }
        if (row.row == block->capacity) {
            rc = grow_rows(block, r, row.row + row.row / 2 + 1024);
        }
        if (!rc) {
            rc = parse_line(&row, at, length);
        }
        at += whole;
    }
    block->rows = row.row;
    return rc;
}
