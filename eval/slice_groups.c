#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/opt.h"
#include "data/decimal.h"
#include "data/text_index.h"
#include "data/utf8.h"
#include "eval/slice_internal.h"

void slice_options_init(struct slice_options *options)
{
    *options = (struct slice_options){.min_rows = 30, .max_groups = 50};
}

void slice_groups_release(struct slice_groups *groups)
{
    for (size_t i = 0; groups->names && i < groups->count; i++) {
        mem_free(groups->names[i]);
    }
    mem_free(groups->names);
    mem_free(groups->of_row);
    *groups = (struct slice_groups){0};
}

/* ---- columns ---- */

/* The predictions' own columns. */
struct own {
    const char *name;
    struct slice_column column;
    bool there;
};
enum { OWN_COLUMNS = 17, WORDS_MAX = 256 };

static void list_own(struct own own[OWN_COLUMNS], const struct predictions *p)
{
    const struct own columns[OWN_COLUMNS] = {{"position", {.numbers = p->position}, p->position},
                                             {"clicked", {.numbers = p->clicked}, p->clicked},
                                             {"converted", {.numbers = p->converted}, p->converted},
                                             {"dwell_s", {.numbers = p->dwell_s}, p->dwell_s},
                                             {"depth", {.numbers = p->depth}, p->depth},
                                             {"propensity", {.numbers = p->propensity}, p->propensity},
                                             {"carted", {.numbers = p->carted}, p->carted},
                                             {"ordered", {.numbers = p->ordered}, p->ordered},
                                             {"revenue", {.numbers = p->revenue}, p->revenue},
                                             {"tokens", {.counts = p->tokens}, p->tokens},
                                             {"label", {.is = SLICE_IS_LABEL}, p->label},
                                             {"label", {.numbers = p->target}, p->target},
                                             {"predicted", {.is = SLICE_IS_PREDICTED}, p->predicted},
                                             {"predicted", {.numbers = p->value}, p->value},
                                             {"score", {.is = SLICE_IS_SCORE}, predictions_has_score(p)},
                                             {"query_id", {.is = SLICE_IS_QUERY}, p->query},
                                             {"item_id", {.is = SLICE_IS_ITEM}, p->item}};
    memcpy(own, columns, sizeof columns);
}

static int unknown_column(const struct predictions *p, const struct own own[OWN_COLUMNS], const char *name)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        if (own[i].there) {
            words[count++] = own[i].name;
        }
    }
    for (size_t i = 0; slice_built_in[i]; i++) {
        words[count++] = slice_built_in[i];
    }
    for (size_t i = 0; i < p->extra_count && count < WORDS_MAX; i++) {
        words[count++] = p->extra[i].name;
    }
    const char *near = opt_nearest(name, words, count);
    if (near) {
        return err_set(RECO_E_USAGE, "cannot slice by '%s': there is no such column; did you mean '%s'?", name, near);
    }
    bool are_events = !p->label && !p->target && !predictions_has_score(p);
    return are_events
               ? err_set(RECO_E_USAGE, "cannot slice by '%s': there is no such column", name)
               : err_set(RECO_E_USAGE,
                         "cannot slice by '%s': there is no such column (reco predict --carry %s takes one along)",
                         name, name);
}

int slice_column_find(struct slice_column *out, const struct predictions *p, const char *name)
{
    struct own own[OWN_COLUMNS];
    *out = (struct slice_column){0};
    out->texts = predictions_extra_find(p, name);
    if (out->texts) {
        return 0;
    }
    list_own(own, p);
    for (size_t i = 0; i < OWN_COLUMNS; i++) {
        if (own[i].there && !strcmp(own[i].name, name)) {
            *out = own[i].column;
            return 0;
        }
    }
    return unknown_column(p, own, name);
}

/* NaN: missing. Only of a column that holds no texts. */
static double number_at(const struct slice_column *column, const struct predictions *p, size_t row)
{
    return column->numbers  ? column->numbers[row]
           : column->counts ? (double)column->counts[row]
                            : predictions_score(p, row);
}

