#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    *denominator = event->clicked > 0;
    *numerator = event->converted > 0;
}

const struct metric metric_cvr = {
    .name = "cvr",
    .help = "conversion rate of the clicks; an attribution window takes out later conversions",
    .formula = "conversions / clicks",
    .citation = "Ma et al. 2018 (ESMM)",
    .version = 1,
    .needs = METRIC_NEEDS_CLICKED | METRIC_NEEDS_CONVERTED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no click",
    .event = of_event,
};
