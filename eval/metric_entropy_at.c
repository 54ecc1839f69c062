#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        double share = c->counts[i] / c->shown;
        sum -= c->counts[i] > 0 ? share * log2(share) : 0;
    }
    return c->shown > 0 ? sum : NAN;
}

const struct metric metric_entropy_at = {
    .name = "entropy@k",
    .help = "Shannon entropy in bits of what is shown among the first k",
    .formula = "-sum_i s_i log2 s_i, s_i = count_i / shown",
    .citation = "Shannon 1948; Adomavicius and Kwon 2012",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
};
