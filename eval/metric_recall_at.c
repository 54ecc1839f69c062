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
    return (double)hits / (double)list->relevant;
}

const struct metric metric_recall_at = {
    .name = "recall@k",
    .help = "share of the relevant items that are among the first k",
    .formula = "relevant in the first k / R",
    .citation = "trec_eval: recall",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query = query,
    .query_reason = "no relevant item",
};
