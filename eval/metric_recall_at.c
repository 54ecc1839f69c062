#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    return list->relevant ? metric_hits(list, variant->k) / (double)list->relevant : NAN;
}

const struct metric metric_recall_at = {
    .name = "recall@k",
    .help = "relevant items among the first k, by all relevant items",
    .formula = "1/R sum_{i<=k} rel_i",
    .citation = "Manning et al. 2008, ch. 8; trec_eval: recall",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
