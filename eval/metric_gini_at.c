#include <stdlib.h>
#include <string.h>

#include "eval/metric.h"

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static double catalogue(const struct metric_catalogue *c)
{
    double n = (double)c->item_count;
    double sum = 0;
    memcpy(c->spare, c->counts, c->item_count * sizeof *c->spare);
    qsort(c->spare, c->item_count, sizeof *c->spare, compare);
    for (size_t i = 0; i < c->item_count; i++) {
        sum += (2 * (double)i + 1 - n) * c->spare[i];
    }
    return c->shown > 0 ? sum / (n * c->shown) : NAN;
}

const struct metric metric_gini_at = {
    .name = "gini@k",
    .help = "Gini index of how often the items of the catalogue are shown among the first k; 0: all alike",
    .formula = "sum_i (2 i - n - 1) count_(i) / (n shown), counts ascending",
    .citation = "Gini 1912; Adomavicius and Kwon 2012",
    .version = 1,
    .needs = METRIC_NEEDS_ITEM,
    .forms = METRIC_FORM_AT,
    .direction = -1,
    .query_reason = "no list has an item",
    .catalogue = catalogue,
};
