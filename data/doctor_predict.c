#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"
#include "data/doctor_internal.h"
#include "data/number.h"

/*
 * Which columns tell the label by themselves, from a sample of rows chosen by the hash of their place: the rows with
 * the lowest hashes, whatever the number of threads. A column is judged by leaving one out: each row's label is guessed
 * as the most frequent one among the other rows with the same value (numbers with many values: of the same bin), or the
 * most frequent of all where there is none.
 */

enum { SAMPLE_ROWS = 32768, SAMPLE_COLUMNS = 128, BIN_ROWS = 50, ROWS_MIN = 100, BINNED_ROWS_MIN = 1000 };

static int grow(struct doctor_sample *s)
{
    s->columns = s->columns < SAMPLE_COLUMNS ? s->columns : SAMPLE_COLUMNS;
    s->capacity = SAMPLE_ROWS;
    s->threshold = UINT64_MAX;
    s->keys = mem_alloc(s->capacity * sizeof *s->keys);
    s->classes = mem_alloc(s->capacity * sizeof *s->classes);
    s->values = mem_calloc(s->capacity * s->columns, sizeof *s->values);
    s->numbers = mem_alloc(s->capacity * s->columns * sizeof *s->numbers);
    return s->keys == NULL || s->classes == NULL || s->values == NULL || s->numbers == NULL ? RECO_E_NOMEM : 0;
}

/* Full: about half of the rows leave. */
static void thin(struct doctor_sample *s)
{
    size_t kept = 0;

    s->threshold /= 2;
    for (size_t i = 0; i < s->rows; i++) {
        if (s->keys[i] > s->threshold)
            continue;
        s->keys[kept] = s->keys[i];
        s->classes[kept] = s->classes[i];
        memmove(&s->values[kept * s->columns], &s->values[i * s->columns], s->columns * sizeof *s->values);
        memmove(&s->numbers[kept * s->columns], &s->numbers[i * s->columns], s->columns * sizeof *s->numbers);
        kept++;
    }
    s->rows = kept;
}

int doctor_sample_add(struct doctor_sample *s, const struct doctor_schema *schema, const struct doctor_row *row,
                      uint16_t class)
{
    uint64_t key = hash_u64(&row->place, sizeof row->place, 0);

    if (s->capacity == 0) {
        s->columns = schema->count;
        int rc = grow(s);
        if (rc < 0)
            return rc;
    }
    while (key <= s->threshold && s->rows == s->capacity)
        thin(s);
    if (key > s->threshold)
        return 0;
    for (size_t i = 0; i < s->columns; i++) {
        size_t in_file = row->file->column_of[i], at = s->rows * s->columns + i;
        s->values[at] = 0;
        s->numbers[at] = NAN;
        if (in_file == DOCTOR_NONE || row->fields[in_file].length == 0)
            continue;
        double number;
        s->values[at] = (uint32_t)row->hashes[in_file] | 1;
        if (number_parse(row->fields[in_file].text, row->fields[in_file].length, &number))
            s->numbers[at] = (float)number;
    }
    s->keys[s->rows] = key;
    s->classes[s->rows++] = class;
    return 0;
}

void doctor_sample_release(struct doctor_sample *s)
{
    mem_free(s->keys);
    mem_free(s->classes);
    mem_free(s->values);
    mem_free(s->numbers);
}

/* ---- judging a column ---- */

struct item {
    double sort; /* number, or the hash */
    uint16_t class;
};

static int compare_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;

    if (a->sort != b->sort)
        return a->sort < b->sort ? -1 : 1;
    return a->class < b->class ? -1 : a->class > b->class;
}

/* The column's values of the sample, sorted. */
static size_t collect(const struct doctor_sample *s, size_t column, struct item *items, bool *by_number)
{
    size_t count = 0, numbers = 0;

    for (size_t i = 0; i < s->rows; i++) {
        size_t at = i * s->columns + column;
        numbers += s->values[at] != 0 && !isnan(s->numbers[at]);
        count += s->values[at] != 0;
    }
    *by_number = numbers == count;
    count = 0;
    for (size_t i = 0; i < s->rows; i++) {
        size_t at = i * s->columns + column;
        if (s->values[at] != 0)
            items[count++] =
                (struct item){.sort = *by_number ? (double)s->numbers[at] : s->values[at], .class = s->classes[i]};
    }
    qsort(items, count, sizeof *items, compare_items);
    return count;
}

/* The end of the group that starts at from: equal values; of numbers, values too rare to be judged alone are taken
 * together with their neighbours. */
static size_t group_end(const struct item *items, size_t from, size_t count, bool by_number, bool *binned)
{
    size_t end = from;

    do {
        size_t to = end + 1;
        while (to < count && items[to].sort == items[end].sort)
            to++;
        if (end > from && to - end >= BIN_ROWS)
            return end;
        *binned = *binned || end > from;
        end = to;
    } while (by_number && end < count && end - from < BIN_ROWS);
    return end;
}

/* Rows of [from, to), sorted within by class or not, that leaving one out guesses right. counts is all 0 before and
 * after. */
static size_t guessed(const struct item *items, size_t from, size_t to, uint16_t most_frequent, uint32_t *counts)
{
    uint32_t top = 0, second = 0;

    if (to - from == 1)
        return items[from].class == most_frequent;
    for (size_t i = from; i < to; i++)
        counts[items[i].class]++;
    for (size_t i = from; i < to; i++) {
        uint32_t count = counts[items[i].class];
        counts[items[i].class] = 0;
        if (count > top) {
            second = top;
            top = count;
        } else if (count > second) {
            second = count;
        }
    }
    return top - 1 > second || (second == 0 && top > 0) ? top : 0;
}

int doctor_sample_explains(const struct doctor_sample *s, size_t column, double *share)
{
    size_t right = 0, base = 0;
    uint16_t most_frequent = 0;
    bool by_number, binned = false;

    *share = 0.0;
    if (s->rows < 2 || column >= s->columns)
        return 0;
    struct item *items = mem_alloc(s->rows * sizeof *items);
    uint32_t *counts = mem_calloc(DOCTOR_CLASSES_MAX, sizeof *counts);
    if (items == NULL || counts == NULL) {
        mem_free(items);
        mem_free(counts);
        return RECO_E_NOMEM;
    }
    size_t count = collect(s, column, items, &by_number);
    for (size_t i = 0; i < count; i++) {
        if (++counts[items[i].class] > base) {
            base = counts[items[i].class];
            most_frequent = items[i].class;
        }
    }
    memset(counts, 0, DOCTOR_CLASSES_MAX * sizeof *counts);
    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(items, from, count, by_number, &binned);
        right += guessed(items, from, to, most_frequent, counts);
    }
    size_t enough = binned ? BINNED_ROWS_MIN : ROWS_MIN;
    /* Gains that chance gives are no sign: the standard error of a count of right guesses is at most half the root. */
    bool sure = right > base && (double)(right - base) > 2.0 * sqrt((double)count);
    if (base < count && sure && count >= enough && count >= s->rows / 2)
        *share = (double)(right - base) / (double)(count - base);
    mem_free(items);
    mem_free(counts);
    return 0;
}
