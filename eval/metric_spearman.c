#include "eval/metric.h"

static int spearman(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    int rc = metric_spearman_get(data, value);
    *reason = isnan(*value) ? "the targets or the values are all equal" : NULL;
    return rc;
}

const struct metric metric_spearman = {
    .name = "spearman",
    .help = "rank correlation of value and target, ties at their mean rank",
    .formula = "pearson(rank(v), rank(t))",
    .citation = "Spearman 1904; scipy: stats.spearmanr",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = spearman,
};
