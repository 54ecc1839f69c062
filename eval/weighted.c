#include "eval/weighted_internal.h"

#include <string.h>

#include "core/mem.h"
#include "eval/rank.h"

extern const struct metric metric_ece_adaptive;
extern const struct metric metric_kendall;
extern const struct metric metric_spearman;

void eval_weighted_free(struct eval_weighted *w)
{
    if (!w) {
        return;
    }
    tally_release(&w->tally);
    orders_release(&w->orders, w->report->data.classes);
    mem_free(w->start);
    mem_free(w->entries);
    mem_free(w->unit_of_query);
    mem_free(w->list_value);
    mem_free(w->numerator);
    mem_free(w->denominator);
    mem_free(w);
}

size_t eval_weighted_units(const struct eval_weighted *w)
{
    return w->units;
}

size_t eval_weighted_count(const struct eval_weighted *w)
{
    return w->report->value_count;
}

const char *eval_weighted_name(const struct eval_weighted *w, size_t figure)
{
    return w->report->values[figure].name;
}

/* ---- sums of units ---- */

/* Scratch for one unit: sums [length], zero, and which of them are in use. */
struct unit_sums {
    struct tally_entry *entries; /* of a row */
    double *sums;
    bool *used;
    size_t *places; /* [place_count] of those in use */
    size_t place_count;
};

static int unit_sums_init(struct unit_sums *unit, const struct tally *tally)
{
    unit->entries = mem_alloc(tally_entries_max(tally) * sizeof *unit->entries);
    unit->sums = mem_calloc(tally->length, sizeof *unit->sums);
    unit->used = mem_calloc(tally->length, sizeof *unit->used);
    unit->places = mem_alloc(tally->length * sizeof *unit->places);
    return unit->entries && unit->sums && unit->used && unit->places ? 0 : RECO_E_NOMEM;
}

static void unit_sums_release(struct unit_sums *unit)
{
    mem_free(unit->entries);
    mem_free(unit->sums);
    mem_free(unit->used);
    mem_free(unit->places);
}

static void unit_sums_add(struct unit_sums *unit, const struct tally *tally, size_t row)
{
    size_t count = tally_entries(tally, row, unit->entries);
    for (size_t i = 0; i < count; i++) {
        size_t at = unit->entries[i].at;
        if (!unit->used[at]) {
            unit->used[at] = true;
            unit->places[unit->place_count++] = at;
        }
        unit->sums[at] += unit->entries[i].value;
    }
}

/* Moves the sums to the entries of w. */
static int unit_sums_take(struct unit_sums *unit, struct eval_weighted *w)
{
    int rc = mem_grow((void **)&w->entries, &w->entry_capacity, w->entry_count + unit->place_count, sizeof *w->entries);
    for (size_t i = 0; i < unit->place_count; i++) {
        size_t at = unit->places[i];
        if (!rc && unit->sums[at] != 0) {
            w->entries[w->entry_count++] = (struct tally_entry){at, unit->sums[at]};
        }
        unit->sums[at] = 0;
        unit->used[at] = false;
    }
    unit->place_count = 0;
    return rc;
}

/* rows[start[u]..start[u + 1]) are those of unit u. */
static int group_rows(const struct eval_weighted *w, const uint32_t *unit_of_row, uint32_t **rows_out,
                      size_t **start_out)
{
    size_t count = w->report->p->rows;
    size_t *start = mem_calloc(w->units + 2, sizeof *start);
    uint32_t *rows = mem_alloc((count + 1) * sizeof *rows);
    *start_out = start;
    *rows_out = rows;
    if (!start || !rows) {
        return RECO_E_NOMEM;
    }
    for (size_t row = 0; row < count; row++) {
        start[(unit_of_row ? unit_of_row[row] : row) + 2]++;
    }
    for (size_t u = 2; u < w->units + 2; u++) {
        start[u] += start[u - 1];
    }
    for (size_t row = 0; row < count; row++) {
        rows[start[(unit_of_row ? unit_of_row[row] : row) + 1]++] = (uint32_t)row;
    }
    return 0;
}

