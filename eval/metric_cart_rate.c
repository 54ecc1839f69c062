#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    *denominator = !isnan(event->carted);
    *numerator = event->carted > 0;
}

const struct metric metric_cart_rate = {
    .name = "cart_rate",
    .help = "share of the impressions that were added to the cart",
    .formula = "added to cart / impressions",
    .citation = "Karmaker Santu et al. 2017",
    .version = 1,
    .needs = METRIC_NEEDS_CARTED,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row says whether it was added to the cart",
    .event = of_event,
};
