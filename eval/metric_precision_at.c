#include "eval/metric.h"

static double query(const struct metric_list *list, size_t k)
{
    if (!list->relevant) {
        return NAN;
    }
    size_t hits = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        hits += list->grade[i] >= list->relevance_level;
    }
    return (double)hits / (double)k;
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