static int sum_units(struct eval_weighted *w, const uint32_t *unit_of_row)
{
    struct unit_sums unit = {0};
    uint32_t *rows = NULL;
    size_t *row_start = NULL;
    int rc = unit_sums_init(&unit, &w->tally);
    if (!rc) {
        rc = group_rows(w, unit_of_row, &rows, &row_start);
    }
    w->start = rc ? NULL : mem_calloc(w->units + 1, sizeof *w->start);
    rc = !rc && !w->start ? RECO_E_NOMEM : rc;
    for (size_t u = 0; !rc && u < w->units; u++) {
        for (size_t i = row_start[u]; i < row_start[u + 1]; i++) {
            unit_sums_add(&unit, &w->tally, rows[i]);
        }
        rc = unit_sums_take(&unit, w);
        w->start[u + 1] = w->entry_count;
    }
    mem_free(rows);
    mem_free(row_start);
    unit_sums_release(&unit);
    return rc;
}

/* ---- orders ---- */

static int prepare_curves(struct eval_weighted *w, const struct eval_value *v)
{
    const struct metric_data *data = &w->report->data;
    bool one = v->variant.form == METRIC_FORM_LABEL || (v->variant.form == METRIC_FORM_PLAIN && data->classes == 2);
    int first = v->variant.form == METRIC_FORM_LABEL ? v->variant.label : one ? data->positive : 0;
    int last = one ? first : data->classes - 1;
    int rc = 0;
    w->orders.with_pairs = w->orders.with_pairs || v->variant.form == METRIC_FORM_OVO;
    for (int c = first; !rc && c <= last; c++) {
        rc = orders_prepare_class(&w->orders, data, c);
    }
    return rc;
}

static int prepare_orders(struct eval_weighted *w)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < w->report->value_count; i++) {
        const struct eval_value *v = &w->report->values[i];
        const char *reason;
        if (!v->metric->value || !report_applies(w->report, v, &reason)) {
            continue;
        }
        if (v->metric->needs & METRIC_NEEDS_SCORE) {
            rc = prepare_curves(w, v);
        } else if (v->metric == &metric_ece_adaptive) {
            rc = orders_prepare_bins(&w->orders, &w->report->data);
        } else if (v->metric == &metric_kendall || v->metric == &metric_spearman) {
            rc = orders_prepare_values(&w->orders, &w->report->data);
        }
    }
    return rc;
}

/* ---- figures by query ---- */

static int prepare_lists(struct eval_weighted *w)
{
    const struct eval_report *report = w->report;
    w->list_value = mem_calloc(report->value_count + 1, sizeof *w->list_value);
    if (!w->list_value) {
        return RECO_E_NOMEM;
    }
    for (size_t i = 0; report->by_query && i < report->value_count; i++) {
        if (report_is_by_query(&report->values[i])) {
            w->list_value[w->list_count++] = i;
        }
    }
    size_t count = report->query_count * w->list_count;
    w->numerator = mem_calloc(count + 1, sizeof *w->numerator);
    w->denominator = mem_calloc(count + 1, sizeof *w->denominator);
    if (!w->numerator || !w->denominator) {
        return RECO_E_NOMEM;
    }
    for (size_t q = 0; w->list_count && q < report->query_count; q++) {
        for (size_t i = 0; i < w->list_count; i++) {
            size_t value = w->list_value[i];
            double of_query = report->by_query[q * report->value_count + value];
            double weight = report->values[value].metric->by_items ? (double)report->queries[q].items : 1;
            if (!isnan(of_query)) {
                w->numerator[q * w->list_count + i] = weight * of_query;
                w->denominator[q * w->list_count + i] = weight;
            }
        }
    }
    return 0;
}

