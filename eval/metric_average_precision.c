#include "eval/metric.h"

static double figure(const struct metric_curve *curve)
{
    return curve->average_precision;
}

static int average_precision(struct metric_data *data, const struct metric_variant *variant, double *value,
                             const char **reason)
{
    return metric_curve_average(data, variant, figure, value, reason);
}

const struct metric metric_average_precision = {
    .name = "average_precision",
    .help = "precision at each threshold, weighted by the recall it adds; without suffix: of the positive class of "
            "two, else the mean over the classes",
    .formula = "sum_n (R_n - R_{n-1}) P_n over the distinct scores",
    .citation = "scikit-learn: average_precision_score",
    .version = 1,
    .needs = METRIC_NEEDS_SCORE,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL,
    .direction = 1,
    .value = average_precision,
};
