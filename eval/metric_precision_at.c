#include "eval/metric.h"

static double query(const struct metric_list *list, size_t k)
{
    return list->relevant ? (double)metric_hits(list, k) / (double)k : NAN;
}

const struct metric metric_precision_at = {
    .name = "precision@k",
    .help = "share of the first k that is relevant; a shorter list counts as filled up with irrelevant items",
    .formula = "relevant in the first k / k",
    .citation = "trec_eval: P",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query = query,
    .query_reason = "no relevant item",
};
