#include "eval/metric.h"

static double query(const struct metric_list *list, size_t k)
{
    if (!list->relevant) {
        return NAN;
    }
    double hits = 0;
    double sum = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        if (list->grade[i] >= list->relevance_level) {
            hits++;
            sum += hits / (double)(i + 1);
        }
    }
    return sum / (double)list->relevant;
}

const struct metric metric_map = {
    .name = "map",
    .help = "mean average precision: precision at each relevant item, over all relevant items",
    .formula = "1/R sum_{relevant i} P@i",
    .citation = "Buckley and Voorhees 2005; trec_eval: map, map_cut",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query = query,
    .query_reason = "no relevant item",
};
