#include "eval/metric.h"

static int mse(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    const struct predictions *p = data->p;
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++) {
        if (!isnan(p->target[row])) {
            sum += (p->value[row] - p->target[row]) * (p->value[row] - p->target[row]);
        }
    }
    *value = sum / (double)data->rows;
    *reason = NULL;
    return 0;
}

const struct metric metric_mse = {
    .name = "mse",
    .help = "mean squared error",
    .formula = "1/N sum (v - t)^2",
    .citation = "scikit-learn: mean_squared_error",
    .version = 1,
    .needs = METRIC_NEEDS_TARGET,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = mse,
};
