#include "eval/metric.h"

static double of_class(double true_positives, double predicted, double support, const struct metric_variant *variant)
{
    (void)variant;
    return predicted + support > 0 ? 2 * true_positives / (predicted + support) : NAN;
}

static int f1(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_class_average(data, variant, of_class, "no row has the label or is predicted so", value, reason);
}

const struct metric metric_f1 = {
    .name = "f1",
    .help = "harmonic mean of precision and recall; without suffix: of the positive class of two, else the mean over "
            "the classes",
    .formula = "2 TP / (2 TP + FP + FN)",
    .citation = "van Rijsbergen 1979, ch. 7; scikit-learn: f1_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_MICRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL,
    .direction = 1,
    .value = f1,
};
