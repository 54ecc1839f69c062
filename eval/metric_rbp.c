#include "eval/metric.h"

#define PERSISTENCE 0.8

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    size_t k = variant->k;
    double persistence = isnan(variant->parameter) ? PERSISTENCE : variant->parameter;
    double weight = 1 - persistence;
    double sum = 0;
    for (size_t i = 0; i < list->count && i < k; i++, weight *= persistence) {
        sum += weight * list->relevance[i];
    }
    return list->relevant ? sum : NAN;
}

const struct metric metric_rbp = {
    .name = "rbp",
    .help = "rank-biased precision; persistence 0.8, or as named, below 1: rbp0.95",
    .formula = "(1 - p) sum_{i<=k} rel_i p^(i - 1)",
    .parameter_below = 1,
    .citation = "Moffat and Zobel 2008",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT | METRIC_FORM_PARAMETER,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
