#include "eval/metric.h"

/* The user stops at an item with the chance (2^grade - 1) / 2^highest. */
static double stops(const struct metric_list *list, size_t i)
{
    return list->grade[i] > 0 ? (exp2(list->grade[i]) - 1) / exp2(list->highest_grade) : 0;
}

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    size_t k = variant->k;
    double left = 1;
    double sum = 0;
    if (!(list->highest_grade > 0)) {
        return NAN;
    }
    for (size_t i = 0; i < list->count && i < k; i++) {
        double stop = stops(list, i);
        sum += left * stop / (double)(i + 1);
        left *= 1 - stop;
    }
    return list->ideal_count ? sum : NAN;
}

const struct metric metric_err = {
    .name = "err",
    .help =
        "expected reciprocal rank: where a user who reads downwards stops; the highest grade is that of all the data",
    .formula = "sum_{i<=k} 1/i R_i prod_{j<i} (1 - R_j), R = (2^grade - 1) / 2^highest",
    .citation = "Chapelle et al. 2009",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_AT,
    .direction = 1,
    .query_reason = "no judged item, or no grade above 0",
    .no_expected_ties = true,
    .query = query,
};
