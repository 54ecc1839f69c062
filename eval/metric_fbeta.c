#include "eval/metric.h"

static double of_class(double true_positives, double predicted, double support, const struct metric_variant *variant)
{
    double square = variant->parameter * variant->parameter;
    return predicted + support > 0 ? (1 + square) * true_positives / (predicted + square * support) : NAN;
}

static const char *const betas[] = {"0.5", "2", NULL};

static int fbeta(struct metric_data *data, const struct metric_variant *variant, double *value, const char **reason)
{
    return metric_class_average(data, variant, of_class, "no row has the label or is predicted so", value, reason);
}

const struct metric metric_fbeta = {
    .name = "f",
    .help = "F-beta: harmonic mean of precision and recall, recall weighing beta times as much; f2, f0.5_macro",
    .formula = "(1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP)",
    .citation = "van Rijsbergen 1979, ch. 7; scikit-learn: fbeta_score",
    .version = 1,
    .needs = METRIC_NEEDS_CLASSES,
    .forms = METRIC_FORM_PLAIN | METRIC_FORM_MACRO | METRIC_FORM_MICRO | METRIC_FORM_WEIGHTED | METRIC_FORM_LABEL |
             METRIC_FORM_PARAMETER,
    .direction = 1,
    .parameters = betas,
    .value = fbeta,
};
