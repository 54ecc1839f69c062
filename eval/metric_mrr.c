#include "eval/metric.h"

/* The first relevant item stands in the first tie that holds one. Source: McSherry and Najork 2008. */
static double expected(const struct metric_list *list, size_t k)
{
    size_t begin = 0;
    while (begin < list->count && !(list->relevance[begin] > 0)) {
        begin = list->tie_end[begin];
    }
    if (begin >= list->count) {
        return 0;
    }
    size_t end = list->tie_end[begin];
    double left = (double)(end - begin);
    double relevant = round(list->relevance[begin] * left);
    double none_yet = 1;
    double sum = 0;
    for (size_t i = begin; i < end && i < k && none_yet > 0; i++, left--) {
        sum += none_yet * relevant / left / (double)(i + 1);
        none_yet *= (left - relevant) / left;
    }
    return sum;
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
    for (size_t i = 0; i < list->count && i < k; i++) {
        if (list->relevance[i] > 0) {
            return 1 / (double)(i + 1);
        }
    }
    return 0;
}

const struct metric metric_mrr = {
    .name = "mrr",
    .help = "mean reciprocal rank of the first relevant item (0 when it is not among the first k)",
    .formula = "1 / rank of the first relevant item",
    .citation = "Voorhees 1999; trec_eval: recip_rank",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
