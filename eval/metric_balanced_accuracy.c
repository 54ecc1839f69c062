#include "eval/metric.h"

static int balanced_accuracy(struct metric_data *data, const struct metric_variant *variant, double *value,
                             const char **reason)
{
    (void)variant;
    double sum = 0;
    size_t present = 0;
    for (size_t c = 0, n = (size_t)data->classes; c < n; c++) {
        if (data->support[c]) {
            sum += (double)data->confusion[c * n + c] / (double)data->support[c];
            present++;
        }
    }
    *value = sum / (double)present;
    *reason = NULL;
    return 0;
}

const struct metric metric_balanced_accuracy = {
    .name = "balanced_accuracy",
    .help = "mean recall over the classes that occur",
    .formula = "1/C sum_c TP_c / (TP_c + FN_c)",
    .citation = "Brodersen et al. 2010; scikit-learn: balanced_accuracy_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN,
    .direction = 1,
    .value = balanced_accuracy,
};
