#include "eval/metric.h"

/* Tied items: each rank of the tie may hold any of them. Source: McSherry and Najork 2008. */
static double expected(const struct metric_list *list, size_t k)
{
    double sum = 0;
    double above = 0;
    for (size_t begin = 0, end; begin < list->count && begin < k; begin = end) {
        end = list->tie_end[begin];
        double tied = (double)(end - begin);
        double share = list->relevance[begin];
        double others = tied > 1 ? (share * tied - 1) / (tied - 1) : 0;
        for (size_t i = begin; i < end && i < k; i++) {
            sum += share * (above + 1 + (double)(i - begin) * others) / (double)(i + 1);
        }
        above += share * tied;
    }
    return sum / (double)list->relevant;
}

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    size_t k = variant->k;
    if (!list->relevant) {
        return NAN;
    }
    if (list->tie_end) {
        return expected(list, k);
    }
    double hits = 0;
    double sum = 0;
    for (size_t i = 0; i < list->count && i < k; i++) {
        if (list->relevance[i] > 0) {
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
    .query_reason = "no relevant item",
    .query = query,
};
