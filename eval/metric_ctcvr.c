#include "eval/metric.h"

static int ctcvr(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct metric_events *e = &data->events;
    if (!e->chances) {
        return metric_undefined(value, reason, "no row says whether it converted");
    }
    *value = (double)e->conversions / (double)e->chances;
    *reason = NULL;
    return 0;
}

const struct metric metric_ctcvr = {
    .name = "ctcvr",
    .help = "click and conversion rate",
    .formula = "conversions / impressions",
    .citation = "Ma et al. 2018 (ESMM)",
    .version = 1,
    .needs = METRIC_NEEDS_CONVERTED,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = ctcvr,
};
