#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"
#include "data/text_index.h"
#include "eval/slice.h"

#define NO_GROUP UINT32_MAX
enum { BINS_MAX = 100, NAME_SIZE = 96 };

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

/* ---- the name of a slice ---- */

enum kind { KIND_COLUMN, KIND_BINS, KIND_EDGES, KIND_LENGTH, KIND_FREQUENCY, KIND_SEEN, KIND_TRUNCATED };

struct parsed {
    enum kind kind;
    char column[256];
    size_t bins;
    double edges[BINS_MAX];
    size_t edge_count;
};

/* "10|50": ascending numbers */
static bool parse_edges(struct parsed *out, const char *text)
{
    while (out->edge_count < BINS_MAX - 1) {
        size_t length = strcspn(text, "|");
        double edge;
        if (!decimal_parse(text, length, &edge) || !isfinite(edge) ||
            (out->edge_count && edge <= out->edges[out->edge_count - 1])) {
            return false;
        }
        out->edges[out->edge_count++] = edge;
        if (!text[length]) {
            return true;
        }
        text += length + 1;
    }
    return false;
}

static int parse(struct parsed *out, const char *slice)
{
    static const struct {
        const char *name;
        enum kind kind;
    } built_in[] = {{"query_length", KIND_LENGTH},
                    {"query_frequency", KIND_FREQUENCY},
                    {"seen_query", KIND_SEEN},
                    {"seen_item", KIND_SEEN},
                    {"truncated", KIND_TRUNCATED}};
    *out = (struct parsed){0};
    for (size_t i = 0; i < sizeof built_in / sizeof built_in[0]; i++) {
        if (!strcmp(slice, built_in[i].name)) {
            out->kind = built_in[i].kind;
            return 0;
        }
    }
    if (!strncmp(slice, "seen:", 5) && slice[5]) {
        out->kind = KIND_SEEN;
        return 0;
    }
    const char *colon = strrchr(slice, ':');
    size_t length = colon ? (size_t)(colon - slice) : strlen(slice);
    if (!length || length >= sizeof out->column) {
        return err_set(RECO_E_USAGE, "slice '%s' names no column", slice);
    }
    memcpy(out->column, slice, length);
    if (!colon) {
        return 0;
    }
    double bins;
    out->kind = KIND_BINS;
    if (!strcmp(colon + 1, "quartile") || !strcmp(colon + 1, "decile")) {
        out->bins = strcmp(colon + 1, "decile") ? 4 : 10;
        return 0;
    }
    if (!strchr(colon + 1, '|') && decimal_parse(colon + 1, strlen(colon + 1), &bins) && bins >= 2 &&
        bins <= BINS_MAX && bins == floor(bins)) {
        out->bins = (size_t)bins;
        return 0;
    }
    out->kind = KIND_EDGES;
    if (!strchr(colon + 1, '|') || !parse_edges(out, colon + 1)) {
        return err_set(
            RECO_E_USAGE,
            "slice '%s': after the colon stands quartile, decile, a number of bins from 2 to %d, or ascending "
            "numbers as 10|50",
            slice, BINS_MAX);
    }
    return 0;
}

int slice_check(const char *slice)
{
    struct parsed parsed;
    return parse(&parsed, slice);
}

int slice_column(char *column, size_t size, const char *slice, const char *text_column)
{
    static const char *const others[] = {"position", "clicked", "converted", "dwell_s", "depth",    "propensity",
                                         "carted",   "ordered", "revenue",   "label",   "query_id", "item_id"};
    struct parsed parsed;
    int rc = parse(&parsed, slice);
    const char *name = "";
    if (!rc && parsed.kind <= KIND_EDGES) {
        name = parsed.column;
    } else if (!rc && parsed.kind == KIND_LENGTH) {
        name = text_column ? text_column : "query";
    } else if (!rc && parsed.kind == KIND_SEEN) {
        name = slice_training_column(slice);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        name = strcmp(name, others[i]) ? name : "";
    }
    (void)snprintf(column, size, "%s", name);
    return rc;
}

/* ---- columns ---- */

struct column {
    const char **texts;    /* a carried one */
    const double *numbers; /* an event */
    bool label;
};