/* The unit of a query is that of its first row. */
static int place_queries(struct eval_weighted *w, const uint32_t *unit_of_row)
{
    const struct predictions *p = w->report->p;
    size_t count = w->report->query_count;
    w->unit_of_query = mem_calloc(count + 1, sizeof *w->unit_of_query);
    if (!w->unit_of_query) {
        return RECO_E_NOMEM;
    }
    for (size_t q = 0; q < count; q++) {
        w->unit_of_query[q] = p && unit_of_row != p->query ? UINT32_MAX : (uint32_t)q;
    }
    for (size_t row = 0; p && p->query && count && unit_of_row != p->query && row < p->rows; row++) {
        uint32_t *unit = &w->unit_of_query[p->query[row]];
        *unit = *unit == UINT32_MAX ? unit_of_row ? unit_of_row[row] : (uint32_t)row : *unit;
    }
    for (size_t q = 0; q < count; q++) { /* a query without a row, as a slice may have */
        w->unit_of_query[q] = w->unit_of_query[q] == UINT32_MAX ? 0 : w->unit_of_query[q];
    }
    return 0;
}

int eval_weighted_new(struct eval_weighted **out, const struct eval_report *report, const uint32_t *unit_of_row,
                      size_t unit_count)
{
    *out = NULL;
    const struct predictions *p = report->p;
    struct eval_weighted *w = mem_calloc(1, sizeof *w);
    if (!w) {
        return RECO_E_NOMEM;
    }
    w->report = report;
    w->units = unit_of_row ? unit_count : !p ? report->query_count : p->query ? p->query_count : p->rows;
    if (!unit_of_row && p) {
        unit_of_row = p->query;
    }
    w->orders.unit_of_row = unit_of_row;
    int rc = p ? tally_init(&w->tally, report) : 0;
    if (!rc && p) {
        rc = sum_units(w, unit_of_row);
    }
    if (!rc && p) {
        rc = prepare_orders(w);
    }
    if (!rc) {
        rc = place_queries(w, unit_of_row);
    }
    if (!rc) {
        rc = prepare_lists(w);
    }
    if (rc) {
        eval_weighted_free(w);
        return rc;
    }
    *out = w;
    return 0;
}

/* ---- under weights ---- */

void eval_scratch_free(struct eval_scratch *scratch)
{
    if (!scratch) {
        return;
    }
    for (int c = 0; scratch->curves && c < scratch->classes; c++) {
        curve_release(&scratch->curves[c]);
    }
    mem_free(scratch->curves);
    mem_free(scratch->sums);
    mem_free(scratch->predicted);
    mem_free(scratch->query_weight);
    mem_free(scratch->numerator);
    mem_free(scratch->denominator);
    weighted_lanes_free(scratch->lanes);
    mem_free(scratch);
}

int eval_scratch_new(struct eval_scratch **out, const struct eval_weighted *w)
{
    *out = NULL;
    struct eval_scratch *scratch = mem_calloc(1, sizeof *scratch);
    if (!scratch) {
        return RECO_E_NOMEM;
    }
    scratch->classes = w->report->data.classes;
    scratch->sums = mem_calloc(w->tally.length + 1, sizeof *scratch->sums);
    scratch->predicted = mem_calloc((size_t)scratch->classes + 1, sizeof *scratch->predicted);
    scratch->curves = mem_calloc((size_t)scratch->classes + 1, sizeof *scratch->curves);
    scratch->query_weight = mem_calloc(w->report->query_count + 1, sizeof *scratch->query_weight);
    scratch->numerator = mem_calloc(w->list_count + 1, sizeof *scratch->numerator);
    scratch->denominator = mem_calloc(w->list_count + 1, sizeof *scratch->denominator);
    if (!scratch->sums || !scratch->predicted || !scratch->curves || !scratch->query_weight || !scratch->numerator ||
        !scratch->denominator) {
        eval_scratch_free(scratch);
        return RECO_E_NOMEM;
    }
    *out = scratch;
    return 0;
}

