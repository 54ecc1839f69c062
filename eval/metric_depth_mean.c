#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    if (!isnan(event->depth)) {
        *denominator = 1;
        *numerator = event->depth;
    }
}

const struct metric metric_depth_mean = {
    .name = "depth_mean",
    .help = "mean visit depth over the rows that have one; depth_mean_lists counts a visit (query) once",
    .formula = "sum depth / rows with depth",
    .citation = "Lehmann et al. 2012",
    .version = 1,
    .needs = METRIC_NEEDS_DEPTH,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row has a depth",
    .event = of_event,
};
