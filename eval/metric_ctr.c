#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    *denominator = !isnan(event->clicked);
    *numerator = event->clicked > 0;
}

const struct metric metric_ctr = {
    .name = "ctr",
    .help = "click-through rate",
    .formula = "clicks / impressions",
    .citation = "Richardson et al. 2007",
    .version = 1,
    .needs = METRIC_NEEDS_CLICKED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row says whether it was clicked",
    .event = of_event,
};
