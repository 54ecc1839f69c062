#include "eval/metric.h"

static double of_class(double true_positives, double predicted, double support, const struct metric_variant *variant)
{
    (void)support;
    (void)variant;
    return predicted > 0 ? true_positives / predicted : NAN;
}

static int precision(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_class_average(data, variant, of_class, "no row is predicted so", value, reason);
}

const struct metric metric_precision = {
    .name = "precision",
    .help = "share of the rows predicted so that have the label; without suffix: of the positive class of two, else "
            "the mean over the classes",
    .formula = "TP / (TP + FP)",
    .citation = "scikit-learn: precision_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_MICRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL,
    .direction = 1,
    .value = precision,
};
