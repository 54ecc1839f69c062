/* Sort keys of rows, collected from the columns. */

#include "eval/curve.h"

#include "eval/sort.h"

enum { SAMPLE_KEYS = 4096, ROWS_AT_ONCE = 512 };

static inline double score_of(const struct metric_data *data, size_t row, int label)
{
    const struct predictions *p = data->p;
    if (predictions_has_p(p)) {
        return predictions_p(p, row, label);
    }
    double score = predictions_score(p, row);
    return label == data->positive ? score : -score;
}

double curve_score(const struct metric_data *data, size_t row, int label)
{
    return score_of(data, row, label);
}

double curve_confidence(const struct metric_data *data, size_t row, bool *hit)
{
    int best = 0;
    double highest = -1;
    for (int c = 0; c < data->classes; c++) {
        double of_class = predictions_p(data->p, row, c);
        best = of_class > highest ? c : best;
        highest = of_class > highest ? of_class : highest;
    }
    *hit = best == predictions_label(data->p, row);
    return highest;
}

static struct pool *pool_of(const struct metric_data *data)
{
    return data->orders ? data->orders->pool : NULL;
}

/* False: the row is in no list. */
static inline bool key_of(const struct metric_data *data, size_t row, int label, size_t *list, uint64_t *key)
{
    int of_row = predictions_label(data->p, row);
    bool hit;
    if (of_row < 0 || !metric_keeps(&data->filter, row)) {
        return false;
    }
    if (label == CURVE_CONFIDENCE) {
        *key = sort_key(curve_confidence(data, row, &hit));
        *list = hit;
    } else {
        *key = sort_key(score_of(data, row, label));
        *list = (size_t)of_row;
    }
    return true;
}

/* The pieces of all keys, with their sizes. */
int curve_keys_cut(struct key_pieces *pieces, const struct metric_data *data, int label, const double *sizes,
                   size_t lists)
{
    size_t keys_max = data->orders ? data->orders->keys_max : 0;
    size_t rows = data->p->rows;
    uint64_t sample[SAMPLE_KEYS];
    size_t sample_count = 0;
    size_t list;
    uint64_t key;
    for (size_t i = 0; keys_max && data->rows > (double)keys_max && i < SAMPLE_KEYS; i++) {
        sample_count += key_of(data, rows * i / SAMPLE_KEYS, label, &list, &sample[sample_count]);
    }
    int rc = key_pieces_init(pieces, sample, sample_count, keys_max, data->rows, rows, sizes, lists);
    for (size_t row = 0; !rc && pieces->count > 1 && row < rows; row++) {
        size_t piece = KEY_PIECES_MAX;
        if (key_of(data, row, label, &list, &key)) {
            piece = key_pieces_find(pieces, key);
            pieces->sizes[piece * lists + list]++;
        }
        key_pieces_put(pieces, row, piece);
    }
    return rc;
}

/* The next rows from row on that may be in the piece; without a branch a row, since no one could foretell it. */
static size_t next_rows(const struct key_pieces *pieces, size_t piece, size_t rows, size_t *row, uint32_t *found)
{
    size_t count = 0;
    size_t at = *row;
    for (; at < rows && count < ROWS_AT_ONCE; at++) {
        found[count] = (uint32_t)at;
        count += !pieces->of_row || key_pieces_get(pieces, at) == piece;
    }
    *row = at;
    return count;
}

/* The sorted keys of a piece. */
int curve_keys_load(struct key_merge *m, const struct key_pieces *pieces, size_t piece, const struct metric_data *data,
                    int label)
{
    uint32_t found[ROWS_AT_ONCE];
    size_t list;
    uint64_t key;
    int rc = key_merge_init(m, pieces->sizes + piece * pieces->lists, pieces->lists);
    for (size_t row = 0; !rc && row < data->p->rows;) {
        size_t count = next_rows(pieces, piece, data->p->rows, &row, found);
        for (size_t i = 0; i < count; i++) {
            if (key_of(data, found[i], label, &list, &key)) {
                m->keys[m->end[list]++] = key;
            }
        }
    }
    return rc ? rc : key_merge_sort(m, pool_of(data));
}
