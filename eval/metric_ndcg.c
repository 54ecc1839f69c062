#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    size_t k = variant->k;
    double gained = 0;
    double ideal = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        gained += list->gain[i] * list->discount[i];
    }
    for (size_t i = 0; i < list->ideal_count && i < k; i++) {
        ideal += list->ideal[i] * list->discount[i];
    }
    return ideal > 0 ? gained / ideal : NAN;
}

const struct metric metric_ndcg = {
    .name = "ndcg",
    .help = "normalised discounted cumulated gain of all items or the first k; gain 2^grade - 1 unless gains are named",
    .formula = "DCG@k / ideal DCG@k, DCG@k = sum_{i<=k} gain_i / log2(i + 1)",
    .citation = "Jarvelin and Kekalainen 2002; Burges et al. 2005",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no item with a gain",
    .query = query,
};
