#include "eval/evaluate.h"

#include <string.h>

#include "core/mem.h"
#include "eval/report.h"

void eval_options_init(struct eval_options *options)
{
    *options = (struct eval_options){.relevance_level = NAN};
}

static bool has_label(const struct predictions *p, size_t row)
{
    return p->label ? p->label[row] >= 0 : p->target && !isnan(p->target[row]);
}

static int count_classes(struct metric_data *data)
{
    const struct predictions *p = data->p;
    size_t n = (size_t)data->classes;
    data->support = mem_calloc(n, sizeof *data->support);
    data->curves = mem_calloc(n, sizeof *data->curves);
    if (!data->support || !data->curves) {
        return RECO_E_NOMEM;
    }
    if (p->predicted) {
        data->predicted = mem_calloc(n, sizeof *data->predicted);
        data->confusion = mem_calloc(n * n, sizeof *data->confusion);
        if (!data->predicted || !data->confusion) {
            return RECO_E_NOMEM;
        }
    }
    for (size_t row = 0; row < p->rows; row++) {
        if (p->label[row] >= 0) {
            size_t label = (size_t)p->label[row];
            data->support[label]++;
            if (p->predicted) {
                size_t predicted = (size_t)p->predicted[row];
                data->predicted[predicted]++;
                data->confusion[label * n + predicted]++;
            }
        }
    }
    return 0;
}

static void count_events(struct metric_data *data)
{
    const struct predictions *p = data->p;
    struct metric_events *e = &data->events;
    for (size_t row = 0; row < p->rows; row++) {
        double clicked = p->clicked ? p->clicked[row] : NAN;
        double converted = p->converted ? p->converted[row] : NAN;
        e->impressions += !isnan(clicked);
        e->clicks += clicked > 0;
        e->chances += !isnan(converted);
        e->conversions += converted > 0;
        if (p->dwell_s && !isnan(p->dwell_s[row])) {
            e->dwells++;
            e->dwell_s += p->dwell_s[row];
        }
        if (p->depth && !isnan(p->depth[row])) {
            e->depths++;
            e->depth += p->depth[row];
        }
    }
}

static int prepare(struct eval_report *report, const struct predictions *p)
{
    struct metric_data *data = &report->data;
    report->p = p;
    data->p = p;
    data->classes = p->label ? p->labels.count : 0;
    data->positive = p->labels.positive;
    for (size_t row = 0; row < p->rows; row++) {
        data->rows += has_label(p, row);
    }
    count_events(data);
    return data->classes ? count_classes(data) : 0;
}

static int compute(struct eval_report *report)
{
    for (size_t i = 0; i < report->value_count; i++) {
        struct eval_value *v = &report->values[i];
        if (!v->metric->value) {
            continue;
        }
        v->value = NAN;
        if (report_applies(report, v->metric, &v->reason)) {
            int rc = v->metric->value(&report->data, &v->variant, &v->value, &v->reason);
            if (rc) {
                return rc;
            }
        }
        if (!v->reason && !isfinite(v->value)) {
            v->value = NAN;
            v->reason = "the value is not finite";
        }
    }
    return 0;
}

int eval_run(struct eval_report **out, const struct predictions *p, const struct eval_options *options)
{
    *out = NULL;
    struct eval_report *report = mem_calloc(1, sizeof *report);
    if (!report) {
        return RECO_E_NOMEM;
    }
    int rc = prepare(report, p);
    if (!rc) {
        rc = report_plan(report, options);
    }
    if (!rc && report_has_ranking(report)) {
        rc = rank_predictions(report, options);
    }
    if (!rc) {
        rc = compute(report);
    }
    if (rc) {
        eval_report_free(report);
        return rc;
    }
    *out = report;
    return 0;
}

void eval_report_free(struct eval_report *report)
{
    if (!report) {
        return;
    }
    mem_free(report->data.confusion);
    mem_free(report->data.support);
    mem_free(report->data.predicted);
    mem_free(report->data.curves);
    for (size_t i = 0; i < report->value_count; i++) {
        mem_free(report->values[i].name);
    }
    mem_free(report->values);
    mem_free(report->queries);
    mem_free(report->by_query);
    json_decref(report->provenance);
    mem_free(report);
}

void eval_report_set_provenance(struct eval_report *report, json_t *json)
{
    json_decref(report->provenance);
    report->provenance = json;
}

bool eval_report_get(const struct eval_report *report, const char *name, double *value, const char **reason)
{
    const char *why = "it was not computed";
    if (!strcmp(name, "loss")) {
        name = "log_loss";
    }
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (!strcmp(v->name, name)) {
            if (!v->reason) {
                *value = v->value;
                return true;
            }
            why = v->reason;
            break;
        }
    }
    if (reason) {
        *reason = why;
    }
    return false;
}

int eval_metric_check(const char *name)
{
    struct metric_variant variant;
    const char *label;
    if (metric_find(name, &variant, &label)) {
        return 0;
    }
    const char *near = metric_nearest(name);
    return err_set(RECO_E_USAGE, "unknown metric '%s'%s%s%s", name, near ? "; did you mean '" : "", near ? near : "",
                   near ? "'?" : "");
}

int eval_metric_direction(const char *name)
{
    struct metric_variant variant;
    const char *label;
    const struct metric *row = metric_find(name, &variant, &label);
    return row ? row->direction : 0;
}
