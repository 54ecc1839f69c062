#include <string.h>

#include "eval/report.h"

bool report_is_shown(const struct eval_report *report, const struct eval_value *v)
{
    enum metric_form form = v->variant.form;
    if (v->metric->needs & METRIC_NEEDS_CLASSES) {
        return form == METRIC_FORM_PLAIN;
    }
    if (form & (METRIC_FORM_PLAIN | METRIC_FORM_AT | METRIC_FORM_LISTS | METRIC_FORM_IPS | METRIC_FORM_SNIPS)) {
        return true;
    }
    return report->data.classes > 2 && report->data.classes <= REPORT_CLASSES_SHOWN;
}

bool report_is_headline(const struct eval_value *v)
{
    if (v->metric->event) {
        return v->variant.form == METRIC_FORM_PLAIN;
    }
    if (v->metric->catalogue) {
        return false;
    }
    return v->variant.form == METRIC_FORM_PLAIN || (v->variant.form == METRIC_FORM_AT && v->variant.k == 10);
}

bool report_has_depth(const struct eval_value *v)
{
    return v->metric->query || v->metric->catalogue || (v->metric->event && v->variant.form == METRIC_FORM_LISTS) ||
           (v->metric->event && v->variant.form == METRIC_FORM_AT);
}

size_t report_row_name_length(const struct eval_value *v)
{
    return strcspn(v->name, "@");
}

bool report_same_row(const struct eval_value *a, const struct eval_value *b)
{
    size_t length = report_row_name_length(a);
    return a->metric->query == b->metric->query && length == report_row_name_length(b) &&
           !strncmp(a->name, b->name, length) && report_has_depth(a) == report_has_depth(b);
}

const struct eval_value *report_cell(const struct eval_report *report, const struct eval_value *row, size_t k)
{
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->variant.k == k && report_same_row(v, row)) {
            return v;
        }
    }
    return NULL;
}

bool report_next_depth(const struct eval_report *report, unsigned needs, bool first, size_t *k)
{
    bool found = false;
    size_t best = 0;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (report_has_depth(v) && v->metric->needs & needs && (first || v->variant.k > *k) &&
            (!found || v->variant.k < best)) {
            best = v->variant.k;
            found = true;
        }
    }
    *k = best;
    return found;
}
