#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double shown = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        shown += c->counts[i] > 0;
    }
    return c->lists > 0 ? shown / (double)c->item_count : NAN;
}

const struct metric metric_coverage_at = {
    .name = "coverage@k",
    .help = "share of the catalogue that stands among the first k of some list",
    .formula = "items shown / items",
    .citation = "Ge et al. 2010",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
    .catalogue_share = true,
};
