#include "eval/metric.h"

static void of_event(const struct metric_event *event, double *numerator, double *denominator)
{
    if (!isnan(event->dwell_s)) {
        *denominator = 1;
        *numerator = event->dwell_s;
    }
}

const struct metric metric_dwell_mean_s = {
    .name = "dwell_mean_s",
    .help = "mean dwell time (DAR; also: dar) in seconds over the rows that have one, as those that were clicked",
    .formula = "sum dwell_s / rows with dwell_s",
    .citation = "Yi et al. 2014",
    .version = 2,
    .needs = METRIC_NEEDS_DWELL,
    .forms = METRIC_FORM_BEHAVIOUR,
    .direction = 1,
    .query_reason = "no row has a dwell time",
    .event = of_event,
    .of_outcomes = true,
};
