#include "eval/metric.h"

static double query(const struct metric_list *list, size_t k)
{
    if (!list->relevant) {
        return NAN;
    }
    for (size_t i = 0; i < list->count && i < k; i++) {
        if (list->grade[i] >= list->relevance_level) {
            return 1 / (double)(i + 1);
        }
    }
    return 0;
}

const struct metric metric_mrr = {
    .name = "mrr",
    .help = "mean reciprocal rank of the first relevant item; 0 when none is ranked",
    .formula = "1 / rank of the first relevant item",
    .citation = "Kantor and Voorhees 2000; trec_eval: recip_rank",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query = query,
    .query_reason = "no relevant item",
};
