#include "eval/metric.h"

static int pearson(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const double *sum = data->sum;
    *value = metric_pearson_of(data->rows, sum[METRIC_SUM_X], sum[METRIC_SUM_Y], sum[METRIC_SUM_XX], sum[METRIC_SUM_YY],
                               sum[METRIC_SUM_XY]);
    if (!isfinite(sum[METRIC_SUM_XX]) || !isfinite(sum[METRIC_SUM_YY])) {
        return metric_undefined(value, reason, "a target or a value is infinite");
    }
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
