#include "eval/metric.h"

static int ctr(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct metric_events *e = &data->events;
    if (!e->impressions) {
        return metric_undefined(value, reason, "no row says whether it was clicked");
    }
    *value = (double)e->clicks / (double)e->impressions;
    *reason = NULL;
    return 0;
}

const struct metric metric_ctr = {
    .name = "ctr",
    .help = "click-through rate",
    .formula = "clicks / impressions",
    .citation = "Richardson et al. 2007",
    .version = 1,
    .needs = METRIC_NEEDS_CLICKED,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = ctr,
};
