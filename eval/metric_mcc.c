#include "eval/metric.h"

static int mcc(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    double rows = data->rows;
    double hits = 0;
    double both = 0;
    double labels = 0;
    double predictions = 0;
    for (size_t c = 0, n = (size_t)data->classes; c < n; c++) {
        double t = data->support[c];
        double p = data->predicted[c];
        hits += data->confusion[c * n + c];
        both += t * p;
        labels += t * t;
        predictions += p * p;
    }
    double spread = (rows * rows - labels) * (rows * rows - predictions);
    if (!(spread > 0)) {
        return metric_undefined(value, reason, "labels or predictions are all of one class");
    }
    return metric_defined(value, reason, (hits * rows - both) / sqrt(spread));
}

const struct metric metric_mcc = {
    .name = "mcc",
    .help = "Matthews correlation coefficient of labels and predictions",
    .formula = "(hits n - sum_c t_c p_c) / sqrt((n^2 - sum t_c^2) (n^2 - sum p_c^2))",
    .citation = "Gorodkin 2004; scikit-learn: matthews_corrcoef",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = mcc,
};
