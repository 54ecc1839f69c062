#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/decimal.h"
#include "data/predictions_reader.h"
#include "data/utf8.h"

#define STOP_CHECK_ROWS 4096
#define PROBABILITY_SUM_TOLERANCE 1e-3

/* Cuts a line at its tabs in place; fields[i] are NUL-terminated. Returns the number of fields, counting past max. */
static size_t cut(char *text, size_t length, char **fields, size_t *lengths, size_t max)
{
    size_t count = 0;
    char *end = text + length;
    for (char *at = text;;) {
        char *tab = memchr(at, '\t', (size_t)(end - at));
        if (count < max) {
            fields[count] = at;
            lengths[count] = (size_t)((tab ? tab : end) - at);
            fields[count][lengths[count]] = '\0';
        }
        count++;
        if (!tab) {
            return count;
        }
        at = tab + 1;
    }
}

/* ---- arrays that grow with the rows ---- */

static int grow_array(void **array, size_t rows, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, rows, size_bytes);
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(array, factor) (rc = rc ? rc : grow_array((void **)&(array), capacity, (factor) * sizeof *(array)))

static int grow_rows(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    size_t capacity = r->capacity ? r->capacity + r->capacity / 2 : 1024;
    bool regression = r->map_known && !p->labels.count;
    int rc = 0;
    GROW(p->row_ids, 1);
    if (regression) {
        GROW(p->target, 1);
        GROW(p->value, 1);
    } else {
        GROW(p->label, 1);
        GROW(p->predicted, 1);
    }
    if (r->has_p) {
        GROW(p->p, (size_t)p->labels.count);
    }
    if (r->has[COLUMN_SCORE] || r->has_p || regression) {
        GROW(p->score, 1);
    }
    if (r->has[COLUMN_QUERY_ID]) {
        GROW(p->query, 1);
    }
    if (r->has[COLUMN_ITEM_ID]) {
        GROW(p->item, 1);
    }
    if (r->has[COLUMN_TOKENS]) {
        GROW(p->tokens, 1);
    }
    if (r->has[COLUMN_TRUNCATED]) {
        GROW(p->truncated, 1);
    }
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        if (r->event[i]) {
            GROW(r->event[i], 1);
        }
    }
    for (size_t i = 0; i < p->extra_count; i++) {
        GROW(p->extra[i].values, 1);
    }
    if (!rc) {
        r->capacity = capacity;
    }
    return rc;
}

/* ---- one row ---- */

/* The number of a label's text; with a known map its class. An empty text is -1. */
static int enter_value(struct predictions_reader *r, const char *what, char *text, size_t length, int32_t *out)
{
    length = predictions_unescape(text, length);
    *out = -1;
    if (!length) {
        return 0;
    }
    uint32_t number;
    int rc = text_index_enter(&r->value_index, r->values, (uint32_t)r->value_count, text, length, &number);
    if (rc) {
        return rc;
    }
    if (number == TEXT_INDEX_NONE) {
        if (!utf8_is_valid(text, length, NULL)) {
            return predictions_fail_line(r, "not UTF-8: label", text);
        }
        number = (uint32_t)r->value_count;
        rc = mem_grow((void **)&r->values, &r->value_capacity, r->value_count + 1, sizeof *r->values);
        if (!rc) {
            rc = mem_grow((void **)&r->value_class, &r->class_capacity, r->value_count + 1, sizeof *r->value_class);
        }
        if (rc) {
            return rc;
        }
        r->values[number] = text_store_add(r->texts, text, length);
        if (!r->values[number]) {
            return RECO_E_NOMEM;
        }
        r->value_class[number] = r->map_known ? label_map_find(&r->p->labels, text, length) : (int32_t)number;
        r->value_count++;
    }
    *out = r->value_class[number];
    if (*out < 0) {
        return predictions_fail_line(r, what, text);
    }
    return 0;
}

static int read_number(const struct predictions_reader *r, const char *what, const char *text, size_t length,
                       double *out)
{
    if (!decimal_parse(text, length, out)) {
        return predictions_fail_line(r, what, text);
    }
    return 0;
}

