#include "eval/metric.h"

#define TAIL 0.8 /* of the catalogue */

static double catalogue(const struct metric_catalogue *c)
{
    size_t tail = (size_t)(TAIL * (double)c->item_count);
    double shown = 0;
    for (size_t i = 0; i < tail; i++) {
        shown += c->counts[c->by_popularity[i]];
    }
    return c->shown > 0 ? shown / c->shown : NAN;
}

const struct metric metric_tail_share_at = {
    .name = "tail_share@k",
    .help =
        "share of what is shown among the first k that is of the 80 % least popular items; equally popular ones by id",
    .formula = "count of the tail / shown",
    .citation = "Anderson 2006; Abdollahpouri et al. 2019",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
};
