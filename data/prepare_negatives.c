#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/dataset_format.h"
#include "data/prepare_internal.h"

/*
 * Negatives for the positive rows of training. The pool are the items of all training rows: by --item_id_column, else
 * by the description. In memory: about 60 bytes an item, 30 a query, 16 a positive row.
 */

struct item {
    const char *id; /* escaped */
    uint32_t description;
};

struct prepare_negatives {
    struct prepare_whole *w;
    struct text_keys item_keys, query_keys, known; /* known: query and item of positives outside training, and of
                                                      other labels in it */
    struct text_store ids;
    struct item *items;
    uint64_t *item_rows;
    uint32_t *item_category, *query_text;
    size_t item_capacity, item_rows_capacity, category_capacity, query_text_capacity;
    struct text_keys category_keys;

    /* positives in the order of the rows, then by query */
    uint32_t *row_query, *row_item;
    uint64_t *row_place;
    size_t row_query_capacity, row_item_capacity, row_place_capacity, rows;
    uint64_t *query_key, *start, *place;
    uint32_t *positive;

    struct temp_file *texts; /* BM25: those of items and queries */
    uint64_t *text_start;    /* [texts + 1] by the number of the text */
    struct sorter *drawn;    /* key: place in the spool, ordinal; value: item */
    struct buf id;
};

void prepare_negatives_free(struct prepare_negatives *n)
{
    if (n == NULL)
        return;
    text_keys_release(&n->item_keys);
    text_keys_release(&n->query_keys);
    text_keys_release(&n->known);
    text_keys_release(&n->category_keys);
    text_store_release(&n->ids);
    mem_free(n->items);
    mem_free(n->item_rows);
    mem_free(n->item_category);
    mem_free(n->query_text);
    mem_free(n->row_query);
    mem_free(n->row_item);
    mem_free(n->row_place);
    mem_free(n->query_key);
    mem_free(n->start);
    mem_free(n->place);
    mem_free(n->positive);
    mem_free(n->text_start);
    temp_file_close(n->texts);
    sorter_free(n->drawn);
    buf_release(&n->id);
    mem_free(n);
}

int32_t prepare_negative_class(const struct prepare_whole *w)
{
    const char *label = w->options->negative.negative_label;

    return label_map_find(&w->labels->map, label, strlen(label));
}

/* ---- items, queries and positives of the training rows
 * ------------------------------------------------------------------------ */

/* The third column of a row. */
static struct spool_text item_id_of(const struct spool_row *row)
{
    const char *at = row->columns.text, *end = at + row->columns.length;

    for (int i = 0; i < PREPARE_KEYS - 1; i++) {
        at = memchr(at, '\t', (size_t)(end - at));
        at = at == NULL ? end : at + 1;
    }
    const char *tab = memchr(at, '\t', (size_t)(end - at));
    return (struct spool_text){at, (size_t)((tab == NULL ? end : tab) - at)};
}

static int enter_item(struct prepare_negatives *n, const struct spool_row *row, uint32_t *item)
{
    bool is_new;
    uint32_t category = NEGATIVE_NO_CATEGORY;
    int rc = text_keys_enter(&n->item_keys, (struct text_key){.low = row->item_key}, item, &is_new);

    if (rc < 0)
        return rc;
    if (is_new) {
        struct spool_text id = item_id_of(row);
        rc = mem_grow((void **)&n->items, &n->item_capacity, *item + 1u, sizeof *n->items);
        if (rc == 0)
            rc = mem_grow((void **)&n->item_rows, &n->item_rows_capacity, *item + 1u, sizeof *n->item_rows);
        if (rc == 0)
            rc = mem_grow((void **)&n->item_category, &n->category_capacity, *item + 1u, sizeof *n->item_category);
        bool has_category = n->w->options->negative.negatives == NEGATIVE_CATEGORY &&
                            row->category_key != hash_u64("", 0, 0); /* empty: none */
        if (rc == 0 && has_category)
            rc = text_keys_enter(&n->category_keys, (struct text_key){.low = row->category_key}, &category, &is_new);
        if (rc < 0)
            return rc;
        n->items[*item] =
            (struct item){.id = text_store_add(&n->ids, id.text, id.length), .description = row->description};
        n->item_rows[*item] = 0;
        n->item_category[*item] = category;
        if (n->items[*item].id == NULL)
            return RECO_E_NOMEM;
    }
    n->item_rows[*item]++;
    return 0;
}