static int find_column(struct column *out, const struct predictions *p, const char *name)
{
    const struct {
        const char *name;
        const double *numbers;
    } events[] = {{"position", p->position}, {"clicked", p->clicked}, {"converted", p->converted},
                  {"dwell_s", p->dwell_s},   {"depth", p->depth},     {"propensity", p->propensity},
                  {"carted", p->carted},     {"ordered", p->ordered}, {"revenue", p->revenue}};
    *out = (struct column){0};
    for (size_t i = 0; i < p->extra_count; i++) {
        if (!strcmp(p->extra[i].name, name)) {
            out->texts = p->extra[i].values;
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (!strcmp(events[i].name, name) && events[i].numbers) {
            out->numbers = events[i].numbers;
            return 0;
        }
    }
    out->label = !strcmp(name, "label") && p->label;
    if (out->label) {
        return 0;
    }
    return err_set(RECO_E_USAGE, "cannot slice by '%s': the predictions have no such column (reco predict --carry %s)",
                   name, name);
}

/* The text of a value, "" for a missing one; space [NAME_SIZE] is used for numbers. */
static const char *text_at(const struct column *column, const struct predictions *p, size_t row, char *space)
{
    if (column->texts) {
        return column->texts[row];
    }
    if (column->label) {
        return predictions_label(p, row) < 0 ? "" : p->labels.names[predictions_label(p, row)];
    }
    if (isnan(column->numbers[row])) {
        return "";
    }
    (void)snprintf(space, NAME_SIZE, "%.9g", column->numbers[row]);
    return space;
}

/* ---- groups ---- */

static int add_group(struct slice_groups *g, const char *name)
{
    char **names = mem_realloc_array(g->names, g->count + 1, sizeof *names);
    if (!names) {
        return RECO_E_NOMEM;
    }
    g->names = names;
    names[g->count] = mem_strdup(name);
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

/* The most frequent values are groups, the others one together. of_row holds numbers of values before. */
static int group_values(struct slice_groups *g, struct value *values, size_t count, size_t rows, size_t max_groups)
{
    uint32_t *group = mem_realloc_array(NULL, count + 1, sizeof *group);
    int rc = group ? 0 : RECO_E_NOMEM;
    if (!rc && count) {
        qsort(values, count, sizeof *values, compare_values);
    }
    size_t kept = count > max_groups ? max_groups - 1 : count;
    for (size_t i = 0; !rc && i < count; i++) {
        group[values[i].number] = (uint32_t)(i < kept ? i : kept);
        rc = i < kept ? add_group(g, values[i].text) : 0;
    }
    if (!rc && count > kept) {
        g->pooled = count - kept;
        rc = add_group(g, "(other)");
    }
    for (size_t row = 0; !rc && row < rows; row++) {
        g->of_row[row] = g->of_row[row] == NO_GROUP ? NO_GROUP : group[g->of_row[row]];
    }
    mem_free(group);
    return rc;
}

static int by_value(struct slice_groups *g, const struct column *column, const struct predictions *p, size_t max_groups)
{
    struct text_index index = {0};
    struct text_store store = {0};
    const char **texts = NULL;
    size_t capacity = 0;
    size_t count = 0;
    int rc = 0;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[NAME_SIZE];
        const char *text = text_at(column, p, row, space);
        uint32_t number = NO_GROUP;
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
    struct value *values = mem_calloc(count + 1, sizeof *values);
    rc = rc || values ? rc : RECO_E_NOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        values[i] = (struct value){texts[i], 0, (uint32_t)i};
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        if (g->of_row[row] != NO_GROUP) {
            values[g->of_row[row]].rows++;
        }
    }
    if (!rc) {
        rc = group_values(g, values, count, p->rows, max_groups);
    }
    mem_free(values);
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

static int read_numbers(double *numbers, const struct column *column, const struct predictions *p, const char *slice)
{
    for (size_t row = 0; row < p->rows; row++) {
        char space[NAME_SIZE];
        if (column->numbers) {
            numbers[row] = column->numbers[row];
            continue;
        }
        const char *text = text_at(column, p, row, space);
        numbers[row] = NAN;
        if (*text && (!decimal_parse(text, strlen(text), &numbers[row]) || isnan(numbers[row]))) {
            return err_set(RECO_E_DATA, "cannot slice by '%s': '%.100s' in row %zu is not a number", slice, text,
                           row + 1);
        }
    }
    return 0;
}

/* Edges of bins with as many rows each: the values at the quantiles, equal ones once. */
static int quantile_edges(struct parsed *parsed, const double *numbers, size_t rows)
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
    for (size_t i = 1; count && i < parsed->bins; i++) {
        double edge = sorted[i * count / parsed->bins];
        double last = parsed->edge_count ? parsed->edges[parsed->edge_count - 1] : sorted[0];
        if (edge > last) {
            parsed->edges[parsed->edge_count++] = edge;
        }
    }
    mem_free(sorted);
    return 0;
}

static int by_number(struct slice_groups *g, struct parsed *parsed, const struct column *column,
                     const struct predictions *p, const char *slice)
{
    double *numbers = mem_realloc_array(NULL, p->rows + 1, sizeof *numbers);
    int rc = numbers ? read_numbers(numbers, column, p, slice) : RECO_E_NOMEM;
    if (!rc && parsed->kind == KIND_BINS) {
        rc = quantile_edges(parsed, numbers, p->rows);
    }
    for (size_t i = 0; !rc && i <= parsed->edge_count; i++) {
        char name[NAME_SIZE];
        if (!parsed->edge_count) {
            (void)snprintf(name, sizeof name, "all");
        } else if (!i) {
            (void)snprintf(name, sizeof name, "below %.6g", parsed->edges[0]);
        } else if (i < parsed->edge_count) {
            (void)snprintf(name, sizeof name, "%.6g to below %.6g", parsed->edges[i - 1], parsed->edges[i]);
        } else {
            (void)snprintf(name, sizeof name, "from %.6g", parsed->edges[i - 1]);
        }
        rc = add_group(g, name);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        uint32_t bin = 0;
        while (bin < parsed->edge_count && numbers[row] >= parsed->edges[bin]) {
            bin++;
        }
        g->of_row[row] = isnan(numbers[row]) ? NO_GROUP : bin;
    }
    mem_free(numbers);
    return rc;
}

/* ---- what is known without a column ---- */

static int add_groups(struct slice_groups *g, const char *const *names)
{
    int rc = 0;
    for (size_t i = 0; !rc && names[i]; i++) {
        rc = add_group(g, names[i]);
    }
    return rc;
}

static int by_length(struct slice_groups *g, const struct predictions *p, const char *text_column)
{
    static const char *const names[] = {"1 word", "2 words", "3 to 4 words", "5 to 8 words", "9 words and more", NULL};
    struct column column;
    int rc = find_column(&column, p, text_column ? text_column : "query");
    if (rc) {
        return err_prepend(rc, "query_length needs the query's text");
    }
    rc = add_groups(g, names);
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[NAME_SIZE];
        size_t words = 0;
        for (const char *at = text_at(&column, p, row, space); *at; at += strcspn(at, " \t\r\n")) {
            at += strspn(at, " \t\r\n");
            words += *at != '\0';
        }
        g->of_row[row] = !words ? NO_GROUP : words <= 2 ? (uint32_t)words - 1 : words <= 4 ? 2 : words <= 8 ? 3 : 4;
    }
    return rc;
}

