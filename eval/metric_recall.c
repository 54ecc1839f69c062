#include "eval/metric.h"

static double of_class(double true_positives, double predicted, double support, const struct metric_variant *variant)
{
    (void)predicted;
    (void)variant;
    return support > 0 ? true_positives / support : NAN;
}

static int recall(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_class_average(data, variant, of_class, "no row has the label", value, reason);
}

const struct metric metric_recall = {
    .name = "recall",
    .help = "share of the rows with the label that are predicted so; without suffix: of the positive class of two, "
            "else the mean over the classes",
    .formula = "TP / (TP + FN)",
    .citation = "scikit-learn: recall_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_MICRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL,
    .direction = 1,
    .value = recall,
};
