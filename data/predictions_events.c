/* Behaviour without predictions: a table of impressions into the columns of struct predictions. */

#include "data/predictions_events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "core/stop.h"
#include "data/decimal.h"
#include "data/predictions_reader.h"
#include "data/predictions_source.h"

#define STOP_CHECK_ROWS 4096

enum { QUERY, ITEM, FIRST_EVENT, COLUMN_COUNT = FIRST_EVENT + PREDICTIONS_EVENT_COUNT };

_Static_assert((int)PREDICTIONS_EVENT_POSITION == (int)PREDICTIONS_POSITION - (int)PREDICTIONS_FIXED_COUNT &&
                   (int)PREDICTIONS_EVENT_PROPENSITY == (int)PREDICTIONS_PROPENSITY - (int)PREDICTIONS_FIXED_COUNT &&
                   (int)PREDICTIONS_EVENT_REVENUE == (int)PREDICTIONS_REVENUE - (int)PREDICTIONS_FIXED_COUNT &&
                   (int)PREDICTIONS_EVENT_DELAY == (int)PREDICTIONS_DELAY_S - (int)PREDICTIONS_FIXED_COUNT,
               "the events come in the order of the columns");

struct event_reader {
    struct predictions *p;
    const char *path;
    struct table_reader *table;
    struct text_store *texts;
    double position_shift;
    bool has[COLUMN_COUNT], named[COLUMN_COUNT];
    size_t column[COLUMN_COUNT];
    size_t *extra_column; /* [extra_count] */
    double *event[PREDICTIONS_EVENT_COUNT];
    struct dictionary queries, items;
    size_t capacity, without_query;        /* rows */
    unsigned long long without_query_line; /* the first of them */
};

/* ---- the columns ---- */

/* Something came of an impression; the other columns say where and how it was shown. */
static bool is_outcome(size_t column)
{
    const size_t circumstances[] = {QUERY, ITEM, FIRST_EVENT + PREDICTIONS_EVENT_POSITION,
                                    FIRST_EVENT + PREDICTIONS_EVENT_PROPENSITY, FIRST_EVENT + PREDICTIONS_EVENT_DELAY};
    for (size_t i = 0; i < sizeof circumstances / sizeof circumstances[0]; i++) {
        if (circumstances[i] == column) {
            return false;
        }
    }
    return true;
}

static int find_columns(struct event_reader *r, const struct predictions_event_columns *columns)
{
    const char *const given[COLUMN_COUNT] = {columns->query_id, columns->item_id,    columns->position,
                                             columns->clicked,  columns->converted,  columns->dwell_s,
                                             columns->depth,    columns->propensity, columns->carted,
                                             columns->ordered,  columns->revenue,    columns->delay_s};
    static const char *const options[COLUMN_COUNT] = {"query_id_column", "item_id_column",    "position_column",
                                                      "clicked_column",  "converted_column",  "dwell_column",
                                                      "depth_column",    "propensity_column", "carted_column",
                                                      "ordered_column",  "revenue_column",    "delay_column"};
    bool any = false;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const char *name = i == QUERY ? "query_id" : i == ITEM ? "item_id" : predictions_event_names[i - FIRST_EVENT];
        r->named[i] = given[i];
        r->has[i] = r->named[i] || table_reader_has(r->table, name);
        if (r->has[i]) {
            int rc = table_reader_find(r->table, options[i], given[i] ? given[i] : name, &r->column[i]);
            if (rc) {
                return rc;
            }
        }
        any = any || (r->has[i] && is_outcome(i));
    }
    return any ? 0
               : err_set(RECO_E_USAGE,
                         "'%s' has no column of behaviour: name one, as --clicked_column, --converted_column", r->path);
}

static int find_extra(struct event_reader *r, const struct predictions_event_columns *columns)
{
    size_t count = columns->all_extra ? table_reader_columns(r->table) : columns->extra_name_count;
    r->extra_column = mem_calloc(count + 1, sizeof *r->extra_column);
    r->p->extra = mem_calloc(count + 1, sizeof *r->p->extra);
    if (!r->extra_column || !r->p->extra) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct predictions_extra *extra = &r->p->extra[r->p->extra_count];
        size_t *column = &r->extra_column[r->p->extra_count];
        const char *name = columns->all_extra ? table_reader_column_name(r->table, i) : columns->extra_names[i];
        int rc = table_reader_find(r->table, columns->extra_option, name, column);
        if (rc) {
            return rc;
        }
        extra->name = text_store_add(r->texts, name, strlen(name));
        if (!extra->name) {
            return RECO_E_NOMEM;
        }
        r->p->extra_count++;
    }
    return 0;
}

