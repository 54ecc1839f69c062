#include "eval/metric.h"

static int mcc(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    double rows = (double)data->rows;
    double hits = 0;
    double both = 0;
    double labels = 0;
    double predictions = 0;
    for (size_t c = 0, n = (size_t)data->classes; c < n; c++) {
        double t = (double)data->support[c];
        double p = (double)data->predicted[c];
        hits += (double)data->confusion[c * n + c];
        both += t * p;
        labels += t * t;
        predictions += p * p;
    }
    double spread = (rows * rows - labels) * (rows * rows - predictions);
    if (!(spread > 0)) {
        return metric_undefined(value, reason, "labels or predictions are all of one class");
    }
    *value = (hits * rows - both) / sqrt(spread);
    *reason = NULL;
    return 0;
}

const struct metric metric_mcc = {
    .name = "mcc",
    .help = "Matthews correlation of labels and predicted classes",
    .formula = "(c s - sum_k p_k t_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))",
    .citation = "Gorodkin 2004; scikit-learn: matthews_corrcoef",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = mcc,
};
