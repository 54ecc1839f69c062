#include "eval/metric.h"

static double query(const struct metric_list *list, size_t k)
{
    return list->relevant ? (double)metric_hits(list, k) / (double)list->relevant : NAN;
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