/* ---- rows ---- */

const char *predictions_event_fault(size_t event, double value)
{
    if (!isfinite(value)) {
        return "not a finite number";
    }
    if (event == PREDICTIONS_EVENT_PROPENSITY) {
        return value > 0 ? NULL : "not above 0";
    }
    return value >= 0 || event == PREDICTIONS_EVENT_REVENUE ? NULL : "below 0";
}

static int grow(void **array, size_t count, size_t size_bytes)
{
    void *grown = mem_realloc_array(*array, count, size_bytes);
    if (!grown) {
        return RECO_E_NOMEM;
    }
    *array = grown;
    return 0;
}

#define GROW(is_there, array) (rc = rc || !(is_there) ? rc : grow((void **)&(array), capacity, sizeof *(array)))

static int grow_rows(struct event_reader *r)
{
    size_t capacity = r->capacity + r->capacity / 2 + 1024;
    int rc = 0;
    GROW(r->has[QUERY], r->p->query);
    GROW(r->has[ITEM], r->p->item);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        GROW(r->has[FIRST_EVENT + i], r->event[i]);
    }
    for (size_t i = 0; i < r->p->extra_count; i++) {
        GROW(true, r->p->extra[i].values);
    }
    r->capacity = rc ? r->capacity : capacity;
    return rc;
}

static int read_number(const struct event_reader *r, const struct csv_record *record, size_t event, double *out)
{
    const struct csv_field *field = &record->fields[r->column[FIRST_EVENT + event]];
    static const char *const yes[] = {"true", "yes"};
    static const char *const no[] = {"false", "no"};
    *out = NAN;
    if (!field->length) {
        return 0;
    }
    for (size_t i = 0; i < 2; i++) {
        if (strlen(yes[i]) == field->length && !strncasecmp(field->text, yes[i], field->length)) {
            *out = 1;
            return 0;
        }
        if (strlen(no[i]) == field->length && !strncasecmp(field->text, no[i], field->length)) {
            *out = 0;
            return 0;
        }
    }
    const char *fault =
        decimal_parse(field->text, field->length, out) ? predictions_event_fault(event, *out) : "not a number";
    if (fault) {
        return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s '%.*s' is %s", r->path,
                       (unsigned long long)record->line, predictions_event_names[event],
                       (int)(field->length < 200 ? field->length : 200), field->text, fault);
    }
    *out += event == PREDICTIONS_EVENT_POSITION ? r->position_shift : 0;
    return 0;
}

static int read_row(struct event_reader *r, const struct csv_record *record)
{
    struct predictions *p = r->p;
    size_t row = p->rows;
    int rc = row == r->capacity ? grow_rows(r) : 0;
    for (int side = QUERY; !rc && side <= ITEM; side++) {
        if (r->has[side]) {
            const struct csv_field *field = &record->fields[r->column[side]];
            rc = dictionary_enter(side == QUERY ? &r->queries : &r->items, r->texts, field->text, field->length,
                                  side == QUERY ? &p->query[row] : &p->item[row]);
            if (side == QUERY && !field->length && !r->without_query++) {
                r->without_query_line = record->line;
            }
        }
    }
    for (size_t i = 0; !rc && i < PREDICTIONS_EVENT_COUNT; i++) {
        rc = r->has[FIRST_EVENT + i] ? read_number(r, record, i, &r->event[i][row]) : 0;
    }
    for (size_t i = 0; !rc && i < p->extra_count; i++) {
        const struct csv_field *field = &record->fields[r->extra_column[i]];
        p->extra[i].values[row] = field->length ? text_store_add(r->texts, field->text, field->length) : "";
        rc = p->extra[i].values[row] ? 0 : RECO_E_NOMEM;
    }
    p->rows += !rc;
    return rc;
}

static int read_rows(struct event_reader *r)
{
    const struct csv_record *record;
    int rc;
    while (!(rc = table_reader_next(r->table, &record)) && record) {
        if (record->bad) {
            return err_set(RECO_E_DATA, "cannot parse '%s' line %llu: %s", r->path, (unsigned long long)record->line,
                           record->bad);
        }
        if (r->p->rows % STOP_CHECK_ROWS == 0 && stop_requested()) {
            return err_set(RECO_E_STOPPED, "stopped while reading '%s'", r->path);
        }
        rc = r->p->rows < UINT32_MAX / 2 ? read_row(r, record)
                                         : err_set(RECO_E_DATA, "cannot read '%s': over 2^31 rows", r->path);
        if (rc) {
            return rc;
        }
    }
    return rc || r->p->rows ? rc : err_set(RECO_E_DATA, "cannot read '%s': it has no rows", r->path);
}