static int enter_positive(struct prepare_negatives *n, const struct spool_row *row, uint64_t place, uint32_t item)
{
    uint32_t query;
    bool is_new;
    int rc = text_keys_enter(&n->query_keys, (struct text_key){.low = row->query_key}, &query, &is_new);

    if (rc == 0)
        rc = mem_grow((void **)&n->query_text, &n->query_text_capacity, query + 1u, sizeof *n->query_text);
    if (rc == 0)
        rc = mem_grow((void **)&n->row_query, &n->row_query_capacity, n->rows + 1, sizeof *n->row_query);
    if (rc == 0)
        rc = mem_grow((void **)&n->row_item, &n->row_item_capacity, n->rows + 1, sizeof *n->row_item);
    if (rc == 0)
        rc = mem_grow((void **)&n->row_place, &n->row_place_capacity, n->rows + 1, sizeof *n->row_place);
    if (rc < 0)
        return rc;
    if (is_new)
        n->query_text[query] = row->query;
    n->row_query[n->rows] = query;
    n->row_item[n->rows] = item;
    n->row_place[n->rows++] = place;
    return 0;
}

static int gather_row(struct prepare_negatives *n, const struct spool_row *row, uint64_t place)
{
    struct prepare_whole *w = n->w;
    bool positive = prepare_class_of(w, row) == w->labels->map.positive, is_new;
    bool training = PREPARE_SIDE(w->verdicts[place]) == PREPARE_TRAIN;
    uint32_t item, number;
    int rc = 0;

    if (positive != training) /* a pair with a label is no negative */
        rc = text_keys_enter(&n->known, (struct text_key){.low = row->query_key, .high = row->item_key}, &number,
                             &is_new);
    if (rc == 0 && training)
        rc = enter_item(n, row, &item);
    return rc == 0 && training && positive ? enter_positive(n, row, place, item) : rc;
}

static int gather(struct prepare_negatives *n)
{
    struct spool_reader reader = {0};
    struct spool_row row;
    bool found = true;
    int rc = spool_reader_open(&reader, n->w->spool);

    for (uint64_t i = 0; rc == 0; i++) {
        rc = spool_next(&reader, &row, &found);
        if (rc < 0 || !found)
            break;
        if (PREPARE_RULE_OF(n->w->verdicts[i]) == PREPARE_RULE_KEPT)
            rc = gather_row(n, &row, i);
    }
    spool_reader_release(&reader);
    return rc;
}

/* Positives by query, of a query in the order of the rows. */
static int by_query(struct prepare_negatives *n)
{
    size_t queries = n->query_keys.count;

    n->query_key = mem_calloc(queries, sizeof *n->query_key);
    n->start = mem_calloc(queries + 2, sizeof *n->start);
    n->place = mem_calloc(n->rows, sizeof *n->place);
    n->positive = mem_calloc(n->rows, sizeof *n->positive);
    if (n->query_key == NULL || n->start == NULL || n->place == NULL || n->positive == NULL)
        return RECO_E_NOMEM;
    for (size_t q = 0; q < queries; q++)
        n->query_key[q] = n->query_keys.keys[q].low;
    for (size_t i = 0; i < n->rows; i++)
        n->start[n->row_query[i] + 2]++;
    for (size_t q = 2; q < queries + 2; q++)
        n->start[q] += n->start[q - 1];
    for (size_t i = 0; i < n->rows; i++) { /* start[q + 1] runs from the start of q to its end */
        uint64_t at = n->start[n->row_query[i] + 1]++;
        n->place[at] = n->row_place[i];
        n->positive[at] = n->row_item[i];
    }
    return 0;
}

/* ---- texts for BM25
 * --------------------------------------------------------------------------------------------------- */

static int keep_text(void *arg, uint32_t place, const struct text_set_text *text)
{
    struct prepare_negatives *n = arg;
    int rc = temp_file_write(n->texts, text->text, text->length);

    n->text_start[place + 1] = temp_file_bytes(n->texts);
    return rc;
}

static int keep_texts(struct prepare_negatives *n)
{
    size_t count = n->w->texts.count;
    uint32_t *places = mem_alloc(count * sizeof *places);

    n->text_start = mem_calloc(count + 1, sizeof *n->text_start);
    if (places == NULL || n->text_start == NULL) {
        mem_free(places);
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++)
        places[i] = TEXT_SET_NONE;
    for (size_t i = 0; i < n->item_keys.count; i++)
        if (n->items[i].description != DATASET_NO_TEXT)
            places[n->items[i].description] = n->items[i].description;
    for (size_t i = 0; i < n->query_keys.count; i++)
        places[n->query_text[i]] = n->query_text[i];
    int rc = temp_file_open(&n->texts, n->w->tmp_dir);
    if (rc == 0)
        rc = prepare_texts_walk(&n->w->texts, places, false, n->w->tmp_dir, n->w->sort_bytes, keep_text, n);
    for (size_t i = 0; rc == 0 && i < count; i++) /* texts that nobody asks for are empty */
        if (n->text_start[i + 1] == 0)
            n->text_start[i + 1] = n->text_start[i];
    mem_free(places);
    return rc < 0 ? rc : temp_file_flush(n->texts);
}

