#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    bool known = !isnan(event->clicked) && !isnan(event->converted);
    *denominator = known && event->clicked > 0;
    *numerator = known && event->converted > 0;
}

const struct metric metric_cvr = {
    .name = "cvr",
    .help = "conversion rate of the clicks; an attribution window takes out later conversions",
    .formula = "conversions / clicks, of the rows that tell both",
    .citation = "Ma et al. 2018 (ESMM)",
    .version = 2,
    .needs = METRIC_NEEDS_CLICKED | METRIC_NEEDS_CONVERTED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no click",
    .event = of_event,
    .of_outcomes = true,
};
