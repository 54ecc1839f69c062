#include "eval/metric.h"

static int rmse(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_defined(value, reason, sqrt(data->sum[METRIC_SUM_SQUARED] / data->rows));
}

const struct metric metric_rmse = {
    .name = "rmse",
    .help = "root of the mean squared error",
    .formula = "sqrt(1/n sum (v - t)^2)",
    .citation = "scikit-learn: root_mean_squared_error",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = rmse,
};
