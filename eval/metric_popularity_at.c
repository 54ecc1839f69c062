#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        sum += c->counts[i] * c->popularity[i];
    }
    return c->shown > 0 ? sum / c->shown : NAN;
}

const struct metric metric_popularity_at = {
    .name = "popularity@k",
    .help = "mean popularity of the items shown among the first k",
    .formula = "1/shown sum_i count_i pop_i",
    .citation = "Yin et al. 2012",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = -1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
};