static int by_truncation(struct slice_groups *g, const struct predictions *p)
{
    static const char *const names[] = {"whole", "truncated", NULL};
    if (!p->truncated) {
        return err_set(RECO_E_USAGE, "cannot slice by 'truncated': the predictions have no such column");
    }
    for (size_t row = 0; row < p->rows; row++) {
        g->of_row[row] = p->truncated[row];
    }
    return add_groups(g, names);
}

/* Values of the column of training in these predictions; the ids are columns of their own. */
static const char *value_at(const struct predictions *p, const struct column *column, const char *name, size_t row,
                            char *space)
{
    if (!strcmp(name, "query_id")) {
        return p->query_ids[p->query[row]];
    }
    return !strcmp(name, "item_id") ? predictions_item_id(p, row) : text_at(column, p, row, space);
}

static int by_seen(struct slice_groups *g, const struct predictions *p, const char *slice,
                   const struct slice_training *training)
{
    static const char *const names[] = {"seen", "unseen", NULL};
    const char *name = slice_training_column(slice);
    struct column column = {0};
    uint64_t count;
    if (!training) {
        return err_set(RECO_E_USAGE, "slice '%s' needs --train_dataset", slice);
    }
    if (!slice_training_has(training, name)) {
        return err_set(RECO_E_USAGE, "slice '%s': the training data has no column '%s'", slice, name);
    }
    bool is_query = !strcmp(name, "query_id");
    bool is_item = !strcmp(name, "item_id");
    if ((is_query && !p->query) || (is_item && !p->item)) {
        return err_set(RECO_E_USAGE, "slice '%s': the predictions have no column '%s'", slice, name);
    }
    int rc = is_query || is_item ? 0 : find_column(&column, p, name);
    for (size_t row = 0; !rc && row < p->rows; row++) {
        char space[NAME_SIZE];
        const char *value = value_at(p, &column, name, row, space);
        rc = slice_training_count(&count, training, name, value);
        g->of_row[row] = *value ? !count : NO_GROUP;
    }
    return rc ? rc : add_groups(g, names);
}