static bool parse_flag(const char *text, double *out)
{
    bool yes = !strcasecmp(text, "true") || !strcasecmp(text, "yes");
    if (!yes && strcasecmp(text, "false") != 0 && strcasecmp(text, "no") != 0) {
        return false;
    }
    *out = yes;
    return true;
}

/* An event: a number, true, false, yes or no; empty is NaN. */
static int read_event(const struct predictions_reader *r, size_t event, const char *text, size_t length, double *out)
{
    *out = NAN;
    if (!length || parse_flag(text, out)) {
        return 0;
    }
    if (!decimal_parse(text, length, out) || isnan(*out)) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.200s' is not a number", r->path,
                       (unsigned long long)line_reader_number(r->lines), predictions_event_names[event], text);
    }
    return 0;
}

static int read_ids(struct predictions_reader *r, enum column_kind kind, char *text, size_t length)
{
    struct predictions *p = r->p;
    size_t row = p->rows;
    uint32_t number;
    length = predictions_unescape(text, length);
    if (kind == COLUMN_ITEM_ID) {
        r->any_item_id = r->any_item_id || length;
        int rc = text_index_enter(&r->item_index, p->item_ids, (uint32_t)p->item_count, text, length, &number);
        if (!rc && number == TEXT_INDEX_NONE) {
            number = (uint32_t)p->item_count;
            rc = mem_grow((void **)&p->item_ids, &r->item_capacity, p->item_count + 1, sizeof *p->item_ids);
            if (!rc) {
                p->item_ids[number] = text_store_add(r->texts, text, length);
                rc = p->item_ids[number] ? 0 : RECO_E_NOMEM;
                p->item_count++;
            }
        }
        p->item[row] = number;
        return rc;
    }
    if (kind == COLUMN_ROW_ID) {
        int rc = text_index_enter(&r->row_index, p->row_ids, (uint32_t)row, text, length, &number);
        if (rc) {
            return rc;
        }
        if (number != TEXT_INDEX_NONE) {
            return predictions_fail_line(r, "doubled row_id", text);
        }
        p->row_ids[row] = text_store_add(r->texts, text, length);
        return p->row_ids[row] ? 0 : RECO_E_NOMEM;
    }
    if (!length) {
        return predictions_fail_line(r, "empty query_id", text);
    }
    uint32_t last = row ? p->query[row - 1] : 0;
    if (row && !strcmp(p->query_ids[last], text)) {
        p->query[row] = last;
        return 0;
    }
    int rc = text_index_enter(&r->query_index, p->query_ids, (uint32_t)p->query_count, text, length, &number);
    if (rc) {
        return rc;
    }
    if (number == TEXT_INDEX_NONE) {
        number = (uint32_t)p->query_count;
        rc = mem_grow((void **)&p->query_ids, &r->query_capacity, p->query_count + 1, sizeof *p->query_ids);
        if (rc) {
            return rc;
        }
        p->query_ids[number] = text_store_add(r->texts, text, length);
        if (!p->query_ids[number]) {
            return RECO_E_NOMEM;
        }
        p->query_count++;
    }
    p->query[row] = number;
    return 0;
}

static int read_outcome(struct predictions_reader *r, enum column_kind kind, char *text, size_t length)
{
    struct predictions *p = r->p;
    size_t row = p->rows;
    bool regression = r->map_known && !p->labels.count;
    if (regression && kind == COLUMN_LABEL && !length) {
        p->target[row] = NAN;
        return 0;
    }
    if (regression) {
        double *to = kind == COLUMN_LABEL ? &p->target[row] : &p->value[row];
        int rc =
            read_number(r, kind == COLUMN_LABEL ? "not a number: label" : "not a number: predicted", text, length, to);
        if (!rc && isnan(*to)) {
            rc = predictions_fail_line(r, "not a number:", text);
        }
        return rc;
    }
    if (kind == COLUMN_LABEL) {
        return enter_value(r, "unknown label", text, length, &p->label[row]);
    }
    int rc = enter_value(r, "unknown predicted label", text, length, &p->predicted[row]);
    return !rc && p->predicted[row] < 0 ? predictions_fail_line(r, "empty predicted label", text) : rc;
}

