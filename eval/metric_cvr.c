#include "eval/metric.h"

static int cvr(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct metric_events *e = &data->events;
    if (!e->clicks) {
        return metric_undefined(value, reason, "no click");
    }
    *value = (double)e->conversions / (double)e->clicks;
    *reason = NULL;
    return 0;
}

const struct metric metric_cvr = {
    .name = "cvr",
    .help = "conversion rate: conversions by click",
    .formula = "conversions / clicks",
    .citation = "Ma et al. 2018 (ESMM)",
    .version = 1,
    .needs = METRIC_NEEDS_CLICKED | METRIC_NEEDS_CONVERTED,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = cvr,
};
