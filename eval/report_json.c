#include <string.h>

#include "core/json_file.h"
#include "core/mem.h"
#include "eval/behaviour.h"
#include "eval/interval.h"
#include "eval/report.h"
#include "eval/report_provenance.h"
#include "eval/slice.h"

#define REPORT_VERSION 1

/* Sets key and takes value; false when out of memory (value NULL included). */
static bool set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *count(double value)
{
    return json_integer((json_int_t)value);
}

static json_t *share(double part, double whole)
{
    return whole > 0 ? json_real(part / whole) : json_null();
}

static bool add_events(json_t *data, const struct eval_report *report)
{
    const struct predictions *p = report->p;
    const struct eval_behaviour *e = &report->behaviour;
    const struct eval_attributed *a = &report->attributed;
    bool ok = !(e->impressions > 0) || set(data, "impressions", count(e->impressions));
    if (p && p->clicked) {
        ok = ok && set(data, "clicks", count(e->clicks));
    }
    if (p && p->converted) {
        ok = ok && set(data, "conversions", count(e->conversions)) &&
             set(data, "conversions_without_click", count(e->unclicked_conversions));
    }
    if (p && p->carted) {
        ok = ok && set(data, "added_to_cart", count(e->carts));
    }
    if (p && p->ordered) {
        ok = ok && set(data, "orders", count(e->orders));
    }
    if (p && p->position && e->impressions > 0) {
        ok = ok && set(data, "rows_without_position", count(e->unplaced));
    }
    if (e->weighted > 0) {
        ok = ok && set(data, "propensity",
                       json_pack("{sosososo}", "rows", count(e->weighted), "weight_max", json_finite(e->weight_max),
                                 "effective_rows", json_finite(report_effective_rows(e)), "weights_cut",
                                 count((double)a->weights_cut)));
    }
    if (a->window) {
        ok = ok && set(data, "attribution",
                       json_pack("{sssoso}", "window", a->window, "late_conversions", count((double)a->late),
                                 "conversions_without_delay", count((double)a->without_delay)));
    }
    return ok;
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
    if (r->done && (!p || predictions_has_score(p))) {
        static const char *const ties[] = {"docno", "file", "expected"};
        ok = ok && set(data, "queries", count((double)r->queries)) &&
             set(data, "ranked_items", count((double)r->items)) &&
             set(data, "tied_frac", share((double)r->tied, (double)r->items)) &&
             set(data, "ties", json_string(ties[r->ties])) &&
             set(data, "relevance_level", r->level_known ? json_finite(r->relevance_level) : json_null()) &&
             set(data, "queries_without_relevant", r->level_known ? count((double)r->irrelevant) : json_null());
    }
    if (report->lists.depth) {
        ok = ok && set(data, "catalogue_items", count((double)report->lists.item_count));
    }
    return ok && add_events(data, report);
}

/* JSON has no infinity: such a value is null like an undefined one, and says why. */
static const char *reason_of(const struct eval_value *v)
{
    return v->reason ? v->reason : isfinite(v->value) ? NULL : "infinite: the sum overflows";
}

/* Of how many queries a mean is, and why the others are not in it. */
static json_t *queries_of(const struct eval_value *v)
{
    return json_pack("{sIsIss*}", "used", (json_int_t)v->queries, "left_out", (json_int_t)v->left_out, "reason",
                     v->left_out ? v->metric->query_reason : NULL);
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
        ok = set(metrics, v->name, json_finite(v->value)) &&
             (!reason_of(v) || set(undefined, v->name, json_string(reason_of(v)))) &&
             (!report_is_by_query(v) || set(queries, v->name, queries_of(v))) &&
             (json_object_get(definitions, m->name) || set(definitions, m->name, metric_definition(m)));
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
            ok = set(class, "grade", json_finite(report->p->labels.grades[c]));
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
    json_t *undefined = json_object();
    bool ok = set(out, "rows", count((double)report->rows)) && set(out, "metrics", metrics);
    ok = set(out, "undefined", undefined) && ok;
    for (size_t i = 0; ok && i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        ok = set(metrics, v->name, json_finite(v->value)) &&
             (!reason_of(v) || set(undefined, v->name, json_string(reason_of(v))));
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
        json_t *position =
            json_pack("{sIso}", "position", (json_int_t)at + 1, "rows", count(report->position_rows[at]));
        ok = json_array_append_new(positions, position) == 0;
        for (size_t i = 0; ok && i < rates; i++) {
            const double *sums = report->by_position + (at * rates + i) * 2;
            ok = set(position, report_rate(report, i)->name, share(sums[0], sums[1]));
        }
    }
    return ok;
}

static int add_note(void *arg, const char *text)
{
    char *note = mem_printf("%s; averaged as 0", text);
    int rc = note && !json_array_append_new(arg, json_string(note)) ? 0 : RECO_E_NOMEM;
    mem_free(note);
    return rc;
}

/* What a mean over the classes takes for 0; nothing: no key. */
static bool add_notes(json_t *out, const struct eval_report *report)
{
    json_t *notes = json_array();
    bool ok = notes && !report_class_notes(report, add_note, notes) &&
              (!json_array_size(notes) || json_object_set(out, "notes", notes) == 0);
    json_decref(notes);
    return ok;
}

/* Labels of more than two classes that only a score is known for are grades of a ranking. */
static const char *task_of(const struct eval_report *report)
{
    const struct predictions *p = report->p;
    if (p && report->data.classes) {
        bool has_class = p->predicted || predictions_has_p(p) || (p->labels.count == 2 && predictions_has_score(p));
        return has_class ? "classification" : "ranking";
    }
    return !p ? "ranking" : p->target ? "regression" : "behaviour";
}

json_t *eval_report_json(const struct eval_report *report)
{
    json_t *out = json_object();
    const char *task = task_of(report);
    bool ok = out && set(out, "format", json_string("reco report")) &&
              set(out, "version", json_integer(REPORT_VERSION)) && set(out, "task", json_string(task)) &&
              add_data(out, report) && add_metrics(out, report);
    if (ok && report->data.confusion) {
        ok = add_classes(out, report) && add_notes(out, report);
    }
    if (ok && report->data.bins && report->data.rows > 0) {
        ok = set(out, "reliability", report_reliability_json(report));
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