const char *slice_column_text(const struct slice_column *column, const struct predictions *p, size_t row, char *space)
{
    if (column->texts) {
        return column->texts[row];
    }
    if (column->is == SLICE_IS_LABEL || column->is == SLICE_IS_PREDICTED) {
        int label = column->is == SLICE_IS_LABEL ? predictions_label(p, row) : predictions_predicted(p, row);
        return label < 0 ? "" : p->labels.names[label];
    }
    if (column->is == SLICE_IS_QUERY || column->is == SLICE_IS_ITEM) {
        return column->is == SLICE_IS_QUERY ? p->query_ids[p->query[row]] : p->item_ids[p->item[row]];
    }
    double number = number_at(column, p, row);
    if (isnan(number)) {
        return "";
    }
    (void)snprintf(space, SLICE_NUMBER_SIZE, "%.9g", number);
    return space;
}

/* ---- groups ---- */

int slice_add_group(struct slice_groups *g, const char *name)
{
    struct buf valid = {0};
    char **names = mem_realloc_array(g->names, g->count + 1, sizeof *names);
    if (!names) {
        return RECO_E_NOMEM;
    }
    g->names = names;
    int rc = utf8_add_valid(&valid, name);
    names[g->count] = rc ? NULL : mem_strdup(buf_str(&valid));
    buf_release(&valid);
    return names[g->count] ? (g->count++, 0) : RECO_E_NOMEM;
}

struct value {
    const char *text;
    size_t rows;
    uint32_t number;
};

/* Most rows first; the name decides between equals. */
static int compare_values(const void *left, const void *right)
{
    const struct value *a = left;
    const struct value *b = right;
    return a->rows > b->rows ? -1 : a->rows < b->rows ? 1 : strcmp(a->text, b->text);
}

/* How many values stay groups of their own: all of enough rows, and others as long as the groups are few. */
static size_t count_kept(const struct value *values, size_t count, size_t max_groups, size_t min_rows)
{
    size_t kept = max_groups - 1;
    if (count <= max_groups) {
        return count;
    }
    while (kept < count && values[kept].rows >= min_rows) {
        kept++;
    }
    return kept;
}

/*
 * The most frequent of the values texts [count] are groups, the others one together. of_row holds numbers of values
 * before. max_groups SIZE_MAX: all are groups.
 */
static int group_values(struct slice_groups *g, const char *const *texts, size_t count, size_t rows, size_t max_groups,
                        size_t min_rows)
{
    struct value *values = mem_calloc(count + 1, sizeof *values);
    uint32_t *group = mem_realloc_array(NULL, count + 1, sizeof *group);
    int rc = values && group ? 0 : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        values[i] = (struct value){texts[i], 0, (uint32_t)i};
    }
    for (size_t row = 0; !rc && row < rows; row++) {
        if (g->of_row[row] != SLICE_NO_GROUP) {
            values[g->of_row[row]].rows++;
        }
    }
    if (!rc && count) {
        qsort(values, count, sizeof *values, compare_values);
    }
    size_t kept = rc ? 0 : count_kept(values, count, max_groups, min_rows);
    for (size_t i = 0; !rc && i < count; i++) {
        group[values[i].number] = (uint32_t)(i < kept ? i : kept);
        rc = i < kept ? slice_add_group(g, values[i].text) : 0;
    }
    if (!rc && count > kept) {
        g->pooled = count - kept;
        rc = slice_add_group(g, "(other)");
    }
    for (size_t row = 0; !rc && row < rows; row++) {
        g->of_row[row] = g->of_row[row] == SLICE_NO_GROUP ? SLICE_NO_GROUP : group[g->of_row[row]];
    }
    mem_free(values);
    mem_free(group);
    return rc;
}

static int by_value(struct slice_groups *g, const struct slice_column *column, const struct predictions *p,
                    size_t max_groups, size_t min_rows)
{
    struct text_index index = {0};
    struct text_store store = {0};
    const char **texts = NULL;
    size_t capacity = 0;
    size_t count = 0;
    int rc = 0;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[SLICE_NUMBER_SIZE];
        const char *text = slice_column_text(column, p, row, space);
        uint32_t number = SLICE_NO_GROUP;
        if (*text) {
            rc = mem_grow((void **)&texts, &capacity, count + 1, sizeof *texts);
            rc = rc ? rc : text_index_enter(&index, texts, (uint32_t)count, text, strlen(text), &number);
            if (!rc && number == TEXT_INDEX_NONE) {
                texts[count] = text_store_add(&store, text, strlen(text));
                number = (uint32_t)count;
                rc = texts[count++] ? 0 : RECO_E_NOMEM;
            }
        }
        g->of_row[row] = number;
    }
    if (!rc) {
        rc = group_values(g, texts, count, p->rows, max_groups, min_rows);
    }
    mem_free(texts);
    text_index_release(&index);
    text_store_release(&store);
    return rc;
}

