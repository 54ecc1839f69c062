#include "eval/metric.h"

static double catalogue(const struct metric_catalogue *c)
{
    double shown = 0;
    for (size_t i = 0; i < c->item_count; i++) {
        double popularity = c->popularity[i];
        double share = popularity < c->tail_below ? 1 : popularity == c->tail_below ? c->tail_share : 0;
        shown += share * c->counts[i];
    }
    return c->shown > 0 ? shown / c->shown : NAN;
}

const struct metric metric_tail_share_at = {
    .name = "tail_share@k",
    .help = "share of what is shown among the first k that is of the 80 % least popular items; those at the border are "
            "shared out",
    .formula = "count of the tail / shown",
    .citation = "Anderson 2006; Abdollahpouri et al. 2019",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
    .catalogue_share = true,
};
