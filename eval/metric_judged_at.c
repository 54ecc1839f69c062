#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    double judged = 0;
    double shown = 0;
    for (size_t i = 0; i < list->ranked && i < variant->k; i++, shown++) {
        judged += list->judged[i];
    }
    return shown > 0 ? judged / shown : NAN;
}

const struct metric metric_judged_at = {
    .name = "judged@k",
    .help = "share of the first k items that are judged, 0 for a query that nobody judged; where it is low, the other "
            "figures say little",
    .formula = "1/min(k, n) sum_{i<=k} judged_i",
    .citation = "Lu et al. 2016",
    .version = 2,
    .needs = METRIC_NEEDS_QUERY,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no item",
    .of_unjudged = true,
    .query = query,
};
