#include "eval/metric.h"

#define EPSILON 1e-5 /* as trec_eval */

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    (void)variant;
    double relevant = 0;
    double irrelevant = 0;
    double unjudged = 0;
    double sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (isnan(list->grade[i])) {
            continue; /* not in the pool */
        }
        if (isinf(list->grade[i])) {
            unjudged++;
        } else if (list->grade[i] < list->relevance_level) {
            irrelevant++;
        } else {
            double above = (double)i;
            sum += 1 / (above + 1);
            if (i) {
                sum += above / (above + 1) * ((relevant + irrelevant + unjudged) / above) *
                       ((relevant + EPSILON) / (relevant + irrelevant + 2 * EPSILON));
            }
            relevant++;
        }
    }
    return list->relevant ? sum / (double)list->relevant : NAN;
}

const struct metric metric_infap = {
    .name = "infap",
    .help = "inferred average precision, for judgments that are a sample of the pool",
    .formula = "1/R sum_{relevant i} (1/i + (i-1)/i pooled/(i-1) (rel + e) / (rel + irrelevant + 2 e)), counts of the "
               "items above i, e = 0.00001",
    .citation = "Yilmaz and Aslam 2006; trec_eval: infAP",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .query_reason = "no relevant item",
    .no_expected_ties = true,
    .query = query,
};
