#include "eval/metric.h"

static int accuracy(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    (void)variant;
    double hits = 0;
    for (size_t c = 0, n = (size_t)data->classes; c < n; c++) {
        hits += data->confusion[c * n + c];
    }
    return metric_defined(value, reason, hits / data->rows);
}

const struct metric metric_accuracy = {
    .name = "accuracy",
    .help = "share of rows whose predicted label is the label",
    .formula = "hits / rows",
    .citation = "scikit-learn: accuracy_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = accuracy,
};