static int read_field(struct predictions_reader *r, const struct column *column, char *text, size_t length)
{
    struct predictions *p = r->p;
    size_t row = p->rows;
    double number = 0;
    int rc = 0;
    switch (column->kind) {
    case COLUMN_ROW_ID:
    case COLUMN_QUERY_ID:
    case COLUMN_ITEM_ID:
        return read_ids(r, column->kind, text, length);
    case COLUMN_LABEL:
    case COLUMN_PREDICTED:
        return read_outcome(r, column->kind, text, length);
    case COLUMN_SCORE:
        rc = read_number(r, "score is not a number:", text, length, &p->score[row]);
        return !rc && isnan(p->score[row]) ? predictions_fail_line(r, "score is not a number:", text) : rc;
    case COLUMN_TOKENS:
        rc = read_number(r, "tokens is not a count:", text, length, &number);
        if (!rc && !(number >= 0 && number <= UINT32_MAX && floor(number) == number)) {
            rc = predictions_fail_line(r, "tokens is not a count:", text);
        }
        p->tokens[row] = rc ? 0 : (uint32_t)number;
        return rc;
    case COLUMN_TRUNCATED:
        if (!parse_flag(text, &number) && (!decimal_parse(text, length, &number) || (number != 0 && number != 1))) {
            rc = predictions_fail_line(r, "truncated is not 0 or 1:", text);
        }
        p->truncated[row] = number != 0;
        return rc;
    case COLUMN_EVENT:
        return read_event(r, column->place, text, length, &r->event[column->place][row]);
    case COLUMN_P:
        rc = read_number(r, "probability is not a number:", text, length, &r->row_p[column->place]);
        if (!rc && !(r->row_p[column->place] >= 0 && r->row_p[column->place] <= 1)) {
            rc = predictions_fail_line(r, "probability is not in [0, 1]:", text);
        }
        return rc;
    case COLUMN_EXTRA:
        length = predictions_unescape(text, length);
        p->extra[column->place].values[row] = length ? text_store_add(r->texts, text, length) : "";
        return p->extra[column->place].values[row] ? 0 : RECO_E_NOMEM;
    }
    return 0;
}

/* What the row's other fields give: the argmax, the score, the row's number as its id. */
static int complete_row(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    size_t row = p->rows;
    size_t count = (size_t)p->labels.count;
    if (r->has_p) {
        double sum = 0;
        size_t best = 0;
        for (size_t i = 0; i < count; i++) {
            sum += r->row_p[i];
            best = r->row_p[i] > r->row_p[best] ? i : best;
            p->p[row * count + i] = r->row_p[i];
        }
        if (!(fabs(sum - 1) <= PROBABILITY_SUM_TOLERANCE)) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: the probabilities sum to %.9g, not 1", r->path,
                           (unsigned long long)line_reader_number(r->lines), sum);
        }
        if (!r->has[COLUMN_PREDICTED]) {
            p->predicted[row] = (int32_t)best;
        }
    }
    if (!r->has[COLUMN_SCORE] && p->score) {
        p->score[row] = label_map_score(&p->labels, r->has_p ? r->row_p : NULL, p->value ? p->value[row] : 0);
    }
    if (p->value && !r->has[COLUMN_PREDICTED]) {
        p->value[row] = p->score[row];
    }
    if (!r->has[COLUMN_ROW_ID]) {
        char text[24];
        int length = snprintf(text, sizeof text, "%zu", row + 1);
        p->row_ids[row] = text_store_add(r->texts, text, (size_t)length);
        if (!p->row_ids[row]) {
            return RECO_E_NOMEM;
        }
    }
    return 0;
}

