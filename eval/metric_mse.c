#include "eval/metric.h"

static int mse(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_defined(value, reason, data->sum[METRIC_SUM_SQUARED] / data->rows);
}

const struct metric metric_mse = {
    .name = "mse",
    .help = "mean squared error",
    .formula = "1/n sum (v - t)^2",
    .citation = "scikit-learn: mean_squared_error",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = mse,
};
