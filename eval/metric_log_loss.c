#include "eval/metric.h"

static int log_loss(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_defined(value, reason, data->sum[METRIC_SUM_LOG_LOSS] / data->rows);
}

const struct metric metric_log_loss = {
    .name = "log_loss",
    .help = "mean cross-entropy in nats; p is clipped to at least 2.2e-16",
    .formula = "-1/n sum log p(label)",
    .citation = "Good 1952; scikit-learn: log_loss",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = log_loss,
};