static int read_rows(struct predictions_reader *r, char **fields, size_t *lengths)
{
    char *text;
    size_t length;
    int rc;
    while (!(rc = line_reader_next(r->lines, &text, &length)) && text) {
        size_t count = cut(text, length, fields, lengths, r->column_count);
        if (count != r->column_count) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %zu fields, the header has %zu", r->path,
                           (unsigned long long)line_reader_number(r->lines), count, r->column_count);
        }
        if (r->p->rows % STOP_CHECK_ROWS == 0 && stop_requested()) {
            return err_set(RECO_E_STOPPED, "stopped while reading '%s'", r->path);
        }
        if (r->p->rows == r->capacity) {
            rc = r->p->rows < UINT32_MAX / 2 ? grow_rows(r)
                                             : err_set(RECO_E_DATA, "cannot read '%s': over 2^31 rows", r->path);
        }
        for (size_t i = 0; !rc && i < count; i++) {
            rc = read_field(r, &r->columns[i], fields[i], lengths[i]);
        }
        if (!rc) {
            rc = complete_row(r);
        }
        if (rc) {
            return rc;
        }
        r->p->rows++;
    }
    return rc;
}

static int read_all(struct predictions_reader *r)
{
    char *text;
    size_t length;
    char **fields = NULL;
    size_t *lengths = NULL;
    int rc = line_reader_open(&r->lines, r->path);
    if (!rc && strcmp(r->path, "-") != 0) {
        rc = predictions_read_sidecar(r);
    }
    if (!rc) {
        rc = line_reader_next(r->lines, &text, &length);
    }
    if (rc) {
        goto done;
    }
    if (!text || !length) {
        rc = err_set(RECO_E_DATA, "cannot read '%s': it is empty; the first line must name the columns", r->path);
        goto done;
    }
    r->column_count = 1;
    for (size_t i = 0; i < length; i++) {
        r->column_count += text[i] == '\t';
    }
    fields = mem_calloc(r->column_count, sizeof *fields);
    lengths = mem_calloc(r->column_count, sizeof *lengths);
    rc = fields && lengths ? 0 : RECO_E_NOMEM;
    if (!rc) {
        cut(text, length, fields, lengths, r->column_count);
        rc = predictions_read_header(r, fields, lengths);
    }
    if (!rc) {
        rc = read_rows(r, fields, lengths);
    }
    if (!rc) {
        rc = predictions_finish(r);
    }
done:
    mem_free(fields);
    mem_free(lengths);
    return rc;
}

int predictions_read(struct predictions **out, const char *path)
{
    *out = NULL;
    struct predictions_reader r = {.path = path};
    struct predictions_memory *memory = mem_calloc(1, sizeof *memory);
    r.p = mem_calloc(1, sizeof *r.p);
    int rc = RECO_E_NOMEM;
    if (memory && r.p) {
        r.p->memory = memory;
        r.texts = &memory->texts;
        memory = NULL;
        rc = read_all(&r);
    }
    mem_free(memory);
    line_reader_close(r.lines);
    mem_free(r.columns);
    mem_free(r.row_p);
    mem_free(r.values);
    mem_free(r.value_class);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        mem_free(r.event[i]);
    }
    text_index_release(&r.row_index);
    text_index_release(&r.query_index);
    text_index_release(&r.item_index);
    text_index_release(&r.value_index);
    if (rc) {
        predictions_free(r.p);
        return rc;
    }
    *out = r.p;
    return 0;
}

void predictions_free(struct predictions *p)
{
    if (!p) {
        return;
    }
    label_map_release(&p->labels);
    void *const arrays[] = {p->label,      p->predicted, p->target,  p->value,     p->p,        p->score,
                            p->query,      p->query_ids, p->row_ids, p->item,      p->item_ids, p->truncated,
                            p->tokens,     p->position,  p->clicked, p->converted, p->dwell_s,  p->depth,
                            p->propensity, p->carted,    p->ordered, p->revenue};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        mem_free(arrays[i]);
    }
    for (size_t i = 0; i < p->extra_count; i++) {
        mem_free(p->extra[i].values);
    }
    mem_free(p->extra);
    json_decref(p->sidecar);
    if (p->memory) {
        text_store_release(&((struct predictions_memory *)p->memory)->texts);
        mem_free(p->memory);
    }
    mem_free(p);
}