/* Rows without a query are no list of their own. */
static int drop_empty_queries(struct event_reader *r)
{
    if (r->without_query && (r->without_query < r->p->rows || r->named[QUERY])) {
        return err_set(RECO_E_DATA,
                       "cannot parse '%s' line %llu: empty query_id; without the column there are no lists", r->path,
                       r->without_query_line);
    }
    if (r->without_query) {
        mem_free(r->p->query);
        r->p->query = NULL;
        dictionary_release(&r->queries);
    }
    return 0;
}

/* An empty column that nobody asked for tells nothing; some outcome must be told. */
static int drop_empty(struct event_reader *r)
{
    bool any = false;
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        size_t row = 0;
        while (r->event[i] && row < r->p->rows && isnan(r->event[i][row])) {
            row++;
        }
        if (r->event[i] && row == r->p->rows && !r->named[FIRST_EVENT + i]) {
            mem_free(r->event[i]);
            r->event[i] = NULL;
        }
        any = any || (r->event[i] && is_outcome(FIRST_EVENT + i));
    }
    return any ? 0
               : err_set(RECO_E_DATA, "cannot use '%s': its columns of behaviour are empty in all of its %zu rows",
                         r->path, r->p->rows);
}

static void take_over(struct event_reader *r)
{
    struct predictions *p = r->p;
    p->query_ids = r->queries.texts;
    p->query_count = r->queries.count;
    p->item_ids = r->items.texts;
    p->item_count = r->items.count;
    r->queries.texts = r->items.texts = NULL;
    predictions_take_events(p, r->event);
}

int predictions_read_events(struct predictions **out, const char *path, const struct table_options *table,
                            const struct predictions_event_columns *columns)
{
    *out = NULL;
    struct event_reader r = {.path = path, .position_shift = columns->position_shift};
    struct predictions_memory *memory = mem_calloc(1, sizeof *memory);
    r.p = mem_calloc(1, sizeof *r.p);
    int rc = memory && r.p ? 0 : RECO_E_NOMEM;
    if (!rc) {
        r.p->memory = memory;
        r.texts = &memory->texts;
        r.p->labels.task = LABEL_TASK_REGRESSION;
        memory = NULL;
        rc = table_reader_open(&r.table, path, table);
    }
    if (!rc) {
        rc = find_columns(&r, columns);
    }
    if (!rc) {
        rc = find_extra(&r, columns);
    }
    if (!rc) {
        rc = read_rows(&r);
    }
    if (!rc) {
        rc = drop_empty_queries(&r);
    }
    if (!rc) {
        rc = drop_empty(&r);
    }
    if (!rc) {
        take_over(&r);
    }
    table_reader_close(r.table);
    mem_free(memory);
    mem_free(r.extra_column);
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        mem_free(r.event[i]);
    }
    dictionary_release(&r.queries);
    dictionary_release(&r.items);
    if (rc) {
        predictions_free(r.p);
        return rc;
    }
    *out = r.p;
    return 0;
}

/* ---- what is done to them ---- */

/* Later than the window: then nothing of it counts. */
static bool is_late(const struct predictions *p, size_t row, double window_s)
{
    return p->delay_s[row] > window_s;
}

void predictions_attribute(struct predictions *p, double window_s, size_t *late, size_t *without_delay)
{
    const double *converted = p->converted ? p->converted : p->ordered;
    double *const outcomes[] = {p->converted, p->ordered, p->revenue};
    *late = *without_delay = 0;
    for (size_t row = 0; p->delay_s && row < p->rows; row++) {
        bool is_conversion = converted && converted[row] > 0;
        *late += is_conversion && is_late(p, row, window_s);
        *without_delay += is_conversion && isnan(p->delay_s[row]);
        for (size_t i = 0; is_late(p, row, window_s) && i < sizeof outcomes / sizeof outcomes[0]; i++) {
            if (outcomes[i] && !isnan(outcomes[i][row])) {
                outcomes[i][row] = 0;
            }
        }
    }
}

size_t predictions_cut_weights(struct predictions *p, double max_weight)
{
    size_t cut = 0;
    for (size_t row = 0; p->propensity && row < p->rows; row++) {
        if (p->propensity[row] * max_weight < 1) {
            p->propensity[row] = 1 / max_weight;
            cut++;
        }
    }
    return cut;
}
