#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double same = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        same += c->counts[i] * (c->counts[i] - 1);
    }
    return c->common_most > 0 ? 1 - same / c->common_most : NAN;
}

const struct metric metric_diversity_at = {
    .name = "diversity@k",
    .help = "how much the first k of two lists differ, on average (personalisation)",
    .formula = "1 - sum over the pairs of lists of common items / sum over them of min(k, the shorter one's items)",
    .citation = "Zhou et al. 2010 (inter-list distance; there all lists have k items)",
    .version = 2,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "fewer than two lists",
    .catalogue = catalogue,
    .catalogue_share = true,
};