struct frequent {
    uint64_t times;
    size_t rows;
    uint32_t query;
};

static int compare_frequent(const void *left, const void *right)
{
    const struct frequent *a = left;
    const struct frequent *b = right;
    return a->times > b->times ? -1 : a->times < b->times ? 1 : a->query < b->query ? -1 : a->query > b->query;
}

/* Queries of one frequency are in one group: that of the middle of their rows. */
static int by_frequency(struct slice_groups *g, const struct predictions *p, const struct slice_training *training)
{
    static const char *const names[] = {"head", "torso", "tail", NULL};
    if (!p->query) {
        return err_set(RECO_E_USAGE, "cannot slice by 'query_frequency': the predictions have no column 'query_id'");
    }
    struct frequent *queries = mem_calloc(p->query_count + 1, sizeof *queries);
    uint32_t *group = mem_calloc(p->query_count + 1, sizeof *group);
    int rc = queries && group ? add_groups(g, names) : RECO_E_NOMEM;
    for (size_t row = 0; !rc && row < p->rows; row++) {
        queries[p->query[row]].rows++;
    }
    double total = 0;
    for (uint32_t q = 0; !rc && q < p->query_count; q++) {
        queries[q].query = q;
        queries[q].times = queries[q].rows;
        if (slice_training_has(training, "query_id")) {
            rc = slice_training_count(&queries[q].times, training, "query_id", p->query_ids[q]);
        }
        total += (double)queries[q].times;
    }
    if (!rc) {
        qsort(queries, p->query_count, sizeof *queries, compare_frequent);
    }
    double before = 0;
    for (size_t i = 0; !rc && i < p->query_count;) {
        size_t end = i;
        while (end < p->query_count && queries[end].times == queries[i].times) {
            end++;
        }
        double of_these = (double)queries[i].times * (double)(end - i);
        double middle = total > 0 ? (before + of_these / 2) / total : 1;
        for (; i < end; i++) {
            group[queries[i].query] = !queries[i].times || middle > 2.0 / 3 ? 2 : middle > 1.0 / 3 ? 1 : 0;
        }
        before += of_these;
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        g->of_row[row] = group[p->query[row]];
    }
    mem_free(queries);
    mem_free(group);
    return rc;
}

int slice_groups_new(struct slice_groups *out, const char *slice, const struct predictions *p,
                     const struct slice_options *options)
{
    struct parsed parsed;
    struct column column;
    *out = (struct slice_groups){0};
    int rc = parse(&parsed, slice);
    if (rc) {
        return rc;
    }
    out->of_row = mem_realloc_array(NULL, p->rows + 1, sizeof *out->of_row);
    rc = out->of_row ? 0 : RECO_E_NOMEM;
    if (!rc && parsed.kind <= KIND_EDGES) {
        rc = find_column(&column, p, parsed.column);
        rc = rc                           ? rc
             : parsed.kind == KIND_COLUMN ? by_value(out, &column, p, options->max_groups)
                                          : by_number(out, &parsed, &column, p, slice);
    } else if (!rc && parsed.kind == KIND_LENGTH) {
        rc = by_length(out, p, options->text_column);
    } else if (!rc && parsed.kind == KIND_FREQUENCY) {
        rc = by_frequency(out, p, options->training);
    } else if (!rc && parsed.kind == KIND_SEEN) {
        rc = by_seen(out, p, slice, options->training);
    } else if (!rc) {
        rc = by_truncation(out, p);
    }
    for (size_t row = 0; !rc && row < p->rows; row++) {
        out->missing += out->of_row[row] == NO_GROUP;
    }
    if (rc) {
        slice_groups_release(out);
    }
    return rc;
}
