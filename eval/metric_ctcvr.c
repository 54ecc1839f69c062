#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    *denominator = !isnan(event->converted);
    *numerator = event->converted > 0;
}

const struct metric metric_ctcvr = {
    .name = "ctcvr",
    .help = "conversion rate of the impressions, clicked or not; an attribution window takes out later conversions",
    .formula = "conversions / impressions",
    .citation = "Ma et al. 2018 (ESMM)",
    .version = 1,
    .needs = METRIC_NEEDS_CONVERTED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row says whether it converted",
    .event = of_event,
};
