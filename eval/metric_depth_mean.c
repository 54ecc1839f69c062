#include "eval/metric.h"

static int depth_mean(struct metric_data *data, const struct metric_variant *variant, double *value,
                      const char **reason)
{
    (void)variant;
    const struct metric_events *e = &data->events;
    if (!e->depths) {
        return metric_undefined(value, reason, "no row has a depth");
    }
    *value = e->depth / (double)e->depths;
    *reason = NULL;
    return 0;
}

const struct metric metric_depth_mean = {
    .name = "depth_mean",
    .help = "mean visit depth over the rows that have one",
    .formula = "sum depth / rows",
    .citation = "Lalmas et al. 2014, ch. 4",
    .version = 1,
    .needs = METRIC_NEEDS_DEPTH,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = depth_mean,
};
