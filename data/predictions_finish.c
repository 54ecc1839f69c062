#include "data/predictions_reader.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "data/decimal.h"

/* Without a map: are the values seen those of a regression? */
static bool values_are_regression(const struct predictions_reader *r)
{
    bool fraction = false;
    for (size_t i = 0; i < r->value_count; i++) {
        double number;
        if (!decimal_parse(r->values[i], strlen(r->values[i]), &number)) {
            return false;
        }
        fraction = fraction || floor(number) != number;
    }
    return fraction && r->has[COLUMN_PREDICTED];
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
        const char *target = p->label[row] < 0 ? "nan" : r->values[p->label[row]];
        const char *value = r->values[p->predicted[row]];
        if (!decimal_parse(target, strlen(target), &p->target[row]) ||
            !decimal_parse(value, strlen(value), &p->value[row])) {
            return err_set(RECO_E_INTERNAL, "a value of the regression is not a number");
        }
    }
    mem_free(p->label);
    mem_free(p->predicted);
    p->label = p->predicted = NULL;
    if (!p->score) {
        p->score = mem_alloc(p->rows * sizeof *p->score);
        if (!p->score) {
            return RECO_E_NOMEM;
        }
        memcpy(p->score, p->value, p->rows * sizeof *p->score);
    }
    return 0;
}

static int map_from_values(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    if (values_are_regression(r)) {
        return become_regression(r);
    }
    int rc = label_map_from_values(&p->labels, r->values, r->value_count);
    if (rc) {
        return err_prepend(rc, "cannot read '%s'", r->path);
    }
    for (size_t i = 0; i < r->value_count; i++) {
        r->value_class[i] = label_map_find(&p->labels, r->values[i], strlen(r->values[i]));
    }
    for (size_t row = 0; row < p->rows; row++) {
        p->label[row] = p->label[row] < 0 ? -1 : r->value_class[p->label[row]];
        if (r->has[COLUMN_PREDICTED]) {
            p->predicted[row] = r->value_class[p->predicted[row]];
        }
    }
    return 0;
}

int predictions_finish(struct predictions_reader *r)
{
    struct predictions *p = r->p;
    if (!p->rows) {
        return err_set(RECO_E_DATA, "cannot read '%s': it has no rows", r->path);
    }
    const json_t *rows = json_object_get(p->sidecar, "rows");
    if (json_is_integer(rows) && (size_t)json_integer_value(rows) != p->rows) {
        return err_set(RECO_E_DATA, "cannot read '%s': %zu rows, its sidecar '%s.json' says %lld", r->path, p->rows,
                       r->path, (long long)json_integer_value(rows));
    }
    if (!r->map_known) {
        int rc = map_from_values(r);
        if (rc) {
            return rc;
        }
    }
    if (!r->has[COLUMN_PREDICTED] && !r->has_p) {
        mem_free(p->predicted);
        p->predicted = NULL;
    }
    if (!r->any_item_id) {
        mem_free(p->item);
        mem_free(p->item_ids);
        p->item = NULL;
        p->item_ids = NULL;
        p->item_count = 0;
    }
    double **const to[PREDICTIONS_EVENT_COUNT] = {&p->position,   &p->clicked, &p->converted, &p->dwell_s, &p->depth,
                                                  &p->propensity, &p->carted,  &p->ordered,   &p->revenue};
    for (size_t i = 0; i < PREDICTIONS_EVENT_COUNT; i++) {
        *to[i] = r->event[i];
        r->event[i] = NULL;
    }
    return 0;
}
