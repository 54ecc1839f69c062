#include <string.h>

#include "eval/report.h"

bool report_is_shown(const struct eval_report *report, const struct eval_value *v)
{
    if (v->metric->needs & METRIC_NEEDS_CLASSES) {
        return v->variant.form == METRIC_FORM_PLAIN;
    }
    if (v->variant.form == METRIC_FORM_PLAIN || v->variant.form == METRIC_FORM_AT) {
        return true;
    }
    return report->data.classes > 2 && report->data.classes <= REPORT_CLASSES_SHOWN;
}

const struct eval_value *report_cell(const struct eval_report *report, const struct metric *metric, size_t k)
{
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->metric == metric && v->variant.k == k) {
            return v;
        }
    }
    return NULL;
}

bool report_next_depth(const struct eval_report *report, bool first, size_t *k)
{
    bool found = false;
    size_t best = 0;
    for (size_t i = 0; i < report->value_count; i++) {
        const struct eval_value *v = &report->values[i];
        if (v->metric->query && (first || v->variant.k > *k) && (!found || v->variant.k < best)) {
            best = v->variant.k;
            found = true;
        }
    }
    *k = best;
    return found;
}
