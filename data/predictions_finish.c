#include "data/predictions_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "core/sort_keys.h"
#include "data/decimal.h"
#include "data/predictions_feed.h"

/* ---- the label map, when only the values tell ---- */

/* What is known of the values, once all are seen. */
struct values {
    const struct predictions_reader *r;
    const char **names; /* [count] without that which stands for none */
    size_t count;
    bool numbers;  /* all of them are */
    bool fraction; /* some number is not whole */
    uint32_t nan;  /* the number of a value that is NaN among numbers, as numpy writes what is missing; else NO_VALUE */
};

static int look_at_values(struct values *v, const struct predictions_reader *r)
{
    bool has_nan = false;
    *v = (struct values){.r = r, .numbers = true, .nan = PREDICTIONS_NO_VALUE};
    v->names = mem_calloc(r->values.count + 1, sizeof *v->names);
    for (size_t i = 0; v->names && v->numbers && i < r->values.count; i++) {
        const char *text = r->values.texts[i];
        double number;
        v->numbers = decimal_parse(text, strlen(text), &number);
        v->fraction = v->fraction || (v->numbers && !isnan(number) && floor(number) != number);
        has_nan = has_nan || (v->numbers && isnan(number));
    }
    for (size_t i = 0; v->names && i < r->values.count; i++) {
        if (has_nan && v->numbers && strcasestr(r->values.texts[i], "nan")) {
            v->nan = (uint32_t)i;
        } else {
            v->names[v->count++] = r->values.texts[i];
        }
    }
    return v->names ? 0 : RECO_E_NOMEM;
}

/* Without a map: are the values seen those of a regression? */
static bool values_are_regression(const struct values *v)
{
    const struct predictions_source *source = v->r->options->source;
    return !(source && (source->grade_count || source->positive_label)) && v->numbers && v->fraction &&
           v->r->has[COLUMN_PREDICTED];
}

/* Where a row stands; a stream is gone, and of a table in which rows go over several lines only the number is known. */
static int fail_row(const struct predictions_reader *r, size_t row, const char *what)
{
    return r->line_a_row ? err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s", r->path,
                                   (unsigned long long)r->first_row_line + row, what)
                         : err_set(RECO_E_DATA, "cannot parse '%s' row %zu: %s", r->path, row + 1, what);
}

/* A label may be missing, a prediction not. */
static int check_predicted(const struct values *v)
{
    const struct predictions_reader *r = v->r;
    for (size_t row = 0; r->predicted_value && v->nan != PREDICTIONS_NO_VALUE && row < r->p->rows; row++) {
        double number;
        const char *text = r->values.texts[r->predicted_value[row]];
        if (decimal_parse(text, strlen(text), &number) && isnan(number)) {
            return fail_row(r, row, "predicted is not a number");
        }
    }
    return 0;
}

static int become_regression(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    p->labels.task = LABEL_TASK_REGRESSION;
    p->target = mem_calloc(p->rows, sizeof *p->target);
    p->value = mem_calloc(p->rows, sizeof *p->value);
    if (!p->target || !p->value) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < p->rows; row++) {
        const char *target = r->label_value[row] == PREDICTIONS_NO_VALUE ? "nan" : r->values.texts[r->label_value[row]];
        const char *value = r->values.texts[r->predicted_value[row]];
        if (!decimal_parse(target, strlen(target), &p->target[row]) ||
            !decimal_parse(value, strlen(value), &p->value[row])) {
            return err_set(RECO_E_INTERNAL, "a value of the regression is not a number");
        }
    }
    return 0;
}

static int take_classes(const struct predictions_reader *r, const uint32_t *values, int16_t **out)
{
    if (!values) {
        return 0;
    }
    int16_t *classes = mem_alloc((r->p->rows + 1) * sizeof *classes);
    int16_t *of_value = mem_alloc((r->values.count + 1) * sizeof *of_value);
    *out = classes;
    if (!classes || !of_value) {
        mem_free(of_value);
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < r->values.count; i++) {
        of_value[i] = (int16_t)label_map_find(&r->p->labels, r->values.texts[i], strlen(r->values.texts[i]));
    }
    for (size_t row = 0; row < r->p->rows; row++) {
        classes[row] = values[row] == PREDICTIONS_NO_VALUE ? (int16_t)-1 : of_value[values[row]];
    }
    mem_free(of_value);
    return 0;
}

static int map_from_values(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    struct values v;
    int rc = look_at_values(&v, r);
    rc = rc ? rc : check_predicted(&v);
    if (!rc && values_are_regression(&v)) {
        rc = become_regression(r);
        goto done;
    }
    if (!rc) {
        rc = v.count <= PREDICTIONS_CLASSES_MAX
                 ? label_map_from_values(&p->labels, v.names, v.count)
                 : err_set(RECO_E_DATA, "%zu classes, at most %d can be", v.count, PREDICTIONS_CLASSES_MAX);
        rc = rc ? err_prepend(rc, "cannot read '%s'", r->path) : predictions_grade_labels(r);
    }
    rc = rc ? rc : take_classes(r, r->label_value, &p->label);
    rc = rc ? rc : take_classes(r, r->predicted_value, &p->predicted);
done:
    mem_free(v.names);
    return rc;
}

