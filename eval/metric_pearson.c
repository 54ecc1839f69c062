#include "eval/metric.h"

static int pearson(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct predictions *p = data->p;
    struct metric_moments moments = {0};
    for (size_t row = 0; row < p->rows; row++) {
        if (!isnan(p->target[row])) {
            metric_moments_add(&moments, p->value[row], p->target[row]);
        }
    }
    *value = metric_moments_pearson(&moments);
    *reason = isnan(*value) ? "the targets or the values are all equal" : NULL;
    return 0;
}

const struct metric metric_pearson = {
    .name = "pearson",
    .help = "linear correlation of value and target",
    .formula = "cov(v, t) / (sd(v) sd(t))",
    .citation = "Pearson 1895; scipy: stats.pearsonr",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = pearson,
};
