#include "eval/metric.h"

static int dwell_mean_s(struct metric_data *data, const struct metric_variant *variant, double *value,
                        const char **reason)
{
    (void)variant;
    const struct metric_events *e = &data->events;
    if (!e->dwells) {
        return metric_undefined(value, reason, "no row has a dwell time");
    }
    *value = e->dwell_s / (double)e->dwells;
    *reason = NULL;
    return 0;
}

const struct metric metric_dwell_mean_s = {
    .name = "dwell_mean_s",
    .help = "mean dwell time in seconds over the rows that have one (DAR)",
    .formula = "sum dwell_s / rows",
    .citation = "Yi et al. 2014",
    .version = 1,
    .needs = METRIC_NEEDS_DWELL,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = dwell_mean_s,
};
