#include "eval/metric.h"

static int balanced_accuracy(struct metric_data *data, const struct metric_variant *variant, double *value,
                             const char **reason)
{
    (void)variant;
    double sum = 0;
    size_t present = 0;
    for (size_t c = 0, n = (size_t)data->classes; c < n; c++) {
        if (data->support[c] > 0) {
            sum += data->confusion[c * n + c] / data->support[c];
            present++;
        }
    }
    return metric_defined(value, reason, sum / (double)present);
}

const struct metric metric_balanced_accuracy = {
    .name = "balanced_accuracy",
    .help = "mean recall of the classes that occur",
    .formula = "1/K sum_c recall_c",
    .citation = "Brodersen et al. 2010; scikit-learn: balanced_accuracy_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = balanced_accuracy,
};
