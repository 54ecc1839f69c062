#include "data/predictions_reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "data/decimal.h"

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

int predictions_fail_row(const struct predictions_reader *r, size_t row, const char *what)
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
            return predictions_fail_row(r, row, "predicted is not a number");
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
