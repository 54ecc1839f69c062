#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    if (!isnan(event->revenue)) {
        *denominator = 1;
        *numerator = event->revenue;
    }
}

const struct metric metric_revenue_per_impression = {
    .name = "revenue_per_impression",
    .help = "revenue by impression",
    .formula = "revenue / impressions",
    .citation = "Karmaker Santu et al. 2017",
    .version = 1,
    .needs = METRIC_NEEDS_REVENUE,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row has a revenue",
    .event = of_event,
};
