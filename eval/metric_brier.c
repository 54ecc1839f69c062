#include "eval/metric.h"

static int brier(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    return metric_defined(value, reason, data->sum[METRIC_SUM_BRIER] / data->rows / (data->classes == 2 ? 2 : 1));
}

const struct metric metric_brier = {
    .name = "brier",
    .help = "mean squared error of the probabilities; two classes: of the positive one",
    .formula = "1/n sum_rows sum_c (p_c - [label = c])^2, halved for two classes",
    .citation = "Brier 1950; scikit-learn: brier_score_loss",
    .version = 1,
    .needs = METRIC_NEEDS_PROBABILITY,
    .forms = METRIC_FORM_PLAIN,
    .direction = -1,
    .value = brier,
};
