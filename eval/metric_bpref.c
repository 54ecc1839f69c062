#include "eval/metric.h"

static double worth(const struct metric_list *list, double above)
{
    size_t least = list->irrelevant < list->relevant ? list->irrelevant : list->relevant;
    return above > 0 ? 1 - fmin(above, (double)list->relevant) / (double)least : 1;
}

/* Among tied items, any number of the judged irrelevant ones stands above a relevant one, each as likely. */
static double expected(const struct metric_list *list)
{
    double above = 0;
    double sum = 0;
    for (size_t begin = 0, end; begin < list->count; begin = end) {
        double relevant = 0;
        double irrelevant = 0;
        end = list->tie_end[begin];
        for (size_t i = begin; i < end; i++) {
            bool judged = isfinite(list->grade[i]);
            relevant += judged && list->grade[i] >= list->relevance_level;
            irrelevant += judged && list->grade[i] < list->relevance_level;
        }
        for (double more = 0; relevant > 0 && more <= irrelevant; more++) {
            sum += relevant / (irrelevant + 1) * worth(list, above + more);
        }
        above += irrelevant;
    }
    return sum / (double)list->relevant;
}

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    (void)variant;
    if (!list->relevant) {
        return NAN;
    }
    if (list->tie_end) {
        return expected(list);
    }
    double above = 0;
    double sum = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!isfinite(list->grade[i])) {
            continue;
        }
        if (list->grade[i] >= list->relevance_level) {
            sum += worth(list, above);
        } else {
            above++;
        }
    }
    return sum / (double)list->relevant;
}

const struct metric metric_bpref = {
    .name = "bpref",
    .help =
        "binary preference: how few judged irrelevant items stand above relevant ones; unjudged items are passed over",
    .formula = "1/R sum_{relevant i} (1 - min(R, irrelevant above i) / min(R, N)), of N judged irrelevant items",
    .citation = "Buckley and Voorhees 2004; trec_eval: bpref",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .query_reason = "no relevant item",
    .query = query,
};
