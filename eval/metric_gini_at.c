#include "core/sort_keys.h"
#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double n = (double)c->item_count;
    double sum = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        c->spare[i] = (uint64_t)c->counts[i];
    }
    if (sort_keys(c->spare, c->item_count, NULL)) {
        return NAN;
    }
    for (size_t i = 0; i < c->item_count; i++) {
        sum += (2 * (double)i + 1 - n) * (double)c->spare[i];
    }
    return c->shown > 0 ? sum / (n * c->shown) : NAN;
}

const struct metric metric_gini_at = {
    .name = "gini@k",
    .help = "Gini index of how often the items of the catalogue are shown among the first k; 0: all alike",
    .formula = "sum_i (2 i - n - 1) count_(i) / (n shown), counts ascending",
    .citation = "Gini 1912; Adomavicius and Kwon 2012",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = -1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
    .catalogue_share = true,
};