static int text_of(struct prepare_negatives *n, uint32_t number, struct buf *out)
{
    if (number == DATASET_NO_TEXT)
        return 0;
    size_t length = (size_t)(n->text_start[number + 1] - n->text_start[number]);
    int rc = buf_reserve(out, length);
    if (rc == 0 && length > 0)
        rc = temp_file_read(n->texts, n->text_start[number], out->data + out->length, length);
    if (rc == 0)
        out->length += length;
    return rc;
}

static int item_text(void *arg, uint32_t item, struct buf *out)
{
    struct prepare_negatives *n = arg;

    return text_of(n, n->items[item].description, out);
}

static int query_text(void *arg, uint32_t query, struct buf *out)
{
    struct prepare_negatives *n = arg;

    return text_of(n, n->query_text[query], out);
}

/* ---- drawing
 * ------------------------------------------------------------------------------------------------------------ */

static bool is_known(void *arg, uint32_t query, uint32_t item)
{
    const struct prepare_negatives *n = arg;

    return n->known.count > 0 && text_keys_have(&n->known, (struct text_key){.low = n->query_key[query],
                                                                             .high = n->item_keys.keys[item].low});
}

static int take(void *arg, uint32_t query, uint64_t positive, uint32_t ordinal, uint32_t item)
{
    struct prepare_negatives *n = arg;
    unsigned char key[16];

    (void)query;
    n->w->counts.negatives_drawn++;
    sorter_u64(key, n->place[positive]);
    sorter_u64(key + 8, ordinal);
    return sorter_add(n->drawn, key, sizeof key, &item, sizeof item);
}

static int draw(struct prepare_negatives *n)
{
    struct prepare_whole *w = n->w;
    struct negatives_counts counts;
    const struct negatives_input input = {.item_count = n->item_keys.count,
                                          .query_count = n->query_keys.count,
                                          .item_rows = n->item_rows,
                                          .item_category = n->item_category,
                                          .query_key = n->query_key,
                                          .positive_start = n->start,
                                          .positive_item = n->positive,
                                          .is_known = is_known,
                                          .item_text = item_text,
                                          .query_text = query_text,
                                          .arg = n,
                                          .pool = w->pool,
                                          .tmp_dir = w->tmp_dir};
    int rc = negatives_draw(&w->options->negative, &input, take, n, &counts);

    w->counts.negatives_missing += counts.missing;
    w->counts.negatives_fallbacks = counts.fallbacks;
    return rc < 0 ? rc : sorter_sort(n->drawn);
}

int prepare_negatives_draw(struct prepare_negatives **out, struct prepare_whole *w)
{
    *out = NULL;
    if (w->options->negative.negatives == NEGATIVE_NONE)
        return 0;
    if (prepare_negative_class(w) < 0)
        return err_set(RECO_E_USAGE, "--negative_label '%s' is not one of %s", w->options->negative.negative_label,
                       buf_str(&w->labels->choices));
    struct prepare_negatives *n = mem_calloc(1, sizeof *n);
    if (n == NULL)
        return RECO_E_NOMEM;
    n->w = w;
    int rc = sorter_new(&n->drawn, w->tmp_dir, w->sort_bytes);
    if (rc == 0)
        rc = gather(n);
    if (rc == 0)
        rc = by_query(n);
    if (rc == 0 && w->options->negative.negatives == NEGATIVE_BM25)
        rc = keep_texts(n);
    if (rc == 0)
        rc = draw(n);
    if (rc < 0) {
        prepare_negatives_free(n);
        return rc;
    }
    *out = n;
    return 0;
}

int prepare_negatives_rewind(struct prepare_negatives *n)
{
    return sorter_rewind(n->drawn);
}

int prepare_negatives_next(struct prepare_negatives *n, struct prepare_negative *out, bool *found)
{
    const struct sorter_record *record;
    uint32_t item;
    int rc = sorter_next(n->drawn, &record);

    *found = rc == 0 && record != NULL;
    if (!*found)
        return rc;
    memcpy(&item, record->value, sizeof item);
    *out = (struct prepare_negative){.row = sorter_get_u64(record->key),
                                     .ordinal = (uint32_t)sorter_get_u64(record->key + 8),
                                     .description = n->items[item].description,
                                     .item_id = n->items[item].id,
                                     .item_id_length = strlen(n->items[item].id)};
    return 0;
}