/* ---- numbers ---- */

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* A text "nan", as other programs write a missing number, is one. */
static int read_numbers(double *numbers, const struct slice_column *column, const struct predictions *p,
                        const char *slice)
{
    bool is_number = !column->texts && (column->is == SLICE_IS_HELD || column->is == SLICE_IS_SCORE);
    for (size_t row = 0; row < p->rows; row++) {
        char space[SLICE_NUMBER_SIZE];
        if (is_number) {
            numbers[row] = number_at(column, p, row);
            continue;
        }
        const char *text = slice_column_text(column, p, row, space);
        numbers[row] = NAN;
        if (*text && !decimal_parse(text, strlen(text), &numbers[row])) {
            return err_set(RECO_E_DATA, "cannot slice by '%s': '%.100s' in row %zu is not a number", slice, text,
                           row + 1);
        }
    }
    return 0;
}

/* Edges of bins with as many rows each: the values at the quantiles, equal ones once. */
static int quantile_edges(struct slice_part *part, const double *numbers, size_t rows)
{
    double *sorted = mem_realloc_array(NULL, rows + 1, sizeof *sorted);
    size_t count = 0;
    if (!sorted) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < rows; row++) {
        if (!isnan(numbers[row])) {
            sorted[count++] = numbers[row];
        }
    }
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    for (size_t i = 1; count && i < part->bins; i++) {
        double edge = sorted[i * count / part->bins];
        double last = part->edge_count ? part->edges[part->edge_count - 1] : sorted[0];
        if (edge > last) {
            part->edges[part->edge_count++] = edge;
        }
    }
    mem_free(sorted);
    return 0;
}

/* As few digits as tell the edges apart. */
static int edge_digits(const struct slice_part *part)
{
    int digits = 6;
    for (size_t i = 1; i < part->edge_count; i++) {
        char before[32];
        char after[32];
        (void)snprintf(before, sizeof before, "%.*g", digits, part->edges[i - 1]);
        (void)snprintf(after, sizeof after, "%.*g", digits, part->edges[i]);
        if (digits < 17 && !strcmp(before, after)) {
            digits++;
            i = 0;
        }
    }
    return digits;
}

static int by_number(struct slice_groups *g, struct slice_part *part, const struct slice_column *column,
                     const struct predictions *p, const char *slice)
{
    double *numbers = mem_realloc_array(NULL, p->rows + 1, sizeof *numbers);
    int rc = numbers ? read_numbers(numbers, column, p, slice) : RECO_E_NOMEM;
    if (!rc && part->kind == SLICE_BINS) {
        rc = quantile_edges(part, numbers, p->rows);
    }
    const double *edges = part->edges;
    int digits = edge_digits(part);
    for (size_t i = 0; !rc && i <= part->edge_count; i++) {
        char name[SLICE_NUMBER_SIZE];
        if (!part->edge_count) {
            (void)snprintf(name, sizeof name, "all");
        } else if (!i) {
            (void)snprintf(name, sizeof name, "below %.*g", digits, edges[0]);
        } else if (i < part->edge_count) {
            (void)snprintf(name, sizeof name, "%.*g to below %.*g", digits, edges[i - 1], digits, edges[i]);
        } else {
            (void)snprintf(name, sizeof name, "from %.*g", digits, edges[i - 1]);
        }
        rc = slice_add_group(g, name);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        uint32_t bin = 0;
        while (bin < part->edge_count && numbers[row] >= edges[bin]) {
            bin++;
        }
        g->of_row[row] = isnan(numbers[row]) ? SLICE_NO_GROUP : bin;
    }
    mem_free(numbers);
    return rc;
}

/* ---- several together ---- */