static void weigh_lists(const struct eval_weighted *w, struct eval_scratch *scratch, double *values)
{
    size_t count = w->list_count;
    memset(scratch->numerator, 0, count * sizeof *scratch->numerator);
    memset(scratch->denominator, 0, count * sizeof *scratch->denominator);
    for (size_t q = 0; count && q < w->report->query_count; q++) {
        double weight = (double)scratch->query_weight[q];
        const double *numerator = w->numerator + q * count;
        const double *denominator = w->denominator + q * count;
        for (size_t i = 0; weight > 0 && i < count; i++) {
            scratch->numerator[i] += weight * numerator[i];
            scratch->denominator[i] += weight * denominator[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        values[w->list_value[i]] = scratch->denominator[i] > 0 ? scratch->numerator[i] / scratch->denominator[i] : NAN;
    }
}

static int weigh_rows(const struct eval_weighted *w, struct eval_scratch *scratch, const uint32_t *weight,
                      double *values)
{
    memset(scratch->sums, 0, w->tally.length * sizeof *scratch->sums);
    for (size_t u = 0; u < w->units; u++) {
        double times = (double)weight[u];
        for (size_t e = w->start[u]; times > 0 && e < w->start[u + 1]; e++) {
            scratch->sums[w->entries[e].at] += times * w->entries[e].value;
        }
    }
    for (int c = 0; c < scratch->classes; c++) {
        scratch->curves[c].done = false;
    }
    scratch->has_known = false;
    return weighted_figures(w, scratch, weight, values);
}

int weighted_figures(const struct eval_weighted *w, struct eval_scratch *scratch, const uint32_t *weight,
                     double *values)
{
    const struct eval_report *report = w->report;
    struct metric_data data = report->data;
    tally_bind(&w->tally, scratch->sums, scratch->predicted, &data);
    data.curves = scratch->curves;
    data.orders = &w->orders;
    data.weight = weight;
    data.known = scratch->has_known ? &scratch->known : NULL;
    int rc = 0;
    for (size_t i = 0, rate = 0; !rc && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const char *reason;
        if (report_is_by_query(v) || v->metric->catalogue || !report_applies(report, v, &reason)) {
            continue;
        }
        if (v->metric->event) {
            values[i] = tally_rate(&w->tally, scratch->sums, rate++);
        } else if (data.rows > 0) {
            rc = v->metric->value(&data, &v->variant, &values[i], &reason);
        }
        values[i] = isfinite(values[i]) ? values[i] : NAN;
    }
    return rc;
}

static void weigh_queries(const struct eval_weighted *w, struct eval_scratch *scratch, const uint32_t *weight,
                          double *values)
{
    for (size_t i = 0; i < w->report->value_count; i++) {
        values[i] = NAN;
    }
    for (size_t q = 0; q < w->report->query_count; q++) {
        scratch->query_weight[q] = weight[w->unit_of_query[q]];
    }
}

int eval_weighted_catalogue(const struct eval_weighted *w, struct eval_scratch *scratch, size_t count,
                            const uint32_t *weight, double *values)
{
    int rc = 0;
    for (size_t i = 0; !rc && i < count; i++) {
        double *of = values + i * w->report->value_count;
        weigh_queries(w, scratch, weight + i * w->units, of);
        rc = w->report->lists.depth ? catalogue_values(w->report, scratch->query_weight, of) : 0;
    }
    return rc;
}

int eval_weighted_values(const struct eval_weighted *w, struct eval_scratch *scratch, const uint32_t *weight,
                         double *values)
{
    int rc = 0;
    weigh_queries(w, scratch, weight, values);
    weigh_lists(w, scratch, values);
    if (w->report->p) {
        rc = weigh_rows(w, scratch, weight, values);
    }
    return rc || !w->report->lists.depth ? rc : catalogue_values(w->report, scratch->query_weight, values);
}
