#include "eval/metric.h"

static double of_class(uint64_t true_positives, uint64_t predicted, uint64_t support)
{
    (void)support;
    return predicted ? (double)true_positives / (double)predicted : NAN;
}

static int precision(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_class_average(data, variant, of_class, "no row is predicted so", value, reason);
}

const struct metric metric_precision = {
    .name = "precision",
    .help = "share of a class's predictions that are right; without suffix: of the "
            "positive class of two, else the mean over the classes",
    .formula = "TP / (TP + FP)",
    .citation = "scikit-learn: precision_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_MICRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL,
    .direction = 1,
    .value = precision,
};
