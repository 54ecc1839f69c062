#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    size_t k = variant->k;
    double gained = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        gained += list->gain[i] * list->discount[i];
    }
    return list->ideal_count ? gained : NAN;
}

const struct metric metric_dcg = {
    .name = "dcg",
    .help = "discounted cumulated gain of all items or the first k; gain 2^grade - 1 unless gains are named",
    .formula = "sum_{i<=k} gain_i / log2(i + 1)",
    .citation = "Jarvelin and Kekalainen 2002; Burges et al. 2005",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no judged item",
    .query = query,
};
