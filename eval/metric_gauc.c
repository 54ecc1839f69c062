#include "eval/metric.h"

static double query(const struct metric_list *list, const struct metric_variant *variant)
{
    (void)variant;
    double below = (double)list->irrelevant; /* irrelevant items of lower score than the tie at hand */
    double right = 0;
    double relevant = 0;
    double irrelevant = 0;
    for (size_t begin = 0, end; begin < list->count; begin = end) {
        double hits = 0;
        double misses = 0;
        for (end = begin; end < list->count && list->score[end] == list->score[begin]; end++) {
            bool judged = isfinite(list->grade[end]);
            hits += judged && list->grade[end] >= list->relevance_level;
            misses += judged && list->grade[end] < list->relevance_level;
        }
        below -= misses;
        right += hits * (below + misses / 2);
        relevant += hits;
        irrelevant += misses;
    }
    right -= relevant * ((double)list->irrelevant - irrelevant); /* irrelevant items outside the list are no pairs */
    return relevant * irrelevant > 0 ? right / (relevant * irrelevant) : NAN;
}

const struct metric metric_gauc = {
    .name = "gauc",
    .help =
        "AUC within each query (user), weighted by its items; queries with relevant items only, or none, are left out",
    .formula = "sum_u n_u AUC_u / sum_u n_u",
    .citation = "Zhu et al. 2017; Zhou et al. 2018",
    .version = 1,
    .needs = METRIC_NEEDS_QUERY | METRIC_NEEDS_RELEVANCE,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .query_reason = "all items are relevant, or none",
    .by_items = true,
    .query = query,
};
