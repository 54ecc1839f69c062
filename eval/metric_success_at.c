#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    if (!list->relevant) {
        return NAN;
    }
    return 1 - metric_miss(list, variant->k);
}

const struct metric metric_success_at = {
    .name = "success@k",
    .help = "a relevant item is among the first k",
    .formula = "1 if sum_{i<=k} rel_i > 0, else 0",
    .citation = "Craswell and Hawking 2005; trec_eval: success",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
