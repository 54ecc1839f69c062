#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    *denominator = !isnan(event->ordered);
    *numerator = event->ordered > 0;
}

const struct metric metric_order_rate = {
    .name = "order_rate",
    .help = "share of the impressions that were ordered",
    .formula = "orders / impressions",
    .citation = "Karmaker Santu et al. 2017",
    .version = 1,
    .needs = METRIC_NEEDS_ORDERED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row says whether it was ordered",
    .event = of_event,
};
