#include "model/batch.h"

#include <string.h>

#include "core/mem.h"

void batch_release(struct batch *b)
{
    mem_free(b->ids);
    mem_free(b->types);
    mem_free(b->positions);
    mem_free(b->units);
    mem_free(b->first);
    mem_free(b->first_units);
    mem_free(b->cu);
    memset(b, 0, sizeof *b);
}

void batch_clear(struct batch *b)
{
    b->rows = b->tokens = 0;
    b->max_length = 0;
}

/* Each array has its own copy of the capacity while it grows, so that all hold at least `need` when it is stored. */
static int grow(int64_t **arrays[], size_t count, size_t *capacity, size_t need)
{
    size_t grown = *capacity;
    for (size_t i = 0; i < count; i++) {
        grown = *capacity;
        int rc = mem_grow((void **)arrays[i], &grown, need, sizeof(int64_t));
        if (rc != 0)
            return rc;
    }
    *capacity = grown;
    return 0;
}

int batch_add(struct batch *b, const int32_t *ids, const int32_t *types, size_t length, uint64_t row)
{
    if (length == 0 || length > BATCH_UNITS_PER_ROW)
        return err_set(RECO_E_INTERNAL, "a sequence of %zu tokens in a batch", length);
    if (b->tokens + length > b->token_capacity) {
        int64_t **arrays[] = {&b->ids, &b->types, &b->positions, &b->units};
        int rc = grow(arrays, 4, &b->token_capacity, b->tokens + length);
        if (rc != 0)
            return rc;
    }
    if (b->rows + 1 > b->row_capacity || b->cu == NULL) {
        int64_t **arrays[] = {&b->first, &b->first_units};
        size_t capacity = b->row_capacity;
        int rc = grow(arrays, 2, &capacity, b->rows + 1);
        if (rc != 0)
            return rc;
        int32_t *cu = mem_realloc_array(b->cu, capacity + 1, sizeof *cu);
        if (cu == NULL)
            return err_nomem();
        b->cu = cu;
        b->row_capacity = capacity;
    }
    uint64_t unit = row * BATCH_UNITS_PER_ROW;
    for (size_t i = 0; i < length; i++) {
        size_t at = b->tokens + i;
        b->ids[at] = ids[i];
        b->types[at] = types[i];
        b->positions[at] = (int64_t)i;
        b->units[at] = (int64_t)(unit + i);
    }
    b->first[b->rows] = (int64_t)b->tokens;
    b->first_units[b->rows] = (int64_t)unit;
    b->cu[b->rows] = (int32_t)b->tokens;
    b->tokens += length;
    b->rows++;
    b->cu[b->rows] = (int32_t)b->tokens;
    if ((int32_t)length > b->max_length)
        b->max_length = (int32_t)length;
    return 0;
}

void batch_upload(const struct batch *b, struct tch_scope *s, struct bert_input *input)
{
    const int64_t tokens = (int64_t)b->tokens, rows = (int64_t)b->rows, ends = rows + 1;
    *input = (struct bert_input){
        .ids = tch_from_data(s, b->ids, TCH_INT64, &tokens, 1),
        .types = tch_from_data(s, b->types, TCH_INT64, &tokens, 1),
        .positions = tch_from_data(s, b->positions, TCH_INT64, &tokens, 1),
        .units = tch_from_data(s, b->units, TCH_INT64, &tokens, 1),
        .first = tch_from_data(s, b->first, TCH_INT64, &rows, 1),
        .first_units = tch_from_data(s, b->first_units, TCH_INT64, &rows, 1),
        .lens = {.cu = b->cu,
                 .count = (int32_t)rows,
                 .max_length = b->max_length,
                 .cu_tensor = tch_from_data(s, b->cu, TCH_INT32, &ends, 1)},
    };
}