/* ---- row ids that stand there twice ---- */

static int compare_hashes(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The hashes of sorted [count] that occur more than once, to its front; their number. */
static size_t keep_repeated(uint64_t *sorted, size_t count)
{
    size_t kept = 0;
    for (size_t i = 1; i < count; i++) {
        if (sorted[i] == sorted[i - 1] && (!kept || sorted[kept - 1] != sorted[i])) {
            sorted[kept++] = sorted[i];
        }
    }
    return kept;
}

struct seen {
    struct dictionary ids;
    uint64_t *line; /* [ids.count] */
    size_t capacity;
    struct text_store texts;
};

static int look_at_id(const struct predictions_reader *r, struct seen *seen, char *id, size_t length, uint64_t line)
{
    uint32_t number;
    size_t known = seen->ids.count;
    int rc = dictionary_enter(&seen->ids, &seen->texts, id, length, &number);
    if (!rc && seen->ids.count == known) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: doubled row_id '%.200s', as in line %llu", r->path,
                       (unsigned long long)line, id, (unsigned long long)seen->line[number]);
    }
    if (!rc) {
        rc = mem_grow((void **)&seen->line, &seen->capacity, known + 1, sizeof *seen->line);
    }
    if (!rc) {
        seen->line[known] = line;
    }
    return rc;
}

static int look_at_line(const struct predictions_reader *r, struct seen *seen, char *text, size_t column, uint64_t line,
                        const uint64_t *repeated, size_t count)
{
    char *at = text;
    for (size_t i = 0; i < column; i++) {
        at += strcspn(at, "\t") + 1;
    }
    size_t length = strcspn(at, "\t");
    at[length] = '\0';
    length = predictions_unescape(at, length);
    uint64_t hash = hash_u64(at, length, 0);
    return bsearch(&hash, repeated, count, sizeof *repeated, compare_hashes) ? look_at_id(r, seen, at, length, line)
                                                                             : 0;
}

/* A second look at the file: were those with equal hashes equal? repeated is sorted. */
static int look_again(const struct predictions_reader *r, const uint64_t *repeated, size_t count)
{
    struct predictions_feed *feed = NULL;
    struct block block = {0};
    struct seen seen = {0};
    size_t column = 0;
    char *header;
    size_t length;
    while (r->columns[column].kind != COLUMN_ROW_ID) {
        column++;
    }
    int rc = predictions_feed_open(&feed, r->path, r->options->source);
    if (!rc) {
        rc = predictions_feed_header(feed, &header, &length);
    }
    while (!rc && !(rc = predictions_feed_next(feed, &block)) && block.length) {
        char *end = block.text + block.length;
        size_t row = 0;
        for (char *at = block.text; !rc && at < end; row++) {
            char *newline = memchr(at, '\n', (size_t)(end - at));
            newline = newline ? newline : end;
            *newline = '\0';
            if (newline > at && newline[-1] == '\r') {
                newline[-1] = '\0';
            }
            rc = look_at_line(r, &seen, at, column, block.row_line ? block.row_line[row] : block.first_line + row,
                              repeated, count);
            at = newline + 1;
        }
    }
    predictions_feed_close(feed);
    mem_free(block.text);
    mem_free(block.row_line);
    dictionary_release(&seen.ids);
    text_store_release(&seen.texts);
    mem_free(seen.line);
    return rc;
}

static int fail_doubled(const struct predictions_reader *r, size_t row, size_t other)
{
    char what[80];
    (void)snprintf(what, sizeof what, "doubled row_id, as in %s %llu", r->line_a_row ? "line" : "row",
                   (unsigned long long)other + (r->line_a_row ? r->first_row_line : 1));
    return fail_row(r, row, what);
}

/* Two hashes of 64 bits that are both equal stand for equal ids. */
static int look_at_hashes(const struct predictions_reader *r, const uint64_t *repeated, size_t count,
                          const uint64_t *hashes)
{
    for (size_t row = 0; row < r->p->rows; row++) {
        if (!bsearch(&hashes[row], repeated, count, sizeof *repeated, compare_hashes)) {
            continue;
        }
        for (size_t other = 0; other < row; other++) {
            if (hashes[other] == hashes[row] && r->row_hash_2[other] == r->row_hash_2[row]) {
                return fail_doubled(r, row, other);
            }
        }
    }
    return 0;
}

