#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    (void)variant;
    return list->relevant ? metric_hits(list, list->relevant) / (double)list->relevant : NAN;
}

const struct metric metric_r_precision = {
    .name = "r_precision",
    .help = "precision at R, the number of relevant items",
    .formula = "1/R sum_{i<=R} rel_i",
    .citation = "Buckley and Voorhees 2005; trec_eval: Rprec",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
