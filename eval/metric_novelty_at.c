#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double sum = 0;
    double known = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        if (c->counts[i] > 0 && c->popularity[i] > 0) {
            sum -= c->counts[i] * log2(c->popularity[i] / c->popularity_sum);
            known += c->counts[i];
        }
    }
    return known > 0 ? sum / known : NAN;
}

const struct metric metric_novelty_at = {
    .name = "novelty@k",
    .help = "mean self-information in bits of the items shown among the first k; items without popularity are left out",
    .formula = "1/shown sum_i count_i -log2(pop_i / sum pop)",
    .citation = "Zhou et al. 2010; Vargas and Castells 2011",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no item shown has a popularity",
    .catalogue = catalogue,
};
