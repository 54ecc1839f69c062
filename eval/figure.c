/* The value of a figure by its name: a metric, a bound of its interval, the worst of a slice, a gap. */

#include <math.h>
#include <string.h>

#include "eval/interval.h"
#include "eval/report.h"
#include "eval/slice_internal.h"

static const struct eval_value *find_value(const struct eval_report *report, const char *name)
{
    for (size_t i = 0; i < report->value_count; i++) {
        if (!strcmp(report->values[i].name, slice_metric_name(name))) {
            return &report->values[i];
        }
    }
    return NULL;
}

static double find_bound(const struct eval_report *report, const struct slice_name *name, const char **reason)
{
    const struct eval_value *v = find_value(report, name->metric);
    if (!v || v->reason || !report->intervals) {
        *reason = !v ? "it was not computed" : v->reason ? v->reason : "there are no intervals";
        return NAN;
    }
    const struct interval *interval = &report->intervals->of[v - report->values];
    *reason = interval->reason;
    return name->bound == SLICE_NAME_LOW ? interval->low : interval->high;
}

bool eval_report_get(const struct eval_report *report, const char *name, double *value, const char **reason)
{
    const char *why = "it was not computed";
    const struct eval_value *v = find_value(report, name);
    struct slice_name derived = {0};
    double found = v ? v->value : NAN;
    if (v) {
        why = v->reason;
    } else if (!slice_name_parse(&derived, name) && derived.slice) {
        struct slice_found of_slice;
        eval_slices_find(&of_slice, report->slices, &derived);
        found = of_slice.value;
        why = of_slice.reason;
    } else if (derived.bound) {
        found = find_bound(report, &derived, &why);
    }
    slice_name_release(&derived);
    if (!why) {
        *value = found;
    } else if (reason) {
        *reason = why;
    }
    return !why;
}

const json_t *eval_report_provenance(const struct eval_report *report)
{
    return report->provenance;
}
