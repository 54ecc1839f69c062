#include <string.h>

#include "eval/interval.h"
#include "eval/report.h"
#include "eval/slice.h"

#define REPORT_VERSION 1

/* Sets key and takes value; false when out of memory (value NULL included). */
static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *count(double value)
{
    return json_integer((json_int_t)value);
}

static json_t *share(double part, double whole)
{
    return whole > 0 ? json_real(part / whole) : json_null();
}

static bool add_data(json_t *out, const struct eval_report *report)
{
    const struct predictions *p = report->p;
    json_t *data = json_object();
    if (!set(out, "data", data)) {
        return false;
    }
    bool ok = true;
    if (p) {
        ok = set(data, "rows", count((double)p->rows)) && set(data, "rows_with_label", count(report->data.rows)) &&
             set(data, "rows_truncated", p->truncated ? count((double)report->rows_truncated) : json_null());
    }
    const struct eval_ranking *r = &report->ranking;
    if (r->done) {
        static const char *const ties[] = {"docno", "file", "expected"};
        ok = ok && set(data, "queries", count((double)r->queries)) &&
             set(data, "ranked_items", count((double)r->items)) &&
             set(data, "tied_frac", share((double)r->tied, (double)r->items)) &&
             set(data, "ties", json_string(ties[r->ties])) &&
             set(data, "relevance_level", r->level_known ? number(r->relevance_level) : json_null()) &&
             set(data, "queries_without_relevant", r->level_known ? count((double)r->irrelevant) : json_null());
    }
    if (report->lists.depth) {
        ok = ok && set(data, "catalogue_items", count((double)report->lists.item_count));
    }
    const struct metric_event *e = &report->events;
    if (p && p->clicked) {
        ok = ok && set(data, "impressions", count(report->impressions)) && set(data, "clicks", count(e->clicked));
    }
    if (p && p->converted) {
        ok = ok && set(data, "conversions", count(e->converted));
    }
    if (p && p->carted) {
        ok = ok && set(data, "added_to_cart", count(e->carted));
    }
    if (p && p->ordered) {
        ok = ok && set(data, "orders", count(e->ordered));
    }
    return ok;
}

static bool add_metrics(json_t *out, const struct eval_report *report)
{
    json_t *metrics = json_object();
    json_t *undefined = json_object();
    json_t *queries = json_object();
    json_t *definitions = json_object();
    bool ok = set(out, "metrics", metrics);
    ok = set(out, "undefined", undefined) && ok;
    ok = set(out, "queries", queries) && ok;
    ok = set(out, "definitions", definitions) && ok;
    for (size_t i = 0; ok && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        const struct metric *m = v->metric;
        ok = set(metrics, v->name, number(v->value)) &&
             (!v->reason || set(undefined, v->name, json_string(v->reason))) &&
             (!report_is_by_query(v) ||
              set(queries, v->name,
                  json_pack("{sIsI}", "used", (json_int_t)v->queries, "left_out", (json_int_t)v->left_out))) &&
             (json_object_get(definitions, m->name) ||
              set(definitions, m->name,
                  metric_definition(m)));
    }
    return ok;
}

static bool add_classes(json_t *out, const struct eval_report *report)
{
    const struct metric_data *data = &report->data;
    size_t n = (size_t)data->classes;
    json_t *classes = json_array();
    json_t *confusion = json_array();
    bool ok = set(out, "classes", classes);
    ok = set(out, "confusion", confusion) && ok;
    for (size_t c = 0; ok && c < n; c++) {
        json_t *row = json_array();
        json_t *class =
            json_pack("{sssI}", "label", report_label_name(report, (int)c), "support", (json_int_t)data->support[c]);
        ok = json_array_append_new(confusion, row) == 0;
        ok = json_array_append_new(classes, class) == 0 && ok;
        if (ok && report->p->labels.graded) {
            ok = set(class, "grade", number(report->p->labels.grades[c]));
        }
        double right = data->confusion[c * n + c];
        ok = ok && set(class, "predicted", count(data->predicted[c])) &&
             set(class, "precision", share(right, data->predicted[c])) &&
             set(class, "recall", share(right, data->support[c])) &&
             set(class, "f1", share(2 * right, data->predicted[c] + data->support[c]));
        for (size_t j = 0; ok && j < n; j++) {
            ok = json_array_append_new(row, count(data->confusion[c * n + j])) == 0;
        }
    }
    return ok;
}

static bool add_values(json_t *out, const struct eval_report *report)
{
    json_t *metrics = json_object();
    bool ok = set(out, "rows", count((double)report->rows)) && set(out, "metrics", metrics);
    for (size_t i = 0; ok && i < report->value_count; i++) {
        ok = set(metrics, report->values[i].name, number(report->values[i].value));
    }
    return ok;
}

/* Truncated rows and whole ones apart. */
static bool add_parts(json_t *out, const struct eval_report *report)
{
    json_t *truncated = json_object();
    json_t *whole = json_object();
    bool ok = set(out, "truncated", truncated);
    ok = set(out, "whole", whole) && ok;
    return ok && add_values(truncated, report->truncated) && add_values(whole, report->whole);
}

static bool add_positions(json_t *out, const struct eval_report *report)
{
    json_t *positions = json_array();
    bool ok = set(out, "by_position", positions);
    size_t rates = 0;
    while (report_rate(report, rates)) {
        rates++;
    }
    for (size_t at = 0; ok && at < report->position_count; at++) {
        json_t *position = json_pack("{sI}", "position", (json_int_t)at + 1);
        ok = json_array_append_new(positions, position) == 0;
        for (size_t i = 0; ok && i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            ok = set(position, report_rate(report, i)->name, share(sums[0], sums[1]));
        }
    }
    return ok;
}

json_t *eval_report_json(const struct eval_report *report)
{
    json_t *out = json_object();
    const char *task = !report->p             ? "ranking"
                       : report->data.classes ? "classification"
                       : report->p->target    ? "regression"
                                              : "behaviour";
    bool ok = out && set(out, "format", json_string("reco report")) &&
              set(out, "version", json_integer(REPORT_VERSION)) && set(out, "task", json_string(task)) &&
              add_data(out, report) && add_metrics(out, report);
    if (ok && report->data.confusion) {
        ok = add_classes(out, report);
    }
    if (ok && report->intervals) {
        ok = set(out, "intervals", eval_intervals_json(report, report->intervals));
    }
    if (ok && report->slices) {
        ok = set(out, "slices", eval_slices_json(report->slices));
    }
    if (ok && report->position_count) {
        ok = add_positions(out, report);
    }
    if (ok && report->truncated) {
        ok = add_parts(out, report);
    }
    if (ok && report->arms) {
        ok = set(out, "arms", eval_arms_json(report->arms));
    }
    if (ok && report->provenance) {
        ok = json_object_set(out, "provenance", report->provenance) == 0;
    }
    if (!ok) {
        json_decref(out);
        (void)err_nomem();
        return NULL;
    }
    return out;
}
