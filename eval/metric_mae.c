#include "eval/metric.h"

static int mae(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_defined(value, reason, data->sum[METRIC_SUM_ABSOLUTE] / data->rows);
}

const struct metric metric_mae = {
    .name = "mae",
    .help = "mean absolute error",
    .formula = "1/n sum |v - t|",
    .citation = "scikit-learn: mean_absolute_error",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = mae,
};
