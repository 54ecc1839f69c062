#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    if (!list->relevant) {
        return NAN;
    }
    return 1 - metric_miss(list, variant->k);
}

const struct metric metric_hit_rate_at = {
    .name = "hit_rate@k",
    .help = "share of the users (queries) with a relevant item among the first k",
    .formula = "1/U sum_u [sum_{i<=k} rel_i > 0]",
    .citation = "Deshpande and Karypis 2004",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