static int groups_of_part(struct slice_groups *out, struct slice_part *part, const char *slice,
                          const struct predictions *p, const struct slice_options *options, size_t max_groups)
{
    struct slice_column column;
    *out = (struct slice_groups){0};
    out->of_row = mem_realloc_array(NULL, p->rows + 1, sizeof *out->of_row);
    int rc = out->of_row ? 0 : RECO_E_NOMEM;
    if (!rc && part->kind <= SLICE_EDGES) {
        rc = slice_column_find(&column, p, part->column);
        rc = rc                           ? rc
             : part->kind == SLICE_COLUMN ? by_value(out, &column, p, max_groups, options->min_rows)
                                          : by_number(out, part, &column, p, slice);
    } else if (!rc && part->kind == SLICE_LENGTH) {
        rc = slice_by_length(out, p, options->text_column);
    } else if (!rc && part->kind == SLICE_FREQUENCY) {
        rc = slice_by_frequency(out, p, options->training);
    } else if (!rc && part->kind == SLICE_SEEN) {
        rc = slice_by_seen(out, p, part->column, options->training);
    } else if (!rc) {
        rc = slice_by_truncation(out, p);
    }
    return rc;
}

/* of_row of a becomes the number of the pair that its group makes with that of b; texts get the pairs' names. */
static int number_pairs(struct slice_groups *a, const struct slice_groups *b, size_t rows, struct text_store *store,
                        const char ***texts, size_t *count)
{
    struct text_index index = {0};
    struct buf name = {0};
    size_t capacity = 0;
    uint32_t last = 0;
    uint64_t last_pair = UINT64_MAX;
    int rc = 0;
    for (size_t row = 0; !rc && row < rows; row++) {
        uint32_t number = SLICE_NO_GROUP;
        if (a->of_row[row] != SLICE_NO_GROUP && b->of_row[row] != SLICE_NO_GROUP) {
            uint64_t pair = (uint64_t)a->of_row[row] << 32 | b->of_row[row];
            number = last;
            if (pair != last_pair) {
                buf_clear(&name);
                rc = buf_printf(&name, "%s + %s", a->names[a->of_row[row]], b->names[b->of_row[row]]);
                rc = rc ? rc : mem_grow((void **)texts, &capacity, *count + 1, sizeof **texts);
                rc = rc ? rc : text_index_enter(&index, *texts, (uint32_t)*count, buf_str(&name), name.length, &number);
                if (!rc && number == TEXT_INDEX_NONE) {
                    (*texts)[*count] = text_store_add(store, buf_str(&name), name.length);
                    number = (uint32_t)*count;
                    rc = (*texts)[(*count)++] ? 0 : RECO_E_NOMEM;
                }
                last_pair = pair;
                last = number;
            }
        }
        a->of_row[row] = number;
    }
    buf_release(&name);
    text_index_release(&index);
    return rc;
}

/* Puts the groups of b beside those of a: "de + below 10". */
static int combine(struct slice_groups *a, const struct slice_groups *b, size_t rows, size_t max_groups,
                   size_t min_rows)
{
    struct slice_groups out = {.of_row = a->of_row, .note = a->note ? a->note : b->note};
    struct text_store store = {0};
    const char **texts = NULL;
    size_t count = 0;
    int rc = number_pairs(a, b, rows, &store, &texts, &count);
    if (!rc) {
        rc = group_values(&out, texts, count, rows, max_groups, min_rows);
    }
    a->of_row = NULL;
    slice_groups_release(a);
    *a = out;
    mem_free(texts);
    text_store_release(&store);
    return rc;
}

int slice_groups_new(struct slice_groups *out, const char *slice, const struct predictions *p,
                     const struct slice_options *options)
{
    struct slice_part parts[SLICE_PARTS_MAX];
    size_t count;
    *out = (struct slice_groups){0};
    int rc = slice_parse(parts, &count, slice);
    if (!rc && count > 1 && strlen(slice) < sizeof parts[0].column && predictions_extra_find(p, slice)) {
        parts[0] = (struct slice_part){.kind = SLICE_COLUMN}; /* a '+' of the column's name */
        memcpy(parts[0].column, slice, strlen(slice) + 1);
        count = 1;
    }
    for (size_t i = 0; !rc && i < count; i++) {
        struct slice_groups of_part = {0};
        rc = groups_of_part(i ? &of_part : out, &parts[i], slice, p, options,
                            count > 1 ? SIZE_MAX : options->max_groups);
        if (!rc && i) {
            rc = combine(out, &of_part, p->rows, i + 1 < count ? SIZE_MAX : options->max_groups, options->min_rows);
        }
        slice_groups_release(&of_part);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        out->missing += out->of_row[row] == SLICE_NO_GROUP;
    }
    if (rc) {
        slice_groups_release(out);
    }
    return rc;
}