/* Those of rows that were handed over. */
static int check_sorted_hashes(struct predictions_reader *r)
{
    const struct sorter_record *record;
    uint64_t *repeated = NULL;
    size_t count = 0;
    size_t capacity = 0;
    unsigned char last[16] = {0};
    size_t last_length = 0;
    size_t last_row = 0;
    int rc = sorter_sort(r->row_hashes);
    while (!rc && !(rc = sorter_next(r->row_hashes, &record)) && record) {
        size_t row = (size_t)sorter_get_u64(record->value);
        bool same = record->key_length == last_length && !memcmp(record->key, last, last_length);
        if (same && r->is_stream) {
            rc = fail_doubled(r, row > last_row ? row : last_row, row > last_row ? last_row : row);
        } else if (same) {
            rc = mem_grow((void **)&repeated, &capacity, count + 1, sizeof *repeated);
            if (!rc) {
                repeated[count++] = sorter_get_u64(record->key);
            }
        }
        last_length = record->key_length;
        last_row = row;
        memcpy(last, record->key, last_length);
    }
    if (!rc && count) {
        rc = look_again(r, repeated, count);
    }
    mem_free(repeated);
    return rc;
}

int predictions_check_row_ids(struct predictions_reader *r, struct pool *pool)
{
    size_t rows = r->p->rows;
    if (r->row_hashes) {
        return check_sorted_hashes(r);
    }
    if (!r->row_hash) {
        return 0;
    }
    uint64_t *hashes = NULL;
    if (r->is_stream) {
        hashes = mem_alloc((rows + 1) * sizeof *hashes);
        if (!hashes) {
            return RECO_E_NOMEM;
        }
        memcpy(hashes, r->row_hash, rows * sizeof *hashes);
    }
    int rc = sort_keys(r->row_hash, rows, pool);
    size_t count = rc ? 0 : keep_repeated(r->row_hash, rows);
    if (!rc && count) {
        rc = r->is_stream ? look_at_hashes(r, r->row_hash, count, hashes) : look_again(r, r->row_hash, count);
    }
    mem_free(hashes);
    mem_free(r->row_hash);
    mem_free(r->row_hash_2);
    r->row_hash = r->row_hash_2 = NULL;
    return rc;
}

/* ---- the end ---- */

static int check_count(const struct predictions_reader *r)
{
    const struct predictions *p = r->p;
    if (!p->rows) {
        return err_set(RECO_E_DATA, "cannot read '%s': it has no rows", r->path);
    }
    const json_t *rows = json_object_get(p->sidecar, "rows");
    if (json_is_integer(rows) && (size_t)json_integer_value(rows) != p->rows) {
        return err_set(RECO_E_DATA, "cannot read '%s': %zu rows, its sidecar '%s.json' says %lld", r->path, p->rows,
                       r->path, (long long)json_integer_value(rows));
    }
    return 0;
}

/* In the order of predictions_event_names. */
static void move_events(struct predictions *p, double *event[PREDICTIONS_EVENT_COUNT], bool to_p)
{
    double **const to[PREDICTIONS_EVENT_COUNT] = {&p->position,   &p->clicked, &p->converted, &p->dwell_s, &p->depth,
                                                  &p->propensity, &p->carted,  &p->ordered,   &p->revenue, &p->delay_s};
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        double **from = to_p ? &event[i] : to[i];
        *(to_p ? to[i] : &event[i]) = *from;
        *from = NULL;
    }
}

void predictions_take_events(struct predictions *p, double *event[PREDICTIONS_EVENT_COUNT])
{
    move_events(p, event, true);
}

void predictions_give_events(struct predictions *p, double *event[PREDICTIONS_EVENT_COUNT])
{
    move_events(p, event, false);
}

static void take_over(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    p->query_ids = r->queries.texts;
    p->query_count = r->queries.count;
    r->queries.texts = NULL;
    p->item_ids = r->items.texts;
    p->item_count = r->items.count;
    r->items.texts = NULL;
    if (!r->any_item_id) {
        mem_free(p->item);
        mem_free(p->item_ids);
        p->item = NULL;
        p->item_ids = NULL;
        p->item_count = 0;
    }
    predictions_take_events(p, r->event);
}

int predictions_finish(struct predictions_reader *r, struct pool *pool)
{
    struct predictions *p = r->p;
    p->streamed = r->taken > 0;
    p->rows += r->taken;
    int rc = check_count(r);
    dictionary_release_index(&r->queries);
    dictionary_release_index(&r->items);
    if (!rc) {
        rc = predictions_check_row_ids(r, pool);
    }
    if (!rc && !r->map_known) {
        rc = map_from_values(r);
    }
    if (rc) {
        return rc;
    }
    p->row_bytes = predictions_bytes_of_row(r);
    take_over(r);
    p->derives_score = !r->has[COLUMN_SCORE] && (r->has_p || p->value);
    if (p->streamed) {
        return 0;
    }
    if (p->value && !r->has[COLUMN_PREDICTED]) {
        for (size_t row = 0; row < p->rows; row++) {
            p->value[row] = predictions_score(p, row);
        }
    }
    rc = predictions_warn(r);
    return rc || r->options->packed ? rc : predictions_widen(p);
}
